"""Corrected texts and speakers come back as edits, whatever the format, and survive what runs again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from pympi.Elan import Eaf

from fercli.cli.entry import main
from fercli.edits import editing
from fercli.errors import DatasetError, MissingStage
from fercli.formats import FORMATS
from fercli.importers.corrections import Imported, import_file
from fercli.results.load import load
from fercli.workspace import Workspace
from tests.failing import fails
from tests.fake_speech import add_speech
from tests.importers.films import film, shown

HEARD = [(1.0, 2.2, "Hello there, Ross."), (2.5, 3.5, "How are you?"), (8.2, 9.0, "Fine.")]
FORMATS_READ = {"eaf": "a.eaf", "textgrid": "a.TextGrid", "json": "a.json", "csv-utterances": "a.csv"}
SUBTITLES = {"webvtt-speech": "a.vtt", "srt-speech": "a.srt"}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return add_speech(film(tmp_path / "w"), HEARD)


def export(workspace: Workspace, name: str, folder: Path) -> Path:
    path = folder / {**FORMATS_READ, **SUBTITLES}[name]
    FORMATS[name].write(load(workspace), path)
    return path


def said(workspace: Workspace) -> list[tuple[str, str | None, bool | None]]:
    return [(one.text, one.person, one.on_screen) for one in load(workspace).utterances]


def replaced(path: Path, *pairs: tuple[str, str]) -> Path:
    text = path.read_text(encoding="utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return path


def counts(done: Imported) -> tuple[int, int, int]:
    assert done.said is not None
    return done.said.changed, done.said.added, done.said.deleted


@pytest.mark.parametrize("name", [*FORMATS_READ, *SUBTITLES])
def test_what_nobody_edited_changes_nothing(workspace: Workspace, tmp_path: Path, name: str) -> None:
    done = import_file(workspace, export(workspace, name, tmp_path))
    assert counts(done) == (0, 0, 0) and (done.changed, done.added, done.deleted) == (0, 0, 0)
    assert not workspace.edits.exists()


def in_eaf(path: Path) -> None:
    eaf = Eaf(str(path))
    rows = eaf.get_annotation_data_for_tier("speech")
    eaf.remove_all_annotations_from_tier("speech")
    eaf.add_tier("speech@Person 1", ling="speech")
    eaf.add_annotation("speech@Person 1", *rows[0][:2], "Hello there, Monica.")
    eaf.add_annotation("speech", *rows[1])
    eaf.to_file(str(path))


def in_textgrid(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tier = text[text.index('name = "speech"') - 40 : text.index('name = "words"') - 40]
    first = re.search(r"xmin = 1\s+xmax = 2.2\s+text = .*", tier)
    assert first is not None
    mine = tier.replace('"speech"', '"speech@Person 1"').replace("Ross", "Monica").replace('"How are you?"', '""')
    mine = mine.replace('"Fine."', '""')
    others = tier.replace('"Hello there, Ross."', '""').replace('"Fine."', '""')
    text = text.replace(tier, mine + others).replace("size = 4", "size = 5")
    path.write_text(text, encoding="utf-8")


def in_json(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    document["utterances"][0] |= {"object": "Person 1", "text": "Hello there, Monica."}
    del document["utterances"][2]
    path.write_text(json.dumps(document), encoding="utf-8")


def in_csv(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[1].startswith('0,1,2.2,,,"Hello')
    lines[1] = lines[1].replace("0,1,2.2,,", '0,1,2.2,"Person 1",').replace("Ross", "Monica")
    path.write_text("\n".join(lines[:3]) + "\n", encoding="utf-8")


def in_vtt(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("Hello there, Ross.", "<v Person 1>Hello there, Monica.")
    path.write_text("\n\n".join(text.split("\n\n")[:3]) + "\n", encoding="utf-8")


def in_srt(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("Hello there, Ross.", "Person 1: Hello there, Monica.")
    path.write_text("\n\n".join(text.split("\n\n")[:2]) + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "edit"),
    [
        ("eaf", in_eaf),
        ("textgrid", in_textgrid),
        ("json", in_json),
        ("csv-utterances", in_csv),
        ("webvtt-speech", in_vtt),
        ("srt-speech", in_srt),
    ],
)
def test_a_text_a_speaker_and_a_deletion_come_back(
    workspace: Workspace, tmp_path: Path, name: str, edit: Callable[[Path], None]
) -> None:
    before = shown(workspace)
    path = export(workspace, name, tmp_path)
    edit(path)
    done = import_file(workspace, path, by="me")
    assert counts(done) == (1, 0, 1)
    assert said(workspace) == [("Hello there, Monica.", "Person 1", True), ("How are you?", None, None)]
    assert shown(workspace) == before
    first = load(workspace).utterances[0]
    assert {"text": "manual", "object": "manual"}.items() <= first.sources.items()
    words = load(workspace).words
    assert [(round(word.start_s, 1), word.text) for word in words[:3]] == [
        (1.0, "Hello"),
        (1.4, "there,"),
        (1.8, "Monica."),
    ]
    assert [word.person for word in words] == ["Person 1"] * 3 + [None] * 3
    again = import_file(workspace, export(workspace, name, tmp_path))
    assert counts(again) == (0, 0, 0)


def test_undo_brings_back_what_was_recognised(workspace: Workspace, tmp_path: Path) -> None:
    path = replaced(export(workspace, "webvtt-speech", tmp_path), ("Fine.", "<v Person 1>Very fine."))
    import_file(workspace, path)
    assert said(workspace)[2] == ("Very fine.", "Person 1", True)
    edits = [json.loads(line) for line in workspace.edits.read_text(encoding="utf-8").splitlines()]
    assert [one["edit"] for one in edits] == ["set-text", "set-speaker"]
    assert edits[0]["text"] == "Very fine." and "person" not in edits[0]
    editing.undo(workspace, [1])
    assert said(workspace)[2] == ("Fine.", "Person 1", True)
    editing.undo(workspace, [2])
    assert said(workspace)[2] == ("Fine.", None, None)


def test_corrections_survive_another_recognition(workspace: Workspace, tmp_path: Path) -> None:
    """The next run may cut sentences elsewhere, and find other words."""
    path = replaced(export(workspace, "webvtt-speech", tmp_path), ("How are you?", "<v Person 2>How do you do?"))
    import_file(workspace, path)
    add_speech(workspace, [(1.0, 3.5, "Hello there, dear Ross. Who are you"), (8.2, 9.0, "Fine!")])
    assert said(workspace) == [
        ("Hello there, dear Ross.", None, None),
        ("How do you do?", "Person 2", True),
        ("Fine!", None, None),
    ]


def test_a_speaker_follows_the_name_of_the_face(workspace: Workspace, tmp_path: Path) -> None:
    path = replaced(export(workspace, "webvtt-speech", tmp_path), ("Fine.", "<v Person 1>Fine."))
    import_file(workspace, path)
    editing.rename(workspace, "Person 1", "Ross")
    assert said(workspace)[2] == ("Fine.", "Ross", True)
    editing.ignore(workspace, "Ross")
    assert said(workspace)[2] == ("Fine.", None, False)


def test_somebody_without_a_face_may_speak(workspace: Workspace, tmp_path: Path) -> None:
    path = replaced(export(workspace, "webvtt-speech", tmp_path), ("Fine.", "<v Narrator>Fine."))
    done = import_file(workspace, path)
    assert said(workspace)[2] == ("Fine.", "Narrator", False)
    assert any("Narrator" in note for note in done.notes)
    path = replaced(export(workspace, "webvtt-speech", tmp_path), ("<v Narrator>", "<v Off screen>"))
    import_file(workspace, path)
    assert said(workspace)[2] == ("Fine.", None, False)


def test_new_lines_are_added_also_beside_others(workspace: Workspace, tmp_path: Path) -> None:
    path = export(workspace, "webvtt-speech", tmp_path)
    with path.open("a", encoding="utf-8") as file:
        file.write(
            "\n00:00:01.500 --> 00:00:02.000\n<v Person 2>Hey!\n\n00:05.000 --> 00:06.000\n<v Person 1>New one.\n"
        )
    assert counts(import_file(workspace, path)) == (0, 2, 0)
    assert said(workspace) == [
        ("Hello there, Ross.", None, None),
        ("Hey!", "Person 2", True),
        ("How are you?", None, None),
        ("New one.", "Person 1", True),
        ("Fine.", None, None),
    ]
    assert counts(import_file(workspace, export(workspace, "webvtt-speech", tmp_path))) == (0, 0, 0)


def test_a_moved_end_keeps_the_words_that_are_left(workspace: Workspace, tmp_path: Path) -> None:
    path = replaced(
        export(workspace, "webvtt-speech", tmp_path), ("00:00:02.200\nHello there, Ross.", "00:00:01.800\nHello there,")
    )
    assert counts(import_file(workspace, path)) == (1, 0, 0)
    assert said(workspace)[0] == ("Hello there,", None, None)
    assert load(workspace).words[1].end_s == pytest.approx(1.8)


def test_emotions_in_subtitles_are_refused(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "a.vtt"
    FORMATS["webvtt"].write(load(workspace), path)
    with fails(DatasetError, "dataset-unusable", "emotions"):
        import_file(workspace, path)
    path.write_text("WEBVTT\n", encoding="utf-8")
    with fails(DatasetError, "file-unreadable", "no cue"):
        import_file(workspace, path)
    path.write_text("WEBVTT\n\n00:02.000 --> 00:01.000\nNo\n", encoding="utf-8")
    with fails(DatasetError, "dataset-unusable", ":3"):
        import_file(workspace, path)
    assert not workspace.edits.exists()


def test_without_transcribe_there_is_nothing_to_correct(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    path = tmp_path / "a.srt"
    path.write_text("1\n00:00:01,000 --> 00:00:02,000\nHello\n", encoding="utf-8")
    with fails(MissingStage, "stage-missing", "transcribe"):
        import_file(workspace, path)


def test_corrections_wait_for_transcribe(workspace: Workspace, tmp_path: Path) -> None:
    path = replaced(export(workspace, "webvtt-speech", tmp_path), ("Fine.", "Very fine."))
    import_file(workspace, path)
    (workspace.path / "speech" / "receipt.json").unlink()
    result = load(workspace)
    assert result.speech is None and any("edits.jsonl:1" in warning for warning in result.warnings)


def test_the_command_lists_what_was_corrected(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = replaced(export(workspace, "srt-speech", tmp_path), ("Fine.", "Person 1: Very fine."))
    assert main(["import", str(workspace.path), str(path)]) == 0
    assert "utterances: 1 changed, 0 added, 0 deleted" in capsys.readouterr().err
    assert main(["edits", str(workspace.path), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["edits"]
    assert [row["state"] for row in rows] == ["applied", "applied"]
    assert "Very fine." in rows[0]["text"] and "Person 1 speaks" in rows[1]["text"]
