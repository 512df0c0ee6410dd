"""Valence of tracks by a network that a user trained (`fercli train --task valence`), from the features it was trained
on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.chain import EMOTIONS
from fercli.errors import ModelError, WeightsError
from fercli.features.measure import KINDS, Request, measure, on_steps
from fercli.hashing import sha256_file
from fercli.models.registry import find_classifier
from fercli.models.sequence import SequenceHeader, load, read_sequence_header
from fercli.progress import Reporter
from fercli.workspace import Workspace

TASK, VALENCE = "valence", "valence"
_TRUNK = re.compile(r"(?P<layer>\w+) of (?P<model>.+), sha256 (?P<sha256>[0-9a-f]{64})")
"""Source of the modality `trunk`."""

Step = tuple[int, NDArray[np.float64], NDArray[np.float64], NDArray[np.float32]]


def read_valence_header(path: Path) -> SequenceHeader:
    """The header of a network that rates valence from features that can be measured in a video.

    Raises:
        WeightsError: it cannot be read, rates something else, or needs other features.
    """
    header = read_sequence_header(path)
    if header.task != TASK or VALENCE not in header.columns:
        raise WeightsError(
            f"{path} was trained for {header.task}, and does not rate valence",
            hint="give a file written by `fercli train --task valence`",
            code="weights-do-not-fit",
        )
    others = [one.name for one in header.modalities if one.name not in KINDS]
    if others:
        raise WeightsError(
            f"{path} needs {', '.join(others)}, which is not measured in a video",
            hint=f"train it on {', '.join(KINDS)}: `fercli features` writes them",
            code="weights-do-not-fit",
        )
    return header


def rate_tracks(workspace: Workspace, path: Path, device: str, reporter: Reporter) -> Iterator[Step]:
    """The ratings of each track.

    Args:
        path: a file that `read_valence_header` reads.
        device: `auto`, `cpu` or `cuda`.

    Yields:
        Track, (M,) starts and ends of the steps, and (M, K) ratings in [-1, 1], in the order of
        `SequenceHeader.columns`; NaN where nothing was measured.

    Raises:
        WeightsError: the file is altered. ModelError: the classifier of its features is not there.
        CorruptTable, InputError: a table or a crop cannot be read.
    """
    from fercli.models.devices import pick_device

    header = read_valence_header(path)
    model = load(path, pick_device(device))
    measured = measure(workspace, _request(workspace, path, header, device), reporter)
    for track, start_s, end_s, values in on_steps(measured, header.rate):
        features = {one.name: value for one, value in zip(header.modalities, values, strict=True)}
        yield track, start_s, end_s, model.run(features, start_s)


def _request(workspace: Workspace, path: Path, header: SequenceHeader, device: str) -> Request:
    kinds = tuple(one.name for one in header.modalities)
    trunk = next((one for one in header.modalities if one.name == "trunk"), None)
    if trunk is None:
        return Request(kinds, device=device)
    made = _TRUNK.fullmatch(trunk.source)
    if made is None:
        raise WeightsError(
            f"{path} does not say of which classifier its trunk is",
            hint="train it on a file of `fercli features`",
            code="weights-do-not-fit",
        )
    receipt = workspace.receipt(EMOTIONS.name)
    own = str(receipt.params.get("model", "")) if receipt else ""
    for name in dict.fromkeys((made["model"], own)):
        try:
            if name and sha256_file(find_classifier(name)[1]) == made["sha256"]:
                return Request(kinds, name, made["layer"], device)
        except ModelError:
            continue
    raise ModelError(
        f"{path} was trained on the trunk of {made['model']} with the sha256 {made['sha256']}, which is not here",
        hint="classify the emotions with that classifier (--model FILE), or train on features of this one",
        code="weights-do-not-fit",
    )
