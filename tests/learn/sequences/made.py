"""Data of runs, of made-up stories."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from examples.make_stories import RATE, Story
from fercli.config import SequenceConfig
from fercli.features.file import FeatureFacts, TrackFeatures, write_features
from fercli.learn.datasets.over_time.recordings import Recording
from fercli.learn.sequences.data import SequenceData
from fercli.learn.sequences.series import Target, join
from fercli.models.sequence import Modality

CONFIG = SequenceConfig("send", Path("send"), Path("run"), epochs=3, hidden=16, batch=8, device="cpu")


def recordings_of(made: Sequence[Story]) -> list[Recording]:
    """The annotations of stories."""
    return [
        Recording(
            one.video,
            one.person,
            np.arange(len(one.valence)) / RATE,
            {"valence": one.annotated},
            split=one.split.lower(),
        )
        for one in made
    ]


def features_of(made: Sequence[Story]) -> tuple[FeatureFacts, list[TrackFeatures]]:
    """Their features, one track each, in two modalities; steps without features are left out."""
    size = made[0].features.shape[1]
    half = size // 2
    facts = FeatureFacts((Modality("face", half), Modality("voice", size - half)), {"face": (), "voice": ()}, RATE)
    tracks = []
    for one in made:
        starts = np.arange(len(one.valence)) / RATE
        values = {"face": one.features[:, :half], "voice": one.features[:, half:]}
        tracks.append(TrackFeatures(one.video, 0, "Person 1", starts, starts + 1 / RATE, values))
    return facts, tracks


def write_features_of(path: Path, made: Sequence[Story]) -> Path:
    """The same as a file."""
    facts, tracks = features_of(made)
    write_features(path, facts, tracks)
    return path


def data_of(made: Sequence[Story], **target: Any) -> SequenceData:
    """What a run on stories learns from."""
    wanted = Target(**{"task": "valence", "outputs": ("valence",), "rate": RATE, **target})
    facts, tracks = features_of(made)
    series, _ = join(recordings_of(made), tracks, ["face", "voice"], wanted)
    return SequenceData(tuple(series), facts.modalities, wanted, "made up")
