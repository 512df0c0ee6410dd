"""The picture of the page in README and docs/serve.md: the demo video, annotated by the service.

    python benchmarks/serve_picture.py docs/serve.png

Everything is real: the service, its networks, and the page in Chromium. A picture of 256 colours is small enough for
the README.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from examples.make_sample import make_sample
from fercli.colours import COLOURS
from tests.serve.browsers import Visit, chromium, serving

SIZE = {"width": 1180, "height": 900}
MOMENT_MS = 5500
"""The woman, who smiles."""
OPTIONS = {"frames": {"fps": 10}, "valence": {}}


def _small(shot: Image.Image) -> Image.Image:
    """A picture in 256 colours, among them those of all classes: a strip of these below it is cut off afterwards."""
    whole = Image.new("RGB", (shot.width, shot.height + 40 * len(COLOURS)))
    whole.paste(shot)
    for number, colour in enumerate(COLOURS.values()):
        whole.paste(colour, (0, shot.height + 40 * number, shot.width, shot.height + 40 * (number + 1)))
    return whole.quantize(256, dither=Image.Dither.NONE).crop((0, 0, *shot.size))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        root = Path(folder)
        make_sample(root / "sample.mp4")
        with serving(root, "--jobs", "1") as server:
            job = server.client.post("/v1/jobs", json={"path": "sample.mp4", "options": OPTIONS}).json()["id"]
            print(server.wait(job, "done", "failed", patience_s=1800))
            visit = Visit(browser, server, f"#/jobs/{job}", viewport=SIZE, color_scheme="light")
            page = visit.page
            page.wait_for_selector(".video-view[data-drawn=all]")
            page.locator(".person-name").nth(1).click()
            for _ in range(2):
                page.keyboard.press("l")
            for _ in range(MOMENT_MS % 2000 // 200):
                page.keyboard.press("ArrowRight")
            page.wait_for_timeout(2000)
            page.mouse.move(5, 5)  # away from the video, whose controls would show
            page.wait_for_timeout(4000)
            _small(Image.open(io.BytesIO(page.screenshot())).convert("RGB")).save(given.picture, optimize=True)
            print(f"{given.picture}: {given.picture.stat().st_size / 1000:.0f} kB")
            visit.close()


if __name__ == "__main__":
    main()
