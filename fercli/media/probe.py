"""Properties of a video, read before any stage."""

from __future__ import annotations

import unicodedata
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from fercli.errors import VideoError
from fercli.hashing import digest
from fercli.media.container import DAMAGED_HINT, open_container, start_of
from fercli.media.decode import read_view
from fercli.media.index import FrameIndex, read_index
from fercli.workspace import VideoFacts

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer


def probe(path: Path, index: FrameIndex | None = None) -> VideoFacts:
    """Properties of a video: reads the whole file, decodes one frame. A given `index` saves one pass over the file.

    `duration_s` and `fps` come from the existing frames, not from the header: `duration_s` runs from the first
    frame to the end of the last one, `fps` is frames / `duration_s`. Width and height are those of the first frame in
    stored pixels, turned upright; `pixel_aspect` is the factor by which a player stretches them.

    Raises:
        VideoError: missing, a directory, empty, not a video, sound only, no frame of it can be decoded, or its path has
            characters that some formats cannot store.
    """
    _refuse_path_that_cannot_be_written(path)
    index = index or read_index(path)
    view = read_view(path)
    return VideoFacts(
        path=str(path.absolute()),
        size=path.stat().st_size,
        sha256=digest(path),
        width=view.screen.width,
        height=view.screen.height,
        rotation=view.orientation.rotation,
        fps=len(index.pts_s) / index.duration_s,
        duration_s=index.duration_s,
        start_s=float(index.pts_s[0]),
        raw_start_s=float(index.raw_start),
        codec=view.codec,
        mirrored=view.orientation.mirrored,
        pixel_aspect=float(view.screen.pixel_aspect),
    )


def probe_sound(path: Path) -> VideoFacts:
    """Properties of a file with sound only: no picture, and the time of its sound.

    Raises:
        VideoError: as `probe`; or it has no sound that can be read.
    """
    _refuse_path_that_cannot_be_written(path)
    with open_container(path) as container:
        stream = next((one for one in container.streams.audio if one.codec_context is not None), None)
        if stream is None:
            raise VideoError(f"{path} has neither a picture nor sound", hint="give a video or a sound file")
        codec, raw_start = stream.codec_context.name, start_of(container)
        start, end = _heard(container, stream)
    if end <= start:
        raise VideoError(
            f"no sound of {path} can be read; the file is damaged", hint=DAMAGED_HINT, code="video-damaged"
        )
    return VideoFacts(
        path=str(path.absolute()),
        size=path.stat().st_size,
        sha256=digest(path),
        width=0,
        height=0,
        rotation=0,
        fps=0.0,
        duration_s=float(end - start),
        start_s=float(start - raw_start),
        raw_start_s=float(raw_start),
        codec=codec,
    )


def _heard(container: InputContainer, stream: AudioStream) -> tuple[Fraction, Fraction]:
    """Container times at which the sound begins and ends, seconds."""
    from av.error import InvalidDataError

    start: Fraction | None = None
    end = Fraction(0)
    base = Fraction(stream.time_base or 0)
    try:
        for packet in container.demux(stream):
            if packet.size and packet.pts is not None:
                start = packet.pts * base if start is None else min(start, packet.pts * base)
                end = max(end, (packet.pts + (packet.duration or 0)) * base)
    except InvalidDataError:  # a truncated file
        pass
    return start or Fraction(0), end


def _refuse_path_that_cannot_be_written(path: Path) -> None:
    """decord reads only paths that are UTF-8, and neither XML nor a line of text can hold a control character."""
    text = str(path.absolute())
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text):
        raise VideoError(
            f"the path {text!r} has characters that are not UTF-8 or control characters",
            hint="rename the file, or the directory it lies in",
            code="path-invalid",
        )
