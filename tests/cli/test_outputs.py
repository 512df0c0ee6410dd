"""Where commands write: nothing of a person's is replaced, only files are written, and stdout is bytes."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from pathlib import Path

import pytest

from fercli.cli.entry import main
from fercli.cli.outputs import json_to_stdout
from fercli.errors import ConfigError, OutputError
from fercli.outputs import refuse_existing, refuse_what_is_read
from tests.cli.test_errors import make_video
from tests.failing import fails
from tests.views.report.film import make_film
from tests.workspaces import VIDEO


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return make_film(tmp_path / "film.fercli").path


@contextmanager
def latin_1() -> Iterator[io.BytesIO]:
    """Catch what is printed on a stdout that has no letters but those of western Europe."""
    printed = io.BytesIO()
    with redirect_stdout(io.TextIOWrapper(printed, encoding="latin-1", write_through=True)):
        yield printed


def test_an_existing_file_is_kept_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    file = tmp_path / "thesis.png"
    refuse_existing(file, overwrite=False)
    file.touch()
    with fails(ConfigError, "output-exists", "thesis.png") as caught:
        refuse_existing(file, overwrite=False)
    assert "--overwrite" in caught.value.hint
    refuse_existing(file, overwrite=True)


def test_what_is_no_file_is_never_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "null").symlink_to("/dev/null")
    for name in ("pipe", "null"):
        with pytest.raises(ConfigError, match=f"{name} is a pipe or a device") as caught:
            refuse_existing(tmp_path / name, overwrite=True)
        assert "-o -" in caught.value.hint
    with fails(ConfigError, "output-is-no-file"):
        refuse_existing(tmp_path, overwrite=True)


class TestWhatIsRead:
    @pytest.fixture
    def video(self, tmp_path: Path) -> Path:
        video = tmp_path / "v.mp4"
        video.write_bytes(b"the film")
        return video

    @pytest.fixture
    def film(self, tmp_path: Path, video: Path) -> Path:
        return make_film(tmp_path / "v.fercli", replace(VIDEO, path=str(video))).path

    @pytest.mark.parametrize("by", ["name", "link", "hard link", "detour"])
    def test_is_never_replaced(self, tmp_path: Path, video: Path, by: str) -> None:
        output = tmp_path / "out.png"
        if by == "link":
            output.symlink_to(video)
        elif by == "hard link":
            os.link(video, output)
        else:
            output = video if by == "name" else tmp_path / "none" / ".." / "v.mp4"
            (tmp_path / "none").mkdir()
        with fails(ConfigError, "output-unsafe", "v.mp4"):
            refuse_existing(output, overwrite=True, reads=[tmp_path / "gone", video])

    def test_a_workspace_is_the_programs_own(self, tmp_path: Path, film: Path) -> None:
        (tmp_path / "link").symlink_to(film / "elsewhere", target_is_directory=True)
        (film / "elsewhere").mkdir()
        (tmp_path / "receipt.json").symlink_to(film / "frames" / "receipt.json")
        for output in (
            film / "new.json",
            film / "workspace.json",
            tmp_path / "link" / "a.json",
            tmp_path / "receipt.json",
        ):
            with fails(ConfigError, "output-unsafe") as caught:
                refuse_what_is_read(output, [], film)
            assert caught.value.hint == "choose a place outside the workspace"
        refuse_what_is_read(tmp_path / "new.json", [], film)
        refuse_what_is_read(film.with_name("v.fercli.json"), [], film)
        refuse_what_is_read(tmp_path / "none" / "new.json", [], tmp_path / "not there")

    @pytest.mark.parametrize(
        "command",
        [
            ["export", "FILM", "--format", "csv", "-o"],
            ["explain", "FILM", "-o"],
            ["people", "FILM", "--contact-sheet"],
            ["plot", "FILM", "-o"],
            ["render", "FILM", "-o"],
        ],
    )
    def test_by_every_command(
        self, film: Path, video: Path, capsys: pytest.CaptureFixture[str], command: list[str]
    ) -> None:
        before = {path: path.read_bytes() for path in [video, *film.rglob("*")] if path.is_file()}
        for output in (video, film / "workspace.json"):
            argv = [str(film) if word == "FILM" else word for word in command]
            assert main([*argv, str(output), "--overwrite"]) == 2
            assert str(output) in (err := capsys.readouterr().err) and ("destroy" in err or "inside" in err)
        assert {path: path.read_bytes() for path in [video, *film.rglob("*")] if path.is_file()} == before

    def test_by_a_report(self, tmp_path: Path, film: Path, video: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "link.html").symlink_to(video)
        for output in (tmp_path / "link.html", film / "report.html"):
            assert main(["report", str(film), "-o", str(output), "--overwrite"]) == 2
            assert str(output) in capsys.readouterr().err
        assert video.read_bytes() == b"the film"

    def test_by_an_explained_picture(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        face = tmp_path / "face.png"
        face.write_bytes(b"the only one")
        assert main(["explain", str(face), "-o", str(face), "--overwrite"]) == 2
        assert "would destroy" in capsys.readouterr().err and face.read_bytes() == b"the only one"

    def test_by_annotate(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        video = make_video(tmp_path / "grey.mp4")
        cast, place = tmp_path / "show.cast", tmp_path / "w.fercli"
        cast.write_text("Ross")
        place.mkdir()
        before = video.read_bytes()
        argv = ["annotate", str(video), "--workdir", str(place), "--format", "json", "--overwrite", "-o"]
        for output, options in ((video, []), (cast, ["--cast", str(cast)]), (place / "out.json", [])):
            assert main([*argv, str(output), *options]) == 2
            assert str(output) in capsys.readouterr().err
        assert video.read_bytes() == before and cast.read_text() == "Ross" and not list(place.iterdir())

    def test_a_plot_may_lie_in_the_directory_of_a_run(self, tmp_path: Path) -> None:
        (tmp_path / "metrics.jsonl").write_text('{"epoch": 1, "loss": 2.0, "valid_accuracy": 0.3}\n')
        assert main(["plot", str(tmp_path), "-o", str(tmp_path / "plot.png"), "-q"]) == 0


def test_a_place_where_nothing_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=f"no directory {tmp_path / 'no'}"):
        refuse_existing(tmp_path / "no" / "a.png", overwrite=False)
    with pytest.raises(OutputError, match="File name too long"):
        refuse_existing(tmp_path / ("a" * 300), overwrite=False)


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["report", "FILM", "-o"], "mine.html"),
        (["plot", "FILM", "-o"], "mine.png"),
        (["plot", "RUN", "-o"], "mine.png"),
        (["people", "FILM", "--contact-sheet"], "mine.png"),
    ],
)
def test_every_picture_is_kept_until_asked_and_named_on_stderr(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str], name: str
) -> None:
    run, mine = tmp_path / "run", tmp_path / name
    run.mkdir()
    (run / "metrics.jsonl").write_text('{"epoch": 1, "loss": 2.0, "valid_accuracy": 0.3}\n')
    mine.write_text("all of it")
    argv = [{"FILM": str(film), "RUN": str(run)}.get(word, word) for word in command] + [str(mine)]
    assert main(argv) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and f"{mine} exists" in captured.err and "--overwrite" in captured.err
    assert mine.read_text() == "all of it"
    assert main([*argv, "--overwrite"]) == 0
    captured = capsys.readouterr()
    assert f": {mine}" in captured.err and str(mine) not in captured.out
    assert mine.read_bytes() != b"all of it"


@pytest.mark.parametrize("command", [["explain", "-o"], ["render", "-o"]])
def test_those_that_take_long_refuse_first(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    mine = tmp_path / "mine.png"
    os.mkfifo(mine)
    assert main([command[0], str(film), *command[1:], str(mine), "--overwrite"]) == 2
    assert "is a pipe or a device" in capsys.readouterr().err
    mine.unlink()
    mine.write_text("all of it")
    assert main([command[0], str(film), *command[1:], str(mine)]) == 2
    assert f"{mine} exists" in capsys.readouterr().err and mine.read_text() == "all of it"


def test_a_report_is_written_to_where_a_link_points(film: Path, tmp_path: Path) -> None:
    (tmp_path / "link.html").symlink_to(tmp_path / "report.html")
    assert main(["report", str(film), "-o", str(tmp_path / "link.html"), "-q"]) == 0
    assert (tmp_path / "link.html").is_symlink()
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_names_in_letters_that_the_terminal_does_not_have(film: Path) -> None:
    with latin_1() as printed:
        assert main(["people", "rename", str(film), "Person 2", "李"]) == 0
        assert main(["show", str(film)]) == 0
        assert printed.getvalue().count(b"\\u674e") >= 3


@pytest.mark.parametrize("command", ["show", "people"])
def test_json_is_utf_8_whatever_the_terminal(film: Path, command: str) -> None:
    assert main(["people", "rename", str(film), "Person 2", "李"]) == 0
    with latin_1() as printed:
        assert main([command, str(film), "--json"]) == 0
        text = printed.getvalue().decode("utf-8")
    assert '"name": "李"' in text
    assert "李" in [person["name"] for person in json.loads(text)["persons"]]


def test_json_has_the_names_of_files_that_are_no_utf_8() -> None:
    name = os.fsdecode(b"caf\xe9.mp4")
    with latin_1() as printed:
        json_to_stdout({"名": Path(name)})
        assert json.loads(printed.getvalue()) == {"名": name}
