"""classify-voices: the emotion of each utterance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fercli import tables
from fercli.config import VoicesParams
from fercli.errors import UnknownModel
from fercli.models.registry import find_voice_model
from fercli.models.voice import VoiceHead, VoiceHeader
from fercli.stages import voices
from fercli.stages.base import StageContext
from tests.fake_speech import sound_table
from tests.workspaces import make_workspace, stage_context


class FakeClassifier:
    """Anger in every utterance of half a second or more; `heard` has their lengths."""

    def __init__(self) -> None:
        none = np.zeros(1, np.float32)
        self.head = VoiceHead(VoiceHeader(("anger",), training_data="acted speech"), none, none + 1, none[None], none)
        self.heard: list[float] = []

    def emotions(self, samples: np.ndarray) -> dict[str, float] | None:
        self.heard.append(len(samples) / 16_000)
        return {"anger": 0.75, "neutral": 0.25} if len(samples) >= 8000 else None


class FakeModels:
    def __init__(self, classifier: FakeClassifier) -> None:
        self._classifier = classifier

    def load(self, spec: Any, given: str = "", device: str = "cpu") -> Any:
        return self._classifier


def context(folder: Path, spans: list[tuple[float, float]], classifier: FakeClassifier) -> StageContext:
    rows = [
        {"utterance": number, "start_s": start, "end_s": end, "text": "w", "score": 0.9}
        for number, (start, end) in enumerate(spans)
    ]
    workspace = make_workspace(
        folder / "w",
        sound=sound_table(10, [(0, 10)]),
        voice=tables.VOICE.empty_table(),
        utterances=pa.Table.from_pylist(rows, schema=tables.UTTERANCES),
        words=tables.WORDS.empty_table(),
    )
    found = stage_context(workspace)
    found.models = FakeModels(classifier)  # type: ignore[assignment]
    return found


def test_each_utterance_has_probabilities_or_none(tmp_path: Path) -> None:
    classifier = FakeClassifier()
    found = context(tmp_path, [(1.0, 2.0), (3.0, 3.2)], classifier)
    assert voices.run(found, VoicesParams()) == {"utterances": 2, "assessed": 1}
    first, second = tables.read_table(found.out / "voices.parquet", tables.VOICES).to_pylist()
    assert (first["anger"], first["neutral"], first["sadness"]) == (0.75, 0.25, 0.0)
    assert [value for name, value in second.items() if name != "utterance"] == [None] * 8
    assert classifier.heard == pytest.approx([1.0, 0.2], abs=0.01)
    assert found.training_data == {"voice-ravdess": "acted speech"}
    assert len(found.warnings) == 1


def test_where_nothing_is_said_it_is_skipped(tmp_path: Path) -> None:
    found = context(tmp_path, [], FakeClassifier())
    assert voices.run(found, VoicesParams()) == {"utterances": 0, "assessed": 0}
    assert found.skipped == voices.NOTHING_SAID


def test_finished_pieces_are_kept(tmp_path: Path) -> None:
    spans = [(number / 10, number / 10 + 0.5) for number in range(voices.AT_ONCE + 5)]
    found = context(tmp_path, spans, FakeClassifier())
    voices.run(found, VoicesParams())
    last = sorted(found.chunks.directory.iterdir())[-1]
    for file in last.iterdir():
        file.unlink()
    last.rmdir()
    later = FakeClassifier()
    again = stage_context(found.workspace)
    again.models = FakeModels(later)  # type: ignore[assignment]
    assert voices.run(again, VoicesParams())["utterances"] == len(spans) and len(later.heard) == 5


def test_a_model_is_a_name_or_a_file() -> None:
    spec, given = find_voice_model("voice-ravdess")
    assert (spec.name, spec.commercial, given) == ("voice-ravdess", "no", "")
    assert find_voice_model("runs/voice/best.safetensors")[1] == "runs/voice/best.safetensors"
    with pytest.raises(UnknownModel):
        find_voice_model("nothing")
