"""Does each track show one person from end to end?

Boxes alone are not sufficient: in an undetected dissolve, in a morph, or after a gap, another face may appear at the
place of the first one. So some faces along each track are compared. Where they disagree, the change is located by
bisection, and the track is split if the seconds before it show one person and the seconds after it another. Where too
few faces are good enough to decide, the track stays whole, and the distance of its parts is returned as doubt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fercli.tracking.association import DROPPED
from fercli.tracking.faces import Faces, best_of_spans, choose_faces, members
from fercli.tracking.identity import rms_distance

Embed = Callable[[NDArray[np.int64]], NDArray[np.float32]]
"""(n,) faces, ascending -> (n, D) embeddings, scaled so that 0.55 is the limit for one person."""

_SPANS = (2, 4, 12)
"""Number of spans of a track in which a face is compared: below `_SHORT_S`, from `_SHORT_S` on, and at most. Another
person who is visible for less than a span at the begin or end may be missed."""
_SHORT_S = 0.5
_SPAN_S = 4.0
"""Longer tracks have one more span per this many seconds."""
_SUSPICIOUS = 0.5
"""Two faces of a track further apart than this are examined more closely."""
_SIDE = (6, 2.0)
"""Faces, and seconds at most, that are examined on each side of a change."""
_APART = 0.62
"""Root mean square distance from which on the two sides are two persons. In tracks of one person, two sides of three
faces were never further apart than 0.57 (GRID, hamilton_short, pyfeat_single_face, facenet_pytorch_video: there a boy
who turns away); different persons of the same videos were usually at 0.65 or more."""
_WITHIN = 0.5
"""Root mean square distance inside a side up to which it is one person."""
_RUN = 3
"""Faces that a side needs for a decision; a single deviating face counts as a bad picture."""


@dataclass(frozen=True)
class Checked:
    """Tracks after the check.

    Attributes:
        owner: (N,) track of each face, DROPPED for none, numbered by first appearance.
        doubt: track -> distance of two parts of it that may be two persons; only of tracks in doubt.
    """

    owner: NDArray[np.int32]
    doubt: dict[int, float]


@dataclass
class _Piece:
    """A stretch of a track that may have to be split.

    Attributes:
        usable: (n,) its usable faces, ascending.
        looked: those of them that are compared, ascending.
        before, after: faces between which the person seems to change.
        first, second: mean embeddings before and after.
    """

    usable: NDArray[np.int64]
    looked: NDArray[np.int64]
    before: int = -1
    after: int = -1
    first: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    second: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))

    def halfway(self) -> int | None:
        """The usable face in the middle between the two; None if there is none."""
        between = self.usable[(self.usable > self.before) & (self.usable < self.after)]
        return int(between[len(between) // 2]) if len(between) else None

    def side(self, faces: Faces, end: int) -> NDArray[np.int64]:
        """Usable faces spread over the seconds before the change (`end` 0) or after it (-1)."""
        own = self.usable[self.usable <= self.before] if end == 0 else self.usable[self.usable >= self.after]
        edge = self.before if end == 0 else self.after
        own = own[np.abs(faces.pts_s[own] - faces.pts_s[edge]) <= _SIDE[1]]
        spread: NDArray[np.int64] = own[np.unique(np.linspace(0, len(own) - 1, _SIDE[0]).round().astype(int))]
        return spread


class _Known:
    """Embeddings that were computed already."""

    def __init__(self, embed: Embed) -> None:
        self._embed = embed
        self._rows: dict[int, NDArray[np.float32]] = {}

    def learn(self, wanted: Iterable[NDArray[np.int64]]) -> None:
        """Embed the new faces of several tracks in one call, because crops are read in large groups."""
        new = np.unique(np.concatenate([np.zeros(0, np.int64), *wanted]))
        new = new[[face not in self._rows for face in new.tolist()]] if len(new) else new
        if len(new):
            self._rows |= dict(zip(new.tolist(), self._embed(new), strict=True))

    def of(self, faces: NDArray[np.int64]) -> NDArray[np.float32]:
        """(n, D), n at least 1."""
        return np.stack([self._rows[face] for face in faces.tolist()])


def check_tracks(faces: Faces, owner: NDArray[np.int32], at_most: int, embed: Embed) -> Checked:
    """Compare the faces along each track, and split it where the person changes.

    Args:
        faces: all faces.
        owner: (N,) track of each, DROPPED for none.
        at_most: how many faces of a track are embedded anyway, see `choose_faces`.
        embed: called a few times with many faces each: 2 to 12 per track, including those of `choose_faces`, and about
            25 for each possible change.
    """
    tracks = members(owner)
    known = _Known(embed)
    pieces = _first_look(faces, owner, tracks, at_most, known)
    starts: list[int] = []
    doubts: dict[int, float] = {}
    while pieces := [piece for piece in pieces if _disagrees(piece, known)]:
        _narrow(pieces, known)
        sides = [(piece.side(faces, 0), piece.side(faces, -1)) for piece in pieces]
        known.learn([side for pair in sides for side in pair])
        left = []
        for piece, (before, after) in zip(pieces, sides, strict=True):
            distance = rms_distance(known.of(before), known.of(after))
            least = min(len(before), len(after))
            tight = max(_scatter(known.of(before)), _scatter(known.of(after))) <= _WITHIN
            if distance >= _APART and least >= _RUN and tight:
                starts.append(_start(faces, np.flatnonzero(owner == owner[piece.before]), piece))
                left += _halves(piece, before, after)
            elif least < _RUN:
                left += _without_odd(piece, before, after)
                if distance >= _APART and least > 1 and tight:
                    doubts[piece.before] = distance
            elif distance >= _APART:
                doubts[piece.before] = distance
        pieces = left
    cuts = np.array(sorted(starts), np.int64)
    parts = [part for track in tracks for part in np.split(track, _places(track, owner, cuts)) if len(part)]
    return _numbered(owner, parts, doubts)


def _first_look(
    faces: Faces, owner: NDArray[np.int32], tracks: list[NDArray[np.int64]], at_most: int, known: _Known
) -> list[_Piece]:
    chosen = choose_faces(faces, owner, at_most)
    pieces = []
    for track in tracks:
        usable = track[faces.usable[track]]
        if len(usable) > 1:
            length_s = float(faces.pts_s[usable[-1]] - faces.pts_s[usable[0]])
            spans = _SPANS[0] if length_s < _SHORT_S else min(max(_SPANS[1], 1 + int(length_s / _SPAN_S)), _SPANS[2])
            own = chosen[np.isin(chosen, usable)]
            pieces.append(_Piece(usable, best_of_spans(faces, usable, spans, required=own)))
    known.learn([chosen, *(piece.looked for piece in pieces)])
    return pieces


def _disagrees(piece: _Piece, known: _Known) -> bool:
    """Whether two of the faces lie far apart; if so, between which two the person may change."""
    if len(piece.looked) < 2:
        return False
    looks = known.of(piece.looked)
    if np.linalg.norm(looks[:, None] - looks[None], axis=2).max() <= _SUSPICIOUS:
        return False
    apart = [rms_distance(looks[:row], looks[row:]) for row in range(1, len(looks))]
    row = 1 + int(np.argmax(apart))
    piece.before, piece.after = int(piece.looked[row - 1]), int(piece.looked[row])
    piece.first, piece.second = looks[:row].mean(axis=0), looks[row:].mean(axis=0)
    return True


def _narrow(pieces: list[_Piece], known: _Known) -> None:
    """Bisect the stretch between the two faces of each piece until no face lies between them."""
    while asked := [(piece, face) for piece in pieces if (face := piece.halfway()) is not None]:
        known.learn([np.array([face]) for _, face in asked])
        for piece, face in asked:
            look = known.of(np.array([face]))[0]
            if np.linalg.norm(look - piece.first) <= np.linalg.norm(look - piece.second):
                piece.before = face
            else:
                piece.after = face


def _halves(piece: _Piece, before: NDArray[np.int64], after: NDArray[np.int64]) -> list[_Piece]:
    looked = np.union1d(piece.looked, np.concatenate([before, after]))
    first, second = piece.usable <= piece.before, piece.usable >= piece.after
    return [
        _Piece(piece.usable[first], looked[looked <= piece.before]),
        _Piece(piece.usable[second], looked[looked >= piece.after]),
    ]


def _without_odd(piece: _Piece, before: NDArray[np.int64], after: NDArray[np.int64]) -> list[_Piece]:
    """The piece again, without the one or two faces on one side that may hide a change elsewhere."""
    odd = before if len(before) <= len(after) else after
    return [_Piece(np.setdiff1d(piece.usable, odd), np.setdiff1d(piece.looked, odd))]


def _start(faces: Faces, track: NDArray[np.int64], piece: _Piece) -> int:
    """First face of the second person: after the longest gap between the two, else halfway."""
    between = track[(track >= piece.before) & (track <= piece.after)]
    gaps = faces.pts_s[between[1:]] - faces.until_s[between[:-1]]
    if gaps.max() > 1.5 * max(float(np.median(gaps)), faces.interval_s):
        return int(between[1 + np.argmax(gaps)])
    return int(between[(len(between) + 1) // 2])


def _places(track: NDArray[np.int64], owner: NDArray[np.int32], starts: NDArray[np.int64]) -> NDArray[np.intp]:
    places: NDArray[np.intp] = np.searchsorted(track, starts[owner[starts] == owner[track[0]]])
    return places


def _numbered(owner: NDArray[np.int32], parts: list[NDArray[np.int64]], doubts: dict[int, float]) -> Checked:
    numbered = np.full(len(owner), DROPPED, np.int32)
    for number, part in enumerate(sorted(parts, key=lambda part: int(part[0]))):
        numbered[part] = number
    doubt: dict[int, float] = {}
    for face, distance in doubts.items():
        track = int(numbered[face])
        doubt[track] = max(distance, doubt.get(track, 0.0))
    return Checked(numbered, doubt)


def _scatter(embeddings: NDArray[np.float32]) -> float:
    """Root mean square distance of all pairs of two."""
    count = len(embeddings)
    return rms_distance(embeddings, embeddings) * float(np.sqrt(count / (count - 1))) if count > 1 else 0.0
