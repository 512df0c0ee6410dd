"""Features and targets of utterances: of labelled clips, and of videos whose faces are the teacher.

The teacher: Albanie et al. 2018, arXiv 1808.05561.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.errors import DatasetError, InputError
from fercli.labels import canonical
from fercli.learn.voice.changes import changed, drawn
from fercli.learn.voice.clips import Clip, samples_of
from fercli.models.voice import Features, Samples, VoiceFeatures, utterance
from fercli.progress import Reporter


@dataclass(frozen=True)
class VoiceSamples:
    """N utterances.

    Attributes:
        features: (N, D) as `models.voice.VoiceFeatures` returns them.
        targets: (N, C) probabilities of the classes.
        speakers: (N,) names; empty if unknown.
        copies: (N,) which are changed copies, only to learn from.
    """

    features: NDArray[np.float32]
    targets: NDArray[np.float64]
    speakers: NDArray[np.str_]
    copies: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.targets)

    def joined(self, other: VoiceSamples) -> VoiceSamples:
        """These and other samples of the same classes."""
        return VoiceSamples(
            np.concatenate((self.features, other.features)),
            np.concatenate((self.targets, other.targets)),
            np.concatenate((self.speakers, other.speakers)),
            np.concatenate((self.copies, other.copies)),
        )

    def chosen(self, which: NDArray[np.bool_]) -> VoiceSamples:
        """Some of them; `which` is (N,)."""
        return VoiceSamples(self.features[which], self.targets[which], self.speakers[which], self.copies[which])


def of_clips(
    features: VoiceFeatures, clips: Sequence[Clip], labels: Sequence[str], reporter: Reporter, copies: int = 0
) -> VoiceSamples:
    """Labelled clips, each with changed copies.

    Args:
        labels: classes; clips with another one are left out, and those that are too short or silent, with a warning.
        copies: number of changed copies of each clip; they are the same in each run.

    Raises:
        DatasetError: no clip is left.
        VideoError: a file cannot be opened.
    """
    found: list[Features] = []
    kept: list[Clip] = []
    is_copy: list[bool] = []
    with reporter.task("features of voices", len(clips), "clip") as task:
        for number, clip in enumerate(clips):
            heard = utterance(samples_of(clip.path)) if clip.label in labels else None
            for copy, one in enumerate([] if heard is None else [heard, *_copies(heard, number, copies)]):
                found.append(features.of(one))
                kept.append(clip)
                is_copy.append(copy > 0)
            task.advance()
    if not kept:
        raise DatasetError("no clip has a class of the classifier", hint=f"its classes: {', '.join(labels)}")
    if left := len(clips) - (len(kept) - sum(is_copy)):
        reporter.warn(f"{left} of {len(clips)} clips are too short, silent or of other classes, and left out")
    targets = np.eye(len(labels))[[list(labels).index(clip.label) for clip in kept]]
    return VoiceSamples(np.stack(found), targets, np.array([clip.speaker for clip in kept]), np.array(is_copy))


def _copies(heard: Samples, number: int, copies: int) -> list[Samples]:
    """Changed copies of a clip; fewer if nothing is heard in one."""
    found = []
    for copy in range(copies):
        rng = np.random.default_rng([number, copy])
        one = utterance(changed(heard, drawn(rng), rng))
        if one is not None:
            found.append(one)
    return found


def of_workspaces(
    voice: VoiceFeatures, workspaces: Sequence[Path], labels: Sequence[str], reporter: Reporter
) -> VoiceSamples:
    """Utterances of finished videos whose speaker is on screen and assessable, with the probabilities of the face.

    Raises:
        InputError: there is no such utterance.
        FercliError: as `fercli.results.load.load`.
    """
    from fercli.media.kept_sound import KeptSound
    from fercli.results.load import load
    from fercli.workspace import Workspace

    features, targets, speakers = [], [], []
    for path in workspaces:
        workspace = Workspace.open(path)
        said = [one for one in load(workspace).utterances if one.face is not None]
        sound = KeptSound(workspace.table("sound")) if said else None
        for one in said:
            heard = utterance(sound.between(one.start_s, one.end_s)) if sound else None
            taught = np.array([(one.face or {}).get(canonical(label) or "", 0.0) for label in _owners(labels)])
            if heard is not None and taught.sum() > 0:
                features.append(voice.of(heard))
                targets.append(taught / taught.sum())
                speakers.append(f"{path.name}: {one.person}")
        reporter.note(f"{path}: utterances with a face that was assessed: {len(said)}")
    if not features:
        raise InputError(
            "no utterance of these workspaces has a visible speaker whose face was assessed",
            hint="run first: fercli annotate VIDEO --sound",
            code="teacher-empty",
        )
    return VoiceSamples(np.stack(features), np.stack(targets), np.array(speakers), np.zeros(len(targets), bool))


def _owners(labels: Sequence[str]) -> list[str]:
    """Labels of which each emotion has only one: faces do not tell `calm` from `neutral`."""
    seen: set[str | None] = {None}
    owners = []
    for label in labels:
        name = canonical(label)
        owners.append("" if name in seen else label)
        seen.add(name)
    return owners
