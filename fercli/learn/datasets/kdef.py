"""KDEF, the Karolinska Directed Emotional Faces: 70 amateur actors, seven expressions, five angles, two sessions.

`KDEF_and_AKDEF/KDEF/AF01/AF01ANS.JPG` is session A, woman 01 (F01), expression AN (angry), angle S (straight). Session
B of the same woman is `BF01`: her subject is F01 in both, so that she is never in two splits. Only file names are used,
so the pictures can be in one folder or in any other folders. Of the angles FL, HL, S, HR, FR the full profiles FL and
FR are left out and counted, because fercli does not assess them. The averaged faces of AKDEF are not read. The
pictures show head and shoulders. The set has no split.

Naming: Lundqvist, Flykt, Öhman 1998, https://kdef.se ("KDEF & AKDEF", about the file names). The set is given to
researchers who agree not to distribute it: this reader was only tested on synthetic files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from fercli.errors import DatasetError
from fercli.labels import EMOTIONS
from fercli.learn.datasets.folder import find_folder, folders, listing, pictures
from fercli.learn.datasets.samples import LeftOut, Listing, Problem, Sample

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
STEM = re.compile(rf"[AB]([FM]\d\d)({'|'.join(CODES)})(FL|HL|S|HR|FR)", re.IGNORECASE)


def read(root: Path) -> Listing:
    """List the pictures of KDEF except full profiles.

    Raises:
        DatasetError: no folder at `root` has pictures named as those of KDEF, or folders with such pictures.
    """
    folder = find_folder(root, lambda folder: bool(_picture_folders(folder)))
    if folder is None:
        raise DatasetError(
            f"no KDEF under {root}",
            hint="expected ROOT/KDEF/AF01/AF01ANS.JPG as in KDEF_and_AKDEF.zip, or the pictures in one folder",
            code="dataset-not-found",
        )
    return listing("kdef", TERMS, EMOTIONS, _read_pictures(folder))


def _picture_folders(folder: Path) -> list[Path]:
    """The folders with pictures of KDEF, among a folder and its subfolders, and the folders of persons."""
    own = [folder] if _has_faces(folder) else []
    return own + [inner for inner in folders(folder) if FOLDER_NAME.fullmatch(inner.name) or _has_faces(inner)]


def _has_faces(folder: Path) -> bool:
    return any(STEM.fullmatch(path.stem) for path in pictures(folder))


def _read_pictures(folder: Path) -> Iterator[Sample | Problem | LeftOut]:
    for path in (picture for inner in _picture_folders(folder) for picture in pictures(inner)):
        match = STEM.fullmatch(path.stem)
        if match is None:
            yield Problem(str(path), 0, "the name is not like AF01ANS.JPG: session, person, expression, angle")
            continue
        person, expression, angle = (part.upper() for part in match.groups())
        if angle in FULL_PROFILES:
            yield LeftOut(f"pictures of a full profile, angle {angle}")
        else:
            yield Sample((path,), CODES[expression], subject=person)
