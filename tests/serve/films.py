"""The workspaces of jobs in tests: a small film, with words and valence if the video's name begins with `rated`; or a
long film if it begins with `long`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fercli.workspace import VideoFacts, Workspace
from tests.fake_speech import add_speaker, add_speech
from tests.rated import rate
from tests.serve.long_film import make_long_film
from tests.views.report.film import EVIL, START_S, make_film

SAID = [(5.5, 6.5, "Hello <b>there</b>."), (7.0, 8.0, "Who is it?"), (10.0, 11.5, "Nobody, Zoë.")]
"""Start, end and text. The first is said by EVIL, of the second the first word by `Person 2` and the rest by nobody on
screen, the third by somebody unknown."""


def make_for(path: Path, facts: VideoFacts) -> Workspace:
    """The workspace of a video."""
    name = Path(facts.path).name
    if name.startswith("long"):
        return make_long_film(path, facts)
    workspace = make_film(path, replace(facts, start_s=START_S, duration_s=9.0))
    if name.startswith("rated"):
        add_speech(workspace, SAID)
        add_speaker(workspace, 5.0, 6.8, EVIL)
        add_speaker(workspace, 7.0, 7.3, "Person 2")
        add_speaker(workspace, 7.3, 8.5)
        rate(workspace)
    return workspace
