"""Properties of a video, read before any stage."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from fercli.errors import VideoError
from fercli.hashing import digest
from fercli.media.decode import read_view
from fercli.media.index import FrameIndex, read_index
from fercli.workspace import VideoFacts


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


def _refuse_path_that_cannot_be_written(path: Path) -> None:
    """decord reads only paths that are UTF-8, and neither XML nor a line of text can hold a control character."""
    text = str(path.absolute())
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text):
        raise VideoError(
            f"the path {text!r} has characters that are not UTF-8 or control characters",
            hint="rename the file, or the directory it lies in",
            code="path-invalid",
        )
