"""A folder of workspaces as `fercli annotate` leaves it: finished ones, one that is not, and a video that failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fercli.batch.outcome import DONE, FAILED, Outcome, write_outcomes
from fercli.workspace import Workspace
from tests.views.report.film import START_S, make_film
from tests.workspaces import VIDEO, add_receipt

CAST = "/casts/show.cast"


def make_episode(folder: Path, name: str, cast: str = "", video: str = "") -> Workspace:
    """The workspace `NAME.fercli` of `/films/NAME.mp4`: 9 seconds with two persons, one of them called Person 2."""
    place = folder / f"{name}.fercli"
    place.parent.mkdir(parents=True, exist_ok=True)
    facts = replace(
        VIDEO, path=video or f"/films/{name}.mp4", start_s=START_S, duration_s=9.0, width=128, height=64, sha256=name
    )
    workspace = make_film(place, facts)
    if cast:
        add_receipt(workspace, "persons", cast=cast)
    return workspace


def make_season(folder: Path, names: Sequence[str] = ("e01", "e02"), cast: str = CAST) -> list[Workspace]:
    """An episode for each name."""
    return [make_episode(folder, name, cast) for name in names]


def record(folder: Path, done: Sequence[str] = (), failed: Sequence[str] = ()) -> None:
    """batch.json of a run in which some videos failed."""
    outcomes = [Outcome(video, DONE, 1.0, 2, 5) for video in done]
    outcomes += [Outcome(video, FAILED, code="not-a-video", message=f"{video} is no video") for video in failed]
    write_outcomes(folder, outcomes)
