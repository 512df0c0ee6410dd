"""NIST's Rich Transcription Time Marked: persons on screen over time, or who speaks when, for the tools that score
speaker diarisation.

Ten fields per line: type, file, channel, begin, duration, orthography, subtype, speaker, confidence and lookahead (NIST
2009, RT-09 evaluation plan, appendix A). There is no field for an emotion. It is written as the orthography, which
readers such as pyannote.database and scorers such as md-eval.pl and dscore ignore; md-eval.pl refuses it as a subtype.
"""

from __future__ import annotations

from pathlib import Path

from fercli.formats.timeline import in_milliseconds
from fercli.labels import NOT_ASSESSABLE
from fercli.results.model import Result, Segment

UNKNOWN = "<NA>"


def write(result: Result, path: Path) -> None:
    """Write one SPEAKER line per segment, by begin; the emotion of a face that is not assessable is `<NA>`."""
    file = _field(Path(result.video["name"]).stem)
    lines = [_line(file, segment) for segment in in_milliseconds([*result.segments, *result.gaps])]
    path.write_text("".join(lines), encoding="utf-8")


def write_speech(result: Result, path: Path) -> None:
    """Write one SPEAKER line per turn; `off_screen` and `unknown` stand for all whose name is not known."""
    file = _field(Path(result.video["name"]).stem)
    lines = []
    for turn in result.turns:
        begin_ms, end_ms = max(0, turn.start_ms), max(0, turn.end_ms)
        if begin_ms < end_ms:
            speaker = turn.person or ("off_screen" if turn.on_screen is False else "unknown")
            times = f"{begin_ms / 1000:.3f} {(end_ms - begin_ms) / 1000:.3f}"
            fields = f"{UNKNOWN} {UNKNOWN} {_field(speaker)} {UNKNOWN} {UNKNOWN}"
            lines.append(f"SPEAKER {file} 1 {times} {fields}\n")
    path.write_text("".join(lines), encoding="utf-8")


def _line(file: str, segment: Segment) -> str:
    begin, duration = segment.start_ms / 1000, (segment.end_ms - segment.start_ms) / 1000
    emotion = UNKNOWN if segment.emotion == NOT_ASSESSABLE else segment.short_name
    score = UNKNOWN if segment.score is None else f"{segment.score:.3f}"
    return (
        f"SPEAKER {file} 1 {begin:.3f} {duration:.3f} {emotion} {UNKNOWN} {_field(segment.person)} {score} {UNKNOWN}\n"
    )


def _field(text: str) -> str:
    """A space ends a field; pyannote.database reads with pandas, for which a double quote starts a quoted string."""
    return "_".join(text.replace('"', "'").split())
