"""The picture for a paper."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from fercli.colours import COLOURS, as_hex
from fercli.errors import ConfigError, InputError, MissingStage
from fercli.media.images import read_image
from fercli.views.render import timeline_figure
from fercli.views.render.timeline_figure import LONGEST_NAME, MOST_PERSONS, plot_timelines
from fercli.workspace import Workspace
from tests.edits.by_hand import annotate
from tests.failing import fails
from tests.rated import rated, smiling
from tests.views.render.scenes import Box, grey_video, make_scene
from tests.workspaces import add_receipt

BOX: Box = (40, 60, 100, 130)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Two seconds, ten frames a second."""
    return grey_video(tmp_path / "v.mp4")


@pytest.fixture
def workspace(tmp_path: Path, video: Path) -> Workspace:
    """Zoë for 1.5 s, Ross for 1 s, and somebody for half a second, with a cut at 1 s."""
    seen = {"Ross": (10, 20), "Zoë": (0, 15), "?": (5, 10)}
    return make_scene(
        tmp_path / "w", video, {name: {k: BOX for k in range(*span)} for name, span in seen.items()}, cuts=[10]
    )


def texts(svg: Path) -> list[str]:
    """All texts of an SVG, in order."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg.read_text(encoding="utf-8"))


def bars(figure: Figure) -> list[tuple[str, float, float, float]]:
    """Colour, begin, end, middle of the height of each bar."""
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import to_hex

    found = []
    for collection in figure.axes[0].collections:
        if isinstance(collection, PolyCollection):
            for path in collection.get_paths():
                corners = np.asarray(path.vertices)
                (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
                colour = to_hex(tuple(np.asarray(collection.get_facecolor())[0]))
                found.append((colour, float(left), float(right), float(top + bottom) / 2))
    return found


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that were drawn."""
    drawn: list[Figure] = []
    save = Figure.savefig

    def keep(self: Figure, *arguments: object, **options: object) -> None:
        drawn.append(self)
        save(self, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Figure, "savefig", keep)
    return drawn


def test_each_person_has_a_row_longest_first_and_a_bar_a_segment(
    tmp_path: Path, workspace: Workspace, figures: list[Figure]
) -> None:
    plot_timelines(workspace, tmp_path / "t.svg")
    axes = figures[0].axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Zoë", "Ross", "Unassigned"]
    happy = as_hex(COLOURS["happiness"])
    expected = [(happy, 0.0, 1.5, 0.0), (happy, 1.0, 2.0, 1.0), (happy, 0.5, 1.0, 2.0)]
    assert [bar[0] for bar in bars(figures[0])] == [bar[0] for bar in expected]
    assert np.array([bar[1:] for bar in bars(figures[0])]) == pytest.approx(np.array([bar[1:] for bar in expected]))
    assert axes.get_ylim() == (2.5, -0.5) and axes.get_xlim() == (0.0, 2.0)


def test_cuts_are_marked_and_named(tmp_path: Path, workspace: Workspace, figures: list[Figure]) -> None:
    from matplotlib.collections import LineCollection

    plot_timelines(workspace, tmp_path / "t.svg")
    (lines,) = (one for one in figures[0].axes[0].collections if isinstance(one, LineCollection))
    assert [segment[:, 0].tolist() for segment in lines.get_segments()] == [[1.0, 1.0]]
    assert "cut" in texts(tmp_path / "t.svg")


def test_of_a_part_that_was_analysed_nothing_else_is_shown(
    tmp_path: Path, workspace: Workspace, figures: list[Figure]
) -> None:
    only_first = {"Zoë": {k: BOX for k in range(5, 10)}}
    part = make_scene(tmp_path / "part", Path(workspace.video.path), only_first)
    add_receipt(part, "frames", start_s=0.5, end_s=1.5)
    plot_timelines(part, tmp_path / "t.svg")
    assert figures[0].axes[0].get_xlim() == (0.5, 1.5) and not hatched(figures[0])
    assert "time (m:ss); only 0:00.5 to 0:01.5 was analysed" in texts(tmp_path / "t.svg")


def test_what_a_person_said_of_another_part_is_shown_on_hatched_ground(
    tmp_path: Path, workspace: Workspace, figures: list[Figure]
) -> None:
    part = make_scene(tmp_path / "part", Path(workspace.video.path), {"Zoë": {k: BOX for k in range(5, 10)}})
    add_receipt(part, "frames", start_s=0.5, end_s=1.5)
    annotate(part, "Zoë,1.75,2.0,sad")
    plot_timelines(part, tmp_path / "t.svg")
    assert figures[0].axes[0].get_xlim() == (0.5, 2.0)
    assert hatched(figures[0]) == [(1.5, 2.0)]


def hatched(figure: Figure) -> list[tuple[float, float]]:
    """Begin and end of each stretch with a hatched ground that is inside the axes."""
    from matplotlib.patches import Rectangle

    begin, end = figure.axes[0].get_xlim()
    patches = [one for one in figure.axes[0].patches if isinstance(one, Rectangle) and one.get_hatch()]
    spans = [(one.get_x(), one.get_x() + one.get_width()) for one in patches]
    return [span for span in spans if span[0] < end and span[1] > begin]


def test_text_stays_text_and_times_are_minutes_and_seconds(tmp_path: Path, workspace: Workspace) -> None:
    plot_timelines(workspace, tmp_path / "t.svg")
    written = texts(tmp_path / "t.svg")
    assert {"Zoë", "Ross", "Unassigned", "happy", "0:00", "0:01", "0:02", "time (m:ss)"} <= set(written)


def test_fonts_in_a_pdf_are_such_as_journals_take(tmp_path: Path, workspace: Workspace) -> None:
    plot_timelines(workspace, tmp_path / "t.pdf")
    content = (tmp_path / "t.pdf").read_bytes()
    assert content.startswith(b"%PDF") and b"/Type3" not in content and b"/FontFile2" in content


def test_a_png_shows_the_colours(tmp_path: Path, workspace: Workspace) -> None:
    plot_timelines(workspace, tmp_path / "t.png")
    image = read_image(tmp_path / "t.png")
    assert image.shape[1] > 1800
    assert (image == np.array(COLOURS["happiness"])).all(axis=2).sum() > 10_000


def test_what_is_not_assessable_is_a_thin_grey_bar(tmp_path: Path, video: Path, figures: list[Figure]) -> None:
    workspace = make_scene(tmp_path / "g", video, {"Zoë": {k: BOX for k in range(10)}}, emotion="not assessable")
    plot_timelines(workspace, tmp_path / "t.svg")
    assert [bar[0] for bar in bars(figures[0])] == [as_hex(COLOURS["not assessable"])]
    assert "not assessable" in texts(tmp_path / "t.svg")


def test_the_persons_that_have_no_row_are_counted(tmp_path: Path, video: Path) -> None:
    seen = {f"P{number:02d}": {k: BOX for k in range(20 - number)} for number in range(MOST_PERSONS + 3)}
    plot_timelines(make_scene(tmp_path / "many", video, seen), tmp_path / "t.svg")
    written = texts(tmp_path / "t.svg")
    assert [text for text in written if text.startswith("P")] == [f"P{n:02d}" for n in range(MOST_PERSONS)]
    assert "time (m:ss); and 3 more persons" in written


def test_names_may_hold_anything(tmp_path: Path, video: Path) -> None:
    seen = {'$x$ <& "Ross"': {0: BOX}, "Rachel " * 10: {1: BOX}, "Ζωή": {2: BOX}}
    plot_timelines(make_scene(tmp_path / "odd", video, seen), tmp_path / "t.svg")
    written = texts(tmp_path / "t.svg")
    assert '$x$ &lt;&amp; "Ross"' in written and "Ζωή" in written
    assert ("Rachel " * 10)[: LONGEST_NAME - 1] + "…" in written


def test_the_same_workspace_makes_the_same_file(tmp_path: Path, workspace: Workspace) -> None:
    for name in ("a.svg", "b.svg"):
        plot_timelines(workspace, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_no_person_to_draw(tmp_path: Path, video: Path) -> None:
    with fails(InputError, "nothing-to-show"):
        plot_timelines(make_scene(tmp_path / "none", video, {}), tmp_path / "t.png")


def test_refusals(tmp_path: Path, workspace: Workspace) -> None:
    with fails(ConfigError, "suffix-unknown", "t.gif") as caught:
        plot_timelines(workspace, tmp_path / "t.gif")
    assert ".png, .svg, .pdf" in caught.value.hint
    (tmp_path / "t.png").write_bytes(b"mine")
    with fails(ConfigError, "output-exists", "t.png"):
        plot_timelines(workspace, tmp_path / "t.png")
    assert (tmp_path / "t.png").read_bytes() == b"mine"
    plot_timelines(workspace, tmp_path / "t.png", overwrite=True)
    assert (tmp_path / "t.png").read_bytes().startswith(b"\x89PNG")
    (workspace.path / "emotions" / "receipt.json").unlink()
    with pytest.raises(MissingStage, match="needs classify-emotions first: it has not run yet"):
        plot_timelines(workspace, tmp_path / "u.png")


def test_with_ratings_there_is_a_curve_of_valence_for_each_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Figure] = []
    monkeypatch.setattr(timeline_figure, "save_figure", lambda figure, *_, **__: drawn.append(figure))
    plot_timelines(rated(tmp_path / "w"), tmp_path / "a.png")
    _, ross, rachel = drawn[0].axes
    assert [axes.get_ylabel() for axes in (ross, rachel)] == ["Ross\nvalence", "Rachel\nvalence"]
    zero, curve = ross.lines
    assert np.asarray(zero.get_ydata()).tolist() == [0, 0]
    times, values = (np.asarray(one, np.float64) for one in (curve.get_xdata(), curve.get_ydata()))
    assert times[:2] == pytest.approx([0.05, 0.15]) and len(times) == 80
    assert np.isnan(values[40:50]).all() and values[30] > 0.5 > -0.4 > values[-1]
    assert ross.get_ylim() == (-1, 1) and len(ross.collections) == 1
    assert "valence derived, with its 90 % interval" in rachel.get_xlabel()


def test_without_ratings_the_figure_is_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Figure] = []
    monkeypatch.setattr(timeline_figure, "save_figure", lambda figure, *_, **__: drawn.append(figure))
    plot_timelines(smiling(tmp_path / "w"), tmp_path / "a.png")
    assert len(drawn[0].axes) == 1 and "valence" not in drawn[0].axes[0].get_xlabel()


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_curves_are_drawn_in_every_format(tmp_path: Path, suffix: str) -> None:
    plot_timelines(rated(tmp_path / "w"), tmp_path / f"a{suffix}")
    assert (tmp_path / f"a{suffix}").stat().st_size > 1000
    if suffix == ".svg":
        assert any("valence" in text for text in texts(tmp_path / "a.svg"))
