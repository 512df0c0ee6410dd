"""`fercli.annotate_many`, with work that only writes down what it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import fercli
from fercli.batch import run as batch_run
from fercli.batch.outcome import DONE, Outcome
from fercli.config import FramesParams, PersonsParams
from fercli.errors import ConfigError, InputError
from tests.failing import fails


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What each video was to be annotated with."""
    found: list[Any] = []

    def work(task: Any, order: Any, reporter: Any, kit: Any) -> Outcome:
        found.append(order)
        return Outcome(str(task.job.video), DONE, 1.0, 1, 2)

    for name in ("analyse", "find_persons", "annotate"):
        monkeypatch.setattr(batch_run, name, work)
    return found


def test_videos_of_a_folder_are_annotated_and_each_outcome_is_told(tmp_path: Path, orders: list[Any]) -> None:
    (tmp_path / "season" / "more").mkdir(parents=True)
    for name in ("b.mp4", "a.mkv", "more/c.mov"):
        (tmp_path / "season" / name).write_text(name)
    told: list[Outcome] = []
    outcomes = fercli.annotate_many(
        [tmp_path / "season"],
        tmp_path / "out",
        recursive=True,
        cast=tmp_path / "show.cast",
        params=[FramesParams(fps=2)],
        formats=("json", "eaf"),
        ended=told.append,
    )
    assert [Path(one.video).name for one in outcomes] == ["a.mkv", "b.mp4", "c.mov"] and told == outcomes
    assert (tmp_path / "out" / "batch.json").is_file()
    params = {type(one): one for one in orders[0].params}
    assert params[FramesParams].fps == 2 and params[PersonsParams].cast == str(tmp_path / "show.cast")
    assert orders[0].formats == ("json", "eaf") and len(params) == 6


def test_what_cannot_be_used_is_refused_before_any_work(tmp_path: Path, orders: list[Any]) -> None:
    with fails(ConfigError, "name-unknown"):
        fercli.annotate_many([tmp_path / "a.mp4"], tmp_path / "out", formats=["docx"])
    with fails(ConfigError, "option-unusable"):
        fercli.annotate_many([tmp_path / "a.mp4"], tmp_path / "out", params=["fps"])
    with fails(InputError, "no-videos"):
        fercli.annotate_many([tmp_path], tmp_path / "out")
    assert orders == [] and not (tmp_path / "out").exists()
