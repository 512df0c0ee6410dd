"""Content of the report, read from a workspace and thinned: one `PersonContent` per person, and common data."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fercli import tables
from fercli.config import TracksParams
from fercli.formats.timeline import lanes
from fercli.labels import EMOTIONS_8, NOT_ASSESSABLE
from fercli.results.details import Details
from fercli.results.load import load
from fercli.results.model import NO_TRACK, Person, Result, Segment, Signal, Utterance
from fercli.results.smoothed import SmoothedProbabilities
from fercli.views.render.sampled import Sampled
from fercli.views.report.balance import balance
from fercli.views.report.thinning import Stream, bin_stream, shares, spread_evenly
from fercli.views.report.thumbnails import make_pictures
from fercli.workspace import Workspace

STREAM_BINS = 1500
"""Approximate number of bins per person: more than a wide screen can show."""
SHORTEST_BIN_S = 0.1
LINES = {
    "smile": ("mouthSmileLeft", "mouthSmileRight"),
    "jaw open": ("jawOpen",),
    "yaw": ("yaw",),
    "talking": ("talking",),
}
"""What can be drawn as a line -> the measurements whose mean it is."""
FACES_A_PERSON, FACES_IN_ALL = 240, 3000
"""Largest number of face pictures; at about 2 kB each they are most of the page."""
RATED = (("valence", 0), ("valence", 1), ("valence", 2), ("arousal", 0), ("intensity", 0))
"""What is drawn and written of ratings over time: signal, and its column: the value, and the ends of its interval."""
MOST_APEXES = 60
"""Largest number of faces of a person that are shown because an expression is strongest in them."""
MOST_LANES = 8
"""Largest number of lanes for simultaneous tracks of one person, or of unassigned tracks."""


@dataclass(frozen=True)
class PersonContent:
    """One person, or all unassigned tracks.

    Attributes:
        person: tracks, segments and totals over the video.
        lane: (S,) lane of each segment, so that simultaneous tracks are below each other.
        stream: smoothed probabilities in bins, see `results.smoothed`.
        measured: a column for each of LINES in bins; shares in [0, 1], yaw in degrees.
        rated: a column for each of RATED in bins; no bins if there are no ratings.
        balance: mean over the assessed windows, in [-1, 1]; None if there are none.
        said: what the person says, by start.
        transitions: (from, to) -> number of changes from one expression to the other.
        portrait: JPEG of the best face; empty if there is none.
        face_pts_s: (F,) times of the faces on the sheet.
        sheet: JPEG of these faces; empty if F is 0.
    """

    person: Person
    lane: NDArray[np.int64]
    stream: Stream
    measured: Stream
    rated: Stream
    balance: float | None
    said: tuple[Utterance, ...]
    transitions: Counter[tuple[str, str]]
    portrait: bytes
    face_pts_s: NDArray[np.float64]
    sheet: bytes


@dataclass(frozen=True)
class Content:
    """The content of the page.

    Attributes:
        document: the document as in exports.
        labels: the classes of the classifier, in its order.
        shots_s: start of each shot except the first, seconds.
        persons: by screen time; `Unassigned` last.
        faces: all faces of tracks that are not ignored, as `Details.faces`.
    """

    result: Result
    labels: tuple[str, ...]
    shots_s: NDArray[np.float64]
    persons: list[PersonContent]
    faces: pa.Table

    @property
    def classes(self) -> list[str]:
        """Canonical names of the drawn classes: `labels`, then those only in manual annotations, then `not
        assessable`."""
        used = {segment.emotion for segment in self.result.segments}
        return [*self.labels, *(emotion for emotion in EMOTIONS_8 if emotion in used - {*self.labels}), NOT_ASSESSABLE]


def read_content(workspace: Workspace) -> Content:
    """Read a workspace in which all stages up to classify-emotions have run.

    Raises:
        MissingStage: one of them has not, or its tables belong to older ones.
        CorruptTable: a table cannot be read.
        InputError: the edits or a crop cannot be read.
    """
    result = load(workspace)
    details = result.details()
    smoothed = SmoothedProbabilities(details)
    frames = tables.read_table(workspace.table("frames"), tables.FRAMES)
    persons, ratings = result.everyone, _ratings(result)
    faces = _chosen_faces(details.faces, persons)
    best = {person.name: person.best.best_face for person in persons if person.tracks}
    portraits, sheets = make_pictures(workspace.table("crops"), list(best.values()), [face for face, _ in faces])
    return Content(
        result,
        details.labels,
        np.array(Sampled.of(frames).cuts_s, np.float64),
        [
            _person(
                result,
                person,
                details,
                smoothed,
                ratings.get(person.name),
                portraits[best[person.name]] if person.name in best else b"",
                pts,
                sheet,
            )
            for person, (_, pts), sheet in zip(persons, faces, sheets, strict=True)
        ],
        details.faces,
    )


def transitions(segments: Iterable[Segment]) -> Counter[tuple[str, str]]:
    """Changes of expression in segments by start: within a track, without a gap."""
    tracks: dict[int, list[Segment]] = defaultdict(list)
    for segment in segments:
        tracks[segment.track].append(segment)
    pairs = (pair for track, own in tracks.items() if track != NO_TRACK for pair in pairwise(own))
    near = ((before, after) for before, after in pairs if after.start_s - before.end_s <= TracksParams.max_gap_s)
    changes = ((before.emotion, after.emotion) for before, after in near)
    return Counter(change for change in changes if NOT_ASSESSABLE not in change)


def _person(
    result: Result,
    person: Person,
    details: Details,
    smoothed: SmoothedProbabilities,
    rated: Stream | None,
    portrait: bytes,
    face_pts_s: NDArray[np.float64],
    sheet: bytes,
) -> PersonContent:
    windows = details.windows.filter(pc.equal(details.windows["person"], person.name))
    start, end = windows["start_s"].to_numpy(), windows["end_s"].to_numpy()
    probabilities = np.stack([windows[label].to_numpy().astype(np.float64) for label in details.labels], axis=1)
    beside = smoothed.of_windows(windows, person.segments)
    known = ~np.isnan(probabilities).any(axis=1) & (end > start)
    origin_s = result.video["start_s"]
    return PersonContent(
        person,
        _lanes(person),
        bin_stream(start, end, beside, origin_s=origin_s, shortest_s=SHORTEST_BIN_S, most=STREAM_BINS),
        _measured(details.faces.filter(pc.equal(details.faces["person"], person.name)), origin_s),
        rated or Stream(SHORTEST_BIN_S, np.zeros(0, np.int64), np.zeros((0, len(RATED)))),
        float(np.average(balance(probabilities[known], details.labels), weights=(end - start)[known]))
        if known.any()
        else None,
        tuple(one for one in result.utterances if one.person == person.name),
        transitions(person.segments),
        portrait,
        face_pts_s,
        sheet,
    )


def _measured(faces: pa.Table, origin_s: float) -> Stream:
    # Where speech is unknown, the other lines go on.
    faces = faces.set_column(faces.schema.get_field_index("talking"), "talking", pc.fill_null(faces["talking"], 0.0))
    columns = [np.mean([faces[name].to_numpy() for name in names], axis=0) for names in LINES.values()]
    start, end = faces["pts_s"].to_numpy(), faces["end_s"].to_numpy()
    values = np.stack(columns, axis=1).astype(np.float64)
    return bin_stream(start, end, values, origin_s=origin_s, shortest_s=SHORTEST_BIN_S, most=STREAM_BINS)


def _ratings(result: Result) -> dict[str, Stream]:
    """Person -> ratings over time in bins; empty without ratings."""
    tracks: dict[str, dict[int, dict[str, Signal]]] = defaultdict(lambda: defaultdict(dict))
    for signal in result.ratings() if result.ratings else ():
        tracks[signal.person][signal.track][signal.name] = signal
    found = {}
    for person, own in tracks.items():
        values = [np.stack([one[name].values[:, place] for name, place in RATED], axis=1) for one in own.values()]
        for each in values:  # a network without an error has no interval
            each[:, 1:3] = np.where(np.isnan(each[:, 1:3]), each[:, :1], each[:, 1:3])
        start, end = (
            np.concatenate([getattr(one["valence"], edge) for one in own.values()]) for edge in ("start_s", "end_s")
        )
        found[person] = bin_stream(
            start,
            end,
            np.concatenate(values).astype(np.float64),
            origin_s=result.video["start_s"],
            shortest_s=SHORTEST_BIN_S,
            most=STREAM_BINS,
        )
    return found


def _lanes(person: Person) -> NDArray[np.int64]:
    lane = lanes([(one.start_ms, one.end_ms) for one in person.tracks], MOST_LANES)
    lane_of = {one.track: number for one, number in zip(person.tracks, lane, strict=True)}
    return np.array([lane_of.get(segment.track, 0) for segment in person.segments], np.int64)


def _chosen_faces(faces: pa.Table, persons: Sequence[Person]) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Numbers and times of the faces shown for each person, ascending: spread evenly, and those of the strongest
    expressions."""
    own = [faces.filter(pc.equal(faces["person"], one.name)).select(["face", "pts_s", "track"]) for one in persons]
    keep = shares(np.array([len(rows) for rows in own], np.int64), most_each=FACES_A_PERSON, most=FACES_IN_ALL)
    chosen = []
    for rows, count, person in zip(own, keep.tolist(), persons, strict=True):
        place = np.union1d(spread_evenly(len(rows), count), _apexes(rows, person))
        chosen.append((rows["face"].to_numpy()[place].astype(np.int64), rows["pts_s"].to_numpy()[place]))
    return chosen


def _apexes(faces: pa.Table, person: Person) -> NDArray[np.int64]:
    """Rows of the faces nearest to the apexes of a person, of the strongest expressions."""
    shown = [(one.course, one.track) for one in person.segments if one.course is not None]
    strongest = sorted(shown, key=lambda one: -one[0].peak)[:MOST_APEXES]
    pts, track = faces["pts_s"].to_numpy(), faces["track"].to_numpy()
    rows = [np.flatnonzero(track == number) for _, number in strongest]
    places = [own[np.abs(pts[own] - course.apex_s).argmin()] for (course, _), own in zip(strongest, rows, strict=True)]
    return np.array(places, np.int64)
