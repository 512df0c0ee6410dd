"""The report of a series in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import pytest

from fercli.cli.entry import main
from tests.series.season import make_season
from tests.views.report.film import EVIL
from tests.views.report.test_browser import browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow
__all__ = ["browser"]


@pytest.fixture(scope="module")
def series_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("series")
    make_season(folder / "season", [f"episode {number:02}" for number in range(1, 13)])
    output = folder / "series.html"
    assert main(["report", str(folder / "season"), "-o", str(output), "-q", "--videos"]) == 0
    return output


@pytest.fixture
def visit(browser: Browser, series_page: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Page, list[str]]]:
    width, scheme = cast("tuple[int, Literal['light', 'dark']]", getattr(request, "param", (1280, "light")))
    context = browser.new_context(offline=True, viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type != "log" else None)
    page.goto(series_page.as_uri())
    yield page, complaints
    context.close()


@pytest.mark.parametrize("visit", [(1280, "light"), (400, "dark")], indirect=True)
def test_it_fits_a_phone_and_a_screen_without_a_complaint(visit: tuple[Page, list[str]]) -> None:
    page, complaints = visit
    inner, outer = (page.evaluate(f"document.documentElement.{name}") for name in ("scrollWidth", "clientWidth"))
    assert inner == outer
    box = page.locator(".scroll")
    assert box.evaluate("box => box.scrollWidth > box.clientWidth")  # twelve videos scroll, and the page does not
    head = page.locator("tbody th").first
    box.evaluate("box => box.scrollLeft = 10000")
    assert head.bounding_box()["x"] < 40  # type: ignore[index]  # names stay in sight
    assert complaints == []


def test_a_cell_leads_to_the_person_and_a_moment_to_the_report(visit: tuple[Page, list[str]]) -> None:
    page, complaints = visit
    page.locator("tbody tr").nth(1).locator("a").nth(2).click()
    person = page.locator(".person:target")
    assert person.locator("h4").inner_text() == "Person 2"
    assert page.evaluate("document.querySelector('.person:target').closest('section').innerText").startswith(
        "episode 03"
    )
    person.locator(".moments a").first.click()
    page.wait_for_selector("html[data-ready=yes]", state="attached")
    assert page.url.endswith("season/episode%2003.html#t=5.000&person=Person%202")
    assert page.evaluate("[persons[state.person].name, state.time]") == ["Person 2", 5000]
    assert page.locator("#person-1").bounding_box()["y"] < 400  # type: ignore[index]
    assert complaints == []


def test_keys_reach_the_table_and_every_link(visit: tuple[Page, list[str]]) -> None:
    page, _ = visit
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to persons"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "scroll"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "episode 01"


def test_a_screen_reader_hears_who_and_how_long(visit: tuple[Page, list[str]]) -> None:
    page, _ = visit
    region = page.get_by_role("region", name="Persons and videos")
    table = region.get_by_role("table", name="Seconds on screen of each person in each video")
    assert table.get_by_role("rowheader").all_inner_texts() == [EVIL, "Person 2"]
    assert table.get_by_role("link", name="2.0 s angry 100 %").count() == 12
