"""A contact sheet: the best faces of all persons, to check the identities; and, if valence was estimated, the faces in
which their expressions are strongest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fercli.chain import VALENCE
from fercli.errors import ConfigError, MissingStage
from fercli.expressions.courses import Course
from fercli.results.details import read_faces
from fercli.results.load import load
from fercli.results.model import DOUBTFUL_BELOW, Person, Track
from fercli.tables import rows_by_value
from fercli.timing import clock
from fercli.workspace import Workspace
from fercli.writing import write_atomically

FACE_SIDE = 112
"""Side of a face on the sheet, pixels."""
MOST_TRACKS, MOST_PERSONS = 12, 100
"""Largest number of persons on a PNG, which must not become too large; an HTML page has all."""
LEGEND = f"Dashed frame and question mark: should be checked; identity below {DOUBTFUL_BELOW:g}, or person unknown."


@dataclass(frozen=True)
class Picture:
    """The best face of one track, or the apex of an expression: JPEG, caption, and whether it should be checked."""

    jpeg: bytes
    caption: Sequence[str]
    doubtful: bool
    is_apex: bool = False


@dataclass(frozen=True)
class Apex:
    """The strongest moment of an expression: its face, emotion as in records, and course."""

    face: int
    emotion: str
    course: Course


@dataclass(frozen=True)
class Row:
    """One person.

    Attributes:
        name, summary: name, and summary of all tracks, one line each.
        pictures: the best one first, then doubtful ones, then the others in order of appearance; then the strongest
            expression of each class.
        more: number of pictures left out.
    """

    name: str
    summary: str
    pictures: Sequence[Picture]
    more: int


@dataclass(frozen=True)
class Sheet:
    """All persons of a video; `more` is the number of persons left out."""

    title: str
    rows: Sequence[Row]
    more: int

    @property
    def legend(self) -> str:
        """What the marks of its pictures mean."""
        has_apexes = any(picture.is_apex for row in self.rows for picture in row.pictures)
        return LEGEND + (" Triangle: the strongest moment of an expression." if has_apexes else "")


def write_sheet(workspace: Workspace, persons: Sequence[Person], path: Path) -> None:
    """Draw all persons on a picture (.png) or a self-contained page (.html).

    Raises:
        ConfigError: another suffix.
        CorruptTable: the crops cannot be read.
        OutputError: it cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix == ".png":
        from fercli.views.contact_sheet_png import draw

        content = draw(_sheet(workspace, persons, MOST_TRACKS, MOST_PERSONS))
    elif suffix in (".html", ".htm"):
        from fercli.views.contact_sheet_html import page

        content = page(_sheet(workspace, persons)).encode()
    else:
        raise ConfigError(
            f"cannot make a contact sheet {path}: unknown suffix", hint="use .png or .html", code="suffix-unknown"
        )
    write_atomically(path, content, private=True)


def _sheet(
    workspace: Workspace, persons: Sequence[Person], tracks: int | None = None, most: int | None = None
) -> Sheet:
    """The sheet, with at most this many tracks per person and persons."""
    shown, apexes = persons[:most], _apexes(workspace)
    own = [[] if person.ignored else apexes.get(person.name, []) for person in shown]
    room = [None if tracks is None else tracks - len(strongest) for strongest in own]
    chosen = [_by_interest(person)[:left] for person, left in zip(shown, room, strict=True)]
    faces = [*(track.best_face for row in chosen for track in row), *(apex.face for row in own for apex in row)]
    jpegs = _thumbnails(workspace, sorted({*faces}))
    rows = [
        Row(
            person.name + (" (ignored)" if person.ignored else ""),
            _summary(person),
            [
                *(Picture(jpegs[track.best_face], _caption(track), track.doubtful) for track in row),
                *(Picture(jpegs[apex.face], _apex_caption(apex), doubtful=False, is_apex=True) for apex in strongest),
            ],
            len(person.tracks) - len(row),
        )
        for person, row, strongest in zip(shown, chosen, own, strict=True)
    ]
    return Sheet(Path(workspace.video.path).name, rows, len(persons) - len(shown))


def _apexes(workspace: Workspace) -> dict[str, list[Apex]]:
    """Person -> the strongest moment of each expression, the strongest first.

    Empty if valence was not estimated, or not since the emotions were classified again.
    """
    if workspace.receipt(VALENCE.name) is None:
        return {}
    try:
        result = load(workspace)
    except MissingStage:
        return {}
    faces = read_faces(workspace, {track.track: track.person for track in result.tracks})
    pts, number, rows = faces["pts_s"].to_numpy(), faces["face"].to_numpy(), rows_by_value(faces["track"])
    found: dict[str, dict[str, Apex]] = defaultdict(dict)
    for segment in result.segments:
        course, before = segment.course, found[segment.person].get(segment.short_name)
        if course is not None and (before is None or before.course.peak < course.peak):
            own = rows[segment.track]
            nearest = own[np.abs(pts[own] - course.apex_s).argmin()]
            found[segment.person][segment.short_name] = Apex(int(number[nearest]), segment.short_name, course)
    return {
        name: sorted(own.values(), key=lambda apex: (-apex.course.peak, apex.emotion)) for name, own in found.items()
    }


def _by_interest(person: Person) -> list[Track]:
    best = person.best
    others = [track for track in person.tracks if track is not best]
    others.sort(key=lambda track: (not track.doubtful, (track.identity or 0.0) if track.doubtful else 0.0, track.track))
    return [best, *others]


def _summary(person: Person) -> str:
    identity = "" if person.identity is None else f", identity {person.identity:.2f}"
    tracks = f"{len(person.tracks)} track{'' if len(person.tracks) == 1 else 's'}"
    return f"{person.screen_time_s:.1f} s on screen, {tracks}{identity}"


def _caption(track: Track) -> tuple[str, ...]:
    sure = "" if track.identity is None else f"identity {track.identity:.2f}"
    return f"track {track.track}", clock(track.best_s, tenths=True), sure


def _apex_caption(apex: Apex) -> tuple[str, ...]:
    return f"{apex.emotion}: apex", clock(apex.course.apex_s, tenths=True), f"intensity {apex.course.peak:.2f}"


def _thumbnails(workspace: Workspace, faces: Sequence[int]) -> dict[int, bytes]:
    """Face -> JPEG with sides of FACE_SIDE pixels."""
    import cv2

    from fercli.media.crops import read_crops
    from fercli.media.images import encode_jpeg

    pictures = {}
    for face, crop in read_crops(workspace.table("crops"), np.array(faces, dtype=np.int64)):
        larger = crop.shape[0] > FACE_SIDE
        small = cv2.resize(crop, (FACE_SIDE, FACE_SIDE), interpolation=cv2.INTER_AREA if larger else cv2.INTER_CUBIC)
        pictures[face] = encode_jpeg(np.asarray(small, dtype=np.uint8), quality=85)
    return pictures
