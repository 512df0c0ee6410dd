from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer

from fercli.cli.app import app
from fercli.cli.entry import main
from fercli.cli.groups import StrictGroup
from fercli.cli.options import absolute, parse_decoder, parse_end, parse_fps, parse_network, parse_time, show_fps
from fercli.config import NATIVE_FPS
from fercli.errors import ConfigError
from tests.failing import fails


@pytest.mark.parametrize(
    ("text", "seconds"), [("", 0), ("90", 90), ("1:30", 90), ("1:02:03.5", 3723.5), ("0", 0), ("0:0:7", 7)]
)
def test_times(text: str, seconds: float) -> None:
    assert parse_time(text, "--start") == seconds


@pytest.mark.parametrize("text", ["-1", "1:2:3:4", "soon", "1:", "nan", "inf", "1:-5"])
def test_what_is_no_time(text: str) -> None:
    with fails(ConfigError, "option-out-of-range", "--end"):
        parse_time(text, "--end")


def test_the_end_is_the_videos_only_where_none_is_given() -> None:
    assert (parse_end(""), parse_end("1:30")) == (0, 90)
    for text in ("0", "0:00"):
        with pytest.raises(ConfigError, match=f"--end '{text}' leaves nothing") as caught:
            parse_end(text)
        assert "leave --end out" in caught.value.hint


def test_decoders() -> None:
    assert [parse_decoder(text) for text in ("auto", "pyav", "decord")] == ["pyav", "pyav", "decord"]
    assert main(["extract-frames", "v.mp4", "w", "--decoder", "ffmpeg"]) == 2


def test_rates() -> None:
    assert parse_fps("native") == NATIVE_FPS
    assert parse_fps("23.976") == 23.976
    assert [parse_fps(show_fps(fps)) for fps in (NATIVE_FPS, 10.0, 12.5)] == [NATIVE_FPS, 10.0, 12.5]


@pytest.mark.parametrize("text", ["0", "-3", "fast", "nan", "inf", ""])
def test_what_is_no_rate(text: str) -> None:
    with fails(ConfigError, "option-out-of-range", "--fps"):
        parse_fps(text)


def test_a_file_means_the_same_from_everywhere_and_a_name_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_network("runs/best.safetensors") == str(tmp_path / "runs" / "best.safetensors")
    assert parse_network("../arcface.ONNX") == str(tmp_path.parent / "arcface.ONNX")
    assert parse_network("tsm-resnet18") == "tsm-resnet18"
    assert absolute(Path("people")) == str(tmp_path / "people") and absolute(None) == ""


def options_of(command: str) -> dict[str, str]:
    """Option -> its help."""
    group: Any = typer.main.get_command(app)
    parameters = group.commands[command].params
    return {name: parameter.help for parameter in parameters for name in parameter.opts if name.startswith("--")}


def test_annotate_calls_everything_as_the_stages_do() -> None:
    stages: dict[str, str] = {}
    faces = ("detect-faces", "track", "measure-faces", "classify-emotions", "export", "extract-frames")
    # Their own --model and --weights go by other names in annotate, which has those of all stages.
    renamed = ("--model", "--weights")
    for command in (*faces, "extract-audio", "transcribe", "detect-speakers", "classify-voices", "estimate-valence"):
        for name, meaning in options_of(command).items():
            if command in faces or name not in renamed:
                assert stages.setdefault(name, meaning) == meaning, f"{name} means two things"
    alone = {"--output", "--workdir", "--format", "--recursive", "--jobs", "--scheduler", "--sound", "--with"}
    alone |= {"--voice-model", "--valence-weights"}
    own = {name: meaning for name, meaning in options_of("annotate").items() if name not in alone}
    assert own.items() <= stages.items()


@pytest.mark.parametrize("command", ["annotate", "extract-frames", "show", "import", "render", "people list"])
def test_flags_are_shown_without_a_value(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert main([*command.split(), "--help"]) == 0
    shown = [line for line in capsys.readouterr().out.splitlines() if "<bool>" in line and "--help" not in line]
    assert shown == []


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["annotate"], "seconds, 1:30 or 1:02:03"),
        (["import"], "Label Studio"),
        (["doctor"], "Exit code 6"),
        (["explain"], "--overwrite"),
        (["people", "list"], "--overwrite"),
    ],
)
def test_help_says(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: list[str], said: str
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert main([*command, "--help"]) == 0
    assert said in " ".join(capsys.readouterr().out.replace("│", " ").split())


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "--dataset", "fer2013", "--root", "x", "--epochs", "1", "--epochs", "2"],
        ["train", "--dataset=fer2013", "--root", "x", "--out", "y", "--out", "z"],
        ["dataset", "check", "fer2013", "--root", "x", "--root", "x"],
        ["evaluate", "w", "--dataset", "fer2013", "--dataset", "ferplus", "--root", "x"],
        ["evaluate", "model", "w", "--split", "test", "--dataset", "a", "--root", "x", "--split", "all"],
        ["annotate", "v.mp4", "-o", "a.json", "--output", "b.json"],
        ["annotate", "v.mp4", "--model", "a", "--model", "b"],
        ["gallery", "check", "people", "--device", "cpu", "--device", "cuda"],
        ["extract-frames", "v.mp4", "w", "--images", "--no-images"],
    ],
)
def test_an_option_that_holds_one_value_is_not_given_twice(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert (
        shown.err.startswith("error[option-repeated]: --")
        and "is given 2 times" in shown.err
        and "hint: give --" in shown.err
    )


def test_every_group_refuses_them() -> None:
    def groups(command: Any) -> list[Any]:
        inner = [group for child in getattr(command, "commands", {}).values() for group in groups(child)]
        return [command, *inner] if hasattr(command, "commands") else []

    found = groups(typer.main.get_command(app))
    assert {group.name for group in found} == {
        "fercli", "people", "edits", "gallery", "evaluate", "dataset", "models", "compare"
    }  # fmt: skip
    assert all(isinstance(group, StrictGroup) for group in found)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["show", "nowhere", "--json", "--json"], 3),
        (
            [
                "train",
                "--dataset",
                "fer2013",
                "--root",
                "nowhere",
                "--extra",
                "word-cosine",
                "--extra",
                "flip-attention",
            ],
            3,
        ),
    ],
)
def test_what_may_be_given_more_than_once(
    arguments: list[str], code: int, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == code
    assert "times" not in capsys.readouterr().err
