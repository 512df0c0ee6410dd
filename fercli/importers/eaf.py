"""ELAN (schema: http://www.mpi.nl/tools/elan/EAFv3.0.xsd), one tier a person.

Annotations are those aligned with the time line: what only refers to another annotation, and tiers in which nothing is
an emotion, such as comments, are passed over with a note. The tier's name is the person; a tier `Ross (2)` with the
participant `Ross` is more of Ross.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

from fercli.errors import DatasetError
from fercli.exporters.eaf import VIDEO_SHA256
from fercli.importers.marks import (
    Annotations,
    Mark,
    composed,
    emotion_of,
    mark,
    milliseconds_from_0,
    not_an_emotion,
    number,
    without_emotions,
)


def read(path: Path) -> Annotations:
    """Read the file; places are annotation ids.

    Raises:
        DatasetError: it is of another kind, or an annotation in it is not usable.
        OSError, ValueError: it cannot be read.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, LookupError) as error:
        raise DatasetError(f"cannot read {path}: {error}", hint="save it again in ELAN") from error
    if root.tag != "ANNOTATION_DOCUMENT":
        raise DatasetError(f"{path} is not an ELAN file: it holds <{root.tag}>", hint="save it again in ELAN")
    properties = {found.get("NAME"): found.text or "" for found in root.iter("PROPERTY")}
    addresses = [found.get("MEDIA_URL") or "" for found in root.iter("MEDIA_DESCRIPTOR")]
    # ELAN writes blanks and letters of a name as they are, other programs as in a URL.
    media = [name for address in addresses for name in (_name(address), unquote(_name(address))) if name]
    unusable: dict[str, DatasetError] = {}
    return Annotations(
        list(_marks(path, root, unusable)),
        has_gaps=True,
        written=milliseconds_from_0,
        media=tuple(dict.fromkeys(media)),
        sha256=properties.get(VIDEO_SHA256, ""),
        notes=(*without_emotions(unusable, path), *_referring(path, root)),
        unusable=unusable,
    )


def _marks(path: Path, root: ElementTree.Element, unusable: dict[str, DatasetError]) -> Iterator[Mark]:
    """The marks of all tiers; those without an emotion go into `unusable`."""
    times = {slot.get("TIME_SLOT_ID"): slot.get("TIME_VALUE") for slot in root.iter("TIME_SLOT")}
    for tier in root.iter("TIER"):
        name = tier.get("TIER_ID") or ""
        person = _person(name, tier.get("PARTICIPANT") or "")
        annotations = list(tier.iter("ALIGNABLE_ANNOTATION"))
        values = [(annotation.findtext("ANNOTATION_VALUE") or "").strip() for annotation in annotations]
        has_emotions = any(emotion_of(value) for value in values)
        for annotation, value in zip(annotations, values, strict=True):
            place = f"{path}: tier {name}, annotation {annotation.get('ANNOTATION_ID')}"
            start, end = (_seconds(times.get(annotation.get(f"TIME_SLOT_REF{side}"))) for side in (1, 2))
            if not has_emotions:
                unusable[composed(person)] = not_an_emotion(value, place)
                break
            yield mark({"start": start, "end": end, "class": value, "object": person, "tier": name}, place)


def _referring(path: Path, root: ElementTree.Element) -> Iterator[str]:
    """What to say of tiers with emotions that have no times of their own."""
    for tier in root.iter("TIER"):
        values = [found.findtext("ANNOTATION_VALUE") for found in tier.iter("REF_ANNOTATION")]
        if any(emotion_of(value) for value in values):
            yield f"{path}: tier {tier.get('TIER_ID')} refers to another one: passed over"


def _person(tier: str, participant: str) -> str:
    more_of = re.fullmatch(r"(.+) \(\d+\)", tier)
    return participant if more_of and more_of[1] == participant else tier


def _name(address: str) -> str:
    return re.split(r"[/\\]", address)[-1]


def _seconds(milliseconds: str | None) -> float:
    return number(milliseconds, math.nan) / 1000
