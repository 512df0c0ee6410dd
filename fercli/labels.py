"""The emotion classes: their order, synonyms in data sets, and short names in exports."""

from __future__ import annotations

EMOTIONS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
"""Canonical order of 7-class models. Labels are passed by name; an index has no meaning without its list."""

EMOTIONS_8 = (*EMOTIONS, "contempt")

NOT_ASSESSABLE = "not assessable"
"""Label of a face that is too small, too dark, too blurred, turned away, lying, cut off or covered."""

RECORD_NAMES = {
    "anger": "angry",
    "disgust": "disgusted",
    "fear": "afraid",
    "happiness": "happy",
    "sadness": "sad",
    "surprise": "surprised",
    "neutral": "neutral",
    "contempt": "contemptuous",
    NOT_ASSESSABLE: NOT_ASSESSABLE,
}
"""Canonical name -> the `class` of an exported record."""

_SYNONYMS = {
    "anger": ("angry",),
    "disgust": ("disgusted",),
    "fear": ("afraid", "fearful", "scared"),
    "happiness": ("happy", "joy"),
    "sadness": ("sad",),
    "surprise": ("surprised",),
    "neutral": ("neutrality", "calm"),
    "contempt": ("contemptuous",),
}

_CANONICAL = {name: label for label, names in _SYNONYMS.items() for name in (label, *names)}


def canonical(name: str) -> str | None:
    """The canonical label for a name in the spelling of any data set, or None for an unknown class."""
    return _CANONICAL.get(name.strip().lower())


_NAMES = """
browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff cheekSquintLeft cheekSquintRight
eyeBlinkLeft eyeBlinkRight eyeLookDownLeft eyeLookDownRight eyeLookInLeft eyeLookInRight eyeLookOutLeft
eyeLookOutRight eyeLookUpLeft eyeLookUpRight eyeSquintLeft eyeSquintRight eyeWideLeft eyeWideRight jawForward jawLeft
jawOpen jawRight mouthClose mouthDimpleLeft mouthDimpleRight mouthFrownLeft mouthFrownRight mouthFunnel mouthLeft
mouthLowerDownLeft mouthLowerDownRight mouthPressLeft mouthPressRight mouthPucker mouthRight mouthRollLower
mouthRollUpper mouthShrugLower mouthShrugUpper mouthSmileLeft mouthSmileRight mouthStretchLeft mouthStretchRight
mouthUpperUpLeft mouthUpperUpRight noseSneerLeft noseSneerRight
"""
BLENDSHAPES = tuple(_NAMES.split())
"""Names of the blendshapes, in the order of the network's outputs after the first, which is `_neutral` and is not used.
They are those of Apple's ARKit: left and right are those of the person. They are not FACS action units."""
