"""What a person changed in an export, and what becomes of it; files that cannot be meant; names; runs that follow."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pyarrow as pa
import pytest

from fercli import tables
from fercli.chain import EMOTIONS
from fercli.edits.edit import Anchor
from fercli.edits.editing import ignore, undo
from fercli.edits.log import read_log
from fercli.errors import DatasetError, MissingStage
from fercli.importers.corrections import Imported, import_file
from fercli.results.load import load
from fercli.workspace import Digests, Workspace
from tests.importers.films import FILES, Rows, by_hand, export, film, shown, write_csv
from tests.workspaces import VIDEO, add_receipt, make_workspace

ALL: Rows = [
    ("Person 1", "angry", 8000, 10000),
    ("Person 1", "happy", 0, 4000),
    ("Person 1", "sad", 4000, 6000),
    ("Person 2", "neutral", 0, 3000),
]
"""All that `film` shows, gaps left out."""
GAP = ("Person 2", "not assessable", 3000, 4000)


def edited(*rows: tuple[str, str, int, int], without: str = "") -> Rows:
    return [*(row for row in ALL if row[1] != without), *rows]


def figures(done: Imported) -> tuple[int, int, int]:
    return done.changed, done.added, done.deleted


def files(workspace: Workspace) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in workspace.path.iterdir() if path.is_file()}


@pytest.mark.parametrize(
    ("rows", "expected", "stated"),
    [
        # another emotion
        (edited(("Person 1", "afraid", 0, 4000), without="happy"), (1, 0, 0), [("Person 1", "afraid", 0, 4000)]),
        # a boundary moved into the neighbour, whose start moved too
        (
            [*ALL[:1], ("Person 1", "happy", 0, 5000), ("Person 1", "sad", 5000, 6000), *ALL[3:]],
            (2, 0, 0),
            [("Person 1", "happy", 0, 5000), ("Person 1", "sad", 5000, 6000)],
        ),
        # shortened: what is left shows nothing
        (edited(("Person 1", "happy", 0, 3000), without="happy"), (1, 0, 0), [("Person 1", "happy", 0, 3000)]),
        # cut in two
        (
            edited(("Person 1", "happy", 0, 1000), ("Person 1", "surprised", 1000, 4000), without="happy"),
            (2, 0, 0),
            [("Person 1", "happy", 0, 1000), ("Person 1", "surprised", 1000, 4000)],
        ),
        # deleted
        (edited(without="angry"), (0, 0, 1), []),
        # added where nothing was, and somebody new
        (
            edited(("Person 1", "happy", 6000, 8000), ("Gunther", "sad", 0, 60000)),
            (0, 2, 0),
            [("Gunther", "sad", 0, 60000), ("Person 1", "happy", 6000, 8000)],
        ),
        # over a stretch the machine could not assess, which a CSV does not have
        (edited(("Person 2", "happy", 3000, 4000)), (0, 1, 0), [("Person 2", "happy", 3000, 4000)]),
    ],
)
def test_edits_of_every_kind(tmp_path: Path, rows: Rows, expected: tuple[int, int, int], stated: Rows) -> None:
    workspace = film(tmp_path / "w")
    before = workspace.table("segments").read_bytes()
    path = write_csv(tmp_path / "a.csv", rows)
    assert figures(import_file(workspace, path)) == expected
    assert shown(workspace, gaps=False) == sorted(rows)
    assert by_hand(workspace) == stated
    assert workspace.table("segments").read_bytes() == before
    after = files(workspace)
    assert figures(import_file(workspace, path)) == (0, 0, 0)
    assert files(workspace) == after


def test_what_is_written_can_be_read_by_people(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    rows = edited(("Person 1", "happy", 0, 3000), ("Ben", "joy", 59000, 60000), without="happy")
    import_file(workspace, write_csv(tmp_path / "a.csv", rows))
    found = [(e.kind, e.person, e.start_ms, e.end_ms, e.emotion, e.file) for e in read_log(workspace).edits]
    assert found == [
        ("set-emotion", "Ben", 59000, 60000, "happiness", "a.csv"),
        ("set-emotion", "Person 1", 0, 3000, "happiness", "a.csv"),
        ("clear", "Person 1", 3000, 4000, None, "a.csv"),
    ]
    # Ben is never seen; the face of Person 1 is that of the frame before the middle, whose number is its left edge.
    assert [e.at for e in read_log(workspace).edits] == [
        (),
        (Anchor(1.5, (3.0, 50.0, 80.0, 150.0)),),
        (Anchor(3.5, (7.0, 50.0, 80.0, 150.0)),),
    ]


def test_who_is_missing_from_a_file_is_named(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    path = write_csv(tmp_path / "a.csv", [row for row in ALL if row[0] == "Person 1"])
    done = import_file(workspace, path)
    assert figures(done) == (0, 0, 1)
    assert f"{path} has no segment of Person 2: deleted" in done.notes
    assert not [note for note in import_file(workspace, path).notes if "deleted" in note]


def test_a_deleted_gap_is_gone_where_the_format_has_gaps(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    path = export(workspace, "json", tmp_path)
    document = json.loads(path.read_text())
    document["not_assessable"] = []
    path.write_text(json.dumps(document))
    assert figures(import_file(workspace, path)) == (0, 0, 1)
    assert shown(workspace) == ALL


@pytest.mark.parametrize("name", FILES)
def test_every_format_brings_a_changed_emotion_back(tmp_path: Path, name: str) -> None:
    workspace = film(tmp_path / "w")
    path = export(workspace, name, tmp_path)
    text = path.read_text(encoding="utf-8")
    value = "angry</ANNOTATION_VALUE>" if name == "eaf" else "angry"
    before, _, after = text.rpartition(value)
    path.write_text(f"{before}{value.replace('angry', 'afraid')}{after}", encoding="utf-8")
    assert figures(import_file(workspace, path)) == (1, 0, 0)
    wanted = ("Person 1", "afraid", 8000, 10000)
    assert shown(workspace) == sorted([wanted, *ALL[1:], GAP])
    assert by_hand(workspace) == [wanted]
    assert figures(import_file(workspace, path)) == (0, 0, 0)


def test_a_later_file_replaces_only_where_it_says_otherwise(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    first = edited(("Person 1", "afraid", 0, 4000), ("Ben", "sad", 1000, 2000), without="happy")
    import_file(workspace, write_csv(tmp_path / "a.csv", first))
    second = [row for row in first if row[0] != "Ben"] + [("Ben", "sad", 1000, 1500), ("Ben", "happy", 1500, 2500)]
    assert figures(import_file(workspace, write_csv(tmp_path / "b.csv", second))) == (2, 0, 0)
    assert by_hand(workspace) == [
        ("Ben", "happy", 1500, 2500),
        ("Ben", "sad", 1000, 1500),
        ("Person 1", "afraid", 0, 4000),
    ]
    assert figures(import_file(workspace, write_csv(tmp_path / "c.csv", ALL))) == (1, 0, 2)
    assert shown(workspace, gaps=False) == ALL


def test_in_a_split_screen_one_of_two_segments_can_be_changed_and_the_other_deleted(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    people = tables.read_table(workspace.table("persons")).to_pylist()
    rows = [{**row, "person": "Ross"} for row in people]
    make_workspace(workspace.path, persons=people_of(rows))
    both = [("Ross", "angry", 8000, 10000), ("Ross", "happy", 0, 4000), ("Ross", "neutral", 0, 3000)]
    both += [("Ross", "sad", 4000, 6000)]
    changed = [both[0], ("Ross", "afraid", 0, 4000), *both[2:]]
    assert figures(import_file(workspace, write_csv(tmp_path / "a.csv", changed))) == (1, 0, 0)
    assert shown(workspace, gaps=False) == sorted(changed)
    deleted = [row for row in changed if row[1] != "neutral"]
    assert figures(import_file(workspace, write_csv(tmp_path / "b.csv", deleted))) == (0, 0, 1)
    assert shown(workspace, gaps=False) == sorted(deleted)


def made_from(workspace: Workspace, inputs: dict[str, str]) -> None:
    """Write the inputs into the receipt of classify-emotions."""
    path = workspace.path / "emotions" / "receipt.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "inputs": inputs}))


def people_of(rows: list[dict[str, object]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=tables.PERSONS)


# Names


@pytest.mark.parametrize("name", FILES)
def test_a_person_with_another_name_is_renamed(tmp_path: Path, name: str) -> None:
    workspace = film(tmp_path / "w")
    path = export(workspace, name, tmp_path)
    path.write_text(path.read_text(encoding="utf-8").replace("Person 1", "Zoe\u0308"), encoding="utf-8")
    done = import_file(workspace, path)
    assert (figures(done), done.renamed) == ((0, 0, 0), {"Person 1": "Zoë"})
    (edit,) = read_log(workspace).edits
    assert (edit.kind, edit.person, edit.to, edit.file) == ("rename", "Person 1", "Zoë", path.name)
    assert {row[0] for row in shown(workspace)} == {"Zoë", "Person 2"}
    assert import_file(workspace, path).renamed == {}


def test_names_emotions_and_boundaries_may_change_together(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    rows = [("Ross", "angry", 8000, 10000), ("Ross", "afraid", 0, 4000), ("Ross", "sad", 4000, 5000), ALL[3]]
    done = import_file(workspace, write_csv(tmp_path / "a.csv", rows))
    assert (figures(done), done.renamed) == ((2, 0, 0), {"Person 1": "Ross"})
    assert shown(workspace, gaps=False) == sorted(rows)
    assert by_hand(workspace) == [("Ross", "afraid", 0, 4000), ("Ross", "sad", 4000, 5000)]


def test_who_shows_something_else_entirely_is_a_person_new(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    done = import_file(workspace, write_csv(tmp_path / "a.csv", [*ALL[:3], ("Ben", "happy", 20000, 23000)]))
    assert (figures(done), done.renamed) == ((0, 1, 1), {})
    assert {row[0] for row in shown(workspace, gaps=False)} == {"Person 1", "Ben"}


def test_who_is_known_only_from_corrections_can_be_renamed(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    import_file(workspace, write_csv(tmp_path / "a.csv", edited(("Ben", "happy", 20000, 23000))))
    done = import_file(workspace, write_csv(tmp_path / "b.csv", edited(("Gunther", "happy", 20000, 23000))))
    assert (figures(done), done.renamed) == ((0, 0, 0), {"Ben": "Gunther"})
    assert by_hand(workspace) == [("Gunther", "happy", 20000, 23000)]


def test_segments_given_to_a_person_known_move_there(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    rows = edited(("Person 2", "angry", 8000, 10000), without="angry")
    assert figures(import_file(workspace, write_csv(tmp_path / "a.csv", rows))) == (0, 1, 1)
    assert shown(workspace, gaps=False) == sorted(rows)


def test_who_is_left_out_is_passed_over_and_said_so(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    path = export(workspace, "csv", tmp_path)
    ignore(workspace, "Person 2")
    done = import_file(workspace, path)
    assert figures(done) == (0, 0, 0)
    assert "Person 2 is ignored here: 1 segment skipped" in done.notes
    assert len(read_log(workspace).edits) == 1


def test_corrections_stay_with_the_face_when_track_numbers_persons_anew(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    rows = edited(("Person 2", "afraid", 0, 3000), without="neutral")
    import_file(workspace, write_csv(tmp_path / "a.csv", rows))
    people = tables.read_table(workspace.table("persons")).to_pylist()
    swap = {"Person 1": "Person 2", "Person 2": "Person 1"}
    make_workspace(workspace.path, persons=people_of([{**row, "person": swap[row["person"]]} for row in people]))
    faces = [s for s in load(workspace).segments if s.source == "human"]
    assert [(s.person, s.emotion, s.track) for s in faces] == [("Person 1", "fear", 1)]


def test_corrections_stay_when_the_emotions_are_classified_anew(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    import_file(workspace, write_csv(tmp_path / "a.csv", edited(("Person 1", "afraid", 1000, 2000), without="happy")))
    rows = tables.read_table(workspace.table("segments")).to_pylist()
    for row in rows:
        row["class"] = "contempt" if row["class"] == "happiness" else row["class"]
    make_workspace(workspace.path, segments=pa.Table.from_pylist(rows, schema=tables.SEGMENTS))
    assert by_hand(workspace) == [("Person 1", "afraid", 1000, 2000)]
    assert "contemptuous" not in [row[1] for row in shown(workspace)]


def test_a_file_that_names_no_person_is_about_the_only_person_there_is(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    ignore(workspace, "Person 2")
    path = tmp_path / "a.csv"
    path.write_text("start,end,class\n0,4,afraid\n0:04,0:06.000,sad\n8,0:00:10,angry\n")
    done = import_file(workspace, path)
    assert figures(done) == (1, 0, 0)
    assert f"{path} does not name the person; Person 1 is assumed" in done.notes
    assert by_hand(workspace) == [("Person 1", "afraid", 0, 4000)]


def test_a_file_that_names_no_person_is_refused_where_there_are_several(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    path = tmp_path / "a.csv"
    path.write_text("start,end,class\n0,4,afraid\n")
    with pytest.raises(
        DatasetError, match=r"does not name the person, and 2 persons are in the workspace: Person 1, "
    ) as caught:
        import_file(workspace, path)
    assert "column object" in caught.value.hint and not workspace.edits.exists()


@pytest.mark.parametrize("name", ["eaf", "textgrid"])
def test_a_tier_of_notes_is_passed_over_and_a_person_of_whom_nothing_is_left_is_an_error(
    tmp_path: Path, name: str
) -> None:
    workspace = film(tmp_path / "w")
    path = export(workspace, name, tmp_path)
    text = path.read_text(encoding="utf-8")
    values = ("neutral", "not assessable") if name == "eaf" else ("neutral",)
    end = "</ANNOTATION_VALUE>" if name == "eaf" else '"'
    for value in values:
        text = text.replace(f"{value}{end}", f"he coughs{end}")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DatasetError, match=r"tier Person 2, \w+ a?\d+: 'he coughs' is not an emotion"):
        import_file(workspace, path)
    path.write_text(text.replace("Person 2", "notes"), encoding="utf-8")
    done = import_file(workspace, path)
    assert f"{path}: no emotions in tier notes: skipped" in done.notes
    assert {row[0] for row in by_hand(workspace)} == set()


# Files that cannot be meant


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            edited(("Person 1", "happy", 5000, 7000)),
            r"a\.csv:6: overlaps another segment of Person 1, from 4 to 6 s",
        ),
        (edited(("Ben", "sad", 0, 2000), ("Ben", "sad", 1000, 3000)), r"a\.csv:7: overlaps another segment of Ben"),
        (edited(("Person 1", "happy", -1000, 1)), r"a\.csv:6: -1 to 0\.001 s is outside the video, which is 0 to 60 s"),
        (edited(("Person 1", "happy", 59000, 61001)), r"a\.csv:6: 59 to 61\.001 s is outside the video"),
        (edited(("Person 1", "happy", 7000, 7000)), r"a\.csv:6: ends at 7 s but starts at 7 s"),
        (edited(("Person 1", "happy", 8000, 7000)), r"a\.csv:6: ends at 7 s but starts at 8 s"),
        (edited(("Person 1", "bored", 7000, 8000)), r"a\.csv:6: 'bored' is not an emotion"),
        (edited(("", "happy", 7000, 8000)), r"a\.csv:6: the name is empty"),
        (edited(("UNASSIGNED", "happy", 7000, 8000)), r"a\.csv:6: 'UNASSIGNED' is reserved"),
        ([], r"a\.csv has no segment: all segments would be deleted"),
    ],
)
def test_a_file_that_cannot_be_meant_changes_nothing(tmp_path: Path, rows: Rows, message: str) -> None:
    workspace = film(tmp_path / "w")
    before = files(workspace)
    with pytest.raises(DatasetError, match=message) as caught:
        import_file(workspace, write_csv(tmp_path / "a.csv", rows))
    assert caught.value.exit_code == 3 and caught.value.hint
    assert files(workspace) == before


def test_what_reaches_beyond_the_video_is_cut_there_and_said_so(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    path = write_csv(tmp_path / "a.csv", edited(("Person 1", "happy", 59000, 61000)))
    done = import_file(workspace, path)
    assert by_hand(workspace) == [("Person 1", "happy", 59000, 60000)]
    assert any("a.csv:6: 59 to 61 s" in note and "cut there" in note for note in done.notes)
    assert figures(import_file(workspace, path)) == (0, 0, 0)


def test_all_can_be_deleted_on_purpose(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    assert figures(import_file(workspace, write_csv(tmp_path / "a.csv", []), force=True)) == (0, 0, 4)
    assert shown(workspace) == [GAP]


@pytest.mark.parametrize("name", ["json", "eaf", "label-studio"])
def test_annotations_of_another_video_are_refused_unless_forced(tmp_path: Path, name: str) -> None:
    workspace = film(tmp_path / "w")
    other = Workspace(workspace.path, replace(VIDEO, path="/films/other.mp4", sha256="cd" * 32))
    add_receipt(other, "frames")
    add_receipt(other, "faces")
    path = export(other, name, tmp_path)
    add_receipt(workspace, "frames")
    add_receipt(workspace, "faces")
    with pytest.raises(DatasetError, match=r"belongs to another video: .*; this one is 'épisode 1\.mp4'") as caught:
        import_file(workspace, path)
    assert "--force" in caught.value.hint
    assert figures(import_file(workspace, path, force=True)) == (0, 0, 0)


@pytest.mark.parametrize(
    "address",
    [
        "file:///C:/films/épisode 1.mp4",
        "file:///home/x/%C3%A9pisode%201.mp4",
        "e\u0301pisode 1.mp4",
        "C:\\f\\épisode 1.mp4",
    ],
)
def test_an_eaf_from_elsewhere_is_known_by_the_name_of_its_video(tmp_path: Path, address: str) -> None:
    workspace = film(tmp_path / "w")
    path = linked_to(export(workspace, "eaf", tmp_path), address)
    assert import_file(workspace, path).notes == []
    with pytest.raises(DatasetError, match=r"belongs to another video: 'episode 2\.mp4'"):
        import_file(workspace, linked_to(path, "file:///C:/films/episode 2.mp4"))


def test_an_eaf_without_a_video_is_taken_with_a_note(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    path = linked_to(export(workspace, "eaf", tmp_path), "")
    assert import_file(workspace, path).notes == [f"{path} does not name its video; épisode 1.mp4 is assumed"]


def linked_to(path: Path, address: str) -> Path:
    tree = ElementTree.parse(path)
    header = tree.getroot().find("HEADER")
    assert header is not None
    for found in header.findall("PROPERTY"):
        header.remove(found)
    for found in header.findall("MEDIA_DESCRIPTOR"):
        found.set("MEDIA_URL", address)
    tree.write(path, encoding="UTF-8")
    return path


def test_an_import_goes_on_beside_a_damaged_line(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    workspace.edits.write_text("Person 1 is Ross\n")
    import_file(workspace, write_csv(tmp_path / "a.csv", edited(without="angry")), by="annotator-2")
    assert workspace.edits.read_text().startswith("Person 1 is Ross\n{")
    (edit,) = read_log(workspace).edits
    assert (edit.number, edit.kind, edit.by) == (2, "clear", "annotator-2")


def test_an_import_can_be_undone(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    before = shown(workspace)
    import_file(workspace, write_csv(tmp_path / "a.csv", [("Ross", *row[1:]) for row in ALL[:2]]))
    undo(workspace, [edit.number for edit in read_log(workspace).edits])
    assert shown(workspace) == before


def test_before_there_are_segments_there_is_nothing_to_correct(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    (workspace.path / "emotions" / "receipt.json").unlink()
    with pytest.raises(MissingStage, match="needs classify-emotions first: it has not run yet") as caught:
        import_file(workspace, write_csv(tmp_path / "a.csv", ALL))
    assert "fercli classify-emotions" in caught.value.hint


@pytest.mark.parametrize("table", ["faces", "tracks"])
def test_segments_of_other_tracks_than_there_are_now_cannot_be_corrected(tmp_path: Path, table: str) -> None:
    workspace = film(tmp_path / "w")
    path = export(workspace, "csv", tmp_path)
    current = {name: Digests().of_input(workspace, name) for name in EMOTIONS.reads}
    made_from(workspace, current)
    assert figures(import_file(workspace, path)) == (0, 0, 0)
    made_from(workspace, {**current, table: "ab"})
    with pytest.raises(MissingStage, match=rf"needs classify-emotions first: its input {table} changed") as caught:
        import_file(workspace, path)
    assert caught.value.hint == f"with the options you gave it before, run: fercli classify-emotions {workspace.path}"
