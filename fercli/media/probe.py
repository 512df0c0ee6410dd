"""What is known of a video before anything is made of it."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from fercli.errors import VideoError
from fercli.hashing import digest
from fercli.media.container import no_frame_decodes, open_video
from fercli.media.decode import clockwise_rotation, decoded_frames
from fercli.media.index import read_index
from fercli.workspace import VideoFacts


def probe(path: Path) -> VideoFacts:
    """State the facts of a video: reads the whole file, decodes one frame.

    `duration_s` and `fps` come from the frames that are there, not from the header: `duration_s` runs from the first
    frame to the end of the last one, `fps` is frames / `duration_s`. Width and height are stored pixels, turned
    upright; a pixel aspect ratio other than 1 is not applied.

    Raises:
        VideoError: missing, a directory, empty, not a video, sound only, no frame of it can be decoded, or its path
            cannot be written everywhere.
    """
    _refuse_path_that_cannot_be_written(path)
    index = read_index(path)
    with open_video(path) as (container, stream):
        frame = next(decoded_frames(container, stream, patient=True), None)
        if frame is None:
            raise no_frame_decodes(path)
        rotation, width, height = clockwise_rotation(frame), frame.width, frame.height
        codec = stream.codec.canonical_name
    upright = (height, width) if rotation in (90, 270) else (width, height)
    return VideoFacts(
        path=str(path.absolute()),
        size=path.stat().st_size,
        sha256=digest(path),
        width=upright[0],
        height=upright[1],
        rotation=rotation,
        fps=len(index.pts_s) / index.duration_s,
        duration_s=index.duration_s,
        start_s=float(index.pts_s[0]),
        raw_start_s=float(index.raw_start),
        codec=codec,
    )


def _refuse_path_that_cannot_be_written(path: Path) -> None:
    """decord reads only paths that are UTF-8, and neither XML nor a line of text can hold a control character."""
    text = str(path.absolute())
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text):
        raise VideoError(
            f"the path {text!r} has characters that are not UTF-8 or control characters",
            hint="rename the file, or the directory it lies in",
        )
