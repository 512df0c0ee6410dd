"""ELAN: one tier per person, emotions and `not assessable` from a controlled vocabulary, the video linked; with sound
also tiers of utterances, words and voices, `speech@Ross`, `words@Ross` and `voice@Ross`.

EAF 3.0, as described in https://www.mpi.nl/tools/elan/EAF_Annotation_Format_3.0_and_ELAN.pdf; schema:
http://www.mpi.nl/tools/elan/EAFv3.0.xsd.

Reader: the name of a tier is the person; a tier `Ross (2)` with the participant `Ross` also belongs to Ross. A tier
that depends on another one belongs to its participant, to the name after the `@` in its name, or else to the person of
the parent tier; it is skipped if that person has another tier with emotions. Tiers without emotions, such as comments,
are skipped too. Notes report both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

from pympi.Elan import Eaf, to_string

from fercli.errors import DatasetError
from fercli.escapes import without_forbidden
from fercli.formats.annotations import (
    Annotations,
    Label,
    Line,
    composed,
    emotion_of,
    line,
    mark,
    milliseconds_from_0,
    not_an_emotion,
    without_emotions,
)
from fercli.formats.eaf_times import Times
from fercli.formats.spoken import SPEECH, VOICE, WORDS, spoken_tiers
from fercli.formats.timeline import tiers
from fercli.labels import RECORD_NAMES
from fercli.results.model import Result

TYPE = VOCABULARY = "emotion"
"""Names of the linguistic type of all tiers, and of the vocabulary of their values."""
_TYPES = {SPEECH: "speech", WORDS: "words", VOICE: "voice emotion"}
"""Kind of a tier of what is said -> name of its linguistic type."""
VIDEO_SHA256 = "video sha256"
"""Name of the property that identifies the annotated video."""
MIME_TYPES = {
    **dict.fromkeys((".mp4", ".m4v", ".f4v"), "video/mp4"),
    **dict.fromkeys((".mov", ".qt"), "video/quicktime"),
    **dict.fromkeys((".ts", ".m2ts", ".mts", ".m2t", ".trp"), "video/MP2T"),
    **dict.fromkeys((".mpg", ".mpeg", ".mpe", ".m1v", ".m2v", ".vob", ".mod", ".tod", ".ps"), "video/mpeg"),
    **dict.fromkeys((".mkv", ".mk3d"), "video/x-matroska"),
    ".webm": "video/webm",
    **dict.fromkeys((".avi", ".divx"), "video/x-msvideo"),
    **dict.fromkeys((".wmv", ".asf"), "video/x-ms-wmv"),
    ".flv": "video/x-flv",
    ".3gp": "video/3gpp",
    ".3g2": "video/3gpp2",
    **dict.fromkeys((".ogv", ".ogg", ".ogm"), "video/ogg"),
    ".mxf": "application/mxf",
    ".dv": "video/x-dv",
    ".rm": "application/vnd.rn-realmedia",
    ".mjpeg": "video/x-motion-jpeg",
    ".y4m": "video/x-yuv4mpeg",
    ".wav": "audio/x-wav",
    ".mp3": "audio/mpeg",
    ".flac": "audio/flac",
    **dict.fromkeys((".m4a", ".aac"), "audio/mp4"),
    **dict.fromkeys((".opus", ".oga"), "audio/ogg"),
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".apng": "image/apng",
}
"""Suffix of a video -> MIME type, registered with IANA if possible. Python's `mimetypes` also reads system files, in
which .ts is a translation of Qt and .mod a music module."""
_ENGLISH = ("eng", "http://cdb.iso.org/lg/CDB-00138502-001", "English (eng)")
_FORMAT = {
    "FORMAT": "3.0",
    "VERSION": "3.0",
    "xsi:noNamespaceSchemaLocation": "http://www.mpi.nl/tools/elan/EAFv3.0.xsd",
    # Required; a constant, so that the same annotations give the same file.
    "DATE": "1970-01-01T00:00:00Z",
}


def write(result: Result, path: Path) -> None:
    """Write the document; the video is linked by its file name only.

    The path of the video is private, and the later place of the file is unknown. If there is no video at the URL, ELAN
    searches beside the file, at the relative URL, in `../Media`, and in the folder of its preferences; then it shows a
    dialog (`checkMedia` of its ElanFrame2).

    The attribute PARTICIPANT of a tier is the person, also if overlapping segments need several tiers.
    """
    eaf = _empty(result.video)
    for tier in tiers(result, [*result.segments, *result.gaps]):
        eaf.add_tier(tier.name, ling=TYPE, part=tier.person)
        for segment in tier.segments:
            eaf.add_annotation(tier.name, segment.start_ms, segment.end_ms, segment.short_name)
    for spoken in spoken_tiers(result, list(eaf.tiers)):
        _add_type(eaf, _TYPES[spoken.kind], VOCABULARY if spoken.kind == VOICE else "")
        eaf.add_tier(spoken.name, ling=_TYPES[spoken.kind], part=spoken.speaker or None)
        for one in spoken.rows:
            eaf.add_annotation(spoken.name, one.start_ms, one.end_ms, one.text)
    xml = without_forbidden(to_string(eaf, encoding="unicode"))
    path.write_text(f'<?xml version="1.0" encoding="UTF-8"?>\n{xml}\n', encoding="utf-8", newline="\n")


def _empty(video: dict[str, Any]) -> Eaf:
    eaf = Eaf(author="fercli")
    eaf.remove_tier("default")
    eaf.remove_linguistic_type("default-lt")
    eaf.adocument.update(_FORMAT)
    eaf.header = {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"}
    eaf.properties = [(VIDEO_SHA256, video["sha256"])]
    name = video["name"]
    # ELAN writes file names unescaped, with spaces, and uses "unknown" for unknown types.
    eaf.add_linked_file(f"file:///{name}", f"./{name}", MIME_TYPES.get(Path(name).suffix.lower(), "unknown"))
    _add_vocabulary(eaf)
    return eaf


def _add_vocabulary(eaf: Eaf) -> None:
    eaf.add_language(*_ENGLISH)
    eaf.add_controlled_vocabulary(VOCABULARY)
    for number, value in enumerate(RECORD_NAMES.values()):
        eaf.add_cv_entry(VOCABULARY, f"cveid{number}", [(value, _ENGLISH[0], None)])
    _add_type(eaf, TYPE, VOCABULARY)


def _add_type(eaf: Eaf, name: str, vocabulary: str) -> None:
    if name in eaf.linguistic_types:
        return
    attributes = {"LINGUISTIC_TYPE_ID": name, "TIME_ALIGNABLE": "true", "GRAPHIC_REFERENCES": "false"}
    if vocabulary:
        attributes["CONTROLLED_VOCABULARY_REF"] = vocabulary
    eaf.add_linguistic_type(name, param_dict=attributes)


_DEPTH = 50
"""Largest depth of nested tiers; more is a cycle."""


@dataclass(frozen=True)
class _Tier:
    """A tier of the file.

    Attributes:
        name, person: name of the tier, and its person.
        type: name of its linguistic type.
        parent: name of the parent tier; empty if there is none.
        annotations: annotations in file order, each with its text.
    """

    name: str
    person: str
    parent: str
    type: str
    annotations: list[tuple[ElementTree.Element, str]]

    @property
    def has_emotions(self) -> bool:
        return any(emotion_of(value) for _, value in self.annotations)


def read(path: Path) -> Annotations:
    """Read the file; places are annotation ids.

    Raises:
        DatasetError: it is of another kind, or an annotation in it is invalid.
        OSError, ValueError: it cannot be read.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, LookupError) as error:
        raise DatasetError(
            f"cannot read {path}: {error}", hint="save it again in ELAN", code="file-unreadable"
        ) from error
    if root.tag != "ANNOTATION_DOCUMENT":
        raise DatasetError(f"{path} is not an ELAN file: its root is <{root.tag}>", hint="save it again in ELAN")
    _refuse_other_units(path, root)
    properties = {found.get("NAME"): found.text or "" for found in root.iter("PROPERTY")}
    origins = list(_origins(path, root))
    unusable: dict[str, DatasetError] = {}
    notes: list[str] = []
    return Annotations(
        list(_marks(path, root, unusable, notes)),
        has_gaps=True,
        written=milliseconds_from_0,
        media=tuple(dict.fromkeys(name for name, _ in origins)),
        origins=tuple(origins),
        sha256=properties.get(VIDEO_SHA256, ""),
        notes=(*without_emotions(unusable, path), *notes),
        unusable=unusable,
        said=_lines(path, root, SPEECH),
        words=_lines(path, root, WORDS),
        unread=_lines(path, root, VOICE) or (),
    )


def _refuse_other_units(path: Path, root: ElementTree.Element) -> None:
    units = {header.get("TIME_UNITS", "milliseconds") for header in root.iter("HEADER")} - {"milliseconds"}
    if units:
        hint = "save it again in ELAN, which writes milliseconds"
        raise DatasetError(f"{path}: the times are in {', '.join(units)}, not in milliseconds", hint=hint)


def _origins(path: Path, root: ElementTree.Element) -> Iterator[tuple[str, int]]:
    """Name of a medium -> its time, in milliseconds, at time 0 of the annotations.

    ELAN plays from that time (`setOffset` of its players): time in the video = time of an annotation + TIME_ORIGIN.
    """
    descriptors = list(root.iter("MEDIA_DESCRIPTOR"))
    pictures = [found for found in descriptors if not (found.get("MIME_TYPE") or "").startswith("audio/")]
    for found in pictures or descriptors:
        origin = found.get("TIME_ORIGIN", "0")
        try:
            milliseconds = int(origin)
        except ValueError as error:
            reason = f"{path}: TIME_ORIGIN is {origin!r}, expected milliseconds"
            raise DatasetError(reason, hint="set the offset of the video again in ELAN, and save the file") from error
        # ELAN does not escape spaces and letters of a name, other programs use URL encoding.
        name = re.split(r"[/\\]", found.get("MEDIA_URL") or "")[-1]
        yield from ((composed(one), milliseconds) for one in dict.fromkeys((name, unquote(name))) if one)


def _marks(
    path: Path, root: ElementTree.Element, unusable: dict[str, DatasetError], notes: list[str]
) -> Iterator[Label]:
    """The marks of all tiers; those without an emotion go into `unusable`."""
    tiers = [tier for tier in _tiers(root) if tier.type not in _TYPES.values()]
    times = Times(root, str(path))
    speaking = {tier.person for tier in tiers if tier.has_emotions and not tier.parent}
    parents_with_emotions = {tier.parent for tier in tiers if tier.has_emotions}
    for tier in tiers:
        if not tier.annotations:
            continue
        if not tier.has_emotions:
            if tier.name not in parents_with_emotions:
                annotation, value = tier.annotations[0]
                name = tier.name if tier.parent else tier.person
                unusable[composed(name)] = not_an_emotion(value, _place(path, tier, annotation))
            continue
        if tier.parent and tier.person in speaking:
            notes.append(f"{path}: tier {tier.name} refers to another one, and {tier.person} has a tier: skipped")
            continue
        if tier.parent:
            notes.append(f"{path}: tier {tier.name} refers to {tier.parent}; person {tier.person} assumed")
        for annotation, value in tier.annotations:
            place = _place(path, tier, annotation)
            start, end = times.of(annotation, place)
            seconds = {"start": start / 1000, "end": end / 1000}
            yield mark({**seconds, "class": value, "object": tier.person, "tier": tier.name}, place)


def _lines(path: Path, root: ElementTree.Element, kind: str) -> tuple[Line, ...] | None:
    """The lines of the tiers of a kind; None if there is no such tier."""
    own = [tier for tier in _tiers(root) if tier.type == _TYPES[kind]]
    if not own:
        return None
    times = Times(root, str(path))
    lines = []
    for tier in own:
        participant = tier.person if tier.person != tier.name else ""
        speaker = tier.name.partition("@")[2] or participant
        for annotation, text in tier.annotations:
            place = _place(path, tier, annotation)
            lines.append(line(*times.of(annotation, place), text, speaker, place))
    return tuple(lines)


def _place(path: Path, tier: _Tier, annotation: ElementTree.Element) -> str:
    return f"{path}: tier {tier.name}, annotation {annotation.get('ANNOTATION_ID')}"


def _tiers(root: ElementTree.Element) -> list[_Tier]:
    elements = {tier.get("TIER_ID") or "": tier for tier in root.iter("TIER")}
    found = []
    for name, tier in elements.items():
        annotations = [
            (annotation, (annotation.findtext("ANNOTATION_VALUE") or "").strip())
            for annotation in tier.iter()
            if annotation.tag in ("ALIGNABLE_ANNOTATION", "REF_ANNOTATION")
        ]
        parent = tier.get("PARENT_REF") or ""
        kind = tier.get("LINGUISTIC_TYPE_REF") or ""
        found.append(_Tier(name, _person(name, elements), parent if parent in elements else "", kind, annotations))
    return found


def _person(name: str, tiers: dict[str, ElementTree.Element], depth: int = 0) -> str:
    tier = tiers[name]
    participant, parent = tier.get("PARTICIPANT") or "", tier.get("PARENT_REF") or ""
    if parent not in tiers or depth > _DEPTH:
        more_of = re.fullmatch(r"(.+) \(\d+\)", name)
        return participant if more_of and more_of[1] == participant else name
    if participant and participant != tiers[parent].get("PARTICIPANT"):
        return participant
    behind_at = re.fullmatch(r".*@(.+)", name)
    return behind_at[1] if behind_at else _person(parent, tiers, depth + 1)
