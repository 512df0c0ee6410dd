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
from tests.conftest import VALIDATOR
from tests.fake_speech import FakeModels, FakeRecogniser, said
from tests.media_samples import bursts, ffmpeg, numbered_video, with_sound


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


def test_a_video_without_sound_is_annotated_all_the_same(
    tmp_path: Path, fake_networks: FakeRecogniser, capsys: pytest.CaptureFixture[str]
) -> None:
    found = annotated(numbered_video(tmp_path / "a.mp4", 10), "--sound")
    assert found["words"] == [] and found["utterances"] == [] and found["language"] is None
    receipt = Workspace.open(tmp_path / "a.fercli").receipt("speech")
    assert receipt is not None and receipt.skipped
    assert main(["show", str(tmp_path / "a.fercli")]) == 0
    assert "speech: none, because the video has no sound" in capsys.readouterr().out


def test_a_stage_that_does_not_apply_says_why(
    tmp_path: Path, fake_networks: FakeRecogniser, capsys: pytest.CaptureFixture[str]
) -> None:
    video = numbered_video(tmp_path / "a.mp4", 10)
    assert main(["annotate", str(video), "-o", str(tmp_path / "a.json"), "--sound"]) == 0
    err = capsys.readouterr().err
    assert "extract-audio: skipped, because the video has no sound" in err and "transcribe: skipped" in err


def test_an_unknown_language_is_refused_before_any_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("faster_whisper", reason="no faster-whisper: pip install 'fercli[sound]'")
    video = numbered_video(tmp_path / "a.mp4", 10)
    assert main(["annotate", str(video), "-o", str(tmp_path / "a.json"), "--sound", "--language", "xx"]) == 2
    err = capsys.readouterr().err
    assert "error[name-unknown]" in err and "'xx'" in err and "de, " in err
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


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


def sound_file(path: Path, *options: str) -> Path:
    source = f"aevalsrc='{bursts(1.0)}':s=16000:d=3"
    ffmpeg("-f", "lavfi", "-i", source, *options, str(path))
    return path


@pytest.mark.parametrize("name", ["a.flac", "a.mp3", "a.wav", "a.m4a"])
def test_sound_alone_is_annotated(tmp_path: Path, fake_networks: FakeRecogniser, name: str) -> None:
    found = annotated(sound_file(tmp_path / name), "--sound", "--language", "en")
    VALIDATOR.validate(found)
    assert [word["text"] for word in found["words"]] == ["Hello"] and found["persons"] == found["segments"] == []
    assert found["words"][0]["seconds"] == pytest.approx(1.0, abs=0.2)
    assert (found["video"]["width"], found["video"]["fps"]) == (0, 0)
    assert found["video"]["duration_s"] == pytest.approx(3.0, abs=0.1)


def test_sound_alone_is_shown_exported_and_reported(
    tmp_path: Path, fake_networks: FakeRecogniser, capsys: pytest.CaptureFixture[str]
) -> None:
    annotated(sound_file(tmp_path / "a.flac"), "--sound", "--language", "en")
    place = str(tmp_path / "a.fercli")
    assert main(["show", place]) == 0
    shown = capsys.readouterr().out
    assert "sound only" in shown and "no picture" in shown and "0 x 0" not in shown
    assert main(["report", place, "-o", str(tmp_path / "a.html")]) == 0
    assert "Hello" in (tmp_path / "a.html").read_text(encoding="utf-8")
    assert main(["export", place, "-o", str(tmp_path / "a.eaf")]) == 0
    assert "audio/flac" in (tmp_path / "a.eaf").read_text(encoding="utf-8")
    capsys.readouterr()
    assert main(["export", place, "-o", str(tmp_path / "a.srt")]) == 0
    assert "srt-speech" in capsys.readouterr().err  # an empty file is not left unexplained
    assert main(["status", place]) == 0
    assert "sound and no picture" in capsys.readouterr().out
    assert main(["render", place, "-o", str(tmp_path / "b.mp4")]) == 3
    assert "error[video-without-picture]" in capsys.readouterr().err


def test_sound_alone_needs_the_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = sound_file(tmp_path / "a.flac")
    out, place = str(tmp_path / "a.json"), str(tmp_path / "w")
    for words in (["annotate", str(file), "-o", out], ["extract-frames", str(file), place]):
        assert main(words) == 3
        err = capsys.readouterr().err
        assert "error[video-without-picture]" in err and "--sound" in err
    assert [path.name for path in tmp_path.iterdir()] == ["a.flac"]


@pytest.mark.parametrize("name", ["srt-speech", "meld"])
def test_formats_of_what_is_said_need_the_option(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    video = numbered_video(tmp_path / "a.mp4", 5)
    assert main(["annotate", str(video), "-o", f"{tmp_path}/out/", "--format", name]) == 2
    assert "error[option-conflict]" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


SRT = "1\n00:00:01,000 --> 00:00:02,000\nFrom the file.\n"


@pytest.mark.parametrize("name", ["a.srt", "a.de.vtt"])
def test_subtitles_beside_the_video_are_used_when_asked_for(
    tmp_path: Path, fake_networks: FakeRecogniser, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    video = with_sound(tmp_path / "a.mkv", [bursts(1.0)])
    (tmp_path / name).write_text(SRT if name == "a.srt" else "WEBVTT\n\n" + SRT.replace(",", "."), encoding="utf-8")
    out = str(tmp_path / "a.json")
    words = ["annotate", str(video), "-o", out, "--fps", "2", "--with", "speech", "--language", "de"]
    assert main(words) == 0
    assert f"{name} has subtitles: --subtitles auto" in capsys.readouterr().err
    assert [word["text"] for word in json.loads(Path(out).read_text(encoding="utf-8"))["words"]] == ["Hello"]
    assert main([*words, "--subtitles", "auto"]) == 0
    assert "has subtitles" not in capsys.readouterr().err
    (one,) = json.loads(Path(out).read_text(encoding="utf-8"))["utterances"]
    assert one["text"] == "From the file." and one["sources"]["text"] == "subtitles"
    assert one["seconds"] == pytest.approx(1.0, abs=0.15)
    (tmp_path / name).unlink()  # without subtitles, auto recognises
    assert main([*words, "--subtitles", "auto", "-q"]) == 0
    assert [word["text"] for word in json.loads(Path(out).read_text(encoding="utf-8"))["words"]] == ["Hello"]


def test_a_file_of_subtitles_is_for_one_video_and_for_speech(
    tmp_path: Path, fake_networks: FakeRecogniser, capsys: pytest.CaptureFixture[str]
) -> None:
    video, other = (with_sound(tmp_path / name, [bursts(1.0)]) for name in ("a.mkv", "b.mkv"))
    file = tmp_path / "other.srt"
    file.write_text(SRT, encoding="utf-8")
    found = annotated(video, "--with", "speech", "--subtitles", str(file))
    assert [one["text"] for one in found["utterances"]] == ["From the file."]
    capsys.readouterr()
    out = ["-o", str(tmp_path / "c.json"), "--subtitles", str(file)]
    assert main(["annotate", str(video), *out]) == 2
    assert "error[option-conflict]" in capsys.readouterr().err
    many = ["annotate", str(video), str(other), "-o", f"{tmp_path}/out/", "--with", "speech", "--subtitles"]
    assert main([*many, str(file)]) == 2
    assert "--subtitles auto" in capsys.readouterr().err
    (tmp_path / "b.srt").write_text(SRT, encoding="utf-8")
    assert main([*many, "auto", "--fps", "2", "--jobs", "1", "-q"]) == 0
    texts = {
        name: [one["text"] for one in json.loads((tmp_path / "out" / f"{name}.json").read_text("utf-8"))["utterances"]]
        for name in ("a", "b")
    }
    assert texts == {"a": ["Hello"], "b": ["From the file."]}
    assert main(["annotate", str(video), "-o", str(file), "--sound", "--subtitles", str(file), "--overwrite"]) == 2
    assert "other.srt" in capsys.readouterr().err and file.read_text(encoding="utf-8") == SRT
