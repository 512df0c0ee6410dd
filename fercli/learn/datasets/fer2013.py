"""FER2013 and FER+: 48x48 grey faces, labelled twice (Goodfellow et al. 2013, arXiv 1307.0414; Barsoum et al. 2016,
arXiv 1608.01041).

FER2013 gives each image one of seven classes. FER+ had ten people vote on each image, among eight classes, `unknown`
and `not a face`. The two often disagree, so they are kept as two sets of labels of the same faces: a network learns
both, and each is scored by its own protocol. Training is used for fitting, PublicTest for selection, PrivateTest is
reported once.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.errors import DatasetError
from fercli.labels import EMOTIONS, EMOTIONS_8
from fercli.learn.datasets import folder
from fercli.learn.datasets.faces import DatasetSplits, FaceSet, Labelling
from fercli.learn.datasets.fer2013_files import MIN_MATCH, USAGES, Fer2013, is_file_form, read_files
from fercli.learn.datasets.images import GREY, Packing
from fercli.learn.datasets.pack import pack
from fercli.learn.datasets.samples import Problem

TERMS = "FER2013 (web-scraped, research use, images not redistributable)"
TERMS_PLUS = TERMS + " with FER+ votes (Microsoft, MIT)"
FACE_SCALE = 1.0
"""Median over the 242 of 300 images in which CenterFace finds the face, by landmarks; 1.04 by boxes."""


def read(root: Path, packing: Packing = GREY) -> DatasetSplits:
    """FER2013 from its CSV, an npz or folders named after classes; FER+ is the second set of labels if its votes exist.

    Raises:
        DatasetError: nothing there, more than one, or not FER2013.
    """
    if root.is_dir() and not is_file_form(root):
        return pack(folder.read(root), name="fer2013", terms=TERMS, face_scale=FACE_SCALE, packing=packing)
    return _splits(read_files(root), root, "fer2013")


def read_ferplus(root: Path) -> DatasetSplits:
    """FER+ on the same files: the votes are the main labels, FER2013's labels the second.

    Raises:
        DatasetError: as `read`, or there are no votes.
    """
    files = read_files(root)
    if files.votes is None:
        raise DatasetError(
            f"no FER+ votes with {root}",
            hint="put fer2013new.csv (github.com/microsoft/FERPlus) beside fer2013.csv or icml_face_data.csv",
            code="dataset-not-found",
        )
    return _splits(files, root, "ferplus")


def _splits(files: Fer2013, root: Path, main: str) -> DatasetSplits:
    labellings = {"fer2013": _fer2013(files)}
    if files.votes is not None:
        labellings["ferplus"] = _ferplus(files.votes)
    order = sorted(labellings, key=lambda name: name != main)
    useful = np.any([labelling.targets.any(axis=1) for labelling in labellings.values()], axis=0)
    whole = FaceSet(
        files.images[:, None],
        {name: labellings[name] for name in order},
        ("",) * len(files.images),
        files.sources,
    )
    parts = {}
    for split, usage in USAGES.items():
        parts[split] = whole.take(np.flatnonzero(useful & (files.usage == usage)))
        if not len(parts[split]) and (files.official or split != "test"):
            raise DatasetError(f"{root} has no usable image with usage {usage}", code="dataset-empty")
    unused = tuple(
        Problem(files.sources[row], 0, f"image match below {MIN_MATCH} and no vote for a class")
        for row in np.flatnonzero(~useful)
    )
    terms = TERMS if files.votes is None else TERMS_PLUS
    return DatasetSplits(
        main,
        terms,
        FACE_SCALE,
        parts["train"],
        parts["valid"],
        parts["test"],
        files.problems + unused,
        files.official,
        files.notes,
    )


def _fer2013(files: Fer2013) -> Labelling:
    certain = np.eye(len(EMOTIONS), dtype=np.float32)[files.labels] * (files.labels >= 0)[:, None]
    return Labelling(EMOTIONS, certain, files.labels)


def _ferplus(all_votes: NDArray[np.float32]) -> Labelling:
    """Label distributions for training; for scores, the majority protocol of the FER+ authors' code.

    A class with a single vote is ignored. The label is the class with more than half of the remaining votes, including
    those for `unknown` and `not a face`; without such a majority an image is not scored
    (https://github.com/microsoft/FERPlus, `src/ferplus.py`, mode `majority`).
    """
    votes = np.where(all_votes > 1, all_votes, np.float32(0))
    named = votes[:, : len(EMOTIONS_8)]
    total = named.sum(axis=1, keepdims=True)
    targets = np.divide(named, total, out=np.zeros_like(named), where=total > 0)
    agreed = named.max(axis=1) > votes.sum(axis=1) / 2
    return Labelling(EMOTIONS_8, targets, np.where(agreed, named.argmax(axis=1), -1))
