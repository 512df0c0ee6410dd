"""A run over many videos, with work that only writes down what it does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from fercli.batch import run as batch_run
from fercli.batch import work as batch_work
from fercli.batch.events import Event, EventReporter
from fercli.batch.jobs import find_jobs
from fercli.batch.outcome import DONE, Outcome, failure
from fercli.batch.places import assign_places
from fercli.batch.run import in_process, run
from fercli.batch.work import Kit, Order, Task
from fercli.config import AudioParams, EmotionsParams, FramesParams, PersonsParams
from fercli.errors import ConfigError, VideoError
from tests.failing import fails

ORDER = Order((), ("json",))


@dataclass
class Seen:
    """A display that keeps what it is shown."""

    events: list[Event] = field(default_factory=list)
    videos: list[str] = field(default_factory=list)

    def event(self, event: Event) -> None:
        self.events.append(event)

    def ended(self, task: Task, outcome: Outcome) -> None:
        self.videos.append(Path(outcome.video).name)


def tasks_of(folder: Path, names: str) -> list[Task]:
    for name in names:
        (folder / f"{name}.mp4").write_text(name)
    jobs = find_jobs([folder / f"{name}.mp4" for name in names], recursive=False)
    places = assign_places(jobs, folder / "out")
    return [Task(number, *pair) for number, pair in enumerate(zip(jobs, places, strict=True))]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """`WORK VIDEO` of everything that was worked on; videos called b fail."""
    done: list[str] = []

    def fake(name: str) -> Any:
        def work(task: Task, order: Order, reporter: EventReporter, kit: Kit) -> Outcome:
            done.append(f"{name} {task.job.video.stem}")
            reporter.warn(f"{name} {task.job.video.stem}")
            if task.job.video.stem == "b":
                return replace(failure(task.job.source, VideoError("broken", code="video-damaged")), seconds=1.0)
            return Outcome(str(task.job.video), DONE, 1.0, 1, 2, warnings=tuple(reporter.warnings))

        return work

    for name in ("analyse", "find_persons", "annotate"):
        monkeypatch.setattr(batch_run, name, fake(name))
    monkeypatch.setattr(batch_run, "finished", lambda task, order, kit: None)
    return done


def test_a_video_that_fails_does_not_stop_the_others(tmp_path: Path, log: list[str]) -> None:
    seen = Seen()
    outcomes = run(tmp_path / "out", tasks_of(tmp_path, "abc"), ORDER, in_process, seen)
    assert [(Path(one.video).name, one.state, one.code) for one in outcomes] == [
        ("a.mp4", "done", ""), ("b.mp4", "failed", "video-damaged"), ("c.mp4", "done", "")
    ]  # fmt: skip
    assert log == ["annotate a", "annotate b", "annotate c"] and seen.videos == ["a.mp4", "b.mp4", "c.mp4"]
    written = json.loads((tmp_path / "out" / "batch.json").read_text())["videos"]
    assert [row["state"] for row in written] == ["done", "failed", "done"]


def test_with_a_cast_persons_are_found_in_a_fixed_order_whatever_the_engine_does(
    tmp_path: Path, log: list[str]
) -> None:
    def backwards(work: Any, tasks: Any, order: Any, send: Any) -> Iterator[tuple[Task, Outcome]]:
        return in_process(work, tasks[::-1], order, send)

    order = Order((PersonsParams(cast=str(tmp_path / "cast")),), ("json",))
    outcomes = run(tmp_path / "out", tasks_of(tmp_path, "abc"), order, backwards, Seen())
    assert log == [
        "analyse c", "analyse b", "analyse a", "find_persons a", "find_persons c", "annotate c", "annotate a"
    ]  # fmt: skip
    assert [(one.state, one.seconds) for one in outcomes] == [("done", 3.0), ("failed", 1.0), ("done", 3.0)]
    assert outcomes[0].warnings == ("analyse a", "find_persons a", "annotate a")


def test_force_runs_the_stages_once_although_a_cast_takes_three_steps(tmp_path: Path, log: list[str]) -> None:
    forced: list[tuple[str, bool, bool]] = []

    def engine(work: Any, tasks: Any, order: Any, send: Any) -> Iterator[tuple[Task, Outcome]]:
        forced.append((work.__name__, order.force, order.verify))
        return in_process(work, tasks, order, send)

    order = Order((PersonsParams(cast=str(tmp_path / "cast")),), ("json",), force=True, verify=True)
    run(tmp_path / "out", tasks_of(tmp_path, "a"), order, engine, Seen())
    assert [row[1:] for row in forced] == [(True, True), (False, False)]


def test_finished_videos_are_not_worked_on(tmp_path: Path, log: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    done = {"a": Outcome("a.mp4", DONE, 0.0, 1, 1), "c": Outcome("c.mp4", DONE, 0.0, 1, 1)}
    monkeypatch.setattr(batch_run, "finished", lambda task, order, kit: done.get(task.job.video.stem))
    outcomes = run(tmp_path / "out", tasks_of(tmp_path, "acd"), ORDER, in_process, Seen())
    assert log == ["annotate d"] and [one.seconds for one in outcomes] == [0.0, 0.0, 1.0]


def test_what_is_done_is_written_when_the_run_is_interrupted(tmp_path: Path, log: list[str]) -> None:
    def interrupted(work: Any, tasks: Any, order: Any, send: Any) -> Iterator[tuple[Task, Outcome]]:
        yield from in_process(work, tasks[:1], order, send)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "out", tasks_of(tmp_path, "ac"), ORDER, interrupted, Seen())
    written = json.loads((tmp_path / "out" / "batch.json").read_text())["videos"]
    assert [Path(row["video"]).name for row in written] == ["a.mp4"]


def test_what_concerns_all_videos_is_refused_before_any_work(tmp_path: Path, log: list[str]) -> None:
    with fails(ConfigError, "option-out-of-range", "stride"):
        run(
            tmp_path / "out",
            tasks_of(tmp_path, "ac"),
            Order((EmotionsParams(stride=0),), ("json",)),
            in_process,
            Seen(),
        )
    assert log == []


def test_an_error_in_the_work_is_the_outcome_of_its_video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> Outcome:
        raise ZeroDivisionError("x")

    monkeypatch.setattr(batch_work, "_annotate", broken)
    (task,) = tasks_of(tmp_path, "a")
    outcome = batch_work.annotate(task, ORDER, EventReporter(0, lambda event: None), Kit())
    assert (outcome.state, outcome.code) == ("failed", "internal")


def test_a_row_of_a_table_overrides_the_options(tmp_path: Path) -> None:
    (tmp_path / "jobs.csv").write_text("video,start,gallery\na.mp4,2,people\n")
    (job,) = find_jobs([tmp_path / "jobs.csv"], recursive=False)
    given = (FramesParams(start_s=1.0, end_s=9.0), AudioParams(0, 1.0, 9.0), PersonsParams(gallery="others"))
    order = Order(given, ("json",))
    (place,) = assign_places([job], tmp_path)
    plan = {stage.name: params for stage, params in batch_work.plan_of(Task(0, job, place), order)}
    assert (plan["frames"].start_s, plan["frames"].end_s) == (2.0, 9.0)
    assert (plan["audio"].start_s, plan["audio"].end_s) == (2.0, 9.0)
    assert plan["persons"].gallery == str(tmp_path / "people")
