"""Speech to text: Whisper (Radford et al. 2022, arXiv 2212.04356), run by faster-whisper with 8-bit integers.

Several passages are decoded at once, which costs little more than one. Decoding depends on nothing but the sound: no
text of earlier passages, no sampling. Words get their times from the attention of the decoder (dynamic time warping, as
in OpenAI's `timing.py`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.cores import usable_cores
from fercli.errors import WeightsError

LONGEST_S = 30.0
"""Length of the input of the network, seconds."""
RATE = 16_000
"""Samples per second of its input."""
BEAMS = 5
"""Texts that are followed at the same time (beam search), as in the evaluations of its authors."""
REPEATS_ABOVE = 2.4
"""Ratio of compression from which a text repeats itself (Radford et al. 2022, section 4.5)."""
_SILENT_FROM, _SURE_FROM = 0.6, -1.0
"""There is no speech if the network says so with this probability, and the mean log probability of its text is lower
(same section)."""
_OPENING, _CLOSING = "\"'“¿([{-", "\"'.。,\uff0c!\uff01?\uff1f:\uff1a”)]}、"
"""Punctuation that belongs to the word after and before it, as in `timing.py`."""
NEEDED = ("config.json", "tokenizer.json")
"""Files that lie beside `model.bin`."""


@dataclass(frozen=True)
class HeardWord:
    """A word: `text` with the blank before it, if the language has one; times in seconds from the start of the sound
    that was given; probability in [0, 1]."""

    text: str
    start_s: float
    end_s: float
    score: float


@dataclass(frozen=True)
class HeardSentence:
    """Words that the network wrote in one go; `repeats` if they repeat themselves, as without real speech."""

    words: Sequence[HeardWord]
    repeats: bool = False


@dataclass(frozen=True)
class Encoded:
    """A passage that the network has heard.

    Attributes:
        samples: (n,) float32 in [-1, 1] at 16 kHz, up to LONGEST_S.
        features: (T, C) float32, output of the encoder: T is always that of LONGEST_S.
    """

    samples: NDArray[np.float32]
    features: NDArray[np.float32]


class Recogniser:
    """The network."""

    def __init__(self, model: Any) -> None:
        self._model = model

    @property
    def languages(self) -> list[str]:
        """Codes of the languages that it knows, such as `en`."""
        return list(self._model.supported_languages)

    def encode(self, sounds: Sequence[NDArray[np.float32]]) -> list[Encoded]:
        """Passages of up to LONGEST_S, each (n,) float32 in [-1, 1] at 16 kHz."""
        from faster_whisper.audio import pad_or_trim
        from threadpoolctl import threadpool_limits

        if not sounds:
            return []
        extract = self._model.feature_extractor
        # Sums of several threads are rounded in another way, and 8-bit integers make different words of that.
        with threadpool_limits(1, user_api="blas"):
            mel = np.stack([pad_or_trim(extract(samples)[..., :-1]) for samples in sounds])
        found = np.asarray(self._model.model.encode(_stored(mel), to_cpu=True), np.float32)
        return [Encoded(samples, features) for samples, features in zip(sounds, found, strict=True)]

    def spoken(self, passages: Sequence[Encoded]) -> list[dict[str, float]]:
        """Of each passage: code of each language -> its probability."""
        if not self._model.model.is_multilingual:
            return [{"en": 1.0} for _ in passages]
        found = self._model.model.detect_language(_stored(np.stack([one.features for one in passages])))
        return [{token.strip("<|>"): float(value) for token, value in one} for one in found]

    def sentences(self, passages: Sequence[Encoded], language: str, *, translate: bool) -> list[list[HeardSentence]]:
        """What is said in each passage.

        Args:
            language: code of the language that is spoken.
            translate: write English instead.
        """
        from faster_whisper.tokenizer import Tokenizer
        from faster_whisper.transcribe import get_compression_ratio

        model = self._model
        task = "translate" if translate else "transcribe"
        tokenizer = Tokenizer(model.hf_tokenizer, model.model.is_multilingual, task=task, language=language)
        found: list[list[HeardSentence]] = [[] for _ in passages]
        spoken: dict[int, list[int]] = {}
        for place, tokens in enumerate(self._decode(passages, tokenizer)):
            if get_compression_ratio(tokenizer.decode(tokens)) > REPEATS_ABOVE:
                found[place] = self._piecemeal(passages[place].samples, language, task)
            elif tokens:
                spoken[place] = tokens
        words = self._words([passages[place] for place in spoken], list(spoken.values()), tokenizer)
        for place, own in zip(spoken, words, strict=True):
            found[place] = [HeardSentence(own)]
        return found

    def _decode(self, passages: Sequence[Encoded], tokenizer: Any) -> list[list[int]]:
        """The tokens of the text of each passage; none where nothing is said."""
        from faster_whisper.transcribe import get_suppressed_tokens

        prompt = self._model.get_prompt(tokenizer, [], without_timestamps=True)
        found = self._model.model.generate(
            _stored(np.stack([one.features for one in passages])),
            [prompt] * len(passages),
            beam_size=BEAMS,
            max_length=self._model.max_length,
            suppress_blank=True,
            suppress_tokens=list(get_suppressed_tokens(tokenizer, [-1])),
            return_scores=True,
            return_no_speech_prob=True,
        )
        texts = []
        for one in found:
            tokens = list(one.sequences_ids[0])
            sure = one.scores[0] * len(tokens) / (len(tokens) + 1)
            silent = one.no_speech_prob > _SILENT_FROM and sure < _SURE_FROM
            texts.append([] if silent else [token for token in tokens if token < tokenizer.eot])
        return texts

    def _words(self, passages: Sequence[Encoded], texts: Sequence[list[int]], tokenizer: Any) -> list[list[HeardWord]]:
        """The words of each text, with times."""
        if not passages:
            return []
        frames = [math.ceil(len(one.samples) / RATE * self._model.frames_per_second) for one in passages]
        parts: list[list[dict[str, Any]]] = [
            [{"tokens": tokens, "seek": 0, "start": 0.0, "end": len(one.samples) / RATE}]
            for one, tokens in zip(passages, texts, strict=True)
        ]
        encoded = _stored(np.stack([one.features for one in passages]))
        self._model.add_word_timestamps(parts, tokenizer, encoded, frames, _OPENING, _CLOSING, 0.0)
        return [
            [
                HeardWord(word["word"], float(word["start"]), float(word["end"]), float(word["probability"]))
                for word in part["words"]
            ]
            for (part,) in parts
        ]

    def _piecemeal(self, samples: NDArray[np.float32], language: str, task: str) -> list[HeardSentence]:
        """A passage whose text repeats itself, sentence by sentence, so that only those that do are lost."""
        segments, _ = self._model.transcribe(
            samples,
            language=language,
            task=task,
            beam_size=1,
            temperature=0.0,
            condition_on_previous_text=False,
            word_timestamps=True,
        )
        return [
            HeardSentence(
                [
                    HeardWord(word.word, float(word.start), float(word.end), float(word.probability))
                    for word in segment.words or ()
                ],
                segment.compression_ratio > REPEATS_ABOVE,
            )
            for segment in segments
        ]


def _stored(array: NDArray[np.float32]) -> Any:
    import ctranslate2

    return ctranslate2.StorageView.from_array(np.ascontiguousarray(array))


def load(weights: Path, device: str) -> Recogniser:
    """Build the network from `model.bin` and the files beside it.

    Raises:
        WeightsError: a file is missing, or of something else.
    """
    import ctranslate2
    from faster_whisper import WhisperModel

    for name in NEEDED:  # faster-whisper would download a missing one
        if not (weights.parent / name).is_file():
            raise WeightsError(
                f"{weights.parent} has no {name}, which belongs to {weights.name}",
                hint="give the directory of a Whisper model for CTranslate2, or a name from `fercli models`",
                code="weights-missing",
            )
    place = "cuda" if device != "cpu" and ctranslate2.get_cuda_device_count() else "cpu"
    try:
        model = WhisperModel(str(weights.parent), device=place, compute_type="int8", cpu_threads=usable_cores())
    except (RuntimeError, ValueError, OSError) as error:
        raise WeightsError(
            f"{weights} is not a Whisper model for CTranslate2: {error}",
            hint="give the directory of one, or a name from `fercli models`",
        ) from error
    return Recogniser(model)
