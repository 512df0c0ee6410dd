"""A clip of a data set of emotional speech, and its sound."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.errors import DatasetError

SOUND = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".mp4", ".avi", ".mov", ".mkv")
"""Suffixes of files with sound, lower case."""


@dataclass(frozen=True)
class Clip:
    """One utterance.

    Attributes:
        path: file with its sound.
        label: class, by the name of the data set in fercli's spelling: a canonical emotion, or another such as `calm`.
        speaker: who speaks.
        split: `train`, `valid` or `test`, if the data set has official ones; empty otherwise.
    """

    path: Path
    label: str
    speaker: str
    split: str = ""


def samples_of(path: Path) -> NDArray[np.float32]:
    """All samples of a file, (n,) in [-1, 1] at 16 kHz, mono.

    Raises:
        VideoError: it cannot be opened.
        DatasetError: it has no sound.
    """
    from fercli.media.audio import read_sound

    sound = read_sound(path)
    pieces = [] if sound is None else [samples for _, samples in sound.pieces]
    if not pieces:
        raise DatasetError(f"{path} has no sound", hint="leave the file out, or download it again")
    return np.concatenate(pieces)


def files_under(root: Path) -> list[Path]:
    """All files with sound under a directory, sorted.

    Raises:
        DatasetError: the directory does not exist.
    """
    if not root.is_dir():
        raise DatasetError(f"no directory {root}", hint="give the directory of the data set with --root")
    return sorted(path for path in root.rglob("*") if path.suffix.lower() in SOUND and path.is_file())
