"""Corrections of what is said in a file: which lines differ from those that fercli would write."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fercli.edits.apply import ManualSpeech
from fercli.formats import srt
from fercli.formats.annotations import Annotations, Line, composed
from fercli.formats.spoken import OFF_SCREEN, Said, captions, cues, utterances
from fercli.formats.subtitles import prefix_of
from fercli.importers.difference import TOLERANCE_MS, same
from fercli.results.model import Result
from fercli.timing import outside


@dataclass(frozen=True)
class SaidDifference:
    """The changes of what is said.

    Attributes:
        rows: corrections, in the order in which they apply.
        changed, added, deleted: numbers of lines; `changed` have another text or another speaker.
    """

    rows: list[ManualSpeech]
    changed: int
    added: int
    deleted: int


def said_difference(result: Result, annotations: Annotations, renamed: dict[str, str]) -> SaidDifference:
    """Compare what is said with the lines of a file.

    Args:
        renamed: old name -> present name of persons whom the same file renames elsewhere.
    """
    shown, lines = _comparable(result, annotations)
    lines = [replace(one, speaker=renamed.get(one.speaker, one.speaker)) for one in lines]
    waiting = list(shown)
    rows: list[ManualSpeech] = []
    new: list[Line] = []
    changed = 0
    for one in lines:
        span = one.start_ms, one.end_ms
        alike = [other for other in waiting if same((other.start_ms, other.end_ms), span)]
        if not alike:
            new.append(one)
            continue
        match = max(alike, key=lambda other: (composed(other.speaker) == one.speaker, other.text == one.text))
        waiting.remove(match)
        own = _corrections(match, one)
        rows += own
        changed += bool(own)
    spans = [(one.start_ms, one.end_ms) for one in new]
    gone = [piece for one in waiting for piece in outside(one.start_ms, one.end_ms, spans)]
    rows = [*(ManualSpeech(round(a), round(b), None, "") for a, b in gone if b - a > TOLERANCE_MS), *rows]
    for one in new:
        others = [other for other in lines if other is not one]
        beside = any(
            one.start_ms < other.end_ms - TOLERANCE_MS and other.start_ms + TOLERANCE_MS < one.end_ms
            for other in others
        )
        speaker = None if one.speaker in ("", OFF_SCREEN) else one.speaker
        rows.append(ManualSpeech(one.start_ms, one.end_ms, speaker, one.text, beside))
    replaced = sum(any(one.start_ms < b and a < one.end_ms for a, b in spans) for one in waiting)
    changed += replaced
    return SaidDifference(rows, changed, max(0, len(new) - replaced), len(waiting) - replaced)


def _comparable(result: Result, annotations: Annotations) -> tuple[list[Said], list[Line]]:
    """What fercli would write in such a file, and what is in it, with the speakers apart from the texts."""
    lines = list(annotations.said or ())
    if not annotations.cues:
        return utterances(result), lines
    if not annotations.prefixed:
        return cues(result), lines
    known = {OFF_SCREEN, *(one.speaker for one in captions(result)), *(person.name for person in result.persons)}
    shown = [replace(one, text=one.text.translate(srt.MARKUP)) for one in cues(result)]
    spoken = {(one.start_ms, one.end_ms) for one in shown if one.speaker}
    names = {name.translate(srt.MARKUP): name for name in known}
    apart = []
    for one in lines:
        name, rest = prefix_of(one.text)
        is_name = name in names or any(same(span, (one.start_ms, one.end_ms)) for span in spoken)
        apart.append(replace(one, speaker=names.get(name, name), text=rest) if name and is_name else one)
    return shown, apart


def _corrections(shown: Said, line: Line) -> list[ManualSpeech]:
    """What is different in a line with the same times."""
    rows = []
    span = shown.start_ms, shown.end_ms
    if line.text != composed(shown.text) and line.text != shown.text:
        rows.append(ManualSpeech(*span, None, line.text))
    before, after = composed(shown.speaker), line.speaker
    if (before != after and {before, after} != {"", OFF_SCREEN}) or (before == "" and after == OFF_SCREEN):
        rows.append(ManualSpeech(*span, None if after in ("", OFF_SCREEN) else after))
    return rows
