"""Curves of runs: the lines as they are in the SVG, the file formats, and what is refused."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fercli.errors import ConfigError, FercliError, InputError, OutputError
from fercli.learn.training.curves import COLOURS, plot_runs

LOSS = [2.0, 1.0, 0.5]
ACCURACY = [0.25, 0.75, 0.5]


def write_run(path: Path, losses: Sequence[float] = LOSS, accuracies: Sequence[float] = ACCURACY) -> Path:
    """A run as training leaves it, as far as curves go."""
    path.mkdir(parents=True)
    rows = [
        {"epoch": number, "size": 40, "loss": loss, "valid_accuracy": accuracy, "valid_uar": 0.1, "seconds": 1.5}
        for number, (loss, accuracy) in enumerate(zip(losses, accuracies, strict=True), start=1)
    ]
    (path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def drawn(svg: Path, colour: str) -> list[NDArray[np.float64]]:
    """Corners (x to the right, y upwards) of the lines in a colour, in order of drawing: loss, accuracy, legend."""
    lines = []
    for element in ElementTree.parse(svg).getroot().iter("{http://www.w3.org/2000/svg}path"):
        style = element.get("style", "").lower()
        if f"stroke: {colour.lower()}" in style and "fill: none" in style:
            numbers = [float(number) for number in re.findall(r"-?\d+\.?\d*", element.get("d", ""))]
            lines.append(np.array(numbers).reshape(-1, 2) * [1, -1])
    return lines


def dashes_in(svg: Path, colour: str) -> set[str]:
    """Lengths drawn and left out along the lines in a colour, "solid" for none."""
    styles = re.findall(rf'style="fill: none; ([^"]*stroke: {colour.lower()}[^"]*)"', svg.read_text(encoding="utf-8"))
    found = (re.search(r"stroke-dasharray: ([\d.,]+)", style) for style in styles)
    return {match[1] if match else "solid" for match in found}


def comments(svg: Path) -> list[str]:
    """What is written in the picture: matplotlib draws letters as shapes and notes the text beside them."""
    return re.findall(r"<!-- (.*?) -->", svg.read_text(encoding="utf-8"))


def share_of_way(values: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Values on a scale that puts the first at 0 and the last at 1, whatever their unit and zero."""
    line = np.asarray(values, dtype=float)
    scaled: NDArray[np.float64] = (line - line[0]) / (line[-1] - line[0])
    return scaled


def test_lines_go_through_the_figures_of_the_epochs(tmp_path: Path) -> None:
    first, second = write_run(tmp_path / "first"), write_run(tmp_path / "second", [1.5, 1.4], [0.3, 0.6])
    out = tmp_path / "curves.svg"
    plot_runs([first, second], out)
    loss, accuracy = drawn(out, COLOURS[0])[:2]
    np.testing.assert_allclose(share_of_way(loss[:, 0]), [0, 0.5, 1], atol=1e-4)
    np.testing.assert_allclose(share_of_way(loss[:, 1]), share_of_way(LOSS), atol=1e-4)
    np.testing.assert_allclose(share_of_way(accuracy[:, 1]), share_of_way(ACCURACY), atol=1e-4)
    shorter = drawn(out, COLOURS[1])[0]
    np.testing.assert_allclose(shorter[:, 0], loss[:2, 0], atol=1e-3)  # both on the same scale of epochs
    per_unit = (loss[0, 1] - loss[1, 1]) / (LOSS[0] - LOSS[1])
    assert shorter[0, 1] == pytest.approx(loss[0, 1] - (LOSS[0] - 1.5) * per_unit, abs=1e-3)


def test_a_dot_marks_the_last_of_the_best_epochs(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [1.0] * 5, [0.1, 0.7, 0.2, 0.7, 0.3])
    out = tmp_path / "curves.svg"
    plot_runs([run], out)
    accuracy = drawn(out, COLOURS[0])[1]
    text = out.read_text(encoding="utf-8")
    dots = re.findall(rf'<use [^>]*x="([\d.]+)" y="([\d.]+)" style="fill: {COLOURS[0].lower()}', text)
    assert len(dots) == 1
    x, y = map(float, dots[0])
    assert (x, -y) == pytest.approx(tuple(accuracy[3]), abs=1e-3)
    assert "best epoch" in comments(out)


def test_runs_differ_in_colour_and_in_dashes(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / f"run-{number}") for number in range(8)]
    out = tmp_path / "curves.svg"
    plot_runs(runs, out)
    dashes = {colour: dashes_in(out, colour) for colour in COLOURS}
    assert dashes["#0072B2"] == {"solid", "1.2,1.98"}  # the first, and the eighth
    assert [dashes[colour] for colour in COLOURS[1:5]] == [
        {"4.44,1.92"},
        {"7.68,1.92,1.2,1.92"},
        {"1.2,1.98"},
        {"solid"},
    ]


def test_runs_are_named_as_their_directories_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "curves.svg"
    runs = [write_run(tmp_path / "_old $1 $2"), write_run(tmp_path / "here")]
    monkeypatch.chdir(runs[1])
    plot_runs([runs[0], Path(".")], out)
    written = comments(out)
    assert "_old $1 $2" in written and "here" in written
    assert "training loss" in written and "validation accuracy" in written and written.count("epoch") == 2


def test_runs_that_share_a_name_are_called_by_their_path(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / "a" / "run"), write_run(tmp_path / "b" / "run"), write_run(tmp_path / "b" / "other")]
    out = tmp_path / "curves.svg"
    plot_runs(runs, out)
    written = comments(out)
    assert str(runs[0]) in written and str(runs[1]) in written and "other" in written


def test_one_epoch_is_shown_as_a_dot(tmp_path: Path) -> None:
    def coloured(run: Path) -> int:
        plot_runs([run], tmp_path / "curves.png")
        pixels = np.asarray(Image.open(tmp_path / "curves.png").convert("RGB")).astype(int)
        left = pixels[: pixels.shape[0] * 3 // 4, : pixels.shape[1] // 2]  # the loss, without the legend
        return int((np.abs(left - [0x00, 0x72, 0xB2]).sum(axis=2) < 30).sum())

    assert 50 < coloured(write_run(tmp_path / "one", [1.0], [0.5])) < coloured(write_run(tmp_path / "three"))


def test_the_suffix_chooses_the_format_and_the_same_figures_make_the_same_file(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    for suffix, start in ((".png", b"\x89PNG"), (".svg", b"<?xml"), (".PDF", b"%PDF")):
        out = tmp_path / f"curves{suffix}"
        plot_runs([run], out)
        content = out.read_bytes()
        assert content.startswith(start)
        plot_runs([run], out)
        assert out.read_bytes() == content
    with Image.open(tmp_path / "curves.png") as image:
        assert image.info["dpi"] == pytest.approx((300, 300), abs=1)
        assert image.width == pytest.approx(7 * 300, rel=0.05)


def test_a_long_name_widens_the_picture_and_is_not_cut_off(tmp_path: Path) -> None:
    out = tmp_path / "curves.png"
    plot_runs([write_run(tmp_path / ("long-name-" * 20))], out)
    pixels = np.asarray(Image.open(out).convert("L"))
    assert pixels.shape[1] > 8 * 300
    assert (pixels[:, [0, -1]] == 255).all()


def refused(runs: Sequence[Path], out: Path, kind: type[FercliError]) -> FercliError:
    with pytest.raises(kind) as caught:
        plot_runs(runs, out)
    assert not out.exists()
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("name", ["curves.jpg", "curves"])
def test_another_kind_of_picture_is_refused(tmp_path: Path, name: str) -> None:
    error = refused([write_run(tmp_path / "run")], tmp_path / name, ConfigError)
    assert name in error.message and ".svg" in error.hint


def test_no_run_at_all_is_refused(tmp_path: Path) -> None:
    assert "no run" in refused([], tmp_path / "curves.png", ConfigError).message


def test_a_directory_that_is_no_run_is_refused(tmp_path: Path) -> None:
    error = refused([write_run(tmp_path / "run"), tmp_path / "other"], tmp_path / "curves.png", InputError)
    assert str(tmp_path / "other" / "metrics.jsonl") in error.message and "fercli train" in error.hint


def test_a_run_that_finished_no_epoch_is_refused(tmp_path: Path) -> None:
    error = refused([write_run(tmp_path / "run", [], [])], tmp_path / "curves.png", InputError)
    assert "metrics.jsonl is empty" in error.message


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"epoch": 2, "loss": 0.5, "valid_acc', "Unterminated string"),
        ("", "Expecting value"),
        ('{"epoch": 2, "loss": 0.5}', "no 'valid_accuracy'"),
        ('{"epoch": 2, "loss": NaN, "valid_accuracy": 0.5}', "not a finite number"),
        ('{"epoch": 2, "loss": "low", "valid_accuracy": 0.5}', "'low'"),
        ('{"epoch": 2, "loss": null, "valid_accuracy": 0.5}', "NoneType"),
        ("[2, 0.5, 0.5]", "list indices"),
    ],
)
def test_a_broken_line_is_named_by_file_and_line(tmp_path: Path, line: str, reason: str) -> None:
    path = write_run(tmp_path / "run") / "metrics.jsonl"
    rows = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([rows[0], line, rows[2]]) + "\n", encoding="utf-8")
    error = refused([path.parent], tmp_path / "curves.png", InputError)
    assert f"{path}:2: " in error.message and reason in error.message


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = write_run(tmp_path / "run") / "metrics.jsonl"
    path.write_bytes(b"\xff\xfe\x00")
    assert f"{path} is no text" in refused([path.parent], tmp_path / "curves.png", InputError).message


def test_a_picture_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    error = refused([write_run(tmp_path / "run")], tmp_path / "missing" / "curves.png", OutputError)
    assert "missing" in error.message


def test_matplotlib_is_imported_only_to_draw() -> None:
    program = "import sys, fercli.learn.training.curves; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
