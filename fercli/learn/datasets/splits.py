"""Which sample trains, chooses and tests, where a data set does not say: no subject is ever on two sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import accumulate

from fercli.learn.datasets.samples import SPLITS, Sample

SHARES = {"train": 0.7, "valid": 0.15, "test": 0.15}
"""Of a set without any split."""
VALID_SHARE = 0.1
"""Of the training part of a set that comes without a validation part."""


def assign_splits(samples: Sequence[Sample]) -> list[Sample]:
    """The samples in the same order, each with a split.

    The set's own splits are kept. Without any, subjects (or, where the set knows none, single samples) are dealt out
    by SHARES. With `train` but no `valid`, VALID_SHARE of `train` becomes `valid`. With `valid` but no `test`, what the
    set calls validation is what others report on, so it becomes `test`. The deal depends on nothing but names and
    numbers of samples, and hardly moves anybody when others are added later.
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
    """Deal the groups of one split out to several: lined up by a hash of their names, the line is cut by the shares.

    A group goes where its middle lies, but no split stays empty that could have one; the first comes first. Who is
    added later only pushes the neighbours along, so whoever tested a model may come to validate another one, but hardly
    to train it: between these two lies a whole split.
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
