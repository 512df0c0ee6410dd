"""NIST's Rich Transcription Time Marked: who is on screen when, for the tools that score who spoke when.

Ten fields a line: type, file, channel, begin, duration, orthography, subtype, speaker, confidence and lookahead (NIST
2009, RT-09 evaluation plan, appendix A). None is meant for an emotion. It stands in the orthography, which readers such
as pyannote.database and scorers such as md-eval.pl and dscore pass over; a subtype md-eval.pl refuses.
"""

from __future__ import annotations

from pathlib import Path

from fercli.formats.timeline import in_milliseconds
from fercli.labels import NOT_ASSESSABLE
from fercli.results.model import Result, Segment

UNKNOWN = "<NA>"


def write(result: Result, path: Path) -> None:
    """Write a SPEAKER line a segment, by begin; of a face that could not be assessed the emotion is `<NA>`."""
    file = _field(Path(result.video["name"]).stem)
    lines = [_line(file, segment) for segment in in_milliseconds([*result.segments, *result.gaps])]
    path.write_text("".join(lines), encoding="utf-8")


def _line(file: str, segment: Segment) -> str:
    begin, duration = segment.start_ms / 1000, (segment.end_ms - segment.start_ms) / 1000
    emotion = UNKNOWN if segment.emotion == NOT_ASSESSABLE else segment.short_name
    score = UNKNOWN if segment.score is None else f"{segment.score:.3f}"
    return (
        f"SPEAKER {file} 1 {begin:.3f} {duration:.3f} {emotion} {UNKNOWN} {_field(segment.person)} {score} {UNKNOWN}\n"
    )


def _field(text: str) -> str:
    """Blanks end a field; pyannote.database reads with pandas, for which a double quote begins a quotation."""
    return "_".join(text.replace('"', "'").split())
