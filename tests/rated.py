"""A workspace in which a person smiles, for ratings over time: neutral, then ever happier, then sad at once."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from fercli import tables
from fercli.config import ValenceParams
from fercli.labels import BLENDSHAPES, EMOTIONS
from fercli.stages.valence import run
from fercli.workspace import Workspace
from tests.workspaces import (
    add_receipt,
    attributes_table,
    crops_table,
    face_row,
    faces_table,
    frames_table,
    make_workspace,
    noise_crops,
    persons_table,
    segments_table,
    stage_context,
    tracks_table,
)

STEP_S = 0.2
HAPPY_S, SAD_S, UNSEEN_S, END_S = 2.0, 6.0, (4.0, 5.0), 8.0
"""When it is happy, when sad, when not assessable, and the end."""


def smiling(folder: Path) -> Workspace:
    """Ross is in track 0: neutral, from HAPPY_S on ever happier, from SAD_S on sad; in UNSEEN_S not assessable. Rachel
    is in track 1, sad from 2 s to 4 s, without a mesh."""
    times = [k * STEP_S for k in range(round(END_S / STEP_S))]
    seen = sorted([(frame, 0) for frame in range(len(times))] + [(frame, 1) for frame in range(10, 20)])
    of_track = {track: [face for face, (_, own) in enumerate(seen) if own == track] for track in (0, 1)}
    windows = [
        _window(track, face, times[frame], *(_ross(times[frame]) if track == 0 else ("sadness", 0.9)))
        for face, (frame, track) in enumerate(seen)
    ]
    smile = [max(0.0, min(times[f] - HAPPY_S, 3.5) / 4) * (times[f] < SAD_S) * (track == 0) for f, track in seen]
    shapes: dict[str, Any] = dict.fromkeys(BLENDSHAPES, 0.02)
    shapes |= dict.fromkeys(("mouthSmileLeft", "mouthSmileRight"), smile)
    attributes = attributes_table(len(seen), **shapes).to_pylist()
    for face in of_track[1]:
        attributes[face].update(dict.fromkeys(field.name for field in tables.signals_of(tables.ATTRIBUTES)))
    ross, rachel = of_track.values()
    return make_workspace(
        folder,
        frames=frames_table(times),
        faces=faces_table([face_row(frame) for frame, _ in seen]),
        crops=crops_table(noise_crops(len(seen))),
        attributes=pa.Table.from_pylist(attributes, schema=tables.ATTRIBUTES),
        tracks=tracks_table(of_track),
        persons=persons_table([(0, "Ross", 0.0, END_S), (1, "Rachel", 2.0, 4.0)], {1: rachel[0]}),
        emotions=pa.Table.from_pylist(windows, schema=tables.windows_schema(EMOTIONS)),
        segments=segments_table(
            [
                (0, 0.0, HAPPY_S, "neutral", 0.9, "", ross[0]),
                (0, HAPPY_S, UNSEEN_S[0], "happiness", 0.9, "", ross[12]),
                (1, 2.0, 4.0, "sadness", 0.9, "", rachel[0]),
                (0, *UNSEEN_S, "not assessable", None, "blurred", ross[22]),
                (0, UNSEEN_S[1], SAD_S, "happiness", 0.9, "", ross[27]),
                (0, SAD_S, END_S, "sadness", 0.9, "", ross[35]),
            ]
        ),
    )


def rate(workspace: Workspace, params: ValenceParams | None = None) -> tuple[dict[str, Any], str]:
    """Run the stage; returns its counts, and why it was skipped."""
    context, params = stage_context(workspace), params or ValenceParams()
    counts = run(context, params)
    shutil.rmtree(workspace.path / "valence", ignore_errors=True)
    context.out.rename(workspace.path / "valence")
    add_receipt(workspace, "valence", **asdict(params))
    receipt = workspace.path / "valence" / "receipt.json"
    receipt.write_text(json.dumps(json.loads(receipt.read_text()) | {"counts": counts}))
    return counts, context.skipped


def rated(folder: Path) -> Workspace:
    """`smiling`, with its ratings."""
    workspace = smiling(folder)
    rate(workspace)
    return workspace


def _ross(time: float) -> tuple[str, float | None]:
    if UNSEEN_S[0] <= time < UNSEEN_S[1] - 1e-6:
        return "not assessable", None
    if time < HAPPY_S - 1e-6:
        return "neutral", 0.94
    return ("happiness", 0.94) if time < SAD_S - 1e-6 else ("sadness", 0.94)


def _window(track: int, face: int, start: float, emotion: str, score: float | None) -> dict[str, Any]:
    rest = None if score is None else (1 - score) / (len(EMOTIONS) - 1)
    return {
        "track": track,
        "face": face,
        "start_s": start,
        "end_s": start + STEP_S,
        "reason": "blurred" if score is None else "",
        **{label: score if label == emotion else rest for label in EMOTIONS},
    }
