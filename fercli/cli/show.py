"""`fercli show` and `fercli status`: the content of a workspace, and which stages are up to date."""

from __future__ import annotations

import math
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fercli.chain import AUDIO, STAGE_OF
from fercli.cli import options as opt
from fercli.errors import command
from fercli.labels import RECORD_NAMES

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from fercli.results.model import Result, Speech
    from fercli.workspace import Workspace

MOST_RATED = 6
"""Largest number of persons whose valence is printed."""


def show(
    workspace: opt.WorkspaceOrFolder,
    json: Annotated[bool, opt.flag("--json", help="Print persons and their totals as JSON.")] = False,
) -> None:
    """Show each person's screen time, emotions and timeline: the summary that annotate prints. Of a folder of
    workspaces, show a row a video and the persons over all of them.

    Example: fercli show episode.fercli
    """
    from fercli.cli import layout
    from fercli.cli.outputs import json_to_stdout
    from fercli.cli.series import show_series
    from fercli.results.load import load
    from fercli.series.find import is_series
    from fercli.workspace import Workspace

    if is_series(workspace):
        show_series(workspace, json=json)
        return
    opened = Workspace.open(workspace)
    result = load(opened)
    if json:
        json_to_stdout(_as_json(result))
    else:
        _show(opened, result, layout.console())


def status(workspace: opt.WorkspacePath, verify: opt.Verify = False) -> None:
    """Show for each stage whether it is fresh, or stale and why.

    Example: fercli status episode.fercli
    """
    from fercli.cli import layout
    from fercli.edits.state import list_problems
    from fercli.pipeline import status as stage_status
    from fercli.workspace import Workspace

    opened = Workspace.open(workspace)
    console = layout.console()
    console.print(f"{opened.path}: {opened.video.path}", soft_wrap=True)
    table = layout.table("stage", "state", "counts", numbers=("seconds",))
    for row in stage_status(opened, verify=verify):
        found = row.receipt.counts if row.receipt else {}
        counts = ", ".join(layout.counted(n, name.replace("_", " ")) for name, n in found.items() if isinstance(n, int))
        skipped = f", skipped: {row.receipt.skipped}" if row.receipt and row.receipt.skipped else ""
        state = f"fresh{skipped}" if row.reason is None else f"stale: {row.reason}" if row.receipt else row.reason
        table.add_row(row.stage.title, state, counts, f"{row.receipt.seconds:.1f}" if row.receipt else "")
    console.print(table)
    for problem in list_problems(opened):
        console.print(f"warning: {problem}", soft_wrap=True)


def summary(workspace: Workspace, outputs: Sequence[Path]) -> None:
    """Print the summary of `annotate` on stderr: screen time and emotions per person, and paths of the files."""
    from fercli.cli import layout
    from fercli.results.load import load

    console = layout.console(sys.stderr)
    _show(workspace, load(workspace), console)
    for output in outputs:
        console.print(f"annotations  {output}", soft_wrap=True)
    console.print(f"workspace    {workspace.path}", soft_wrap=True)


def _as_json(result: Result) -> dict[str, Any]:
    from fercli.formats.json_records import as_json_person

    return {
        "video": result.video,
        "persons": [as_json_person(person) for person in result.persons],
        "unassigned": as_json_person(result.unassigned) if result.unassigned else None,
        "doubtful": _doubtful(result),
        **_speech_as_json(result),
        **({"valence": _valence(result)[0]} if result.ratings else {}),
        "warnings": result.warnings,
    }


def _picture(video: dict[str, Any]) -> str:
    return f"{video['width']} x {video['height']}" if video["width"] else "sound only"


def _speech_as_json(result: Result) -> dict[str, Any]:
    if result.speech is None:
        return {}
    speakers = [
        {"name": name, "seconds": round(seconds, 3), "words": words, "turns": turns}
        for name, (seconds, words, turns) in talked(result).items()
    ]
    return {"speech_s": round(result.speech.seconds, 3), "words": len(result.words), "speakers": speakers}


def _show(workspace: Workspace, result: Result, console: Console) -> None:
    from fercli.cli import layout
    from fercli.cli.strip import strips

    video = result.video
    console.print(
        f"{video['name']}: {video['duration_s']:.1f} s, {_picture(video)}, "
        f"{layout.counted(len(result.persons), 'persons')}, {layout.counted(len(result.segments), 'segments')}",
        soft_wrap=True,
    )
    if result.persons or result.unassigned:
        console.print(_persons(result))
    else:
        console.print(why_no_person(workspace), soft_wrap=True)
    if result.speech is not None:
        console.print(_speech(workspace, result.speech))
        if speakers := talked(result):
            console.print(_talked(speakers))
    if result.ratings is not None and (means := _rated(result)):
        console.print(means, soft_wrap=True)
    for doubt in _doubtful(result):
        console.print(doubt)
    for line in strips(result, console.width):
        console.print(line, no_wrap=True, crop=False)
    for warning in result.warnings:
        console.print(f"warning: {warning}", soft_wrap=True)


def _rated(result: Result) -> str:
    """`mean valence (derived): Ross +0.31, Rachel -0.60`; empty if no face was assessable."""
    means, sources = _valence(result)
    shown = [f"{name} {value:+.2f}" for name, value in [*means.items()][:MOST_RATED]]
    more = [f"and {len(means) - MOST_RATED} more"] if len(means) > MOST_RATED else []
    return f"mean valence ({', '.join(sorted(sources))}): {', '.join([*shown, *more])}" if means else ""


def _valence(result: Result) -> tuple[dict[str, float], set[str]]:
    """Person -> mean valence over the moments that are known, in the order of the persons; and its sources."""
    sums: dict[str, tuple[float, int]] = {}
    sources: set[str] = set()
    for signal in result.ratings() if result.ratings else ():
        if signal.name == "valence":
            known = [value for value in signal.values[:, 0].tolist() if not math.isnan(value)]
            total, count = sums.get(signal.person, (0.0, 0))
            sums[signal.person] = total + sum(known), count + len(known)
            sources.add(signal.source)
    means = {person.name: sums.get(person.name, (0.0, 0)) for person in result.everyone}
    return {name: round(total / count, 3) for name, (total, count) in means.items() if count}, sources


def _speech(workspace: Workspace, speech: Speech) -> str:
    """`speech: 12.3 s, 40 words in 5 utterances, language en (99 %)`, or why there is none."""
    from fercli.cli import layout

    receipt = workspace.receipt(AUDIO.name)
    if receipt is not None and receipt.skipped:
        return f"speech: none, because {receipt.skipped}"
    words, utterances = layout.counted(len(speech.words), "words"), layout.counted(len(speech.utterances), "utterances")
    sure = "" if speech.language_probability is None else f" ({100 * speech.language_probability:.0f} %)"
    language = f", language {speech.language}{sure}" if speech.language else ""
    return f"speech: {speech.seconds:.1f} s, {words} in {utterances}{language}"


def talked(result: Result) -> dict[str, tuple[float, int, int]]:
    """Who speaks -> seconds, words and turns, longest first; nothing if it is not known of anybody."""
    found: dict[str, tuple[float, int, int]] = {}
    for turn in result.turns:
        name = turn.person or ("off screen" if turn.on_screen is False else "unknown")
        seconds, words, turns = found.get(name, (0.0, 0, 0))
        found[name] = seconds + turn.seconds, words + turn.words, turns + 1
    known = found.keys() - {"unknown"}
    return dict(sorted(found.items(), key=lambda item: (-item[1][0], item[0]))) if known else {}


def _talked(speakers: dict[str, tuple[float, int, int]]) -> Table:
    from fercli.cli import layout

    table = layout.table("who talks", numbers=("talks", "words", "turns"))
    for name, (seconds, words, turns) in speakers.items():
        table.add_row(name, f"{seconds:.1f} s", str(words), str(turns))
    return table


def _persons(result: Result) -> Table:
    from fercli.cli import layout

    table = layout.table("person", numbers=("on screen", "tracks"))
    table.add_column("emotions")
    for person in result.everyone:
        table.add_row(
            person.name, f"{person.screen_time_s:.1f} s", str(len(person.tracks)), emotions(person.seconds_by_emotion)
        )
    return table


def emotions(seconds_by_emotion: dict[str, float]) -> str:
    """`happy 70 %, neutral 30 %`: the four longest."""
    total = sum(seconds_by_emotion.values()) or 1.0  # segments may have length 0
    shown = [
        f"{RECORD_NAMES[emotion]} {100 * seconds / total:.0f} %" for emotion, seconds in seconds_by_emotion.items()
    ]
    return ", ".join(shown[:4])


def _doubtful(result: Result) -> list[str]:
    """For each person, how long the emotion is doubtful, and why."""
    lines = []
    for person in result.everyone:
        seconds: dict[str, float] = defaultdict(float)
        for segment in person.segments:
            if segment.doubtful:
                seconds[segment.doubtful] += segment.seconds
        lines += [f"{person.name}: doubtful for {length:.1f} s: {reason}" for reason, length in seconds.items()]
    return lines


def why_no_person(workspace: Workspace) -> str:
    """Why there are no persons, in one sentence: no face, no track long enough, or all persons are ignored."""
    faces, tracks = (_count(workspace, table) for table in ("faces", "tracks"))
    if not workspace.video.has_picture:
        return "the file has no picture, so there are no persons"
    if tracks:
        again = command("people", "restore", workspace.path, "WHO")
        return f"all persons are ignored; to restore one, run: {again}"
    if not faces:
        return "no face was found, so there is nothing to annotate"
    found = "1 face was" if faces == 1 else f"{faces} faces were"
    again = command("track", workspace.path, "--min-faces", 1)
    return f"{found} found, but no track is long enough: try a higher --fps, or run: {again}"


def _count(workspace: Workspace, table: str) -> int:
    receipt = workspace.receipt(STAGE_OF[table].name)
    found = receipt.counts.get(table, 0) if receipt else 0
    return found if isinstance(found, int) else 0
