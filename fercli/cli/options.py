"""Options shared by several commands, and how their text becomes values. Defaults come from `fercli.config`.

Every path is `readable=False`: for an unreadable file, typer would exit with 2, as for a wrong option. The code that
opens the file reports the error.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from fercli.cli.config_file import Study, apply
from fercli.config import ANY_SUBTITLES, DECODERS, EMBEDDED, NATIVE_FPS, FramesParams
from fercli.errors import ConfigError

PATH = "<path>"
"""Type of outputs in the help: they are parsed as text, because a `Path` drops the slash of a directory."""


MANY = "Many videos"
FRAMES, FACES, PERSONS, EMOTIONS, SOUND = "Frames", "Faces", "Tracks and persons", "Emotions", "Sound"
VALENCE = "Valence"
"""Headings of the help for the options of a run over many videos, and of the stages."""


def flag(*names: str, help: str, panel: str | None = None) -> Any:
    """An option that takes no value; without a `metavar` the help would show `<bool>`."""
    return typer.Option(*names, help=help, metavar="", rich_help_panel=panel)


Video = Annotated[Path, typer.Argument(metavar="VIDEO", help="The video file.", show_default=False, readable=False)]
Videos = Annotated[
    list[Path],
    typer.Argument(
        metavar="VIDEO...",
        help="A video; or several, folders, .txt lists and .csv tables of videos.",
        show_default=False,
        readable=False,
    ),
]
Recursive = Annotated[bool, flag("--recursive", "-r", help="Search the folders in a folder, too.", panel=MANY)]
Jobs = Annotated[
    int,
    typer.Option(
        "--jobs",
        "-j",
        help="Processes, each for a video or a piece of a long one; 0: a video each, as many as fit.",
        min=0,
        rich_help_panel=MANY,
    ),
]
Scheduler = Annotated[
    str,
    typer.Option(
        help="Address of a running Dask scheduler, as tcp://HOST:8786.", show_default=False, rich_help_panel=MANY
    ),
]
WorkspacePath = Annotated[
    Path,
    typer.Argument(metavar="WORKSPACE", help="The working directory of the video.", show_default=False, readable=False),
]
SeriesFolder = Annotated[
    Path,
    typer.Argument(
        metavar="FOLDER",
        help="The folder of `annotate` over many videos, or another one with workspaces.",
        show_default=False,
        readable=False,
    ),
]
WorkspaceOrFolder = Annotated[
    Path,
    typer.Argument(
        metavar="WORKSPACE",
        help="The working directory of a video, or a folder with those of several.",
        show_default=False,
        readable=False,
    ),
]
Fps = Annotated[
    str, typer.Option(help="Frames to sample per second, or 'native' for every frame.", rich_help_panel=FRAMES)
]
Start = Annotated[
    str, typer.Option(help="Start at this presentation time: seconds, 1:30 or 1:02:03.", rich_help_panel=FRAMES)
]
End = Annotated[str, typer.Option(help="Stop before this time; empty means the end.", rich_help_panel=FRAMES)]
ShotThreshold = Annotated[float, typer.Option(help="Sensitivity of cuts; lower finds more.", rich_help_panel=FRAMES)]
Decoder = Annotated[str, typer.Option(help="auto, pyav or decord; auto is pyav, the fastest.", rich_help_panel=FRAMES)]
Detector = Annotated[str, typer.Option(help="Face detector, a name from 'fercli models'.", rich_help_panel=FACES)]
DetectorWeights = Annotated[
    Path | None,
    typer.Option(
        help="Weights file for the detector; required by yunet, ssd-resnet10, faster-rcnn.",
        show_default=False,
        readable=False,
        rich_help_panel=FACES,
    ),
]
MinScore = Annotated[float, typer.Option(help="Drop detections below this score, 0 to 1.", rich_help_panel=FACES)]
MinSize = Annotated[int, typer.Option(help="Drop faces smaller than this, pixels.", rich_help_panel=FACES)]
MaxSide = Annotated[
    int, typer.Option(help="Scale larger frames down to this side for detection, pixels.", rich_help_panel=FACES)
]
DetectEvery = Annotated[
    int,
    typer.Option(
        help="Detect in every sampled frame of this number, and interpolate calm faces between; 1: in all.",
        rich_help_panel=FACES,
    ),
]
CropScale = Annotated[float, typer.Option(help="Crop side in face sides.", rich_help_panel=FACES)]
CropSize = Annotated[int, typer.Option(help="Largest crop side, pixels.", rich_help_panel=FACES)]
Embedder = Annotated[
    str,
    typer.Option(help="Face embedder: a name from 'fercli models', or an ONNX file.", rich_help_panel=PERSONS),
]
MaxGap = Annotated[float, typer.Option(help="Bridge gaps up to this, seconds.", rich_help_panel=PERSONS)]
MinFaces = Annotated[int, typer.Option(help="Drop tracks with fewer faces.", rich_help_panel=PERSONS)]
EmbedFaces = Annotated[int, typer.Option(help="Faces compared per track.", rich_help_panel=PERSONS)]
MaxDistance = Annotated[
    float, typer.Option(help="Largest embedding distance between tracks of one person.", rich_help_panel=PERSONS)
]
Gallery = Annotated[
    Path | None,
    typer.Option(
        help="Pictures of known persons: one folder, or NAME.jpg, per person.",
        show_default=False,
        readable=False,
        rich_help_panel=PERSONS,
    ),
]
Cast = Annotated[
    Path | None,
    typer.Option(
        help="File that stores the persons of a series across videos.",
        show_default=False,
        readable=False,
        rich_help_panel=PERSONS,
    ),
]
Model = Annotated[
    str,
    typer.Option(
        help="Classifier: a name from 'fercli models', or a file from 'fercli train'.", rich_help_panel=EMOTIONS
    ),
]
Stride = Annotated[int, typer.Option(help="Faces from one window to the next.", rich_help_panel=EMOTIONS)]
Thorough = Annotated[
    bool,
    flag(
        "--thorough", help="Classify every window by itself, and as a mirror image, too; takes longer.", panel=EMOTIONS
    ),
]
MinFace = Annotated[
    int, typer.Option(help="Faces smaller than this are not assessable, pixels.", rich_help_panel=EMOTIONS)
]
MinSharpness = Annotated[float, typer.Option(help="Blurrier faces are not assessable.", rich_help_panel=EMOTIONS)]
MinContrast = Annotated[
    float, typer.Option(help="Faces with less contrast are too dark to assess.", rich_help_panel=EMOTIONS)
]
MaxYaw = Annotated[
    float,
    typer.Option(help="Faces turned further to a side are not assessable, degrees.", rich_help_panel=EMOTIONS),
]
MaxPitch = Annotated[
    float,
    typer.Option(help="Faces turned further up or down are not assessable, degrees.", rich_help_panel=EMOTIONS),
]
DoubtfulFrom = Annotated[
    float,
    typer.Option(help="Labels of faces turned this far are marked as doubtful, degrees.", rich_help_panel=EMOTIONS),
]
MinFlag = Annotated[
    float, typer.Option(help="Do not measure where the face score is below this, 0 to 1.", rich_help_panel=FACES)
]
Landmarks = Annotated[
    bool,
    flag("--landmarks", help="Keep the 478 points of each face, for render --mesh and 68 landmarks.", panel=FACES),
]
MeanSegment = Annotated[
    float, typer.Option(help="Expected length of an expression; longer is smoother, seconds.", rich_help_panel=EMOTIONS)
]
MinSegment = Annotated[
    float, typer.Option(help="Shorter segments join their neighbours, seconds.", rich_help_panel=EMOTIONS)
]
Prior = Annotated[
    float | None,
    typer.Option(
        help="How far the class shares of the training data are divided out: 0 not at all, 1 entirely. By default as "
        "the network's file says.",
        show_default=False,
        rich_help_panel=EMOTIONS,
    ),
]
Abstain = Annotated[
    float,
    typer.Option(
        help="Segments whose score is below this get no label: they are not assessable, 'uncertain'; 0 to 1.",
        rich_help_panel=EMOTIONS,
    ),
]
With = Annotated[
    str,
    typer.Option(
        "--with",
        help="Further analyses, separated by commas: valence, and of the sound speech, speakers, voices.",
        show_default=False,
    ),
]
SOUND_ANALYSES = ("speech", "speakers", "voices")
"""What --sound runs."""
ANALYSES = ("valence", *SOUND_ANALYSES)
"""What --with takes."""
ValenceWeights = Annotated[
    Path | None,
    typer.Option(
        help="Network written by 'fercli train --task valence'; by default valence is derived from the emotions.",
        show_default=False,
        readable=False,
        rich_help_panel=VALENCE,
    ),
]
Smoothing = Annotated[
    float,
    typer.Option(help="Standard deviation of the Gaussian filter over time, seconds.", rich_help_panel=VALENCE),
]
Sound = Annotated[
    bool,
    flag("--sound", help="Also what is said, by whom, in which voice: --with speech,speakers,voices.", panel=SOUND),
]
AudioTrack = Annotated[
    int,
    typer.Option(help="Number of the sound track, from 1; 0: as a player chooses.", min=0, rich_help_panel=SOUND),
]
SpeechModel = Annotated[
    str,
    typer.Option(
        help="Speech recogniser: a name from 'fercli models', or the directory of a Whisper model for CTranslate2.",
        rich_help_panel=SOUND,
    ),
]
Language = Annotated[
    str, typer.Option(help="Code of the language that is spoken, as en; auto detects it.", rich_help_panel=SOUND)
]
Subtitles = Annotated[
    str,
    typer.Option(
        metavar="FILE",
        help="Take what is said from subtitles, aligned with the voice, instead of recognising it: an .srt or .vtt; "
        "'embedded' for those in the video; 'auto' for those beside it or in it, if there are any.",
        rich_help_panel=SOUND,
    ),
]
VoiceModel = Annotated[
    str,
    typer.Option(
        help="Classifier of voices: a name from 'fercli models', or a file of 'fercli train --task voice'.",
        rich_help_panel=SOUND,
    ),
]
Translate = Annotated[bool, flag("--translate", help="Write English, whatever is spoken.", panel=SOUND)]
Licences = Annotated[
    str, typer.Option(help="all, or free: refuse networks that are not known to be free for commercial use.")
]
Format = Annotated[str, typer.Option(help="A name from 'fercli formats'; by default chosen by the suffix.")]
Formats = Annotated[
    str,
    typer.Option(
        "--format",
        help="A name from 'fercli formats', or several with commas for a directory; by default chosen by the suffix.",
    ),
]
Overwrite = Annotated[
    bool, flag("--overwrite", help="Replace a file that fercli did not write, or that was changed since.")
]
Replace = Annotated[bool, flag("--overwrite", help="Replace an existing file.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Batch = Annotated[int, typer.Option(help="Clips per step.")]
WindowBatch = Annotated[int, typer.Option("--batch", help="Windows classified at once; 0: as many as suit the device.")]
Force = Annotated[bool, flag("--force", help="Run even if the results are up to date.")]
Verify = Annotated[
    bool, flag("--verify", help="Read the whole video again, even if size, time and inode of its file are unchanged.")
]
Dataset = Annotated[str, typer.Option(help="Name of the data set; see 'fercli dataset list'.", show_default=False)]
Root = Annotated[
    Path | None,
    typer.Option(
        help="The data set's file or directory, as downloaded; by default $FERCLI_DATA/NAME or ./NAME.",
        show_default=False,
        readable=False,
    ),
]
Strict = Annotated[bool, flag("--strict", help="Stop at a sample that cannot be used.")]
Config = Annotated[
    Study | None,
    typer.Option(
        "--config",
        parser=Study.read,
        callback=apply,
        is_eager=True,
        metavar=PATH,
        help="TOML file with options; 'fercli config' prints one. The command line overrides it.",
    ),
]
By = Annotated[
    str, typer.Option(metavar="NAME", help="The annotator, for the log of edits; by default the login name.")
]
Quiet = Annotated[bool, flag("--quiet", "-q", help="Only warnings and errors.")]


def parse_fps(text: str) -> float:
    """`native`, or a number above 0.

    Raises:
        ConfigError: anything else.
    """
    if text == "native":
        return NATIVE_FPS
    try:
        fps = float(text)
    except ValueError:
        fps = 0.0
    if not 0 < fps < float("inf"):
        raise ConfigError(
            f"--fps {text!r} is not a rate", hint="give a number above 0, or 'native'", code="option-out-of-range"
        )
    return fps


def show_fps(fps: float) -> str:
    """The inverse of `parse_fps`."""
    return "native" if fps == NATIVE_FPS else f"{fps:g}"


FPS = show_fps(FramesParams.fps)
"""Default of --fps."""


def parse_time(text: str, option: str) -> float:
    """Seconds, `m:s` or `h:m:s`; empty is 0.

    Raises:
        ConfigError: anything else.
    """
    if not text:
        return 0.0
    from fercli import timing

    try:
        return timing.parse_time(text)
    except ValueError as error:
        raise ConfigError(
            f"{option} {text!r} is not a time",
            hint="give seconds, m:s or h:m:s, for example 90 or 1:30",
            code="option-out-of-range",
        ) from error


def parse_end(text: str) -> float:
    """As `parse_time`, for --end: empty text means the end of the video and gives 0.

    Raises:
        ConfigError: not a time, or 0.
    """
    seconds = parse_time(text, "--end")
    if text and not seconds:
        raise ConfigError(
            f"--end {text!r} leaves nothing to analyse",
            hint="leave --end out for the end of the video",
            code="option-out-of-range",
        )
    return seconds


def parse_with(text: str) -> frozenset[str]:
    """Names from ANALYSES, separated by commas.

    Raises:
        ConfigError: anything else.
    """
    names = frozenset(name.strip() for name in text.split(",") if name.strip())
    unknown = sorted(names.difference(ANALYSES))
    if unknown:
        raise ConfigError(
            f"--with {unknown[0]!r} is not an analysis", hint=f"known: {', '.join(ANALYSES)}", code="name-unknown"
        )
    return names


def parse_decoder(text: str) -> str:
    """One of DECODERS; `auto` is resolved.

    Raises:
        ConfigError: anything else.
    """
    if text not in DECODERS:
        raise ConfigError(f"unknown decoder {text!r}", hint=f"known: {', '.join(DECODERS)}", code="name-unknown")
    return "pyav" if text == "auto" else text


def parse_formats(text: str) -> tuple[str, ...]:
    """Names of formats separated by commas; empty text means the default format.

    Raises:
        ConfigError: there is no such format, or two write to files of the same name.
    """
    from fercli.exports import DEFAULT
    from fercli.formats import FORMATS, choose_format

    names = tuple(dict.fromkeys(choose_format(Path(), name.strip()) for name in (text or DEFAULT).split(",")))
    suffixes = [FORMATS[name].suffix for name in names]
    if len(set(suffixes)) < len(names):
        raise ConfigError(
            f"--format {text}: two of them end in {max(suffixes, key=suffixes.count)}, which is one file",
            hint="export one of them later, with `fercli export`",
            code="option-conflict",
        )
    return names


def absolute(path: Path | None) -> str:
    """Absolute path for a receipt, so that it is valid in every directory; empty for None."""
    return "" if path is None else str(path.resolve())


def parse_network(text: str) -> str:
    """A name unchanged, a file as an absolute path."""
    return absolute(Path(text)) if Path(text).suffix.lower() in (".onnx", ".safetensors") else text


def parse_speech_model(text: str) -> str:
    """The name of a recogniser, or the absolute path of its weights.

    Raises:
        UnknownModel: it is neither.
    """
    from fercli.models.registry import find_speech_model

    spec, path = find_speech_model(text)
    return absolute(Path(path)) if path else spec.name


def parse_subtitles(text: str) -> str:
    """A path becomes absolute."""
    return text if text in ("", EMBEDDED, ANY_SUBTITLES) else str(Path(text).absolute())


def parse_sizes(text: str) -> tuple[int, ...]:
    """Whole numbers separated by commas.

    Raises:
        ConfigError: anything else.
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise ConfigError(
            f"--sizes {text!r} are not sizes", hint="give whole numbers, as 40,48,56", code="option-malformed"
        ) from error
