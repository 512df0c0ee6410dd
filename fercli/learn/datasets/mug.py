"""MUG, the Multimedia Understanding Group's database: posed expressions filmed at 19 frames a second.

Each picture is `subjects3/001/anger/take000/img_0000.jpg`, where `001` (or `subject001`) is the person; persons with
two sessions have a folder for each session, `002/session0/anger/...`. A take goes from neutral to the expression and
back to neutral, so its clip is the middle third of its frames. The pictures show head and shoulders. The set has no
split.

Layout: Aifanti, Papachristou, Delopoulos 2010, "The MUG facial expression database", WIAMIS, https://mug.ee.auth.gr/fed;
folder and file names from the code of users of the set (`mug-fer/extract.py` of BehzadBozorgtabar/LTS5_FER).
The set needs a signed licence: this reader was only tested on synthetic files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from fercli.errors import DatasetError
from fercli.labels import EMOTIONS, canonical
from fercli.learn.datasets.folder import find_folder, folders, listing, pictures
from fercli.learn.datasets.samples import Listing, Problem, Sample

TERMS = "MUG (Aifanti et al. 2010; research under a signed licence, images not redistributable)"
PERSON_FOLDER = re.compile(r"(?:subject)?(\d{3})")


def read(root: Path) -> Listing:
    """List the takes of MUG.

    Raises:
        DatasetError: no folder at `root` has takes of persons as MUG has.
    """
    folder = find_folder(root, lambda folder: any(_takes(person) for person in folders(folder)))
    if folder is None:
        raise DatasetError(
            f"no MUG under {root}",
            hint="expected ROOT/subjects3/001/anger/take000/img_0000.jpg",
            code="dataset-not-found",
        )
    return listing("mug", TERMS, EMOTIONS, _read_people(folder))


def _takes(person: Path) -> list[Path]:
    """The folders of takes of a person, with or without a folder for the session."""
    if not PERSON_FOLDER.fullmatch(person.name):
        return []
    return sorted(path for depth in ("*", "*/*") for path in person.glob(f"{depth}/take*") if path.is_dir())


def _read_people(folder: Path) -> Iterator[Sample | Problem]:
    for person in folders(folder):
        for take in _takes(person):
            label = canonical(take.parent.name)
            frames = pictures(take)
            if label not in EMOTIONS:
                yield Problem(str(take), 0, f"{take.parent.name!r} is not an expression of MUG")
            elif not frames:
                yield Problem(str(take), 0, "no pictures in the folder of the take")
            else:
                third = len(frames) // 3
                subject = person.name.removeprefix("subject")
                yield Sample(frames[third : len(frames) - third], label, subject=subject)
