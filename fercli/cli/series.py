"""A folder of workspaces on the command line: `fercli show FOLDER`, and what all commands say of its videos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from fercli.errors import EXIT_FOUND
from fercli.labels import RECORD_NAMES
from fercli.timing import clock

if TYPE_CHECKING:
    from rich.table import Table

    from fercli.cli.console import ConsoleReporter
    from fercli.series.reading import Series
    from fercli.series.summary import SeriesPerson, Summary, VideoRow


def local_names(count: int, handled: str = "") -> str:
    """A sentence about persons that are known in one video only.

    Args:
        count: how many.
        handled: what was done with them.
    """
    from fercli.cli import layout

    return (
        f"{layout.counted(count, 'persons')} have a number of one video, such as Person 1, which may be another person "
        f"in another video; {handled}{', and ' if handled else ''}--cast of annotate recognises persons over all videos"
    )


def finish(series: Series, reporter: ConsoleReporter, handled: str) -> None:
    """Warn about videos that are missing or outdated, and about persons that are known in one video only.

    Args:
        series: all its results have been read.
        reporter: gets the warnings.
        handled: as for `local_names`.

    Raises:
        typer.Exit: a video is missing or outdated.
    """
    for one in series.missing:
        reporter.warn(f"{one.name} is left out: error[{one.code}]: {one.message}")
        if one.hint:
            reporter.warn(f"{one.name}: {one.hint}")
    for episode in series.outdated:
        if episode.failure is not None:
            reporter.warn(
                f"{episode.member.name} failed in the last run, so its result is of an earlier one: "
                f"error[{episode.failure.code}]: {episode.failure.message}"
            )
    if series.local and len(series.members) > 1:
        reporter.warn(local_names(series.local, handled))
    if series.missing or series.outdated:
        raise typer.Exit(EXIT_FOUND)


def show_series(folder: Path, *, json: bool) -> None:
    """Print a row a video, and the persons whose names hold over all videos.

    Raises:
        InputError: there is no workspace below the folder, or batch.json is damaged.
    """
    from fercli.cli import layout
    from fercli.cli.outputs import json_to_stdout
    from fercli.series.reading import Series
    from fercli.series.summary import summarise

    summary = summarise(Series(folder))
    if json:
        json_to_stdout(as_json(summary))
        return
    console = layout.console()
    length = clock(sum(video.duration_s for video in summary.videos))
    console.print(
        f"{folder}: {layout.counted(len(summary.videos) + len(summary.missing), 'videos')}, {length} with a result, "
        f"{layout.counted(len(summary.known), 'persons')} with a name that holds in all of them",
        soft_wrap=True,
    )
    console.print(_videos(summary))
    for line in _problems(summary):
        console.print(line, soft_wrap=True)
    if summary.known:
        console.print(_persons(summary.known))
    if summary.local and len(summary.videos) > 1:
        console.print(local_names(summary.local), soft_wrap=True)


def as_json(summary: Summary) -> dict[str, Any]:
    """What is printed, as JSON; persons that are known in one video only are among `persons`."""
    missing = [
        {"workspace": one.member.inside if one.member else None, "video": None if one.member else one.name}
        | {"state": "failed", "code": one.code, "message": one.message, "hint": one.hint}
        for one in summary.missing
    ]
    return {
        "folder": str(summary.folder),
        "videos": [*map(_video_json, summary.videos), *missing],
        "persons": [_person_json(person) for person in summary.persons],
    }


def _video_json(video: VideoRow) -> dict[str, Any]:
    failure = video.failure
    return {
        "workspace": video.member.inside,
        "video": video.video,
        "state": "outdated" if failure else "done",
        "duration_s": video.duration_s,
        "persons": len(video.persons),
        "segments": video.segments,
        "code": failure.code if failure else "",
        "message": failure.message if failure else "",
        "hint": failure.hint if failure else "",
    }


def _person_json(person: SeriesPerson) -> dict[str, Any]:
    return {
        "name": person.name,
        "known_in_all_videos": person.known,
        "screen_time_s": person.screen_time_s,
        "videos": [
            {
                "workspace": one.inside,
                "screen_time_s": one.screen_time_s,
                "seconds_by_emotion": _short(one.seconds_by_emotion),
            }
            for one in person.appearances.values()
        ],
        "seconds_by_emotion": _short(person.seconds_by_emotion),
    }


def _short(seconds: dict[str, float]) -> dict[str, float]:
    return {RECORD_NAMES[name]: value for name, value in seconds.items()}


def _videos(summary: Summary) -> Table:
    from fercli.cli import layout

    table = layout.table("video", "state", numbers=("duration", "persons", "segments"))
    for one in summary.videos:
        state = f"outdated: {one.failure.code}" if one.failure else "done"
        numbers = (f"{one.duration_s:.1f} s", str(len(one.persons)), str(one.segments))
        table.add_row(one.member.name, state, *numbers)
    for gone in summary.missing:
        table.add_row(gone.name, f"failed: {gone.code}", "", "", "")
    return table


def _problems(summary: Summary) -> list[str]:
    lines = []
    for gone in summary.missing:
        lines.append(f"{gone.name}: error[{gone.code}]: {gone.message}")
        lines += [f"  hint: {gone.hint}"] if gone.hint else []
    lines += [
        f"{one.member.name}: its last run failed, the numbers are of an earlier one: "
        f"error[{one.failure.code}]: {one.failure.message}"
        for one in summary.videos
        if one.failure
    ]
    return lines


def _persons(persons: list[SeriesPerson]) -> Table:
    from fercli.cli import layout
    from fercli.cli.show import emotions

    table = layout.table("person", numbers=("on screen", "videos"))
    table.add_column("emotions")
    for person in persons:
        numbers = (f"{person.screen_time_s:.1f} s", str(len(person.appearances)))
        table.add_row(person.name, *numbers, emotions(person.seconds_by_emotion))
    return table
