"""Bodies of requests and answers, for validation and OpenAPI."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1, max_length=200)]
Seconds = Annotated[float, Field(ge=-1e6, le=1e7, allow_inf_nan=False)]
LineNumber = Annotated[int, Field(ge=1, le=10**9)]
TrackNumber = Annotated[int, Field(ge=0, le=2**31 - 1)]


def _like(*examples: dict[str, Any]) -> ConfigDict:
    """The configuration of an answer: no other fields than these, and examples for OpenAPI."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": list(examples)})


class _Answer(BaseModel):
    """A part of an answer; it has no other fields."""

    model_config = ConfigDict(extra="forbid")


_JOB = {
    "id": "0123456789abcdef",
    "number": 7,
    "name": "e01.mp4",
    "state": "done",
    "uploaded": False,
    "options": {"frames": {"fps": 5}},
    "video": {"bytes": 350_000_000, "seconds": 1320.5, "width": 1920, "height": 1080},
    "created": "2026-05-04T10:00:00.000+00:00",
    "started": "2026-05-04T10:00:01.000+00:00",
    "ended": "2026-05-04T10:01:02.500+00:00",
    "outcome": {"seconds": 61.5, "persons": 6, "segments": 240, "warnings": []},
}
_EDIT = {
    "number": 1,
    "text": "Person 1 is Ross",
    "edit": "rename",
    "person": "Person 1",
    "to": "Ross",
    "by": "annotator-1",
    "on": "2026-05-04T10:05:00+00:00",
    "state": "applied",
    "detail": "",
}


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    model_config = _like(
        {
            "type": "urn:fercli:error:person-unknown",
            "title": "Not Found",
            "status": 404,
            "code": "person-unknown",
            "detail": "there is no person 'Rahel'",
            "hint": "GET .../persons lists them",
        }
    )
    type: str
    title: str
    status: int
    code: str
    detail: str
    hint: str = ""


class PathRequest(BaseModel):
    """A video below the root."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"path": "season1/e01.mp4", "options": {"frames": {"fps": 5}}}]},
    )
    path: Annotated[str, Field(min_length=1, max_length=4000)]
    options: dict[str, Any] = {}


class EditRequest(BaseModel):
    """A correction. `rename` needs person and to; `merge` persons and to; `split` person and tracks; `ignore` and
    `restore` person; `set-emotion` person, start_s, end_s and class; `clear` person, start_s and end_s; `undo` of."""

    model_config = ConfigDict(
        extra="forbid",
        populate_by_name=True,
        json_schema_extra={
            "examples": [
                {"edit": "rename", "person": "Person 1", "to": "Ross", "by": "annotator-1"},
                {
                    "edit": "set-emotion",
                    "person": "Ross",
                    "start_s": 1.2,
                    "end_s": 2.4,
                    "class": "happy",
                    "by": "annotator-1",
                },
            ]
        },
    )
    edit: Literal["rename", "merge", "split", "ignore", "restore", "set-emotion", "clear", "undo"]
    by: Name
    person: Name | None = None
    to: Name | None = None
    persons: Annotated[list[Name], Field(max_length=1000)] = []
    tracks: Annotated[list[TrackNumber], Field(max_length=100_000)] = []
    start_s: Seconds | None = None
    end_s: Seconds | None = None
    emotion: Annotated[str, Field(max_length=40)] | None = Field(default=None, alias="class")
    of: Annotated[list[LineNumber], Field(max_length=1000)] = []
    force: bool = False


class SessionRequest(BaseModel):
    """The token of the service."""

    model_config = _like({"token": "the content of the token file"})
    token: Annotated[str, Field(max_length=4096)]


class Progress(_Answer):
    """Progress of a running job; see `hub.JobProgress`."""

    stage: str
    done: int
    total: int | None
    unit: str
    share: float
    left_s: float | None


class JobFacts(_Answer):
    """Facts of the video, as far as they are known before it is analysed."""

    bytes: int
    seconds: float | None = None
    width: int | None = None
    height: int | None = None
    sha256: str | None = None


class JobEnd(_Answer):
    """How a job ended."""

    seconds: float = 0.0
    persons: int | None = None
    segments: int | None = None
    warnings: list[str] = []
    code: str = ""
    message: str = ""
    hint: str = ""


class Job(BaseModel):
    """One job."""

    model_config = _like(_JOB)
    id: str
    number: int
    name: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    uploaded: bool
    options: dict[str, Any]
    video: JobFacts
    created: str
    started: str | None
    ended: str | None
    ahead: int | None = None
    progress: Progress | None = None
    outcome: JobEnd | None = None


class Jobs(BaseModel):
    """A page of jobs, the latest first; `next` is the address of the following page."""

    model_config = _like({"jobs": [_JOB], "next": "/v1/jobs?state=&limit=1&after=7"})
    jobs: list[Job]
    next: str | None = None


class EditAnswer(BaseModel):
    """The added lines of the log, messages for the annotator, and the new version of the timeline."""

    model_config = _like({"edits": [4], "notes": [], "version": "0f1e2d3c4b5a6978-a1b2c3d4e5f60718"})
    edits: list[int]
    notes: list[str]
    version: str


class Page(BaseModel):
    """A page of a table; `next` is the address of the following page."""

    model_config = _like(
        {
            "rows": [{"type": "emotion", "class": "happy", "seconds": 5.0, "object": "Ross", "end": 7.0, "score": 0.8}],
            "offset": 0,
            "next": "/v1/jobs/0123456789abcdef/segments?offset=1&limit=1",
        }
    )
    rows: list[dict[str, Any]]
    offset: int
    next: str | None = None


class Files(BaseModel):
    """Folders and videos in a folder below the root."""

    model_config = _like(
        {
            "folder": "season1",
            "folders": ["season1/extras"],
            "videos": [{"path": "season1/e01.mp4", "bytes": 350_000_000}],
            "complete": True,
        }
    )
    folder: str
    folders: list[str]
    videos: list[dict[str, Any]]
    complete: bool


class ModelFacts(BaseModel):
    """A network."""

    model_config = _like(
        {
            "name": "tsm-resnet18",
            "task": "emotions",
            "licence": "MIT",
            "training_data": "FER+",
            "commercial_use": "unclear",
        }
    )
    name: str
    task: str
    licence: str
    training_data: str
    commercial_use: str


class VersionFacts(BaseModel):
    """The program, and what this service accepts."""

    model_config = _like(
        {
            "fercli": "1.0",
            "token": False,
            "limits": {"upload_bytes": 20_000_000_000, "hours": 12.0, "pixels": 35_389_440, "jobs": 1000},
            "formats": {"eaf": "ELAN"},
            "retention_days": 30.0,
        }
    )
    fercli: str
    token: bool
    limits: dict[str, float]
    formats: dict[str, str]
    retention_days: float | None


class Health(BaseModel):
    """The service answers."""

    model_config = _like({"status": "ok"})
    status: Literal["ok"]


Milliseconds = list[int]


class ClassFacts(_Answer):
    """A class and how it is drawn; `sign` is that of its valence."""

    name: str
    letters: str
    colour: str
    ink: str
    sign: int


class TimelineVideo(_Answer):
    """The video: its ends and the stretches that were not analysed in milliseconds, its size in pixels."""

    name: str
    start: int
    end: int
    unseen: list[tuple[int, int]]
    width: int
    height: int


class PersonTracks(_Answer):
    """Columns: number of each track, and its ends in milliseconds."""

    track: list[int]
    start: Milliseconds
    end: Milliseconds


class PersonSegments(_Answer):
    """Columns of the segments, by start: ends in milliseconds; place in `classes`; score in percent, null for manual
    annotations and where it is not assessable, with the reason; why it is doubtful; track, -1 for none; 1 for manual
    annotations."""

    start: Milliseconds
    end: Milliseconds
    kind: Annotated[list[int], Field(alias="class")]
    score: list[int | None]
    reason: list[str]
    doubtful: list[str]
    track: list[int]
    human: list[int]


class Said(_Answer):
    """Columns of what a person says: the words in one utterance, one after the other."""

    start: Milliseconds
    end: Milliseconds
    text: list[str]


class Speech(Said):
    """Columns of the utterances, and who says most of each; null if unknown, or not on screen."""

    person: list[str | None]


class TimelinePerson(_Answer):
    """A person: seconds on screen, identity score in [0, 1], number of the best face, tracks, segments, words."""

    name: str
    ignored: bool
    by_hand: bool
    seconds: float
    identity: float | None
    face: int | None
    tracks: PersonTracks
    segments: PersonSegments
    said: Said


class LoggedEdit(BaseModel):
    """An edit in the log, in words and with its present effect; and what it consists of, see docs/edits.md."""

    model_config = ConfigDict(extra="allow")
    number: int
    text: str
    state: str
    detail: str


class Edits(BaseModel):
    """The log of edits, and the warnings of the result."""

    model_config = _like({"edits": [_EDIT], "warnings": []})
    edits: list[LoggedEdit]
    warnings: list[str]


class Timeline(BaseModel):
    """What the page draws, with all edits. Times are whole milliseconds. `rated`: there are ratings over time."""

    model_config = _like(
        {
            "classes": [{"name": "happy", "letters": "Ha", "colour": "#f0e442", "ink": "#000000", "sign": 1}],
            "video": {"name": "e01.mp4", "start": 0, "end": 9000, "unseen": [], "width": 1920, "height": 1080},
            "persons": [
                {
                    "name": "Ross",
                    "ignored": False,
                    "by_hand": True,
                    "seconds": 4.0,
                    "identity": 0.8,
                    "face": 3,
                    "tracks": {"track": [0], "start": [5000], "end": [9000]},
                    "segments": {
                        "start": [5000],
                        "end": [7000],
                        "class": [0],
                        "score": [80],
                        "reason": [""],
                        "doubtful": [""],
                        "track": [0],
                        "human": [0],
                    },
                    "said": {"start": [5500], "end": [6500], "text": ["Hello there."]},
                }
            ],
            "speech": {"start": [5500], "end": [6500], "text": ["Hello there."], "person": ["Ross"]},
            "rated": True,
            "warnings": [],
            "edits": [_EDIT],
        }
    )
    classes: list[ClassFacts]
    video: TimelineVideo
    persons: list[TimelinePerson]
    speech: Speech
    rated: bool
    warnings: list[str]
    edits: list[LoggedEdit]


class Boxes(_Answer):
    """Columns, an entry for each track: its number, its end, and at keyframes the time and the edges in pixels; between
    them the edges move evenly. Times and edges are steps: the first value, then the differences."""

    track: list[int]
    end: Milliseconds
    pts: list[Milliseconds]
    x1: list[list[int]]
    y1: list[list[int]]
    x2: list[list[int]]
    y2: list[list[int]]


class Streams(_Answer):
    """Columns, an entry for each track: its number; the length of its bins, milliseconds; the numbers of the bins, as
    steps, counted from the start of the video; and for each of `labels` its probability in each bin, percent."""

    track: list[int]
    step: list[float]
    bin: list[list[int]]
    percent: list[list[list[int]]]


class Rated(Streams):
    """As the streams, with other columns in `percent`: valence (-100 to 100), the two ends of its interval, arousal
    (-100 to 100) and intensity (0 to 100). `source` is `derived` (from the emotions) or `trained`; without ratings it
    is empty, and there are no tracks."""

    source: Literal["", "derived", "trained"]


class TracksDrawn(BaseModel):
    """What the page draws and no edit changes. `shots` are the cuts, milliseconds, as steps; `labels` the places of the
    streams' columns in `Timeline.classes`."""

    model_config = _like(
        {
            "shots": [4000],
            "labels": [0, 3, 6],
            "boxes": {
                "track": [0],
                "end": [9000],
                "pts": [[5000, 3800]],
                "x1": [[5, 4]],
                "y1": [[42, 0]],
                "x2": [[21, 4]],
                "y2": [[62, 0]],
            },
            "streams": {
                "track": [0],
                "step": [100.0],
                "bin": [[50, 1]],
                "percent": [[[10, 12], [80, 76], [10, 12]]],
            },
            "rated": {
                "source": "derived",
                "track": [0],
                "step": [100.0],
                "bin": [[50, 1]],
                "percent": [[[33, 35], [-10, -8], [76, 78], [34, 34], [65, 66]]],
            },
        }
    )
    shots: Milliseconds
    labels: list[int]
    boxes: Boxes
    streams: Streams
    rated: Rated
