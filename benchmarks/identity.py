"""How far apart are two pictures of one person, and of two? Where the limits and `tracking.identity`'s odds come from.

    pip install scikit-learn
    python benchmarks/identity.py PEOPLE... [--embedder NAME]

PEOPLE are directories with a folder a person; folders with one picture serve as strangers. In each picture the default
detector's largest face counts. Every face is taken twice: as it is, and as it looks in video, shrunk and blurred.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from sklearn.metrics import roc_curve  # type: ignore[import-untyped]

from fercli.learn.datasets.framing import largest_face
from fercli.media.images import read_image
from fercli.models.registry import find_model, load_model, model_names
from fercli.tracking.clustering import cluster
from fercli.tracking.identity import NO_PERSON, match

PICTURES = (".jpg", ".jpeg", ".png")
SMALL = 40
"""Longer side of a face in video, pixels."""
BLUR = 1.0
"""Standard deviation of its blur, pixels."""
PICTURES_EACH = (1, 2, 3)
"""Pictures of a person in the gallery."""
DRAWS = 5
"""How often other pictures are drawn for it."""
LIMITS = (0.40, 0.45, 0.50, 0.55, 0.60, 0.65)


@dataclass(frozen=True)
class Faces:
    """All pictures: (N,) whose, and (N, D) embeddings as they are and as they look in video."""

    who: NDArray[np.int64]
    sharp: NDArray[np.float32]
    small: NDArray[np.float32]


@dataclass
class Tally:
    """What became of faces that were looked up in a gallery."""

    right: int = 0
    rejected: int = 0
    confused: int = 0
    strangers: int = 0
    strangers_named: int = 0

    def add(self, truth: NDArray[np.int64], named: NDArray[np.int32]) -> None:
        """Truth is the index in the gallery, NO_PERSON for strangers."""
        known = truth != NO_PERSON
        self.right += int((known & (named == truth)).sum())
        self.rejected += int((known & (named == NO_PERSON)).sum())
        self.confused += int((known & (named != NO_PERSON) & (named != truth)).sum())
        self.strangers += int((~known).sum())
        self.strangers_named += int((~known & (named != NO_PERSON)).sum())

    def line(self) -> str:
        """The four shares, in percent."""
        known = self.right + self.rejected + self.confused
        of_known = "".join(f"{100 * part / known:10.2f}" for part in (self.right, self.rejected, self.confused))
        return f"{of_known}{100 * self.strangers_named / self.strangers:14.2f}"


def read_faces(directories: list[Path], embedder_name: str) -> Faces:
    """Find and embed the face of every picture; pictures without one are left out."""
    embedder = load_model(find_model(embedder_name, "embedder"))
    folders = sorted(folder for directory in directories for folder in directory.iterdir() if folder.is_dir())
    who, sharp, small = [], [], []
    for person, folder in enumerate(folders):
        for path in sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES):
            picture = read_image(path)
            box = largest_face(picture)
            if box is not None:
                who.append(person)
                sharp.append(embedder.embed([picture], box[None])[0])
                small.append(embedder.embed(*as_in_video(picture, box))[0])
    return Faces(np.array(who), np.stack(sharp), np.stack(small))


def as_in_video(
    picture: NDArray[np.uint8], box: NDArray[np.float32]
) -> tuple[list[NDArray[np.uint8]], NDArray[np.float32]]:
    """The picture with its face shrunk to SMALL pixels and blurred, and where the face is then."""
    factor = SMALL / float((box[2:] - box[:2]).max())
    height, width = (max(1, round(side * factor)) for side in picture.shape[:2])
    shrunk = cv2.GaussianBlur(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), (0, 0), BLUR)
    return [np.asarray(shrunk, dtype=np.uint8)], (box * factor)[None]


def pairs(faces: Faces) -> dict[str, tuple[NDArray[np.float64], NDArray[np.bool_]]]:
    """Distances of all pairs of two pictures, and whether the two are one person, by how the two look."""
    different_pictures = ~np.eye(len(faces.who), dtype=bool)
    same = faces.who[:, None] == faces.who[None]
    looks = {
        "as is": (faces.sharp, faces.sharp),
        "mixed": (faces.sharp, faces.small),
        "small": (faces.small, faces.small),
    }
    return {
        name: (np.linalg.norm(a[:, None] - b[None], axis=2)[different_pictures], same[different_pictures])
        for name, (a, b) in looks.items()
    }


def report_pairs(found: dict[str, tuple[NDArray[np.float64], NDArray[np.bool_]]]) -> None:
    """Print quantiles, equal error rates and the logistic function that fits best."""
    same_columns = f"{'same: 50 %':>12}{'95 %':>7}{'99 %':>7}"
    print(f"{'pairs':8}{same_columns}{'different: 1 %':>17}{'5 %':>7}{'50 %':>7}{'EER %':>9}{'at':>7}")
    for name, (distance, same) in found.items():
        near = "".join(f"{value:7.3f}" for value in np.quantile(distance[same], (0.5, 0.95, 0.99)))
        far = "".join(f"{value:7.3f}" for value in np.quantile(distance[~same], (0.01, 0.05, 0.5)))
        false_alarms, hits, limits = roc_curve(same, -distance)
        equal = int(np.argmin(np.abs(false_alarms - (1 - hits))))
        print(f"{name:8}     {near}          {far}{100 * false_alarms[equal]:9.2f}{-limits[equal]:7.3f}")
    distance, same = (np.concatenate(column) for column in zip(*found.values(), strict=True))
    fitted = LogisticRegression(C=1e6, class_weight="balanced").fit(distance[:, None], same)
    steepness = -float(fitted.coef_[0, 0])
    print(f"logistic: even at {float(fitted.intercept_[0]) / steepness:.3f}, steepness {steepness:.1f}")


def galleries(who: NDArray[np.int64], each: int) -> Iterator[list[NDArray[np.int64]]]:
    """Rows of the pictures of each person in a gallery: every choice of half of those who have pictures to spare."""
    spare = [rows for person in np.unique(who) if len(rows := np.flatnonzero(who == person)) > each]
    for chosen in itertools.combinations(spare, len(spare) // 2):
        for draw in range(DRAWS):
            yield [np.roll(rows, -draw)[:each] for rows in chosen]


def look_up(faces: Faces, probes: NDArray[np.float32], each: int, limit: float) -> Tally:
    """Name every face that is not in the gallery itself, one at a time, for all galleries."""
    tally = Tally()
    for gallery in galleries(faces.who, each):
        left = np.setdiff1d(np.arange(len(faces.who)), np.concatenate(gallery))
        number = {int(faces.who[rows[0]]): index for index, rows in enumerate(gallery)}
        truth = np.array([number.get(int(person), NO_PERSON) for person in faces.who[left]])
        tally.add(truth, match(list(probes[left][:, None]), [faces.sharp[rows] for rows in gallery], [], limit))
    return tally


def report_galleries(faces: Faces) -> None:
    """Print the open-set protocol."""
    print(
        f"\n{'pictures':9}{'faces':7}{'limit':>6}{'right %':>10}{'rejected':>10}{'confused':>10}{'unknown named':>14}"
    )
    for each, (look, probes) in itertools.product(PICTURES_EACH, (("as is", faces.sharp), ("small", faces.small))):
        for limit in LIMITS:
            print(f"{each:<9}{look:7}{limit:6.2f}{look_up(faces, probes, each, limit).line()}")


def report_clusters(faces: Faces) -> None:
    """Print what clustering makes of all faces, as they are and small, together."""
    both, who = np.concatenate([faces.sharp, faces.small]), np.tile(faces.who, 2)
    same = (who[:, None] == who[None])[np.triu_indices(len(who), 1)]
    print(f"\n{'limit':>6}{'persons':>9}{'of':>5}{'pairs joined rightly %':>24}{'of one person joined %':>24}")
    for limit in LIMITS:
        person = cluster(both, [], limit)
        joined = (person[:, None] == person[None])[np.triu_indices(len(who), 1)]
        shares = 100 * (joined & same).sum() / joined.sum(), 100 * (joined & same).sum() / same.sum()
        print(f"{limit:6.2f}{len(set(person)):9}{len(set(who)):5}{shares[0]:24.2f}{shares[1]:24.2f}")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("people", type=Path, nargs="+")
    parser.add_argument("--embedder", default=model_names("embedder")[0])
    options = parser.parse_args()
    faces = read_faces(options.people, options.embedder)
    report_pairs(pairs(faces))
    report_galleries(faces)
    report_clusters(faces)


if __name__ == "__main__":
    main()
