"""Clips for people to label: picked evenly over groups, the most uncertain first, as a project for Label Studio.

    project.json   title, labelling interface and `maximum_annotations`, for POST /api/projects of Label Studio
    tasks.json     a task a clip, to import
    interface.xml  the labelling interface alone, for Settings > Labeling Interface > Code
    clips/ID.mp4   the clips; serve this folder as local storage: `LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT`

The tasks have no predictions, which would influence the annotators.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

from fercli.corpus.clip_files import CLIPS
from fercli.corpus.exports import link, read_corpus
from fercli.corpus.manifest import Clip
from fercli.corpus.splits import SHARES
from fercli.errors import ConfigError, InputError
from fercli.labels import EMOTIONS, RECORD_NAMES
from fercli.writing import OWNER_ONLY_DIRECTORY, write_atomically, writing

ANNOTATORS = 2
"""Annotations of each clip."""
CANNOT_TELL = "cannot tell"
BALANCE: dict[str, Callable[[Clip], str]] = {
    "emotion": lambda clip: clip.emotion,
    "person": lambda clip: clip.person,
    "video": lambda clip: clip.sha256,
}
"""What can be balanced."""
INTERFACE = "\n".join(
    [
        "<View>",
        '  <Header value="What does $person show?"/>',
        '  <Video name="video" value="$video"/>',
        '  <Choices name="emotion" toName="video" choice="single" required="true">',
        *(f"    <Choice value={quoteattr(name)}/>" for name in (*map(RECORD_NAMES.get, EMOTIONS), CANNOT_TELL) if name),
        "  </Choices>",
        "</View>",
        "",
    ]
)


def _random(clip: Clip) -> float:
    """The same in each run."""
    return int(hashlib.sha256(clip.id.encode()).hexdigest()[:12], 16)


def _certainty(clip: Clip) -> float:
    """The share of the clip that shows its emotion, times the mean score; a manual annotation is certain."""
    return 1.0 if clip.manual or clip.score is None else clip.score * clip.share


BY: dict[str, Callable[[Clip], float]] = {"uncertainty": _certainty, "random": _random}
"""Order in which clips are picked: lowest first."""


def pick(clips: Sequence[Clip], count: int, balance: Sequence[str], by: str) -> list[Clip]:
    """At most `count` clips, by id: from each group in turn the next one, so that small groups are taken whole.

    Args:
        clips: those in the split `left-out` are never picked.
        balance: names in BALANCE; a group is one value of each.
        by: a name in BY.

    Raises:
        ConfigError: an unknown name, or `count` is less than 1.
    """
    unknown = [name for name in balance if name not in BALANCE] + [by] * (by not in BY)
    if unknown:
        raise ConfigError(
            f"unknown name {unknown[0]!r}",
            hint=f"--balance takes {', '.join(BALANCE)} with commas, --by {' or '.join(BY)}",
            code="name-unknown",
        )
    if count < 1:
        raise ConfigError(f"--pick is {count}", hint="use a value 1 or more", code="option-out-of-range")
    groups: dict[tuple[str, ...], list[Clip]] = defaultdict(list)
    for clip in clips:
        if clip.split in SHARES:
            groups[tuple(BALANCE[name](clip) for name in balance)].append(clip)
    ordered = [sorted(groups[key], key=lambda clip: (BY[by](clip), clip.id)) for key in sorted(groups)]
    turns = max(map(len, ordered), default=0)
    picked = [group[turn] for turn in range(turns) for group in ordered if turn < len(group)]
    return sorted(picked[:count], key=lambda clip: clip.id)


def make_project(corpus: Path, output: Path, count: int, balance: Sequence[str], by: str) -> list[Clip]:
    """Write the project; returns the clips in it.

    Raises:
        ConfigError: as `pick`, or the output is not empty.
        InputError: the corpus cannot be read, or has no clip.
        OutputError: a file cannot be written.
    """
    picked = pick(read_corpus(corpus), count, balance, by)
    if not picked:
        raise InputError(f"{corpus} has no clip to label", hint="build it with other options", code="corpus-empty")
    with writing(output):
        if output.is_file() or (output.is_dir() and any(output.iterdir())):
            raise ConfigError(f"{output} is there already", hint="give a new folder with -o", code="output-exists")
        output.mkdir(mode=OWNER_ONLY_DIRECTORY, parents=True, exist_ok=True)
        for clip in picked:
            link(corpus / CLIPS / f"{clip.id}.mp4", output / CLIPS / f"{clip.id}.mp4")
    tasks = [
        {
            "data": {
                "video": f"/data/local-files/?d={CLIPS}/{clip.id}.mp4",
                "clip": clip.id,
                "person": clip.person,
                "text": clip.text,
            }
        }
        for clip in picked
    ]
    project = {
        "title": f"{corpus.absolute().name}: {len(picked)} clips",
        "label_config": INTERFACE,
        "maximum_annotations": ANNOTATORS,
        "show_collab_predictions": False,
    }
    for name, content in (("tasks.json", tasks), ("project.json", project)):
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        write_atomically(output / name, text.encode(), private=True)
    write_atomically(output / "interface.xml", INTERFACE.encode())
    return picked
