"""Speech to text: Whisper (Radford et al. 2022, arXiv 2212.04356), run by faster-whisper with 8-bit integers.

Decoding is greedy and depends on nothing but the sound: no text of earlier pieces, no sampling.
"""

from __future__ import annotations

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
REPEATS_ABOVE = 2.4
"""Ratio of compression from which a text repeats itself (Radford et al. 2022, section 4.5)."""
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


class Recogniser:
    """The network."""

    def __init__(self, model: Any) -> None:
        self._model = model

    @property
    def languages(self) -> list[str]:
        """Codes of the languages that it knows, such as `en`."""
        return list(self._model.supported_languages)

    def language(self, samples: NDArray[np.float32]) -> dict[str, float]:
        """Code of each language -> its probability, from up to LONGEST_S of sound, (n,) float32 at 16 kHz."""
        if not self._model.model.is_multilingual:
            return {"en": 1.0}
        return dict(self._model.detect_language(audio=samples)[2])

    def sentences(self, samples: NDArray[np.float32], language: str, *, translate: bool) -> list[HeardSentence]:
        """What is said in up to LONGEST_S of sound, (n,) float32 at 16 kHz.

        Args:
            language: code of the language that is spoken.
            translate: write English instead.
        """
        segments, _ = self._model.transcribe(
            samples,
            language=language,
            task="translate" if translate else "transcribe",
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
