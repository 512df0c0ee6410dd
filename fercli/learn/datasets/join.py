"""Several data sets as one: to train on all of them, or to choose the best network by another set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fercli.learn.datasets.classes import lost, relabelled, union
from fercli.learn.datasets.faces import DatasetSplits, FaceSet, joined_labels, joined_ratings
from fercli.learn.datasets.images import Framed, JoinedImages
from fercli.learn.datasets.samples import SPLITS


def join(
    sets: Sequence[DatasetSplits],
    weights: Sequence[float],
    valid: DatasetSplits | None = None,
    mapping: Mapping[str, str] | None = None,
) -> DatasetSplits:
    """One data set of several.

    One set keeps its labellings. Of several the main ones become one, in all of their classes. Faces without a label in
    these classes are left out and counted in the notes. All faces are shown in the tightest framing of the sets.

    Args:
        sets: those to train on.
        weights: how often a face of each set is drawn, relative to the others.
        valid: another set to choose the best network by: all of it. By default the validation parts of `sets`.
        mapping: class of a set -> class wanted; by default each is itself.

    Returns:
        A set whose `test` is that of `sets`.
    """
    heads = _heads(sets, mapping)
    scale = min(data.face_scale for data in sets)
    training = [Framed(data.train.images, scale / data.face_scale) for data in sets]
    notes = [f"{data.name}: {note}" for data in sets for note in data.notes]
    parts = {}
    for split in SPLITS:
        given = [(data, data.part(split)) for data in sets]
        if split == "valid" and valid is not None:
            given = [(valid, valid.part("all"))]
            notes += [f"the best network is chosen on all {len(given[0][1])} faces of {valid.name}"]
        labelled = [(data, _labelled(part, heads, mapping)) for data, part in given]
        notes += _left_out(split, [part for _, part in given], [part for _, part in labelled], labelled)
        chosen = weights if split == "train" else [1.0] * len(given)
        parts[split] = _joined(labelled, chosen, scale, training)
    return replace(
        sets[0],
        name="+".join(dict.fromkeys(data.name for data in sets)),
        terms="; ".join(dict.fromkeys(data.terms for data in sets)),
        face_scale=scale,
        train=parts["train"],
        valid=parts["valid"],
        test=parts["test"],
        problems=sum((data.problems for data in [*sets, *([valid] if valid else [])]), ()),
        notes=tuple(notes),
    )


def _heads(sets: Sequence[DatasetSplits], mapping: Mapping[str, str] | None) -> dict[str, tuple[str, ...]]:
    """Name -> classes of the labellings of the whole."""
    if len(sets) == 1:
        return {name: union([labelling], mapping) for name, labelling in sets[0].train.labellings.items()}
    name = "+".join(dict.fromkeys(data.name for data in sets))
    return {name: union([data.train.main for data in sets], mapping)}


def _labelled(part: FaceSet, heads: Mapping[str, tuple[str, ...]], mapping: Mapping[str, str] | None) -> FaceSet:
    """The faces with the labellings wanted: those of the same name if there are any, else from the main one."""
    labellings = {
        name: relabelled(part.labellings.get(name, part.main), classes, mapping) for name, classes in heads.items()
    }
    return replace(part, labellings=labellings)


def _left_out(
    split: str, before: Sequence[FaceSet], after: Sequence[FaceSet], named: Sequence[tuple[DatasetSplits, FaceSet]]
) -> list[str]:
    notes = []
    for own, part, (data, _) in zip(before, after, named, strict=True):
        for label, count in lost(own.main, part.main).items():
            notes.append(f"left out: {count} faces of {data.name} ({split}) labelled {label!r}, a class not trained on")
    return notes


def _joined(
    parts: Sequence[tuple[DatasetSplits, FaceSet]], weights: Sequence[float], scale: float, like: Sequence[Framed]
) -> FaceSet:
    faces = [part for _, part in parts]
    images = JoinedImages([Framed(part.images, min(1.0, scale / data.face_scale)) for data, part in parts], like)
    whole = FaceSet(
        images,  # type: ignore[arg-type]  # rows, shape and length are all that a set of faces is asked for
        {name: joined_labels([part.labellings[name] for part in faces]) for name in faces[0].labellings},
        sum((part.subjects for part in faces), ()),
        sum((part.sources for part in faces), ()),
        joined_ratings(faces),
        _weights(faces, weights),
    )
    useful = [_useful(whole, name) for name in whole.labellings]
    return whole.take(np.flatnonzero(np.any(useful, axis=0)))


def _useful(faces: FaceSet, name: str) -> NDArray[np.bool_]:
    labelling = faces.labellings[name]
    return np.asarray(labelling.targets.any(axis=1) | (labelling.labels >= 0))


def _weights(faces: Sequence[FaceSet], weights: Sequence[float]) -> NDArray[np.float64] | None:
    if len(set(weights)) <= 1:
        return None
    return np.repeat(np.asarray(weights, np.float64), [len(part) for part in faces])
