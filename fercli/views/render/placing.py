"""Placement of text beside a face: inside the picture, without covering faces or other text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Rect:
    """A rectangle of whole pixels; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Pixels."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels."""
        return self.bottom - self.top

    def shared(self, other: Rect) -> int:
        """Number of common pixels."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0, across) * max(0, down)

    def within(self, frame: Rect) -> Rect:
        """Moved as little as possible into a frame, or to its left and top edge if it is larger."""
        left = max(frame.left, min(self.left, frame.right - self.width))
        top = max(frame.top, min(self.top, frame.bottom - self.height))
        return Rect(left, top, left + self.width, top + self.height)


def around(box: Rect, width: int, height: int, aside: int, away: int) -> list[Rect]:
    """Places of a size `aside` pixels right and left of a box, and `away` pixels below and above it, in this order."""
    corners = [
        (box.right + aside, box.top),
        (box.left - aside - width, box.top),
        (box.left, box.bottom + away),
        (box.left, box.top - away - height),
    ]
    return [Rect(left, top, left + width, top + height) for left, top in corners]


def above_or_below(box: Rect, width: int, height: int) -> list[Rect]:
    """Places of a size that touch a box: on top of it, beneath it, and along its inside."""
    tops = (box.top - height, box.bottom, box.top)
    return [Rect(box.left, top, box.left + width, top + height) for top in tops]


def freest(places: Sequence[Rect], taken: Sequence[Rect], frame: Rect, usual: int | None = None) -> tuple[int, Rect]:
    """The place that covers least of the occupied area; ties go to `usual`, the last place, then to the first.

    Returns:
        Number of the place, and its rectangle after it is moved into the frame.
    """
    moved = [place.within(frame) for place in places]
    costs = [sum(place.shared(other) for other in taken) for place in moved]
    best = min(range(len(places)), key=lambda number: (costs[number], number != usual, number))
    return best, moved[best]
