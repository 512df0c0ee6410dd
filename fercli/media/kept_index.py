"""The index of a workspace's video, read once and kept beside workspace.json.

It is valid for one size, modification time and inode of the file. If the file has changed or the stored index is
damaged, the index is read again.
"""

from __future__ import annotations

import io
import json
import zipfile
from contextlib import suppress
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from fercli.errors import OutputError
from fercli.media.index import FrameIndex, read_index
from fercli.media.jumps import Jump
from fercli.workspace import FileState, Workspace
from fercli.writing import write_atomically

KEPT = "index.npz"
_VERSION = 1
"""Raised when `read_index` finds other times in the same file."""


def frame_index(workspace: Workspace) -> FrameIndex:
    """The index of a workspace's video; errors as `read_index`."""
    video = Path(workspace.video.path)
    state = FileState.of(video)  # before reading, so that a later change is detected
    kept = _load(workspace.path / KEPT, state) if state is not None else None
    if kept is not None:
        return kept
    index = read_index(video)
    keep_index(workspace, index, state)
    return index


def keep_index(workspace: Workspace, index: FrameIndex, state: FileState | None) -> None:
    """Write an index beside workspace.json, if the workspace is writable.

    Args:
        workspace: workspace of the video.
        index: index of the video.
        state: state of the video file before it was read.
    """
    if state is None or not workspace.writable:
        return
    about = {
        "version": _VERSION,
        "file": asdict(state),
        "duration_s": index.duration_s,
        "raw_start": [index.raw_start.numerator, index.raw_start.denominator],
        "jumps": [asdict(jump) for jump in index.jumps],
        "promised": index.promised,
        "warnings": index.warnings,
    }
    arrays: dict[str, Any] = {"pts_s": index.pts_s, "about": np.array(json.dumps(about))}
    if index.ticks is not None:
        arrays["ticks"] = index.ticks
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    with suppress(OutputError):  # it only saves time
        write_atomically(workspace.path / KEPT, content.getvalue())


def _load(path: Path, state: FileState) -> FrameIndex | None:
    """None if it is missing, belongs to another state of the file, or is damaged."""
    try:
        if not path.is_file():
            return None
        with np.load(path, allow_pickle=False) as arrays:
            about = json.loads(str(arrays["about"]))
            if about["version"] != _VERSION or about["file"] != asdict(state):
                return None
            index = FrameIndex(
                pts_s=np.asarray(arrays["pts_s"], np.float64),
                duration_s=float(about["duration_s"]),
                raw_start=Fraction(*about["raw_start"]),
                ticks=np.asarray(arrays["ticks"], np.int64) if "ticks" in arrays else None,
                jumps=tuple(Jump(**jump) for jump in about["jumps"]),
                promised=int(about["promised"]),
                warnings=tuple(map(str, about["warnings"])),
            )
    except (OSError, ValueError, KeyError, TypeError, EOFError, ZeroDivisionError, zipfile.BadZipFile):
        return None
    return index if _is_sound(index) else None


def _is_sound(index: FrameIndex) -> bool:
    ascending = index.pts_s.ndim == 1 and len(index.pts_s) > 0 and bool((np.diff(index.pts_s) >= 0).all())
    fitting = index.ticks is None or index.ticks.shape == index.pts_s.shape
    return ascending and fitting and bool(np.isfinite(index.pts_s).all()) and 0 < index.duration_s < np.inf
