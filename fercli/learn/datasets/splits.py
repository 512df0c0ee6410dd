"""Splits for data sets that do not define them: no subject is ever in two splits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import accumulate

from fercli.learn.datasets.samples import SPLITS, Sample

SHARES = {"train": 0.7, "valid": 0.15, "test": 0.15}
"""Shares of the splits for a set without any split."""
VALID_SHARE = 0.1
"""Share of `valid` in the training part of a set without a validation part."""


def assign_splits(samples: Sequence[Sample]) -> list[Sample]:
    """The samples in the same order, each with a split.

    The set's own splits are kept. Without any, subjects (or single samples, if the set has no subjects) are distributed
    by SHARES. With `train` but no `valid`, VALID_SHARE of `train` becomes `valid`. With `valid` but no `test`, `valid`
    becomes `test`, because others report on it. The distribution depends only on names and numbers of samples, and
    hardly changes when others are added later.
    """
    present = {sample.split for sample in samples}
    if not present & set(SPLITS):
        return _deal(samples, "", SHARES)
    given = [
        replace(sample, split="test") if sample.split == "valid" and "test" not in present else sample
        for sample in samples
    ]
    given = [replace(sample, split="train") if sample.split not in SPLITS else sample for sample in given]
    if "train" in present and not any(sample.split == "valid" for sample in given):
        return _deal(given, "train", {"train": 1 - VALID_SHARE, "valid": VALID_SHARE})
    return given


def _deal(samples: Sequence[Sample], split: str, shares: dict[str, float]) -> list[Sample]:
    """Distribute the groups of one split: they are sorted by a hash of their names, and the sequence is cut by the
    shares.

    A group belongs to the split of its middle, but no split stays empty if there are enough groups; the first split has
    priority. New groups only shift their neighbours, so a test group may become a validation group, but hardly a
    training group: a whole split lies between these two.
    """
    sizes = Counter(_group(sample) for sample in samples if sample.split == split)
    line = sorted(sizes, key=lambda group: sha256(group.encode()).digest())
    ends = dict(zip(shares, accumulate(shares.values()), strict=True))
    homes: dict[str, str] = {}
    here, *later = shares
    before, total = 0, sizes.total()
    for place, group in enumerate(line):
        beyond = before + sizes[group] / 2 > ends[here] * total
        just_enough = len(line) - place <= len(later)
        if place > 0 and later and (beyond or just_enough):
            here, *later = later
        homes[group] = here
        before += sizes[group]
    return [replace(sample, split=homes[_group(sample)]) if sample.split == split else sample for sample in samples]


def _group(sample: Sample) -> str:
    return sample.subject or "/".join((sample.label, *sample.frames[0].parts[-2:]))
