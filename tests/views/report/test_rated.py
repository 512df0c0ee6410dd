"""Valence, its interval and apexes in the report."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fercli.results.load import load
from fercli.views.report.columns import charts
from fercli.views.report.content import Content, read_content
from fercli.views.report.page import build
from fercli.views.report.playback import Playback
from tests.rated import HAPPY_S, UNSEEN_S, rated, smiling
from tests.views.report.test_browser import Visit, browser  # noqa: F401  a fixture


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Content:
    return read_content(rated(tmp_path_factory.mktemp("report") / "w"))


def ross(content: Content) -> dict[str, Any]:
    found: dict[str, Any] = charts(content, Playback("", "no video"))["persons"][0]
    return found


def test_ratings_are_drawn_in_bins_and_gaps_have_none(content: Content) -> None:
    own = ross(content)["rated"]
    times = np.cumsum(own["bin"]) * own["step"] / 1000
    inside = (times > UNSEEN_S[0] + 0.1) & (times < UNSEEN_S[1] - 0.1)
    assert len(times) > 60 and not inside.any()
    valence, low, high, arousal, intensity = np.array(own["percent"])
    assert (low <= valence).all() and (valence <= high).all() and valence[30] > 50 and valence[-1] < -40
    assert set(np.sign(arousal)) >= {-1, 1} and intensity.min() >= 0 and intensity.max() <= 100


def test_each_expression_has_its_apex_and_the_face_of_it(content: Content) -> None:
    own, person = ross(content), content.persons[0]
    apexes = [one for one in own["segments"]["apex"] if one is not None]
    result = content.result
    assert apexes == [round(1000 * one.course.apex_s) for one in result.segments if one.person == "Ross" and one.course]
    shown = person.face_pts_s
    assert all(np.abs(shown - apex / 1000).min() <= 0.1 + 1e-6 for apex in apexes)
    assert own["segments"]["apex"][own["segments"]["start"].index(0)] is None  # neutral


def test_the_page_says_that_it_is_derived(tmp_path: Path) -> None:
    page, _ = build(rated(tmp_path / "w"), tmp_path / "report.html")
    assert "<em>derived</em>" in page and 'data-part="valence"' in page and "</svg>apex" in page


def test_without_ratings_the_page_has_the_balance_and_no_word_of_valence(tmp_path: Path) -> None:
    page, _ = build(smiling(tmp_path / "w"), tmp_path / "report.html")
    body = re.sub(r"<script.*?</script>|<style.*?</style>", "", page, flags=re.DOTALL)
    assert 'data-part="balance"' in body and 'data-part="valence"' not in body
    assert "<strong>Valence" not in body and "</svg>apex" not in body
    assert load(smiling(tmp_path / "v")).ratings is None


@pytest.mark.slow
def test_the_curve_has_a_band_a_zero_line_and_triangles(tmp_path: Path, browser: Any) -> None:  # noqa: F811
    workspace = rated(tmp_path / "w")
    page, _ = build(workspace, tmp_path / "report.html")
    (tmp_path / "report.html").write_text(page, encoding="utf-8")
    with Visit(browser, tmp_path / "report.html") as visit:
        plot = visit.page.locator("#person-0 .plot.full")
        plot.scroll_into_view_if_needed()
        visit.wait("document.querySelectorAll('#person-0 path.valence').length === 1")
        curve = plot.locator("path.valence").get_attribute("d") or ""
        assert curve.count("M") == 2  # before and after the gap
        assert (plot.locator("path.interval").get_attribute("d") or "").count("z") == 2
        assert (plot.locator("path.apexes").get_attribute("d") or "").count("z") == 3
        box = plot.bounding_box()
        assert box
        visit.page.mouse.move(box["x"] + box["width"] * (HAPPY_S + 1) / 60, box["y"] + 20)  # the video has 60 s
        visit.wait("!document.getElementById('moment').hidden")
        said = visit.page.locator("#moment").inner_text()
        assert "valence +" in said and "strongest at" in said and "intensity" in said
        assert visit.complaints == []
