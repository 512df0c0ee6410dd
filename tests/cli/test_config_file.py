"""--config FILE: options of a study from a TOML file, and what is recorded of it."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fercli.cli.entry import main
from fercli.config import (
    ConfigFile,
    EmotionsParams,
    FacesParams,
    FramesParams,
    PersonsParams,
    TracksParams,
    TrainConfig,
)
from fercli.learn.training import run_directory
from tests.cli.test_errors import make_video


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return make_video(tmp_path / "grey.mp4")


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def receipt(workspace: Path, stage: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((workspace / stage / "receipt.json").read_text())
    return found


def test_the_file_sets_options_and_the_command_line_overrides_it(tmp_path: Path, video: Path) -> None:
    file = write(
        tmp_path / "study.toml", "[extract-frames]\nfps = 5\nstart = 0.2\nimages = false\nshot-threshold = 2\n"
    )
    argv = ["extract-frames", str(video), str(tmp_path / "w"), "--config", str(file), "-q", "--start", "0.1"]
    assert main(argv) == 0
    made = receipt(tmp_path / "w", "frames")
    params = {name: made["params"][name] for name in ("fps", "start_s", "shot_threshold")}
    assert params == {"fps": 5.0, "start_s": 0.1, "shot_threshold": 2.0}
    assert made["runtime"]["config"] == {
        "name": "study.toml",
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "options": {"fps": "5", "images": False, "shot-threshold": 2},
    }


def test_the_file_makes_nothing_stale_that_it_does_not_change(
    tmp_path: Path, video: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["extract-frames", str(video), str(tmp_path / "w")]
    assert main([*argv, "--fps", "5"]) == 0
    assert receipt(tmp_path / "w", "frames")["runtime"]["config"] is None
    capsys.readouterr()
    assert main([*argv, "--config", str(write(tmp_path / "a.toml", "[extract-frames]\nfps = 5\n"))]) == 0
    assert "extract-frames: up to date" in capsys.readouterr().err


def test_annotate_takes_the_sections_of_the_stages_and_its_own_over_them(tmp_path: Path, video: Path) -> None:
    text = (
        "[annotate]\nmin-face = 50\n[extract-frames]\nfps = '4'\n[detect-faces]\nmin-size = 30\n"
        "[classify-emotions]\nmin-face = 40\nmean-segment = 1\n[train]\nepochs = 3\n"
    )
    file, out = write(tmp_path / "study.toml", text), tmp_path / "out.json"
    assert main(["annotate", str(video), "-o", str(out), "--config", str(file), "-q"]) == 0
    stages = json.loads(out.read_text())["provenance"]["stages"]
    assert stages["detect-faces"]["parameters"]["min_size"] == 30
    assert stages["classify-emotions"]["parameters"]["min_size"] == 50
    assert stages["classify-emotions"]["parameters"]["mean_segment_s"] == 1
    options = {"fps": "4", "min-size": 30, "min-face": 50, "mean-segment": 1}
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    for stage in ("extract-frames", "detect-faces", "track", "classify-emotions"):
        assert stages[stage]["config"] == {"name": "study.toml", "sha256": digest, "options": options}


def test_paths_are_relative_to_the_file_and_recorded_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "studies").mkdir()
    file = write(tmp_path / "studies" / "s.toml", "[train]\ndataset = 'fer2013'\nroot = '../data/fer2013.csv'\n")
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--config", str(file)]) == 3
    assert str(tmp_path / "studies" / ".." / "data" / "fer2013.csv") in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fps = 5\n", ["fps has no section", "[annotate]"]),
        ("[detect-face]\n", ["there is no section [detect-face]", "did you mean detect-faces?"]),
        ("[export]\nformat = 'eaf'\n", ["there is no section [export]"]),
        ("[detect-faces]\nmin_size = 3\n", ["there is no min_size in [detect-faces]", "did you mean min-size?"]),
        ("[detect-faces]\noutput = 'x'\n", ["there is no output in [detect-faces]", "known: crop-scale"]),
        ("[detect-faces]\nmin-size = 'big'\n", ["min-size in [detect-faces] is 'big', not a whole number"]),
        ("[detect-faces]\nmin-size = 3.5\n", ["min-size in [detect-faces] is 3.5, not a whole number"]),
        ("[detect-faces]\nmin-size = true\n", ["min-size in [detect-faces] is True, not a whole number"]),
        ("[detect-faces]\nmin-score = [1]\n", ["min-score in [detect-faces] is [1], not a number"]),
        ("[extract-frames]\nimages = 1\n", ["images in [extract-frames] is 1, not true or false"]),
        ("[track]\ngallery = 1\n", ["gallery in [track] is 1, not a path"]),
        ("[train]\nextra = 'word-cosine'\n", ["extra in [train] is 'word-cosine', not a list"]),
        ("[train]\nextra = [1, true]\n", ["extra in [train] is True, not text"]),
        ("[track]\nmax-gap = 1\nmax-gap = 2\n", ["is not TOML"]),
        ("[track\n", ["is not TOML"]),
        ("[train]\nmodle = 'x'\n", ["there is no modle in [train]", "did you mean model?"]),
    ],
)
def test_what_cannot_be_used_is_refused_before_any_work(
    tmp_path: Path, video: Path, capsys: pytest.CaptureFixture[str], text: str, said: list[str]
) -> None:
    file = write(tmp_path / "study.toml", text)
    for command in (["annotate", str(video), "-o", str(tmp_path / "a.json")], ["track", str(tmp_path / "w")]):
        assert main([*command, "--config", str(file)]) == 2
        err = capsys.readouterr().err
        assert all(part in err for part in [str(file), *said]) and "hint: " in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["grey.mp4", "study.toml"]


def test_a_file_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "latin.toml").write_bytes(b"[track]\ngallery = '\xe9'\n")
    for name, code in (("none.toml", 3), (".", 3), ("latin.toml", 2)):
        assert main(["track", "w", "--config", str(tmp_path / name)]) == code
        assert "hint: " in capsys.readouterr().err


def test_stages_that_contradict_each_other_need_a_word_of_annotate(
    tmp_path: Path, video: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "[detect-faces]\ndevice = 'cpu'\n[track]\ndevice = 'cuda'\n"
    argv = ["annotate", str(video), "-o", str(tmp_path / "a.json"), "-q", "--config"]
    assert main([*argv, str(write(tmp_path / "two.toml", text))]) == 2
    assert "device is 'cpu' in [detect-faces] and 'cuda' in [track]" in capsys.readouterr().err
    assert main([*argv, str(write(tmp_path / "own.toml", f"{text}[annotate]\ndevice = 'cpu'\n"))]) == 0


def test_the_printed_file_has_the_defaults(tmp_path: Path, video: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config"]) == 0
    file = write(tmp_path / "study.toml", capsys.readouterr().out)
    assert main(["annotate", str(video), "-o", str(tmp_path / "a.json"), "-q", "--config", str(file)]) == 0
    defaults = {
        "frames": FramesParams(keep_images=False),
        "faces": FacesParams(),
        "tracks": TracksParams(),
        "persons": PersonsParams(),
        "emotions": EmotionsParams(),
    }
    for stage, params in defaults.items():
        expected = {name: value for name, value in vars(params).items() if name != "keep_images"}  # no part of the key
        assert receipt(tmp_path / "grey.fercli", stage)["params"] == expected


def test_the_file_in_the_documentation_can_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "config.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    file = write(tmp_path / "study.toml", example)
    assert main(["track", str(tmp_path / "none"), "--config", str(file)]) == 3
    assert "no workspace at" in capsys.readouterr().err


def test_a_classifier_keeps_the_file_it_was_trained_with(tmp_path: Path) -> None:
    file = ConfigFile("study.toml", "ab" * 32, {"epochs": 3})
    config = TrainConfig("fer2013", tmp_path / "fer2013.csv", tmp_path / "run", epochs=3, config=file)
    assert run_directory.recipe(config)["config"] == {
        "name": "study.toml",
        "sha256": "ab" * 32,
        "options": {"epochs": 3},
    }
    run_directory.open_run(config, 0)
    run_directory.check_same_run(replace(config, config=None))
