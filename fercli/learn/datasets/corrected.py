"""Manual annotations as training data: face crops from workspaces, with manual labels.

`root` is a workspace, or a directory of workspaces; those without manual annotations are skipped. A sample is a clip of
at most CLIP_S of assessable faces of one track within one annotation. A name is one subject in all videos; `Person 3`
is a different subject in each video. No subject is in two splits, so training needs at least two persons.

The crops are read from the table `crops`: a frame of a sample is the path of that table followed by the number of a
face.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli import tables
from fercli.edits.apply import Manual
from fercli.edits.edit import CLEAR, SET_EMOTION
from fercli.edits.log import read_log
from fercli.edits.state import read_state
from fercli.errors import DatasetError
from fercli.labels import EMOTIONS, EMOTIONS_8, NOT_ASSESSABLE
from fercli.learn.datasets.faces import DatasetSplits
from fercli.learn.datasets.folder import folders, listing
from fercli.learn.datasets.images import GREY, Packing
from fercli.learn.datasets.pack import CLIP_FRAMES, CROP_SCALE, pack
from fercli.learn.datasets.samples import Problem, Sample
from fercli.media.images import decode_jpeg
from fercli.persons.names import is_numbered
from fercli.results.load import load
from fercli.workspace import Workspace, require_tables

TERMS = "as the owner of the videos allows"
CLIP_S = 1.0
"""A long segment gives several samples, each about as long as the input of the classifier."""
HINT = "correct an export in another program, then run: fercli import WORKSPACE FILE"


def read(root: Path, packing: Packing = GREY) -> DatasetSplits:
    """Read the faces with manual annotations; seven classes, and contempt if it was used.

    Raises:
        DatasetError: no workspace, no manual annotations, or no face in them.
        InputError, WorkspaceError: a workspace or its corrections cannot be read, or a stage must run again.
    """
    found: list[Sample | Problem] = []
    crops: dict[Path, _Crop] = {}
    corrected = [workspace for workspace in _workspaces(root) if _annotated(workspace)]
    if not corrected:
        raise DatasetError(f"there are no manual annotations under {root}", hint=HINT, code="dataset-empty")
    for workspace in corrected:
        own = list(_samples(workspace))
        crops |= _crops(workspace, [path for item in own if isinstance(item, Sample) for path in item.frames])
        found += own
    present = {item.label for item in found if isinstance(item, Sample)}
    classes = EMOTIONS_8 if "contempt" in present else EMOTIONS
    samples = listing(root.resolve().name, TERMS, classes, found)
    found_crops = replace(samples, read_picture=lambda path: crops[path].picture())
    return pack(found_crops, face_scale=CROP_SCALE, packing=packing)


@dataclass(frozen=True)
class _Crop:
    """A stored crop, and the share of its side that is the face at CROP_SCALE."""

    jpeg: bytes
    share: float

    def picture(self) -> NDArray[np.uint8]:
        """(S, S, 3) RGB of the middle."""
        crop = decode_jpeg(self.jpeg)
        margin = max(0, round(len(crop) * (1 - self.share) / 2))
        return crop[margin : len(crop) - margin, margin : len(crop) - margin]


def _workspaces(root: Path) -> list[Workspace]:
    if not root.is_dir():
        raise DatasetError(
            f"{root} is not a directory",
            hint="give --root a workspace, or a directory of workspaces",
            code="dataset-not-found",
        )
    homes = [path for path in [root, *folders(root)] if (path / "workspace.json").exists()]
    if not homes:
        raise DatasetError(f"{root} is not a workspace and contains none", hint=HINT, code="dataset-not-found")
    return [Workspace.open(path) for path in homes]


def _annotated(workspace: Workspace) -> bool:
    return any(edit.kind in (SET_EMOTION, CLEAR) for edit in read_log(workspace).edits)


def _samples(workspace: Workspace) -> Iterator[Sample | Problem]:
    require_tables(workspace, "segments", "persons")
    state = read_state(workspace)
    details = load(workspace, state).details()
    assessable = details.faces.filter(details.faces[details.labels[0]].is_valid())
    video = Path(workspace.video.path).name
    for problem in state.applied.problems:
        line, reason = problem.removeprefix("edits.jsonl:").split(": ", 1)
        yield Problem(str(workspace.edits), int(line), reason)
    for row in state.manual:
        if row.emotion is None or row.emotion == NOT_ASSESSABLE:
            continue
        clips = list(_clips(row, assessable))
        if not clips:
            reason = f"no assessable face of {row.person} from {row.start_ms / 1000:g} to {row.end_ms / 1000:g} s"
            yield Problem(str(workspace.edits), row.number, reason)
        subject = f"{video} {workspace.video.sha256[:8]}: {row.person}" if is_numbered(row.person) else row.person
        for clip in clips:
            yield Sample(tuple(workspace.table("crops") / str(face) for face in clip), row.emotion, subject=subject)


def _clips(row: Manual, faces: pa.Table) -> Iterator[list[int]]:
    """Up to CLIP_FRAMES faces of each stretch of CLIP_S of each track, evenly spaced."""
    pts, track = faces["pts_s"].to_numpy(), faces["track"].to_numpy()
    inside = (pts >= row.start_ms / 1000) & (pts < row.end_ms / 1000)
    rows = np.flatnonzero(inside & (np.array(faces["person"].to_pylist(), dtype=object) == row.person))
    stretch = ((pts[rows] - row.start_ms / 1000) / CLIP_S).astype(np.int64)
    numbers = faces["face"].to_numpy()
    for place in sorted(set(zip(track[rows].tolist(), stretch.tolist(), strict=True))):
        own = numbers[rows[(track[rows] == place[0]) & (stretch == place[1])]]
        chosen = np.linspace(0, len(own) - 1, min(len(own), CLIP_FRAMES)).round().astype(int)
        yield own[chosen].tolist()


def _crops(workspace: Workspace, paths: list[Path]) -> dict[Path, _Crop]:
    wanted = {int(path.name) for path in paths}
    share = CROP_SCALE / workspace.crop_scale
    table = workspace.table("crops")
    return {
        table / str(face): _Crop(jpeg.as_py(), share)
        for part in tables.read_parts(table, tables.CROPS, rows=wanted)
        for face, jpeg in zip(part["face"].to_pylist(), part["jpeg"], strict=True)
        if face in wanted
    }
