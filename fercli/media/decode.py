"""Frames of a video in presentation order, as RGB: upright, and all with the size of the first, see `media.upright`.

Two decoders give the same full-size pixels. PyAV reads everything, and `auto` is PyAV for every container and codec:
with decord, extract-frames took 0.96 to 1.05 times its CPU time at 360 lines, and reading alone 1.0 to 1.5 times at 720
(`docs/decoders.md`, measured by `benchmarks/decoders.py`). `--decoder decord` is for comparisons; see
`media.decord_reader` for the files it can read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fercli.errors import VideoError
from fercli.media.container import decoded_frames, no_frame_decodes, open_video
from fercli.media.decord_reader import decord_pictures
from fercli.media.index import FrameIndex, read_index
from fercli.media.picture import Image, Picture, preview_size
from fercli.media.upright import (
    Orientation,
    View,
    display_matrix,
    orientation_of,
    screen_of,
    sensible_aspect,
    view_of,
)

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.reformatter import VideoReformatter
    from av.video.stream import VideoStream

WARM_UP_FRAMES = 100
"""Frames that are decoded before the first one that is wanted, and not used: the pictures directly after a key frame
can depend on those before it."""
_REORDERED = 16
"""Frames by which decoding may be ahead of presentation: containers seek by the order of decoding."""
_SEEKABLE = frozenset(("h264", "hevc", "vp8", "vp9", "libdav1d", "av1", "mjpeg"))
_Place = tuple[int, int, int, int]
"""Left, top, width and height on a screen, pixels."""


def read_frames(
    path: Path, wanted: Iterable[int], *, decoder: str = "pyav", warn: Callable[[str], None] = lambda message: None
) -> Iterator[tuple[int, Image]]:
    """Read selected frames of a video in one pass.

    Args:
        path: the video.
        wanted: numbers of frames in presentation order, strictly ascending, from 0.
        decoder, warn: as for `decode`.

    Yields:
        Number and picture, RGB uint8 HxWx3, upright, full size. Frames that do not exist or cannot be decoded are
        missing.

    Raises:
        VideoError: the file cannot be opened; see `open_video`.
    """
    for picture in decode(path, read_index(path), wanted, decoder=decoder, warn=warn):
        yield picture.frame, picture.rgb()


def decode(
    path: Path,
    index: FrameIndex,
    wanted: Iterable[int],
    *,
    decoder: str = "pyav",
    warn: Callable[[str], None] = lambda message: None,
) -> Iterator[Picture]:
    """As `read_frames`, for a caller that already has the index. Use a picture before taking the next one.

    Args:
        path: the video.
        index: its index.
        wanted: as for `read_frames`.
        decoder: `pyav`, or `decord` if it reads the file correctly.
        warn: called with a message if decord was requested and PyAV is used.

    Raises:
        VideoError: the file cannot be opened; see `open_video`.
    """
    numbers = iter(wanted)
    number = next(numbers, None)
    if number is None:
        return
    for picture in _all_pictures(path, index, decoder, warn, number):
        while number is not None and number < picture.frame:
            number = next(numbers, None)
        if number is None:
            return
        if number == picture.frame:
            yield picture


def read_still(path: Path, index: FrameIndex, number: int) -> Image | None:
    """One frame, without decoding all frames before it where the container can be searched.

    Args:
        path: the video.
        index: its index.
        number: of the frame in presentation order, from 0.

    Returns:
        RGB uint8 HxWx3, upright, full size; None if the frame cannot be decoded.

    Raises:
        VideoError: the file cannot be opened; see `open_video`.
    """
    if index.ticks is not None and not index.jumps and (found := _sought(path, int(index.ticks[number]))) is not None:
        return found
    return next((picture.rgb() for picture in decode(path, index, [number])), None)


def _sought(path: Path, tick: int) -> Image | None:
    """The frame with a timestamp, from the key frame before it; None if it does not come."""
    view = _view_if_any(path)
    if view is None:
        return None
    try:
        with open_video(path) as (container, stream):
            container.seek(tick, stream=stream)
            painter = _Converter(stream, view)
            for frame in decoded_frames(container, stream, patient=False):
                if frame.pts is None or frame.pts > tick:
                    return None
                if frame.pts == tick:
                    return painter.picture(0, frame).rgb()
    except VideoError:  # some containers cannot be searched
        pass
    return None


def read_view(path: Path) -> View:
    """How a player shows a video; decodes one frame.

    Raises:
        VideoError: the file cannot be opened, or no frame of it can be decoded.
    """
    view = _view_if_any(path)
    if view is None:
        raise no_frame_decodes(path)
    return view


def _view_if_any(path: Path) -> View | None:
    with open_video(path) as (container, stream):
        frame = next(decoded_frames(container, stream, patient=True), None)
        return None if frame is None else view_of(path, stream, frame)


def _all_pictures(
    path: Path, index: FrameIndex, decoder: str, warn: Callable[[str], None], first: int
) -> Iterator[Picture]:
    """All pictures from frame `first` on, perhaps also earlier ones. If one reader fails, the next continues from
    there."""
    done, end = 0, len(index.pts_s)
    if decoder == "decord":
        for picture in decord_pictures(path, index, warn):
            yield picture
            done = picture.frame + 1
    view = _view_if_any(path) if done < end else None
    if view and first - done > WARM_UP_FRAMES:
        for picture in _pictures_after_seeking(path, index, view, first):
            yield picture
            done = picture.frame + 1
    for patient in (False, True):
        if view and done < end:
            for picture in _pyav_pictures(path, index, view, patient=patient):
                if picture.frame >= done:
                    yield picture
                    done = picture.frame + 1


def _pyav_pictures(path: Path, index: FrameIndex, view: View, *, patient: bool) -> Iterator[Picture]:
    with open_video(path) as (container, stream):
        painter = _Converter(stream, view)
        for number, frame in _numbered(decoded_frames(container, stream, patient=patient, jumps=index.jumps), index):
            yield painter.picture(number, frame)


def _pictures_after_seeking(path: Path, index: FrameIndex, view: View, first: int) -> Iterator[Picture]:
    """The pictures from `first` on, without those before it; none if it is not sure that they are the same as when all
    are decoded."""
    with open_video(path) as (container, stream):
        if index.ticks is None or index.jumps or not _can_seek(container, stream):
            return
        start = first - WARM_UP_FRAMES
        container.seek(int(index.ticks[max(0, start - _REORDERED)]), stream=stream)
        painter, expected = _Converter(stream, view), start
        for number, frame in _numbered(decoded_frames(container, stream, patient=False), index):
            if number < start:
                continue
            if number != expected:
                return  # the seek went too far, or the file is damaged: the other readers find what can be decoded
            expected += 1
            if number >= first:
                yield painter.picture(number, frame)


def _can_seek(container: InputContainer, stream: VideoStream) -> bool:
    """Whether the container has an index of key frames, and the pictures after a key frame do not depend on those
    before it."""
    return container.format.name.startswith(("mov,", "matroska,")) and stream.codec_context.name in _SEEKABLE


def _numbered(frames: Iterable[VideoFrame], index: FrameIndex) -> Iterator[tuple[int, VideoFrame]]:
    """By timestamp, so that a frame lost to damage does not shift the others; by counting if there are no
    timestamps."""
    if index.ticks is None:
        yield from zip(range(len(index.pts_s)), frames, strict=False)
        return
    for frame in frames:
        place = int(np.searchsorted(index.ticks, frame.pts)) if frame.pts is not None else len(index.ticks)
        if place < len(index.ticks) and index.ticks[place] == frame.pts:
            yield place, frame


class _Converter:
    """Converts PyAV's frames to pictures of one size."""

    def __init__(self, stream: VideoStream, view: View) -> None:
        from av.video.reformatter import VideoReformatter

        self._stream, self._view = stream, view
        self._full, self._small = VideoReformatter(), VideoReformatter()
        self._places: dict[tuple[int, int, bytes, Fraction], tuple[Orientation, _Place, bool]] = {}
        self._coded_aspects: dict[tuple[int, int], Fraction | None] = {}

    def picture(self, number: int, frame: VideoFrame) -> Picture:
        """The picture of the frame decoded last."""
        shape = frame.width, frame.height, display_matrix(frame), self._pixel_aspect(frame)
        orientation, place, fitted = self._places.get(shape) or self._placed(*shape)
        screen = self._view.screen
        return Picture(
            number,
            lambda: _drawn(frame, orientation, place, (screen.width, screen.height), self._full),
            lambda: self._preview(frame, orientation, place),
            fitted,
        )

    def _placed(self, width: int, height: int, matrix: bytes, aspect: Fraction) -> tuple[Orientation, _Place, bool]:
        """Position of a frame of this shape on the screen, and whether it must be fitted; cached."""
        orientation, _ = orientation_of(matrix)
        screen, own = self._view.screen, screen_of(width, height, orientation, aspect)
        place = (0, 0, screen.width, screen.height) if own == screen else screen.place(own)
        self._places[width, height, matrix, aspect] = found = orientation, place, own != screen
        return found

    def _preview(self, frame: VideoFrame, orientation: Orientation, place: _Place) -> Image:
        screen = self._view.screen
        small = preview_size(screen.width, screen.height)
        shrink = small[0] / screen.width, small[1] / screen.height
        return _drawn(frame, orientation, _scaled(place, shrink), small, self._small)

    def _pixel_aspect(self, frame: VideoFrame) -> Fraction:
        """The value of the container, until the codec changes its own.

        The codec's value is that of its latest frame, which may be ahead of this one, but has the same size.
        """
        context = self._stream.codec_context
        self._coded_aspects[context.width, context.height] = context.sample_aspect_ratio
        coded = self._coded_aspects.get((frame.width, frame.height), self._view.coded_aspect)
        return self._view.pixel_aspect if coded == self._view.coded_aspect else sensible_aspect(coded)


def _scaled(place: _Place, shrink: tuple[float, float]) -> _Place:
    left, top, width, height = place
    return (
        int(left * shrink[0]),
        int(top * shrink[1]),
        max(1, round(width * shrink[0])),
        max(1, round(height * shrink[1])),
    )


def _drawn(
    frame: VideoFrame,
    orientation: Orientation,
    place: _Place,
    size: tuple[int, int],
    reformatter: VideoReformatter,
) -> Image:
    """The upright picture of a frame at a place (left, top, width, height) of a black picture of this size."""
    left, top, width, height = place
    stored = (height, width) if orientation.swaps_sides else (width, height)
    # One thread, because swscale's threads cost more than they save.
    converted = reformatter.reformat(frame, *stored, format="rgb24", interpolation="FAST_BILINEAR", threads=1)
    image = orientation.upright(np.asarray(converted.to_ndarray(), np.uint8))
    if (width, height) == size:
        return image
    whole = np.zeros((size[1], size[0], 3), np.uint8)
    whole[top : top + height, left : left + width] = image
    return whole
