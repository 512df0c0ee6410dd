"""The page in real Chromium: upload, progress, every correction, undo, two browsers at once, a service that dies."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.media_samples import HEIGHT, WIDTH, numbered_video
from tests.serve.browsers import Server, Visit, chromium, serving
from tests.views.report.film import EVIL, START_S

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow
ROSS = EVIL


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video that Chromium plays."""
    codec = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-crf", "30", "-b:v", "0", "-g", "10")
    when = f"setpts=(N/12+{START_S})/TB"
    return numbered_video(tmp_path_factory.mktemp("film") / "film.webm", 110, encode=("-vf", when, *codec))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, film: Path) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("root")
    (root / "season").mkdir()
    (root / "season" / "e01.webm").write_bytes(film.read_bytes())
    with serving(root, films=0.5) as made:
        yield made


@pytest.fixture
def job(server: Server) -> str:
    """A job that is done, without corrections."""
    made = server.client.post("/v1/jobs", json={"path": "season/e01.webm"}).json()["id"]
    server.wait(made)
    return str(made)


def persons(server: Server, job: str) -> dict[str, Any]:
    body = server.client.get(f"/v1/jobs/{job}/timeline").json()
    return {one["name"]: one for one in body["persons"]}


def segments(server: Server, job: str, person: str) -> list[tuple[int, int, str, int]]:
    body = server.client.get(f"/v1/jobs/{job}/timeline").json()
    names = [one["name"] for one in body["classes"]]
    own = persons(server, job)[person]["segments"]
    rows = zip(own["start"], own["end"], own["class"], own["human"], strict=True)
    return [(start, end, names[kind], human) for start, end, kind, human in rows]


def spot(page: Page, person: str, time_s: float) -> tuple[float, float]:
    """Where a moment of a lane is on the screen, in the middle of its segments; the whole video is shown."""
    canvas = page.locator(f"canvas[data-person={json.dumps(person, ensure_ascii=False)}]")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    return box["x"] + (time_s - START_S) / 9.0 * box["width"], box["y"] + 16


def until(page: Page, expression: str, arg: Any = None) -> None:
    """Wait until an expression is true. The page's policy allows no `eval`, so Playwright cannot wait in it."""
    end = time.monotonic() + 60
    while not page.evaluate(expression, arg):
        assert time.monotonic() < end, expression
        time.sleep(0.05)


def told(page: Page, text: str) -> None:
    """The page says something."""
    until(page, "text => document.getElementById('status').textContent.includes(text)", arg=text)


def test_videos_are_dropped_watched_opened_and_taken_away(
    browser: Browser, server: Server, film: Path, tmp_path: Path
) -> None:
    visit = Visit(browser, server)
    page = visit.page
    page.set_input_files("#files", [film, film])
    page.wait_for_selector(".job[data-state=running] progress:not([hidden])")
    until(page, "document.querySelectorAll('.job[data-state=done]').length >= 2")
    page.locator(".job[data-state=done] a.button").first.click()
    page.wait_for_selector(".lanes canvas[data-person]")
    page.click("summary:has-text('Export')")
    with page.expect_download() as download:
        page.click(".menu a:has-text('eaf')")
    download.value.save_as(tmp_path / "film.eaf")
    assert download.value.suggested_filename == "film.eaf"
    assert "<ANNOTATION_DOCUMENT" in (tmp_path / "film.eaf").read_text()
    visit.close()


def test_a_video_of_the_root_is_chosen_and_a_text_is_refused(browser: Browser, server: Server, tmp_path: Path) -> None:
    visit = Visit(browser, server)
    page = visit.page
    before = len(server.jobs())
    page.click("text=take one from the server")
    page.select_option("dialog select", "up:season")
    page.click("dialog button.main")
    page.select_option("dialog select", "video:season/e01.webm")
    page.click("dialog button.main")
    until(page, "count => document.querySelectorAll('.job').length > count", arg=before)
    assert len(server.jobs()) == before + 1
    (tmp_path / "notes.mp4").write_text("no video at all " * 1000)
    page.set_input_files("#files", tmp_path / "notes.mp4")
    told(page, "notes.mp4 is no video")
    visit.complaints = [text for text in visit.complaints if "415" not in text]
    visit.close()


def test_boxes_lie_over_the_video_where_faces_are(browser: Browser, server: Server, job: str) -> None:
    visit = Visit(browser, server, f"#/jobs/{job}")
    page = visit.page
    until(page, "document.querySelector('video').readyState >= 2")
    until(page, "Number(document.querySelector('.screen canvas').dataset.boxes) === 2")
    page.mouse.click(*spot(page, ROSS, START_S + 4.2))
    until(page, "Number(document.querySelector('.screen canvas').dataset.boxes) === 1")
    assert page.evaluate("document.querySelector('video').hidden") is False
    visit.close()


def test_every_correction_by_mouse_and_its_undo(browser: Browser, server: Server, job: str) -> None:
    visit = Visit(browser, server, f"#/jobs/{job}")
    page = visit.page
    before = segments(server, job, "Person 2")
    page.mouse.click(*spot(page, "Person 2", START_S + 1))
    page.click("[data-class=surprised]")
    told(page, "surprised from")
    assert segments(server, job, "Person 2") == [(5000, 7000, "surprised", 1)]
    page.click("[data-class='not assessable']")
    told(page, "not assessable from")
    assert segments(server, job, "Person 2") == [(5000, 7000, "not assessable", 1)]
    page.click("text=No emotion here")
    told(page, "no emotion here")
    assert segments(server, job, "Person 2") == []
    for _ in range(3):
        page.locator(".tools button:has-text('Undo')").click()
        told(page, "undone")
        page.evaluate("document.getElementById('status').textContent = ''")
    assert segments(server, job, "Person 2") == before

    x, y = spot(page, ROSS, START_S + 2)  # between happy and neutral
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 20, y)
    page.mouse.move(*spot(page, ROSS, START_S + 3))
    page.mouse.up()
    told(page, "happy from")
    found = segments(server, job, ROSS)
    assert [one[2] for one in found[:3]] == ["happy", "happy", "neutral"]
    assert found[1][3] == 1 and abs(found[1][1] - 8000) < 60 and found[2][0] == found[1][1]

    page.locator(".panel button:has-text('Rename')").click()
    page.fill("dialog input[name=name]", "Ross <b>")
    page.click("dialog button.main")
    page.wait_for_selector(".lane.chosen .person-name[title='Ross <b>']")
    page.locator(".panel button:has-text('Merge')").click()
    page.select_option("dialog select", "Person 2")
    page.click("dialog button.main")
    page.click("dialog button:has-text('Merge')")  # both are visible in one frame
    until(page, "document.querySelectorAll('.lane[data-person]').length === 2")
    assert set(persons(server, job)) == {"Person 2", "Unassigned"}
    page.locator(".panel button:has-text('Ignore')").click()
    page.wait_for_selector(".ignored button:has-text('Person 2')")
    assert persons(server, job)["Person 2"]["ignored"] is True
    page.locator(".panel button:has-text('No longer ignore')").click()
    page.wait_for_selector(".lane .person-name[title='Person 2']")
    log = server.client.get(f"/v1/jobs/{job}/edits").json()["edits"]
    assert {one["by"] for one in log} == {"annotator-1"}
    page.locator(".log button[aria-label^='Undo edit']:visible").first.click()
    page.wait_for_selector(".ignored button:has-text('Person 2')")
    visit.complaints = [text for text in visit.complaints if "409" not in text]
    visit.close()


def test_the_keyboard_does_it_all(browser: Browser, server: Server, job: str) -> None:
    visit = Visit(browser, server, f"#/jobs/{job}")
    page = visit.page
    until(page, "document.querySelector('video').readyState >= 2")
    page.keyboard.press("ArrowDown")
    page.wait_for_selector(".lane.chosen[data-person='Person 2']")
    page.keyboard.press("4")
    told(page, "happy from")
    assert segments(server, job, "Person 2") == [(5000, 7000, "happy", 1)]
    page.keyboard.press("l")
    page.keyboard.press("j")
    page.keyboard.press("ArrowRight")
    until(page, "document.querySelector('.now').textContent.startsWith('0:05.20')")
    page.keyboard.press("[")
    told(page, "no emotion here")
    assert segments(server, job, "Person 2") == [(5200, 7000, "happy", 1)]
    page.keyboard.press("Control+z")
    told(page, "undone")
    page.keyboard.press("r")
    page.keyboard.type("Joey")
    page.keyboard.press("Enter")
    page.wait_for_selector(".lane.chosen[data-person='Joey']")
    told(page, "is Joey")
    page.keyboard.press("0")
    told(page, "not assessable from")
    page.keyboard.press("?")
    page.wait_for_selector("dialog .keys")
    page.keyboard.press("Escape")
    page.keyboard.press("i")
    page.wait_for_selector(".ignored button:has-text('Joey')")
    page.keyboard.press(" ")
    until(page, "!document.querySelector('video').paused")
    page.keyboard.press("k")
    until(page, "document.querySelector('video').paused")
    slider = page.locator("canvas[role=slider]").first
    assert slider.get_attribute("aria-label") == f"Timeline of {ROSS}"
    visit.close()


PIXELS = """([person, colour, from]) => {
  const canvas = [...document.querySelectorAll("canvas[data-person]")].find((one) => one.dataset.person === person);
  const wanted = colour.match(/\\w\\w/g).map((part) => parseInt(part, 16));
  const { width, height } = canvas;
  const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, width, height);
  const columns = new Set();
  const rows = new Set();
  for (let n = from * width; n < width * height; n++)
    if (wanted.every((value, k) => Math.abs(data[4 * n + k] - value) < 3) && data[4 * n + 3] > 250) {
      columns.add(n % width);
      rows.add(Math.floor(n / width));
    }
  return { columns: columns.size / width, rows: [...rows], height };
}"""
"""Which share of a lane's columns has a colour below a row, and in which rows."""
CURVE, WORDS = ("#5b3a8c", 0), ("#0b5394", 36)  # below the frame of the selected segment, which has the colour as well


def test_a_lane_has_the_curve_of_valence_and_the_words(browser: Browser, server: Server, film: Path, job: str) -> None:
    (server.root / "season" / "rated.webm").write_bytes(film.read_bytes())
    rated = server.client.post("/v1/jobs", json={"path": "season/rated.webm"}).json()["id"]
    server.wait(rated)
    visit = Visit(browser, server, f"#/jobs/{rated}", color_scheme="light")
    page = visit.page
    until(page, f"arg => ({PIXELS})(arg).columns > 0", [ROSS, *CURVE])
    curve = page.evaluate(PIXELS, [ROSS, *CURVE])
    assert 0.8 < curve["columns"] < 0.9, "8 of 9 seconds are assessable; a few pixels are under the marks of the scale"
    middle = curve["height"] - 2 - 36 / 2
    assert min(curve["rows"]) < middle - 5, "happy lies above the zero line"
    assert min(page.evaluate(PIXELS, ["Person 2", *CURVE])["rows"]) > middle, "angry below"
    assert page.evaluate(PIXELS, [ROSS, *WORDS])["columns"] == pytest.approx(1 / 9, abs=0.02)
    assert page.evaluate(PIXELS, ["Person 2", *WORDS])["columns"] == pytest.approx(1 / 27, abs=0.02)
    page.mouse.click(*spot(page, ROSS, START_S + 1.2))
    until(page, "document.querySelector('.panel .rated').textContent.startsWith('Valence +0.')")
    assert page.locator(".panel .rated").inner_text().endswith(", derived")
    text = page.locator("canvas[role=slider]").first.get_attribute("aria-valuetext") or ""
    assert "happy, valence +0." in text and "arousal +0." in text and "says: Hello <b>there</b>." in text
    assert page.locator("b:has-text('there')").count() == 0
    page.mouse.click(*spot(page, ROSS, START_S + 6.5))
    until(page, "document.querySelector('.panel .rated').textContent === 'No valence at this moment'")
    visit.close()

    visit = Visit(browser, server, f"#/jobs/{job}", color_scheme="light")
    page = visit.page
    page.wait_for_selector(".lane.chosen")
    until(page, f"arg => ({PIXELS})(arg).columns > 0", [ROSS, "#f0e442", 0])  # happy is drawn
    plain = page.evaluate(PIXELS, [ROSS, *CURVE])
    assert (plain["columns"], plain["height"]) == (0, 68)
    assert page.evaluate(PIXELS, ["Person 2", *WORDS])["columns"] == 0
    assert page.locator(".panel .rated:visible").count() == 0
    assert "valence" not in (page.locator("canvas[role=slider]").first.get_attribute("aria-valuetext") or "")
    visit.close()


VIEW = """
- region "Person":
  - heading "Person 2" [level=2]
  - paragraph: 2.0 s on screen · identity 0.80
  - button "Rename"
  - button "Merge"
  - button "Ignore"
- region "Segment":
  - heading "happy" [level=2]
  - paragraph: 0:05.00 to 0:07.00 · set by hand
  - spinbutton "Start, seconds": "5.000"
  - spinbutton "End, seconds": "7.000"
  - group "Class of the segment":
    - button "angry"
    - button "disgusted"
    - button "afraid"
    - button "happy" [pressed]
    - button "sad"
    - button "surprised"
    - button "neutral"
    - button "contemptuous"
    - button "not assessable"
  - button "No emotion here"
"""
"""What a screen reader finds in the panel, in this order."""


CHANGES = """() => {
  window.changes = [];
  const seen = new MutationObserver((all) => {
    for (const _ of all) window.changes.push(document.querySelector("video").paused);
  });
  const lane = document.querySelectorAll("canvas[role=slider]")[1];
  seen.observe(lane, { attributes: true, attributeFilter: ["aria-valuetext"] });
}"""
"""Notes of each change of the second lane's text whether the video stands still."""


def test_a_screen_reader_finds_names_roles_values_and_messages(browser: Browser, server: Server, job: str) -> None:
    from playwright.sync_api import expect

    visit = Visit(browser, server)
    page = visit.page
    page.wait_for_selector(".job")
    expect(page.get_by_role("heading", level=1, name="Videos")).to_be_visible()
    expect(page.get_by_role("list", name="Videos").get_by_role("link", name="e01.webm").first).to_be_visible()
    page.evaluate("job => (location.hash = `#/jobs/${job}`)", job)
    expect(page.get_by_role("heading", level=1, name="e01.webm")).to_be_visible()
    until(page, "document.activeElement.id === 'main'")
    assert page.title() == "e01.webm · fercli"

    sliders = page.get_by_role("slider", name="Timeline of")
    expect(sliders).to_have_count(3)
    sliders.first.focus()
    expect(sliders.first).to_have_attribute("aria-valuetext", "0:05.0, happy")
    for slider in sliders.all():
        expect(slider).to_have_attribute("aria-valuenow", "5")
    page.keyboard.press("ArrowDown")
    expect(sliders.nth(1)).to_be_focused()
    expect(sliders.nth(1)).to_have_attribute("aria-valuetext", "0:05.0, angry")
    page.keyboard.press("End")
    expect(sliders.nth(1)).to_have_attribute("aria-valuetext", "0:14.0, not on screen")
    page.keyboard.press("Home")

    page.get_by_role("button", name="happy").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("happy from 5.00 to 7.00 s")
    expect(page.get_by_role("button", name="happy", exact=True)).to_be_focused()
    expect(page.get_by_role("complementary", name="Corrections")).to_match_aria_snapshot(VIEW)
    page.get_by_role("button", name="Undo edit 1").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".log li[data-state=undone]")
    until(page, "document.querySelector('.panel').contains(document.activeElement)")

    # A screen reader reads every change of the lane that has the focus aloud: none while the video plays.
    sliders.nth(1).focus()
    page.evaluate(CHANGES)
    page.keyboard.press("k")
    until(page, "document.querySelector('video').currentTime > 0.5 && !document.querySelector('video').paused")
    page.evaluate("window.changes.length = 0")
    page.wait_for_timeout(500)
    page.keyboard.press("k")
    until(page, "document.querySelector('video').paused && window.changes.length > 0")
    assert page.evaluate("window.changes.filter((paused) => !paused)") == []
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    until(page, "document.activeElement.id === 'main'")
    expect(sliders).to_have_count(3)
    visit.close()


def test_two_annotators_see_each_others_edits(browser: Browser, server: Server, job: str) -> None:
    one = Visit(browser, server, f"#/jobs/{job}", by="Monica")
    other = Visit(browser, server, f"#/jobs/{job}", by="Phoebe")
    other.page.mouse.click(*spot(other.page, "Person 2", START_S + 1))
    other.page.click("[data-class=sad]")
    told(one.page, "Phoebe has corrected something")
    one.page.wait_for_selector(".log li:has-text('sad')")
    one.page.mouse.click(*spot(one.page, "Person 2", START_S + 1))
    one.page.wait_for_selector("[data-class=sad][aria-pressed=true]")
    one.page.locator(".tools button:has-text('Undo')").click()
    told(one.page, "nothing of yours to undo")
    one.page.locator(".log button").first.click()
    other.page.wait_for_selector(".log li[data-state=undone]")
    assert segments(server, job, "Person 2") == [(5000, 7000, "angry", 0)]
    one.close()
    other.close()


def test_a_reload_and_a_restart_in_the_middle_of_a_job(browser: Browser, film: Path, tmp_path: Path) -> None:
    (tmp_path / "a.webm").write_bytes(film.read_bytes())
    server = Server(tmp_path, films=15)
    try:
        job = server.client.post("/v1/jobs", json={"path": "a.webm"}).json()["id"]
        visit = Visit(browser, server, f"#/jobs/{job}")
        until(visit.page, "document.querySelector('progress')?.value > 0")
        visit.page.reload()
        until(visit.page, "document.querySelector('progress')?.value > 0")
        server.kill()
        server.start()
        visit.page.wait_for_selector(".lanes canvas[data-person]")
        assert server.wait(job)["state"] == "done"
        visit.complaints = [text for text in visit.complaints if "ERR_" not in text]
        visit.close()
    finally:
        server.stop()


@pytest.mark.parametrize("width", [400, 1280, 3840])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_from_a_telephone_to_a_wall(
    browser: Browser, server: Server, job: str, width: int, scheme: str
) -> None:
    visit = Visit(browser, server, f"#/jobs/{job}", viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = visit.page
    page.wait_for_selector(".lanes canvas[data-person]")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    ground, ink = page.evaluate(
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    )
    assert (brightness(ground) > brightness(ink)) == (scheme == "light")
    ratio = page.evaluate("(box => box.width / box.height)(document.querySelector('.screen').getBoundingClientRect())")
    assert ratio == pytest.approx(WIDTH / HEIGHT, abs=0.02)
    visit.close()


def brightness(colour: str) -> float:
    """Of `rgb(r, g, b)`."""
    return sum(float(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3])
