"""Lists of faces whose labels are doubted: written by `fercli dataset clean`, used by `train --without FILE`.

A CSV file with the columns `source,label,predicted,p_label,p_predicted,reason,weight`; only `source` and, if it is
there, `weight` are read. A face with a weight above 0 stays and is drawn that much as often; the others are left out. A
source is that of `FaceSet.sources`, relative to the root of the data set, so that a list also serves where the set lies
elsewhere.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path

import numpy as np

from fercli.errors import DatasetError
from fercli.learn.datasets.csv_rows import csv_columns, csv_rows
from fercli.learn.datasets.faces import FaceSet
from fercli.writing import write_atomically


@dataclass(frozen=True)
class Suspect:
    """A face whose label is doubted.

    Attributes:
        source: which face.
        label, predicted: the class of the label, and that of networks that did not learn from the face.
        p_label, p_predicted: their probabilities for these.
        reason: why the label is doubted.
        weight: how often it is drawn in training, relative to a face that is not doubted; 0 leaves it out.
    """

    source: str
    label: str
    predicted: str
    p_label: float
    p_predicted: float
    reason: str
    weight: float = 0.0


def source_key(source: str, root: Path) -> str:
    """A source relative to the root of its data set; `fer2013.csv:12` for a root that is a file."""
    base = str(root if root.is_dir() else root.parent).rstrip("/") + "/"
    return source.removeprefix(base)


def write_suspects(path: Path, suspects: Sequence[Suspect]) -> None:
    """Write a list; raises OutputError if it cannot be written."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(Suspect)])
    writer.writerows(astuple(suspect) for suspect in suspects)
    write_atomically(path, text.getvalue().encode())


def read_suspects(path: Path) -> dict[str, float]:
    """Source -> weight of the faces on a list, 0 for those to leave out.

    Raises:
        DatasetError: it cannot be read, has no column `source`, or a weight that is not from 0 to 1.
    """
    columns = ("source", "weight") if "weight" in csv_columns(path) else ("source",)
    listed = {}
    for line, row in csv_rows(path, columns):
        text = row.get("weight", "") or "0"
        try:
            weight = float(text)
        except ValueError:
            weight = math.nan
        if not 0 <= weight <= 1:
            raise DatasetError(f"{path}:{line}: weight {text!r} is not from 0 to 1", hint="0 leaves a face out")
        listed[row["source"]] = weight
    return listed


def without(faces: FaceSet, listed: Mapping[str, float], roots: Sequence[Path], path: Path) -> FaceSet:
    """The faces that a list does not leave out, those with a weight on it drawn less often.

    Raises:
        DatasetError: none of the listed faces is among these: it is the list of another set, or of another root.
    """
    keys = [{source_key(source, root) for root in roots} for source in faces.sources]
    weights = np.array([min((listed[key] for key in own if key in listed), default=1.0) for own in keys], np.float64)
    if listed and not any(own & listed.keys() for own in keys):
        raise DatasetError(
            f"{path}: none of its {len(listed)} faces is in the training split",
            hint="give the list that `fercli dataset clean` wrote for this set",
        )
    kept = np.flatnonzero(weights > 0)
    rest = faces.take(kept)
    if (weights[kept] == 1).all():
        return rest
    return replace(rest, weights=weights[kept] * (1.0 if rest.weights is None else rest.weights))
