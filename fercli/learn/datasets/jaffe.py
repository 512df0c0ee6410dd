"""JAFFE: posed expressions of ten Japanese women, 213 grey pictures of 256x256 pixels.

`KA.AN1.39.tiff` is subject KA, expression AN (anger), her first picture of it, number 39 of the set. The set has no
split, and every picture is cropped to the face.

Naming: Lyons, Akamatsu, Kamachi, Gyoba 1998, "Coding Facial Expressions with Gabor Wavelets", and the README of
https://zenodo.org/record/3451524. The set is given to researchers on request: this reader was only tested on synthetic
files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from fercli.errors import DatasetError
from fercli.labels import EMOTIONS
from fercli.learn.datasets.folder import find_folder, listing, pictures
from fercli.learn.datasets.samples import Listing, Problem, Sample

TERMS = "JAFFE (Lyons et al. 1998; non-commercial research, images not redistributable)"
CODES = {
    "AN": "anger",
    "DI": "disgust",
    "FE": "fear",
    "HA": "happiness",
    "SA": "sadness",
    "SU": "surprise",
    "NE": "neutral",
}
FILE_NAME = re.compile(rf"([A-Z]{{2}})\.({'|'.join(CODES)})\d+\.\d+\.tiff?")


def read(root: Path) -> Listing:
    """List the pictures of JAFFE.

    Raises:
        DatasetError: no folder at `root` has pictures named as those of JAFFE.
    """
    folder = find_folder(root, lambda folder: any(FILE_NAME.fullmatch(path.name) for path in pictures(folder)))
    if folder is None:
        raise DatasetError(
            f"no JAFFE under {root}",
            hint="expected its pictures with their names: ROOT/KA.AN1.39.tiff",
            code="dataset-not-found",
        )
    return listing("jaffe", TERMS, EMOTIONS, _read_pictures(folder))


def _read_pictures(folder: Path) -> Iterator[Sample | Problem]:
    for path in pictures(folder):
        match = FILE_NAME.fullmatch(path.name)
        if match:
            yield Sample((path,), CODES[match[2]], subject=match[1])
        else:
            yield Problem(str(path), 0, "the name is not like KA.AN1.39.tiff")
