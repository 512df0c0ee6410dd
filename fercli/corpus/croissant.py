"""The description of a corpus in Croissant, JSON-LD for data sets: https://docs.mlcommons.org/croissant/docs/croissant-spec.html"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fercli.corpus.card import CONSENT, USE
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
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_TYPES = {"int64": "sc:Integer", "double": "sc:Float", "string": "sc:Text", "bool": "sc:Boolean"}
_FILES = {
    "clips": ("clips/*.mp4", "video/mp4"),
    "faces": ("faces/*.mp4", "video/mp4"),
    "frames": ("frames/*/*.jpg", "image/jpeg"),
    "sound": ("sound/*.wav", "audio/wav"),
}


def croissant(folder: Path, clips: Sequence[Clip], licence: str) -> str:
    """The description of a corpus whose manifest is written. Fields are the columns of the manifest without faces."""
    columns = [field for field in SCHEMA if str(field.type) in _TYPES]
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
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "clip",
                "name": "clip",
                "key": {"@id": "clip/id"},
                "field": [
                    {
                        "@type": "cr:Field",
                        "@id": f"clip/{column.name}",
                        "name": column.name,
                        "dataType": _TYPES[str(column.type)],
                        "source": {"fileObject": {"@id": MANIFEST}, "extract": {"column": column.name}},
                    }
                    for column in columns
                ],
            }
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
