"""From a listing of files to packed faces: decode, detect or crop the face, scale it to one size.

Half a million grey faces of 64 pixels are two gigabytes, in memory; more than that is in a file (`images.space`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.errors import DatasetError, InputError
from fercli.geometry import square_around
from fercli.learn.datasets import framing
from fercli.learn.datasets.faces import DatasetSplits, FaceSet, Labelling
from fercli.learn.datasets.images import GREY, SIDE, Packing, has_colour, in_colour, resized, space
from fercli.learn.datasets.samples import SPLITS, Listing, Problem, Sample
from fercli.learn.datasets.splits import assign_splits
from fercli.media.images import square_crop
from fercli.progress import Reporter, Silent

CLIP_FRAMES = 4
"""Frames kept of a clip, evenly spaced."""
CROP_SCALE = 1.1
"""Side of the square crop around a box, in longer sides of the box."""
USUAL_SHARE = 0.5
"""Share of a picture of head and shoulders that a face takes, where it is not measured."""
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
        side: of a packed face, pixels.
        colour: whether faces are packed in colour.
    """

    search: bool
    frontal: bool
    face_scale: float
    read_picture: Callable[[Path], NDArray[np.uint8]]
    side: int = SIDE
    colour: bool = False

    def shape(self, count: int, frames: int) -> tuple[int, ...]:
        """Shape of the array of some packed faces."""
        return (count, frames, self.side, self.side, *([3] if self.colour else []))


def pack(
    listing: Listing,
    reporter: Reporter | None = None,
    *,
    name: str = "",
    terms: str = "",
    face_scale: float | None = None,
    packing: Packing = GREY,
) -> DatasetSplits:
    """Read every picture of a listing.

    Args:
        listing: result of a reader.
        reporter: gets progress.
        name, terms: instead of the listing's own.
        face_scale: face scale of the pictures, if known; otherwise it is measured with the default detector.
        packing: size and colour of the faces.

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
    cut = _look(samples, listing, face_scale, packing)
    images, kept, problems = _pack_all(samples, cut, f"read {listing.name}", reporter)
    problems = [*listing.problems, *problems]
    if not any(kept.values()):
        raise DatasetError(f"{listing.name}: no picture could be used, the first: {problems[0]}", code="dataset-empty")
    name = name or listing.name
    parts = {split: _part(kept[split], images[split], name, listing.classes) for split in SPLITS}
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


def _pack_all(
    samples: Sequence[Sample], cut: Cut, title: str, reporter: Reporter
) -> tuple[dict[str, NDArray[np.uint8]], dict[str, list[Sample]], list[Problem]]:
    """Faces and usable samples of each split, and the problems of the others."""
    frames = CLIP_FRAMES if any(len(sample.frames) > 1 for sample in samples) else 1
    images = {split: space(cut.shape(sum(sample.split == split for sample in samples), frames)) for split in SPLITS}
    kept: dict[str, list[Sample]] = {split: [] for split in SPLITS}
    problems = []
    with reporter.task(title, len(samples), "face") as task:
        for sample, result in zip(samples, _read_all(samples, frames, cut), strict=True):
            if isinstance(result, Problem):
                problems.append(result)
            else:
                images[sample.split][len(kept[sample.split])] = result
                kept[sample.split].append(sample)
            task.advance()
    return {split: images[split][: len(kept[split])] for split in SPLITS}, kept, problems


def _part(samples: Sequence[Sample], images: NDArray[np.uint8], name: str, classes: tuple[str, ...]) -> FaceSet:
    labels = np.array([classes.index(sample.label) for sample in samples], dtype=np.int64)
    labelling = Labelling.of_indices(classes, labels)
    for row, sample in enumerate(samples):
        if sample.shares is not None:
            labelling.targets[row] = sample.shares
    return FaceSet(
        images,
        {name: labelling},
        tuple(sample.subject for sample in samples),
        tuple(str(sample.frames[0]) for sample in samples),
        _ratings(samples),
    )


def _ratings(samples: Sequence[Sample]) -> NDArray[np.float32] | None:
    """(N, 2) valence and arousal, if there are any."""
    if all(sample.valence is None or sample.arousal is None for sample in samples):
        return None
    rows = [(sample.valence, sample.arousal) for sample in samples]
    return np.array([(np.nan, np.nan) if None in row else row for row in rows], dtype=np.float32)


def _look(samples: Sequence[Sample], listing: Listing, face_scale: float | None, packing: Packing) -> Cut:
    """Decide from some pictures whether they are already cropped to faces (sets with other views never are), in which
    size faces are packed, and whether in colour."""
    pictures = list(_some_pictures(samples, listing))
    share = None if listing.frontal or face_scale is not None else framing.face_share(pictures)
    boxed = any(sample.box is not None for sample in samples)
    if listing.frontal:
        cut, shown = Cut(True, True, CROP_SCALE, listing.read_picture), USUAL_SHARE
    elif face_scale is not None:
        cut, shown = Cut(False, False, face_scale, listing.read_picture), 1.0
    elif share is None or boxed or share >= framing.FILLS:
        scale = 1.0 if share is None else round(1 / share, 3)
        cut, shown = Cut(False, False, scale, listing.read_picture), 1.0
    else:
        cut, shown = Cut(True, False, CROP_SCALE, listing.read_picture), share * CROP_SCALE
    sides = [shown * min(picture.shape[:2]) for picture in pictures]
    side, colour = packing.of(sides, [has_colour(picture) for picture in pictures])
    return replace(cut, side=side, colour=colour)


def _some_pictures(samples: Sequence[Sample], listing: Listing) -> Iterator[NDArray[np.uint8]]:
    for row in framing.spread(len(samples)):
        sample = samples[row]
        try:
            picture = listing.read_picture(sample.frames[-1])
        except InputError:
            continue  # reported after all are read
        yield picture if sample.box is None else _boxed(picture, sample.box)


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
    """(frames, side, side) or (frames, side, side, 3) faces of a sample, or a problem."""
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
    return resized(in_colour(picture, cut.colour), cut.side)


def _boxed(picture: NDArray[np.uint8], box: tuple[float, float, float, float]) -> NDArray[np.uint8]:
    return square_crop(picture, square_around(np.asarray(box, dtype=np.float32), CROP_SCALE), max(picture.shape))
