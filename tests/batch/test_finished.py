"""The note that a video is finished."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fercli.batch.finished import NOTE, digest_of, recall, remember
from fercli.batch.outcome import DONE, Outcome
from tests.workspaces import faces_table, make_workspace

OUTCOME = Outcome("/v/a.mp4", DONE, 12.5, 2, 7, ("/out/a.json",))


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    made = make_workspace(tmp_path / "w", faces=faces_table([])).path
    (tmp_path / "a.json").write_text("{}")
    remember(made, "x", [tmp_path / "a.json", tmp_path / "missing"], OUTCOME)
    return made


def files(workspace: Path) -> list[Path]:
    return [workspace.parent / "a.json", workspace.parent / "missing"]


def test_an_unchanged_video_is_recalled_and_took_no_time(workspace: Path) -> None:
    assert recall(workspace, "x", files(workspace)) == Outcome("/v/a.mp4", DONE, 0.0, 2, 7, ("/out/a.json",))


def test_other_parameters(workspace: Path) -> None:
    assert recall(workspace, "y", files(workspace)) is None


@pytest.mark.parametrize("name", ["w/faces/faces.parquet", "w/workspace.json", "w/edits.jsonl", "a.json", "missing"])
def test_a_file_that_changed_or_appeared(workspace: Path, name: str) -> None:
    file = workspace.parent / name
    before = file.stat().st_mtime_ns if file.exists() else 0
    file.write_bytes(file.read_bytes() if file.exists() else b"")
    os.utime(file, ns=(before + 1, before + 1))
    assert recall(workspace, "x", files(workspace)) is None


def test_a_table_that_is_gone(workspace: Path) -> None:
    (workspace / "faces" / "faces.parquet").unlink()
    assert recall(workspace, "x", files(workspace)) is None


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"outcome": {"video": 1}}'])
def test_a_damaged_note_counts_as_none(workspace: Path, content: bytes) -> None:
    (workspace / NOTE).write_bytes(content)
    assert recall(workspace, "x", files(workspace)) is None


def test_digests_differ_with_their_parts() -> None:
    assert digest_of(["a", 1]) == digest_of(["a", 1]) != digest_of(["a", 2])
    assert digest_of(["\udcff"])
