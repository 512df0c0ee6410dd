"""Classes of one's own, and of several data sets together.

A file of `--classes` has one class a line, with the classes of the data sets that it takes together:

    # three classes
    negative = angry, sad, disgust, fear
    neutral = neutral
    positive = happy

On the right are names as in `fercli.labels`, or those of RAF-DB's compound emotions. A class that is on no line is not
trained on. The order of the lines is the order of the classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from fercli.errors import ConfigError, reason_of
from fercli.files import require_regular_file
from fercli.labels import EMOTIONS_8, canonical
from fercli.learn.datasets.faces import Labelling
from fercli.learn.datasets.raf_parts import COMPOUND
from fercli.models.weights import check_class

_HINT = "a line is a class of your own and those it takes together: negative = angry, sad"
KEPT_SHARE = 0.5
"""A face keeps its label if more than this share of its judgements is for classes that are kept."""


def read_classes(path: Path) -> dict[str, str]:
    """Class of a data set -> class of one's own, in the order of the file.

    Raises:
        ConfigError: the file cannot be read, or a line of it cannot be used; names the line.
    """
    require_regular_file(path, ConfigError, _HINT)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {reason_of(error)}", hint=_HINT, code="file-unreadable") from error
    mapping: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        text = line.partition("#")[0].strip()
        try:
            if text:
                _add(text, mapping)
        except ValueError as error:
            raise ConfigError(f"{path}:{number}: {error}", hint=_HINT, code="classes-malformed") from error
    if len(set(mapping.values())) < 2:
        raise ConfigError(f"{path} has fewer than two classes", hint=_HINT, code="classes-malformed")
    return mapping


def _add(text: str, mapping: dict[str, str]) -> None:
    """Raises ValueError if the line cannot be used."""
    own, equals, names = text.partition("=")
    own = own.strip()
    if not equals or not names.strip():
        raise ValueError(f"{text!r} is not CLASS = CLASS, CLASS ...")
    if own in mapping.values():
        raise ValueError(f"{own!r} has a line already")
    check_class(own)
    for name in names.split(","):
        theirs = _known(name.strip())
        if theirs in mapping:
            raise ValueError(f"{name.strip()!r} belongs to {mapping[theirs]!r} already")
        mapping[theirs] = own


def _known(name: str) -> str:
    theirs = canonical(name) or (name.lower() if name.lower() in COMPOUND else None)
    if theirs is None:
        raise ValueError(f"no data set has a class {name!r}; known: {', '.join((*EMOTIONS_8, *COMPOUND))}")
    return theirs


def union(labellings: Sequence[Labelling], mapping: Mapping[str, str] | None) -> tuple[str, ...]:
    """The classes of several labellings together, in the order of the mapping or of `fercli.labels`."""
    present = {name for labelling in labellings for name in labelling.classes}
    if mapping is not None:
        return tuple(dict.fromkeys(own for theirs, own in mapping.items() if theirs in present))
    others = dict.fromkeys(name for labelling in labellings for name in labelling.classes if name not in EMOTIONS_8)
    return tuple(name for name in (*EMOTIONS_8, *others) if name in present)


def relabelled(labelling: Labelling, classes: tuple[str, ...], mapping: Mapping[str, str] | None = None) -> Labelling:
    """The same faces in other classes.

    A face whose label has no place there has none afterwards: a row of zeros, and -1. Judgements for other classes are
    left out and the rest scaled to sum to 1, if it is more than KEPT_SHARE.

    Args:
        labelling: labels in the classes of a data set.
        classes: the classes wanted.
        mapping: class of the data set -> one of `classes`; by default each is itself.
    """
    places = [-1] * len(labelling.classes)
    for column, name in enumerate(labelling.classes):
        own = name if mapping is None else mapping.get(name)
        if own in classes:
            places[column] = classes.index(own)
    targets = np.zeros((len(labelling.labels), len(classes)), np.float32)
    for column, place in enumerate(places):
        if place >= 0:
            targets[:, place] += labelling.targets[:, column]
    kept = targets.sum(axis=1, keepdims=True)
    targets = np.divide(targets, kept, out=np.zeros_like(targets), where=kept > KEPT_SHARE)
    labels = np.array([*places, -1], dtype=np.int64)[labelling.labels]
    return Labelling(classes, targets, labels)


def lost(before: Labelling, after: Labelling) -> dict[str, int]:
    """Class of a data set -> number of faces that had this label and have none now."""
    gone = before.labels[(before.labels >= 0) & (after.labels < 0)]
    return {name: int((gone == row).sum()) for row, name in enumerate(before.classes) if (gone == row).any()}
