"""ELAN: a tier a person, emotions and `not assessable` from a controlled vocabulary, the video linked.

EAF 3.0, as described in https://www.mpi.nl/tools/elan/EAF_Annotation_Format_3.0_and_ELAN.pdf.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pympi.Elan import Eaf, to_string

from fercli.formats.timeline import tiers
from fercli.formats.xml_text import without_forbidden
from fercli.labels import RECORD_NAMES
from fercli.results.model import Result

TYPE = VOCABULARY = "emotion"
"""Names of the linguistic type of all tiers, and of the vocabulary of their values."""
VIDEO_SHA256 = "video sha256"
"""Name of the property that says which video was annotated."""
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
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".apng": "image/apng",
}
"""Suffix of a video -> MIME type, as registered with IANA where it is. Python's `mimetypes` also reads the files of the
machine, where .ts is a translation of Qt and .mod a module of music."""
_ENGLISH = ("eng", "http://cdb.iso.org/lg/CDB-00138502-001", "English (eng)")
_FORMAT = {
    "FORMAT": "3.0",
    "VERSION": "3.0",
    "xsi:noNamespaceSchemaLocation": "http://www.mpi.nl/tools/elan/EAFv3.0.xsd",
    # Required; a constant, so that the same annotations are the same file.
    "DATE": "1970-01-01T00:00:00Z",
}


def write(result: Result, path: Path) -> None:
    """Write the document; the video is linked by its name alone.

    Where it lies is nobody's business, and where the file will lie is not known here. ELAN looks for a video that is
    not where its URL says beside the file, then where the relative URL says, in `../Media`, and in the folder set in
    its preferences; then it asks (`checkMedia` of its ElanFrame2).

    The attribute PARTICIPANT of a tier is the person, also where overlapping segments take a person several tiers.
    """
    eaf = _empty(result.video)
    for tier in tiers(result, [*result.segments, *result.gaps]):
        eaf.add_tier(tier.name, ling=TYPE, part=tier.person)
        for segment in tier.segments:
            eaf.add_annotation(tier.name, segment.start_ms, segment.end_ms, segment.short_name)
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
    # ELAN writes file names as they are, blanks included, and calls a type it does not know "unknown".
    eaf.add_linked_file(f"file:///{name}", f"./{name}", MIME_TYPES.get(Path(name).suffix.lower(), "unknown"))
    _add_vocabulary(eaf)
    return eaf


def _add_vocabulary(eaf: Eaf) -> None:
    eaf.add_language(*_ENGLISH)
    eaf.add_controlled_vocabulary(VOCABULARY)
    for number, value in enumerate(RECORD_NAMES.values()):
        eaf.add_cv_entry(VOCABULARY, f"cveid{number}", [(value, _ENGLISH[0], None)])
    attributes = {
        "LINGUISTIC_TYPE_ID": TYPE,
        "TIME_ALIGNABLE": "true",
        "GRAPHIC_REFERENCES": "false",
        "CONTROLLED_VOCABULARY_REF": VOCABULARY,
    }
    eaf.add_linguistic_type(TYPE, param_dict=attributes)
