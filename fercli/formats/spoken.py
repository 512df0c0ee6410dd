"""Shared code of the formats of what is said: who says it, cues of subtitles, and tiers of timelines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fercli.labels import RECORD_NAMES
from fercli.results.model import Result, Utterance, Word
from fercli.results.said import joined

OFF_SCREEN = "Off screen"
"""Who speaks if nobody on screen does."""
CUE_LETTERS = 84
"""Most letters of a cue: two lines of 42, as in the guidelines of broadcasters."""
SPEECH, WORDS, VOICE = "speech", "words", "voice"
"""Kinds of tiers."""
LEAST_MS = 10
"""Length given to words without any, where the next word leaves room."""


@dataclass(frozen=True)
class Said:
    """A stretch of text on a timeline.

    Attributes:
        start_ms, end_ms: [start, end) in whole milliseconds from 0; the end is later.
        text: in one line.
        speaker: displayed name; OFF_SCREEN; or empty if unknown.
    """

    start_ms: int
    end_ms: int
    text: str
    speaker: str


@dataclass(frozen=True)
class SpokenTier:
    """A tier of what one person says.

    Attributes:
        name: unique name of the tier, such as `speech@Ross`.
        kind: SPEECH, WORDS or VOICE.
        speaker: as in `Said`.
        rows: by start, without overlaps.
    """

    name: str
    kind: str
    speaker: str
    rows: list[Said]


def speaker_of(one: Utterance | Word) -> str:
    """Displayed name; OFF_SCREEN; or empty if unknown."""
    return one.person or (OFF_SCREEN if one.on_screen is False else "")


def one_line(text: str) -> str:
    """A text without line breaks."""
    return " ".join(text.split())


def utterances(result: Result) -> list[Said]:
    """Each utterance; parts before 0 are cut, as these formats have no such times."""
    return _cut([_row(one.start_ms, one.end_ms, one.text, speaker_of(one)) for one in result.utterances])


def words(result: Result) -> list[Said]:
    """Each word, as `apart` writes it."""
    return apart([_row(word.start_ms, word.end_ms, word.text, speaker_of(word)) for word in result.words])


def apart(rows: Sequence[Said]) -> list[Said]:
    """Rows from 0 on and with a length, those of one speaker without overlaps, as in tiers; by speaker and start."""
    cut = _cut(rows)
    speakers = dict.fromkeys(one.speaker for one in cut)
    return [one for speaker in speakers for one in _apart([row for row in cut if row.speaker == speaker])]


def cues(result: Result) -> list[Said]:
    """Utterances for subtitles: those of more than CUE_LETTERS are cut between words."""
    language = result.speech.language if result.speech else ""
    own: dict[int, list[Word]] = {}
    for word in result.words:
        own.setdefault(word.utterance, []).append(word)
    found = []
    for one in result.utterances:
        words = own.get(one.number, [])
        if len(one.text) <= CUE_LETTERS or len(words) < 2:
            found.append(_row(one.start_ms, one.end_ms, one.text, speaker_of(one)))
            continue
        for part in _parts(words, language):
            found.append(_row(part[0].start_ms, part[-1].end_ms, joined(part, language), speaker_of(one)))
    return _cut(found)


def captions(result: Result) -> list[Said]:
    """`cues` with the speaker in front of the text, as subtitles show it."""
    return [
        Said(one.start_ms, one.end_ms, f"{one.speaker}: {one.text}" if one.speaker else one.text, one.speaker)
        for one in cues(result)
    ]


def spoken_tiers(result: Result, taken: Sequence[str]) -> list[SpokenTier]:
    """Tiers of utterances, words and voices for each speaker, in the order in which they first speak.

    Args:
        taken: names that other tiers have.
    """
    whole = utterances(result)
    voices = _cut(
        [_row(one.start_ms, one.end_ms, top(one.voice), speaker_of(one)) for one in result.utterances if one.voice]
    )
    names = set(taken)
    found = []
    single = words(result)
    for speaker in dict.fromkeys(one.speaker for one in [*whole, *single]):
        for kind, rows in ((SPEECH, whole), (WORDS, single), (VOICE, voices)):
            own = _apart([one for one in rows if one.speaker == speaker])
            if own:
                name = f"{kind}@{speaker}" if speaker else kind
                while name in names:
                    name += "'"
                names.add(name)
                found.append(SpokenTier(name, kind, speaker, own))
    return found


def top(probabilities: object) -> str:
    """The most probable emotion by its name in records; empty without any."""
    if not isinstance(probabilities, dict) or not probabilities:
        return ""
    return RECORD_NAMES[max(probabilities, key=probabilities.__getitem__)]


def clock(milliseconds: int, point: str = ".") -> str:
    """`hh:mm:ss.mmm`."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{point}{rest:03d}"


def _row(start_ms: int, end_ms: int, text: str, speaker: str) -> Said:
    return Said(start_ms, end_ms, one_line(text), speaker)


def _cut(rows: Sequence[Said]) -> list[Said]:
    """Rows by start and from 0 on; those without a length get up to LEAST_MS."""
    by_start = sorted(rows, key=lambda one: (one.start_ms, one.end_ms))
    found = []
    for place, one in enumerate(by_start):
        start, end = max(0, one.start_ms), max(0, one.end_ms)
        if start == end:
            after = by_start[place + 1].start_ms if place + 1 < len(by_start) else start + LEAST_MS
            end = min(start + LEAST_MS, max(after, start))
        if start < end and one.text:
            found.append(Said(start, end, one.text, one.speaker))
    return found


def _apart(rows: Sequence[Said]) -> list[Said]:
    """Rows that end where the next one begins at the latest."""
    found: list[Said] = []
    for one in rows:
        if found and found[-1].end_ms > one.start_ms:
            last = found.pop()
            if last.start_ms < one.start_ms:
                found.append(Said(last.start_ms, one.start_ms, last.text, last.speaker))
            else:
                one = Said(last.start_ms, max(last.end_ms, one.end_ms), f"{last.text} {one.text}", one.speaker)
        found.append(one)
    return found


def _parts(words: Sequence[Word], language: str) -> Iterator[list[Word]]:
    """Words in parts of up to CUE_LETTERS, of about the same length."""
    total = len(joined(words, language))
    most = total / -(-total // CUE_LETTERS)
    part: list[Word] = []
    for word in words:
        longer = len(joined([*part, word], language))
        if part and (longer > CUE_LETTERS or longer - len(word.text) / 2 > most):
            yield part
            part = []
        part.append(word)
    yield part
