"""MMI: posed and induced expressions, filmed from neutral to the expression and back; some are stills.

A download has one numbered folder per session:

    Sessions/1841/session.xml            <track view="0" .../>: 0 front, 1 profile, 2 both in one picture (a mirror)
    Sessions/1841/S035-004.xml           <Metatag Name="Emotion" Value="1"/>; sessions of action units have no such tag
    Sessions/1841/S035-004-oao_aucs.xml  <ActionUnit Number="12"><Marker Frame="31" Type="2"/>...: not in every session
    Sessions/1841/S035-004.avi           or a still, S035-004.jpg

The clip is the apex of the expression. If action units are coded, a marker gives the frame (counted from 1) from which
on a unit is neutral (type 0), in onset (1), at its apex (2) or in offset (3): the apex of the expression is the longest
stretch in which most units are at their apex. Otherwise it is the middle third of the frames. A note gives the number
of clips of each kind.

The view attribute is not used: in every frame the default detector finds a face that is frontal enough to be assessed.
So the frontal face of a picture with a mirror is used, a half profile only if it is frontal enough, and a rotated video
is corrected. A recording without such a face is a problem. The six basic emotions are read; another code is a problem,
and a session without an emotion is left out and counted. Subject is the S-number. The set has no neutral class and no
split.

Frames in a folder beside the video, `S035-004/00001.jpg` and so on, are used instead of it.

Database: Pantic, Valstar, Rademaker, Maat 2005, "Web-based database for facial expression analysis", ICME,
doi 10.1109/ICME.2005.1521424, https://mmifacedb.eu. Folders, tags, codes and markers are known from public code of
users of the set, not from a specification. The set needs an account: this reader was only tested on synthetic files.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from fercli.errors import DatasetError, VideoError, reason_of
from fercli.files import require_regular_file
from fercli.learn.datasets.folder import IMAGE_SUFFIXES, find_folder, folders, listing, pictures, visible
from fercli.learn.datasets.moving import Frames, frame_path
from fercli.learn.datasets.pack import CLIP_FRAMES
from fercli.learn.datasets.samples import LeftOut, Listing, Problem, Sample
from fercli.media.index import read_index

TERMS = "MMI (Pantic et al. 2005; research under its licence agreement, images not redistributable)"
CODES = {"1": "anger", "2": "disgust", "3": "fear", "4": "happiness", "5": "sadness", "6": "surprise"}
"""Emotion of each value of the tag `Emotion`."""
VIDEO_SUFFIXES = (".avi", ".mpg", ".mpeg", ".mp4")
RECORDING = re.compile(r"S\d{3}-\d+\.xml")
APEX_MARKER = "2"


class _Unusable(Exception):
    """A recording cannot be used."""

    def __init__(self, file: Path, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.problem = Problem(str(file), line, reason)


def read(root: Path) -> Listing:
    """List the recordings of MMI that are labelled with an emotion.

    Raises:
        DatasetError: no folder at `root` has sessions as MMI has.
    """
    sessions = find_folder(root, lambda folder: any((inner / "session.xml").is_file() for inner in folders(folder)))
    if sessions is None:
        raise DatasetError(
            f"no MMI under {root}",
            hint="expected ROOT/Sessions/1841/ with session.xml, S035-004.xml and S035-004.avi",
            code="dataset-not-found",
        )
    ways: Counter[str] = Counter()
    found = [item for session in folders(sessions) for item in _read_session(session, ways)]
    notes = ("clips: " + ", ".join(f"{count} of {way}" for way, count in sorted(ways.items())),) if ways else ()
    wanted = [frame for item in found if isinstance(item, Sample) for frame in item.frames]
    whole = listing("mmi", TERMS, tuple(CODES.values()), found, notes)
    return replace(whole, frontal=True, read_picture=Frames(wanted))


def _read_session(session: Path, ways: Counter[str]) -> Iterator[Sample | Problem | LeftOut]:
    recordings = [path for path in visible(session) if RECORDING.fullmatch(path.name)]
    if not recordings:
        yield Problem(str(session), 0, "there is no file like S035-004.xml with the labels of the session")
    for description in recordings:
        try:
            yield _read_recording(description, ways)
        except _Unusable as error:
            yield error.problem


def _read_recording(description: Path, ways: Counter[str]) -> Sample | LeftOut:
    """The sample of a recording; raises _Unusable."""
    tags = {tag.get("Name"): tag.get("Value") for tag in _parse(description).iter("Metatag")}
    if "Emotion" not in tags:
        return LeftOut("recordings that are labelled with action units and no emotion")
    code = tags["Emotion"] or ""
    if code not in CODES:
        raise _Unusable(description, f"emotion {code!r} is not one of the basic ones, 1 to {len(CODES)}")
    return Sample(_frames(description, ways), CODES[code], subject=description.name[:4])


def _parse(path: Path) -> ElementTree.Element:
    try:
        require_regular_file(path, DatasetError)
        return ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise _Unusable(path, f"broken XML: {error}", error.position[0]) from error
    except (OSError, DatasetError, ValueError, LookupError) as error:  # the last two are raised for unknown encodings
        raise _Unusable(path, f"cannot be read: {reason_of(error)}") from error


def _frames(description: Path, ways: Counter[str]) -> tuple[Path, ...]:
    """The frames of a recording that show the expression, or its one picture; raises _Unusable."""
    folder = description.with_suffix("")
    frames = pictures(folder) if folder.is_dir() else ()
    if frames:
        return tuple(frames[number] for number in _expression(description, len(frames), ways))
    beside = {path.suffix.lower(): path for path in visible(folder.parent) if path.stem == folder.name}
    for suffix, path in beside.items():
        if suffix in IMAGE_SUFFIXES:
            return (path,)
    for suffix in VIDEO_SUFFIXES:
        if suffix in beside:
            stretch = _expression(description, _count(beside[suffix]), ways)
            kept = np.linspace(stretch[0], stretch[-1], min(len(stretch), CLIP_FRAMES)).round().astype(int)
            return tuple(frame_path(beside[suffix], number) for number in kept.tolist())
    raise _Unusable(description, "no video and no picture of that name beside it")


def _count(video: Path) -> int:
    try:
        return len(read_index(video).pts_s)
    except VideoError as error:
        raise _Unusable(video, error.message) from error


def _expression(description: Path, count: int, ways: Counter[str]) -> range:
    """Numbers, from 0, of the frames of a recording that show the expression; raises _Unusable."""
    coding = description.with_name(f"{description.stem}-oao_aucs.xml")
    stretch = _apex(coding, count) if coding.is_file() else None
    ways["the coded apex" if stretch else "the middle third of the frames"] += 1
    return stretch or range(count // 3, count - count // 3)


def _apex(coding: Path, count: int) -> range | None:
    """The longest stretch in which most action units are at their apex; None if there is none. Raises _Unusable."""
    active = np.zeros(count, dtype=int)
    for unit in _parse(coding).iter("ActionUnit"):
        try:
            markers = sorted((int(marker.get("Frame", "")), marker.get("Type", "")) for marker in unit.iter("Marker"))
        except ValueError as error:
            raise _Unusable(coding, f"a marker of action unit {unit.get('Number')} has no frame: {error}") from error
        for (start, kind), (end, _) in pairwise([*markers, (count + 1, "")]):
            if kind == APEX_MARKER:
                active[max(0, start - 1) : max(0, end - 1)] += 1
    if not active.any():
        return None
    edges = np.flatnonzero(np.diff(np.concatenate([[0], active == active.max(), [0]])))
    starts, ends = edges[::2], edges[1::2]
    longest = int((ends - starts).argmax())
    return range(int(starts[longest]), int(ends[longest]))
