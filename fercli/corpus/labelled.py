"""Labels that people gave to clips, back from Label Studio: agreement, disagreements, and a data set to train with.

    SPLIT/EMOTION/ID/N.jpg   the faces of a clip whose majority has one label: `fercli train --dataset folder`
    labels.csv               a line a clip: its label, empty without a majority, and that of each annotator
    disagreements.csv        the lines of the clips that not all annotators label alike

Layout of the export: https://labelstud.io/guide/task_format.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fercli.corpus.clip_files import FRAMES
from fercli.corpus.exports import link, read_corpus
from fercli.corpus.manifest import Clip
from fercli.corpus.picking import CANNOT_TELL
from fercli.corpus.splits import SHARES
from fercli.errors import ConfigError, DatasetError
from fercli.files import require_regular_file
from fercli.labels import RECORD_NAMES, canonical
from fercli.learn.evaluation.alpha import alpha
from fercli.writing import OWNER_ONLY_DIRECTORY, write_atomically, writing

HINT = "in Label Studio: Export > JSON"


@dataclass(frozen=True)
class Labelled:
    """A clip with its labels.

    Attributes:
        clip: the clip.
        labels: annotator -> canonical emotion, or CANNOT_TELL.
    """

    clip: Clip
    labels: dict[str, str]

    @property
    def agreed(self) -> bool:
        """Whether all gave the same label."""
        return len(set(self.labels.values())) == 1

    @property
    def majority(self) -> str:
        """The label of more than half of the annotators; empty without one."""
        label, count = Counter(self.labels.values()).most_common(1)[0]
        return label if 2 * count > len(self.labels) else ""


@dataclass(frozen=True)
class Agreement:
    """What came back.

    Attributes:
        clips: those that somebody labelled, by id.
        alpha: Krippendorff's alpha, nominal; None if it is undefined.
        double: clips with two labels or more.
        disagreements: those of them with different labels.
        usable: clips in the data set.
    """

    clips: tuple[Labelled, ...]
    alpha: float | None
    double: int
    disagreements: int
    usable: int

    @property
    def sentence(self) -> str:
        """For the card."""
        value = "undefined" if self.alpha is None else f"{self.alpha:.3f}"
        return (
            f"{len(self.clips)} clips were labelled by people, {self.double} of them by two or more: "
            f"Krippendorff's alpha {value}, {self.disagreements} disagreements."
        )


def read_labels(path: Path, clips: Sequence[Clip]) -> list[Labelled]:
    """The labels in a JSON export of Label Studio, by id of the clip.

    Raises:
        InputError: the file cannot be read.
        DatasetError: it is no such export, has a clip of another corpus, an unknown label, or no label.
    """
    require_regular_file(path, DatasetError, HINT)
    known = {clip.id: clip for clip in clips}
    found: dict[str, dict[str, str]] = {}
    try:
        for task in json.loads(path.read_text(encoding="utf-8")):
            name = task["data"]["clip"]
            if name not in known:
                raise DatasetError(f"{path}: the corpus has no clip {name}", hint="give the corpus of these tasks")
            own = found.setdefault(name, {})
            for annotation in task.get("annotations") or []:
                if not annotation.get("was_cancelled") and (label := _label(path, name, annotation)):
                    own[_annotator(annotation)] = label
    except (ValueError, LookupError, TypeError, AttributeError, OSError) as error:
        raise DatasetError(f"{path} does not have the layout of Label Studio: {error!r}", hint=HINT) from error
    labelled = [Labelled(known[name], own) for name, own in sorted(found.items()) if own]
    if not labelled:
        raise DatasetError(f"{path} has no label", hint="label the clips first", code="labels-missing")
    return labelled


def take_labels(path: Path, corpus: Path, output: Path) -> Agreement:
    """Read labels, and write the data set and the lists.

    Raises:
        ConfigError: the output is not empty.
        InputError: as `read_labels`, or the corpus cannot be read.
        OutputError: a file cannot be written.
    """
    labelled = read_labels(path, read_corpus(corpus))
    with writing(output):
        if output.is_file() or (output.is_dir() and any(output.iterdir())):
            raise ConfigError(f"{output} is there already", hint="give a new folder with -o", code="output-exists")
        output.mkdir(mode=OWNER_ONLY_DIRECTORY, parents=True, exist_ok=True)
        usable = [one for one in labelled if one.majority not in ("", CANNOT_TELL) and one.clip.split in SHARES]
        for one in usable:
            for file in sorted((corpus / FRAMES / one.clip.id).glob("*.jpg")):
                link(file, output / one.clip.split / one.majority / one.clip.id / file.name)
    differ = [one for one in labelled if not one.agreed]
    _write(output / "labels.csv", labelled)
    _write(output / "disagreements.csv", differ)
    return Agreement(
        tuple(labelled),
        alpha([list(one.labels.values()) for one in labelled]),
        sum(len(one.labels) > 1 for one in labelled),
        len(differ),
        len(usable),
    )


def _label(path: Path, clip: str, annotation: dict[str, Any]) -> str:
    for region in annotation["result"]:
        if region.get("type") == "choices" and region.get("from_name") == "emotion":
            (name,) = region["value"]["choices"]
            if name == CANNOT_TELL:
                return CANNOT_TELL
            label = canonical(name)
            if label not in RECORD_NAMES:
                raise DatasetError(f"{path}: {clip} has the unknown label {name!r}", hint=HINT, code="emotion-unknown")
            return str(label)
    return ""


def _annotator(annotation: dict[str, Any]) -> str:
    """The number of a user, or its address where the export has the whole user."""
    user = annotation["completed_by"]
    return str(user.get("email") or user["id"]) if isinstance(user, dict) else str(user)


def _write(path: Path, labelled: Sequence[Labelled]) -> None:
    annotators = sorted({name for one in labelled for name in one.labels})
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["clip", "video", "start_s", "person", "predicted", "label", *annotators])
    for one in labelled:
        clip = one.clip
        labels = [one.labels.get(name, "") for name in annotators]
        writer.writerow([clip.id, clip.video, f"{clip.start_s:.3f}", clip.person, clip.emotion, one.majority, *labels])
    write_atomically(path, text.getvalue().encode(), private=True)
