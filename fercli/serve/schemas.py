"""Bodies of requests and answers, for validation and OpenAPI."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1, max_length=200)]
Seconds = Annotated[float, Field(ge=-1e6, le=1e7, allow_inf_nan=False)]
LineNumber = Annotated[int, Field(ge=1, le=10**9)]
TrackNumber = Annotated[int, Field(ge=0, le=2**31 - 1)]


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

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

    model_config = ConfigDict(extra="forbid")
    token: Annotated[str, Field(max_length=4096)]


class Progress(BaseModel):
    """Progress of a running job; see `hub.JobProgress`."""

    stage: str
    done: int
    total: int | None
    unit: str
    share: float
    left_s: float | None


class JobFacts(BaseModel):
    """Facts of the video, as far as they are known before it is analysed."""

    bytes: int
    seconds: float | None = None
    width: int | None = None
    height: int | None = None
    sha256: str | None = None


class JobEnd(BaseModel):
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

    jobs: list[Job]
    next: str | None = None


class EditAnswer(BaseModel):
    """The added lines of the log, messages for the annotator, and the new version of the timeline."""

    edits: list[int]
    notes: list[str]
    version: str


class Page(BaseModel):
    """A page of a table; `next` is the address of the following page."""

    rows: list[dict[str, Any]]
    offset: int
    next: str | None = None


class Files(BaseModel):
    """Folders and videos in a folder below the root."""

    folder: str
    folders: list[str]
    videos: list[dict[str, Any]]
    complete: bool


class ModelFacts(BaseModel):
    """A network."""

    name: str
    task: str
    licence: str
    training_data: str
    commercial_use: str


class VersionFacts(BaseModel):
    """The program, and what this service accepts."""

    fercli: str
    token: bool
    limits: dict[str, float]
    formats: dict[str, str]
    retention_days: float | None
