"""The Python API: annotate a video, open a finished workspace, and use the result.

    import fercli

    result = fercli.annotate("episode.mp4", gallery="people/")
    result.to_pandas("segments")
    result.save("episode.eaf")

The command line uses this API.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from fercli import pipeline
from fercli.chain import AUDIO, FRAMES, STAGES, Plan, needed_for
from fercli.config import (
    ANY_SUBTITLES,
    EMBEDDED,
    FramesParams,
    PersonsParams,
    Runtime,
    SpeechParams,
    TracksParams,
)
from fercli.errors import ConfigError, MissingDependency, SoundOnly
from fercli.exports import is_as_exported
from fercli.models.licences import require_licences
from fercli.models.loaded import Models
from fercli.progress import CallbackReporter, Progress, Reporter
from fercli.results import model
from fercli.results.load import load
from fercli.workspace import Digests, FileState, Workspace
from fercli.workspace.places import workspace_of
from fercli.writing import write_atomically

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class Result(model.Result):
    """The result of one video, with all manual edits applied; see `fercli.results.model.Result`."""

    def to_arrow(self, table: str = "segments") -> pa.Table:
        """A table of the result; the metadata of every column describes it.

        Args:
            table: `segments`, `persons`, `tracks`, `windows` (probabilities over time), `faces` (boxes, landmarks and
                probabilities of every face) or `signals` (all measurements over time, one row per value).

        Raises:
            ConfigError: there is no such table.
            CorruptTable: a table of the workspace cannot be read.
        """
        from fercli.formats.arrow import TABLES

        if table not in TABLES:
            raise ConfigError(f"a result has no table {table!r}", hint=f"known: {', '.join(TABLES)}")
        return TABLES[table](self)

    def to_pandas(self, table: str = "segments") -> pd.DataFrame:
        """A table of the result as a pandas data frame, which requires pandas; otherwise as `to_arrow`.

        Raises:
            MissingDependency: pandas is not installed.
        """
        if find_spec("pandas") is None:
            hint = "run: pip install 'fercli[pandas]'; to_arrow works without pandas"
            raise MissingDependency("to_pandas needs pandas, which is not installed", hint=hint)
        frame: pd.DataFrame = self.to_arrow(table).to_pandas()
        return frame

    def save(self, path: str | Path, format: str = "") -> None:
        """Write the result to a file, which is replaced in one step.

        Args:
            path: the file.
            format: a name from `fercli formats`; by default chosen by the suffix.

        Raises:
            ConfigError: the format is not known.
            OutputError: the file cannot be written.
        """
        from fercli.formats import FORMATS, choose_format

        chosen = FORMATS[choose_format(Path(path), format)]
        with TemporaryDirectory() as scratch:
            file = Path(scratch) / f"annotations{chosen.suffix}"
            chosen.write(self, file)
            write_atomically(Path(path).absolute(), file.read_bytes())


def annotate(
    video: str | Path,
    *,
    workspace: str | Path | None = None,
    gallery: str | Path | None = None,
    cast: str | Path | None = None,
    params: Sequence[Any] = (),
    runtime: Runtime | None = None,
    licences: str = "all",
    force: bool = False,
    verify: bool = False,
    progress: Callable[[Progress], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    models: Models | None = None,
) -> Result:
    """Annotate the persons and their emotions in a video; only stages that are not up to date are run.

    Args:
        video: the video file.
        workspace: directory for the tables, which later calls reuse; by default `VIDEO.fercli` beside the
            video.
        gallery: directory with pictures of known persons: one folder, or NAME.jpg, per person.
        cast: file that stores the persons of a series across videos; created if it does not exist.
        params: parameters of single stages, such as `FramesParams(fps=5)`; other stages use the defaults.
        runtime: device and batch size.
        licences: `free` refuses networks that are not known to be free for commercial use, before any work; or `all`.
        force: run all stages.
        verify: read the whole video again, even if size, modification time and inode of its file are unchanged.
        progress: called after every step of a stage; an exception in it stops the work.
        cancel: called after every step; if it returns True, the work stops. Finished work is kept, and the next call
            continues from there.
        models: loaded networks: pass the same object to several calls to load each network only once.

    Raises:
        VideoError: the video cannot be read.
        ConfigError, InputError, ModelError: a parameter, the gallery, the cast or a network cannot be used.
        WorkspaceError: the workspace belongs to another video, is in use, or cannot be written.
        Cancelled: `cancel` returned True.
    """
    video = Path(video)
    plan = plan_for(params, gallery=gallery, cast=cast)
    require_licences(licences, plan)
    place = Path(workspace) if workspace is not None else workspace_of(video, video.parent)
    reporter = CallbackReporter(progress, cancel)
    with up_to_date(
        place, video, plan, runtime or Runtime(), reporter, force=force, verify=verify, models=models
    ) as opened:
        return _result(opened)


def open_workspace(workspace: str | Path) -> Result:
    """Read a finished workspace, with all manual edits applied; nothing is computed. Exported as `fercli.open`.

    Raises:
        InputError: there is no such directory, or the edits cannot be read.
        WorkspaceError: it is not a workspace, or a stage has not run yet.
    """
    return _result(Workspace.open(Path(workspace)))


def plan_for(params: Sequence[Any], *, gallery: str | Path | None = None, cast: str | Path | None = None) -> Plan:
    """All stages with their parameters: the given ones (the last of each kind), and defaults for the others. Optional
    stages are left out, unless their parameters are given or a stage whose parameters are given needs them.

    Raises:
        ConfigError: an item is not the parameters of a stage, or two stages have different embedders.
    """
    kinds = {stage.params for stage in STAGES}
    for one in params:
        if type(one) not in kinds:
            known = ", ".join(kind.__name__ for kind in sorted(kinds, key=lambda kind: kind.__name__))
            raise ConfigError(f"{one!r} is not the parameters of a stage", hint=f"known: {known}")
    given = {type(one): one for one in params}
    tracks = given.get(TracksParams, TracksParams())
    persons = given.setdefault(PersonsParams, PersonsParams(tracks.embedder, tracks.limit))
    if persons.embedder != tracks.embedder:
        raise ConfigError(
            f"the embedder of TracksParams is {tracks.embedder}, that of PersonsParams {persons.embedder}",
            hint="use the same embedder in both",
        )
    known_persons = {
        name: str(Path(path).absolute()) for name, path in (("gallery", gallery), ("cast", cast)) if path is not None
    }
    plan = []
    asked = [stage for stage in STAGES if stage.params in given or not stage.optional]
    for stage in needed_for(*(table for one in asked for table in one.writes)):
        own = given.get(stage.params, stage.params())
        plan.append((stage, replace(own, **{k: v for k, v in known_persons.items() if k in _names(own)})))
    return plan


@contextmanager
def up_to_date(
    place: Path,
    video: Path,
    plan: Plan,
    runtime: Runtime,
    reporter: Reporter,
    *,
    force: bool = False,
    verify: bool = False,
    models: Models | None = None,
    digests: Digests | None = None,
    share: pipeline.Share | None = None,
) -> Iterator[Workspace]:
    """Run the stages of a plan, and yield the locked workspace of the video; errors as `annotate`.

    `share` is as for `pipeline.run`.
    """
    digests = digests or Digests()
    plan = for_video(plan, video, place, reporter)
    pipeline.check(plan, digests)
    check_device(runtime)
    workspace = workspace_at(place, video, verify=verify, sound_only=any(stage is AUDIO for stage, _ in plan))
    plan = [(stage, _with_images_already_kept(workspace, params)) for stage, params in plan]
    with workspace.lock():
        pipeline.run(workspace, plan, runtime, reporter, force=force, models=models, digests=digests, share=share)
        yield workspace


def for_video(plan: Plan, video: Path, place: Path, reporter: Reporter | None = None) -> Plan:
    """A plan with the subtitles of one video instead of ANY_SUBTITLES: those beside it or in it, or none.

    Args:
        place: the workspace; subtitles that were exported from it do not count.
        reporter: receives a message if there are subtitles which the plan does not use.
    """
    from fercli.formats.found_subtitles import subtitles_of

    found = []
    for stage, params in plan:
        if isinstance(params, SpeechParams) and params.subtitles in ("", ANY_SUBTITLES):
            known = subtitles_of(video, params.language, lambda path: is_as_exported(path, place))
            if params.subtitles == ANY_SUBTITLES:
                params = replace(params, subtitles=known)
            elif known and reporter is not None:
                what = f"{video.name} has subtitles" if known == EMBEDDED else f"{Path(known).name} has subtitles"
                reporter.note(f"{what}: --subtitles auto takes what is said from them")
        found.append((stage, params))
    return found


def workspace_at(path: Path, video: Path, *, verify: bool, sound_only: bool = False) -> Workspace:
    """The workspace of a video; the video is read only if there is no workspace yet, or if the file has changed.

    Args:
        sound_only: whether a file with sound and no picture will do.

    Raises:
        VideoError: the video cannot be read.
        WorkspaceError: the path is something else, or the workspace of another video.
    """
    from fercli.media.index import read_index
    from fercli.media.kept_index import keep_index
    from fercli.media.probe import probe, probe_sound

    found = None if verify else Workspace.of_unchanged(path, video)
    if found is not None:
        return found
    file = FileState.of(video)  # before reading, so that a later change is detected
    try:
        index = read_index(video)
    except SoundOnly:
        if not sound_only:
            raise
        return Workspace.create(path, probe_sound(video), file)
    workspace = Workspace.create(path, probe(video, index), file)
    keep_index(workspace, index, file)
    return workspace


def check_device(runtime: Runtime) -> None:
    """Check a device; imports torch only for a device that may be missing. Raises ConfigError."""
    if runtime.device == "cuda":
        from fercli.models.devices import pick_device

        pick_device(runtime.device)


def _result(workspace: Workspace) -> Result:
    loaded = load(workspace)
    return Result(**{field.name: getattr(loaded, field.name) for field in fields(loaded)})


def _with_images_already_kept(workspace: Workspace, params: Any) -> Any:
    """Keep images that `extract-frames` wrote, so that it does not run again without them."""
    if not isinstance(params, FramesParams):
        return params
    kept = (workspace.path / FRAMES.name / "images").is_dir()
    return replace(params, keep_images=params.keep_images or kept)


def _names(params: Any) -> set[str]:
    return {field.name for field in fields(params)}
