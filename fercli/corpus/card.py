"""The card of a corpus: README.md, with the metadata that the Hugging Face Hub reads at its head."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from fercli.corpus.manifest import MANIFEST, Clip
from fercli.corpus.splits import LEFT_OUT, SHARES
from fercli.version import VERSION

CONSENT = (
    "Faces and voices are biometric data of the persons shown. Cutting them from a video gives no right to share them: "
    "get the consent of the persons and of the owners of the videos first, or share the manifest only."
)
USE = (
    "Research on how emotions are shown, such as training and comparing classifiers. Labels are what a network sees in "
    "a face, not what a person feels. Not for decisions about persons, and not for recognising them elsewhere."
)


def card(folder: Path, clips: Sequence[Clip], split_by: str, licence: str, *, known: bool, agreement: str = "") -> str:
    """The text of the card.

    Args:
        folder: the corpus; its name is the title.
        clips: with their splits. split_by: what no two splits share.
        licence: as stated by the maker; empty if it is not.
        known: whether the persons' names come from a gallery.
        agreement: sentence on the agreement of annotators; empty if nobody has labelled the clips.
    """
    manual = sum(clip.manual for clip in clips)
    seconds = sum(clip.seconds for clip in clips)
    lines = [
        "---",
        f"pretty_name: {_quoted(folder.absolute().name)}",
        f"license: {'other' if licence else 'unknown'}",
        *([f"license_name: {_quoted(licence)}"] if licence else []),
        "task_categories:",
        "- video-classification",
        "- image-classification",
        "- audio-classification",
        "configs:",
        "- config_name: clips",
        f"  data_files: {MANIFEST}",
        "---",
        "",
        f"# {folder.absolute().name}",
        "",
        f"{len(clips)} clips of {_hours(seconds)} from {len({clip.sha256 for clip in clips})} videos, in which "
        f"{len({clip.person for clip in clips})} persons are seen. Made by fercli {VERSION}.",
        "",
        f"**Consent.** {CONSENT}",
        "",
        f"**Licence.** {licence or 'Not stated. Without a licence of the videos, nobody may use the clips.'}",
        "",
        f"**Intended use.** {USE}",
        "",
        f"**Labels.** {len(clips) - manual} are predictions, {manual} manual annotations. "
        f"{agreement or 'Agreement of annotators: not measured.'}",
        "",
        f"**Persons.** {'Names come from a gallery of pictures.' if known else 'Numbers were given by clustering.'} "
        "A name can be wrong.",
        "",
        f"**Splits.** No two splits share a {'video or a person' if split_by == 'both' else split_by}. Clips in "
        f"`{LEFT_OUT}` show the same pictures as a clip of another split (doubles.csv).",
        "",
        *_table("split", [*SHARES, LEFT_OUT], clips, lambda clip: clip.split),
        *_table("person", sorted({clip.person for clip in clips}), clips, lambda clip: clip.person),
        *_table("emotion", sorted({clip.emotion for clip in clips}), clips, lambda clip: clip.emotion),
        *_table("video", sorted({clip.video for clip in clips}), clips, lambda clip: clip.video),
        "`manifest.parquet` has a line a clip: its times, frames and samples in the source, the source's sha256, the",
        "faces, label, text and split. With the videos, the clips can be cut again:",
        "",
        "```sh",
        "fercli dataset rebuild manifest.parquet --videos DIR -o corpus/",
        "```",
        "",
    ]
    return "\n".join(lines)


def _table(title: str, names: Iterable[str], clips: Sequence[Clip], key: Callable[[Clip], str]) -> list[str]:
    counts: dict[str, int] = defaultdict(int)
    seconds: dict[str, float] = defaultdict(float)
    for clip in clips:
        counts[key(clip)] += 1
        seconds[key(clip)] += clip.seconds
    rows = [f"| {name.replace('|', '/')} | {counts[name]} | {seconds[name]:.1f} |" for name in names if counts[name]]
    return [f"| {title} | clips | seconds |", "|---|---|---|", *rows, ""]


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.2f} hours" if seconds >= 360 else f"{seconds:.1f} seconds"


def _quoted(text: str) -> str:
    """As a YAML string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
