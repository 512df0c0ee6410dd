"""Words that are corrected one by one, in the tiers of words or in the document, come back as edits."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from pympi.Elan import Eaf

import fercli.results.load
from fercli.cli.entry import main
from fercli.edits import editing
from fercli.formats import FORMATS
from fercli.importers.corrections import Imported, import_file
from fercli.results.load import load
from fercli.results.model import Speech
from fercli.workspace import Workspace
from tests.fake_speech import add_speaker, add_speech
from tests.importers.films import film, shown

HEARD = [(1.0, 2.2, "Hello there, Ross."), (2.5, 3.5, "How are you?"), (8.2, 9.0, "Fine.")]
FILES = {"eaf": "a.eaf", "textgrid": "a.TextGrid", "json": "a.json", "whisperx": "whisperx.json"}
Row = tuple[int, int, str, str | None]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Person 1 says the first utterance; who says the others is unknown."""
    found = add_speech(film(tmp_path / "w"), HEARD)
    add_speaker(found, 1.0, 2.2, "Person 1")
    return found


def export(workspace: Workspace, name: str, folder: Path) -> Path:
    path = folder / FILES[name]
    FORMATS[name].write(load(workspace), path)
    return path


def words(workspace: Workspace) -> list[Row]:
    return [(round(1000 * one.start_s), round(1000 * one.end_s), one.text, one.person) for one in load(workspace).words]


def said(workspace: Workspace) -> list[Row]:
    return [
        (round(1000 * one.start_s), round(1000 * one.end_s), one.text, one.person) for one in load(workspace).utterances
    ]


def edits(workspace: Workspace) -> list[dict[str, object]]:
    """The edits of imports."""
    lines = workspace.edits.read_text(encoding="utf-8").splitlines()
    return [one for one in map(json.loads, lines) if "file" in one]


def counts(done: Imported) -> tuple[int, int, int]:
    assert done.words is not None
    return done.words.changed, done.words.added, done.words.deleted


def utterance_counts(done: Imported) -> tuple[int, int, int]:
    assert done.said is not None
    return done.said.changed, done.said.added, done.said.deleted


Times = tuple[int, int]


class File:
    """An exported file in which labels are changed as in the program for it; times in milliseconds."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def label(self, kind: str, old: str, new: str | None, times: Times | None = None, speaker: str = "") -> None:
        """Another text, other times, or another speaker of a label; None removes it."""
        {".eaf": self._eaf, ".TextGrid": self._textgrid, ".json": self._json}[self.path.suffix](
            kind, old, new, times, speaker
        )

    def add(self, kind: str, text: str, times: Times, speaker: str = "") -> None:
        self.label(kind, "", text, times, speaker)

    def _eaf(self, kind: str, old: str, new: str | None, times: Times | None, speaker: str) -> None:
        eaf = Eaf(str(self.path))
        tiers = [name for name in eaf.tiers if name.partition("@")[0] == kind]
        found = [(tier, *row) for tier in tiers for row in eaf.get_annotation_data_for_tier(tier) if row[2] == old]
        if old:
            ((tier, start, end, _),) = found
            eaf.remove_annotation(tier, (start + end) // 2)
            times = times or (start, end)
        tier = (f"{kind}@{speaker}" if speaker else tier) if old or speaker else kind
        if tier not in eaf.tiers:
            eaf.add_tier(tier, ling=kind)
        if new is not None:
            assert times is not None
            eaf.add_annotation(tier, *times, new)
        eaf.to_file(str(self.path))

    def _textgrid(self, kind: str, old: str, new: str | None, times: Times | None, speaker: str) -> None:
        from praatio.data_classes.interval_tier import IntervalTier
        from praatio.textgrid import openTextgrid

        grid = openTextgrid(str(self.path), includeEmptyIntervals=False)
        rows = {tier.name: [(i.start, i.end, i.label) for i in tier.entries] for tier in grid.tiers}
        home = kind
        if old:
            ((home, place),) = [
                (name, row)
                for name, own in rows.items()
                if name.partition("@")[0] == kind
                for row in own
                if row[2] == old
            ]
            rows[home].remove(place)
            times = times or (round(1000 * place[0]), round(1000 * place[1]))
        home = f"{kind}@{speaker}" if speaker else home
        if new is not None:
            assert times is not None
            rows.setdefault(home, []).append((times[0] / 1000, times[1] / 1000, new))
        end = grid.maxTimestamp
        for name in grid.tierNames:
            grid.removeTier(name)
        for name, own in rows.items():
            grid.addTier(IntervalTier(name, sorted(own), 0, end))
        grid.save(str(self.path), "long_textgrid", includeBlankSpaces=True)

    def _json(self, kind: str, old: str, new: str | None, times: Times | None, speaker: str) -> None:
        document = json.loads(self.path.read_text(encoding="utf-8"))
        place, text, start, who = "words" if kind == "words" else "utterances", "text", "seconds", "object"
        if "word_segments" in document:
            place, start, who = "word_segments" if kind == "words" else "segments", "start", "speaker"
            text = "word" if kind == "words" else "text"
        records = document[place]
        if old:
            (record,) = [one for one in records if one[text] == old]
        else:
            record = {}
            records.append(record)
        if new is None:
            records.remove(record)
        record |= {text: new} | ({who: speaker} if speaker else {})
        if times:
            record |= {start: times[0] / 1000, "end": times[1] / 1000}
        self.path.write_text(json.dumps(document), encoding="utf-8")


@pytest.fixture(params=FILES)
def exported(request: pytest.FixtureRequest, workspace: Workspace, tmp_path: Path) -> File:
    return File(export(workspace, request.param, tmp_path))


def again(workspace: Workspace, file: File) -> None:
    """A new export, and the same file, have nothing more to say."""
    before = words(workspace), said(workspace), len(edits(workspace))
    for path in (file.path, export(workspace, {v: k for k, v in FILES.items()}[file.path.name], file.path.parent)):
        done = import_file(workspace, path)
        assert counts(done) == (0, 0, 0) and utterance_counts(done) == (0, 0, 0)
    assert (words(workspace), said(workspace), len(edits(workspace))) == before


def test_an_unchanged_file_makes_no_edit(workspace: Workspace, exported: File) -> None:
    done = import_file(workspace, exported.path)
    assert counts(done) == (0, 0, 0) and utterance_counts(done) == (0, 0, 0)
    assert edits(workspace) == []


def test_exactly_the_corrected_word_changes(workspace: Workspace, exported: File) -> None:
    emotions, before = shown(workspace), words(workspace)
    exported.label("words", "there,", "here,")
    done = import_file(workspace, exported.path, by="me")
    assert counts(done) == (1, 0, 0) and utterance_counts(done) == (0, 0, 0)
    assert words(workspace) == [(a, b, text.replace("there", "here"), who) for a, b, text, who in before]
    assert said(workspace)[0] == (1000, 2200, "Hello here, Ross.", "Person 1")
    assert load(workspace).utterances[0].sources["text"] == "manual"
    assert said(workspace)[1:] == [(2500, 3500, "How are you?", None), (8200, 9000, "Fine.", None)]
    assert shown(workspace) == emotions
    again(workspace, exported)


def test_the_edit_can_be_read_and_undone(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = words(workspace), said(workspace)
    file = File(export(workspace, "eaf", tmp_path))
    file.label("words", "there,", "here,")
    assert main(["import", str(workspace.path), str(file.path), "--by", "me"]) == 0
    heard = capsys.readouterr().err
    assert "words: 1 changed, 0 added, 0 deleted" in heard and "utterances:" not in heard
    (edit,) = edits(workspace)
    assert {"edit": "set-words", "start_s": 1.4, "end_s": 1.8, "person": "Person 1", "by": "me"}.items() <= edit.items()
    assert edit["words"] == [{"text": "here,", "seconds": 1.4, "end": 1.8}]
    assert main(["edits", str(workspace.path), "--json"]) == 0
    row = json.loads(capsys.readouterr().out)["edits"][-1]
    assert row["state"] == "applied" and '"here,"' in row["text"]
    editing.undo(workspace, [row["number"]])
    assert (words(workspace), said(workspace)) == before


def test_a_moved_border_changes_two_words_in_one_edit(workspace: Workspace, exported: File) -> None:
    exported.label("words", "Hello", None)
    exported.label("words", "there,", None)
    exported.add("words", "Hello", (900, 1550), "Person 1")
    exported.add("words", "there,", (1550, 1800), "Person 1")
    assert counts(import_file(workspace, exported.path)) == (2, 0, 0)
    assert words(workspace)[:3] == [
        (900, 1550, "Hello", "Person 1"),
        (1550, 1800, "there,", "Person 1"),
        (1800, 2200, "Ross.", "Person 1"),
    ]
    assert said(workspace)[0] == (900, 2200, "Hello there, Ross.", "Person 1")
    assert len(edits(workspace)) == 1
    again(workspace, exported)


def test_a_border_between_utterances_moves_and_both_stay(workspace: Workspace, tmp_path: Path) -> None:
    add_speech(workspace, [(1.0, 2.2, "Hello there, Ross."), (2.2, 3.4, "How are you?")])
    add_speaker(workspace, 2.2, 3.4, "Person 1")
    file = File(export(workspace, "eaf", tmp_path))
    file.label("words", "Ross.", None)
    file.label("words", "How", None)
    file.add("words", "Ross.", (1800, 2300), "Person 1")
    file.add("words", "How", (2300, 2600), "Person 1")
    assert counts(import_file(workspace, file.path)) == (2, 0, 0)
    assert said(workspace) == [
        (1000, 2300, "Hello there, Ross.", "Person 1"),
        (2300, 3400, "How are you?", "Person 1"),
    ]
    again(workspace, file)


def test_words_are_added_deleted_and_cut_in_two(workspace: Workspace, exported: File) -> None:
    exported.label("words", "Hello", "Oh hello")
    exported.label("words", "are", None)
    exported.add("words", "really", (9100, 9500))
    exported.add("words", "Bye.", (5000, 5400), "Person 2")
    assert counts(import_file(workspace, exported.path)) == (1, 2, 1)
    assert said(workspace) == [
        (1000, 2200, "Oh hello there, Ross.", "Person 1"),
        (2500, 3500, "How you?", None),
        (5000, 5400, "Bye.", "Person 2"),
        (8200, 9500, "Fine. really", None),
    ]
    assert words(workspace)[:2] == [(1000, 1114, "Oh", "Person 1"), (1114, 1400, "hello", "Person 1")]
    again(workspace, File(export(workspace, "eaf", exported.path.parent)))


def test_a_word_of_another_speaker_begins_an_utterance(workspace: Workspace, exported: File) -> None:
    exported.label("words", "Ross.", "Ross.", speaker="Person 2")
    done = import_file(workspace, exported.path)
    assert counts(done) == (1, 0, 0) and utterance_counts(done) == (0, 0, 0)
    assert said(workspace)[:2] == [(1000, 1800, "Hello there,", "Person 1"), (1800, 2200, "Ross.", "Person 2")]
    again(workspace, exported)


def test_words_beside_another_speaker_are_added(workspace: Workspace, exported: File) -> None:
    exported.add("words", "Hey!", (1450, 1750), "Person 2")
    assert counts(import_file(workspace, exported.path)) == (0, 1, 0)
    assert sorted(said(workspace))[:2] == [
        (1000, 2200, "Hello there, Ross.", "Person 1"),
        (1450, 1750, "Hey!", "Person 2"),
    ]
    again(workspace, exported)
    exported = File(export(workspace, "eaf", exported.path.parent))
    exported.label("words", "there,", "here,")
    import_file(workspace, exported.path)
    assert sorted(said(workspace))[:2] == [
        (1000, 2200, "Hello here, Ross.", "Person 1"),
        (1450, 1750, "Hey!", "Person 2"),
    ]


def test_if_both_are_corrected_alike_the_words_keep_their_times(workspace: Workspace, exported: File) -> None:
    exported.label("speech", "Hello there, Ross.", "Hello here, dear Ross.")
    exported.label("words", "there,", "here,", (1400, 1500))
    exported.add("words", "dear", (1550, 1800), "Person 1")
    done = import_file(workspace, exported.path)
    assert utterance_counts(done) == (1, 0, 0) and not any("utterance is used" in note for note in done.notes)
    assert said(workspace)[0] == (1000, 2200, "Hello here, dear Ross.", "Person 1")
    assert words(workspace)[1:3] == [(1400, 1500, "here,", "Person 1"), (1550, 1800, "dear", "Person 1")]
    again(workspace, exported)


def test_if_both_are_corrected_differently_the_utterance_holds_and_that_is_said(
    workspace: Workspace, exported: File
) -> None:
    exported.label("speech", "Hello there, Ross.", "Hello, dear Ross.")
    exported.label("words", "there,", "here,")
    exported.label("words", "Fine.", "Fine!")
    done = import_file(workspace, exported.path)
    assert utterance_counts(done) == (1, 0, 0) and counts(done) == (1, 0, 0)
    (note,) = [note for note in done.notes if "utterance is used" in note]
    assert "1.4 s" in note and "8.2" not in note
    assert [text for _, _, text, _ in said(workspace)] == ["Hello, dear Ross.", "How are you?", "Fine!"]


def test_the_text_of_an_utterance_alone_takes_its_words_along(workspace: Workspace, exported: File) -> None:
    exported.label("speech", "Hello there, Ross.", "Hello there, dear Monica.")
    done = import_file(workspace, exported.path)
    assert utterance_counts(done) == (1, 0, 0) and counts(done) == (0, 0, 0)
    assert [text for _, _, text, _ in words(workspace)[:4]] == ["Hello", "there,", "dear", "Monica."]
    done = import_file(workspace, exported.path)
    assert utterance_counts(done) == (0, 0, 0) and counts(done) == (0, 0, 0)
    assert any("before their utterance was corrected" in note for note in done.notes)
    assert said(workspace)[0][2] == "Hello there, dear Monica."


def test_the_speaker_of_an_utterance_alone_takes_its_words_along(workspace: Workspace, exported: File) -> None:
    exported.label("speech", "Hello there, Ross.", "Hello there, Ross.", speaker="Person 2")
    assert utterance_counts(import_file(workspace, exported.path)) == (1, 0, 0)
    assert {who for _, _, _, who in words(workspace)[:3]} == {"Person 2"}
    done = import_file(workspace, exported.path)
    assert utterance_counts(done) == (0, 0, 0) and counts(done) == (0, 0, 0)
    assert said(workspace)[0] == (1000, 2200, "Hello there, Ross.", "Person 2")


def test_a_corrected_word_is_corrected_once_more(workspace: Workspace, exported: File) -> None:
    exported.label("words", "there,", "here,")
    import_file(workspace, exported.path)
    name = {v: k for k, v in FILES.items()}[exported.path.name]
    file = File(export(workspace, name, exported.path.parent))
    file.label("words", "Hello", "Hello", (1000, 1350))
    file.label("words", "here,", "dear", (1350, 1800))
    assert counts(import_file(workspace, file.path)) == (2, 0, 0)
    assert said(workspace)[0] == (1000, 2200, "Hello dear Ross.", "Person 1")
    file = File(export(workspace, name, exported.path.parent))
    file.label("speech", "Hello dear Ross.", "Hello you.")
    assert utterance_counts(import_file(workspace, file.path)) == (1, 0, 0)
    assert said(workspace)[0] == (1000, 2200, "Hello you.", "Person 1")


def test_a_word_and_a_text_are_taken_back_in_a_later_file(workspace: Workspace, exported: File) -> None:
    name = {v: k for k, v in FILES.items()}[exported.path.name]
    exported.label("words", "there,", "here,")
    exported.label("speech", "How are you?", "How old are you?")
    import_file(workspace, exported.path)
    file = File(export(workspace, name, exported.path.parent))
    file.label("words", "here,", "there,")
    file.label("speech", "How old are you?", "How are you?")
    done = import_file(workspace, file.path)
    assert counts(done) == (1, 0, 0) and utterance_counts(done) == (1, 0, 0)
    assert [text for _, _, text, _ in said(workspace)] == [text for _, _, text in HEARD]


def test_corrected_words_survive_another_recognition(workspace: Workspace, tmp_path: Path) -> None:
    file = File(export(workspace, "eaf", tmp_path))
    file.label("words", "are", "were", (2850, 3150))
    file.label("words", "Ross.", "Monica.")
    import_file(workspace, file.path)
    add_speech(workspace, [(1.0, 2.2, "Hello there, Rose."), (2.5, 3.5, "Who are you?"), (8.2, 9.0, "Fine!")])
    assert [text for _, _, text, _ in said(workspace)] == ["Hello there, Monica.", "Who were you?", "Fine!"]
    assert (2850, 3150, "were", None) in words(workspace)


@pytest.mark.parametrize("kind", ["words", "speech"])
def test_an_utterance_in_which_the_predicted_speaker_changes_stays_whole(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of "Hello there, Ross." the first word is heard of Person 2, the others and so the utterance of Person 1."""
    workspace = add_speech(film(tmp_path / "w"), HEARD)

    def mixed(speech: Speech, *others: object) -> Speech:
        first, *rest = speech.words
        words = [replace(first, person="Person 2", on_screen=True)]
        words += [replace(one, person="Person 1", on_screen=True) if one.utterance == 0 else one for one in rest]
        whole = replace(speech.utterances[0], person="Person 1", on_screen=True)
        return replace(speech, words=tuple(words), utterances=(whole, *speech.utterances[1:]))

    monkeypatch.setattr(fercli.results.load, "_with_source", lambda workspace, speech: speech and mixed(speech))
    before = said(workspace)
    file = File(export(workspace, "eaf", tmp_path))
    file.label("words", "Fine.", "Fine!")
    import_file(workspace, file.path)
    assert said(workspace) == [*before[:2], (8200, 9000, "Fine!", None)]
    assert "text" not in load(workspace).utterances[0].sources
    file = File(export(workspace, "eaf", tmp_path))
    file.label(kind, *(("there,", "here,") if kind == "words" else ("Hello there, Ross.", "Hello here, Ross.")))
    import_file(workspace, file.path)
    assert said(workspace)[0] == (1000, 2200, "Hello here, Ross.", "Person 1")
    assert [who for _, _, _, who in words(workspace)[:3]] == ["Person 2", "Person 1", "Person 1"]


def test_words_of_speakers_that_a_file_does_not_have_stay(workspace: Workspace, tmp_path: Path) -> None:
    """A tier of words that was removed, to see more of the others, is no deletion."""
    file = File(export(workspace, "eaf", tmp_path))
    eaf = Eaf(str(file.path))
    eaf.remove_tier("words@Person 1")
    eaf.to_file(str(file.path))
    done = import_file(workspace, file.path)
    assert counts(done) == (0, 0, 0) and any("no words of Person 1" in note for note in done.notes)
    assert len(words(workspace)) == 7


def test_words_without_a_length_stay(tmp_path: Path) -> None:
    workspace = add_speech(film(tmp_path / "w"), [(1.0, 1.0, "Oh"), (1.0, 2.0, "yes indeed")])
    for name in FILES:
        done = import_file(workspace, export(workspace, name, tmp_path))
        assert counts(done) == (0, 0, 0) and utterance_counts(done) == (0, 0, 0)


def test_words_alone_can_be_corrected(workspace: Workspace, tmp_path: Path) -> None:
    file = File(export(workspace, "eaf", tmp_path))
    file.label("words", "Fine.", "Fine!")
    eaf = Eaf(str(file.path))
    for tier in [name for name in eaf.tiers if name.startswith("speech")]:
        eaf.remove_tier(tier)
    eaf.to_file(str(file.path))
    assert counts(import_file(workspace, file.path)) == (1, 0, 0)
    assert said(workspace)[2] == (8200, 9000, "Fine!", None)


def test_a_changed_emotion_of_a_voice_is_not_read_and_that_is_said(workspace: Workspace, tmp_path: Path) -> None:
    file = File(export(workspace, "eaf", tmp_path))
    eaf = Eaf(str(file.path))
    eaf.add_linguistic_type("voice emotion")
    eaf.add_tier("voice@Person 1", ling="voice emotion")
    eaf.add_annotation("voice@Person 1", 1000, 2200, "happy")
    eaf.to_file(str(file.path))
    done = import_file(workspace, file.path)
    assert counts(done) == (0, 0, 0) and any("voice" in note for note in done.notes)
