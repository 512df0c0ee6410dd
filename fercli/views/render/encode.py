"""Write H.264 video with the timestamps of its source, so that it stays synchronous with the sound and the
annotations."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fercli.media.container import decoded_frames, no_frame_decodes, open_video
from fercli.media.upright import view_of
from fercli.writing import new_file, writing

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.packet import Packet

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""Suffix -> ffmpeg's name of the container. Matroska rounds times to milliseconds, the others keep them."""
QUALITY = "20"
"""Constant rate factor of x264: lower is better and larger; at 18 few people see a difference from the source."""
PRESET = "veryfast"
BT709, LIMITED_RANGE = 1, 1
"""`colorspace` and `color_range` for sources without luma and chroma, or with values that cannot be written."""
_WRITTEN_SPACES = {BT709, 2, 4, 5, 6, 7, 9}
"""`colorspace` values of swscale's output from RGB; 2 means unspecified."""


@dataclass(frozen=True)
class Look:
    """Colour properties of a video, in ffmpeg's codes.

    Attributes:
        colorspace, color_range, color_primaries, color_trc: codes of ITU-T H.273; range 2 is full.
        pixel_aspect: width / height of a pixel of the upright picture.
    """

    colorspace: int
    color_range: int
    color_primaries: int
    color_trc: int
    pixel_aspect: Fraction


def look_of(path: Path) -> Look:
    """The colour properties of a video; decodes one frame.

    Raises:
        VideoError: it cannot be opened, or no frame of it can be decoded.
    """
    with open_video(path) as (container, stream):
        frame = next(decoded_frames(container, stream, patient=True), None)
        if frame is None:
            raise no_frame_decodes(path)
        context, aspect = stream.codec_context, view_of(path, stream, frame).screen.pixel_aspect
        space, levels = context.colorspace, context.color_range
        if space not in _WRITTEN_SPACES or (context.format and context.format.is_rgb):
            space, levels = BT709, LIMITED_RANGE
        return Look(space, levels, context.color_primaries, context.color_trc, aspect)


@contextmanager
def new_container(out: Path, base: Fraction) -> Iterator[OutputContainer]:
    """A container that replaces `out` when the block ends without an exception; otherwise it is removed.

    Args:
        out: one of the suffixes in CONTAINERS.
        base: time base of the video, which the container keeps.

    Raises:
        OutputError: it cannot be written.
    """
    import av

    # An edit list, which has the start of a track, uses the time scale of the movie, by default milliseconds.
    scale = base.denominator * math.ceil(1000 / base.denominator)
    options = {"movflags": "+faststart", "movie_timescale": str(scale)}
    form = CONTAINERS[out.suffix.lower()]
    with writing(out), new_file(out) as temporary:
        with plain_errors():
            container = av.open(str(temporary), "w", form, container_options={} if form == "matroska" else options)
        try:
            yield container
        except BaseException:
            with suppress(Exception):
                container.close()
            raise
        with plain_errors():
            container.close()


def mux(container: OutputContainer, packets: Iterable[Packet[Any]]) -> None:
    """Write packets.

    Raises:
        OSError: they cannot be written.
    """
    for packet in packets:
        with plain_errors():
            container.mux(packet)


@contextmanager
def plain_errors() -> Iterator[None]:
    """Convert PyAV's write errors to OSError, to distinguish them from errors in reading the source."""
    from av.error import FFmpegError

    try:
        yield
    except FFmpegError as error:
        raise OSError(error.errno, error.strerror) from error


class Encoder:
    """The video track of a container.

    Args:
        container: result of `new_container`.
        size: width and height of the pictures, pixels. Odd sizes are increased by one, because H.264 halves colour in
            both directions.
        base: unit of the timestamps, seconds.
        rate: average frames a second.
        look: of the source.
        quality: constant rate factor of x264.
        threads: of the encoder; 0 for as many as there are cores.
    """

    def __init__(
        self,
        container: OutputContainer,
        size: tuple[int, int],
        base: Fraction,
        rate: Fraction,
        look: Look,
        *,
        quality: str = QUALITY,
        threads: int = 0,
    ) -> None:
        self._right, self._bottom = size[0] % 2, size[1] % 2
        self._base, self._look = base, look
        options = {"preset": PRESET, "crf": quality}
        self._stream = container.add_stream("libx264", rate, options)
        context = self._stream.codec_context
        context.width, context.height = size[0] + self._right, size[1] + self._bottom
        context.pix_fmt = "yuv420p"
        context.time_base = self._stream.time_base = base
        context.thread_type, context.thread_count = "AUTO", threads
        context.colorspace, context.color_range = look.colorspace, look.color_range
        context.color_primaries, context.color_trc = look.color_primaries, look.color_trc
        context.sample_aspect_ratio = look.pixel_aspect

    def encode(self, image: NDArray[np.uint8], tick: int, duration: int) -> list[Packet[Any]]:
        """The packets that are ready after one more picture, RGB uint8 HxWx3; time and duration in units of `base`."""
        from av.video.frame import VideoFrame

        if self._right or self._bottom:
            image = np.asarray(
                cv2.copyMakeBorder(image, 0, self._bottom, 0, self._right, cv2.BORDER_REPLICATE), np.uint8
            )
        frame = VideoFrame.from_ndarray(image, "rgb24").reformat(
            format="yuv420p",
            dst_colorspace=self._look.colorspace,
            dst_color_range=self._look.color_range,
            interpolation="BILINEAR",
            threads=1,
        )
        frame.pts, frame.duration, frame.time_base = tick, duration, self._base
        with plain_errors():
            return list(self._stream.encode(frame))

    def finish(self) -> list[Packet[Any]]:
        """The remaining packets."""
        with plain_errors():
            return list(self._stream.encode(None))
