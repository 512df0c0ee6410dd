"""Friends of the VTT project: frames of a television series with faces, emotions and characters.

VTT ("Video Turing Test", IITP 2017-0-01780) is a Korean research programme; its annotations of the first season are
available to its members. The layout:

    ROOT/ep01/00000.jpg, 00001.jpg, ...                 every frame of the episode, counted from 0; with five digits,
                                                        or six as `extract-frames --images` writes them
    ROOT/s01_ep01_tag2_visual_Final_180809.json         or in any folder below ROOT; `_final.json` from episode 11 on

    {"visual_results": [{
        "image": "F0000110.jpg", "period_num": "1", "start_time": "00:00:04;14", "end_time": "00:00:06;02",
        "person": [{"monica": [{"emotion": "Happy", "face_rect": {"min_x": "324", "min_y": "162",
                                                                  "max_x": "356", "max_y": "203"}}],
                    "ross": [{"emotion": "none", "face_rect": {"min_x": "none", ...}}]}]}]}

The number in `image` (`F0000110.jpg` or `Frame_00110.jpg`) is the frame's. Characters that are not visible or not
annotated have "none" there and are skipped. The character is the subject. The set has no splits; one sample is one face
in one frame.

Known from code that reads the annotations (they were not available, so this was only tested on a synthetic tree):
file names, keys, "none", frame numbering, pixels with `max` outside the box, seven emotions by name or adjective and a
number followed by blanks and more, from `src/parse_friends_new.ipynb` and `src/extract_Friends.ipynb` of
https://github.com/JanghoonChoi/VTT_vid_emotion; the second delivery's file names and broken bytes in the text from
https://github.com/hobincar/vtt-action-recognition. Assumed: an empty string also means none; names of characters are
not case-sensitive; from episode 11 on, frames are counted in the same way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fercli.errors import DatasetError, reason_of
from fercli.files import require_regular_file
from fercli.labels import EMOTIONS, canonical
from fercli.learn.datasets.samples import Listing, Problem, Sample

TERMS = "VTT Friends (annotations for members of the VTT project; the frames are of a television series)"
EXPECTED = """expected the annotations and, as pictures, every frame of each episode:
  ROOT/s01_ep01_tag2_visual_Final_180809.json
  ROOT/ep01/00000.jpg, 00001.jpg, ..."""

_METADATA = re.compile(r"s\d+_(ep\d+)_tag2_visual_.*\.json", re.IGNORECASE)
_IMAGE = re.compile(r"(?:Frame_|[A-Za-z])?(\d+)(?:\.\w+)?")


def read(root: Path) -> Listing:
    """List the annotated faces.

    Raises:
        DatasetError: `root` has no annotations, two for one episode, or files that are not VTT annotations.
    """
    samples, problems = [], []
    for episode, path in _episodes(root).items():
        frames = root / episode
        results = _visual_results(path)
        if not frames.is_dir():
            problems.append(Problem(str(path), 0, f"no folder {frames} with the frames of the episode"))
            continue
        present = {frame.name for frame in frames.iterdir()}
        for number, result in enumerate(results, start=1):
            for item in _faces(result, frames, present):
                if isinstance(item, Sample):
                    samples.append(item)
                else:
                    problems.append(Problem(str(path), 0, f"entry {number}: {item}"))
    return Listing("friends", TERMS, EMOTIONS, tuple(samples), tuple(problems))


def _episodes(root: Path) -> dict[str, Path]:
    """Folder of the frames -> annotations, in order."""
    found: dict[str, Path] = {}
    for path in sorted(root.rglob("*.json")):
        match = _METADATA.fullmatch(path.name)
        if match is None:
            continue
        episode = match[1].lower()
        if episode in found:
            raise DatasetError(
                f"two annotations of {episode}: {found[episode]} and {path}",
                hint="keep one of them",
                code="dataset-ambiguous",
            )
        found[episode] = path
    if not found:
        raise DatasetError(f"no VTT annotations under {root}", hint=EXPECTED, code="dataset-not-found")
    return dict(sorted(found.items()))


def _visual_results(path: Path) -> list[Any]:
    require_regular_file(path, DatasetError, "copy the file again")
    try:
        # Descriptions, which are not used, can have invalid UTF-8 and line breaks inside strings.
        content = json.loads(path.read_text(encoding="utf-8-sig", errors="replace"), strict=False)
    except json.JSONDecodeError as error:
        raise DatasetError(f"{path}:{error.lineno}: {error.msg}", hint="copy the file again") from error
    except (OSError, RecursionError) as error:
        raise DatasetError(
            f"cannot read {path}: {reason_of(error)}", hint="copy the file again", code="file-unreadable"
        ) from error
    results = content.get("visual_results") if isinstance(content, dict) else None
    if not isinstance(results, list):
        raise DatasetError(f"{path} has no list 'visual_results'", hint=EXPECTED)
    return results


def _faces(result: Any, frames: Path, present: set[str]) -> Iterator[Sample | str]:
    """The faces of one annotated frame, and the reasons for unusable ones."""
    try:
        image, people = str(result["image"]), dict(result["person"][0])
    except (KeyError, IndexError, TypeError, ValueError) as error:
        yield f"no 'image' or 'person': {error!r}"
        return
    for character, notes in people.items():
        try:
            face = _annotation(notes[0])
            if face is not None:
                label, box = face
                yield Sample((_picture(image, frames, present),), label, "", character.lower(), box)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            reason = f"{error!r}" if isinstance(error, KeyError) else str(error)
            yield f"{image}, {character}: {reason}"


def _annotation(note: Any) -> tuple[str, tuple[float, float, float, float]] | None:
    """Class and box of a person, or None if not visible or not annotated; raises errors of malformed entries."""
    emotion, rect = str(note["emotion"]), note["face_rect"]
    if _is_none(emotion) or _is_none(rect["max_x"]):
        return None
    label = canonical(emotion)
    if label not in EMOTIONS:
        raise ValueError(f"emotion is {emotion!r}, expected one of {', '.join(EMOTIONS)} or none")
    x1, y1, x2, y2 = (_pixels(rect[key]) for key in ("min_x", "min_y", "max_x", "max_y"))
    if not (x1 < x2 and y1 < y2):
        raise ValueError(f"the face box is empty: {x1}, {y1}, {x2}, {y2}")
    return label, (x1, y1, x2, y2)


def _is_none(value: Any) -> bool:
    return str(value).strip().lower() in ("none", "")


def _pixels(value: Any) -> float:
    return float(int(str(value).split()[0]))


def _picture(image: str, frames: Path, present: set[str]) -> Path:
    match = _IMAGE.fullmatch(image.strip())
    if match is None:
        raise ValueError("no frame number in the name of the image")
    names = [f"{int(match[1]):0{width}d}.jpg" for width in (5, 6)]
    name = next((name for name in names if name in present), None)
    if name is None:
        raise ValueError(f"no {names[0]} in {frames}")
    return frames / name
