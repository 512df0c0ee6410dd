"""Data sets by name: one small reader each, imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from fercli.datasets.faces import DatasetSplits, FaceSet, Problem
from fercli.errors import ConfigError

DATASETS = {
    "fer2013": "fercli.datasets.fer2013:read",
}
"""Name -> `module:function`; the function takes the root and returns DatasetSplits."""


def read_dataset(name: str, root: Path) -> DatasetSplits:
    """Read a data set from where a person keeps it.

    Raises:
        ConfigError: no data set of that name.
        DatasetError: the files under `root` are not that data set.
    """
    if name not in DATASETS:
        raise ConfigError(f"unknown data set {name!r}", hint=f"known: {', '.join(DATASETS)}")
    module, function = DATASETS[name].split(":")
    reader: Callable[[Path], DatasetSplits] = getattr(import_module(module), function)
    return reader(root)


__all__ = ["DATASETS", "DatasetSplits", "FaceSet", "Problem", "read_dataset"]
