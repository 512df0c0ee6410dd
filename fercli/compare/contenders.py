"""Detectors that are compared: those of fercli that are installed, and detections of any other from files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fercli.compare.box_truth import TrueImage
from fercli.compare.wider_ap import Found
from fercli.errors import ConfigError, DatasetError, reason_of
from fercli.models.detections import Detector
from fercli.models.registry import find_model, load_model, model_names
from fercli.progress import Reporter

NONE_FOUND = Found(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))


class Contender(Protocol):
    """A detector in a comparison."""

    @property
    def name(self) -> str:
        """Its name in the table."""

    def find(self, image: TrueImage, picture: NDArray[np.uint8]) -> Found:
        """The faces in a picture, of any score."""


@dataclass(frozen=True)
class Running:
    """A detector of fercli.

    Attributes:
        name: its name, with the device if that is not the CPU.
        detector: ready to use.
        max_side: larger pictures are scaled down to this long side, pixels; 0 never.
    """

    name: str
    detector: Detector
    max_side: int

    def find(self, image: TrueImage, picture: NDArray[np.uint8]) -> Found:
        """See `Contender.find`."""
        import cv2

        height, width = picture.shape[:2]
        factor = min(1.0, self.max_side / max(height, width)) if self.max_side else 1.0
        size = max(1, round(width * factor)), max(1, round(height * factor))
        small = picture if factor == 1 else np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
        found = self.detector.detect(np.asarray(small, np.uint8)).scaled(width / size[0], height / size[1])
        return Found(found.boxes, found.scores)


@dataclass(frozen=True)
class FromFiles:
    """Detections of another program, in the form in which results are handed in to WIDER FACE.

    A text file an image, `EVENT/NAME.txt` below `folder`: the name of the image, the number of faces, then `x y w h
    score` a face. An image without a file has none.
    """

    name: str
    folder: Path

    def find(self, image: TrueImage, picture: NDArray[np.uint8]) -> Found:
        """See `Contender.find`.

        Raises:
            DatasetError: the file is malformed.
        """
        file = (self.folder / image.name).with_suffix(".txt")
        if not file.is_file():
            return NONE_FOUND
        try:
            lines = file.read_text(encoding="utf-8").splitlines()[2:]
            rows = np.array([line.split()[:5] for line in lines if line.strip()], np.float32).reshape(-1, 5)
        except (OSError, ValueError) as error:
            raise DatasetError(f"{file}: {reason_of(error)}", hint="expected x y w h score in a line") from error
        return Found(np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1), rows[:, 4])


def contenders(
    names: Sequence[str],
    weights: Mapping[str, str],
    files: Mapping[str, str],
    max_side: int,
    reporter: Reporter,
) -> list[Contender]:
    """The detectors to compare.

    Args:
        names: of fercli's detectors; empty for all that can be used, with a note for each that cannot.
        weights: name -> weights file, for detectors that need one.
        files: name -> directory of detections of another program.
        max_side: see `Running`.
        reporter: gets the notes.

    Raises:
        ConfigError: a detector is given a file and not compared, or nothing can be compared.
        ModelError: a named detector cannot be used.
    """
    unknown = sorted(set(weights) - set(model_names("detector")))
    if unknown:
        raise ConfigError(
            f"--weights for {unknown[0]!r}, which is no detector of fercli",
            hint=f"known: {', '.join(model_names('detector'))}; --found takes the detections of another",
            code="name-unknown",
        )
    chosen: list[Contender] = []
    for name in names or model_names("detector"):
        spec = find_model(name, "detector")
        missing = _missing(name, weights)
        if missing and not names:
            reporter.note(f"left out: {name}, {missing}")
            continue
        for device in _devices(name):
            detector: Detector = load_model(spec, weights.get(name, ""), device)
            chosen.append(Running(name if device == "cpu" else f"{name} ({device})", detector, max_side))
    for name, folder in files.items():
        if not Path(folder).is_dir():
            raise DatasetError(f"no directory {folder} for --found {name}", hint="check the path", code="file-missing")
        chosen.append(FromFiles(name, Path(folder)))
    return chosen


def _missing(name: str, weights: Mapping[str, str]) -> str:
    """Why a detector cannot be used; empty if it can."""
    spec = find_model(name, "detector")
    if spec.needs and find_spec(spec.needs) is None:
        return f"not installed ({spec.install})"
    if spec.needs_file and name not in weights:
        return f"which needs --weights {name}=FILE"
    return ""


def _devices(name: str) -> tuple[str, ...]:
    """CPU, and CUDA for a detector that runs on it here."""
    if name not in ("centerface", "faster-rcnn"):
        return ("cpu",)
    import onnxruntime

    return ("cpu", "cuda") if "CUDAExecutionProvider" in onnxruntime.get_available_providers() else ("cpu",)
