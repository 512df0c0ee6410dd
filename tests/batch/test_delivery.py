"""Outputs at an address: in memory, in a folder as `file://`, and where nothing can be written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import fsspec
import pytest

import fercli
from fercli.batch import run as batch_run
from fercli.batch.delivery import Delivery
from fercli.batch.outcome import DONE, Outcome
from fercli.batch.run import in_process, run
from fercli.batch.work import Order, Task
from fercli.errors import ConfigError, MissingDependency, OutputError
from tests.batch.test_run import ORDER, Seen, tasks_of
from tests.failing import fails


@pytest.fixture(params=["memory", "file"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "file":
        yield f"file://{tmp_path}/there/"
        return
    yield "memory://season/"
    fsspec.filesystem("memory").store.clear()


@pytest.fixture
def worked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The videos that were worked on; each gets the file of its format, with its name in it."""
    done: list[str] = []

    def work(task: Task, order: Order, reporter: Any, kit: Any) -> Outcome:
        done.append(task.job.video.stem)
        task.place.workspace.mkdir(parents=True, exist_ok=True)
        output = task.place.output(".json")
        output.write_text(f"{task.job.video.stem} {len(done)}")
        return Outcome(task.job.source, DONE, 1.0, 1, 2, (str(output),))

    def finished(task: Task, order: Order, kit: Any) -> Outcome | None:
        output = task.place.output(".json")
        return Outcome(task.job.source, DONE, outputs=(str(output),)) if output.exists() else None

    monkeypatch.setattr(batch_run, "annotate", work)
    monkeypatch.setattr(batch_run, "finished", finished)
    return done


def read(url: str, name: str) -> bytes:
    content: bytes = fsspec.open(url + name).open().read()
    return content


def write(url: str, name: str, content: bytes) -> None:
    system, path = fsspec.core.url_to_fs(url + name)
    system.makedirs(system._parent(path), exist_ok=True)
    system.pipe_file(path, content)


def annotated(folder: Path, url: str, names: str = "ab", order: Order = ORDER) -> list[Outcome]:
    return run(folder / "out", tasks_of(folder, names), order, in_process, Seen(), url=url)


def test_outputs_and_the_list_of_videos_are_sent(tmp_path: Path, url: str, worked: list[str]) -> None:
    outcomes = annotated(tmp_path, url)
    assert [one.outputs for one in outcomes] == [(f"{url}a.json",), (f"{url}b.json",)]
    assert (read(url, "a.json"), read(url, "b.json")) == (b"a 1", b"b 2")
    rows = json.loads(read(url, "batch.json"))["videos"]
    assert [(row["state"], row["outputs"]) for row in rows] == [("done", [f"{url}a.json"]), ("done", [f"{url}b.json"])]
    assert read(url, "batch.csv").startswith(b"video,state,")


def test_what_is_there_is_not_sent_again_and_what_is_gone_is(
    tmp_path: Path, url: str, worked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    annotated(tmp_path, url)
    system, path = fsspec.core.url_to_fs(f"{url}b.json")
    system.rm(path)
    sent: list[str] = []
    send = Delivery.send

    def noted(self: Delivery, file: Path) -> None:
        sent.append(file.name)
        send(self, file)

    monkeypatch.setattr(Delivery, "send", noted)
    assert [one.state for one in annotated(tmp_path, url)] == ["done", "done"]
    assert worked == ["a", "b"] and sent == ["b.json", "batch.json", "batch.csv"]
    assert read(url, "b.json") == b"b 2"


def test_a_changed_output_is_sent_again(tmp_path: Path, url: str, worked: list[str]) -> None:
    annotated(tmp_path, url)
    (tmp_path / "out" / "a.json").write_text("new!")
    annotated(tmp_path, url)
    assert read(url, "a.json") == b"new!" and worked == ["a", "b"]


def test_a_file_of_somebody_else_is_not_replaced_and_refused_before_the_work(
    tmp_path: Path, url: str, worked: list[str]
) -> None:
    write(url, "a.json", b"mine")
    outcomes = annotated(tmp_path, url)
    assert [(one.state, one.code) for one in outcomes] == [("failed", "output-exists"), ("done", "")]
    assert worked == ["b"] and read(url, "a.json") == b"mine"
    assert f"{url}a.json" in outcomes[0].message
    annotated(tmp_path, url, order=replace(ORDER, overwrite=True))
    assert read(url, "a.json") == b"a 2"


def test_an_output_that_somebody_has_changed_there_is_kept(tmp_path: Path, url: str, worked: list[str]) -> None:
    annotated(tmp_path, url)
    write(url, "a.json", b"corrected by hand")
    assert [one.code for one in annotated(tmp_path, url)] == ["output-exists", ""]
    assert read(url, "a.json") == b"corrected by hand"


def test_a_file_that_was_sent_before_a_kill_counts_as_sent(
    tmp_path: Path, url: str, worked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Delivery.send

    def killed(self: Delivery, file: Path) -> None:
        send(self, file)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Delivery, "send", killed)
        annotated(tmp_path, url)
    assert [one.state for one in annotated(tmp_path, url)] == ["done", "done"]
    assert read(url, "a.json") == b"a 1"


def test_an_output_that_cannot_be_sent_fails_its_video_and_leaves_the_old_one(
    tmp_path: Path, worked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"file://{tmp_path}/there/"
    annotated(tmp_path, url)
    (tmp_path / "out" / "a.json").write_text("new!")
    system = fsspec.filesystem("file")

    def broken(path: str, content: bytes) -> None:
        with system.open(path, "wb") as file:
            file.write(content[:2])
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(system, "pipe_file", broken)
    with fails(OutputError, "output-unwritable", f"{url}batch.json", "No space left"):
        annotated(tmp_path, url)
    assert read(url, "a.json") == b"a 1"
    row = json.loads((tmp_path / "out" / "batch.json").read_text())["videos"][0]
    assert (row["state"], row["code"]) == ("failed", "output-unwritable") and f"{url}a.json" in row["message"]


def test_addresses_to_which_nothing_can_be_written(tmp_path: Path, worked: list[str]) -> None:
    with fails(ConfigError, "output-unwritable", "xyz://"):
        annotated(tmp_path, "xyz://there/")
    if not find_spec("s3fs"):
        with pytest.raises(MissingDependency):
            annotated(tmp_path, "s3://bucket/")
    assert worked == []


def test_from_python_workspaces_are_in_the_folder_of_workdir(tmp_path: Path, url: str, worked: list[str]) -> None:
    (tmp_path / "a.mp4").write_text("a")
    (outcome,) = fercli.annotate_many([tmp_path / "a.mp4"], url, workdir=tmp_path / "local")
    assert outcome.outputs == (f"{url}a.json",) and read(url, "a.json") == b"a 1"
    assert (tmp_path / "local" / "a.fercli").is_dir() and (tmp_path / "local" / "batch.json").is_file()
