"""`fercli gallery make`: a folder of a gallery from any pictures and videos in which one person is the most frequent.

Files that it writes in the folder: a crop a picture, `provenance.csv` with the source of each, and `removed.csv` with
all faces and files that are left out, and why. All are readable by their owner only.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from fercli.config import PersonsParams
from fercli.corpus.candidates import Candidate, conflicts_of, find_candidates
from fercli.corpus.purify import DOUBLE, NEAR_SIZE, STRANGER, SURPLUS, Purified, purify
from fercli.corpus.sources import list_sources, pictures_of
from fercli.errors import ConfigError, InputError, command
from fercli.files import fitting_name
from fercli.hashing import sha256_file
from fercli.media.images import decode_jpeg
from fercli.models.detections import Detector
from fercli.persons.gallery import Embedder, only_face
from fercli.persons.gallery_files import not_a_name, shown_name, write_picture
from fercli.progress import Reporter
from fercli.writing import write_atomically, writing

PROVENANCE, REMOVED = "provenance.csv", "removed.csv"
UNREADABLE, NO_FACE, POOR, NOT_ALONE = "unreadable", "no face", "poor face", "not alone"
"""Reasons, besides those of `purify`; poor faces are small, blurred, dark or turned away."""
_ROOM = " (999).jpg"


@dataclass(frozen=True)
class Kept:
    """A line of provenance.csv: a picture of the gallery.

    Attributes:
        picture: name of the file in the folder.
        source, sha256: file that it is from, as given, and its digest.
        time_s: time in a video; empty for a picture.
        x1, y1, x2, y2: the face in it, pixels.
        quality: how well the face shows the person, in [0, 1].
        licence: the user's note.
    """

    picture: str
    source: str
    sha256: str
    time_s: float | None
    x1: float
    y1: float
    x2: float
    y2: float
    quality: float
    licence: str


@dataclass(frozen=True)
class LeftOut:
    """A line of removed.csv: a face, or a file without one; columns as in `Kept`, the box is empty for a file."""

    source: str
    time_s: float | None
    x1: float | None
    y1: float | None
    x2: float | None
    y2: float | None
    reason: str
    detail: str


@dataclass(frozen=True)
class Made:
    """What was written."""

    folder: Path
    kept: tuple[Kept, ...]
    removed: tuple[LeftOut, ...]

    def reasons(self) -> dict[str, int]:
        """Reason -> how many faces or files were left out for it, the most frequent first."""
        return dict(Counter(one.reason for one in self.removed).most_common())


def make_gallery(
    sources: Iterable[Path],
    folder: Path,
    detector: Detector,
    embedder: Embedder,
    reporter: Reporter,
    *,
    at_most: int,
    licence: str = "",
) -> Made:
    """Write the folder of one person.

    Args:
        sources: pictures, videos, and folders of them; of a video a frame a second is taken.
        folder: named after the person, as `people/Ross`; new or empty.
        detector, embedder: the default networks.
        reporter: gets progress and warnings.
        at_most: largest number of pictures, the best ones.
        licence: note on the rights, for provenance.csv.

    Raises:
        ConfigError: the name is none, the folder has files already, or `at_most` is less than 1.
        InputError: no file can be read, no face is good enough, or no person is the most frequent.
        OutputError: the folder cannot be written.
    """
    _check(folder, at_most)
    with TemporaryDirectory(prefix="fercli-gallery-") as scratch:
        candidates, embeddings, removed = _look(list_sources(sources), detector, embedder, Path(scratch), reporter)
        good = [row for row, one in enumerate(candidates) if not one.poor]
        if not good:
            reasons = ", ".join(f"{count} {reason}" for reason, count in Counter(r.reason for r in removed).items())
            raise InputError(
                f"no face is good enough for {folder} ({reasons or 'no picture'})",
                hint="give pictures in which the face is larger and sharper",
                code="gallery-empty",
            )
        candidates = [candidates[row] for row in good]
        alone, crowded = _alone(candidates, detector)
        found = purify(
            embeddings[good],
            [one.quality if row in alone else -1.0 for row, one in enumerate(candidates)],
            conflicts_of(candidates),
            PersonsParams.max_distance,
            at_most + len(crowded),
        )
        _report_doubt(found, reporter)
        chosen = [row for row in found.kept if row in alone][:at_most]
        removed += _left_out(found, candidates, chosen, crowded)
        if not chosen:
            raise InputError(
                f"no picture shows the person of {folder} alone",
                hint="give pictures in which no other face is near",
                code="gallery-empty",
            )
        kept = _write(folder, [candidates[row] for row in chosen], licence)
    removed.sort(key=lambda one: (one.source, one.time_s or 0.0, one.x1 or 0.0))
    _write_csv(folder / PROVENANCE, Kept, kept)
    _write_csv(folder / REMOVED, LeftOut, removed)
    return Made(folder, tuple(kept), tuple(removed))


def _check(folder: Path, at_most: int) -> None:
    if not_a_name(shown_name(folder.name)):
        raise ConfigError(
            f"-o {folder}: {not_a_name(shown_name(folder.name))}",
            hint="name the folder after the person, such as -o people/Ross",
            code="name-invalid",
        )
    if at_most < 1:
        raise ConfigError(f"--pictures is {at_most}", hint="use a value 1 or more", code="option-out-of-range")
    with writing(folder):
        used = folder.is_file() or (folder.is_dir() and any(folder.iterdir()))
    if used:
        raise ConfigError(
            f"{folder} is there already",
            hint=f"give another folder; to add pictures, copy them into it, then {command('gallery', 'check', folder)}",
            code="output-exists",
        )


def _look(
    files: Sequence[Path], detector: Detector, embedder: Embedder, scratch: Path, reporter: Reporter
) -> tuple[list[Candidate], NDArray[np.float32], list[LeftOut]]:
    """All faces of all files with their embeddings, and the files and faces that cannot be used."""
    candidates: list[Candidate] = []
    embeddings: list[NDArray[np.float32]] = []
    removed: list[LeftOut] = []
    number = 0
    with reporter.task("gallery make", len(files), "file") as task:
        for file in files:
            faces = 0
            try:
                for picture in pictures_of(file):
                    own, rows = find_candidates(picture, detector, embedder, scratch, number)
                    number += 1
                    faces += len(own)
                    removed += [_face(one, POOR, one.poor) for one in own if one.poor]
                    for one, row in zip(own, rows, strict=True):
                        if not one.poor:
                            candidates.append(one)
                            embeddings.append(row)
                if not faces:
                    removed.append(LeftOut(str(file), None, None, None, None, None, NO_FACE, ""))
            except InputError as error:
                removed.append(LeftOut(str(file), None, None, None, None, None, UNREADABLE, error.message))
                reporter.warn(error.message)
            task.advance()
    return candidates, np.array(embeddings, np.float32), removed


def _alone(candidates: Sequence[Candidate], detector: Detector) -> tuple[set[int], dict[int, str]]:
    """Rows whose crop will be read as one person's picture, and the others with the reason."""
    alone, crowded = set(), {}
    for row, one in enumerate(candidates):
        try:
            only_face(decode_jpeg(one.crop.read_bytes()), detector, "its crop")
            alone.add(row)
        except InputError as error:
            crowded[row] = error.message
    return alone, crowded


def _report_doubt(found: Purified, reporter: Reporter) -> None:
    if found.second >= NEAR_SIZE * found.group:
        reporter.warn(
            f"the person is taken to be the most frequent one, with {found.group} faces; another one has "
            f"{found.second}: look at the pictures"
        )


def _left_out(
    found: Purified, candidates: Sequence[Candidate], chosen: Sequence[int], crowded: dict[int, str]
) -> list[LeftOut]:
    lines = [
        _face(candidates[one.row], one.reason, _detail(one.reason, one.distance, one.of, candidates))
        for one in found.removed
    ]
    for row in set(found.kept) - set(chosen):
        reason = NOT_ALONE if row in crowded else SURPLUS
        lines.append(_face(candidates[row], reason, crowded.get(row, "")))
    return lines


def _detail(reason: str, distance: float | None, of: int | None, candidates: Sequence[Candidate]) -> str:
    if reason == DOUBLE and of is not None:
        return f"of {_place(candidates[of])}, distance {distance:.2f}"
    return f"distance {distance:.2f}" if reason == STRANGER else ""


def _place(one: Candidate) -> str:
    return str(one.file) if one.time_s is None else f"{one.file} at {one.time_s:.3f} s"


def _face(one: Candidate, reason: str, detail: str) -> LeftOut:
    return LeftOut(str(one.file), _ms(one.time_s), *_box(one), reason, detail)


def _ms(time_s: float | None) -> float | None:
    return None if time_s is None else round(time_s, 3)


def _box(one: Candidate) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (round(edge, 1) for edge in one.box)
    return x1, y1, x2, y2


def _write(folder: Path, chosen: Sequence[Candidate], licence: str) -> list[Kept]:
    digests: dict[Path, str] = {}
    kept = []
    for one in chosen:
        at = "" if one.time_s is None else f" {one.time_s:.3f}s"
        stem = fitting_name(one.file.stem, f"{at}{_ROOM}").removesuffix(_ROOM)
        picture = write_picture(folder, stem, one.crop.read_bytes())
        if one.file not in digests:
            digests[one.file] = sha256_file(one.file)
        kept.append(
            Kept(
                picture.name,
                str(one.file),
                digests[one.file],
                _ms(one.time_s),
                *_box(one),
                round(one.quality, 3),
                licence,
            )
        )
    return kept


def _write_csv(path: Path, kind: type[Kept] | type[LeftOut], lines: Sequence[Kept | LeftOut]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = [field.name for field in fields(kind)]
    writer.writerow(names)
    for line in lines:
        values = (getattr(line, name) for name in names)
        writer.writerow("" if value is None else value for value in values)
    write_atomically(path, text.getvalue().encode("utf-8", "surrogateescape"), private=True)
