"""The description of a corpus in Croissant, JSON-LD for data sets: https://docs.mlcommons.org/croissant/docs/croissant-spec.html"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fercli.corpus.card import CONSENT, USE
from fercli.corpus.clip_files import CLIPS, FACES, FRAMES
from fercli.corpus.clip_sound import SOUND
from fercli.corpus.manifest import MANIFEST, SCHEMA, Clip
from fercli.hashing import sha256_file

CROISSANT = "croissant.json"
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_TYPES = {"int64": "sc:Integer", "double": "sc:Float", "string": "sc:Text", "bool": "sc:Boolean"}
_FILES = {
    CLIPS: (f"{CLIPS}/*.mp4", "video/mp4"),
    FACES: (f"{FACES}/*.mp4", "video/mp4"),
    FRAMES: (f"{FRAMES}/*/*.jpg", "image/jpeg"),
    SOUND: (f"{SOUND}/*.wav", "audio/wav"),
}


def croissant(folder: Path, clips: Sequence[Clip], licence: str) -> str:
    """The description of a corpus whose manifest is written. Its records are the clips, without
    the boxes of faces, and the pictures of faces."""
    document = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": folder.absolute().name,
        "description": f"{len(clips)} clips of persons who show emotions. {CONSENT}",
        "license": licence or "unknown",
        "url": "https://example.org/not-published",
        "version": "1.0.0",
        "rai:personalSensitiveInformation": CONSENT,
        "rai:dataUseCases": USE,
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": MANIFEST,
                "name": MANIFEST,
                "contentUrl": MANIFEST,
                "encodingFormat": "application/x-parquet",
                "sha256": sha256_file(folder / MANIFEST),
            },
            *(
                {"@type": "cr:FileSet", "@id": name, "name": name, "encodingFormat": kind, "includes": pattern}
                for name, (pattern, kind) in _FILES.items()
                if (folder / name).is_dir()
            ),
        ],
        "recordSet": [_clips(), *([_frames()] if (folder / FRAMES).is_dir() else [])],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _clips() -> dict[str, Any]:
    """The lines of the manifest."""
    fields = [
        _field(
            f"clip/{column.name}", _TYPES[str(column.type)], {"fileObject": {"@id": MANIFEST}}, {"column": column.name}
        )
        for column in SCHEMA
        if str(column.type) in _TYPES
    ]
    return {"@type": "cr:RecordSet", "@id": "clip", "name": "clip", "key": {"@id": "clip/id"}, "field": fields}


def _frames() -> dict[str, Any]:
    """The pictures of faces, with the id of their clip and their number in the video, which are in their paths."""
    files = {"fileSet": {"@id": FRAMES}}
    fields = [
        _field("frame/image", "sc:ImageObject", files, {"fileProperty": "content"}),
        _field("frame/clip", "sc:Text", files, {"fileProperty": "fullpath"}, rf".*{FRAMES}/([^/]+)/\d+\.jpg$"),
        _field("frame/number", "sc:Integer", files, {"fileProperty": "filename"}, r"0*(\d+)\.jpg$"),
    ]
    return {"@type": "cr:RecordSet", "@id": "frame", "name": "frame", "field": fields}


def _field(name: str, kind: str, source: dict[str, Any], extract: dict[str, str], regex: str = "") -> dict[str, Any]:
    transform = {"transform": {"regex": regex}} if regex else {}
    return {
        "@type": "cr:Field",
        "@id": name,
        "name": name.partition("/")[2],
        "dataType": kind,
        "source": {**source, "extract": extract, **transform},
    }
