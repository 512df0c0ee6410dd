"""Whatever the format: nothing edited is nothing changed, what is edited is shown, and twice is the same as once."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli import tables
from fercli.edits.state import read_state
from fercli.importers.corrections import import_file
from fercli.importers.difference import TOLERANCE_MS
from fercli.labels import EMOTIONS, NOT_ASSESSABLE, RECORD_NAMES
from fercli.workspace import Workspace
from tests.edits.by_hand import annotate
from tests.formats.samples import awkward, nobody
from tests.importers.films import FILES, Rows, export, film, shown, write_csv
from tests.workspaces import (
    face_row,
    faces_table,
    frames_table,
    make_workspace,
    persons_table,
    segments_table,
    tracks_table,
)

PERSONS = ("Ross", "Zoë", "Ross")
"""Of tracks 0, 1 and 2: Ross is seen twice at a time."""


def untouched(workspace: Workspace) -> bool:
    return not workspace.edits.exists()


@pytest.mark.parametrize("make", [film, awkward, nobody])
@pytest.mark.parametrize("name", [name for name in FILES])
def test_an_export_that_no_person_edited_changes_nothing(
    tmp_path: Path, name: str, make: Callable[[Path], Any]
) -> None:
    make(tmp_path / "w")
    workspace = Workspace.open(tmp_path / "w")
    done = import_file(workspace, export(workspace, name, tmp_path / "out"))
    assert (done.changed, done.added, done.deleted, done.renamed) == (0, 0, 0, {})
    assert untouched(workspace)


@pytest.mark.parametrize("name", FILES)
def test_an_export_with_corrections_in_it_changes_nothing(tmp_path: Path, name: str) -> None:
    workspace = film(tmp_path / "w")
    rows = ("Person 1,1.001,2.499,sad", "Person 2,1,2,", "Ben,4,5,happy", "Ben,4.5,6,angry")
    annotate(workspace, *rows, "Person 1,8,10,not assessable")
    before = workspace.edits.read_bytes()
    done = import_file(workspace, export(workspace, name, tmp_path / "out"))
    assert (done.changed, done.added, done.deleted, done.renamed) == (0, 0, 0, {})
    assert workspace.edits.read_bytes() == before


@st.composite
def segment_rows(draw: st.DrawFn) -> list[tuple[int, float, float, str, float | None, str, int]]:
    """Segments of the three tracks that touch or leave holes, with ends anywhere in a millisecond."""
    rows = []
    for track in range(3):
        ends = sorted(draw(st.sets(st.floats(0, 20, allow_subnormal=False), max_size=6)))
        for start, end in itertools.pairwise(ends):
            emotion = draw(st.sampled_from([*EMOTIONS[:3], NOT_ASSESSABLE, ""]))
            if emotion and end - start > 0.003:
                known = emotion != NOT_ASSESSABLE
                rows.append((track, start, end, emotion, 0.5 if known else None, "" if known else "small", track))
    return sorted(rows, key=lambda row: row[1])


@st.composite
def edited_rows(draw: st.DrawFn) -> Rows:
    """What a person might write into a CSV: a few persons, each with segments that touch or leave holes."""
    rows: Rows = []
    for person in ("Ross", "Zoë"):
        ends = sorted(draw(st.sets(st.integers(0, 4000), max_size=5)))
        for start, end in itertools.pairwise(ends):
            emotion = draw(st.sampled_from(["angry", "disgusted", "afraid", ""]))
            if emotion:
                rows.append((person, emotion, 5 * start, 5 * end))
    return sorted(rows)


def filmed(path: Path, segments: list[tuple[int, float, float, str, float | None, str, int]]) -> Workspace:
    windows = [{"track": track, "face": track, "start_s": 0.0, "end_s": 20.0, "reason": "small"} for track in range(3)]
    people = persons_table([(track, person, 0.0, 20.0) for track, person in enumerate(PERSONS)])
    place = tables.PERSONS.get_field_index("best_face")
    return make_workspace(
        path,
        frames=frames_table([0.0, 10.0]),
        faces=faces_table([face_row(0, x1=float(x1)) for x1 in (0, 20, 40)]),
        tracks=tracks_table({0: [0], 1: [1], 2: [2]}),
        persons=people.set_column(place, tables.PERSONS.field(place), pa.array(range(3))),
        segments=segments_table(segments),
        emotions=pa.Table.from_pylist(windows, schema=tables.windows_schema(EMOTIONS)),
    )


@settings(max_examples=40, deadline=None)
@given(segments=segment_rows(), name=st.sampled_from(list(FILES)))
def test_no_export_of_anything_is_a_correction(segments: Any, name: str) -> None:
    with TemporaryDirectory() as folder:
        workspace = filmed(Path(folder) / "w", segments)
        done = import_file(workspace, export(workspace, name, Path(folder) / "out"), force=True)
        assert (done.changed, done.added, done.deleted) == (0, 0, 0)
        assert untouched(workspace)


@settings(max_examples=40, deadline=None)
@given(segments=segment_rows(), edited=edited_rows())
def test_what_a_file_says_is_what_is_shown_from_then_on(segments: Any, edited: Rows) -> None:
    with TemporaryDirectory() as folder:
        workspace = filmed(Path(folder) / "w", segments)
        path = write_csv(Path(folder) / "edited.csv", edited)
        import_file(workspace, path, force=True)
        now = [row for row in shown(workspace, gaps=False)]
        assert [row[:2] for row in now] == [row[:2] for row in edited]
        for (*_, start, end), (*_, wanted_start, wanted_end) in zip(now, edited, strict=True):
            assert abs(start - wanted_start) <= TOLERANCE_MS and abs(end - wanted_end) <= TOLERANCE_MS
        written = workspace.edits.read_bytes() if workspace.edits.exists() else b""
        again = import_file(workspace, path, force=True)
        assert (again.changed, again.added, again.deleted) == (0, 0, 0)
        assert (workspace.edits.read_bytes() if workspace.edits.exists() else b"") == written


def test_all_classes_come_back(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    rows = [("Person 1", name, 1000 * place, 1000 * place + 1000) for place, name in enumerate(RECORD_NAMES.values())]
    import_file(workspace, write_csv(tmp_path / "a.csv", rows))
    for name in FILES:
        done = import_file(workspace, export(workspace, name, tmp_path / name))
        assert (done.changed, done.added, done.deleted) == (0, 0, 0), name


@pytest.mark.parametrize("name", ["=1+1", "+Ross", "-Ross", "@Ross", "'=Ross", "''-Ross", "'Ross"])
def test_a_name_that_a_spreadsheet_takes_for_a_formula_comes_back(tmp_path: Path, name: str) -> None:
    workspace = film(tmp_path / "w")
    annotate(workspace, f"{name},1,2,sad")
    assert [row.person for row in read_state(workspace).manual] == [name]
    file = export(workspace, "csv", tmp_path / "out")
    assert not any(line.startswith(("=", "+", "-", "@")) for line in file.read_text(encoding="utf-8").splitlines())
    before = workspace.edits.read_bytes()
    done = import_file(workspace, file)
    assert (done.changed, done.added, done.deleted, done.renamed) == (0, 0, 0, {})
    assert workspace.edits.read_bytes() == before
