"""Data sets by name: one small reader each, imported when used."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from fercli.errors import ConfigError, DatasetError
from fercli.learn.datasets.faces import DatasetSplits, FaceSet, Labelling
from fercli.learn.datasets.images import GREY, Packing
from fercli.learn.datasets.samples import Listing, Problem, Sample
from fercli.progress import Reporter, Silent

DATASETS = {
    "affectnet": "fercli.learn.datasets.affectnet:read",
    "affectnet7": "fercli.learn.datasets.affectnet:read_7",
    "casme2": "fercli.learn.datasets.casme2:read",
    "ckplus": "fercli.learn.datasets.ckplus:read",
    "corrected": "fercli.learn.datasets.corrected:read",
    "fer2013": "fercli.learn.datasets.fer2013:read",
    "ferplus": "fercli.learn.datasets.fer2013:read_ferplus",
    "folder": "fercli.learn.datasets.folder:read",
    "friends": "fercli.learn.datasets.friends:read",
    "jaffe": "fercli.learn.datasets.jaffe:read",
    "kdef": "fercli.learn.datasets.kdef:read",
    "mmi": "fercli.learn.datasets.mmi:read",
    "mug": "fercli.learn.datasets.mug:read",
    "raf": "fercli.learn.datasets.raf:read",
    "raf-compound": "fercli.learn.datasets.raf_parts:read_compound",
    "raf-multi": "fercli.learn.datasets.raf_parts:read_multi",
}
"""Name -> `module:function`; the function takes the root and returns a Listing of files, or DatasetSplits."""


def require_known(name: str) -> None:
    """Raises ConfigError if there is no data set of that name."""
    if name not in DATASETS:
        raise ConfigError(f"unknown data set {name!r}", hint=f"known: {', '.join(DATASETS)}", code="name-unknown")


def read_dataset(
    name: str,
    root: Path,
    reporter: Reporter | None = None,
    *,
    strict: bool = False,
    packing: Packing = GREY,
) -> DatasetSplits:
    """Read a data set with its pictures.

    Args:
        name: a key of DATASETS.
        root: the file or directory of the data set, as it was downloaded.
        reporter: gets progress.
        strict: whether an unusable sample is an error.
        packing: size and colour of the faces. FER2013's 48 grey pixels stay.

    Raises:
        ConfigError: no data set of that name.
        DatasetError: the files under `root` are not that data set, or, if `strict`, a sample is unusable.
    """
    require_known(name)
    if not root.exists():
        raise DatasetError(
            f"no such file or directory: {root}", hint=f"give the path of {name} with --root", code="file-missing"
        )
    module, function = DATASETS[name].split(":")
    found: Listing | DatasetSplits = getattr(import_module(module), function)(root)
    if isinstance(found, Listing):
        from fercli.learn.datasets.pack import pack

        found = pack(found, reporter or Silent(), packing=packing)
    if strict and found.problems:
        raise DatasetError(
            f"{len(found.problems)} samples of {name} cannot be used, the first: {found.problems[0]}",
            hint="correct the data set, or omit --strict to continue without them",
        )
    return found


__all__ = [
    "DATASETS",
    "DatasetSplits",
    "FaceSet",
    "Labelling",
    "Listing",
    "Packing",
    "Problem",
    "Sample",
    "read_dataset",
]
