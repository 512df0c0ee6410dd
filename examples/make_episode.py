"""Make an edited video in which several persons come back again and again, with the truth of who is where.

    python -m examples.make_episode episode.mp4 [--johns FOLDER] [--shots 54] [--soft 0.5] [--truth episode.truth.json]

The man and the woman of the sample (`make_sample.py`) are always in it; FOLDER adds a person for every folder of
pictures in it, for example dlib's `examples/johns`. 640 x 360 at 25 frames/s, no sound, hard cuts, shots of 1 to 2
seconds: close-ups, pans, zooms, two persons side by side, out of focus, in the dark, far away, mirrored. Persons and
kinds of shots come round in turn, everybody in every kind if there are shots enough, and in another picture each time
as long as there are others. With --soft, shots go over into each other by dissolves, wipes, and fades through black in
turn, of so many seconds, which the truth leaves out. The same packages and pictures always give the same file.

The default detector finds the face in each picture first, and the shot then places it, so the truth is known:
`{"fps", "shots": [{"start_s", "end_s", "faces": [{"person", "boxes": [[t, x1, y1, x2, y2], ...]}]}]}`, times in
seconds, boxes in pixels. `fercli evaluate persons` reads it.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from examples.make_sample import (
    FPS,
    HEIGHT,
    MAN,
    WIDTH,
    WOMAN,
    MissingPictureError,
    carphone_frames,
    package_file,
    write_video,
)
from fercli.errors import DatasetError, FercliError
from fercli.learn.datasets.framing import largest_face
from fercli.media.images import read_image

SHOTS = 54
TRUTH_STEP = 5
"""Frames from one true box to the next."""
TRANSITIONS = ("dissolve", "wipe", "through black")
"""In the order in which they come, if there are any."""
SUFFIXES = (".jpg", ".jpeg", ".png")

_MAN_PLAYS = 24
"""Frames of each piece that the man's clip is cut into."""
_SOFT_EDGE = 0.06
"""Width of the soft edge of a picture that does not fill the view, as a share of its shorter side."""


@dataclass(frozen=True)
class Framing:
    """Where the middle of the face lies, as a share of the view, and how high the face is, in pixels."""

    x: float
    y: float
    height: float


@dataclass(frozen=True)
class Kind:
    """A kind of shot.

    Attributes:
        begin, end: framing at the first frame and after the last one; evenly from one to the other.
        views: persons side by side, each in a view of their own.
        mirrored: whether left and right are swapped.
        blur: standard deviation of the defocus, as a share of the face's height.
        light: what all colours are multiplied by.
    """

    begin: Framing
    end: Framing
    views: int = 1
    mirrored: bool = False
    blur: float = 0.0
    light: float = 1.0

    def framing(self, share: float) -> Framing:
        """At a share of the shot, from 0 to 1."""
        a, b = self.begin, self.end
        x, y, height = ((1 - share) * p + share * q for p, q in ((a.x, b.x), (a.y, b.y), (a.height, b.height)))
        return Framing(x, y, height)


CLOSE_UP = Kind(Framing(0.5, 0.5, 230), Framing(0.5, 0.5, 236))
PAN = Kind(Framing(0.3, 0.5, 150), Framing(0.7, 0.5, 150))
ZOOM_IN = Kind(Framing(0.5, 0.45, 100), Framing(0.45, 0.5, 220))
SIDE_BY_SIDE = Kind(Framing(0.5, 0.5, 140), Framing(0.5, 0.48, 150), views=2)
OUT_OF_FOCUS = Kind(Framing(0.4, 0.5, 170), Framing(0.45, 0.5, 170), blur=0.02)
DARK = Kind(Framing(0.55, 0.5, 160), Framing(0.5, 0.5, 180), light=0.3)
FAR_AWAY = Kind(Framing(0.35, 0.55, 44), Framing(0.45, 0.55, 48))
MIRRORED_ZOOM_OUT = Kind(Framing(0.55, 0.5, 210), Framing(0.5, 0.5, 130), mirrored=True)
SIDE_BY_SIDE_AT_DUSK = Kind(Framing(0.5, 0.5, 70), Framing(0.55, 0.5, 75), views=2, mirrored=True, light=0.6)
KINDS = (
    CLOSE_UP,
    PAN,
    ZOOM_IN,
    SIDE_BY_SIDE,
    OUT_OF_FOCUS,
    DARK,
    FAR_AWAY,
    MIRRORED_ZOOM_OUT,
    SIDE_BY_SIDE_AT_DUSK,
)
"""In the order in which they come."""


class Take:
    """One look of a person: a picture, or several that are played forwards and backwards."""

    def __init__(self, person: str, source: str, images: Sequence[NDArray[np.uint8]]) -> None:
        self.person = person
        self._source = source
        self._images = images
        self._boxes: dict[int, NDArray[np.float64]] = {}

    def image(self, frame: int) -> NDArray[np.uint8]:
        """(H, W, 3) picture at a frame of the shot."""
        return self._images[self._number(frame)]

    def face(self, frame: int) -> NDArray[np.float64]:
        """(4,) box of the face in that picture.

        Raises:
            DatasetError: the detector finds none.
        """
        number = self._number(frame)
        if number not in self._boxes:
            box = largest_face(self._images[number])
            if box is None:
                raise DatasetError(f"no face is found in {self._source}", hint="take it out of the folder")
            self._boxes[number] = box.astype(np.float64)
        return self._boxes[number]

    def _number(self, frame: int) -> int:
        last = len(self._images) - 1
        return last - abs(last - frame % max(1, 2 * last))


@dataclass(frozen=True)
class Shot:
    """A shot as it will be seen.

    Attributes:
        frames: how many.
        takes: who is seen, from left to right, one a view.
    """

    kind: Kind
    frames: int
    takes: tuple[Take, ...]

    def images(self, more: int = 0) -> Iterator[NDArray[np.uint8]]:
        """All frames, (HEIGHT, WIDTH, 3), and so many more of how it would go on."""
        way = slice(None, None, -1 if self.kind.mirrored else 1)
        backdrops = [_backdrop(take.image(0)[:, way], self._width()) for take in self.takes]
        for frame in range(self.frames + more):
            views = [
                _lay_over(backdrop, take.image(frame), self._placing(take, frame))
                for take, backdrop in zip(self.takes, backdrops, strict=True)
            ]
            lit = np.hstack(views) * self.kind.light
            if self.kind.blur:
                sigma = self.kind.blur * self.kind.framing(frame / self.frames).height
                lit = np.asarray(cv2.GaussianBlur(lit, (0, 0), sigma))
            yield lit.round().astype(np.uint8)

    def faces(self, start: int) -> list[dict[str, Any]]:
        """Who is where if the shot begins with frame `start` of the video, as the truth says it."""
        frames = [*range(0, self.frames, TRUTH_STEP), self.frames]
        return [
            {
                "person": take.person,
                "boxes": [[(start + frame) / FPS, *self._box(take, frame, number * self._width())] for frame in frames],
            }
            for number, take in enumerate(self.takes)
        ]

    def _width(self) -> int:
        return WIDTH // self.kind.views

    def _placing(self, take: Take, frame: int) -> NDArray[np.float64]:
        """(2, 3) matrix from the edges of the picture's pixels to those of the view's; the camera moves, and the face
        may move before it."""
        x1, y1, x2, y2 = take.face(0)
        framing = self.kind.framing(frame / self.frames)
        scale = framing.height / (y2 - y1)
        across = -scale if self.kind.mirrored else scale
        left = framing.x * self._width() - across * (x1 + x2) / 2
        top = framing.y * HEIGHT - scale * (y1 + y2) / 2
        return np.array([[across, 0, left], [0, scale, top]])

    def _box(self, take: Take, frame: int, left: int) -> list[float]:
        placing = self._placing(take, frame)
        corners = placing[:, :2] @ take.face(frame).reshape(2, 2).T + placing[:, 2:]
        (x1, x2), (y1, y2) = np.sort(corners, axis=1).round(1).tolist()
        return [left + x1, y1, left + x2, y2]


def make_episode(path: Path, johns: Path | None = None, shots: int = SHOTS, soft: float = 0.0) -> dict[str, Any]:
    """Write the video and return the truth.

    Args:
        path: where.
        johns: folder with a folder of pictures for every person to add.
        shots: how many, at least 1.
        soft: how long each transition between two shots takes, at most a second; 0 for hard cuts.

    Raises:
        MissingPictureError: a package that the sample needs is not installed.
        DatasetError: `johns` has no pictures, or in one of them no face is found.
        FercliError: a picture or the detector cannot be used.
        OSError: the video cannot be written.
    """
    plan = plan_shots([_man_takes(), _woman_takes(), *(_johns_takes(johns) if johns else [])], shots)
    length = round(soft * FPS)
    truth, start = [], 0
    for number, shot in enumerate(plan):
        end, pure = start + shot.frames, start + (length if number else 0)
        truth.append({"start_s": pure / FPS, "end_s": end / FPS, "faces": shot.faces(start)})
        start = end
    write_video(path, _joined(plan, length))
    return {"fps": FPS, "shots": truth}


def _joined(plan: Sequence[Shot], length: int) -> Iterator[NDArray[np.uint8]]:
    """All shots, each mixed over its first `length` frames with what the one before would have gone on with."""
    tail: list[NDArray[np.uint8]] = []
    for number, shot in enumerate(plan):
        images = list(shot.images(length))
        for frame, image in enumerate(images[: shot.frames]):
            if frame < len(tail):
                yield _mixed(TRANSITIONS[number % len(TRANSITIONS)], tail[frame], image, (frame + 1) / (length + 1))
            else:
                yield image
        tail = images[shot.frames :]


def _mixed(kind: str, before: NDArray[np.uint8], after: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    """A picture of a transition; `share`, from 0 to 1, of it has passed."""
    if kind == "wipe":
        return np.where(np.arange(WIDTH)[None, :, None] < share * WIDTH, after, before)
    if kind == "dissolve":
        return cv2.addWeighted(before, 1 - share, after, share, 0).astype(np.uint8)
    return (abs(1 - 2 * share) * (before if share < 0.5 else after)).astype(np.uint8)


def plan_shots(cast: Sequence[Sequence[Take]], shots: int) -> list[Shot]:
    """Kinds and persons in turn; persons skip one whenever both would begin anew together."""
    seen: Counter[int] = Counter()
    plan = []
    for number in range(shots):
        rounds, kind = divmod(number, len(KINDS))
        first = number + number // math.lcm(len(KINDS), len(cast))
        second = first + 1 + rounds % (len(cast) - 1)
        takes = []
        for place in (first, second)[: KINDS[kind].views]:
            person = place % len(cast)
            takes.append(cast[person][seen[person] % len(cast[person])])
            seen[person] += 1
        plan.append(Shot(KINDS[kind], FPS + 7 * number % (FPS + 1), tuple(takes)))
    return plan


def _man_takes() -> list[Take]:
    clip = list(carphone_frames())
    pieces = [clip[first : first + _MAN_PLAYS] for first in range(0, len(clip), _MAN_PLAYS)]
    return [Take(MAN, f"piece {number} of the man's clip", piece) for number, piece in enumerate(pieces, start=1)]


def _woman_takes() -> list[Take]:
    file = package_file("skimage", "data/astronaut.png", "scikit-image")
    return [Take(WOMAN, str(file), [read_image(file)])]


def _johns_takes(folder: Path) -> list[list[Take]]:
    cast = []
    for person in sorted(path for path in folder.glob("*") if path.is_dir()):
        pictures = sorted(path for path in person.iterdir() if path.suffix.lower() in SUFFIXES)
        if pictures:
            cast.append([Take(person.name, str(picture), [read_image(picture)]) for picture in pictures])
    if not cast:
        raise DatasetError(f"no folders with pictures in {folder}", hint=f"a folder a person, {', '.join(SUFFIXES)}")
    return cast


def _backdrop(picture: NDArray[np.uint8], width: int) -> NDArray[np.float32]:
    """What a picture shows left and right of the face, stretched over the view and far out of focus."""
    strip = max(1, picture.shape[1] // 8)
    beside = np.hstack([picture[:, :strip], picture[:, -strip:]])
    stretched = cv2.resize(beside, (width, HEIGHT), interpolation=cv2.INTER_LINEAR)
    return cv2.GaussianBlur(stretched, (0, 0), HEIGHT / 12).astype(np.float32)


def _lay_over(
    backdrop: NDArray[np.float32], picture: NDArray[np.uint8], placing: NDArray[np.float64]
) -> NDArray[np.float32]:
    """The picture placed over the backdrop, its edges soft."""
    size = backdrop.shape[1], backdrop.shape[0]
    scale = placing[1, 1]
    if scale < 1:  # else fine detail would flicker
        picture = cv2.GaussianBlur(picture, (0, 0), 0.4 / scale).astype(np.uint8)
    # OpenCV counts from the middle of the first pixel, not from its edge.
    move = placing + np.hstack([np.zeros((2, 2)), placing[:, :2].sum(axis=1, keepdims=True) / 2 - 0.5])
    height, width = picture.shape[:2]
    across, down = (np.minimum(np.arange(n) + 0.5, n - np.arange(n) - 0.5) for n in (width, height))
    edge = np.minimum(across[None, :], down[:, None]) / (_SOFT_EDGE * min(width, height))
    cover = cv2.warpAffine(np.clip(edge, 0, 1).astype(np.float32), move, size)[:, :, None]
    placed = cv2.warpAffine(picture, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(backdrop + cover * (placed - backdrop), dtype=np.float32)


def _as_text(truth: dict[str, Any]) -> str:
    """JSON with a line for every shot."""
    shots = ",\n".join(json.dumps(shot) for shot in truth["shots"])
    return f'{{"fps": {truth["fps"]}, "shots": [\n{shots}\n]}}'


def main(arguments: list[str]) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(description="Make an edited video of several persons who come back.")
    parser.add_argument("video", type=Path, help="where to write it, for example episode.mp4")
    parser.add_argument("--johns", type=Path, help="folder with a folder of pictures for every person to add")
    parser.add_argument("--shots", type=int, default=SHOTS, help="how many (default: %(default)s)")
    parser.add_argument("--soft", type=float, default=0.0, help="seconds of each transition (default: hard cuts)")
    parser.add_argument("--truth", type=Path, help="write the truth here as JSON; otherwise it is printed")
    options = parser.parse_args(arguments)
    if options.shots < 1:
        parser.error("--shots is at least 1")
    if not 0 <= options.soft <= 1:
        parser.error("--soft is from 0 to 1")
    try:
        truth = _as_text(make_episode(options.video, options.johns, options.shots, options.soft))
        if options.truth:
            options.truth.write_text(truth + "\n", encoding="utf-8")
        else:
            print(truth)
    except (MissingPictureError, FercliError) as error:
        print(f"make_episode: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"make_episode: cannot write {options.video}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
