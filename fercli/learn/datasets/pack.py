"""From a listing of files to faces in memory: decode, detect or crop the face, scale it to one size.

A face takes `SIDE` x `SIDE` bytes: half a million faces need two gigabytes, and training does not wait for the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fercli.errors import DatasetError, InputError
from fercli.geometry import square_around
from fercli.learn.datasets import framing
from fercli.learn.datasets.faces import DatasetSplits, FaceSet, Labelling
from fercli.learn.datasets.samples import SPLITS, Listing, Problem, Sample
from fercli.learn.datasets.splits import assign_splits
from fercli.media.images import square_crop
from fercli.progress import Reporter, Silent

SIDE = 64
"""Side of a packed face, pixels; the input of the network is a little smaller."""
CLIP_FRAMES = 4
"""Frames kept of a clip, evenly spaced."""
CROP_SCALE = 1.1
"""Side of the square crop around a box, in longer sides of the box."""
AHEAD = 64
"""Number of samples that are decoded in advance."""


@dataclass(frozen=True)
class Cut:
    """How faces are cropped from a set's pictures.

    Attributes:
        search: whether the face must be detected in each picture.
        frontal: whether only frontal faces are used.
        face_scale: side of a packed face as a multiple of the longer side of the detector's box.
        read_picture: path -> (H, W, 3) RGB.
    """

    search: bool
    frontal: bool
    face_scale: float
    read_picture: Callable[[Path], NDArray[np.uint8]]


def pack(
    listing: Listing,
    reporter: Reporter | None = None,
    *,
    name: str = "",
    terms: str = "",
    face_scale: float | None = None,
) -> DatasetSplits:
    """Read every picture of a listing.

    Args:
        listing: result of a reader.
        reporter: gets progress.
        name, terms: instead of the listing's own.
        face_scale: face scale of the pictures, if known; otherwise it is measured with the default detector.

    Raises:
        DatasetError: nothing in the listing can be used.
        ModelError: the detector cannot be used.
    """
    reporter = reporter or Silent()
    samples = assign_splits(listing.samples)
    if not samples:
        raise DatasetError(
            f"{listing.name}: no usable sample"
            + (f"; {len(listing.problems)} problems, the first: {listing.problems[0]}" if listing.problems else ""),
            hint="check --root and --dataset: is it this set, unpacked as downloaded?",
            code="dataset-empty",
        )
    cut = _look(samples, listing) if face_scale is None else Cut(False, False, face_scale, listing.read_picture)
    frames = CLIP_FRAMES if any(len(sample.frames) > 1 for sample in samples) else 1
    images = np.zeros((len(samples), frames, SIDE, SIDE), np.uint8)
    problems, kept = list(listing.problems), np.zeros(len(samples), dtype=bool)
    with reporter.task(f"read {listing.name}", len(samples), "face") as task:
        for row, result in enumerate(_read_all(samples, frames, cut)):
            if isinstance(result, Problem):
                problems.append(result)
            else:
                images[row], kept[row] = result, True
            task.advance()
    if not kept.any():
        raise DatasetError(f"{listing.name}: no picture could be used, the first: {problems[0]}", code="dataset-empty")
    name = name or listing.name
    parts = {split: _part(samples, images, kept, split, name, listing.classes) for split in SPLITS}
    official = any(sample.split for sample in listing.samples)
    return DatasetSplits(
        name,
        terms or listing.terms,
        cut.face_scale,
        parts["train"],
        parts["valid"],
        parts["test"],
        tuple(problems),
        official,
        listing.notes,
    )


def _part(
    samples: Sequence[Sample],
    images: NDArray[np.uint8],
    kept: NDArray[np.bool_],
    split: str,
    name: str,
    classes: tuple[str, ...],
) -> FaceSet:
    rows = [row for row, sample in enumerate(samples) if kept[row] and sample.split == split]
    labels = np.array([classes.index(samples[row].label) for row in rows], dtype=np.int64)
    return FaceSet(
        images[rows],
        {name: Labelling.of_indices(classes, labels)},
        tuple(samples[row].subject for row in rows),
        tuple(str(samples[row].frames[0]) for row in rows),
    )


def _look(samples: Sequence[Sample], listing: Listing) -> Cut:
    """Decide from some pictures whether they are already cropped to faces; sets with other views never are."""
    if listing.frontal:
        return Cut(True, True, CROP_SCALE, listing.read_picture)
    chosen = [samples[row] for row in framing.spread(len(samples))]
    pictures = []
    for sample in chosen:
        try:
            picture = listing.read_picture(sample.frames[-1])
        except InputError:
            continue  # reported after all are read
        pictures.append(picture if sample.box is None else _boxed(picture, sample.box))
    share = framing.face_share(pictures)
    boxed = any(sample.box is not None for sample in samples)
    if share is None or boxed or share >= framing.FILLS:
        return Cut(False, False, 1.0 if share is None else round(1 / share, 3), listing.read_picture)
    return Cut(True, False, CROP_SCALE, listing.read_picture)


def _read_all(samples: Sequence[Sample], frames: int, cut: Cut) -> Iterator[NDArray[np.uint8] | Problem]:
    """Results in order, some decoded in advance; in threads, because OpenCV releases the interpreter lock."""
    with ThreadPoolExecutor() as pool:
        todo = iter(samples)
        pending = [pool.submit(_read, sample, frames, cut) for sample in islice(todo, AHEAD)]
        while pending:
            result = pending.pop(0).result()
            pending.extend(pool.submit(_read, sample, frames, cut) for sample in islice(todo, 1))
            yield result


def _read(sample: Sample, frames: int, cut: Cut) -> NDArray[np.uint8] | Problem:
    """(frames, SIDE, SIDE) faces of a sample, or a problem."""
    chosen = [sample.frames[row] for row in _chosen(len(sample.frames), frames, sample.apex)]
    faces = {}
    for path in dict.fromkeys(chosen):
        try:
            faces[path] = _face(path, sample, cut)
        except InputError as error:
            return Problem(str(path), 0, error.message)
    return np.stack([faces[path] for path in chosen])


def _chosen(count: int, wanted: int, apex: int | None) -> list[int]:
    """`wanted` of `count` frames, including the first and the last, which is often the apex. If the apex is known to be
    elsewhere, it replaces the nearest inner frame."""
    if wanted == 1:
        return [0 if apex is None else apex]
    rows = np.linspace(0, count - 1, wanted).round().astype(int)
    if apex is not None and apex not in rows:
        rows[1 + np.abs(rows[1:-1] - apex).argmin()] = apex
    return sorted(rows.tolist())


def _face(path: Path, sample: Sample, cut: Cut) -> NDArray[np.uint8]:
    picture = cut.read_picture(path)
    if sample.box is not None:
        picture = _boxed(picture, sample.box)
    elif cut.frontal:
        found = framing.frontal_face(picture)
        if found is None:
            raise InputError(f"no frontal face found in {path}", code="face-missing")
        upright, face = found
        picture = square_crop(upright, square_around(face, CROP_SCALE), max(upright.shape))
    elif cut.search:
        box = framing.largest_face(picture)
        if box is None:
            raise InputError(f"no face found in {path}", code="face-missing")
        picture = square_crop(picture, square_around(box, CROP_SCALE), max(picture.shape))
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    way = cv2.INTER_AREA if min(grey.shape) > SIDE else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, (SIDE, SIDE), interpolation=way), dtype=np.uint8)


def _boxed(picture: NDArray[np.uint8], box: tuple[float, float, float, float]) -> NDArray[np.uint8]:
    return square_crop(picture, square_around(np.asarray(box, dtype=np.float32), CROP_SCALE), max(picture.shape))
