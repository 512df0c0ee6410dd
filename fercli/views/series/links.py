"""Where a moment of a video leads: to the report of that video, or to the video itself."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from fercli.files import fitting_name
from fercli.series.find import Member
from fercli.series.summary import VideoRow
from fercli.views.report.playback import find_video
from fercli.workspace.places import SUFFIX

_GENERATOR = b'<meta name="generator" content="fercli '
_HEAD = 2048
"""Bytes of a page in which its generator is named."""


@dataclass(frozen=True)
class Links:
    """Addresses relative to the page; empty if there is nothing.

    Attributes:
        report: the report of the video.
        video: the file of the video.
    """

    report: str
    video: str

    def moment(self, time_s: float, person: str) -> str:
        """The address of a moment of a person, seconds from the start in a player; empty if there is none."""
        if self.report:
            return f"{self.report}#t={max(time_s, 0.0):.3f}&person={quote(person, safe='')}"
        return f"{self.video}#t={max(time_s, 0.0):.3f}" if self.video else ""


def report_of(member: Member) -> Path:
    """The path of the report of one video, beside its workspace and exports."""
    return member.path.parent / fitting_name(member.path.name.removesuffix(SUFFIX), ".html")


def find_links(video: VideoRow, page: Path) -> Links:
    """What there is to link to from `page`."""
    report = report_of(video.member)
    return Links(
        _relative(report, page) if _is_report(report) and not _same(report, page) else "",
        find_video(video.workspace.video, page).source,
    )


def _is_report(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return _GENERATOR in file.read(_HEAD)
    except OSError:
        return False


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _relative(path: Path, page: Path) -> str:
    return quote(os.fsencode(Path(os.path.relpath(path.resolve(), page.resolve().parent)).as_posix()))
