"""How well the face whose sound is heard is told from others, on composites of clips.

    python benchmarks/speakers.py ../shared/data/sound

The two who hold the floor in `panel4.mp4`, five stretches of three seconds; beside each, with the same sound, mute
faces: the clips of GRID, in which people talk, and the listeners and the photo of `panel4.mp4`, which only move.
Printed for LR-ASD alone and together with how the sound follows the mouth: frame AUC, in how many pairs the talker has
the higher mean, and the share of other moments whose sound fits a face worse than its own.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter, uniform_filter1d
from sklearn.metrics import roc_auc_score

from benchmarks.speech import samples_of
from fercli.config import FacesParams
from fercli.media.decode import read_frames
from fercli.models import speaking
from fercli.models.loaded import Models
from fercli.models.lr_asd import FPS, SpeakerNetwork, mfcc
from fercli.models.registry import find_model
from fercli.stages.faces import find_faces
from fercli.stages.speakers import mouth_view

LENGTH = 3 * FPS
DETECTED_EACH = 5
TALK = (("bottom right", 0), ("bottom right", 75), ("bottom right", 150), ("top right", 255), ("top right", 300))
"""Who holds the floor from which picture on, by ear and eye."""
LISTENERS = ("top left", "bottom left", "photo")
PLACES = {
    "top left": (380, 130),
    "bottom left": (415, 390),
    "bottom right": (870, 415),
    "top right": (875, 150),
    "photo": (1190, 420),
}
"""Middles of the faces in `panel4.mp4`, pixels."""
GRID = {"": (256, 250)}
Scores = NDArray[np.float64]


def views_at(path: Path, places: Mapping[str, tuple[int, int]], models: Models) -> dict[str, NDArray[np.uint8]]:
    """Views of the mouths of the faces nearest to some places, picture by picture, of a clip at FPS."""
    detector = models.load(find_model("centerface", "detector"))
    pictures: list[Any] = []
    boxes: list[Any] = []
    for number, (_, picture) in enumerate(read_frames(path, range(15 * FPS))):
        pictures.append(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
        if number % DETECTED_EACH == 0:
            boxes.append(find_faces(detector, picture, FacesParams()).boxes)
    at, known = np.arange(len(pictures)), np.arange(len(boxes)) * DETECTED_EACH
    found = {}
    for name, place in places.items():
        own = np.array([box[np.abs((box[:, :2] + box[:, 2:]) / 2 - place).sum(axis=1).argmin()] for box in boxes])
        each = np.stack([np.interp(at, known, edge) for edge in own.T], axis=1)
        smooth = median_filter(each, (13, 1), mode="nearest")
        middles, sides = (smooth[:, :2] + smooth[:, 2:]) / 2, (smooth[:, 2:] - smooth[:, :2]).max(axis=1)
        cut = [mouth_view(grey, *where) for grey, *where in zip(pictures, middles, sides.tolist(), strict=True)]
        found[name] = np.stack(cut)
    return found


@dataclass(frozen=True)
class Clips:
    """Faces and one sound, picture by picture.

    Attributes:
        seen, dark: name of a face -> what LR-ASD sees of it, and how dark its mouth is.
        heard, loud: what LR-ASD hears, and how loud the sound is.
    """

    network: SpeakerNetwork
    seen: dict[str, Any]
    dark: dict[str, Scores]
    heard: Any
    loud: Scores

    def score(self, name: str, at: int, sound_at: int, gain: float) -> Scores:
        """Score of each picture of a stretch of a face with the sound of another moment."""
        talks = self.network.talks(self.seen[name][:, at : at + LENGTH], self.heard[:, sound_at : sound_at + LENGTH])
        moved = np.roll(self.loud, at - sound_at)[: len(self.dark[name])]
        follows = speaking.follows(self.dark[name], moved)[at : at + LENGTH]
        return np.asarray(uniform_filter1d(talks, 5, mode="nearest") + gain * follows)


def read(data: Path) -> tuple[Clips, list[str]]:
    """The clips, and the names of the mute faces that talk."""
    models = Models()
    network = models.load(find_model("lr-asd", "speakers"), device="cpu")
    panel = data / "clips" / "panel4.mp4"
    faces = views_at(panel, PLACES, models)
    grid = {path.stem: views_at(path, GRID, models)[""] for path in sorted((data / "grid").glob("*.mp4"))}
    sound, count = samples_of(panel), len(faces["photo"])
    everybody = faces | grid
    return Clips(
        network,
        {name: network.see(views) for name, views in everybody.items()},
        {name: speaking.darkness(views) for name, views in everybody.items()},
        network.hear(mfcc(sound, count)),
        speaking.loudness(sound, count),
    ), list(grid)


def report(clips: Clips, grid: list[str], gain: float) -> None:
    """Print the figures for one weight of how the sound follows the mouth."""
    own = [clips.score(name, at, at, gain) for name, at in TALK]
    talking = [[clips.score(other, 0, at, gain) for other in grid] for _, at in TALK]
    moving = [[clips.score(other, at, at, gain) for other in LISTENERS] for _, at in TALK]
    for what, others in (("talks", talking), ("moves", moving)):
        pairs = [(mine, other) for mine, row in zip(own, others, strict=True) for other in row]
        truth = np.concatenate([np.repeat([1, 0], LENGTH) for _ in pairs])
        auc = roc_auc_score(truth, np.concatenate([np.concatenate(pair) for pair in pairs]))
        right = sum(mine.mean() > other.mean() for mine, other in pairs)
        print(f"gain {gain}: mute face that {what}: AUC {auc:.3f}, the talker in {right} of {len(pairs)} pairs")
    better = []
    for (name, at), mine in zip(TALK, own, strict=True):
        moments = [moment for moment in range(0, len(clips.loud) - LENGTH, 12) if abs(moment - at) > FPS]
        better.append(np.mean([clips.score(name, at, moment, gain).mean() < mine.mean() for moment in moments]))
    print(f"gain {gain}: the own sound fits better than that of {np.mean(better):.2f} of other moments")


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="directory with clips/ and grid/")
    clips, grid = read(parser.parse_args().data)
    for gain in (0.0, speaking.GAIN):
        report(clips, grid, gain)


if __name__ == "__main__":
    main()
