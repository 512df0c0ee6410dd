"""RAF-DB's other parts: 3,954 faces of two emotions at once, and 4,908 with a distribution over six.

- `compound/`, or the folder that holds it, in the layout of `basic/`: `EmoLabel/list_patition_label.txt` with labels 1
  to 11, and `Image/aligned` or `Image/original` (Li, Deng and Du, CVPR 2017). Its classes are no single emotions: they
  are trained on under their own names, or mapped by `--classes`.
- `multi/` or `RAF-ML/`: `EmoLabel/distribution.txt`, a line is `0000.jpg 0.1 0 0.2 0.7 0 0`, the shares of surprise,
  fear, disgust, happiness, sadness and anger in the judgements of some forty people (Li and Deng, IJCV 2019, arXiv
  1804.11097); `EmoLabel/partition_label.txt`, a line is `0000.jpg 0`, 0 for train and 1 for test; pictures as above.

Available on request, so this was only tested on synthetic trees. The order of the compound emotions and of the shares
is that of the set's own description from memory, and `partition_label.txt` is assumed to look like that: compare both
with the description that comes with the set. Without that file the set is split here.
"""

from __future__ import annotations

from math import isfinite
from pathlib import Path

from fercli.errors import DatasetError
from fercli.labels import EMOTIONS
from fercli.learn.datasets import raf
from fercli.learn.datasets.samples import Listing, Problem, Sample

COMPOUND = (
    "happily surprised",
    "happily disgusted",
    "sadly fearful",
    "sadly angry",
    "sadly surprised",
    "sadly disgusted",
    "fearfully angry",
    "fearfully surprised",
    "angrily surprised",
    "angrily disgusted",
    "disgustedly surprised",
)
"""Labels 1 to 11."""
SHARED = ("surprise", "fear", "disgust", "happiness", "sadness", "anger")
"""The columns of distribution.txt."""
_SUM = 0.02
"""The shares of a face sum to 1, to rounding."""
_EXPECTED = "expected ROOT/{part}/EmoLabel/{file} and ROOT/{part}/Image/aligned/, as it is unpacked"


def read_compound(root: Path) -> Listing:
    """List the compound emotions.

    Raises:
        DatasetError: `root` does not hold them, or their list cannot be read.
    """
    labels = {str(number): name for number, name in enumerate(COMPOUND, start=1)}
    for base in (root / "compound", root):
        for path in sorted([*base.glob(raf.LIST), *base.glob(f"*/{raf.LIST}")]):
            samples, problems = raf.read_official(base, path, labels)
            return Listing("raf-compound", raf.TERMS, COMPOUND, tuple(samples), tuple(problems))
    hint = _EXPECTED.format(part="compound", file=raf.LIST)
    raise DatasetError(f"no compound emotions of RAF-DB under {root}", hint=hint, code="dataset-not-found")


def read_multi(root: Path) -> Listing:
    """List the faces with distributions; the label is the class with the largest share.

    Raises:
        DatasetError: `root` does not hold them, or a list cannot be read.
    """
    name = "distribution.txt"
    for base in (root / "multi", root / "RAF-ML", root):
        for path in sorted([*base.glob(name), *base.glob(f"*/{name}")]):
            samples, problems = _read_shares(base, path)
            classes = tuple(name for name in EMOTIONS if name in SHARED)
            return Listing("raf-multi", raf.TERMS, classes, tuple(samples), tuple(problems))
    hint = _EXPECTED.format(part="multi", file=name)
    raise DatasetError(f"no RAF-ML under {root}", hint=hint, code="dataset-not-found")


def _read_shares(base: Path, path: Path) -> tuple[list[Sample], list[Problem]]:
    folder = raf.picture_folder(base, path)
    present = {picture.name for picture in folder.iterdir()}
    splits = _splits(path.with_name("partition_label.txt"))
    samples, problems = [], []
    for number, line in enumerate(raf.lines_of(path), start=1):
        if not line.strip():
            continue
        try:
            name, shares = _shares(line)
            file = next((f for f in (f"{name}_aligned.jpg", f"{name}.jpg") if f in present), None)
            if file is None:
                raise ValueError(f"no {name}_aligned.jpg or {name}.jpg in {folder}")
            if splits and name not in splits:
                raise ValueError(f"{name}.jpg is not in partition_label.txt")
        except ValueError as error:
            problems.append(Problem(str(path), number, str(error)))
            continue
        ordered = sorted(zip(SHARED, shares, strict=True), key=lambda pair: EMOTIONS.index(pair[0]))
        label = max(ordered, key=lambda pair: pair[1])[0]
        samples.append(Sample((folder / file,), label, splits.get(name, ""), shares=tuple(s for _, s in ordered)))
    return samples, problems


def _shares(line: str) -> tuple[str, list[float]]:
    """Name without suffix, and shares scaled to sum to 1; raises ValueError."""
    name, *words = line.split()
    if len(words) != len(SHARED):
        raise ValueError(f"{len(words)} shares, expected {len(SHARED)}")
    shares = [float(word) for word in words]
    total = sum(shares)
    if not all(isfinite(share) and share >= 0 for share in shares) or abs(total - 1) > _SUM:
        raise ValueError(f"the shares are {', '.join(words)}, expected numbers from 0 with the sum 1")
    return name.removesuffix(".jpg"), [share / total for share in shares]


def _splits(path: Path) -> dict[str, str]:
    """Name without suffix -> split; empty without the file."""
    if not path.exists():
        return {}
    found = {}
    for number, line in enumerate(raf.lines_of(path), start=1):
        words = line.split()
        if words and (len(words) != 2 or words[1] not in ("0", "1")):
            raise DatasetError(f"{path}:{number}: {line.strip()!r}, expected a name and 0 or 1")
        if words:
            found[words[0].removesuffix(".jpg")] = ("train", "test")[int(words[1])]
    return found
