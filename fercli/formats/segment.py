"""One segment of an export, and its record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from fercli.labels import RECORD_NAMES

NO_TRACK = -1
"""Track of a segment that a person added where nobody was tracked; null in the record."""


@dataclass(frozen=True)
class Segment:
    """One person showing one emotion for a while, or not assessable for a while.

    Attributes:
        emotion: canonical name, or `not assessable`.
        start_s, end_s: [start, end) in presentation timestamps, seconds.
        person: who.
        track: number of the track; of a human segment that of the person's face nearest to its middle, or NO_TRACK.
        score: mean probability in [0, 1]; None if not assessable, and of human segments.
        box: x1, y1, x2, y2 of the face in the middle of the segment, pixels; None without a track.
        reason: why it is not assessable; empty otherwise.
        identity: how surely the track is this person's, in [0, 1]; None if nobody is known, and of human segments.
        by_hand: whether a person's correction says who it is.
        source: `human` where a person's own segment stands in place of the machine's.
    """

    emotion: str
    start_s: float
    end_s: float
    person: str
    track: int
    score: float | None
    box: tuple[float, float, float, float] | None
    reason: str
    identity: float | None = None
    by_hand: bool = False
    source: Literal["machine", "human"] = "machine"

    def as_record(self) -> dict[str, Any]:
        """The exported record: four keys everybody relies on, then the optional ones.

        `identity_source` and `source` are there only where they are `human`.
        """
        record: dict[str, Any] = {
            "type": "emotion",
            "class": RECORD_NAMES[self.emotion],
            "seconds": round(self.start_s, 3),
            "object": self.person,
            "end": round(self.end_s, 3),
        }
        if self.score is not None:
            record["score"] = round(self.score, 3)
        record["track"] = None if self.track == NO_TRACK else self.track
        record["box"] = None if self.box is None else [round(edge, 1) for edge in self.box]
        if self.identity is not None:
            record["identity"] = round(self.identity, 3)
        if self.by_hand:
            record["identity_source"] = "human"
        if self.source == "human":
            record["source"] = "human"
        return record
