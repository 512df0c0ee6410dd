"""Corrections of what is said in a file: which lines differ from those that fercli would write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fercli.edits.apply import ManualSpeech
from fercli.formats import srt
from fercli.formats.annotations import Annotations, Line, composed
from fercli.formats.spoken import LEAST_MS, OFF_SCREEN, Said, captions, cues, utterances
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


NOTHING_SAID = SaidDifference([], 0, 0, 0)
"""The changes of a file without utterances."""


def said_difference(result: Result, annotations: Annotations) -> SaidDifference:
    """Compare what is said with the lines of a file, which have the present names of speakers."""
    shown, lines = _lasting(*_comparable(result, annotations))
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


@dataclass(frozen=True)
class Earlier:
    """What was said before an import.

    Attributes:
        result: the result then.
        since: the corrections since then.
    """

    result: Result
    since: Sequence[ManualSpeech]


def refreshed(lines: Sequence[Line], shown: Sequence[Said], earlier: Sequence[Earlier]) -> tuple[list[Line], list[int]]:
    """The utterances of a file, in which those from before their words were corrected are as they are now.

    If words are corrected in a file, its utterances still are the old ones when it is imported once more.

    Args:
        shown: utterances as they are.

    Returns:
        The lines, and the starts of those that were old, in milliseconds.
    """
    now = {_key(one) for one in shown}
    old: dict[Line, str] = {}
    for then in earlier:
        before = {_key(one): one.speaker for one in utterances(then.result)}
        by_words = [one for one in then.since if one.text is None]
        for line in lines:
            corrected = any(one.start_ms < line.end_ms and line.start_ms < one.end_ms for one in by_words)
            if corrected and _key(line) not in now and _key(line) in before:
                old[line] = before[_key(line)]
    pieces: dict[Line, list[Line]] = {line: [] for line in old}
    settled = {_key(line) for line in lines}
    for one in (one for one in shown if _key(one) not in settled):
        home = max(old, key=lambda line: _overlap_ms(line, one), default=None)
        if home is not None and _overlap_ms(home, one) > 0:
            speaker = one.speaker if home.speaker == composed(old[home]) else home.speaker
            pieces[home].append(Line(one.start_ms, one.end_ms, one.text, composed(speaker), home.place))
    return [piece for line in lines for piece in pieces.get(line, [line])], [line.start_ms for line in old]


def _key(one: Said | Line) -> tuple[int, int, str]:
    return one.start_ms, one.end_ms, composed(one.text)


def _overlap_ms(one: Line, other: Said) -> int:
    return min(one.end_ms, other.end_ms) - max(one.start_ms, other.start_ms)


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


def _lasting(shown: Sequence[Said], lines: Sequence[Line]) -> tuple[list[Said], list[Line]]:
    """Without the utterances that have no length in the file, a document; other formats give them one."""
    empty = {one.start_ms for one in lines if one.start_ms == one.end_ms}
    kept = [one for one in shown if one.start_ms not in empty or one.end_ms > one.start_ms + LEAST_MS]
    return kept, [one for one in lines if one.start_ms < one.end_ms]


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
