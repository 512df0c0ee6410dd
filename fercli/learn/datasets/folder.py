"""Any directory of class-named folders: your own pictures, and sets with one folder per class.

    ROOT/angry/1.jpg            or    ROOT/train/angry/1.jpg
    ROOT/happy/1.jpg                  ROOT/val/angry/1.jpg
    ROOT/happy/clip7/0001.jpg         ROOT/test/angry/1.jpg

A picture in a class folder is a still; a folder of pictures in a class folder is a clip. Class names are accepted in
the spellings of `fercli.labels`; the folder of a split may also be called `valid` or `validation`. Subjects are
unknown. Hidden files, and files without a picture suffix, are skipped. Names are sorted in natural order: `2.jpg` comes
before `10.jpg`. The class-folder form of FER2013 (`train/angry/...`, `test/angry/...`) is such a directory.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from fercli.errors import DatasetError
from fercli.labels import EMOTIONS_8, canonical
from fercli.learn.datasets.samples import LeftOut, Listing, Problem, Sample

TERMS = "as the owner of the pictures allows"
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm"})
SPLIT_FOLDERS = {"train": "train", "valid": "valid", "val": "valid", "validation": "valid", "test": "test"}
EXPECTED = """expected folders named after emotions, with pictures or folders of frames in them:
  ROOT/angry/1.jpg
  ROOT/happy/1.jpg
or the same below ROOT/train, ROOT/val and ROOT/test"""


def read(root: Path) -> Listing:
    """List a directory of class folders; `classes` are those that have a sample.

    Raises:
        DatasetError: `root` is not a directory, is empty, has no class folder, or none with a picture in it.
    """
    if not root.is_dir():
        raise DatasetError(f"no such directory: {root}", hint=EXPECTED, code="file-missing")
    parts = [folder for folder in folders(root) if folder.name.lower() in SPLIT_FOLDERS] or [root]
    if not any(_class_folders(part) for part in parts):
        raise _no_classes(root, parts)
    found = [item for part in parts for item in _read_part(part, "" if part == root else _split(part))]
    if parts != [root]:
        beside = [folder for folder in folders(root) if folder not in parts]
        found += [Problem(str(folder), 0, "not read: it is beside the folders of the splits") for folder in beside]
    present = {item.label for item in found if isinstance(item, Sample)}
    if not present:
        raise DatasetError(f"no class folder under {root} has a picture in it", hint=EXPECTED, code="dataset-not-found")
    return listing(root.resolve().name, TERMS, tuple(label for label in EMOTIONS_8 if label in present), found)


def listing(
    name: str,
    terms: str,
    classes: tuple[str, ...],
    found: Iterable[Sample | Problem | LeftOut],
    notes: tuple[str, ...] = (),
) -> Listing:
    """A listing from mixed samples and problems; left-out parts are counted in the notes."""
    items = tuple(found)
    samples = tuple(item for item in items if isinstance(item, Sample))
    problems = tuple(item for item in items if isinstance(item, Problem))
    counts = Counter(item.what for item in items if isinstance(item, LeftOut))
    left_out = tuple(f"left out: {count} {what}" for what, count in counts.items())
    return Listing(name, terms, classes, samples, problems, notes + left_out)


def visible(folder: Path) -> list[Path]:
    """Content of a directory in natural order, without hidden files and files that macOS adds to archives.

    Raises:
        DatasetError: it cannot be listed.
    """
    try:
        entries = [path for path in folder.iterdir() if not path.name.startswith((".", "__MACOSX"))]
    except OSError as error:
        raise DatasetError(
            f"cannot list {folder}: {error.strerror}", hint="check its permissions", code="file-unreadable"
        ) from error
    return sorted(entries, key=_natural)


def folders(folder: Path) -> list[Path]:
    """The directories in a directory, in natural order."""
    return [path for path in visible(folder) if path.is_dir()]


def pictures(folder: Path) -> tuple[Path, ...]:
    """The files with a picture suffix in a directory, in natural order."""
    return tuple(path for path in visible(folder) if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file())


def find_folder(root: Path, looks_right: Callable[[Path], bool]) -> Path | None:
    """The folder of a data set: `root`, or else the single matching folder up to two levels below it.

    Raises:
        DatasetError: `root` is not a directory, or several folders match.
    """
    if not root.is_dir():
        raise DatasetError(
            f"no such directory: {root}",
            hint="give --root the folder of the unpacked data set",
            code="file-missing",
        )
    level = [root]
    for _ in range(3):
        right = [folder for folder in level if looks_right(folder)]
        if len(right) > 1:
            names = ", ".join(str(folder.relative_to(root)) for folder in right)
            raise DatasetError(
                f"more than one such data set under {root}: {names}",
                hint="give --root one of these",
                code="dataset-ambiguous",
            )
        if right:
            return right[0]
        level = [child for folder in level for child in folders(folder)]
    return None


def _natural(path: Path) -> tuple[list[str | int], str]:
    parts = re.split(r"(\d+)", path.name)  # text and digits alternate, so the same types are compared
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], path.name


def _split(folder: Path) -> str:
    return SPLIT_FOLDERS[folder.name.lower()]


def _class_folders(part: Path) -> list[Path]:
    return [folder for folder in folders(part) if canonical(folder.name)]


def _read_part(part: Path, split: str) -> Iterator[Sample | Problem]:
    for folder in folders(part):
        label = canonical(folder.name)
        if label is None:
            yield Problem(str(folder), 0, f"{folder.name!r} is not an emotion; known: {', '.join(EMOTIONS_8)}")
        else:
            yield from _read_class(folder, label, split)


def _read_class(folder: Path, label: str, split: str) -> Iterator[Sample | Problem]:
    clips = folders(folder)
    stills = pictures(folder)
    if not clips and not stills:
        yield Problem(str(folder), 0, _no_pictures(folder))
    for still in stills:
        yield Sample((still,), label, split)
    for clip in clips:
        frames = pictures(clip)
        yield Sample(frames, label, split) if frames else Problem(str(clip), 0, _no_pictures(clip))


def _no_pictures(folder: Path) -> str:
    others = [path.name for path in visible(folder)]
    if not others:
        return "the folder is empty"
    return f"no pictures in the folder, only {', '.join(others[:3])}{' ...' if len(others) > 3 else ''}"


def _no_classes(root: Path, parts: list[Path]) -> DatasetError:
    """The error that describes the content of a directory without class folders."""
    if not visible(root):
        return DatasetError(f"{root} is empty", hint=EXPECTED, code="dataset-empty")
    if parts != [root]:
        names = ", ".join(part.name for part in parts)
        return DatasetError(
            f"no folder in {names} under {root} is named after an emotion", hint=EXPECTED, code="dataset-not-found"
        )
    if canonical(root.resolve().name) and pictures(root):
        return DatasetError(
            f"{root} is itself the folder of a class",
            hint=f"give --root {root.resolve().parent}",
            code="dataset-not-found",
        )
    inner = folders(root)
    if not inner:
        return DatasetError(f"{root} has files but no class folders", hint=EXPECTED, code="dataset-not-found")
    for folder in inner:
        if _class_folders(folder):
            return DatasetError(
                f"the class folders are not in {root} but deeper",
                hint=f"give --root {folder}",
                code="dataset-not-found",
            )
    names = ", ".join(folder.name for folder in inner[:5]) + (" ..." if len(inner) > 5 else "")
    return DatasetError(
        f"no folder in {root} is named after an emotion, only {names}", hint=EXPECTED, code="dataset-not-found"
    )
