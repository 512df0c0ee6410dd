"""The parameters of every stage, and their defaults: the only place that states them.

What is here decides the result, so it is part of a stage's key; what only decides the speed is in `Runtime`.
Light to import: the command line reads its defaults from here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fercli.errors import ConfigError

DEVICES = ("auto", "cpu", "cuda")
DECODERS = ("auto", "pyav", "decord")
"""`auto` is PyAV; see `media.decode`."""
NO_KEY = {"key": False}
"""Metadata of a parameter that changes no table, so that another value makes nothing stale."""
NATIVE_FPS = 0.0
"""`fps` that takes every frame."""


@dataclass(frozen=True)
class FramesParams:
    """extract-frames.

    Attributes:
        fps: frames a second to look at, or NATIVE_FPS for all of them.
        start_s, end_s: only what is shown in [start_s, end_s), seconds from where a player begins; an `end_s` of 0
            means the end of the video.
        keep_images: write each frame as a JPEG. No part of the key: the tables are the same.
        shot_threshold: jump of scenedetect's adaptive content score that counts as a cut.
        decoder: one of DECODERS but `auto`. Part of the key, because the small pictures in which cuts are found differ
            in their last bits, and so may a cut.
    """

    fps: float = 10.0
    start_s: float = 0.0
    end_s: float = 0.0
    keep_images: bool = field(default=False, metadata=NO_KEY)
    shot_threshold: float = 3.0
    decoder: str = "pyav"


@dataclass(frozen=True)
class FacesParams:
    """detect-faces.

    Attributes:
        detector: a name from `fercli models`.
        weights: a file to use instead of the detector's own, where it has one; required by `yunet`.
        min_score: detections below it are dropped; in [0, 1], on the detector's own scale.
        min_size: faces with a shorter side below it are dropped, source pixels.
        max_side: larger frames are scaled down to this long side for detection, pixels.
        crop_scale: side of the stored square crop as a multiple of the longer side of the box.
        crop_size: crops larger than this are scaled down to it, pixels.
    """

    detector: str = "centerface"
    weights: str = ""
    min_score: float = 0.5
    min_size: int = 12
    max_side: int = 640
    crop_scale: float = 1.7
    crop_size: int = 192


@dataclass(frozen=True)
class AttributesParams:
    """measure-faces.

    Attributes:
        min_flag: where the mesh is less sure than this that there is a face, nothing is measured; in [0, 1].
        keep_landmarks: keep the 478 points of each mesh, some 5 kB a face.
    """

    min_flag: float = 0.5
    keep_landmarks: bool = False


@dataclass(frozen=True)
class TracksParams:
    """track, first stage: faces to tracks.

    Attributes:
        embedder: a name from `fercli models`, or an ONNX file of your own.
        min_iou: boxes overlapping less than this are never the same face in motion; in [0, 1].
        max_gap_s: a face unseen for longer starts a new track, seconds; from one sampled frame to the next is no gap.
        min_faces: shorter tracks are dropped as false alarms, but for those that lasted a second or the whole shot.
        embed_faces: how many of a track's best crops are embedded.
        limit: Euclidean distance up to which two faces are one person in the space of the embedder. It only scales the
            search for places where a track goes on with another person; see `tracking.consistency`.
    """

    embedder: str = "dlib-resnet"
    min_iou: float = 0.2
    max_gap_s: float = 1.0
    min_faces: int = 3
    embed_faces: int = 3
    limit: float = 0.55


@dataclass(frozen=True)
class PersonsParams:
    """track, second stage: tracks to persons.

    Attributes:
        embedder: that the tracks were embedded with, as in TracksParams.
        max_distance: tracks closer than this in embedding space (Euclidean) are one person.
        gallery: directory of pictures of known persons; persons found there get its names.
        cast: file that keeps the persons of a series; persons found there keep their names, new ones are added.
    """

    embedder: str = TracksParams.embedder
    max_distance: float = TracksParams.limit
    gallery: str = ""
    cast: str = ""


def limit_of(embedder: str, max_distance: float) -> float:
    """`TracksParams.limit` for an embedder: of a file of one's own nobody else knows it, so it is `max_distance`."""
    return max_distance if embedder.lower().endswith(".onnx") else TracksParams.limit


@dataclass(frozen=True)
class EmotionsParams:
    """classify-emotions.

    Attributes:
        model: a name from `fercli models`, or the path of a file written by `fercli train`.
        stride: faces of a track from one window to the next.
        min_size: faces with a shorter side below it are not assessable, source pixels.
        min_sharpness: faces blurrier than this are not assessable; see `media.images.sharpness`.
        max_yaw, max_pitch: faces turned further to a side, or up or down, are not assessable; degrees.
        mean_segment_s: how long an expression is taken to last on average; longer is smoother, seconds.
        min_segment_s: shorter segments are given to their neighbours, seconds.
    """

    model: str = "tsm-resnet18"
    stride: int = 2
    min_size: int = 24
    min_sharpness: float = 10.0
    max_yaw: float = 30.0
    max_pitch: float = 30.0
    mean_segment_s: float = 2.0
    min_segment_s: float = 0.4


@dataclass(frozen=True)
class ConfigFile:
    """A file of options (`--config`), as it is recorded with a result.

    Attributes:
        name: of the file, without its directory.
        sha256: of its content.
        options: what it set, and the command line did not; option without its dashes -> value, of paths the last part.
    """

    name: str
    sha256: str
    options: dict[str, Any]


@dataclass(frozen=True)
class Runtime:
    """What changes how fast a result is reached or says where its parameters came from, never the result; recorded in
    receipts, no part of any key.

    Attributes:
        device: `auto`, `cpu` or `cuda`.
        batch: windows classified at once.
        decoder: as in FramesParams; of the frames that detect-faces reads, whose pixels do not depend on it.
        config: the file that set some of the options, if there was one.
    """

    device: str = "auto"
    batch: int = 64
    decoder: str = "pyav"
    config: ConfigFile | None = None

    def __post_init__(self) -> None:
        """Raises ConfigError for what cannot be run with anywhere."""
        if self.device not in DEVICES:
            raise ConfigError(
                f"unknown device {self.device!r}", hint=f"known: {', '.join(DEVICES)}", code="name-unknown"
            )
        if self.batch < 1:
            raise ConfigError(
                f"the batch is {self.batch}", hint="use a whole number from 1", code="option-out-of-range"
            )


@dataclass(frozen=True)
class TrainConfig:
    """train; with `--model resnet18` the defaults are the first half of the recipe in weights/README.md.

    Attributes:
        dataset, root: which data set, and where it lies.
        out: directory of the run.
        model: a name from `models.networks.ARCHITECTURES`.
        init: weights to start from, a static model for a temporal one for example; the last layer may differ.
        fold_div: of temporal networks; 1 / fold_div of the channels is shifted each way.
        epochs, batch, lr, weight_decay: stochastic gradient descent with Nesterov momentum 0.9 under a one-cycle
            schedule with its peak at `lr`, after a warm-up over the first tenth of the steps (arXiv 1708.07120).
        sizes: sides of the input, ascending; the last is the one the network is used with. Each gets about the same
            time: starting small costs less and regularises (progressive resizing; Tan and Le 2021, arXiv 2104.00298).
        targets: `distribution` learns what share of the votes each class got, `label` only the class with most.
        smoothing: share of each target that is spread over all classes, in [0, 1).
        balanced: weigh rare classes more.
        extras: further terms of the loss, from `training.objective.EXTRAS`.
        word_vectors: word2vec or GloVe file for the extra `word-cosine`; without it the shipped table serves.
        mix: `none`, `cutmix` or `mixup`.
        randaugment: magnitude of RandAugment, 0 to 10; 0 leaves it out.
        limit: images a training epoch, drawn anew each time; 0 takes all.
        patience: stop after so many epochs without a better validation accuracy; 0 never stops.
        precision: `float32`, `bfloat16`, or `auto`: bfloat16 where the device computes in it.
        seed: of everything random.
        device: `auto`, `cpu` or `cuda`.
        strict: whether a sample that cannot be used is fatal.
        config: the file that set some of these, if there was one.
    """

    dataset: str
    root: Path
    out: Path
    model: str = "tsm-resnet18"
    init: Path | None = None
    fold_div: int = 8
    epochs: int = 36
    batch: int = 96
    lr: float = 0.05
    weight_decay: float = 5e-4
    sizes: tuple[int, ...] = (40, 48, 56)
    targets: str = "distribution"
    smoothing: float = 0.0
    balanced: bool = False
    extras: tuple[str, ...] = ()
    word_vectors: Path | None = None
    mix: str = "none"
    randaugment: int = 0
    limit: int = 0
    patience: int = 0
    precision: str = "auto"
    seed: int = 0
    device: str = "auto"
    strict: bool = False
    config: ConfigFile | None = None

    @property
    def input_size(self) -> int:
        """Side of the input the network is used with, pixels."""
        return self.sizes[-1]

    def size_in(self, epoch: int) -> int:
        """Side of the input in an epoch: a size's share of the epochs falls with its number of pixels."""
        shares = [1 / size**2 for size in self.sizes]
        reached = 0.0
        for size, share in zip(self.sizes, shares, strict=True):
            reached += share / sum(shares)
            if epoch < min(round(reached * self.epochs), self.epochs - 1):
                return size
        return self.input_size  # the last epoch at the latest
