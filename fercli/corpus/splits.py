"""Splits of a corpus without leakage: no two splits share a video, a person, or either."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from fercli.corpus.likeness import Alike, Looks, find_alike
from fercli.corpus.manifest import Clip

TRAIN, VALID, TEST, LEFT_OUT = "train", "valid", "test", "left-out"
SHARES = {TRAIN: 0.7, VALID: 0.15, TEST: 0.15}
"""Shares of the time."""
SPLIT_BY = ("video", "person", "both")


def assign(clips: Sequence[Clip], by: str) -> list[Clip]:
    """The clips with their splits.

    Groups that must stay together are dealt out by their time, the longest first, each to the split that lacks most
    of its share. Of two groups one is for training and one a test; a single one is for training.

    Args:
        by: one of SPLIT_BY; `both`: groups that share a video or a person stay together.
    """
    groups = _groups(clips, by)
    seconds: dict[int, float] = defaultdict(float)
    for clip, group in zip(clips, groups, strict=True):
        seconds[group] += clip.seconds
    shares = SHARES if len(seconds) > 2 else {TRAIN: 0.7, TEST: 0.3}
    total = sum(seconds.values())
    lacking = {name: share * total for name, share in shares.items()}
    split_of: dict[int, str] = {}
    for left, group in enumerate(sorted(seconds, key=lambda one: (-seconds[one], one))):
        empty = [name for name in shares if name not in split_of.values()]
        # The last groups go to splits that would be empty otherwise.
        open_splits = empty if empty and len(empty) >= len(seconds) - left else list(shares)
        chosen = max(open_splits, key=lacking.__getitem__)
        split_of[group] = chosen
        lacking[chosen] -= seconds[group]
    return [replace(clip, split=split_of[group]) for clip, group in zip(clips, groups, strict=True)]


def without_doubles(clips: Sequence[Clip], looks: Looks) -> tuple[list[Clip], list[Alike]]:
    """Leave clips out of valid and test that show the same pictures as a clip of a split before: (clips, doubles)."""
    of_split = {name: [clip.id for clip in clips if clip.split == name] for name in SHARES}
    alike = find_alike(of_split[VALID], of_split[TRAIN], looks)
    alike += find_alike(of_split[TEST], of_split[TRAIN] + of_split[VALID], looks)
    gone = {one.first for one in alike}
    return [replace(clip, split=LEFT_OUT) if clip.id in gone else clip for clip in clips], alike


def _groups(clips: Sequence[Clip], by: str) -> list[int]:
    """Number of the group of each clip."""
    keys = [
        [f"video {clip.sha256}"] * (by in ("video", "both")) + [f"person {clip.person}"] * (by in ("person", "both"))
        for clip in clips
    ]
    above: dict[str, str] = {}

    def top(key: str) -> str:
        while above.setdefault(key, key) != key:
            key = above[key]
        return key

    for first, *others in keys:
        for other in others:
            above[top(other)] = top(first)
    numbers: dict[str, int] = {}
    return [numbers.setdefault(top(first), len(numbers)) for first, *_ in keys]
