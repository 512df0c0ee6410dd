"""The page: data, pictures, styles and scripts in one file that loads nothing else."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from fercli.labels import RECORD_NAMES
from fercli.version import VERSION
from fercli.views.report import fragments, transcript
from fercli.views.report.balance import SIGNS
from fercli.views.report.columns import boxes, charts
from fercli.views.report.content import Content, read_content
from fercli.views.report.patterns import definitions
from fercli.views.report.playback import Playback, find_video
from fercli.workspace import Workspace

_SCRIPTS = ("state.js", "svg.js", "timeline.js", "charts.js", "moment.js", "player.js", "transcript.js", "page.js")
"""Joined to one script; each file uses definitions of the files before it."""


def build(workspace: Workspace, output: Path) -> tuple[str, Playback]:
    """The whole page, and whether it can play the video.

    It works offline: its content security policy only allows the video and its own script, so that no name in it can
    run as a script.

    Args:
        workspace: a workspace in which all stages up to classify-emotions have run.
        output: path of the page; the video is linked relative to it.

    Raises:
        MissingStage, CorruptTable, InputError: as `content.read_content`.
    """
    content = read_content(workspace)
    playback = find_video(workspace.video, output)
    return page_of(content, playback), playback


def page_of(content: Content, playback: Playback) -> str:
    """The page of this content."""
    data = charts(content, playback)
    script = '"use strict";\n' + "".join(_asset(name) for name in _SCRIPTS)
    negative = [RECORD_NAMES[label] for label in content.labels if SIGNS.get(label) == -1]
    return Template(_asset("page.html")).substitute(
        script_hash=f"sha256-{b64encode(sha256(script.encode()).digest()).decode()}",
        version=VERSION,
        title=escape(f"Emotions in {content.result.video['name']}"),
        style=_asset("page.css"),
        patterns=definitions(content.classes),
        facts=fragments.facts(content),
        warnings=fragments.warnings(content),
        legend=fragments.legend(content, data["classes"]),
        lines=fragments.lines(content),
        rows=fragments.rows(content),
        transcript=transcript.section(content),
        speech_about=transcript.ABOUT if content.result.utterances else "",
        persons=fragments.persons(content, data["classes"]),
        bins=_bins(content),
        negative=", ".join(negative),
        ratings=fragments.ratings(content),
        limits=limits(),
        provenance=fragments.provenance(content),
        charts=json_for_html(data),
        boxes=json_for_html(boxes(content)),
        sheets="\n".join(
            f'<script type="text/plain" id="sheet-{number}">{b64encode(one.sheet).decode()}</script>'
            for number, one in enumerate(content.persons)
        ),
        script=script,
    )


def limits() -> str:
    """The paragraph on what the annotations are not."""
    return _asset("limits.html").strip()


def json_for_html(value: Any) -> str:
    """JSON that is safe in a script element: it cannot end the element or begin a comment."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _bins(content: Content) -> str:
    steps = [one.stream.step_s for one in content.persons]
    if not steps:
        return "short bins"
    low, high = f"{min(steps):.2g}", f"{max(steps):.2g}"
    return (
        f"bins of {low} s" if low == high else f"bins of {low} to {high} s (longer for persons with more screen time)"
    )


def _asset(name: str) -> str:
    return files("fercli.views.report").joinpath(name).read_text(encoding="utf-8")
