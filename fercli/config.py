"""The parameters of every stage and their defaults, which are defined only here.

These parameters affect the result, so they are part of a stage's key; those that only affect speed are in `Runtime`.
Fast to import, because the command line takes its defaults from here.
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
"""Metadata of a parameter that changes no table: a new value makes no stage stale."""
EMBEDDED, ANY_SUBTITLES = "embedded", "auto"
"""Values of `SpeechParams.subtitles`: those in the video; those beside it or in it, if there are any."""
ANY_LANGUAGE = "auto"
"""`language` that is detected."""
NATIVE_FPS = 0.0
"""`fps` that takes every frame."""


@dataclass(frozen=True)
class FramesParams:
    """extract-frames.

    Attributes:
        fps: frames sampled per second, or NATIVE_FPS for all frames.
        start_s, end_s: stretch [start_s, end_s) to be analysed, seconds from the start in a player; an `end_s` of 0
            means the end of the video.
        keep_images: write each sampled frame as a JPEG. Not part of the key: the tables are the same.
        shot_threshold: jump of scenedetect's adaptive content score that counts as a cut.
        decoder: one of DECODERS except `auto`. Part of the key, because the small pictures for cut detection differ
            slightly between decoders, and so may a cut.
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
        weights: a weights file instead of the detector's own; required by `yunet`, `ssd-resnet10` and `faster-rcnn`.
        min_score: detections below it are dropped; in [0, 1], on the detector's own scale.
        min_size: faces with a shorter side below it are dropped, source pixels.
        max_side: larger frames are scaled down to this long side for detection, pixels.
        every: the detector looks at every sampled frame of this number; where it finds the same calm faces before and
            after, those between are interpolated (`models.face_search`). 1: it looks at all.
        crop_scale: side of the stored square crop as a multiple of the longer side of the box.
        crop_size: crops larger than this are scaled down to it, pixels.
    """

    detector: str = "centerface"
    weights: str = ""
    min_score: float = 0.5
    min_size: int = 12
    max_side: int = 640
    every: int = 2
    crop_scale: float = 1.7
    crop_size: int = 192


@dataclass(frozen=True)
class AttributesParams:
    """measure-faces.

    Attributes:
        min_flag: faces with a lower face score of the mesh are not measured; in [0, 1].
        keep_landmarks: keep the 478 points of each mesh, some 5 kB a face.
    """

    min_flag: float = 0.5
    keep_landmarks: bool = False


@dataclass(frozen=True)
class TracksParams:
    """track, first stage: faces to tracks.

    Attributes:
        embedder: a name from `fercli models`, or the path of an ONNX file.
        min_iou: boxes overlapping less than this are never the same face in motion; in [0, 1].
        max_gap_s: a face that is not detected for longer starts a new track, seconds; the sampling interval is not a
            gap.
        min_faces: shorter tracks are dropped as false alarms, except those that last a second or the whole shot.
        embed_faces: how many of a track's best crops are embedded.
        limit: Euclidean distance up to which two faces are one person in the space of the embedder. It only scales the
            search for changes of the person within a track; see `tracking.consistency`.
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
        embedder: the embedder of the tracks, as in TracksParams.
        max_distance: tracks closer than this in embedding space (Euclidean) are one person.
        gallery: directory of pictures of known persons; matched persons get its names.
        cast: file with the persons of a series; matched persons keep their names, new ones are added.
    """

    embedder: str = TracksParams.embedder
    max_distance: float = TracksParams.limit
    gallery: str = ""
    cast: str = ""


def limit_of(embedder: str, max_distance: float) -> float:
    """`TracksParams.limit` for an embedder; for an ONNX file of the user it is unknown, so `max_distance` is used."""
    return max_distance if embedder.lower().endswith(".onnx") else TracksParams.limit


@dataclass(frozen=True)
class EmotionsParams:
    """classify-emotions.

    Attributes:
        model: a name from `fercli models`, or the path of a file written by `fercli train`.
        stride: faces of a track from one window to the next.
        thorough: the network computes every window by itself, and always the mirror image, too; otherwise each face
            once, see `expressions.shared_faces`.
        min_size: faces with a shorter side below it are not assessable, source pixels.
        min_sharpness: faces blurrier than this are not assessable; see `media.images.sharpness`.
        min_contrast: faces with less contrast are not assessable; see `media.images.contrast`.
        max_yaw, max_pitch: faces turned further sideways, or up or down, are not assessable; degrees.
        doubtful_from: from this yaw or pitch on, a label is marked as doubtful; degrees.
        mean_segment_s: expected length of an expression; longer is smoother, seconds.
        min_segment_s: shorter segments are merged with a neighbour, seconds.
        prior: power to which the class shares of the training data are divided out of the probabilities, 0 to 1; None
            takes the weights file's own. See `calibration.without_prior`.
        abstain: segments with a lower score get no label: they are not assessable, being `uncertain`; 0 to 1.
    """

    model: str = "tsm-resnet18"
    stride: int = 2
    thorough: bool = False
    min_size: int = 24
    min_sharpness: float = 10.0
    min_contrast: float = 40.0
    max_yaw: float = 30.0
    max_pitch: float = 30.0
    doubtful_from: float = 20.0
    mean_segment_s: float = 2.0
    min_segment_s: float = 0.4
    prior: float | None = None
    abstain: float = 0.0


@dataclass(frozen=True)
class ValenceParams:
    """estimate-valence.

    Attributes:
        weights: file of a network written by `fercli train --task valence`; empty derives valence and arousal from the
            emotions.
        smoothing_s: standard deviation of the Gaussian filter, seconds. It has no delay.
    """

    weights: str = ""
    smoothing_s: float = 0.25


@dataclass(frozen=True)
class AudioParams:
    """extract-audio.

    Attributes:
        track: number of the sound track in the file, from 1; 0 is the one that a player chooses.
        start_s, end_s: as in FramesParams.
    """

    track: int = 0
    start_s: float = 0.0
    end_s: float = 0.0


@dataclass(frozen=True)
class SpeechParams:
    """transcribe.

    Attributes:
        model: name from `fercli models`, or path of the `model.bin` of a Whisper model for CTranslate2.
        language: code of the language that is spoken, such as `en`, or ANY_LANGUAGE.
        translate: write English, whatever is spoken.
        threshold: probability of speech from which a stretch is voiced, in (0, 1].
        pad_s: added before and after each voiced stretch, seconds.
        min_silence_s: shorter silence does not end a voiced stretch, seconds.
        subtitles: path of an .srt or .vtt that has what is said, or EMBEDDED for subtitles in the video; nothing is
            recognised then. Empty for recognition. ANY_SUBTITLES becomes one of these before the stages run, see
            `api.for_video`.
        min_peak: voiced stretches whose highest probability is lower are not recognised, in [0, 1].
    """

    model: str = "whisper-base"
    language: str = ANY_LANGUAGE
    translate: bool = False
    threshold: float = 0.2
    pad_s: float = 0.1
    min_silence_s: float = 0.5
    min_peak: float = 0.5
    subtitles: str = ""


@dataclass(frozen=True)
class SpeakersParams:
    """detect-speakers has no parameters."""


@dataclass(frozen=True)
class VoicesParams:
    """classify-voices.

    Attributes:
        model: name from `fercli models`, or the path of a file of `fercli train --task voice`.
    """

    model: str = "voice-ravdess"


@dataclass(frozen=True)
class ConfigFile:
    """A file of options (`--config`), as it is recorded with a result.

    Attributes:
        name: name of the file, without its directory. sha256: sha256 of its content.
        options: options set by the file and not by the command line; option without dashes -> value, only the last part
            of paths.
    """

    name: str
    sha256: str
    options: dict[str, Any]


@dataclass(frozen=True)
class Runtime:
    """Settings that affect the speed or record the source of parameters, but never change the result; stored in
    receipts, not part of any key.

    Attributes:
        device: `auto`, `cpu` or `cuda`.
        batch: windows classified at once; 0: as many as suits the device.
        decoder: as in FramesParams, for detect-faces, whose pixels do not depend on it.
        config: the file that set some of the options, if any.
    """

    device: str = "auto"
    batch: int = 0
    decoder: str = "pyav"
    config: ConfigFile | None = None

    def __post_init__(self) -> None:
        """Raises ConfigError for invalid values."""
        if self.device not in DEVICES:
            raise ConfigError(
                f"unknown device {self.device!r}", hint=f"known: {', '.join(DEVICES)}", code="name-unknown"
            )
        if self.batch < 0:
            raise ConfigError(
                f"the batch is {self.batch}", hint="use a whole number from 0", code="option-out-of-range"
            )


@dataclass(frozen=True)
class DataSource:
    """A data set of a run.

    Attributes:
        dataset, root: its name and path.
        weight: how often each of its faces is drawn, relative to those of the other sets.
    """

    dataset: str
    root: Path
    weight: float = 1.0


@dataclass(frozen=True)
class TrainConfig:
    """train; with `--model resnet18` the defaults are the first half of the recipe in weights/README.md.

    Attributes:
        dataset, root: the data set and its path.
        out: directory of the run.
        model: a name from `models.networks.ARCHITECTURES`.
        init: initial weights: a file, for example of a static model for a temporal one, or a name from `fercli
            models`; the last layer may differ.
        fold_div: for temporal networks; 1 / fold_div of the channels is shifted in each direction.
        epochs, batch, lr, weight_decay: stochastic gradient descent with Nesterov momentum 0.9 under a one-cycle
            schedule with its peak at `lr`, after a warm-up over the first tenth of the steps (arXiv 1708.07120).
        weight, beside: weight of the data set, and further ones; see `DataSource`.
        valid: another set, to choose the best network by.
        classes: file with classes of the user's own; see `learn.datasets.classes`.
        without: file with faces that are left out of training; see `learn.datasets.suspects`.
        pack_size: side to which faces are scaled before training, pixels; 0 chooses it by pictures and `sizes`.
        colour: `grey`, `rgb`, or `auto`: rgb if a data set has colour.
        augment: a name from `training.augment.STRENGTHS`.
        oversample: faces are drawn in proportion to the frequency of their class to the power of minus this, and the
            loss is corrected for it; 0 draws all alike, 1 all classes alike.
        ratings: weight of the loss of valence and arousal, where a data set has them; 0 leaves them out.
        teachers: classifiers whose averaged probabilities are mixed into the targets.
        teacher_share: share of these in the targets, in (0, 1].
        balance_neutral: weigh neutral and all other classes together alike.
        sizes: sides of the input, ascending; the last is the size in use. Each gets about the same time: small sizes
            first cost less and regularise (progressive resizing; Tan and Le 2021, arXiv 2104.00298).
        targets: `distribution` uses the share of votes of each class, `label` only the class with most votes.
        smoothing: share of each target that is distributed over all classes, in [0, 1).
        balanced: give rare classes a higher weight.
        extras: additional terms of the loss, from `training.objective.EXTRAS`.
        word_vectors: word2vec or GloVe file for the extra `word-cosine`; by default the shipped table.
        mix: `none`, `cutmix` or `mixup`.
        randaugment: magnitude of RandAugment, 0 to 10; 0 leaves it out.
        ema: decay of the exponential average of the weights that is validated and kept; 0 keeps the last weights.
        limit: images per training epoch, drawn again for each epoch; 0 takes all.
        patience: stop after this many epochs without a better validation accuracy; 0 never stops.
        precision: `float32`, `bfloat16`, or `auto`: bfloat16 if the device supports it.
        seed: seed of all random numbers.
        device: `auto`, `cpu` or `cuda`.
        strict: whether an unusable sample is an error.
        config: the file that set some of these, if any.
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
    ema: float = 0.0
    limit: int = 0
    patience: int = 0
    precision: str = "auto"
    seed: int = 0
    device: str = "auto"
    strict: bool = False
    config: ConfigFile | None = None
    weight: float = 1.0
    beside: tuple[DataSource, ...] = ()
    valid: DataSource | None = None
    classes: Path | None = None
    without: Path | None = None
    pack_size: int = 0
    colour: str = "auto"
    augment: str = "strong"
    oversample: float = 0.0
    ratings: float = 1.0
    teachers: tuple[str, ...] = ()
    teacher_share: float = 0.5
    balance_neutral: bool = False

    @property
    def sources(self) -> tuple[DataSource, ...]:
        """The data sets to train on."""
        return DataSource(self.dataset, self.root, self.weight), *self.beside

    @property
    def input_size(self) -> int:
        """Side of the input in use, pixels."""
        return self.sizes[-1]

    def size_in(self, epoch: int) -> int:
        """Side of the input in an epoch: the share of epochs of a size decreases with its number of pixels."""
        shares = [1 / size**2 for size in self.sizes]
        reached = 0.0
        for size, share in zip(self.sizes, shares, strict=True):
            reached += share / sum(shares)
            if epoch < min(round(reached * self.epochs), self.epochs - 1):
                return size
        return self.input_size  # the last epoch at the latest


@dataclass(frozen=True)
class SequenceConfig:
    """train --task: a network over series.

    Attributes:
        dataset, root: the set with annotations over time and its path.
        out: directory of the run; with `folds` each fold has a directory in it.
        features: file of `fercli features`; None takes the features that the set itself has.
        task: `valence` (values), `classes` or `intensity`.
        model: a name from `models.sequences.networks.ARCHITECTURES`.
        modalities: kinds of features to use; empty takes all of the file.
        rate: steps per second; 0 takes that of the features.
        bins: for classes of a set that has none: equal parts of the range of valence.
        hidden, dropout: width of the network, and probability in training.
        loss: of values, `ccc` or `mse`.
        tmse: weight of the smoothing loss of classes.
        folds: see `learn.sequences.folds`.
        epochs, batch, lr, weight_decay: AdamW (arXiv 1711.05101) under the one-cycle schedule of TrainConfig.
        patience: stop after this many epochs without a better network; 0 never stops.
        seed: seed of all random numbers.
        device: `auto`, `cpu` or `cuda`.
        strict: whether a file of the set that cannot be used is an error.
        config: the file that set some of these, if any.
    """

    dataset: str
    root: Path
    out: Path
    features: Path | None = None
    task: str = "valence"
    model: str = "lstm"
    modalities: tuple[str, ...] = ()
    rate: float = 0.0
    bins: int = 3
    hidden: int = 64
    dropout: float = 0.2
    loss: str = "ccc"
    tmse: float = 0.15
    folds: str = ""
    epochs: int = 60
    batch: int = 16
    lr: float = 2e-3
    weight_decay: float = 1e-4
    patience: int = 0
    seed: int = 0
    device: str = "auto"
    strict: bool = False
    config: ConfigFile | None = None
