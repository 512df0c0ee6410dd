"""Erase a person from a workspace: crops, landmarks, embeddings, rows, edits, and the person in a cast.

Rows with numbers that others refer to are kept: a face keeps its box, its crop becomes a black picture, and its
measurements are removed. Receipts are updated, so that the workspace stays fresh. The video still shows the person, and
detect-faces finds the face again.
"""

from __future__ import annotations

import html
import json
import shutil
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fercli import tables
from fercli.chain import STAGES
from fercli.edits.anchors import tracks_at
from fercli.edits.edit import ERASED, MERGE, Edit, as_line
from fercli.edits.editing import find_tracks
from fercli.edits.log import annotator, now
from fercli.edits.state import PERSONS, State, cast_of, read_state
from fercli.hashing import digest, output_digests
from fercli.media.images import encode_jpeg
from fercli.persons.cast import renaming
from fercli.persons.names import UNASSIGNED, clean_name
from fercli.workspace import Workspace, require_tables
from fercli.writing import OWNER_ONLY_DIRECTORY, write_atomically, writing

Change = Callable[[pa.Table], pa.Table]


@dataclass(frozen=True)
class Erased:
    """What was erased, and what still shows or names the person.

    Attributes:
        tracks, faces, edits: numbers of erased ones.
        files: exported files that name the person, and kept images of frames with the face.
        notes: messages for the user.
    """

    tracks: int
    faces: int
    edits: int
    files: list[Path]
    notes: list[str]


def erase(workspace: Workspace, name: str, *, cast: Path | None = None, by: str = "") -> Erased:
    """Erase all data of a person; under the lock of the workspace. Repeat a killed run.

    Args:
        name: displayed name.
        cast: the file; by default the cast of the persons, if it exists.

    Raises:
        ConfigError: there is no such person.
        MissingStage, CorruptTable, InputError: the workspace or the cast cannot be read.
        OutputError, WorkspaceLocked: something cannot be written.
    """
    require_tables(workspace, PERSONS)
    state, name = read_state(workspace), clean_name(name)
    tracks = set(find_tracks(workspace, state, name))
    names = _names(workspace, state, name, tracks)
    predicted = {one.predicted for track, one in state.tracks.items() if track in tracks and not one.alone}
    members = tables.read_rows(workspace.table("tracks"), tables.TRACKS, ["face", "track"], "track", tracks)
    faces = set(members["face"].to_pylist())
    files = [*_exports(workspace, names), *_images(workspace, faces)]
    notes = _erase_in_cast(workspace, cast or cast_of(workspace), {one for one in predicted if one is not None})
    lines, count = _lines(workspace, state, tracks, names, annotator(by))
    if count:
        write_atomically(workspace.edits, lines, private=True)
    _rewrite_tables(workspace, tracks, faces)
    spoken = [name for name in ("audio", "speech") if (workspace.path / name).exists()]
    if spoken:
        here = " and ".join(str(workspace.path / name) for name in spoken)
        notes.append(f"the sound of the video stays, with the voices of all persons; to remove it, delete {here}")
    return Erased(len(tracks), len(faces), count, files, notes)


def _names(workspace: Workspace, state: State, name: str, tracks: Collection[int]) -> set[str]:
    """All names of the person, without those of other persons."""
    found = tracks_at(workspace, [anchor for edit in state.log.edits for anchor in edit.at])
    names = {name, *(one.predicted for track, one in state.tracks.items() if track in tracks and one.predicted)}
    for edit in state.log.edits:
        if edit.at and all(found.get(anchor) in tracks for anchor in edit.at):
            names |= set(edit.names)
    others = [one for track, one in state.tracks.items() if track not in tracks]
    return names - {one.name for one in others} - {one.predicted for one in others} - {UNASSIGNED}


def _lines(
    workspace: Workspace, state: State, tracks: Collection[int], names: Collection[str], by: str
) -> tuple[bytes, int]:
    """The log without the person, and the number of changed lines. Line numbers are kept: removed edits are replaced by
    an `erased` line."""
    if not workspace.edits.exists():
        return b"", 0
    lines = workspace.edits.read_bytes().split(b"\n")
    found = tracks_at(workspace, [anchor for edit in state.log.edits for anchor in edit.anchors])
    count = 0
    for edit in state.log.edits:
        own = [found.get(anchor) in tracks for anchor in edit.at]
        if (own and all(own)) or (not any(own) and edit.person in names and not (edit.at and edit.rest)):
            left = Edit(ERASED, by, now())
        else:
            kept = [not one for one in own]
            at = tuple(anchor for anchor, keep in zip(edit.at, kept, strict=True) if keep)
            persons = edit.persons
            if edit.kind == MERGE:
                persons = tuple(one for one, keep in zip(edit.persons, kept, strict=True) if keep)
            left = replace(
                edit,
                at=at,
                persons=persons,
                person=UNASSIGNED if edit.person in names else edit.person,
                rest=None if edit.rest is None or found.get(edit.rest) in tracks else edit.rest,
                joins=None if edit.joins is None or found.get(edit.joins) in tracks else edit.joins,
            )
        if left != edit:
            lines[edit.number - 1] = as_line(left).encode()
            count += 1
    return b"\n".join(lines), count


def _erase_in_cast(workspace: Workspace, cast: Path | None, predicted: Collection[str]) -> list[str]:
    if cast is None:
        return []
    if not cast.is_file():
        return [f"the cast {cast} does not exist, so nothing was erased from it"]
    with renaming(cast) as names:
        roots = {names.root(person) for name, person in names.given(workspace.video.sha256) if name in predicted}
        for root in roots:
            names.erase(root)
    return [] if roots else [f"the cast {cast} does not have the person"]


def _rewrite_tables(workspace: Workspace, tracks: Collection[int], faces: Collection[int]) -> None:
    """Rewrite stage by stage, each replaced atomically; after a kill in between, later stages are stale."""
    blank = encode_jpeg(np.zeros((64, 64, 3), np.uint8))
    own_faces, own_tracks = pa.array(sorted(faces), pa.int64()), pa.array(sorted(tracks), pa.int32())

    def without_tracks(part: pa.Table) -> pa.Table:
        return part.filter(pc.invert(pc.is_in(part["track"], own_tracks)))

    def without_crops(part: pa.Table) -> pa.Table:
        mine = pc.is_in(part["face"], own_faces)
        return part.set_column(
            1, part.schema.field("jpeg"), pc.if_else(mine, pa.scalar(blank, pa.binary()), part["jpeg"])
        )

    def without_looks(part: pa.Table) -> pa.Table:
        mine = pc.is_in(part["face"], own_faces).to_pylist()
        for name in ("landmarks", "frontal", "roll"):
            values = [None if own else value for own, value in zip(mine, part[name].to_pylist(), strict=True)]
            field = part.schema.field(name)
            part = part.set_column(part.schema.get_field_index(name), field, pa.array(values, field.type))
        return part

    def without_faces(part: pa.Table) -> pa.Table:
        return part.filter(pc.invert(pc.is_in(part["face"], own_faces)))

    def without_measurements(part: pa.Table) -> pa.Table:
        mine = pc.is_in(part["face"], own_faces)
        for field in tables.signals_of(part.schema):
            blanked = pc.if_else(mine, pa.scalar(None, field.type), part[field.name])
            part = part.set_column(part.schema.get_field_index(field.name), field, blanked)
        return part

    changes: dict[str, Change] = {"crops": without_crops, "faces": without_looks}
    changes |= {"attributes": without_measurements, "meshes": without_faces}
    changes |= dict.fromkeys(
        ("tracks", "embeddings", "persons", "emotions", "segments", "valence", "courses"), without_tracks
    )
    changed: dict[str, str] = {}
    for stage in STAGES:
        receipt = workspace.receipt(stage.name)
        rewritten = [table for table in stage.writes if table in changes and workspace.table(table).exists()]
        if receipt is None or not rewritten:
            continue
        partial = workspace.path / f"{stage.name}.partial"
        with writing(partial):
            shutil.rmtree(partial, ignore_errors=True)  # pieces of an earlier run may also show the person
            out = partial / "out"
            partial.mkdir(OWNER_ONLY_DIRECTORY)
            out.mkdir()
            for table in rewritten:
                _rewrite(workspace.table(table), out / f"{table}.parquet", table, changes[table])
            for file in (workspace.path / stage.name).iterdir():
                if file.name != "receipt.json" and not (out / file.name).exists():
                    shutil.copy2(file, out / file.name)
            inputs = {name: changed.get(name, value) for name, value in receipt.inputs.items()}
            new = replace(receipt, inputs=inputs, outputs=output_digests(out))
            write_atomically(out / "receipt.json", (json.dumps(asdict(new), indent=2) + "\n").encode())
            changed |= {table: digest(out / f"{table}.parquet") for table in rewritten}
            workspace.swap_in(stage.name, out)
            shutil.rmtree(partial)


def _rewrite(source: Path, target: Path, table: str, change: Change) -> None:
    """Read in parts, without a look at the other tables, which may have lost the person already."""
    labels = tables.labels_of(pq.read_schema(source)) if table == "emotions" else ()
    schema = tables.windows_schema(labels) if table == "emotions" else tables.SCHEMAS[table]
    tables.write_table(target, (change(part) for part in tables.read_parts(source, schema)), schema)


def _exports(workspace: Workspace, names: Collection[str]) -> list[Path]:
    """Existing exported files that name the person."""
    try:
        listed = json.loads((workspace.path / "exports.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [file for file in map(Path, listed) if file.is_file() and _mentions(file, names)]


def _mentions(file: Path, names: Collection[str]) -> bool:
    if file.suffix == ".parquet":
        found: Any = pq.read_table(file)
        columns = [found[field.name] for field in found.schema if pa.types.is_string(field.type)]
        return any(set(names) & set(column.to_pylist()) for column in columns)
    text = file.read_bytes().decode("utf-8", "replace")
    return any(form in text for name in names for form in (name, html.escape(name), json.dumps(name)[1:-1]))


def _images(workspace: Workspace, faces: Collection[int]) -> list[Path]:
    """Kept images of frames that show the person."""
    rows = tables.read_rows(workspace.table("faces"), tables.FACES, ["face", "frame"], "face", faces)
    seen = set(rows["frame"].to_pylist())
    kept = (workspace.path / "frames" / "images").glob("*.jpg")
    return sorted(file for file in kept if file.stem.isdigit() and int(file.stem) in seen)
