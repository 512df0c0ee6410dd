"""What is said, in a result, in the document and in `show`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from fercli import tables
from fercli.cli.entry import main
from fercli.formats import FORMATS
from fercli.results.load import load
from fercli.results.model import Speech, Word
from fercli.workspace import Workspace
from tests.conftest import SCHEMA, VALIDATOR
from tests.fake_speech import sound_table
from tests.formats.samples import awkward
from tests.workspaces import add_receipt

SAID = [(10.5, 11.0, "Hello"), (11.0, 11.5, "Zoë.")]


def with_speech(folder: Path) -> Workspace:
    """The awkward film in which someone says "Hello Zoë."."""
    awkward(folder)
    workspace = Workspace.open(folder)
    words = [{"utterance": 0, "text": text, "start_s": a, "end_s": b, "score": 0.75} for a, b, text in SAID]
    content: dict[str, list[dict[str, Any]]] = {
        "voice": [{"start_s": 10.4, "end_s": 11.6, "score": 0.9}, {"start_s": 15.0, "end_s": 15.5, "score": 0.3}],
        "utterances": [{"utterance": 0, "start_s": 10.5, "end_s": 11.5, "text": "Hello Zoë.", "score": 0.75}],
        "words": words,
    }
    for name, table in [
        ("sound", sound_table(5, [(0.5, 1.5)], 10.0)),
        *((name, pa.Table.from_pylist(rows, schema=tables.SCHEMAS[name])) for name, rows in content.items()),
    ]:
        file = workspace.table(name)
        file.parent.mkdir(exist_ok=True)
        tables.write_table(file, [table], table.schema)
    for stage in ("audio", "speech"):
        add_receipt(workspace, stage)
    receipt = workspace.path / "speech" / "receipt.json"
    counts = {"language": "en", "language_probability": 0.98}
    receipt.write_text(json.dumps(json.loads(receipt.read_text()) | {"counts": counts}))
    return workspace


def document(workspace: Workspace, folder: Path) -> dict[str, Any]:
    FORMATS["json"].write(load(workspace), folder / "out.json")
    found: dict[str, Any] = json.loads((folder / "out.json").read_text(encoding="utf-8"))
    VALIDATOR.validate(found)
    return found


def test_a_result_has_what_is_said(tmp_path: Path) -> None:
    result = load(with_speech(tmp_path / "w"))
    assert result.speech is not None and result.speech.language == "en"
    assert result.speech.seconds == pytest.approx(1.7)
    assert [(word.start_s, word.end_s, word.text) for word in result.words] == SAID
    (utterance,) = result.utterances
    assert (utterance.text, utterance.person, utterance.on_screen) == ("Hello Zoë.", None, None)


def test_the_document_has_it_and_one_without_sound_has_no_trace_of_it(tmp_path: Path) -> None:
    found = document(with_speech(tmp_path / "w"), tmp_path)
    assert found["language"] == "en"
    assert found["utterances"] == [
        {
            "type": "speech",
            "text": "Hello Zoë.",
            "seconds": 10.5,
            "end": 11.5,
            "score": 0.75,
            "object": None,
            "on_screen": None,
            "face": None,
            "voice": None,
            "both": None,
            "sources": {},
        }
    ]
    assert found["words"][1] == {"text": "Zoë.", "seconds": 11.0, "end": 11.5, "score": 0.75, "object": None}
    del found["words"]
    assert not VALIDATOR.is_valid(found)
    awkward(tmp_path / "mute")
    assert not {"language", "utterances", "words"} & set(document(Workspace.open(tmp_path / "mute"), tmp_path))


def test_speech_of_another_sound_is_left_out_with_a_warning(tmp_path: Path) -> None:
    workspace = with_speech(tmp_path / "w")
    receipt = workspace.path / "speech" / "receipt.json"
    receipt.write_text(json.dumps(json.loads(receipt.read_text()) | {"inputs": {"sound": "00"}}))
    result = load(workspace)
    assert result.speech is None and not result.words
    assert any("transcribe" in warning for warning in result.warnings)


def test_show_sums_it_up_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = with_speech(tmp_path / "w")
    assert main(["show", str(workspace.path)]) == 0
    assert "speech: 1.7 s, 2 words in 1 utterance, language en (98 %)" in capsys.readouterr().out
    assert main(["show", str(workspace.path), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["speech_s"], shown["words"]) == (1.7, 2)


def said(*words: tuple[float, float, str | None, bool | None]) -> Speech:
    return Speech("en", None, (), (), tuple(Word(a, b, "w", 0.5, 0, who, seen) for a, b, who, seen in words))


def test_turns_are_the_words_of_one_person_without_a_long_pause() -> None:
    speech = said(
        (0.0, 0.4, "Ross", True),
        (0.5, 0.9, "Ross", True),
        (1.0, 1.2, "Zoë", True),
        (1.3, 1.5, None, False),
        (2.6, 2.8, None, False),
    )
    assert [(turn.start_s, turn.end_s, turn.person, turn.on_screen, turn.words) for turn in speech.turns] == [
        (0.0, 0.9, "Ross", True, 2),
        (1.0, 1.2, "Zoë", True, 1),
        (1.3, 1.5, None, False, 1),
        (2.6, 2.8, None, False, 1),
    ]


def test_an_utterance_has_its_emotions_by_the_names_of_records(tmp_path: Path) -> None:
    result = load(with_speech(tmp_path / "w"))
    assert result.speech is not None
    face, voice = {"happiness": 0.75, "neutral": 0.25}, {"anger": 0.6, "neutral": 0.4}
    one = replace(
        result.utterances[0],
        person="Zoë",
        on_screen=True,
        face=face,
        voice=voice,
        both={"happiness": 0.5, "anger": 0.25, "neutral": 0.25},
        sources={"face": "a", "voice": "b", "both": "c"},
    )
    whole = replace(result, speech=replace(result.speech, utterances=(one,)))
    FORMATS["json"].write(whole, tmp_path / "out.json")
    found = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    VALIDATOR.validate(found)
    assert found["utterances"][0]["face"] == {"happy": 0.75, "neutral": 0.25}
    assert found["utterances"][0]["voice"] == {"angry": 0.6, "neutral": 0.4}
    FORMATS["jsonl"].write(whole, tmp_path / "out.jsonl")
    records = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    spoken = [record for record in records if record["type"] != "emotion"]
    assert spoken[0] == found["utterances"][0] | {"video": whole.video["name"]}
    assert spoken[1] == {
        "type": "voice-emotion",
        "class": "angry",
        "seconds": 10.5,
        "object": "Zoë",
        "end": 11.5,
        "score": 0.6,
        "video": whole.video["name"],
    }
    del spoken[1]["video"]
    VALIDATOR.evolve(schema={"$defs": SCHEMA["$defs"], "$ref": "#/$defs/voice_emotion"}).validate(spoken[1])
