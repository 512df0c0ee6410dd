"""MMI: posed and induced expressions, filmed from neutral to the expression and back; some are stills.

A download is one folder a session, each with its own number:

    Sessions/1841/session.xml            <track view="0" .../>: 0 front, 1 profile, 2 both in one picture
    Sessions/1841/S035-004.xml           <Metatag Name="Emotion" Value="1"/>; sessions of action units have no such tag
    Sessions/1841/S035-004-oao_aucs.xml  action units, not read
    Sessions/1841/S035-004.avi           or a still, S035-004.jpg

A sample is made of pictures, so the frames of a video have to be in a folder beside it, `S035-004/00001.jpg` and on;
the problem of a video without them names the `ffmpeg` command. Some videos lie on their side: look at the frames, and
turn them (`-vf transpose=1` or `2`) where needed. The clip is the middle third of the frames, where the expression is.
Read are front views of one of the six basic emotions; a session of another view or another code is a problem, one
without an emotion is passed over. Subject is the S-number. The set has no neutral class and comes without a split.

Database: Pantic, Valstar, Rademaker, Maat 2005, "Web-based database for facial expression analysis", ICME,
doi 10.1109/ICME.2005.1521424, https://mmifacedb.eu. Folders, tags and codes are known from public code of people who
have it, not from a specification. The set needs an account: this reader was tested on invented files only.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from fercli.datasets.folder import IMAGE_SUFFIXES, find_folder, folders, listing, pictures, visible
from fercli.datasets.samples import Listing, Problem, Sample
from fercli.errors import DatasetError

TERMS = "MMI (Pantic et al. 2005; research under its licence agreement, images not redistributable)"
CODES = {"1": "anger", "2": "disgust", "3": "fear", "4": "happiness", "5": "sadness", "6": "surprise"}
"""Emotion of each value of the tag `Emotion`."""
VIEWS = {"0": "front", "1": "profile", "2": "front and profile in one picture"}
VIDEO_SUFFIXES = (".avi", ".mpg", ".mpeg", ".mp4")
RECORDING = re.compile(r"S\d{3}-\d+\.xml")


class _Unusable(Exception):
    """A recording cannot be used."""

    def __init__(self, file: Path, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.problem = Problem(str(file), line, reason)


def read(root: Path) -> Listing:
    """List the recordings of MMI that show an emotion from the front and whose frames lie beside them.

    Raises:
        DatasetError: no folder at `root` has sessions as MMI has.
    """
    sessions = find_folder(root, lambda folder: any((inner / "session.xml").is_file() for inner in folders(folder)))
    if sessions is None:
        raise DatasetError(
            f"no MMI under {root}", hint="expected ROOT/Sessions/1841/ with session.xml, S035-004.xml and S035-004.avi"
        )
    found = (item for session in folders(sessions) for item in _read_session(session))
    return listing("mmi", TERMS, tuple(CODES.values()), found)


def _read_session(session: Path) -> Iterator[Sample | Problem]:
    recordings = [path for path in visible(session) if RECORDING.fullmatch(path.name)]
    if not recordings:
        yield Problem(str(session), 0, "no file like S035-004.xml says what the session shows")
    for description in recordings:
        try:
            sample = _read_recording(description)
        except _Unusable as error:
            yield error.problem
            continue
        if sample:
            yield sample


def _read_recording(description: Path) -> Sample | None:
    """The sample of a recording, or None if it is not labelled with an emotion; raises _Unusable."""
    tags = {tag.get("Name"): tag.get("Value") for tag in _parse(description).iter("Metatag")}
    if "Emotion" not in tags:
        return None
    code = tags["Emotion"] or ""
    if code not in CODES:
        raise _Unusable(description, f"emotion {code!r} is none of the basic ones, 1 to {len(CODES)}")
    _check_view(description.with_name("session.xml"))
    return Sample(_frames(description), CODES[code], subject=description.name[:4])


def _parse(path: Path) -> ElementTree.Element:
    try:
        return ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise _Unusable(path, f"broken XML: {error}", error.position[0]) from error
    except OSError as error:
        raise _Unusable(path, f"cannot be read: {error.strerror}") from error


def _check_view(session_file: Path) -> None:
    track = next(_parse(session_file).iter("track"), None)
    view = "" if track is None else track.get("view", "")
    if VIEWS.get(view) != "front":
        raise _Unusable(session_file, f"the view is {VIEWS.get(view, repr(view))}, only the front is read")


def _frames(description: Path) -> tuple[Path, ...]:
    """The middle frames of a recording, or its one picture; raises _Unusable."""
    folder = description.with_suffix("")
    frames = pictures(folder) if folder.is_dir() else ()
    if frames:
        third = len(frames) // 3
        return frames[third : len(frames) - third]
    beside = {path.suffix.lower(): path for path in visible(folder.parent) if path.stem == folder.name}
    for suffix, path in beside.items():
        if suffix in IMAGE_SUFFIXES:
            return (path,)
    for suffix in VIDEO_SUFFIXES:
        if suffix in beside:
            raise _Unusable(beside[suffix], f"its frames are needed: {_extraction(beside[suffix])}")
    raise _Unusable(description, "no video and no picture of that name beside it")


def _extraction(video: Path) -> str:
    """The shell command that puts the frames of a video where they are looked for."""
    folder = video.with_suffix("")
    make = shlex.join(["mkdir", "-p", str(folder)])
    return f"{make} && {shlex.join(['ffmpeg', '-i', str(video), '-qscale:v', '2', str(folder / '%05d.jpg')])}"
