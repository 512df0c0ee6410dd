"""The report in a real Chromium: what a person sees, hears nothing of and can do."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fercli.cli.report import report
from fercli.colours import COLOURS
from fercli.workspace import VideoFacts
from tests.edits.by_hand import annotate
from tests.media_samples import HEIGHT, WIDTH, numbered_video, read_number
from tests.views.report.film import EVIL, START_S, make_film, make_film_of_nobody
from tests.workspaces import VIDEO, add_receipt

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

END_S = 14.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def frame_pts(number: int, start_s: float = START_S) -> float:
    """30 frames at 30 a second, then 10 a second: a variable frame rate."""
    return start_s + (number / 30 if number < 30 else 1 + (number - 30) / 10)


def make_video(path: Path, start_s: float) -> Path:
    """VP9, 9 s, whose frames show their numbers."""
    when = f"setpts=(if(lt(N\\,30)\\,N/30\\,1+(N-30)/10)+{start_s})/TB"
    codec = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-crf", "15", "-b:v", "0", "-g", "10")
    return numbered_video(path, 110, encode=("-vf", when, "-fps_mode", "vfr", *codec))


def facts(video: Path) -> VideoFacts:
    """Of the film at its place; its timestamps begin at START_S."""
    size = video.stat().st_size
    return replace(
        VIDEO, path=str(video), size=size, width=WIDTH, height=HEIGHT, start_s=START_S, duration_s=END_S - START_S
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module", params=[START_S, 0.0], ids=["keeps-timestamps", "counts-from-zero"])
def film_page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report beside its video. In the second form the file itself begins at 0, which to the page is the same as a
    browser that takes the first frame for the beginning."""
    folder = tmp_path_factory.mktemp("film")
    video = make_video(folder / "épisode #1.webm", request.param)
    workspace = make_film(folder / "film.fercli", facts(video))
    report(workspace.path, str(folder / "report.html"), quiet=True)
    return folder / "report.html"


@pytest.fixture
def silent_report(tmp_path: Path) -> Path:
    """A report whose video is not there."""
    report(make_film(tmp_path / "film.fercli").path, str(tmp_path / "report.html"), quiet=True)
    return tmp_path / "report.html"


class Visit:
    """A page that was opened, and everything it asked for or complained of."""

    def __init__(self, browser: Browser, path: Path, width: int = 1280, drawn: str = ".strip path.segments") -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.context = browser.new_context(offline=True, viewport={"width": width, "height": 900})
        self.page: Page = self.context.new_page()
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda line: self.complaints.append(line.text) if line.type != "log" else None)
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("html[data-ready=yes]", state="attached")
        self.page.wait_for_selector(drawn, state="attached")

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def wait(self, expression: str) -> None:
        """Until it is true; the page's policy forbids what playwright's own wait does."""
        for _ in range(2400):  # two minutes, which only a busy machine needs
            if self.page.evaluate(expression):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"never came true: {expression}")

    def click_at(self, seconds: float) -> None:
        """On the timeline of the first person."""
        box = self.page.locator(".plot.strip").first.bounding_box()
        assert box
        self.page.mouse.click(
            box["x"] + box["width"] * (seconds - START_S) / (END_S - START_S), box["y"] + box["height"] / 2
        )

    def stop(self) -> NDArray[np.uint8]:
        """Pause, and take a picture of the video with its overlay."""
        self.wait("!document.getElementById('video').paused")
        self.page.evaluate("document.getElementById('video').pause()")
        self.page.mouse.move(5, 5)
        self.page.wait_for_timeout(300)
        picture = Image.open(io.BytesIO(self.page.locator("#screen-box").screenshot())).convert("RGB")
        return np.asarray(picture)


def test_the_page_opens_offline_without_a_complaint_and_asks_for_nothing_but_itself_and_the_video(
    browser: Browser, film_page: Path
) -> None:
    with Visit(browser, film_page) as visit:
        visit.wait("document.getElementById('video').readyState > 1")
        visit.page.mouse.wheel(0, 5000)
        visit.page.wait_for_timeout(200)
        asked = {url for url in visit.requests if not url.startswith("data:")}
        assert asked == {film_page.as_uri(), (film_page.parent / "épisode #1.webm").as_uri()}
        assert visit.complaints == []


def test_the_timelines_show_the_known_persons_and_segments(browser: Browser, silent_report: Path) -> None:
    with Visit(browser, silent_report) as visit:
        names = visit.page.locator("#everyone .gutter").all_inner_texts()
        assert [name for name in names if name] == [EVIL, "Person 2", "Unassigned"]
        drawn: dict[str, list[list[float]]] = visit.page.locator(".plot.strip").first.evaluate(
            """plot => Object.fromEntries([...plot.querySelectorAll('.segments')].map(path => [path.dataset.class,
               [...path.getAttribute('d').matchAll(/M([\\d.]+) [\\d.]+h([\\d.]+)/g)].map(([, x, width]) =>
               [x / plot.clientWidth, (Number(x) + Number(width)) / plot.clientWidth])]))"""
        )
        seconds = {name: [[START_S + 9 * edge for edge in span] for span in spans] for name, spans in drawn.items()}
        assert set(seconds) == {"happy", "neutral", "not assessable"}
        assert np.allclose(seconds["happy"], [[5, 7], [12, 14]], atol=0.03)
        assert np.allclose(seconds["neutral"], [[7, 9], [9, 11]], atol=0.03)
        assert np.allclose(seconds["not assessable"], [[11, 12]], atol=0.03)


def test_a_click_plays_that_moment_with_the_boxes_of_the_frame_that_is_shown(browser: Browser, film_page: Path) -> None:
    with Visit(browser, film_page) as visit:
        visit.page.evaluate(
            """() => { window.sought = []; const film = document.getElementById('video');
               film.addEventListener('seeking', () => sought.push(film.currentTime)); }"""
        )
        # It has found out where the player's clock begins.
        visit.wait("document.getElementById('player-clock').textContent.startsWith('0:05.0')")
        visit.click_at(6.5)
        picture = visit.stop()
        sought = visit.page.evaluate("sought.at(-1)")
        assert sought in (pytest.approx(6.5, abs=0.03), pytest.approx(1.5, abs=0.03))
        shown = picture[
            np.ix_(*(np.linspace(0, n - 1, m).astype(int) for n, m in zip(picture.shape, (64, 128), strict=False)))
        ]
        time_s = frame_pts(read_number(shown))
        clock = visit.page.inner_text("#player-clock")
        assert 6.4 < time_s < 10
        assert clock.startswith(f"0:{time_s:04.1f} · shot {1 if time_s < 9 else 2}")
        scale = picture.shape[1] / WIDTH
        row = picture[int(52 * scale)].astype(int)
        kind = "happiness" if time_s < 7 else "neutral"
        coloured = np.flatnonzero(np.abs(row - COLOURS[kind]).max(axis=1) < 12)
        assert coloured[0] == pytest.approx((5 + time_s - START_S) * scale, abs=3)  # 1 pixel a second
        assert visit.complaints == []


def test_the_line_that_is_chosen_is_drawn_below_every_timeline(browser: Browser, silent_report: Path) -> None:
    def heights(visit: Visit) -> list[float]:
        path = visit.page.locator("#person-0 path.line").get_attribute("d") or ""
        return [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", path)]

    with Visit(browser, silent_report, drawn=".full path.line") as visit:
        label = visit.page.locator("#person-0 [data-part=line]")
        assert label.inner_text() == "smile" and len(set(heights(visit))) == 1
        assert visit.page.locator("path.line").count() == 2  # nothing was measured of the faces of nobody known
        visit.page.select_option("#line", label="yaw")
        visit.page.wait_for_timeout(200)
        turning = heights(visit)
        assert (
            label.inner_text() == "yaw" and turning == sorted(turning, reverse=True) and turning[0] > turning[-1] + 10
        )
        box = visit.page.locator("#person-0 .plot").bounding_box()
        assert box
        visit.page.mouse.move(box["x"] + box["width"] * 4.1 / 9, box["y"] + 12)
        said = visit.page.locator("#moment").inner_text().replace("\u00a0", " ")
        assert "smile 60 % · jaw open 25 % · yaw 10° left" in said
        assert visit.complaints == []


def test_hover_shows_the_face_and_what_was_said_of_it(browser: Browser, silent_report: Path) -> None:
    with Visit(browser, silent_report) as visit:
        box = visit.page.locator(".plot.strip").first.bounding_box()
        assert box
        visit.page.mouse.move(box["x"] + box["width"] * 3 / 9, box["y"] + 12)  # 8.0 s
        card = visit.page.locator("#moment")
        lines = card.inner_text().split("\n")
        assert lines[:3] == [EVIL, "0:08.0 · shot 1", "neutral, score 0.60"]
        assert "neutral 60 %" in lines[3]
        assert "data:image/jpeg;base64," in card.locator(".crop").evaluate("node => node.style.backgroundImage")
        visit.page.mouse.move(box["x"] + box["width"] * 6.5 / 9, box["y"] + 12)  # 11.5 s
        assert "not assessable: too small" in card.inner_text()
        other = visit.page.locator(".plot.strip").nth(1).bounding_box()
        assert other
        visit.page.mouse.move(other["x"] + other["width"] / 9, other["y"] + 12)  # 6.0 s
        assert "angry, score 0.70, doubtful: turned by 20 to 30 degrees" in card.inner_text()
        assert visit.page.locator("path.doubtful").count() == 2  # overview and timeline
        visit.page.mouse.move(5, 5)
        assert card.is_hidden()
        assert visit.complaints == []


def test_segments_set_by_hand_look_and_sound_so(browser: Browser, tmp_path: Path) -> None:
    workspace = make_film(tmp_path / "film.fercli")
    annotate(workspace, "Person 2,5,6.5,sad")
    report(workspace.path, str(tmp_path / "report.html"), quiet=True)
    with Visit(browser, tmp_path / "report.html") as visit:
        assert "set by hand" in visit.page.inner_text(".legend")
        assert [plot.locator(".by-hand").count() for plot in visit.page.locator(".plot.strip").all()] == [0, 1, 0]
        plot = visit.page.locator(".plot.strip").nth(1)
        assert plot.get_attribute("aria-valuetext") == "0:05.0, sad, set by hand"
        assert visit.complaints == []


def test_what_was_not_analysed_is_shaded_and_named(browser: Browser, tmp_path: Path) -> None:
    workspace = make_film(tmp_path / "film.fercli")
    add_receipt(workspace, "frames", start_s=8.0)
    report(workspace.path, str(tmp_path / "report.html"), quiet=True)
    with Visit(browser, tmp_path / "report.html") as visit:
        plot = visit.page.locator(".plot.strip").nth(2)  # seen from 11 s on
        box = plot.bounding_box()
        assert box
        shaded = plot.locator(".unseen").evaluate("path => path.getAttribute('d')")
        assert float(re.findall(r"h([\d.]+)", shaded)[0]) == pytest.approx(box["width"] * 3 / 9, abs=1)
        card = visit.page.locator("#moment")
        for seconds, said in ((7.5, "not analysed"), (8.5, "not on screen")):
            visit.page.mouse.move(box["x"] + box["width"] * (seconds - START_S) / 9, box["y"] + 12)
            assert said in card.inner_text()
        assert visit.complaints == []


def test_everything_works_with_the_keyboard(browser: Browser, film_page: Path) -> None:
    with Visit(browser, film_page) as visit:
        page, plot = visit.page, visit.page.locator(".plot.strip").first
        visit.wait("document.getElementById('video').readyState > 1")
        for _ in range(20):
            page.keyboard.press("Tab")
            if plot.evaluate("node => node === document.activeElement"):
                break
        said: Any = lambda: plot.get_attribute("aria-valuetext")  # noqa: E731
        assert said() == "0:05.0, happy, score 0.80"
        assert page.locator("#moment").is_visible()
        page.keyboard.press("Shift+ArrowRight")
        assert said() == "0:07.0, neutral, score 0.60"
        page.keyboard.press("ArrowRight")
        assert re.match(r"0:07\.[01], neutral", said())
        page.keyboard.press("Shift+ArrowLeft")
        page.keyboard.press("Shift+ArrowLeft")
        assert said() == "0:05.0, happy, score 0.80"
        page.keyboard.press("End")
        assert said().startswith("0:14.0, happy, score 0.90")
        page.keyboard.press("Escape")
        assert page.locator("#moment").is_hidden()
        page.keyboard.press("+")
        assert page.evaluate("[state.from, state.to]") == pytest.approx([9500, 14000], abs=2)
        page.keyboard.press("0")
        assert page.evaluate("[state.from, state.to]") == [5000, 14000]
        page.keyboard.press("Home")
        page.keyboard.press("Enter")
        visit.wait("!document.getElementById('video').paused")
        page.keyboard.press("Enter")
        visit.wait("document.getElementById('video').paused")
        assert visit.complaints == []


def test_dragging_enlarges_a_part_and_plays_nothing(browser: Browser, silent_report: Path) -> None:
    with Visit(browser, silent_report) as visit:
        box = visit.page.locator(".plot.full").first.bounding_box()
        assert box
        for step, share in enumerate((1 / 9, 2 / 9, 4 / 9)):
            visit.page.mouse.move(box["x"] + box["width"] * share, box["y"] + 40)
            if not step:
                visit.page.mouse.down()
        visit.page.mouse.up()
        assert visit.page.evaluate("[state.from, state.to]") == pytest.approx([6000, 9000], abs=20)
        visit.page.click("#zoom-all")
        assert visit.page.evaluate("[state.from, state.to]") == [5000, 14000]


def test_a_page_without_its_video_says_so_and_plays_one_that_is_chosen(
    browser: Browser, silent_report: Path, tmp_path: Path
) -> None:
    with Visit(browser, silent_report) as visit:
        assert "No playback: the video is no longer at /films/moved.mp4" in visit.page.inner_text("#player")
        visit.click_at(6.0)
        assert visit.complaints == []
        visit.page.set_input_files("input[type=file]", make_video(tmp_path / "found.webm", START_S))
        visit.wait("document.getElementById('video').readyState > 1")
        visit.click_at(6.0)
        visit.stop()
        assert "This is not the file that was analysed" in visit.page.inner_text("#player-clock")
        assert int(visit.page.get_attribute("#overlay", "data-boxes") or 0) == 2
        assert [url for url in visit.requests if url.startswith("http")] == []


def test_a_video_deleted_after_the_report_was_made_is_noticed(browser: Browser, tmp_path: Path) -> None:
    video = tmp_path / "film.webm"
    video.write_bytes(b"soon gone")
    report(make_film(tmp_path / "film.fercli", facts(video)).path, str(tmp_path / "report.html"), quiet=True)
    video.unlink()
    with Visit(browser, tmp_path / "report.html") as visit:
        visit.page.wait_for_selector("text=No playback: the browser cannot find or decode the video")
        assert visit.page.locator("#moment").is_hidden()


def test_print_holds_every_person_with_charts(browser: Browser, silent_report: Path, tmp_path: Path) -> None:
    with Visit(browser, silent_report) as visit:
        visit.page.set_viewport_size({"width": 1280, "height": 300})  # most charts were never in view
        pdf = visit.page.pdf(format="A4", tagged=True, outline=True)
        headings = re.findall(rb"/Title \(([^)]*)\)", pdf)
        assert {b"Everyone", b"Person 2", b"Unassigned", b"How this was made"} <= set(headings)
        assert visit.page.evaluate("[...document.querySelectorAll('.plot')].every(plot => plot.querySelector('svg'))")
        visit.page.emulate_media(media="print")
        assert visit.page.locator(".zoom").is_hidden() and visit.page.locator("#player").is_hidden()
        assert visit.page.locator(".legend").is_visible() and visit.page.locator(".person").count() == 3


@pytest.mark.parametrize("width", [600, 400])
def test_a_narrow_window_needs_no_sideways_scrolling(browser: Browser, film_page: Path, width: int) -> None:
    with Visit(browser, film_page, width) as visit:
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width


def test_segments_over_each_other_are_not_lettered_over_each_other(browser: Browser, tmp_path: Path) -> None:
    workspace = make_film(tmp_path / "film.fercli")
    annotate(workspace, "Nobody Tracked,5,8,happy", "Nobody Tracked,7,10,sad", "Nobody Tracked,11,13,angry")
    report(workspace.path, str(tmp_path / "report.html"), quiet=True)
    with Visit(browser, tmp_path / "report.html") as visit:
        names = visit.page.locator("#everyone .gutter").all_inner_texts()
        plot = visit.page.locator(".plot.strip").nth(names.index("Nobody Tracked"))
        assert plot.locator("text").all_text_contents() == ["angry"]


def test_a_film_without_faces_shows_nothing_to_point_at(browser: Browser, tmp_path: Path) -> None:
    report(make_film_of_nobody(tmp_path / "empty.fercli").path, str(tmp_path / "report.html"), quiet=True)
    with Visit(browser, tmp_path / "report.html", drawn="#everyone") as visit:
        assert visit.page.locator("text=No face was found.").is_visible()
        assert not any(part.is_visible() for part in visit.page.locator(".bar, .hint, #axis").all())
        assert visit.complaints == []
