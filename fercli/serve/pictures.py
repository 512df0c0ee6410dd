"""Pictures of a job: the report, single frames, single faces."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from fercli import tables
from fercli.errors import InputError
from fercli.media.decode import read_still
from fercli.media.images import encode_jpeg
from fercli.media.kept_index import frame_index
from fercli.views.report.content import read_content
from fercli.views.report.page import page_of
from fercli.views.report.playback import Playback
from fercli.workspace import Workspace

_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)">')


def report(place: Path) -> str:
    """The report; it plays the video of the job.

    Raises:
        MissingStage, CorruptTable, InputError: as `views.report.content.read_content`.
    """
    return page_of(read_content(Workspace.open(place)), Playback("video", ""))


def policy_of(page: str) -> str:
    """The content security policy that a report has in its head; nothing may frame it."""
    found = _POLICY.search(page)
    assert found is not None, "every report has a policy"
    return f"{found[1]}; frame-ancestors 'none'"


def frame(workspace: Workspace, time_s: float) -> bytes:
    """The frame that a player shows at a time, as JPEG.

    Raises:
        InputError: the video has no frame there, or is not there any more.
    """
    video = workspace.video
    if not workspace.video_unchanged:
        raise InputError("the video is no longer there, or has changed", hint="put it back", code="file-missing")
    image = None
    if video.start_s <= time_s < video.end_s:
        index = frame_index(workspace)
        number = int(np.searchsorted(index.pts_s, time_s, side="right")) - 1
        image = read_still(Path(video.path), index, max(number, 0))
    if image is None:
        raise InputError(
            f"the video has no frame at {time_s:g} s",
            hint=f"it is {video.start_s:g} to {video.end_s:g} s",
            code="moment-unknown",
        )
    return encode_jpeg(image, quality=85)


def face(workspace: Workspace, number: int) -> bytes:
    """The stored crop of a face, as JPEG.

    Raises:
        InputError: there is no such face.
        CorruptTable: the crops cannot be read.
    """
    for part in tables.read_parts(workspace.table("crops"), tables.CROPS, rows=[number]):
        place = np.flatnonzero(part["face"].to_numpy() == number)
        if len(place):
            content: bytes = part["jpeg"][int(place[0])].as_py()
            return content
    raise InputError(f"there is no face {number}", hint="the table tracks names the best faces", code="face-unknown")
