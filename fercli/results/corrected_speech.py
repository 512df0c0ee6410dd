"""Corrections of what is said, and of who says it, applied to the words.

A correction applies to the words whose middle lies in its time, so that it holds whatever the next run of `transcribe`
makes of the utterances. A corrected text takes the times of the words that it shares with the recognised one; others
divide the time between them by their number of letters. Corrected words have times of their own, and the text of their
utterance follows them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import groupby

from fercli.edits.apply import ManualSpeech
from fercli.results.model import Interval, Speech, Utterance, Word
from fercli.results.said import joined, tokens

_SHORTEST_S = 0.02
_NEAR_S = 1.0
"""An added word belongs to an utterance of its speaker that is at most this far away: the pause that ends one."""
_Speaker = tuple[str | None, bool | None]
"""`person` and `on_screen` of a word."""
MANUAL = "manual"
"""Source of a corrected text or speaker."""


def corrected(
    speech: Speech, changes: Sequence[ManualSpeech], seen: Mapping[str, Sequence[Interval]], hidden: Iterable[str] = ()
) -> Speech:
    """What is said with all corrections.

    Args:
        changes: in the order of the log.
        seen: name of a person -> when the person is on screen.
        hidden: names of persons who are ignored; nobody has them.
    """
    if not changes:
        return speech
    hidden = set(hidden)
    original = {one.number: one for one in speech.utterances}
    words = _Words(speech.words)
    texts: dict[int, str] = {}
    free = max(original, default=-1) + 1
    for one in changes:
        inside = words.meant(one)
        person = None if one.person in hidden else one.person
        if one.only_speaker:
            changed = [_by(word, person, seen) for word in inside]
        else:
            changed = _spoken(one, inside, words, free, speech.language)
            if one.person:
                changed = [_by(word, person, seen) if one.text or word.person != person else word for word in changed]
            free = max([free, *(word.utterance + 1 for word in changed)])
            for word in (*inside, *changed):
                texts.pop(word.utterance, None)
        words.replace(inside, changed)
        if one.text and words.number_of(changed[0].utterance) == len(changed):
            texts[changed[0].utterance] = one.text
    return _regrouped(speech, sorted(words, key=_span), original, texts)


@dataclass(frozen=True)
class _Given(Word):
    """A word whose speaker is corrected."""


class _Words:
    """Words by their middles, of which some are replaced at a time."""

    def __init__(self, words: Iterable[Word]) -> None:
        self._words = sorted(words, key=_middle_ms)
        self._middles = [_middle_ms(word) for word in self._words]
        self._numbers = Counter(word.utterance for word in self._words)

    def __iter__(self) -> Iterator[Word]:
        return iter(self._words)

    def number_of(self, utterance: int) -> int:
        """Number of words of an utterance."""
        return self._numbers[utterance]

    def meant(self, one: ManualSpeech) -> list[Word]:
        """The words that a correction replaces, or gives to another speaker, by start."""
        if one.beside:
            return []
        first, after = (bisect_left(self._middles, time) for time in (one.start_ms, one.end_ms))
        inside = sorted(self._words[first:after], key=_span)
        if one.words is None:
            return inside
        return [word for word in inside if word.person == one.person] or inside

    def replace(self, old: Sequence[Word], new: Sequence[Word]) -> None:
        """Put words in the place of others."""
        for word in old:
            place = self._words.index(word, bisect_left(self._middles, _middle_ms(word)))
            del self._words[place], self._middles[place]
        for word in new:
            place = bisect_right(self._middles, _middle_ms(word))
            self._words.insert(place, word)
            self._middles.insert(place, _middle_ms(word))
        self._numbers.subtract(word.utterance for word in old)
        self._numbers.update(word.utterance for word in new)


def _spoken(one: ManualSpeech, inside: Sequence[Word], words: _Words, free: int, language: str) -> list[Word]:
    """The new words, said by who said the old ones; with `free` as the number of a new utterance."""
    if one.words is not None:
        return _exact(one, inside, words, free)
    return _retimed(one, inside, inside[0].utterance if inside else free, language)


def _exact(one: ManualSpeech, inside: Sequence[Word], words: _Words, free: int) -> list[Word]:
    """Words with times of their own, each in the utterance of the nearest word."""
    near = inside or [word for word in words if word.person == one.person]
    found: list[Word] = []
    for new in one.words or ():
        word = Word(new.start_ms / 1000, new.end_ms / 1000, new.text, 1.0, free)
        home = _nearest(word, near)
        if home is not None and (inside or _overlap_s(word, home) >= -_NEAR_S):
            word = replace(home, start_s=word.start_s, end_s=word.end_s, text=word.text, score=1.0)
        found.append(word)
    return found


def _nearest(word: Word, words: Iterable[Word]) -> Word | None:
    return max(words, key=lambda other: _overlap_s(word, other), default=None)


def _overlap_s(one: Word, other: Word) -> float:
    """Seconds that both last; below 0 how far they are apart."""
    return min(one.end_s, other.end_s) - max(one.start_s, other.start_s)


def _span(word: Word) -> tuple[float, float]:
    return word.start_s, word.end_s


def _middle_ms(word: Word) -> float:
    return 500 * (word.start_s + word.end_s)


def _by(word: Word, person: str | None, seen: Mapping[str, Sequence[Interval]]) -> Word:
    """The word, said by a person; by nobody on screen if None."""
    times = seen.get(person, ()) if person else ()
    visible = any(time.start_s <= word.end_s and word.start_s < time.end_s for time in times)
    return _Given(word.start_s, word.end_s, word.text, word.score, word.utterance, person, visible)


def _retimed(one: ManualSpeech, inside: Sequence[Word], number: int, language: str) -> list[Word]:
    """The words of a corrected text."""
    new = tokens(one.text or "", language)
    start_s, end_s = one.start_ms / 1000, one.end_ms / 1000
    spans = _aligned(inside, new, start_s, end_s)
    if any(end - start < _SHORTEST_S for start, end in spans):
        spans = _divided(new, start_s, end_s)
    words = [Word(*span, text, 1.0, number) for text, span in zip(new, spans, strict=True)]
    homes = [_nearest(word, inside) or word for word in words]
    return [
        replace(home, start_s=word.start_s, end_s=word.end_s, text=word.text, score=1.0, utterance=number)
        for word, home in zip(words, homes, strict=True)
    ]


def _aligned(inside: Sequence[Word], new: Sequence[str], start_s: float, end_s: float) -> list[tuple[float, float]]:
    """The times of words that are in both texts, and between them the others; within [start_s, end_s]."""
    times: list[tuple[float, float] | None] = [None] * len(new)
    same = SequenceMatcher(None, [_plain(word.text) for word in inside], [_plain(text) for text in new], autojunk=False)
    for ours, theirs, length in same.get_matching_blocks():
        for k in range(length):
            word = inside[ours + k]
            times[theirs + k] = max(word.start_s, start_s), min(word.end_s, end_s)
    spans: list[tuple[float, float]] = []
    place = 0
    while place < len(new):
        own = times[place]
        if own is not None:
            spans.append(own)
            place += 1
            continue
        after = next((k for k in range(place, len(new)) if times[k] is not None), len(new))
        begin = spans[-1][1] if spans else start_s
        until = times[after] if after < len(new) else None
        spans += _divided(new[place:after], begin, until[0] if until else end_s)
        place = after
    return spans


def _divided(texts: Sequence[str], start_s: float, end_s: float) -> list[tuple[float, float]]:
    """Spans for words, by their number of letters."""
    total = sum(map(len, texts))
    spans, done = [], 0
    for text in texts:
        begin = start_s + (end_s - start_s) * done / total
        done += len(text)
        spans.append((begin, start_s + (end_s - start_s) * done / total))
    return spans


def _plain(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())


def _regrouped(
    speech: Speech, words: Sequence[Word], original: Mapping[int, Utterance], texts: Mapping[int, str]
) -> Speech:
    """The words as utterances; a speaker that is corrected begins another one."""
    before: dict[int, list[Word]] = {}
    for word in speech.words:
        before.setdefault(word.utterance, []).append(word)

    def speaker(word: Word) -> _Speaker:
        """The corrected speaker, or else that of the utterance: a predicted one may begin inside an utterance."""
        old = None if isinstance(word, _Given) else original.get(word.utterance)
        return (word.person, word.on_screen) if old is None else (old.person, old.on_screen)

    groups: list[tuple[_Speaker, list[Word]]] = []
    by_number = sorted(words, key=lambda word: word.utterance)
    for _, same in groupby(by_number, key=lambda word: word.utterance):
        groups += [(who, list(part)) for who, part in groupby(same, key=speaker)]
    groups.sort(key=lambda group: (group[1][0].start_s, group[1][-1].end_s))
    parts = Counter(own[0].utterance for _, own in groups)
    utterances, numbered = [], []
    for number, (who, own) in enumerate(groups):
        old, whole = original.get(own[0].utterance), own[0].utterance in texts
        if old is not None and own == before.get(old.number):
            utterances.append(replace(old, number=number))
        else:
            alone = parts[own[0].utterance] == 1
            text = texts[own[0].utterance] if whole and alone else joined(own, speech.language)
            utterances.append(_utterance(number, text, who, own, old))
        numbered += [
            Word(word.start_s, word.end_s, word.text, word.score, number, word.person, word.on_screen) for word in own
        ]
    numbered.sort(key=_span)
    return replace(speech, utterances=tuple(utterances), words=tuple(numbered))


def _utterance(number: int, text: str, who: _Speaker, own: Sequence[Word], old: Utterance | None) -> Utterance:
    """A corrected utterance. What was seen in the face of another person is not kept."""
    person, on_screen = who
    score = sum(word.score for word in own) / len(own)
    span = own[0].start_s, max(word.end_s for word in own)
    if old is None:
        sources = {"text": MANUAL} | ({"object": MANUAL} if person or on_screen is False else {})
        return Utterance(*span, number, text, score, person, on_screen, sources=sources)
    kept = dict(old.sources)
    if text != old.text:
        kept["text"] = MANUAL
    if (person, on_screen) == (old.person, old.on_screen):
        return replace(old, start_s=span[0], end_s=span[1], number=number, text=text, score=score, sources=kept)
    kept = {name: source for name, source in kept.items() if name not in ("face", "both")} | {"object": MANUAL}
    return Utterance(*span, number, text, score, person, on_screen, face=None, voice=old.voice, both=None, sources=kept)
