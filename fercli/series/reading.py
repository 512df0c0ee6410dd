"""The results of a series, one at a time, with names of persons that hold over all of it.

`Person 1` and `Unknown 1` are numbers of one video, so that those of two videos need not be one person. With a cast
they are numbers of the cast; names from a gallery or by hand are names everywhere. `Episode.in_series` gives a name
that is never shared by two persons because of a number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from fercli.chain import PERSONS
from fercli.errors import FercliError, reason_of
from fercli.persons.names import UNASSIGNED, is_numbered
from fercli.results.load import load
from fercli.results.model import Result
from fercli.series.find import Failure, Member, find_members, read_failures, readable
from fercli.workspace import Workspace


@dataclass(frozen=True)
class Missing:
    """A video without a result: its workspace cannot be read, or it failed before it had one.

    Attributes:
        member: its workspace's place; None if there is none.
        name: of the workspace, or the path of the video if there is none.
        code, message, hint: of the error.
    """

    member: Member | None
    name: str
    code: str
    message: str
    hint: str


@dataclass(frozen=True)
class Episode:
    """One video of a series.

    Attributes:
        member: its workspace's place.
        workspace: the workspace.
        result: its result; the name of the video can be written as UTF-8.
        cast: file name of the cast by which its persons were found, with the path if there are several casts; empty
            if there is none.
        only_cast: whether no video of the series was annotated with another cast.
        failure: how the last run failed, if the result is of an earlier one.
    """

    member: Member
    workspace: Workspace
    result: Result
    cast: str = ""
    only_cast: bool = True
    failure: Failure | None = None

    @property
    def video(self) -> str:
        """File name of the video."""
        return str(self.result.video["name"])

    def in_series(self, person: str) -> str | None:
        """The name of a person over the whole series; None for tracks without a person.

        A number of this video has the name of its workspace in front, as in `e01: Person 1`; one of a cast has the
        cast in front if there are several casts.
        """
        if person == UNASSIGNED:
            return None
        if not is_numbered(person) or (self.cast and self.only_cast):
            return person
        return f"{self.cast or self.member.name}: {person}"

    def is_known(self, person: str) -> bool:
        """Whether a person of this video would have the same name in the other videos."""
        return person != UNASSIGNED and (bool(self.cast) or not is_numbered(person))


class Series:
    """All workspaces below a folder.

    Iterating reads one result after the other; `missing` is complete at the end.

    Attributes:
        folder: the folder.
        members: its workspaces, by path.
        missing: videos without a result, so far.
        outdated: videos whose last run failed, so far: their results are of an earlier run.
        local: number of persons so far whose names hold in one video only.
        names: file names of the videos so far -> how many videos have it.
    """

    def __init__(self, folder: Path) -> None:
        """Find the workspaces; raises as `find.find_members` and `find.read_failures`."""
        self.folder = folder
        self.members = find_members(folder)
        self.missing: list[Missing] = []
        self.outdated: list[Episode] = []
        self.local = 0
        self.names: Counter[str] = Counter()
        self._failures = read_failures(folder)
        self._reported: set[str] = set()

    def __iter__(self) -> Iterator[Episode]:
        for member in self.members:
            workspace: Workspace | None = None
            try:
                workspace = Workspace.open(member.path)
                episode = self._episode(member, workspace)
            except (FercliError, OSError) as error:
                self.miss(member, workspace, error)
                continue
            if episode.failure is not None:
                self.outdated.append(episode)
            self.local += sum(not episode.is_known(person.name) for person in episode.result.persons)
            self.names[episode.video] += 1
            yield episode
        for failure in self._failures:
            if failure.video not in self._reported:
                self.missing.append(Missing(None, readable(failure.video), failure.code, failure.message, failure.hint))

    def miss(self, member: Member, workspace: Workspace | None, error: Exception) -> None:
        """Count a workspace as missing, because it cannot be read."""
        failure = self._failure_of(workspace) if workspace is not None else None
        if isinstance(error, FercliError):
            code, message, hint = error.code, error.message, error.hint
        else:
            code, message, hint = "file-unreadable", f"cannot read {member.path}: {reason_of(error)}", ""
        if failure is not None:  # the cause, not its consequence
            code, message, hint = failure.code, failure.message, failure.hint
        self.missing.append(Missing(member, member.name, code, message, hint))

    def _episode(self, member: Member, workspace: Workspace) -> Episode:
        result = load(workspace)
        result = replace(result, video={**result.video, "name": readable(result.video["name"])})
        cast = self._casts.get(member.path, "")
        only = len({*self._casts.values()}) <= 1
        return Episode(
            member, workspace, result, cast if not only else Path(cast).name, only, self._failure_of(workspace)
        )

    def _failure_of(self, workspace: Workspace) -> Failure | None:
        found = next((one for one in self._failures if one.is_of(workspace.video.path)), None)
        if found is not None:
            self._reported.add(found.video)
        return found

    @cached_property
    def _casts(self) -> dict[Path, str]:
        """Path of the workspace -> path of its cast, of the workspaces that have one."""
        found = {}
        for member in self.members:
            try:
                receipt = Workspace.open(member.path).receipt(PERSONS.name)
            except (FercliError, OSError):
                continue
            if receipt is not None and receipt.params.get("cast"):
                found[member.path] = readable(str(receipt.params["cast"]))
        return found
