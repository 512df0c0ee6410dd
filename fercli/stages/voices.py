"""classify-voices: utterances -> probabilities of emotions in the voice, experimental."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from fercli import tables
from fercli.config import VoicesParams
from fercli.hashing import sha256_file
from fercli.labels import EMOTIONS_8
from fercli.models.registry import find_model, find_voice_model, find_weights, weights_key
from fercli.stages.base import StageContext

SCHEMAS = {"voices": tables.VOICES}
NOTHING_SAID = "nothing is said"
AT_ONCE = 50
"""Utterances of a piece."""


def run(context: StageContext, params: VoicesParams) -> dict[str, Any]:
    """Classify all utterances; returns counts.

    Raises:
        ModelError: a network or a package is missing.
        CorruptTable: the sound or the utterances cannot be read.
    """
    from fercli.media.kept_sound import KeptSound

    utterances = tables.read_table(context.workspace.table("utterances"), tables.UTTERANCES).to_pylist()
    sound = KeptSound(context.workspace.table("sound"))
    if not utterances or not sound.pieces:
        context.skip(NOTHING_SAID, SCHEMAS)
        return {"utterances": 0, "assessed": 0}
    spec, given = find_voice_model(params.model)
    classifier = context.models.load(spec, given)
    context.training_data = {spec.name: classifier.head.header.training_data}
    context.warn("emotions of voices are experimental: the classifier was trained on acted speech")
    with context.reporter.task("classify-voices", len(utterances), "utterance") as task:
        for start in range(0, len(utterances), AT_ONCE):
            part = utterances[start : start + AT_ONCE]
            if start // AT_ONCE not in context.chunks.done:
                found = [classifier.emotions(sound.between(one["start_s"], one["end_s"])) for one in part]
                rows = [
                    {"utterance": one["utterance"], **_row(emotions)} for one, emotions in zip(part, found, strict=True)
                ]
                table = pa.Table.from_pylist(rows, schema=tables.VOICES)
                context.chunks.commit(start // AT_ONCE, {"voices": table}, SCHEMAS)
            task.advance(len(part))
    context.chunks.merge(context.out, SCHEMAS)
    assessed = tables.read_table(context.out / "voices.parquet", tables.VOICES)["neutral"]
    return {"utterances": len(utterances), "assessed": len(utterances) - assessed.null_count}


def weights(params: VoicesParams) -> dict[str, str]:
    """The networks and the sha256 of their files."""
    from fercli.models.voice import ENCODER

    spec, given = find_voice_model(params.model)
    head = find_weights(spec, given)
    return {**weights_key(find_model(ENCODER, "speech")), spec.name: sha256_file(head) if head else ""}


def _row(emotions: dict[str, float] | None) -> dict[str, float | None]:
    """A class that the network does not tell has the probability 0."""
    return {label: None if emotions is None else emotions.get(label, 0.0) for label in EMOTIONS_8}
