"""What is said, in the report: without JavaScript, in the data of the charts, and in a browser."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fercli.views.report.page import build
from fercli.workspace import Workspace
from tests.fake_speech import add_speaker, add_speech
from tests.views.report.film import EVIL, make_film
from tests.views.report.test_page import Elements, charts_of

SAID = [(5.5, 6.5, "Hello <b>there</b>."), (7.0, 8.0, "Who is it?"), (10.0, 11.5, "Nobody, Zoë.")]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def talking_film(folder: Path) -> Workspace:
    workspace = add_speech(make_film(folder), SAID)
    add_speaker(workspace, 5.0, 6.8, EVIL)
    add_speaker(workspace, 6.9, 8.5)
    return workspace


def test_the_page_lists_what_is_said_and_by_whom(tmp_path: Path) -> None:
    page, _ = build(talking_film(tmp_path / "w"), tmp_path / "report.html")
    text = "".join(Elements(page).text)
    assert "Hello <b>there</b>." in text and "Off screen" in text and "talks for 1.0 s" in text
    assert page.count("<li data-start") == 3 and '<li data-start="5500" data-end="6500" data-person="0">' in page
    assert "<b>there" not in page
    persons = charts_of(page)["persons"]
    assert persons[0]["said"] == {"start": [5500], "end": [6500], "text": ["Hello <b>there</b>."]}
    assert persons[1]["said"]["start"] == []
    assert '<ol id="said"' in page and 'data-part="speech"' in page


def test_a_film_without_speech_has_no_trace_of_it(tmp_path: Path) -> None:
    page, _ = build(make_film(tmp_path / "w"), tmp_path / "report.html")
    assert 'id="said"' not in page and 'data-part="speech"' not in page


@pytest.mark.slow
def test_the_transcript_follows_and_is_searched(tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    html, _ = build(talking_film(tmp_path / "w"), tmp_path / "report.html")
    (tmp_path / "report.html").write_text(html, encoding="utf-8")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = opened.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto((tmp_path / "report.html").as_uri())
        page.wait_for_selector("html[data-ready=yes]")
        assert page.locator("#person-0 path.speech").count() == 1 and page.locator("#person-1 path.speech").count() == 0
        page.evaluate("moveTo(0, 7200)")
        assert page.locator("#said li[aria-current]").inner_text().endswith("Off screen Who is it?")
        page.locator("#said li").nth(0).click()
        assert page.locator("#said li[aria-current]").count() == 1
        assert page.evaluate("state.time") == 5500 and page.evaluate("state.person") == 0
        page.fill("#said-search", "zoe nobody")
        assert page.locator("#said li:visible").count() == 1 and page.locator("#said-count").inner_text() == "1 of 3"
        page.fill("#said-search", "")
        assert page.locator("#said li:visible").count() == 3
        plot = page.locator("#person-0 .plot")
        plot.scroll_into_view_if_needed()
        box = plot.bounding_box()
        assert box is not None
        plot.hover(position={"x": box["width"] * 1.0 / 9, "y": 20})
        assert "Hello" in page.locator("#moment .spoken").inner_text()
        assert not problems
        opened.close()
