"""Score a classifier of voices on a data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fercli.errors import WeightsError
from fercli.labels import canonical
from fercli.learn.evaluation.classification import Scores, score
from fercli.learn.voice.datasets import read_clips
from fercli.learn.voice.samples import of_clips
from fercli.models.registry import find_voice_model, find_weights, model_names
from fercli.models.voice import load_voice_features, read_head
from fercli.progress import Reporter


def is_voice(target: str) -> bool:
    """Whether a name or a file is a classifier of voices.

    Raises:
        WeightsError: it is a file of weights that does not exist, so its data sets are unknown.
    """
    if target in model_names("voices"):
        return True
    path = Path(target)
    if path.suffix != ".safetensors":
        return False
    if not path.is_file():
        hint = "check the path: training writes best.safetensors into its folder"
        raise WeightsError(f"no weights file {path}", hint=hint, code="weights-missing")
    with path.open("rb") as file:
        return b"fercli-voice" in file.read(4096)


def evaluate(target: str, dataset: str, root: Path, split: str, reporter: Reporter) -> Scores:
    """The scores of a classifier: by speaker, and over the classes that it tells and the data set has.

    Classes that the data set does not have are left out of the choice; `calm` counts as neutral where the data set has
    no `calm`.

    Raises:
        ConfigError, DatasetError, ModelError: the data set or the classifier cannot be used.
    """
    spec, given = find_voice_model(target)
    path = find_weights(spec, given)
    assert path is not None  # the registry and the user name a file
    head = read_head(path)
    clips = [clip for clip in read_clips(dataset, root) if split in ("", "all", clip.split)]
    known = {clip.label for clip in clips}
    mapped = {label: label if label in known else canonical(label) or label for label in head.header.labels}
    classes = tuple(dict.fromkeys(name for name in mapped.values() if name in known))
    if dataset in head.header.recipe.get("datasets", ()):
        reporter.warn(f"{target} was trained on {dataset}: the figures are not those of new speakers")
    samples = of_clips(load_voice_features(head.header.layers), clips, classes, reporter)
    raw = head.probabilities(samples.features)
    found = np.zeros((len(raw), len(classes)))
    for column, label in enumerate(head.header.labels):
        if mapped[label] in classes:
            found[:, classes.index(mapped[label])] += raw[:, column]
    found /= found.sum(axis=1, keepdims=True)
    truth = samples.targets.argmax(axis=1)
    return score(found.astype(np.float32), truth, classes, samples.speakers.tolist())
