"""The files of a gallery: which pictures belong to whom, before any of them is opened, and where new ones go.

    people/Ross/*.jpg     a folder a person, or
    people/Rachel.jpg     a picture a person, named after the file

The two layouts people know from the package `face_recognition`: its command takes one file a person, named after who is
in it (`scan_known_people` in its `face_recognition_cli.py`), its example `face_recognition_knn.py` a folder a person.
Both may be mixed; a person has one entry.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.errors import ConfigError, InputError
from fercli.hashing import sha256_file
from fercli.persons.names import clean_name, is_numbered
from fercli.writing import create_atomically, writing

_LAYOUT = (
    "a gallery is a directory with a folder of pictures a person (people/Ross/*.jpg), or a picture (people/Ross.jpg)"
)
_NO_PICTURES = frozenset(
    (".csv", ".db", ".html", ".ini", ".json", ".md", ".pdf", ".rst", ".toml", ".txt", ".url", ".yaml", ".yml")
)
_NO_SUFFIX = frozenset(("AUTHORS", "COPYING", "LICENSE", "NOTICE", "README"))


@dataclass(frozen=True)
class Entry:
    """One person of a gallery.

    Attributes:
        name: as it is shown: composed Unicode, single spaces.
        path: the person's folder, or only picture.
        pictures: what may be pictures of the person, by name; none in an empty folder.
    """

    name: str
    path: Path
    pictures: tuple[Path, ...]


def list_gallery(path: Path) -> list[Entry]:
    """All persons, by name. Hidden files and texts are left out; what else is no picture shows when it is read.

    Raises:
        InputError: no such directory, two entries of one name, or a name that fercli gives to strangers.
    """
    if not path.is_dir():
        problem = "is a file" if path.exists() else "does not exist"
        raise InputError(f"the gallery {path} {problem}", hint=_LAYOUT, code="gallery-unusable")
    try:
        entries = [_entry(item) for item in sorted(path.iterdir()) if _may_show_somebody(item)]
    except OSError as error:
        raise InputError(
            f"cannot read {error.filename}: {error.strerror}", hint="check its permissions", code="file-unreadable"
        ) from error
    _refuse_same_names(entries)
    for entry in entries:
        if not_a_name(entry.name):
            raise InputError(
                f"{entry.path}: {not_a_name(entry.name)}",
                hint="rename it after the person it shows",
                code="gallery-unusable",
            )
    return sorted(entries, key=lambda entry: entry.name)


def gallery_digest(path: Path) -> str:
    """Hex sha256 of the names and contents of what `list_gallery` takes for pictures, links followed.

    What a file manager or a person leaves beside them changes nothing.

    Raises:
        InputError: as `list_gallery`, or a picture cannot be read.
    """
    total = hashlib.sha256()
    try:
        for file in sorted(file for entry in list_gallery(path) for file in entry.pictures):
            content = sha256_file(file) if file.is_file() else "no file"
            total.update(f"{file.relative_to(path).as_posix()} {content}\n".encode(errors="surrogateescape"))
    except OSError as error:
        raise InputError(
            f"cannot read {error.filename}: {error.strerror}", hint="check its permissions", code="file-unreadable"
        ) from error
    return total.hexdigest()


def find_entry(entries: Iterable[Entry], name: str, gallery: Path) -> Entry:
    """The person's entry, to which pictures can be added: the one that is there, or a new one without pictures.

    Raises:
        InputError: it is a single picture beside the folders.
    """
    found = next((entry for entry in entries if same_name(entry.name) == same_name(name)), None)
    if found is None:
        return Entry(name, gallery / name, ())
    if not found.path.is_dir():
        folder = gallery / found.name
        raise InputError(
            f"{found.path} is the only picture of {found.name}, and a person has a picture or a folder, not both",
            hint=f'mkdir "{folder}" && mv "{found.path}" "{folder}/", then run the same command',
            code="gallery-unusable",
        )
    return found


def add_picture(folder: Path, stem: str, picture: NDArray[np.uint8]) -> Path:
    """Write an (H, W, 3) picture as a JPEG under a name that is free: `stem`, `stem (1)`, ...; make the folder first.

    Only the owner may read it.

    Raises:
        OutputError: it cannot be written.
    """
    from fercli.media.images import encode_jpeg

    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    content = encode_jpeg(picture)
    names = (folder / f"{stem}{f' ({number})' if number else ''}.jpg" for number in count())
    return next(name for name in names if create_atomically(name, content, private=True))


def same_name(name: str) -> str:
    """Equal for names that differ only in case, spaces, or the way their letters are encoded."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def shown_name(name: str) -> str:
    """A name in composed Unicode (some file systems take letters and accents apart), with single spaces."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def not_a_name(name: str) -> str:
    """Why nobody in a gallery can be called this; empty if somebody can."""
    try:
        clean_name(name)
    except ConfigError as error:
        return error.message
    if name.startswith(".") or "/" in name or "\\" in name:
        return f"{name!r} cannot be the name of a folder of pictures"
    if is_numbered(name):
        return f"{name!r} is what fercli calls persons whose name it does not know"
    return ""


def _entry(item: Path) -> Entry:
    if not item.is_dir():
        return Entry(shown_name(item.stem), item, (item,))
    pictures = tuple(sorted(inside for inside in item.iterdir() if _may_show_somebody(inside)))
    return Entry(shown_name(item.name), item, pictures)


def _may_show_somebody(item: Path) -> bool:
    if item.name.startswith("."):
        return False
    return item.is_dir() or (item.suffix.lower() not in _NO_PICTURES and item.name.upper() not in _NO_SUFFIX)


def _refuse_same_names(entries: list[Entry]) -> None:
    seen: dict[str, Entry] = {}
    for entry in entries:
        first = seen.setdefault(same_name(entry.name), entry)
        if first is not entry:
            raise InputError(
                f"one person has two entries in the gallery: {first.path} and {entry.path}",
                hint="put all pictures of one person into one folder, and give two persons two names",
                code="gallery-unusable",
            )
