"""KDEF, the Karolinska Directed Emotional Faces: 70 amateur actors, seven expressions, five angles, two sessions.

`KDEF_and_AKDEF/KDEF/AF01/AF01ANS.JPG` is session A, woman 01 (F01), expression AN (angry), angle S (straight). Session
B of the same woman is `BF01`: her subject is F01 in both, so that she is never on two sides of a split. Of the angles
FL, HL, S, HR, FR the full profiles FL and FR are left out: half a face is not what fercli assesses. The averaged faces
of AKDEF are not read. The pictures show head and shoulders. The set comes without a split.

Naming: Lundqvist, Flykt, Öhman 1998, https://kdef.se ("KDEF & AKDEF", about the file names). The set is given to
researchers on their word not to pass it on: this reader was tested on invented files only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from fercli.datasets.folder import find_folder, folders, listing, pictures
from fercli.datasets.samples import Listing, Problem, Sample
from fercli.errors import DatasetError
from fercli.labels import EMOTIONS

TERMS = "KDEF (Lundqvist et al. 1998; non-commercial research, images not redistributable)"
CODES = {
    "AF": "fear",
    "AN": "anger",
    "DI": "disgust",
    "HA": "happiness",
    "NE": "neutral",
    "SA": "sadness",
    "SU": "surprise",
}
FULL_PROFILES = ("FL", "FR")
FOLDER_NAME = re.compile(r"[AB][FM]\d\d", re.IGNORECASE)
FILE_NAME = re.compile(rf"[AB]([FM]\d\d)({'|'.join(CODES)})(FL|HL|S|HR|FR)\.jpe?g", re.IGNORECASE)


def read(root: Path) -> Listing:
    """List the pictures of KDEF that show more than a profile.

    Raises:
        DatasetError: no folder at `root` has folders named as those of KDEF.
    """
    folder = find_folder(root, lambda folder: any(_is_person(inner) for inner in folders(folder)))
    if folder is None:
        raise DatasetError(f"no KDEF under {root}", hint="expected ROOT/KDEF/AF01/AF01ANS.JPG as in KDEF_and_AKDEF.zip")
    return listing("kdef", TERMS, EMOTIONS, _read_people(folder))


def _is_person(folder: Path) -> bool:
    return FOLDER_NAME.fullmatch(folder.name) is not None


def _read_people(folder: Path) -> Iterator[Sample | Problem]:
    for path in (picture for person in folders(folder) if _is_person(person) for picture in pictures(person)):
        match = FILE_NAME.fullmatch(path.name)
        if match is None:
            yield Problem(str(path), 0, "the name is not like AF01ANS.JPG: session, person, expression, angle")
            continue
        person, expression, angle = (part.upper() for part in match.groups())
        if angle not in FULL_PROFILES:
            yield Sample((path,), CODES[expression], subject=person)
