"""Frames of a video in presentation order, upright, as RGB.

Two decoders give the same pixels. decord is faster and reads short clips in the containers and codecs where it was
found to count frames as a player does. PyAV reads everything else, and takes over where decord gives up. What decord
2 (3.4) gets wrong elsewhere, and why it only ever reads in order here:

- MPEG-TS: it loses the first group of pictures and repeats the last frame to make up the number.
- Seeking, which `skip_frames` does too: wrong frames in AVI, MPEG-PS, MPEG-TS, open groups of pictures, some Matroska.
- HEVC with B-frames, and files that were cut short: an error after some frames.
- Edit lists: it shows frames that a player hides.
- A reader slower than the decoder: frames pile up in memory, 2.5 GB for 400 frames of 1080p.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fercli.media.container import demux, open_video
from fercli.media.index import FrameIndex, read_index
from fercli.media.jumps import Jump

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.reformatter import VideoReformatter
    from av.video.stream import VideoStream

Image = NDArray[np.uint8]

PREVIEW_SIDE = 256
"""Long side of `Picture.preview`, pixels; smaller frames keep their size."""


@dataclass(frozen=True)
class Picture:
    """A decoded frame that is converted only when asked for.

    Attributes:
        frame: its number in the video.
        rgb: gives the upright full-size picture, RGB uint8 HxWx3.
        preview: gives the upright picture with a long side of at most PREVIEW_SIDE, RGB uint8 HxWx3.
    """

    frame: int
    rgb: Callable[[], Image]
    preview: Callable[[], Image]


def read_frames(path: Path, wanted: Iterable[int]) -> Iterator[tuple[int, Image]]:
    """Read some frames of a video in one pass.

    Args:
        path: the video.
        wanted: numbers of frames in presentation order, strictly ascending, from 0.

    Yields:
        Number and picture, RGB uint8 HxWx3, upright, full size. Frames that do not exist or do not decode are missing.

    Raises:
        VideoError: the file cannot be opened; see `open_video`.
    """
    for picture in decode(path, read_index(path), wanted):
        yield picture.frame, picture.rgb()


def decode(path: Path, index: FrameIndex, wanted: Iterable[int]) -> Iterator[Picture]:
    """As `read_frames`, for a caller who has the index already. Use a picture before taking the next one.

    Raises:
        VideoError: the file cannot be opened; see `open_video`.
    """
    numbers = iter(wanted)
    number = next(numbers, None)
    if number is None:
        return
    for picture in _all_pictures(path, index):
        while number is not None and number < picture.frame:
            number = next(numbers, None)
        if number is None:
            return
        if number == picture.frame:
            yield picture


def decoded_frames(
    container: InputContainer, stream: VideoStream, *, patient: bool, jumps: Sequence[Jump] = ()
) -> Iterator[VideoFrame]:
    """The frames PyAV decodes, in presentation order.

    Args:
        container, stream: as `open_video` gives them.
        patient: pass over packets that cannot be decoded. Without it frames are decoded in parallel, and the first
            such packet ends it all, because parallel decoding then loses good frames too.
        jumps: of the clock; timestamps get their offsets before decoding, so that no two frames have one time.
    """
    from av.error import FFmpegError

    stream.thread_type = "SLICE" if patient else "AUTO"
    for packet in itertools.chain(demux(container, stream, jumps), [None]):
        try:
            frames = stream.codec_context.decode(packet)
        except FFmpegError:
            if not patient:
                return
        else:
            yield from frames


def _all_pictures(path: Path, index: FrameIndex) -> Iterator[Picture]:
    """Each reader goes on where the one before gave up."""
    done = 0
    for reader in (_decord_pictures, _quick_pictures, _patient_pictures):
        if done < len(index.pts_s):
            for picture in reader(path, index):
                if picture.frame >= done:
                    yield picture
                    done = picture.frame + 1


def _decord_pictures(path: Path, index: FrameIndex) -> Iterator[Picture]:
    """Pictures up to the end or to decord's first error; none of a file it counts differently.

    decord takes the number of channels for the length of a line divided by the width. Where the processor wants lines
    padded to 128 bytes, pictures narrower than 128 pixels come out with four, and garbled.
    """
    import decord

    if not index.decord:
        return
    decord.logging.set_level(decord.logging.FATAL)
    try:
        reader = decord.VideoReader(str(path.absolute()))  # as in `open_video`
        for frame in range(len(index.pts_s) if len(reader) == len(index.pts_s) else 0):
            array = reader.next()
            if array.shape[2] != 3:
                return
            yield _from_decord(frame, array)
    except (decord.DECORDError, RuntimeError, StopIteration):
        return


def _quick_pictures(path: Path, index: FrameIndex) -> Iterator[Picture]:
    return _pyav_pictures(path, index, patient=False)


def _patient_pictures(path: Path, index: FrameIndex) -> Iterator[Picture]:
    return _pyav_pictures(path, index, patient=True)


def _from_decord(frame: int, array: object) -> Picture:
    def rgb() -> Image:
        image: Image = array.asnumpy()  # type: ignore[attr-defined]
        return image

    return Picture(frame, rgb, lambda: _shrunk(rgb()))


def _shrunk(image: Image) -> Image:
    import cv2

    width, height = preview_size(image.shape[1], image.shape[0])
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _pyav_pictures(path: Path, index: FrameIndex, *, patient: bool) -> Iterator[Picture]:
    from av.video.reformatter import VideoReformatter

    full, small = VideoReformatter(), VideoReformatter()
    with open_video(path) as (container, stream):
        for frame, picture in _numbered(decoded_frames(container, stream, patient=patient, jumps=index.jumps), index):
            yield _from_pyav(frame, picture, full, small)


def _numbered(frames: Iterable[VideoFrame], index: FrameIndex) -> Iterator[tuple[int, VideoFrame]]:
    """By timestamp, so that a frame lost to damage does not shift the others; by counting where there is none."""
    if index.ticks is None:
        yield from zip(range(len(index.pts_s)), frames, strict=False)
        return
    for frame in frames:
        place = int(np.searchsorted(index.ticks, frame.pts)) if frame.pts is not None else len(index.ticks)
        if place < len(index.ticks) and index.ticks[place] == frame.pts:
            yield place, frame


def _from_pyav(frame: int, picture: VideoFrame, full: VideoReformatter, small: VideoReformatter) -> Picture:
    quarter_turns = -clockwise_rotation(picture) // 90

    def converted(reformatter: VideoReformatter, width: int, height: int) -> Image:
        # One thread, because swscale's threads cost more than they save; the interpolation matters to previews only.
        image = reformatter.reformat(
            picture, width, height, format="rgb24", interpolation="FAST_BILINEAR", threads=1
        ).to_ndarray()
        return np.ascontiguousarray(np.rot90(image, quarter_turns), np.uint8)

    return Picture(
        frame,
        lambda: converted(full, picture.width, picture.height),
        lambda: converted(small, *preview_size(picture.width, picture.height)),
    )


def clockwise_rotation(frame: VideoFrame) -> int:
    """Clockwise degrees a player turns the stored picture by: 0, 90, 180 or 270."""
    return round(-frame.rotation / 90) * 90 % 360


def preview_size(width: int, height: int) -> tuple[int, int]:
    """Width and height of a preview of a frame of this size."""
    scale = min(1.0, PREVIEW_SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))
