"""Every face and every window of a video with its person: what formats with boxes or probabilities are written from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fercli import tables
from fercli.errors import CorruptTable, command
from fercli.results.meshes import Meshes
from fercli.results.model import Column, Signal
from fercli.table_rules import rules_of
from fercli.tables import TALKING, rows_by_value
from fercli.workspace import Workspace

MEASURED = tables.signals_of(tables.ATTRIBUTES)
"""What is measured of each face."""
_SIGNALS = {"degrees": "pose", "ratio": "openings", "share": "blendshapes"}
"""Unit -> name of the signal that has the measurements in it."""


@dataclass(frozen=True)
class Details:
    """The tables of a workspace, joined. Half a kilobyte per face: about 150 MB for two hours of television.

    Attributes:
        labels: the classes of the classifier, canonical names in its order.
        faces: one row per face of a shown track, by frame, then face: face, frame, pts_s, end_s (until when its frame
            stands), shot, track, person (shown name), x1, y1, x2, y2, score, landmarks, for each label the probability
            in its window, null where the window was not assessable, talking as in its window, and the columns of
            MEASURED, null without a mesh.
        windows: one row per window, by start, then track: track, person, start_s, end_s, class (most probable label,
            null if not assessable), reason, talking (see `tables.TALKING`), and for each label its probability.
        turned: (N,) degrees by which each face was turned upright, counter-clockwise, before it was measured.
        meshes: of the faces, if they were kept.
    """

    labels: tuple[str, ...]
    faces: pa.Table
    windows: pa.Table
    turned: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    meshes: Meshes = field(default_factory=Meshes.none)

    def signals(self) -> list[Signal]:
        """What changes over time: of each track its probabilities, then what was measured of its faces, by track."""
        emotions = tuple(Column(label, "probability", f"probability of {label}") for label in self.labels)
        measured: dict[str, list[Column]] = defaultdict(list)
        for name, unit, meaning in ((one.name, *map(rules_of(one).get, ("unit", "meaning"))) for one in MEASURED):
            measured[_SIGNALS.get(unit or "", unit or "")].append(Column(name, unit or "", meaning or ""))
        of_windows, of_faces = rows_by_value(self.windows["track"]), rows_by_value(self.faces["track"])
        known = rules_of(TALKING)
        talking = (Column(TALKING.name, known["unit"], known["meaning"]),)
        found = []
        for track in sorted({*of_windows, *of_faces}):
            if track in of_windows:
                rows = self.windows.take(of_windows[track])
                found += [_signal("emotions", rows, "start_s", emotions), _signal("talking", rows, "start_s", talking)]
            if track in of_faces:
                own = self.faces.take(of_faces[track])
                found += [_signal(name, own, "pts_s", tuple(columns)) for name, columns in measured.items()]
        return found


def _signal(name: str, rows: pa.Table, start: str, columns: tuple[Column, ...]) -> Signal:
    """The signal of one track, whose rows these are."""
    return Signal(
        name=name,
        track=rows["track"][0].as_py(),
        person=rows["person"][0].as_py(),
        start_s=rows[start].to_numpy(),
        end_s=rows["end_s"].to_numpy(),
        columns=columns,
        values=np.stack([rows[column.name].to_numpy() for column in columns], axis=1).astype(np.float32),
    )


def read_details(workspace: Workspace, names: Mapping[int, str]) -> Details:
    """Join the finished tables.

    Args:
        workspace: all stages up to classify-emotions have run.
        names: track -> shown name of its person; tracks that are not in it are left out.

    Raises:
        CorruptTable: a table cannot be read.
    """
    windows, labels = tables.read_windows(workspace.table("emotions"))
    windows = _shown(windows, names)
    faces = read_faces(workspace, names)
    window = pa.array(_window_of(faces, windows, workspace.table("emotions")))
    for name in (*labels, TALKING.name):
        faces = faces.append_column(name, windows[name].take(window))
    attributes = tables.read_table(workspace.table("attributes"), tables.ATTRIBUTES)
    for measured in MEASURED:
        faces = faces.append_column(measured.name, attributes[measured.name].take(faces["face"]))
    rolls = tables.read_table(workspace.table("faces"), tables.FACES)["roll"].take(faces["face"])
    turned = np.nan_to_num(rolls.to_numpy().astype(np.float64))
    return Details(labels, faces, _windows(windows, labels, names), turned, Meshes.of(workspace))


def read_faces(workspace: Workspace, names: Mapping[int, str]) -> pa.Table:
    """`Details.faces` without the probabilities; arguments and errors as `read_details`."""
    # Face numbers are row numbers, and grow from frame to frame.
    tracks = _shown(tables.read_table(workspace.table("tracks"), tables.TRACKS), names).sort_by("face")
    faces = tables.read_table(workspace.table("faces"), tables.FACES).take(tracks["face"])
    frames = tables.read_table(workspace.table("frames"), tables.FRAMES)
    place = np.searchsorted(frames["frame"].to_numpy(), faces["frame"].to_numpy())
    columns = {
        "face": faces["face"],
        "frame": faces["frame"],
        **{name: frames[name].take(pa.array(place)) for name in ("pts_s", "end_s", "shot")},
        "track": tracks["track"],
        "person": _persons(tracks["track"], names),
        **{name: faces[name] for name in ("x1", "y1", "x2", "y2", "score", "landmarks")},
    }
    return pa.table(columns)


def _shown(rows: pa.Table, names: Mapping[int, str]) -> pa.Table:
    return rows.filter(pc.is_in(rows["track"], pa.array(sorted(names), pa.int32())))


def _windows(windows: pa.Table, labels: tuple[str, ...], names: Mapping[int, str]) -> pa.Table:
    columns = {
        "track": windows["track"],
        "person": _persons(windows["track"], names),
        "start_s": windows["start_s"],
        "end_s": windows["end_s"],
        "class": _most_probable(windows, labels),
        "reason": windows["reason"],
        "talking": windows["talking"],
        **{label: windows[label] for label in labels},
    }
    return pa.table(columns).sort_by([("start_s", "ascending"), ("track", "ascending")])


def _window_of(faces: pa.Table, windows: pa.Table, path: Path) -> NDArray[np.int64]:
    """(N,) row of the window each face lies in: of its track the last that begins with this face or an earlier one.

    Raises:
        CorruptTable: there is none; `path` is the table of the windows.
    """
    # One number orders by track and then by face; both are far below 2^31.
    begins = windows["track"].to_numpy().astype(np.int64) << 32 | windows["face"].to_numpy()
    order = np.argsort(begins)
    wanted = faces["track"].to_numpy().astype(np.int64) << 32 | faces["face"].to_numpy()
    place = np.searchsorted(begins[order], wanted, side="right") - 1
    own = np.append(begins[order], -1 << 32)[place]  # place -1, before all windows, is the one appended
    outside = np.flatnonzero(own >> 32 != wanted >> 32)
    if len(outside):
        track, face = (int(faces[name][int(outside[0])].as_py()) for name in ("track", "face"))
        raise CorruptTable(
            f"cannot read table {path}: no window of track {track} has its face {face}",
            hint=f"to see what to re-run: {command('status', path.parent.parent)}",
        )
    found: NDArray[np.int64] = order[place]
    return found


def _persons(track: pa.ChunkedArray, names: Mapping[int, str]) -> pa.Array:
    return pa.array([names[number] for number in track.to_pylist()], pa.string())


def _most_probable(windows: pa.Table, labels: tuple[str, ...]) -> pa.Array:
    probabilities = np.stack([windows[label].to_numpy() for label in labels], axis=1)
    known = ~np.isnan(probabilities).any(axis=1)
    best = np.where(known[:, None], probabilities, 0).argmax(axis=1)
    return pa.array([labels[k] if is_known else None for k, is_known in zip(best, known, strict=True)], pa.string())
