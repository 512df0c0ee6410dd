"""Corrections of single words in a file: which words differ from those that fercli would write.

A file may correct the text of an utterance and its words. If both do not agree, the text of the utterance holds.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from fercli.edits.apply import ManualSpeech
from fercli.edits.edit import TimedWord
from fercli.formats.annotations import Line
from fercli.formats.spoken import OFF_SCREEN, Said, apart, words
from fercli.importers.difference import TOLERANCE_MS, same
from fercli.importers.said import Earlier
from fercli.results.model import Result
from fercli.results.said import tokens

_Span = tuple[int, int]
_Then = tuple["_Words", Sequence[ManualSpeech]]
"""The words before an import, and the corrections since."""


@dataclass
class WordsDifference:
    """The changes of words.

    Attributes:
        rows: corrections, in the order in which they apply.
        changed, added, deleted: numbers of words; `changed` have another text, other times or another speaker.
        passed_over: starts of words that were corrected as well as the text of their utterance, to something else, in
            milliseconds.
        stale: starts of words that are still those from before their utterance was corrected.
        without: speakers of whom the file has no word at all; nothing of theirs is deleted.
    """

    rows: list[ManualSpeech] = field(default_factory=list)
    changed: int = 0
    added: int = 0
    deleted: int = 0
    passed_over: list[int] = field(default_factory=list)
    stale: list[int] = field(default_factory=list)
    without: list[str] = field(default_factory=list)


class _Words:
    """Words by speaker and time; those of one speaker do not overlap."""

    def __init__(self, rows: Iterable[Said]) -> None:
        self._rows: dict[str | None, list[Said]] = defaultdict(list)
        for one in sorted(rows, key=_middle_ms):
            self._rows[_person(one.speaker)].append(one)
        self._middles = {person: [_middle_ms(one) for one in own] for person, own in self._rows.items()}

    def inside(self, speaker: str, span: _Span) -> list[Said]:
        """The words of a speaker whose middle is in a stretch."""
        middles = self._middles.get(_person(speaker), [])
        return self._rows.get(_person(speaker), [])[bisect_left(middles, span[0]) : bisect_left(middles, span[1])]

    def anybody(self, span: _Span) -> bool:
        """Whether anybody says a word whose middle is in a stretch."""
        return any(self.inside(person or "", span) for person in self._rows)


@dataclass
class _Stretch:
    """Overlapping words of one speaker that are otherwise in the file.

    Attributes:
        speaker: as in `Said`.
        start_ms, end_ms: [start, end) of all of them.
        gone, new: number of words that are only shown, and only in the file.
    """

    speaker: str
    start_ms: int
    end_ms: int
    gone: int = 0
    new: int = 0

    @property
    def span(self) -> _Span:
        return self.start_ms, self.end_ms


def words_difference(
    result: Result,
    lines: Sequence[Line],
    said: Sequence[Line],
    corrections: Sequence[ManualSpeech],
    history: Callable[[], Sequence[Earlier]],
) -> WordsDifference:
    """Compare the words of a result with those of a file.

    Args:
        lines: the words of the file. said: its utterances. Both with the present names of speakers.
        corrections: what the utterances of the file correct.
        history: gives what was said before earlier imports.
    """
    shown = words(result)
    given = apart([Said(one.start_ms, one.end_ms, one.text, one.speaker) for one in lines])
    ours, theirs = _Words(shown), _Words(given)
    moved, gone, new = _matched(shown, given)
    found = WordsDifference()
    named = {_person(one.speaker) for one in given}
    missing = [one for one in gone if _person(one.speaker) not in named]
    found.without += list(dict.fromkeys(_person(one.speaker) or "unknown speakers" for one in missing))
    gone = [one for one in gone if _person(one.speaker) in named]
    texts = [(one.start_ms, one.end_ms) for one in corrections if one.text is not None]
    language = result.speech.language if result.speech else ""
    stretches = _stretches(gone, new)
    earlier = [(_Words(words(one.result)), one.since) for one in history()] if stretches or moved else []
    for one in moved:
        _give(found, one, said, corrections, earlier)
    done: set[Line] = set()
    for stretch in stretches:
        mine = theirs.inside(stretch.speaker, stretch.span)
        own = [line for line in said if _overlap((line.start_ms, line.end_ms), stretch.span)]
        own = [line for line in own if _same_speaker(line.speaker, stretch.speaker)]
        if not any(_overlap(span, stretch.span) for span in texts):
            if _is_old(mine, stretch.speaker, stretch.span, earlier):
                found.stale.append(stretch.start_ms)
                continue
            found.rows.append(_row(stretch.span, stretch.speaker, mine, ours))
        elif (own or not stretch.new) and all(_agree(line, theirs, language) for line in own):
            for line in (line for line in own if line not in done):
                done.add(line)
                span = line.start_ms, line.end_ms
                found.rows.append(_row(span, line.speaker, theirs.inside(line.speaker, span), None))
        else:
            found.passed_over.append(stretch.start_ms)
            continue
        both = min(stretch.gone, stretch.new)
        found.changed += both
        found.added += stretch.new - both
        found.deleted += stretch.gone - both
    return found


def _matched(shown: Sequence[Said], given: Sequence[Said]) -> tuple[list[Said], list[Said], list[Said]]:
    """Words of the file with another speaker; words that are only shown; words that are only in the file."""
    waiting: dict[tuple[str, int], list[Said]] = defaultdict(list)
    for one in shown:
        waiting[one.text, one.start_ms].append(one)
    others = [one for one in given if not _take(waiting, one, same_speaker=True)]
    moved: list[Said] = []
    new: list[Said] = []
    for one in others:
        (moved if _take(waiting, one, same_speaker=False) else new).append(one)
    return moved, [one for left in waiting.values() for one in left], new


def _take(waiting: dict[tuple[str, int], list[Said]], wanted: Said, *, same_speaker: bool) -> bool:
    """Whether there is such a word; it is removed."""
    for start in range(wanted.start_ms - TOLERANCE_MS, wanted.start_ms + TOLERANCE_MS + 1):
        for one in waiting.get((wanted.text, start), ()):
            alike = same((one.start_ms, one.end_ms), (wanted.start_ms, wanted.end_ms))
            if alike and (not same_speaker or _same_speaker(one.speaker, wanted.speaker)):
                waiting[wanted.text, start].remove(one)
                return True
    return False


def _give(
    found: WordsDifference,
    word: Said,
    said: Sequence[Line],
    corrections: Sequence[ManualSpeech],
    earlier: Sequence[_Then],
) -> None:
    """Another speaker of a word, unless the utterances of the file say who speaks then."""
    span = word.start_ms, word.end_ms
    corrected = any(_overlap((one.start_ms, one.end_ms), span) for one in corrections)
    if not corrected and _is_old([word], word.speaker, span, earlier):
        found.stale.append(word.start_ms)
    elif not corrected:
        found.rows.append(ManualSpeech(*span, _person(word.speaker)))
        found.changed += 1
    else:
        over = [line for line in said if line.start_ms <= sum(span) / 2 < line.end_ms]
        if not any(_same_speaker(line.speaker, word.speaker) for line in over):
            found.passed_over.append(word.start_ms)


def _stretches(gone: Sequence[Said], new: Sequence[Said]) -> list[_Stretch]:
    """Words of each speaker, those that overlap together; by start."""
    rows = sorted([*((one, False) for one in gone), *((one, True) for one in new)], key=lambda row: row[0].start_ms)
    last: dict[str, _Stretch] = {}
    found = []
    for one, is_new in rows:
        speaker = _person(one.speaker) or ""
        stretch = last.get(speaker)
        if stretch is None or stretch.end_ms <= one.start_ms:
            stretch = last[speaker] = _Stretch(speaker, one.start_ms, one.end_ms)
            found.append(stretch)
        stretch.end_ms = max(stretch.end_ms, one.end_ms)
        stretch.new += is_new
        stretch.gone += not is_new
    return found


def _row(span: _Span, speaker: str, mine: Sequence[Said], ours: _Words | None) -> ManualSpeech:
    """The words of a stretch; beside those that are shown, if only others speak there."""
    beside = ours is not None and ours.anybody(span) and not ours.inside(speaker, span)
    timed = [word for one in mine for word in _timed(one)]
    return ManualSpeech(*span, _person(speaker), beside=beside, words=tuple(timed))


def _timed(one: Said) -> list[TimedWord]:
    """The word; several, if a label has several, which divide its time by their number of letters."""
    parts = one.text.split()
    total, done, found = sum(map(len, parts)), 0, []
    for part in parts:
        start = one.start_ms + (one.end_ms - one.start_ms) * done // total
        done += len(part)
        end = one.start_ms + (one.end_ms - one.start_ms) * done // total
        found.append(TimedWord(start, max(end, start + 1), part))
    return found


def _agree(line: Line, theirs: _Words, language: str) -> bool:
    """Whether an utterance of the file and its words have the same text."""
    own = theirs.inside(line.speaker, (line.start_ms, line.end_ms))
    return tokens(" ".join(one.text for one in own), language) == tokens(line.text, language)


def _is_old(mine: Sequence[Said], speaker: str, span: _Span, earlier: Sequence[_Then]) -> bool:
    """Whether words of a file are those from before their utterance was corrected."""
    return any(
        _alike(mine, then.inside(speaker, span)) and any(_is_of_utterance(one, span) for one in since)
        for then, since in earlier
    )


def _is_of_utterance(one: ManualSpeech, span: _Span) -> bool:
    """Whether a correction was one of the utterance over a stretch; another speaker of all of it may be of a word."""
    own = one.start_ms, one.end_ms
    return _overlap(own, span) and (one.text is not None or (one.only_speaker and not same(own, span)))


def _alike(ours: Sequence[Said], theirs: Sequence[Said]) -> bool:
    """Whether words have the same texts and times."""
    return len(ours) == len(theirs) and all(
        a.text == b.text and same((a.start_ms, a.end_ms), (b.start_ms, b.end_ms))
        for a, b in zip(ours, theirs, strict=True)
    )


def _middle_ms(one: Said) -> float:
    return (one.start_ms + one.end_ms) / 2


def _overlap(a: _Span, b: _Span) -> bool:
    return a[0] < b[1] - TOLERANCE_MS and b[0] < a[1] - TOLERANCE_MS


def _person(speaker: str) -> str | None:
    """Name of the speaker; None if it is nobody known."""
    return None if speaker in ("", OFF_SCREEN) else speaker


def _same_speaker(one: str, other: str) -> bool:
    """Whether the speaker is the same. Nobody known and off screen are, as a document does not tell them for words."""
    return _person(one) == _person(other)
