"""annotate --sound: both stages of sound after the others, or an error before any work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fercli.cli.entry import main
from fercli.models.loaded import Models
from fercli.stages import speech
from fercli.workspace import Workspace
from tests.fake_speech import FakeModels, FakeRecogniser, said
from tests.media_samples import bursts, numbered_video, with_sound


@pytest.fixture
def fake_networks(monkeypatch: pytest.MonkeyPatch) -> FakeRecogniser:
    """Stand in for those of speech; others are loaded as ever."""
    recogniser = FakeRecogniser(lambda _: [said((" Hello", 0.1, 0.2))])
    real, fakes = Models.load, FakeModels(recogniser)

    def load(self: Models, spec: Any, given: str = "", device: str = "cpu") -> Any:
        return fakes.load(spec, given, device) if spec.task in ("voice", "speech") else real(self, spec, given, device)

    monkeypatch.setattr(Models, "load", load)
    monkeypatch.setattr(speech, "weights", lambda params: {})
    return recogniser


def annotated(video: Path, *options: str) -> dict[str, Any]:
    out = video.with_suffix(".json")
    assert main(["annotate", str(video), "-o", str(out), "-q", "--fps", "2", *options]) == 0
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return found


def test_with_sound_the_document_has_what_is_said(tmp_path: Path, fake_networks: FakeRecogniser) -> None:
    video = with_sound(tmp_path / "a.mkv", [bursts(1.0)])
    assert "words" not in annotated(video)
    found = annotated(video, "--sound", "--language", "de")
    assert [word["text"] for word in found["words"]] == ["Hello"] and found["language"] == "de"
    assert found["words"][0]["seconds"] == pytest.approx(1.0, abs=0.15)
    assert fake_networks.asked == [("de", False)]


def test_a_video_without_sound_is_annotated_all_the_same(tmp_path: Path, fake_networks: FakeRecogniser) -> None:
    found = annotated(numbered_video(tmp_path / "a.mp4", 10), "--sound")
    assert found["words"] == [] and found["utterances"] == [] and found["language"] is None
    receipt = Workspace.open(tmp_path / "a.fercli").receipt("speech")
    assert receipt is not None and receipt.skipped


def test_without_weights_it_ends_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("FERCLI_WEIGHTS", raising=False)
    video = numbered_video(tmp_path / "a.mp4", 10)
    assert main(["annotate", str(video), "-o", str(tmp_path / "a.json"), "--sound"]) == 5
    err = capsys.readouterr().err
    assert "hint: " in err and ("models fetch whisper-base" in err or "fercli[sound]" in err)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
