"""Every deliberate error of fercli, with its exit code.

    FercliError
      ConfigError            2    an option or parameter that cannot be used
      InputError             3    something a person handed over is missing, unreadable or not what it says
        VideoError                a video file
        SoundOnly                 a video file with sound and no picture, where pictures are needed
        DatasetError              a data set; names file and line
      WorkspaceError         4    the working directory
        MissingStage              a stage was asked for before the one it needs
        CorruptTable              a table that cannot be read or breaks its schema
        WorkspaceLocked           another process is working there
        OutputError               a result cannot be written (full disk, no permission)
      ModelError             5    a network
        UnknownModel              no model of that name
        WeightsError              a weights file is missing, altered or of another network
        MissingDependency         an optional package is not installed
      Cancelled            130    the caller stopped the work

Exit code 6 is not an error: a check completed and has findings. 70 is a bug in fercli, 130 is Ctrl-C, 141 a pipe whose
reader has ended. A message names the problem and the file; a hint names the next command. A code is a short name that
scripts and tests can rely on; docs/errors.md lists all of them. Only `fercli.cli` catches these and exits.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import ClassVar

EXIT_FOUND = 6
EXIT_INTERNAL = 70
EXIT_INTERRUPTED = 130
EXIT_READER_GONE = 141
"""As for every program that is ended by a closed pipe: 128 + SIGPIPE."""


class FercliError(Exception):
    """Base of all deliberate errors.

    Attributes:
        message: the problem, in one sentence, with the file. Its wording may change.
        hint: the next step, in one sentence.
        code: a short name that does not change, for scripts; docs/errors.md has all of them.
    """

    exit_code: ClassVar[int] = 1
    default_code: ClassVar[str] = "failed"

    def __init__(self, message: str, *, hint: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code or self.default_code


class ConfigError(FercliError):
    """An option or a parameter that cannot be used."""

    exit_code = 2
    default_code = "option-unusable"


class InputError(FercliError):
    """An input of the user is missing, unreadable or invalid."""

    exit_code = 3
    default_code = "input-unusable"


class VideoError(InputError):
    """A video file that cannot be read."""

    default_code = "video-unusable"


class SoundOnly(VideoError):
    """A file with sound and no picture, where pictures are needed."""

    default_code = "video-without-picture"


class DatasetError(InputError):
    """A data set, or one of its files, that cannot be used."""

    default_code = "dataset-unusable"


class WorkspaceError(FercliError):
    """The working directory is not a workspace, has a newer format, or cannot be used."""

    exit_code = 4
    default_code = "workspace-unusable"


class MissingStage(WorkspaceError):
    """A stage was requested before the stage whose output it reads."""

    default_code = "stage-missing"


class CorruptTable(WorkspaceError):
    """A table that cannot be read or does not follow its schema."""

    default_code = "table-corrupt"


class WorkspaceLocked(WorkspaceError):
    """Another process is working in the same workspace."""

    default_code = "workspace-locked"


class OutputError(WorkspaceError):
    """A result cannot be written: the disk is full, or the place is not writable."""

    default_code = "output-unwritable"


class ModelError(FercliError):
    """A network cannot be used."""

    exit_code = 5
    default_code = "model-unusable"


class UnknownModel(ModelError):
    """No model of that name is registered."""

    default_code = "model-unknown"


class WeightsError(ModelError):
    """A weights file is missing, altered, or belongs to another network."""

    default_code = "weights-unusable"


class MissingDependency(ModelError):
    """A model needs a package that is not installed."""

    default_code = "package-missing"


class Cancelled(FercliError):
    """The caller stopped the work; what is finished is kept."""

    exit_code = EXIT_INTERRUPTED
    default_code = "cancelled"


def command(*words: object) -> str:
    """A command line of fercli for a hint, quoted for the shell.

    A path that begins with a dash is written as `./-path`, because it would be read as an option.
    """
    shown = [f"./{word}" if isinstance(word, Path) and str(word).startswith("-") else str(word) for word in words]
    return shlex.join(["fercli", *shown])


def reason_of(error: Exception) -> str:
    """The text of an exception; for an OSError without its number and path."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
