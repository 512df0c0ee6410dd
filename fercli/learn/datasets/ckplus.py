"""CK+, the Extended Cohn-Kanade set: posed faces filmed from neutral to the peak of an expression.

Two forms are read:

- the official one: `cohn-kanade-images/S005/001/S005_001_00000001.png` and on, and, from the archive of the emotion
  labels, `Emotion/S005/001/S005_001_00000011_emotion.txt`, which holds one number (`   3.0000000e+00`) and is named
  after the peak frame. Only 327 of the 593 sequences have such a file; the others are left out and counted. The
  pictures show head and shoulders;
- the one of 48x48 faces: `CK+48/anger/S010_004_00000015.png`, the last three frames of each of the 327 sequences.

As is usual with this set, a sequence gives two samples: its last three frames are a clip of the expression, and its
first frame is a still of a neutral face. The form of 48x48 faces has no first frames, so no class `neutral`. Subject is
the S-number. The set has no split.

Layout and codes: ReadMe of the set, described in Lucey et al. 2010, "The Extended Cohn-Kanade Dataset (CK+)", CVPR
workshops, doi 10.1109/CVPRW.2010.5543262. The set needs a signed agreement: this reader was only tested on synthetic
files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from fercli.errors import DatasetError
from fercli.files import require_regular_file
from fercli.labels import EMOTIONS_8, canonical
from fercli.learn.datasets.folder import find_folder, folders, listing, pictures
from fercli.learn.datasets.samples import LeftOut, Listing, Problem, Sample

TERMS = "CK+ (Lucey et al. 2010; research under a signed agreement, images not redistributable)"
CODES = ("neutral", "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
"""Emotion of each number in the label files."""
PEAK_FRAMES = 3
FRAME_NAME = re.compile(r"(S\d{3})_\d{3}_\d{8}")
EXPECTED = """expected the official folders, both of them:
  ROOT/cohn-kanade-images/S005/001/S005_001_00000001.png
  ROOT/Emotion/S005/001/S005_001_00000011_emotion.txt
or the 48x48 form: ROOT/CK+48/anger/S010_004_00000017.png"""


def read(root: Path) -> Listing:
    """List the clips of CK+, and of the official form the neutral stills.

    Raises:
        DatasetError: neither form of CK+ is at `root`, or the official one without labels.
    """
    images = find_folder(root, lambda folder: folder.name == "cohn-kanade-images")
    if images:
        labels = find_folder(root, lambda folder: folder.name == "Emotion")
        if labels is None:
            raise DatasetError(
                f"no folder Emotion under {root}: the labels are a separate archive",
                hint=EXPECTED,
                code="dataset-not-found",
            )
        return listing("ckplus", TERMS, EMOTIONS_8, _read_sequences(images, labels))
    faces = find_folder(root, _is_48)
    if faces is None:
        raise DatasetError(f"no CK+ under {root}", hint=EXPECTED, code="dataset-not-found")
    return listing("ckplus48", TERMS, tuple(label for label in EMOTIONS_8 if label != "neutral"), _read_48(faces))


def _read_sequences(images: Path, labels: Path) -> Iterator[Sample | Problem | LeftOut]:
    labelled = {file.parent.relative_to(labels) for file in labels.glob("S*/*/S*_emotion.txt")}
    for sequence in images.glob("S*/*/"):
        if sequence.relative_to(images) not in labelled:
            yield LeftOut("sequences without a label")
    for label_file in sorted(labels.glob("S*/*/S*_emotion.txt")):
        subject, number = label_file.parts[-3:-1]
        try:
            label = _label(label_file)
            frames = _until_peak(images / subject / number, label_file.name.removesuffix("_emotion.txt"))
        except (OSError, ValueError, DatasetError) as error:
            yield Problem(str(label_file), 1, str(error))
            continue
        yield Sample(frames[-PEAK_FRAMES:], label, subject=subject)
        yield Sample(frames[:1], "neutral", subject=subject)


def _label(path: Path) -> str:
    """The emotion a label file names; raises ValueError if it names none."""
    require_regular_file(path, DatasetError)
    text = path.read_text(encoding="utf-8").strip()
    try:
        code = float(text)
    except ValueError:
        raise ValueError(f"the label is {text!r}, expected a number") from None
    if code not in range(len(CODES)):
        raise ValueError(f"the label is {text}, expected 0 to {len(CODES) - 1}")
    return CODES[int(code)]


def _until_peak(folder: Path, peak: str) -> tuple[Path, ...]:
    """The frames of a sequence from the first to the labelled one; raises ValueError if they are missing."""
    frames = pictures(folder) if folder.is_dir() else ()
    names = [frame.stem for frame in frames]
    if peak not in names:
        raise ValueError(f"the labelled picture is missing: {folder / peak}.png")
    frames = frames[: names.index(peak) + 1]
    if len(frames) <= PEAK_FRAMES:
        raise ValueError(f"only {len(frames)} pictures up to {peak}.png, expected at least {PEAK_FRAMES + 1}")
    return frames


def _is_48(folder: Path) -> bool:
    return any(
        canonical(inner.name) and any(FRAME_NAME.fullmatch(picture.stem) for picture in pictures(inner))
        for inner in folders(folder)
    )


def _read_48(faces: Path) -> Iterator[Sample | Problem]:
    for folder in folders(faces):
        label = canonical(folder.name)
        if label is None or label == "neutral":
            yield Problem(str(folder), 0, f"{folder.name!r} is not a class of the 48x48 form of CK+")
            continue
        sequences: dict[str, list[Path]] = {}
        for picture in pictures(folder):
            if FRAME_NAME.fullmatch(picture.stem):
                sequences.setdefault(picture.stem[:8], []).append(picture)
            else:
                yield Problem(str(picture), 0, "the name is not like S010_004_00000017.png")
        for name, frames in sequences.items():
            yield Sample(tuple(frames), label, subject=name[:4])
