"""Start and end of the annotations of an ELAN file, including those without their own times.

As in ELAN (`proposeTimeFor` of its TimeOrderImpl and TierImpl, `RefAnnotation`):

- A time slot without a value is interpolated between its neighbours with values. In an independent tier these are the
  neighbours in the file, whose slots are in order, with 0 before the first. In a tier that subdivides annotations of
  another one, they are those of consecutive annotations without a gap.
- An annotation that refers to another one has its times. If several of a tier refer to the same one, they divide its
time evenly, in the order of PREVIOUS_ANNOTATION.
"""

from __future__ import annotations

from collections import defaultdict
from xml.etree.ElementTree import Element

from fercli.errors import DatasetError

_DEPTH = 50
"""Largest depth of nested tiers; more is a cycle."""


class Times:
    """The times of the annotations of a document, whole milliseconds."""

    def __init__(self, root: Element, file: str) -> None:
        self._file = file
        self._slots: dict[str, int | None] = {}
        for slot in root.iter("TIME_SLOT"):
            self._slots[slot.get("TIME_SLOT_ID") or ""] = self._value(slot)
        self._in_order = dict(zip(self._slots, _evenly(list(self._slots.values())), strict=True))
        self._parents = {tier.get("TIER_ID"): tier.get("PARENT_REF") for tier in root.iter("TIER")}
        self._homes: dict[str, tuple[str | None, Element]] = {}
        self._starting: dict[tuple[str | None, str], str] = {}
        self._ending: dict[tuple[str | None, str], str] = {}
        sharing: dict[tuple[str | None, str], list[Element]] = defaultdict(list)
        for tier in root.iter("TIER"):
            name = tier.get("TIER_ID")
            for annotation in tier.iter("ALIGNABLE_ANNOTATION"):
                start, end = _ends(annotation)
                self._homes[_id(annotation)] = name, annotation
                self._starting.setdefault((name, start), end)
                self._ending.setdefault((name, end), start)
            for annotation in tier.iter("REF_ANNOTATION"):
                self._homes[_id(annotation)] = name, annotation
                sharing[name, annotation.get("ANNOTATION_REF") or ""].append(annotation)
        self._shares = {
            _id(annotation): (position, len(group))
            for group in sharing.values()
            for position, annotation in enumerate(_ordered(group))
        }

    def of(self, annotation: Element, place: str, depth: int = 0) -> tuple[int, int]:
        """Start and end of an annotation.

        Raises:
            DatasetError: it has none, and none can be derived.
        """
        tier, _ = self._homes[_id(annotation)]
        if annotation.tag == "ALIGNABLE_ANNOTATION":
            start, end = (self._time(slot, tier, place) for slot in _ends(annotation))
            return start, end
        parent = annotation.get("ANNOTATION_REF") or ""
        if parent not in self._homes or depth > _DEPTH:
            what = "which refers back to itself" if parent in self._homes else "which is not in the file"
            raise self._broken(f"{place}: refers to annotation {parent!r}, {what}")
        start, end = self.of(self._homes[parent][1], place, depth + 1)
        position, count = self._shares[_id(annotation)]
        return start + (end - start) * position // count, start + (end - start) * (position + 1) // count

    def _time(self, slot: str, tier: str | None, place: str, depth: int = 0) -> int:
        if slot not in self._slots:
            raise self._broken(f"{place}: its time slot {slot!r} is not in the file")
        if (value := self._slots[slot]) is not None:
            return value
        parent = self._parents.get(tier)
        if parent is None or depth > _DEPTH:
            found = self._in_order[slot]
            if found is None:
                raise self._broken(f"{place}: its time slot {slot!r} has no time, and no later slot has one")
            return found
        chain, position = self._chain(slot, tier)
        if position in (0, len(chain) - 1):
            return self._time(slot, parent, place, depth + 1)
        first, last = (self._time(chain[side], parent, place, depth + 1) for side in (0, -1))
        return first + position * ((last - first) // (len(chain) - 1))

    def _chain(self, slot: str, tier: str | None) -> tuple[list[str], int]:
        """The slots around one without a value, up to the nearest with a value or the end of the chain; and its
        position."""
        before, after = [slot], [slot]
        for side, following in ((before, self._ending), (after, self._starting)):
            while self._slots.get(side[-1]) is None and (beyond := following.get((tier, side[-1]))) is not None:
                if len(side) > len(self._slots):
                    break  # a circle
                side.append(beyond)
        return [*reversed(before), *after[1:]], len(before) - 1

    def _value(self, slot: Element) -> int | None:
        text = slot.get("TIME_VALUE")
        try:
            return None if text is None else int(text)
        except ValueError as error:
            name = slot.get("TIME_SLOT_ID")
            raise self._broken(f"{self._file}: time slot {name!r} is {text!r}, expected milliseconds") from error

    @staticmethod
    def _broken(message: str) -> DatasetError:
        return DatasetError(message, hint="open the file in ELAN, correct the annotation, and save it again")


def _evenly(times: list[int | None]) -> list[int | None]:
    """Interpolate missing values evenly between their neighbours, 0 before the first; None after the last is kept."""
    found = list(times)
    before, before_at = 0, -1
    for place, time in enumerate(times):
        if time is not None:
            step = (time - before) // (place - before_at)
            for between in range(before_at + 1, place):
                found[between] = before + (between - before_at) * step
            before, before_at = time, place
    return found


def _ordered(sharing: list[Element]) -> list[Element]:
    """Annotations of one parent, each after its PREVIOUS_ANNOTATION; in file order if it is missing."""
    following = {found.get("PREVIOUS_ANNOTATION"): found for found in reversed(sharing)}
    own = {_id(found) for found in sharing}
    ordered: dict[str, Element] = {}
    for first in sharing:
        found: Element | None = first if first.get("PREVIOUS_ANNOTATION") not in own else None
        while found is not None and _id(found) not in ordered:
            ordered[_id(found)] = found
            found = following.get(_id(found))
    return list((ordered | {_id(found): found for found in sharing}).values())


def _ends(annotation: Element) -> tuple[str, str]:
    return annotation.get("TIME_SLOT_REF1") or "", annotation.get("TIME_SLOT_REF2") or ""


def _id(annotation: Element) -> str:
    return annotation.get("ANNOTATION_ID") or ""
