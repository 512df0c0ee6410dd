"""How smooth the page of `fercli serve` is with a long video: two hours, 30 persons, words and valence, all synthetic.

    python benchmarks/serve_page.py [--hours 2] [--root DIR]

Prints the sizes of what the page reads, the time until it is usable and until everything is drawn, and for scrolling,
moving along the video, zooming and playing, with one step in each frame: the time from one frame to the next (median,
95th percentile and longest), and the processor time that the page's thread needs a frame, which does not depend on what
else the machine does. An empty page in the same browser shows what the machine can do. With --root, the folder is kept
and its film is used again. See docs/serve.md.
"""

from __future__ import annotations

import argparse
import gzip
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.media_samples import ffmpeg, numbered_video
from tests.serve.browsers import Server, Visit, chromium, serving

PIECE_S = 60
FRAMES = 240
"""Frames of each measurement."""
STEPS = {
    "scroll": "n => scrollBy(0, (n % 80 < 40 ? 1 : -1) * 24)",
    "zoom": "n => wheel({ ctrlKey: true, deltaY: n % 40 < 20 ? -60 : 60 })",
    "move along": "n => wheel({ shiftKey: true, deltaX: n % 120 < 60 ? 12 : -12 })",
    "move the pointer": "n => point(n)",
}
"""What is done in each frame."""
MEASURE = """async (frames) => {
  const plots = document.querySelector(".plots");
  const canvas = document.querySelector("canvas[role=slider]");
  const box = canvas?.getBoundingClientRect();
  const common = { clientX: 700, cancelable: true, bubbles: true };
  const wheel = (how) => plots?.dispatchEvent(new WheelEvent("wheel", { ...how, ...common }));
  const point = (n) => {
    const at = { clientX: box.left + ((n * 7) % box.width), clientY: box.top + 9 };
    canvas.dispatchEvent(new PointerEvent("pointermove", at));
  };
  const act = STEP;
  const found = [];
  await new Promise((resolve) => {
    let before = performance.now();
    const each = (now) => {
      found.push(now - before);
      before = now;
      if (found.length > frames) return resolve();
      act(found.length);
      requestAnimationFrame(each);
    };
    requestAnimationFrame(each);
  });
  return found.slice(1);
}"""
FILM_CODEC = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-crf", "40", "-b:v", "0", "-g", "50")


def make_video(path: Path, hours: float) -> None:
    """A video of some hours, a minute again and again."""
    piece = numbered_video(path.with_name("minute.webm"), PIECE_S * 25, fps="25", encode=FILM_CODEC)
    again = str(round(hours * 3600 / PIECE_S) - 1)
    ffmpeg("-stream_loop", again, "-i", str(piece), "-c", "copy", str(path))
    piece.unlink()


def film(server: Server, hours: float) -> str:
    """The job of the film; made if there is none."""
    known = [row["id"] for row in server.jobs() if row["state"] == "done"]
    if known:
        return str(known[0])
    make_video(server.root / "long.webm", hours)
    job = str(server.client.post("/v1/jobs", json={"path": "long.webm"}).json()["id"])
    while server.client.get(f"/v1/jobs/{job}").json()["state"] in ("queued", "running"):
        time.sleep(1)
    return job


def figures(took: list[float]) -> str:
    """Median, 95th percentile and longest."""
    middle, late = np.percentile(took, [50, 95])
    return f"median {middle:.1f} ms, p95 {late:.1f} ms, longest {max(took):.0f} ms"


def measure(page: Any, step: str) -> str:
    """The frames of a movement, and how long the page's thread works for each."""
    with_clock = page.context.new_cdp_session(page)
    with_clock.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = _worked(with_clock)
    took = page.evaluate(MEASURE.replace("STEP", step), FRAMES)
    worked = 1000 * (_worked(with_clock) - before) / FRAMES
    with_clock.detach()
    return f"{figures(took)}; {worked:.1f} ms of work"


def _worked(session: Any) -> float:
    """Seconds of processor time of the page's thread."""
    return next(
        float(one["value"])
        for one in session.send("Performance.getMetrics")["metrics"]
        if one["name"] == "TaskDuration"
    )


def sizes(server: Server, job: str) -> None:
    for path in ("timeline", "tracks-drawn"):
        took = []
        for _ in range(2):
            begun = time.perf_counter()
            content = server.client.get(f"/v1/jobs/{job}/{path}", headers={"accept-encoding": "identity"}).content
            took.append(time.perf_counter() - begun)
        small = len(gzip.compress(content, 4)) / 1e6
        print(f"{path}: {len(content) / 1e6:.2f} MB, {small:.2f} MB as sent; {took[0]:.1f} s, again {took[1]:.2f} s")


def browse(server: Server, job: str) -> None:
    with chromium() as browser:
        for again in (False, True):
            begun = time.perf_counter()
            visit = Visit(browser, server, f"#/jobs/{job}")
            page = visit.page
            page.wait_for_selector(".lanes canvas[data-person]")
            usable = time.perf_counter() - begun
            page.wait_for_selector(".video-view[data-drawn=all]")
            whole = time.perf_counter() - begun
            print(
                f"{'opened again' if again else 'opened'}: usable after {usable:.1f} s, all drawn after {whole:.1f} s"
            )
            if not again:
                visit.close()
        empty = browser.new_page()
        empty.set_content("<p>nothing</p>")
        print(f"an empty page: {measure(empty, '() => {}')}")
        empty.close()
        for name, step in STEPS.items():
            print(f"{name}: {measure(page, step)}")
            if name == "zoom":  # then the whole video is in view again
                page.keyboard.press("a")
                print(f"{name}, move along in a minute: {_closer(page)}")
        page.evaluate("scrollTo(0, 0)")
        page.keyboard.press("a")
        page.keyboard.press(" ")
        page.wait_for_timeout(1000)
        print(f"play: {measure(page, '() => {}')}")
        visit.close()


def _closer(page: Any) -> str:
    for _ in range(7):
        page.keyboard.press("+")
    return measure(page, STEPS["move along"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--root", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = given.root or Path(folder)
        root.mkdir(exist_ok=True)
        with serving(root, films=0) as server:
            job = film(server, given.hours)
            sizes(server, job)
            browse(server, job)


if __name__ == "__main__":
    main()
