"""Who cannot be one person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable


def enemies_of(conflicts: Iterable[tuple[int, int]]) -> defaultdict[int, set[int]]:
    """Whom each track or group is in conflict with, both ways; an empty set for all others.

    Args:
        conflicts: pairs that are different people, for example because both are visible in one frame.
    """
    enemies: defaultdict[int, set[int]] = defaultdict(set)
    for a, b in conflicts:
        enemies[a].add(b)
        enemies[b].add(a)
    return enemies
