"""AFEW-VA: 600 clips of films, valence and arousal in every frame.

    .../001/001.json    {"video_id": "001", "actor": "...", "frames": {"00000": {"valence": -3.0, "arousal": 2.0, ...}}}
    .../001/00000.png   the frames

Values are whole numbers from -10 to 10. Frames are FPS a second. The person is the actor. There are no splits. Kossaifi
et al. 2017, doi 10.1016/j.imavis.2017.02.001; layout from public loaders. The set needs an agreement: this reader was
only tested on synthetic files.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from fercli.errors import DatasetError
from fercli.files import require_regular_file
from fercli.learn.datasets.over_time.recordings import RATED, Recording, Recordings, Unusable, attempt, recordings

TERMS = "AFEW-VA (Kossaifi et al. 2017; research, not redistributable)"
FPS = 25.0
RANGE = 10.0
EXPECTED = "expected folders of clips as they are unpacked: ROOT/001/001.json, or one or two folders deeper"


def read(root: Path) -> Recordings:
    """Read all clips; raises DatasetError if there are none under `root`."""
    files = sorted(path for path in root.rglob("*.json") if re.fullmatch(r"\d{3}", path.stem))
    found = [attempt(lambda path=path: _recording(path)) for path in files]  # type: ignore[misc]
    return recordings("afew-va", TERMS, found, EXPECTED, notes=(f"timed at {FPS:g} frames a second",))


def _recording(path: Path) -> Recording:
    try:
        require_regular_file(path, DatasetError)
        document = json.loads(path.read_text(encoding="utf-8"))
        frames = document["frames"]
        numbers = sorted(int(name) for name in frames)
        by_number = {int(name): frame for name, frame in frames.items()}
        values = {name: np.array([_value(by_number[number], name) for number in numbers]) for name in RATED}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Unusable(path, 0, f"not the annotations of a clip: {error}") from error
    if not numbers:
        raise Unusable(path, 0, "it has no frames")
    return Recording(path.stem, str(document.get("actor") or path.stem), np.array(numbers) / FPS, values)


def _value(frame: Any, name: str) -> float:
    value = float(frame[name])
    if not -RANGE <= value <= RANGE:
        raise ValueError(f"{name} is {value:g}, expected {-RANGE:g} to {RANGE:g}")
    return value / RANGE
