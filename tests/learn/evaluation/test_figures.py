"""Pictures: what they say is read back from the SVG, and from the pixels where colour carries it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.legend import Legend
from numpy.typing import NDArray
from PIL import Image

from fercli.errors import ConfigError, OutputError
from fercli.learn.evaluation import figures
from fercli.learn.evaluation.figures import confusion_figure, reliability_figure
from fercli.learn.evaluation.metrics import Bin
from tests.failing import fails

MATRIX = np.array([[30, 10, 0], [1, 4, 3], [0, 0, 0]])
CLASSES = ("anger", "fear", "neutral")
BINS = (Bin(0.4, 0.6, 25, 0.5, 0.42), Bin(0.8, 1.0, 75, 0.93, 0.97))


def draw_confusion(path: Path) -> None:
    confusion_figure(MATRIX, CLASSES, path)


def draw_reliability(path: Path) -> None:
    reliability_figure(BINS, 0.0543, path)


both = pytest.mark.parametrize("draw", [draw_confusion, draw_reliability])


def texts(path: Path) -> list[str]:
    """The text of an SVG in drawing order; matplotlib draws glyphs and leaves the text as a comment."""
    return [text.strip() for text in re.findall(r"<!--(.*?)-->", path.read_text(encoding="utf-8"), re.DOTALL)]


def pixels(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def frame(image: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the black lines round the axes."""
    black = (image < 40).all(axis=2)
    rows = np.flatnonzero(black.mean(axis=1) > 0.6)
    columns = np.flatnonzero(black.mean(axis=0) > 0.6)
    return int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])


@both
@pytest.mark.parametrize(
    ("suffix", "magic"), [(".png", b"\x89PNG\r\n\x1a\n"), (".svg", b"<?xml"), (".pdf", b"%PDF-"), (".PDF", b"%PDF-")]
)
def test_the_suffix_decides_the_format(draw: Callable[[Path], None], suffix: str, magic: bytes, tmp_path: Path) -> None:
    draw(tmp_path / f"figure{suffix}")
    assert (tmp_path / f"figure{suffix}").read_bytes().startswith(magic)
    assert len(list(tmp_path.iterdir())) == 1


@both
def test_another_suffix_is_refused_before_anything_is_drawn(draw: Callable[[Path], None], tmp_path: Path) -> None:
    with fails(ConfigError, "suffix-unknown", "figure.jpeg") as caught:
        draw(tmp_path / "figure.jpeg")
    assert ".png, .svg, .pdf" in caught.value.hint
    assert not list(tmp_path.iterdir())


@both
def test_an_unwritable_path_is_an_output_error(draw: Callable[[Path], None], tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        draw(tmp_path / "nowhere" / "figure.png")
    (tmp_path / "taken.png").mkdir()
    with pytest.raises(OutputError, match="cannot write"):
        draw(tmp_path / "taken.png")


@both
@pytest.mark.parametrize("suffix", [".svg", ".pdf"])
def test_the_same_figures_make_the_same_file(draw: Callable[[Path], None], suffix: str, tmp_path: Path) -> None:
    draw(tmp_path / f"a{suffix}")
    draw(tmp_path / f"b{suffix}")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


@both
def test_a_picture_is_a_column_wide_at_300_dpi(draw: Callable[[Path], None], tmp_path: Path) -> None:
    draw(tmp_path / "figure.png")
    with Image.open(tmp_path / "figure.png") as picture:
        assert picture.width == 1050
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_the_pdf_embeds_fonts_that_journals_take(tmp_path: Path) -> None:
    draw_confusion(tmp_path / "figure.pdf")
    content = (tmp_path / "figure.pdf").read_bytes()
    assert b"/Type3" not in content
    assert b"/CIDFontType2" in content


def test_cells_have_the_percent_of_their_row_and_the_count(tmp_path: Path) -> None:
    draw_confusion(tmp_path / "figure.svg")
    shown = texts(tmp_path / "figure.svg")
    cells = [text for text in shown if re.fullmatch(r"\d+( %)?", text)]
    first, second = ["75 %", "30", "25 %", "10", "0 %", "0"], ["12 %", "1", "50 %", "4", "38 %", "3"]
    assert cells == first + second  # and nothing in the row of the class without samples
    assert [text for text in shown if text in CLASSES] == [*CLASSES, *CLASSES]  # below and on the left
    assert [text for text in shown if "n =" in text] == ["n = 40", "n = 8", "n = 0"]
    assert {"true class", "predicted class"} <= set(shown)


def test_the_darker_cell_has_the_larger_share_of_its_row(tmp_path: Path) -> None:
    confusion_figure(np.array([[2, 0], [30, 70]]), ("anger", "fear"), tmp_path / "figure.png")
    image = pixels(tmp_path / "figure.png")
    left, top, right, bottom = frame(image)
    corners = image[top + 20 : bottom : (bottom - top) // 2, left + 20 : right : (right - left) // 2]
    (all_right, none), (some, most) = corners.astype(int).sum(axis=2)
    assert all_right < most < some < none


def test_axes_are_named_and_the_error_is_given(tmp_path: Path) -> None:
    draw_reliability(tmp_path / "figure.svg")
    shown = set(texts(tmp_path / "figure.svg"))
    assert {"ECE = 0.054", "accuracy", "confidence", "samples (%)", "perfect calibration"} <= shown


def test_bars_are_as_high_as_the_accuracy_and_the_share(tmp_path: Path) -> None:
    draw_reliability(tmp_path / "figure.png")
    image = pixels(tmp_path / "figure.png")
    left, top, right, bottom = frame(image)
    blue = (image == np.array([0x56, 0xB4, 0xE9])).all(axis=2)

    def bar(confidence: float) -> NDArray[np.bool_]:
        column: NDArray[np.bool_] = blue[top:bottom, left + int(confidence * (right - left))]
        return column

    low, high = np.flatnonzero(bar(0.43)), np.flatnonzero(bar(0.83))
    gap = np.flatnonzero(np.diff(high) > 50)[0]
    floor = high[gap]  # of the upper axes; what comes below is the histogram
    assert floor - low[0] == pytest.approx(0.42 / 0.97 * (floor - high[0]), abs=5)
    assert (low > floor).sum() == pytest.approx((high > floor).sum() / 3, abs=5)
    assert not bar(0.7).any()


def test_no_bar_lies_under_the_legend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Any] = []
    monkeypatch.setattr(figures, "save_figure", lambda figure, path: drawn.append(figure))
    full = tuple(Bin(n / 15, (n + 1) / 15, 1, (n + 0.5) / 15, 1.0) for n in range(15))
    reliability_figure(full, 0.5, tmp_path / "r.png")
    (figure,) = drawn
    figure.draw_without_rendering()
    boxes = [legend.get_window_extent() for legend in figure.findobj(Legend)]
    assert len(boxes) == 1 and not any(boxes[0].overlaps(axes.get_window_extent()) for axes in figure.axes)
    assert figure.bbox.x0 <= boxes[0].x0 and boxes[0].x1 <= figure.bbox.x1 and boxes[0].y1 <= figure.bbox.y1


def test_matplotlib_is_imported_only_to_draw_and_without_a_screen(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "import numpy as np\n"
        "from fercli.learn.evaluation.figures import confusion_figure\n"
        "assert 'matplotlib' not in sys.modules\n"
        f"confusion_figure(np.eye(2, dtype=int), ('fear', 'anger'), Path({str(tmp_path / 'f.png')!r}))\n"
        "assert 'matplotlib' in sys.modules and 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])
    assert (tmp_path / "f.png").exists()
