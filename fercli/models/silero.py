"""Voice activity: Silero VAD, read window by window, so that sound of any length fits.

https://github.com/snakers4/silero-vad (MIT); the ONNX file is a part of faster-whisper.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.models.onnx_session import open_session

WINDOW = 512
"""Samples of a window, at 16 kHz."""
WINDOW_S = WINDOW / 16_000
_CONTEXT = 64
_STATE = (1, 1, 128)

Span = tuple[float, float]
"""Start and end, seconds."""


class VoiceActivity:
    """The network. Its state goes on from one call to the next; `begin` clears it."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.begin()

    def begin(self) -> None:
        """Start with another sound."""
        self._h, self._c = np.zeros(_STATE, np.float32), np.zeros(_STATE, np.float32)
        self._before = np.zeros(_CONTEXT, np.float32)
        self._rest = np.zeros(0, np.float32)

    def probabilities(self, samples: NDArray[np.float32], *, last: bool = False) -> NDArray[np.float32]:
        """Probability of speech in each further window of the sound, in [0, 1].

        Args:
            samples: (n,) float32 in [-1, 1], 16 kHz; what does not fill a window waits for the next call.
            last: whether the sound ends here; the last window is then filled with silence.
        """
        sound = np.concatenate((self._rest, samples))
        if last:
            sound = np.pad(sound, (0, -len(sound) % WINDOW))
        whole = len(sound) // WINDOW * WINDOW
        self._rest = sound[whole:]
        if not whole:
            return np.zeros(0, np.float32)
        windows = sound[:whole].reshape(-1, WINDOW)
        context = np.concatenate((self._before[None], windows[:-1, -_CONTEXT:]))
        self._before = windows[-1, -_CONTEXT:]
        given = {"input": np.concatenate((context, windows), axis=1), "h": self._h, "c": self._c}
        found, self._h, self._c = self._session.run(None, given)
        return np.asarray(found, np.float32).reshape(-1)


def load(weights: Path, device: str) -> VoiceActivity:
    """Build the network; it always runs on the CPU."""
    return VoiceActivity(open_session(weights, "cpu"))


def voiced(
    probabilities: Sequence[float] | NDArray[np.float32],
    threshold: float,
    pad_s: float,
    min_silence_s: float,
    start_s: float = 0.0,
    end_s: float = np.inf,
) -> list[Span]:
    """Stretches of speech: they begin at a window from `threshold`, and end where the probability stays 0.15 below it
    for `min_silence_s` (the hysteresis of Silero's own `get_speech_timestamps`).

    Args:
        probabilities: of consecutive windows.
        pad_s: added before and after each; stretches that touch are joined.
        start_s, end_s: start and end of the sound; no stretch is outside.
    """
    low = max(threshold - 0.15, 0.01)
    found: list[Span] = []
    begin = quiet = None
    for number, value in enumerate(probabilities):
        if value >= threshold:
            quiet = None
            begin = number if begin is None else begin
        elif value < low and begin is not None:
            quiet = number if quiet is None else quiet
            if (number + 1 - quiet) * WINDOW_S >= min_silence_s:
                found.append((begin, quiet))
                begin = quiet = None
    if begin is not None:
        found.append((begin, len(probabilities) if quiet is None else quiet))
    spans: list[Span] = []
    for first, after in found:
        span = max(start_s, start_s + first * WINDOW_S - pad_s), min(end_s, start_s + after * WINDOW_S + pad_s)
        if spans and span[0] <= spans[-1][1]:
            span = spans.pop()[0], span[1]
        spans.append(span)
    return spans
