"""Where a data set is looked for when --root is not given."""

from __future__ import annotations

from pathlib import Path

import pytest

from fercli.cli.entry import main
from fercli.errors import ConfigError
from fercli.learn.datasets import DATASETS
from fercli.learn.datasets.over_time import OVER_TIME
from fercli.learn.datasets.roots import OBTAIN, find_root
from tests.failing import fails
from tests.learn.datasets.test_raf import LINES, write_aligned

OWN = {"folder", "corrected"}
"""Sets of the user, which have no usual place."""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FERCLI_DATA", raising=False)


def test_the_first_place_with_something_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERCLI_DATA", str(tmp_path / "data"))
    given = tmp_path / "given"
    assert find_root("raf", given) == given  # whether there is something or not: its reader says so
    for place in (tmp_path / "raf", tmp_path / "RAF", tmp_path / "data" / "raf"):
        place.mkdir(parents=True)
        assert find_root("raf").resolve() == place
        assert find_root("raf", given) == given


def test_sets_of_one_file_share_its_place(tmp_path: Path) -> None:
    (tmp_path / "fer2013").mkdir()
    (tmp_path / "AFFECTNET").mkdir()
    assert (find_root("ferplus"), find_root("affectnet7")) == (Path("fer2013"), Path("AFFECTNET"))


def test_every_set_says_where_it_was_looked_for_and_where_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(OBTAIN) == {*DATASETS, *OVER_TIME} - {*OWN, "own"}
    monkeypatch.setenv("FERCLI_DATA", "sets")
    for name, source in OBTAIN.items():
        with fails(ConfigError, "option-missing", name) as caught:
            find_root(name)
        assert str(Path("sets")) in caught.value.message and "--root" in caught.value.hint
        assert caught.value.hint.startswith(source)


@pytest.mark.parametrize("name", sorted(OWN))
def test_a_set_of_ones_own_has_no_usual_place(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with fails(ConfigError, "option-missing", name):
        find_root(name)


@pytest.mark.parametrize(
    "command",
    [
        ["train", "--dataset", "raf", "--epochs", "1"],
        ["evaluate", "resnet18", "--dataset", "raf"],
        ["dataset", "check", "raf"],
    ],
)
def test_commands_without_a_root(command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command) == 2
    err = capsys.readouterr().err
    assert "error[option-missing]" in err and "RAF, raf" in err and "whdeng.cn" in err
    write_aligned(tmp_path / "RAF", LINES)  # empty files: found and read, but no pictures
    assert main(command) == 3
    assert "error[dataset-empty]: raf" in capsys.readouterr().err
