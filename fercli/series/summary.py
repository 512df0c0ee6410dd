"""A series in numbers: who is on screen in which video for how long, showing what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from fercli.results.model import Person, Segment
from fercli.series.find import Failure, Member
from fercli.series.reading import Episode, Missing, Series
from fercli.workspace import Workspace


@dataclass(frozen=True)
class Appearance:
    """One person in one video.

    Attributes:
        inside: path of the workspace below the folder, as `Member.inside`.
        name: shown name in the video.
        in_series: as `Episode.in_series`; None for `Unassigned`.
        known: whether the name is the same person in other videos, too.
        screen_time_s: seconds of all tracks.
        seconds_by_emotion: canonical emotion, or `not assessable` -> seconds, longest first.
        moments: the longest segment of each emotion, by start.
        best_face: number of the face that shows the person best; None if there is no track.
        distinctness: of that face's track; comparable between videos.
    """

    inside: str
    name: str
    in_series: str | None
    known: bool
    screen_time_s: float
    seconds_by_emotion: dict[str, float]
    moments: list[Segment]
    best_face: int | None
    distinctness: float


@dataclass(frozen=True)
class VideoRow:
    """One video with a result.

    Attributes:
        member, workspace: its workspace.
        video: file name.
        duration_s: seconds.
        segments: number of segments, without those not assessable.
        people: by screen time, `Unassigned` last.
        cast: the cast by which its persons were found; empty if there is none.
        failure: how the last run failed, if the result is of an earlier one.
    """

    member: Member
    workspace: Workspace
    video: str
    duration_s: float
    segments: int
    people: list[Appearance]
    cast: str
    failure: Failure | None

    @property
    def persons(self) -> list[Appearance]:
        """`people` without `Unassigned`."""
        return [one for one in self.people if one.in_series is not None]


@dataclass(frozen=True)
class SeriesPerson:
    """One person over all videos.

    Attributes:
        name: as `Episode.in_series`.
        known: whether the name is one person in all videos; otherwise the person is known in one video only.
        appearances: `inside` -> appearance, in the order of the videos.
    """

    name: str
    known: bool
    appearances: dict[str, Appearance] = field(default_factory=dict)

    @property
    def screen_time_s(self) -> float:
        """Total over all videos."""
        return round(sum(one.screen_time_s for one in self.appearances.values()), 3)

    @property
    def seconds_by_emotion(self) -> dict[str, float]:
        """Totals over all videos, longest first."""
        return added(one.seconds_by_emotion for one in self.appearances.values())


@dataclass(frozen=True)
class Summary:
    """The series.

    Attributes:
        folder: its folder.
        videos: videos with a result, by path of the workspace.
        persons: by screen time; those known over the series first.
        missing: videos without a result.
    """

    folder: Path
    videos: list[VideoRow]
    persons: list[SeriesPerson]
    missing: list[Missing]

    @property
    def known(self) -> list[SeriesPerson]:
        """The persons whose names hold over the series."""
        return [person for person in self.persons if person.known]

    @property
    def local(self) -> int:
        """Number of persons that are known in one video only."""
        return len(self.persons) - len(self.known)


def summarise(series: Series) -> Summary:
    """Read all results, one at a time, and keep their numbers."""
    videos = [_row(episode) for episode in series]
    persons: dict[str, SeriesPerson] = {}
    for video in videos:
        for one in video.people:
            if one.in_series is not None:
                person = persons.setdefault(one.in_series, SeriesPerson(one.in_series, one.known))
                person.appearances[one.inside] = one
    ranked = sorted(persons.values(), key=lambda person: (not person.known, -person.screen_time_s, person.name))
    return Summary(series.folder, videos, ranked, series.missing)


def added(parts: Iterable[dict[str, float]]) -> dict[str, float]:
    """Sums by emotion, longest first."""
    seconds: dict[str, float] = defaultdict(float)
    for part in parts:
        for emotion, value in part.items():
            seconds[emotion] += value
    ranked = sorted(seconds.items(), key=lambda item: (-item[1], item[0]))
    return {emotion: round(value, 3) for emotion, value in ranked}


def _row(episode: Episode) -> VideoRow:
    result = episode.result
    return VideoRow(
        episode.member,
        episode.workspace,
        episode.video,
        result.video["duration_s"],
        len(result.segments),
        [_appearance(person, episode) for person in result.everyone],
        episode.cast,
        episode.failure,
    )


def _appearance(person: Person, episode: Episode) -> Appearance:
    best = person.best if person.tracks else None
    return Appearance(
        episode.member.inside,
        person.name,
        episode.in_series(person.name),
        episode.is_known(person.name),
        person.screen_time_s,
        person.seconds_by_emotion,
        _moments(person.segments),
        best.best_face if best else None,
        best.distinctness[0] if best else 0.0,
    )


def _moments(segments: Iterable[Segment]) -> list[Segment]:
    longest: dict[str, Segment] = {}
    for segment in segments:
        if segment.assessed and (segment.emotion not in longest or segment.seconds > longest[segment.emotion].seconds):
            longest[segment.emotion] = segment
    return sorted(longest.values(), key=lambda one: one.start_s)
