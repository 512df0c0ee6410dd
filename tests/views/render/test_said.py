"""Subtitles over the picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fercli.errors import MissingStage
from fercli.formats.spoken import Said
from fercli.views.render.artist import Artist
from fercli.views.render.lettering import Lettering, font_file
from fercli.views.render.placing import Rect
from fercli.views.render.said import Subtitles
from tests.failing import fails
from tests.views.report.film import EVIL, make_film
from tests.views.report.test_transcript import talking_film

CUES = [Said(1000, 3000, "Ross: " + "a long word " * 6, "Ross"), Said(2000, 2500, "Zoë: Hey!", "Zoë")]


def test_lines_of_a_moment_are_wrapped_and_end_with_their_cue() -> None:
    subtitles = Subtitles(CUES, Rect(0, 0, 640, 300), Lettering(14, font_file("a")))
    assert subtitles.at(0.999) == [] and subtitles.at(3.0) == []
    lines = subtitles.at(1.0)
    assert len(lines) == 2 and " ".join(lines) == CUES[0].text.strip() and max(map(len, lines)) <= 42
    assert subtitles.at(2.2) == [*lines, "Zoë: Hey!"] and subtitles.at(2.5) == lines


def test_they_are_drawn_at_the_bottom_of_their_area() -> None:
    image = np.full((360, 640, 3), 200, np.uint8)
    Subtitles(CUES, Rect(0, 0, 640, 300), Lettering(14, font_file("a"))).draw(image, 2.2)
    changed = np.flatnonzero((image != 200).any(axis=(1, 2)))
    assert changed.min() > 200 and 270 < changed.max() < 300
    columns = np.flatnonzero((image != 200).any(axis=(0, 2)))
    assert abs(columns.min() - (639 - columns.max())) <= 2  # in the middle


def test_only_some_persons_are_heard_and_without_transcribe_nothing(tmp_path: Path) -> None:
    workspace = talking_film(tmp_path / "w")
    everyone = Artist.of(workspace, blur_faces=False, only=frozenset(), subtitles=True).subtitles
    one = Artist.of(workspace, blur_faces=False, only=frozenset([EVIL]), subtitles=True).subtitles
    assert everyone is not None and one is not None
    assert everyone.at(7.5) == ["Off screen:", "Who is it?"] or " ".join(everyone.at(7.5)) == "Off screen: Who is it?"
    assert one.at(7.5) == [] and one.at(6.0)
    assert Artist.of(workspace, blur_faces=False, only=frozenset()).subtitles is None
    with fails(MissingStage, "stage-missing", "said"):
        Artist.of(make_film(tmp_path / "mute"), blur_faces=False, only=frozenset(), subtitles=True)
