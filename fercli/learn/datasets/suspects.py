"""Lists of faces whose labels are doubted: written by `fercli dataset clean`, left out by `train --without FILE`.

A CSV file with the columns `source,label,predicted,p_label,p_predicted,reason`; only `source` is read. A source is that
of `FaceSet.sources`, relative to the root of the data set, so that a list also serves where the set lies elsewhere.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np

from fercli.errors import DatasetError
from fercli.learn.datasets.csv_rows import csv_rows
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
    """

    source: str
    label: str
    predicted: str
    p_label: float
    p_predicted: float
    reason: str


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


def read_suspects(path: Path) -> frozenset[str]:
    """The sources of a list.

    Raises:
        DatasetError: it cannot be read, or has no column `source`.
    """
    return frozenset(row["source"] for _, row in csv_rows(path, ("source",)))


def without(faces: FaceSet, listed: frozenset[str], roots: Sequence[Path], path: Path) -> FaceSet:
    """The faces that are not on a list.

    Raises:
        DatasetError: none of the listed faces is among these: it is the list of another set, or of another root.
    """
    keys = [{source_key(source, root) for root in roots} for source in faces.sources]
    kept = np.array([not (own & listed) for own in keys], dtype=bool)
    if listed and kept.all():
        raise DatasetError(
            f"{path}: none of its {len(listed)} faces is in the training split",
            hint="give the list that `fercli dataset clean` wrote for this set",
        )
    return faces.take(np.flatnonzero(kept))
