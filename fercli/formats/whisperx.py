"""WhisperX's JSON: utterances as `segments`, each with its words, and all words once more as `word_segments`.

The keys are those of the file that `whisperx --diarize --output_format json` writes
(https://github.com/m-bain/whisperX): `speaker` is missing where nobody is known.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fercli.errors import DatasetError
from fercli.formats.annotations import Annotations, Line, timed_line
from fercli.formats.spoken import speaker_of
from fercli.results.model import Result, Utterance, Word


def write(result: Result, path: Path) -> None:
    """Write what is said; times in seconds, to the millisecond."""
    own: dict[int, list[dict[str, Any]]] = {}
    words = []
    for word in result.words:
        words.append({"word": word.text, **_times(word), "score": round(word.score, 3), **_speaker(word)})
        own.setdefault(word.utterance, []).append(words[-1])
    segments = [
        {**_times(one), "text": one.text, "words": own.get(one.number, []), **_speaker(one)}
        for one in result.utterances
    ]
    language = result.speech.language if result.speech else ""
    content = {"segments": segments, "word_segments": words, "language": language or None}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def is_one(content: object) -> bool:
    """Whether the content of a .json is of this format."""
    return isinstance(content, dict) and isinstance(content.get("segments"), list) and "word_segments" in content


def read(path: Path, content: dict[str, Any]) -> Annotations:
    """What is said, and its words; places are numbers of segments and words, from 1.

    Raises:
        DatasetError: a record in it is invalid.
    """
    segments = tuple(_lines(path, content["segments"], "segment", "text"))
    words = tuple(_lines(path, content["word_segments"], "word", "word"))
    return Annotations([], said=segments, words=words)


def _lines(path: Path, records: object, what: str, text: str) -> Iterator[Line]:
    if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
        raise DatasetError(f"{path}: the {what}s are not a list of records", hint="make the file with `fercli export`")
    for position, record in enumerate(records, start=1):
        values = {**record, "text": record.get(text), "object": record.get("speaker")}
        yield timed_line(values, f"{path}: {what} {position}", may_be_empty=True)


def _times(one: Utterance | Word) -> dict[str, float]:
    return {"start": round(one.start_s, 3), "end": round(one.end_s, 3)}


def _speaker(one: Utterance | Word) -> dict[str, str]:
    speaker = speaker_of(one)
    return {"speaker": speaker} if speaker else {}
