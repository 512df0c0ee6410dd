"""transcribe: sound -> when someone speaks, and what is said: utterances, and words with their times.

Voice activity comes first (Silero). Passages of up to 28 s with a clear voice are recognised (Whisper), and each word
is confined to the voiced stretch that it overlaps most; words outside of all of them are left out, so that nothing is
read into silence or music.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli import tables
from fercli.config import ANY_LANGUAGE, ANY_SUBTITLES, EMBEDDED, SpeechParams
from fercli.errors import ConfigError, InputError
from fercli.files import require_regular_file
from fercli.formats.reading import read_annotations
from fercli.hashing import sha256_file
from fercli.models.registry import find_model, find_speech_model, find_weights
from fercli.stages.base import StageContext, require_ranges

if TYPE_CHECKING:
    from fercli.media.kept_sound import KeptSound
    from fercli.models.silero import Span
    from fercli.models.whisper import Encoded, HeardWord, Recogniser

SCHEMAS = {"voice": tables.VOICE, "utterances": tables.UTTERANCES, "words": tables.WORDS}
_PIECES = {"utterances": tables.UTTERANCES, "words": tables.WORDS}
NO_SOUND = "there is no sound"
_NO_FILE = ("", EMBEDDED, ANY_SUBTITLES)
PASSAGE_S = 28.0
"""Longest passage that is recognised at once, seconds; the network takes 30."""
_CUT_FROM_S = 15.0
_GAP_S = 3.0
"""Silence that ends a passage, seconds."""
NEAR_S = 0.2
"""Distance from a voiced stretch up to which a word is taken into it, seconds."""
_AT_ONCE = 4
"""Passages that are recognised together; a stopped run goes on after the last of them."""
_HEARD_FROM = 5
"""Number of passages by which the language is detected."""
PAUSE_S = 1.0
"""Silence between two words that ends a sentence, seconds."""
_ENDS = re.compile(".*[.!?…。\uff01\uff1f][\"'”\u2019»)\\]]*")
_SHORTENED = frozenset(("mr.", "mrs.", "ms.", "dr.", "st.", "prof.", "sr.", "jr.", "vs.", "sra.", "hr.", "fr."))
"""Words whose full stop does not end a sentence."""
_DOUBTED_BELOW = 0.5
_SURE_FROM = 0.8


def run(context: StageContext, params: SpeechParams) -> dict[str, Any]:
    """Find the voiced stretches, then recognise passage by passage; returns counts and the language.

    Raises:
        ConfigError: a parameter is out of range, or a language that the network does not know.
        ModelError: a network or a package is missing.
        CorruptTable: the sound cannot be read.
    """
    from fercli.media.kept_sound import KeptSound

    check(params)
    sound = KeptSound(context.workspace.table("sound"))
    if not sound.pieces:
        context.skip(NO_SOUND, SCHEMAS)
        return {"voice": 0, "utterances": 0, "words": 0}
    probabilities = _probabilities(context, sound)
    spans = _spans(probabilities, sound, params)
    peaks = [_peak(probabilities, sound, span) for span in spans]
    voice = [{"start_s": a, "end_s": b, "score": peak} for (a, b), peak in zip(spans, peaks, strict=True)]
    clear = [span for span, peak in zip(spans, peaks, strict=True) if peak >= params.min_peak]
    passages = passages_of(clear, probabilities, sound.start_s)
    language = ""
    counts: dict[str, Any] = {}
    if params.subtitles:
        language = "" if params.language == ANY_LANGUAGE else params.language
        _from_subtitles(context, spans, params)
    elif passages:
        language, counts = _recognised(context, sound, spans, passages, params)
    tables.write_table(context.out / "voice.parquet", [pa.Table.from_pylist(voice, schema=tables.VOICE)], tables.VOICE)
    found = context.chunks.merge(context.out, _PIECES)
    seconds = round(sum(b - a for a, b in spans), 3)
    return {"voice": len(voice), **found, "speech_s": seconds, "language": language, **counts}


def weights(params: SpeechParams) -> dict[str, str]:
    """The networks and the sha256 of their files."""
    voice = find_model("silero-vad", "voice")
    paths = {voice.name: find_weights(voice)}
    if params.subtitles in ("", ANY_SUBTITLES):
        spec, given = find_speech_model(params.model)
        paths[spec.name] = find_weights(spec, given)
    return {name: sha256_file(path) for name, path in paths.items() if path is not None}


def check(params: SpeechParams) -> None:
    """Raises ConfigError for a parameter that is out of range, or a language that Whisper does not know."""
    if params.language != ANY_LANGUAGE and not params.subtitles and find_spec("faster_whisper"):
        from faster_whisper.tokenizer import _LANGUAGE_CODES

        _require_language(params.language, _LANGUAGE_CODES)
    if params.subtitles not in _NO_FILE:
        require_regular_file(Path(params.subtitles), InputError, "give a file of subtitles")
        if Path(params.subtitles).suffix.lower() not in (".srt", ".vtt"):
            raise ConfigError(
                f"cannot read subtitles from {params.subtitles}", hint="give an .srt or a .vtt", code="suffix-unknown"
            )
    require_ranges(
        params,
        ("threshold", 0 < params.threshold <= 1, "above 0, to 1"),
        ("pad_s", params.pad_s >= 0, "from 0"),
        ("min_silence_s", params.min_silence_s >= 0, "from 0"),
        ("min_peak", 0 <= params.min_peak <= 1, "from 0 to 1"),
    )


def outside(params: SpeechParams) -> dict[str, str]:
    """The sha256 of a file of subtitles."""
    if params.subtitles in _NO_FILE:
        return {}
    return {"subtitles": sha256_file(Path(params.subtitles))}


def _from_subtitles(context: StageContext, spans: Sequence[Span], params: SpeechParams) -> None:
    """Commit what subtitles say, aligned with the voice."""
    from fercli.formats.aligned import aligned
    from fercli.models.whisper import HeardWord

    if params.translate:
        context.warn("subtitles are not translated; without them, --translate writes English")
    found = aligned(_cues(context, params), spans)
    if found.shift_s:
        context.warn(f"the subtitles fit the voice when shifted by {found.shift_s:+.1f} s, and are shifted")
    if found.lost:
        context.warn(f"{found.lost} subtitles are left out, because nobody speaks at their time")
    sentences = [
        [HeardWord(f" {text}", start_s, end_s, 1.0) for text, start_s, end_s in words] for words in found.sentences
    ]
    if not context.chunks.done:
        context.chunks.commit(0, _rows(sentences, 0), _PIECES)


def _cues(context: StageContext, params: SpeechParams) -> list[tuple[float, float, str]]:
    """The cues of the file, or of the video.

    Raises:
        DatasetError: the file has none, or cannot be read.
        InputError: the video has no subtitles of text.
    """
    if params.subtitles != EMBEDDED:
        lines = read_annotations(Path(params.subtitles)).said or ()
        return sorted((one.start_ms / 1000, one.end_ms / 1000, one.text) for one in lines)
    from fercli.media.embedded_subtitles import embedded_subtitles

    video = Path(context.workspace.video.path)
    cues = embedded_subtitles(video)
    if cues is None:
        raise InputError(
            f"{video} has no subtitles of text", hint="give a file: --subtitles FILE.srt", code="subtitles-missing"
        )
    return sorted(cues)


def passages_of(spans: Sequence[Span], probabilities: NDArray[np.float32], start_s: float) -> list[Span]:
    """Voiced stretches put together to passages of up to PASSAGE_S; longer ones are cut where the voice is weakest.

    Args:
        spans: by start. probabilities: of the windows from `start_s` on.
    """
    from fercli.models.silero import WINDOW_S

    parts: list[Span] = []
    for begin, end in spans:
        while end - begin > PASSAGE_S:
            first, after = (int((begin + at - start_s) / WINDOW_S) for at in (_CUT_FROM_S, PASSAGE_S))
            cut = start_s + (first + int(np.argmin(probabilities[first:after])) + 0.5) * WINDOW_S
            parts.append((begin, cut))
            begin = cut
        parts.append((begin, end))
    passages: list[Span] = []
    for begin, end in parts:
        if passages and begin - passages[-1][1] < _GAP_S and end - passages[-1][0] <= PASSAGE_S:
            passages[-1] = passages[-1][0], end
        else:
            passages.append((begin, end))
    return passages


def confined(start_s: float, end_s: float, spans: Sequence[Span]) -> Span | None:
    """The part of a word in the voiced stretch that it overlaps most; None further than NEAR_S from all.

    A word beside a stretch, or one that the network gives no length, gets none: times of words are known to about
    NEAR_S, and what is said would be lost otherwise.
    """
    near = [(a, b) for a, b in spans if a - NEAR_S < end_s and start_s < b + NEAR_S]
    placed = [(min(max(start_s, a), b), max(min(end_s, b), a)) for a, b in near]
    return max(placed, key=lambda span: span[1] - span[0], default=None)


def _probabilities(context: StageContext, sound: KeptSound) -> NDArray[np.float32]:
    """Probability of speech in each window of the sound."""
    network = context.models.load(find_model("silero-vad", "voice"))
    network.begin()
    found = []
    with context.reporter.task("voice activity", sound.pieces, "piece") as task:
        for samples in sound.each():
            found.append(network.probabilities(samples))
            task.advance()
    found.append(network.probabilities(np.zeros(0, np.float32), last=True))
    return np.concatenate(found)


def _spans(probabilities: NDArray[np.float32], sound: KeptSound, params: SpeechParams) -> list[Span]:
    from fercli.models.silero import voiced

    return voiced(probabilities, params.threshold, params.pad_s, params.min_silence_s, sound.start_s, sound.end_s)


def _peak(probabilities: NDArray[np.float32], sound: KeptSound, span: Span) -> float:
    """Highest probability in a voiced stretch."""
    from fercli.models.silero import WINDOW_S

    first, after = (int((at - sound.start_s) / WINDOW_S) for at in span)
    return float(probabilities[first : after + 1].max())


def _recognised(
    context: StageContext, sound: KeptSound, spans: Sequence[Span], passages: Sequence[Span], params: SpeechParams
) -> tuple[str, dict[str, Any]]:
    """Commit the words of each passage; returns the language and counts."""
    recogniser: Recogniser = context.models.load(*find_speech_model(params.model), device=context.runtime.device)
    encoded: dict[int, Encoded] = {}
    language, probability = _language(context, recogniser, sound, passages, params, encoded)
    number = sum(part.num_rows for part in context.chunks.parts("utterances", tables.UTTERANCES))
    repeating = 0
    with context.reporter.task("transcribe", len(passages), "passage") as task:
        for first in range(0, len(passages), _AT_ONCE):
            own = range(first, min(first + _AT_ONCE, len(passages)))
            if first // _AT_ONCE not in context.chunks.done:
                new = [place for place in own if place not in encoded]
                found = recogniser.encode([sound.between(*passages[place]) for place in new])
                encoded.update(zip(new, found, strict=True))
                heard = recogniser.sentences(
                    [encoded.pop(place) for place in own], language, translate=params.translate
                )
                rows: list[HeardWord] = []
                for place, sentences in zip(own, heard, strict=True):
                    repeating += sum(one.repeats for one in sentences)
                    words = [word for one in sentences if not one.repeats for word in one.words]
                    rows += _placed(words, passages[place][0], spans)
                pieces = _rows(sentences_of(rows), number)
                number += pieces["utterances"].num_rows
                context.chunks.commit(first // _AT_ONCE, pieces, _PIECES)
            task.advance(len(own))
    if repeating:
        context.warn(f"{repeating} sentences repeat themselves, as happens without clear speech, and are left out")
    return language, {"language_probability": probability}


def _language(
    context: StageContext,
    recogniser: Recogniser,
    sound: KeptSound,
    passages: Sequence[Span],
    params: SpeechParams,
    encoded: dict[int, Encoded],
) -> tuple[str, float | None]:
    """The language of the sound: the given one, or the one that is most probable over some passages, which are added to
    `encoded`."""
    if params.language != ANY_LANGUAGE:
        _require_language(params.language, recogniser.languages)
        return params.language, None
    places = np.unique(np.linspace(0, len(passages) - 1, _HEARD_FROM).astype(int)).tolist()
    encoded.update(zip(places, recogniser.encode([sound.between(*passages[at]) for at in places]), strict=True))
    heard = recogniser.spoken([encoded[place] for place in places])
    total: Counter[str] = Counter()
    for one in heard:
        total.update({name: value / len(heard) for name, value in one.items()})
    language, probability = total.most_common(1)[0]
    sure = {max(one, key=one.__getitem__) for one in heard if max(one.values()) >= _SURE_FROM}
    if others := sorted(sure - {language}):
        context.warn(
            f"several languages are spoken: {', '.join([language, *others])}; all is transcribed as {language}: "
            "give another one with --language"
        )
    elif probability < _DOUBTED_BELOW:
        context.warn(f"the language may be {language} ({100 * probability:.0f} %): give it with --language")
    return language, round(probability, 3)


def _require_language(language: str, known: Sequence[str]) -> None:
    if language not in known:
        hint = f"use auto, or one of {', '.join(sorted(known))}"
        raise ConfigError(f"unknown --language {language!r}", hint=hint, code="name-unknown")


def _placed(words: Iterable[HeardWord], begin_s: float, spans: Sequence[Span]) -> list[HeardWord]:
    """The words that lie in speech, with times of the video; they never go back."""
    found: list[HeardWord] = []
    reached = begin_s
    for word in words:
        from_s = max(begin_s + word.start_s, reached)
        place = confined(from_s, max(begin_s + word.end_s, from_s), spans)
        if place is not None and any(letter.isalnum() for letter in word.text):
            found.append(replace(word, start_s=place[0], end_s=place[1], score=min(max(word.score, 0.0), 1.0)))
            reached = place[1]
    return found


def sentences_of(words: Iterable[HeardWord]) -> list[list[HeardWord]]:
    """Words as sentences: they end with a full stop, a question or an exclamation mark, or a pause of PAUSE_S."""
    found: list[list[HeardWord]] = []
    for word in words:
        last = found[-1][-1] if found else None
        if last is None or word.start_s - last.end_s >= PAUSE_S or _is_last(last.text.strip()):
            found.append([])
        found[-1].append(word)
    return found


def _is_last(text: str) -> bool:
    return bool(_ENDS.fullmatch(text)) and text.lower() not in _SHORTENED and not re.fullmatch(r"(\w\.)+", text)


def _rows(sentences: Sequence[Sequence[HeardWord]], number: int) -> dict[str, pa.Table]:
    """Utterances, numbered from `number`, and their words."""
    utterances: list[dict[str, Any]] = []
    words: list[dict[str, Any]] = []
    for place, own in enumerate(sentences, start=number):
        score = float(np.mean([word.score for word in own]))
        span = {"start_s": own[0].start_s, "end_s": own[-1].end_s}
        text = "".join(word.text for word in own).strip()
        utterances.append({"utterance": place, **span, "text": text, "score": score})
        words += [{"utterance": place, **asdict(word), "text": word.text.strip()} for word in own]
    return {
        "utterances": pa.Table.from_pylist(utterances, schema=tables.UTTERANCES),
        "words": pa.Table.from_pylist(words, schema=tables.WORDS),
    }
