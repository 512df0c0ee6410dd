"""All that is drawn over the pictures of one video, gathered from its workspace."""

from __future__ import annotations

from dataclasses import dataclass

from fercli import tables
from fercli.errors import ConfigError, MissingStage, command
from fercli.formats.spoken import captions
from fercli.results.load import load
from fercli.results.model import Result
from fercli.views.render.blur import Hidden, blur
from fercli.views.render.faces import Faces
from fercli.views.render.lettering import Image, Lettering, font_file
from fercli.views.render.overlay import Overlay, letter_size
from fercli.views.render.placing import Rect
from fercli.views.render.said import Subtitles
from fercli.views.render.sampled import Sampled
from fercli.views.render.strip import Strip
from fercli.workspace import Workspace


@dataclass(frozen=True)
class Artist:
    """Draws over pictures.

    Attributes:
        frames: the sampled frames.
        faces, overlay: what is shown of each face.
        hidden: which faces are blurred; None for none.
        strip: the timeline.
        result: the result of the workspace.
        subtitles: what is said; None if it is not drawn.
    """

    frames: Sampled
    faces: Faces
    overlay: Overlay
    hidden: Hidden | None
    strip: Strip
    result: Result
    subtitles: Subtitles | None = None

    @classmethod
    def of(
        cls,
        workspace: Workspace,
        *,
        blur_faces: bool,
        only: frozenset[str],
        mesh: bool = False,
        pose: bool = False,
        subtitles: bool = False,
    ) -> Artist:
        """Read the finished tables; arguments as in `video.render`.

        Raises:
            ConfigError: there is no person with a name in `only`.
            MissingStage: meshes are to be drawn, and were not kept; or subtitles, and transcribe has not run.
            CorruptTable: a table cannot be read.
            InputError: the edits cannot be read.
        """
        result = load(workspace)
        _check_names(result, only)
        if subtitles and result.speech is None:
            raise MissingStage(
                f"what is said in {workspace.path} is not known",
                hint=f"run: {command('transcribe', workspace.path)}",
            )
        video, segments = workspace.video, [*result.segments, *result.gaps]
        frames = Sampled.of(tables.read_table(workspace.table("frames"), tables.FRAMES))
        details = result.details()
        if mesh and not details.meshes and details.faces.num_rows:
            raise MissingStage(
                f"no face meshes were kept in {workspace.path}",
                hint=f"run: {command('measure-faces', workspace.path, '--landmarks')}",
            )
        font, size = (
            font_file("".join(person.name for person in result.everyone if person.tracks)),
            letter_size(video.width, video.height),
        )
        strip = Strip(
            [person.name for person in result.persons if not only or person.name in only],
            segments,
            (video.start_s, video.end_s),
            (video.width, video.height),
            Lettering(size, font),
            analysed_s=tuple(result.video["analysed"]),
        )
        return cls(
            frames,
            Faces(frames, details, segments, only, mesh=mesh, pose=pose, pixel_aspect=video.pixel_aspect),
            Overlay(details.labels, Rect(0, 0, video.width, strip.area.top), font, size),
            _hidden(workspace, frames, {track.track for track in result.tracks if track.person in only})
            if blur_faces
            else None,
            strip,
            result,
            _subtitles(result, only, Rect(0, 0, video.width, strip.area.top), size) if subtitles else None,
        )

    def draw(self, image: Image, time_s: float) -> None:
        """Draw over the picture of a time, RGB uint8 HxWx3, in place."""
        for box in self.hidden.at(time_s) if self.hidden else ():
            blur(image, box)
        self.overlay.draw(image, self.faces.at(time_s))
        if self.subtitles:
            self.subtitles.draw(image, time_s)
        self.strip.draw(image, time_s)


def _subtitles(result: Result, only: frozenset[str], area: Rect, size: int) -> Subtitles:
    """What is said, by the persons in `only` if there are any."""
    said = [one for one in captions(result) if not only or one.speaker in only]
    return Subtitles(said, area, Lettering(round(size * 1.3), font_file("".join(one.text for one in said))))


def _check_names(result: Result, only: frozenset[str]) -> None:
    persons = result.everyone
    known = [person.name for person in persons]
    for name in sorted(only.difference(known)):
        raise ConfigError(
            f"nobody in {result.video['name']} is called {name!r}",
            hint=f"known: {', '.join(known)}",
            code="person-unknown",
        )


def _hidden(workspace: Workspace, frames: Sampled, visible: set[int]) -> Hidden:
    faces = tables.read_table(workspace.table("faces"), tables.FACES)
    tracks = tables.read_table(workspace.table("tracks"), tables.TRACKS)
    return Hidden(frames, faces, tracks, visible)
