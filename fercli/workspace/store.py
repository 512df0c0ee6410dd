"""The directory of a workspace: its layout, its lock, and how a finished stage is swapped in."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from fercli.chain import FACES, STAGE_OF, STAGES, Stage
from fercli.errors import InputError, MissingStage, WorkspaceError, WorkspaceLocked, command
from fercli.files import require_regular_file
from fercli.typed import build, check_known
from fercli.workspace.facts import FileState, VideoFacts
from fercli.workspace.receipts import Receipt
from fercli.writing import is_temporary, names_on_disk, on_disk, restrict_to_owner, write_atomically, writing

FORMAT = 3
"""Version of the layout and the tables. Other versions are refused. In version 1, times were container timestamps and
directories had numbers; in version 2, `track` was one stage, with a table of persons called `people`."""

_OLD_CORRECTIONS = ("people.toml", "segments.csv")
_BIOMETRIC = ("crops", "meshes", "embeddings", "sound")
_PARAMS = {stage.name: stage.params for stage in STAGES}
"""Directory of a stage -> class of its parameters."""


class Workspace:
    """A workspace directory on disk."""

    def __init__(self, path: Path, video: VideoFacts, file: FileState | None = None) -> None:
        self.path = path
        self.video = video
        self._file = file

    @classmethod
    def open(cls, path: Path) -> Workspace:
        """Open a workspace made by `create`.

        Raises:
            InputError: there is no such directory.
            WorkspaceError: not a workspace, damaged, or of another version of fercli.
        """
        if not path.exists():
            raise InputError(
                f"no workspace at {path}",
                hint=f"make one: {command('extract-frames', 'VIDEO', path)}",
                code="workspace-missing",
            )
        file = path / "workspace.json"
        try:
            return cls(path, *_read_facts(file))
        except OSError as error:
            raise WorkspaceError(
                f"{path} is not a fercli workspace: {error.strerror or error} ({file.name})",
                hint="give a directory made by `fercli annotate` or `fercli extract-frames`",
                code="not-a-workspace",
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise WorkspaceError(
                f"{file} is damaged: {error}",
                hint=f"to write it again: {command('extract-frames', 'VIDEO', path)}",
                code="workspace-damaged",
            ) from error

    @classmethod
    def of_unchanged(cls, path: Path, video: Path) -> Workspace | None:
        """The existing workspace, if it belongs to this video and the video file is unchanged; the video is not
        read."""
        try:
            found = cls(path, *_read_facts(path / "workspace.json"))
        except (OSError, ValueError, KeyError, TypeError, WorkspaceError):
            return None
        return found if found.video.path == str(video.absolute()) and found.video_unchanged else None

    @classmethod
    def create(cls, path: Path, video: VideoFacts, file: FileState | None = None) -> Workspace:
        """Create a workspace for a video, or open the existing one for the same path or content.

        Args:
            path: path of the workspace.
            video: facts of the video.
            file: state of the video file before it was read; without it, the file is read again when necessary.

        Raises:
            WorkspaceError: the path is something else, or the workspace of another video.
            OutputError: it cannot be written.
        """
        made, place = cls(path, video, file), path / "workspace.json"
        with writing(path):
            if place.exists():
                if (known := _facts_if_sound(place)) == (video, file):
                    return made
                if known is not None:
                    _refuse_another_video(made, known[0])
            elif path.exists() and not _is_as_good_as_empty(path):
                raise WorkspaceError(
                    f"{path} exists and is not a fercli workspace",
                    hint="choose another place for the workspace",
                    code="not-a-workspace",
                )
            path.mkdir(parents=True, exist_ok=True)
            document = {"format": FORMAT, "video": asdict(video), "file": asdict(file) if file else None}
            with made.lock():
                write_atomically(place, (json.dumps(document, indent=2) + "\n").encode())
        return made

    @property
    def video_unchanged(self) -> bool:
        """Whether the video's file has the size, modification time and inode it had when it was read."""
        return self._file is not None and FileState.of(Path(self.video.path)) == self._file

    def table(self, name: str) -> Path:
        """Path of a table."""
        return self.path / STAGE_OF[name].name / f"{name}.parquet"

    @property
    def edits(self) -> Path:
        """Path of the log of manual corrections, which may not exist; outside the stages, so no stage replaces it."""
        return self.path / "edits.jsonl"

    def receipt(self, directory: str) -> Receipt | None:
        """The receipt in a stage's directory; None if it is missing or unreadable."""
        file = self.path / directory / "receipt.json"
        try:
            require_regular_file(file, WorkspaceError)
            receipt = build(Receipt, json.loads(file.read_text(encoding="utf-8")))
            check_known(_PARAMS[directory], receipt.params)
        except (OSError, ValueError, TypeError, RecursionError, WorkspaceError):
            return None
        return receipt

    def run_hint(self, stage: Stage) -> str:
        """The command that runs a stage, for a hint."""
        video = [self.video.path] if stage.reads == ("video",) else []
        again = "with the options you gave it before, " if self.receipt(stage.name) else ""
        return f"{again}run: {command(stage.command, *video, self.path)}"

    @property
    def crop_scale(self) -> float:
        """Side of the stored crops as a multiple of the longer side of the face's box.

        Raises:
            MissingStage: the scale of the crops is not recorded.
        """
        receipt = self.receipt(FACES.name)
        if receipt is None:
            raise MissingStage(f"the faces in {self.path} have no receipt", hint=self.run_hint(FACES))
        scale = float(receipt.params.get("crop_scale", 0))
        if scale <= 0:
            reason = f"the receipt of the faces in {self.path} has no crop scale"
            raise MissingStage(reason, hint=self.run_hint(FACES))
        return scale

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the workspace while stages run, and repair an interrupted swap of a killed process.

        Raises:
            WorkspaceLocked: another process uses the workspace.
        """
        from filelock import FileLock, Timeout

        file = self.path / ".lock"
        if file.is_symlink():  # some versions of filelock would follow the link and empty its target
            raise WorkspaceError(
                f"{file} is a link", hint=f"run: rm {shlex.quote(str(file))}", code="workspace-is-link"
            )
        with writing(self.path):
            lock = FileLock(file, blocking=False)
            try:
                lock.acquire()
            except Timeout as error:
                raise WorkspaceLocked(
                    f"another fercli process is working in {self.path}",
                    hint="wait until it is done",
                ) from error
        try:
            with writing(self.path):
                self._clear_up()
            yield
        finally:
            lock.release()

    @property
    def writable(self) -> bool:
        """Whether the workspace can be written; a read-only workspace can still be read."""
        return os.access(self.path, os.W_OK)

    def require_replaceable(self, directory: str) -> None:
        """Check, before the work, that a stage's directories can be replaced by renaming, which links and other disks
        prevent.

        Raises:
            WorkspaceError: one is a link, or the root of a mounted disk.
        """
        for place in (self.path / directory, self.path / f"{directory}.partial"):
            if place.is_symlink():
                here, there = shlex.quote(str(place)), shlex.quote(str(Path(os.path.realpath(place))))
                back = f" && mv {there} {here}" if place.exists() else ""
                raise WorkspaceError(
                    f"{place} is a link, and a stage cannot be replaced through one; nothing was changed",
                    hint=f"move the whole workspace to another disk if there is no room here; run: rm {here}{back}",
                    code="workspace-is-link",
                )
            if place.is_mount():
                raise WorkspaceError(
                    f"{place} is another disk, and a stage cannot be replaced there; nothing was changed",
                    hint="unmount it, and move the whole workspace to that disk",
                    code="workspace-is-link",
                )

    def swap_in(self, directory: str, finished: Path) -> None:
        """Replace a stage's directory by a finished one."""
        self.require_replaceable(directory)
        new, old = self._swap_names(directory)
        on_disk(finished)
        finished.rename(new)
        names_on_disk(self.path)
        self._swap(self.path / directory, new, old)

    def _clear_up(self) -> None:
        """Finish the swaps of a killed run, and remove its leftovers."""
        for directory in (stage.name for stage in STAGES):
            new, old = self._swap_names(directory)
            if new.exists():
                self._swap(self.path / directory, new, old)
            else:
                _remove(old)
            self._remove_used_up(directory)
        for file in self.path.iterdir():
            if is_temporary(file.name) and not file.is_dir():
                file.unlink()
        for name in _BIOMETRIC:
            restrict_to_owner(self.table(name))

    def _remove_used_up(self, directory: str) -> None:
        """Remove pieces of a stage that were merged before the kill, and partly removed pieces."""
        partial, receipt = self.path / f"{directory}.partial", self.receipt(directory)
        try:
            made_for = (partial / "key.json").read_bytes()
        except FileNotFoundError:
            made_for = None
        if made_for is None or (receipt is not None and receipt.key_file() == made_for):
            _remove(partial)

    def _swap(self, real: Path, new: Path, old: Path) -> None:
        """Safe to repeat from any point: `new` is complete as long as it exists."""
        if real.exists():
            _remove(old)
            real.rename(old)
        new.rename(real)
        names_on_disk(self.path)
        _remove(old)

    def _swap_names(self, directory: str) -> tuple[Path, Path]:
        return self.path / f"{directory}.new", self.path / f"{directory}.old"


def _is_as_good_as_empty(path: Path) -> bool:
    """Whether a directory only has leftovers of a run that was killed while it created the workspace."""
    return path.is_dir() and all(file.name == ".lock" or is_temporary(file.name) for file in path.iterdir())


def _remove(path: Path) -> None:
    """Remove a directory or a link, if there is one; the target of a link is kept."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def _read_facts(file: Path) -> tuple[VideoFacts, FileState | None]:
    """The facts of the video and the state of its file in workspace.json.

    Raises:
        WorkspaceError: it was made by a newer or an older fercli.
        OSError, ValueError, KeyError, TypeError: it cannot be read, or is damaged.
    """
    if file.exists():
        require_regular_file(file, WorkspaceError)
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    version = document["format"]
    if not isinstance(version, int):
        raise TypeError("format is not a number")
    if version > FORMAT:
        raise WorkspaceError(
            f"{file.parent} has workspace format {version}, this fercli reads up to {FORMAT}",
            hint="pip install -U fercli",
            code="workspace-newer",
        )
    if version < FORMAT:
        made_of = str(document["video"]["path"])
        raise WorkspaceError(
            f"{file.parent} has workspace format {version}, of an older fercli; this one reads {FORMAT}",
            hint=f"move it away, then make it again: {command('extract-frames', made_of, file.parent)}",
            code="workspace-older",
        )
    _refuse_old_corrections(file.parent, str(document["video"]["path"]))
    facts = build(VideoFacts, document["video"])
    sound_only = facts.width == facts.height == facts.fps == 0
    if (not sound_only and (min(facts.width, facts.height) < 1 or facts.fps <= 0)) or facts.duration_s < 0:
        raise ValueError("the facts of the video are invalid")
    return facts, build(FileState, document["file"]) if document["file"] is not None else None


def _refuse_old_corrections(path: Path, video: str) -> None:
    """Refuse corrections of an older version, which would otherwise be ignored silently."""
    found = [name for name in _OLD_CORRECTIONS if (path / name).exists()]
    if found:
        again = command("annotate", Path(video), "--workdir", path)
        raise WorkspaceError(
            f"{path} has {' and '.join(found)} of an older fercli; corrections are in edits.jsonl now",
            hint=f"move the workspace away, then make it again: {again}",
            code="workspace-older",
        )


def _facts_if_sound(file: Path) -> tuple[VideoFacts, FileState | None] | None:
    try:
        return _read_facts(file)
    except (ValueError, KeyError, TypeError):
        return None


def _refuse_another_video(workspace: Workspace, known: VideoFacts) -> None:
    """Refuse another video. The video may have been moved or replaced, but manual corrections belong to the old one."""
    if workspace.video.sha256 == known.sha256:
        return
    if workspace.video.path != known.path:
        raise WorkspaceError(
            f"{workspace.path} is the workspace of another video, {known.path}",
            hint="choose another place for the workspace",
            code="workspace-of-another-video",
        )
    if workspace.edits.exists():
        raise WorkspaceError(
            f"{known.path} is another video than before, and the edits in {workspace.edits} belong to the old one",
            hint="choose another place for the workspace, or move that file away",
            code="workspace-of-another-video",
        )


def hint_for_moved(video: Path) -> str:
    """Hint for a video that was moved: no stage must run again."""
    return f"put it back, or leave a link to it there: ln -s NEW_PATH {shlex.quote(str(video))}"
