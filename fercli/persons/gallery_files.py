"""The files of a gallery: which pictures belong to which person, before any is opened, and where new ones are written.

    people/Ross/*.jpg a folder per person, or people/Rachel.jpg a picture per person, named after the file

Both layouts are those of the package `face_recognition`: its command takes one file per person, named after the person
(`scan_known_people` in its `face_recognition_cli.py`), its example `face_recognition_knn.py` a folder per person. Both
can be mixed; each person has one entry.
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
    "a gallery is a directory: one folder of pictures (people/Ross/*.jpg) or one picture (people/Ross.jpg) per person"
)
_NO_PICTURES = frozenset(
    (".csv", ".db", ".html", ".ini", ".json", ".md", ".pdf", ".rst", ".toml", ".txt", ".url", ".yaml", ".yml")
)
_NO_SUFFIX = frozenset(("AUTHORS", "COPYING", "LICENSE", "NOTICE", "README"))


@dataclass(frozen=True)
class Entry:
    """One person of a gallery.

    Attributes:
        name: displayed name: composed Unicode, single spaces.
        path: the person's folder, or only picture.
        pictures: files that may be pictures of the person, by name; none in an empty folder.
    """

    name: str
    path: Path
    pictures: tuple[Path, ...]


def list_gallery(path: Path) -> list[Entry]:
    """All persons, by name. Hidden files and texts are skipped; other files that are not pictures are reported when
    they are read.

    Raises:
        InputError: no such directory, two entries of one name, or a name that fercli gives to unknown persons.
    """
    if not path.is_dir():
        problem = "is a file" if path.exists() else "does not exist"
        raise InputError(f"the gallery {path} {problem}", hint=_LAYOUT, code="gallery-unusable")
    try:
        entries = [_entry(item) for item in sorted(path.iterdir()) if _may_be_picture(item)]
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
    """Hex sha256 of the names and contents of the pictures of `list_gallery`; links are followed.

    Other files, for example of a file manager, do not change it.

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
    """The person's entry, to which pictures can be added: the existing one, or a new one without pictures.

    Raises:
        InputError: the entry is a single picture, not a folder.
    """
    found = next((entry for entry in entries if same_name(entry.name) == same_name(name)), None)
    if found is None:
        return Entry(name, gallery / name, ())
    if not found.path.is_dir():
        folder = gallery / found.name
        raise InputError(
            f"{found.path} is the only picture of {found.name}; a person has either one picture or a folder",
            hint=f'mkdir "{folder}" && mv "{found.path}" "{folder}/", then run the same command',
            code="gallery-unusable",
        )
    return found


def add_picture(folder: Path, stem: str, picture: NDArray[np.uint8]) -> Path:
    """Write an (H, W, 3) picture as a JPEG; see `write_picture`."""
    from fercli.media.images import encode_jpeg

    return write_picture(folder, stem, encode_jpeg(picture))


def write_picture(folder: Path, stem: str, content: bytes) -> Path:
    """Write JPEG bytes under an unused name: `stem`, `stem (1)`, ...; creates the folder.

    Only the owner can read it.

    Raises:
        OutputError: it cannot be written.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    names = (folder / f"{stem}{f' ({number})' if number else ''}.jpg" for number in count())
    return next(name for name in names if create_atomically(name, content, private=True))


def same_name(name: str) -> str:
    """Key that is equal for names that differ only in case, spaces or Unicode composition."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def shown_name(name: str) -> str:
    """A name in composed Unicode (some file systems store letters and accents separately), with single spaces."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def not_a_name(name: str) -> str:
    """Why this cannot be the name of a person in a gallery; empty if it can."""
    try:
        clean_name(name)
    except ConfigError as error:
        return error.message
    if name.startswith(".") or "/" in name or "\\" in name:
        return f"{name!r} cannot be the name of a folder of pictures"
    if is_numbered(name):
        return f"{name!r} is reserved: fercli gives such names to unknown persons"
    return ""


def _entry(item: Path) -> Entry:
    if not item.is_dir():
        return Entry(shown_name(item.stem), item, (item,))
    pictures = tuple(sorted(inside for inside in item.iterdir() if _may_be_picture(inside)))
    return Entry(shown_name(item.name), item, pictures)


def _may_be_picture(item: Path) -> bool:
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
