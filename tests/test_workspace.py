"""The workspace directory: what is refused, what survives, what is written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fercli.errors import InputError, OutputError, WorkspaceError, WorkspaceLocked
from fercli.workspace import FORMAT, Workspace
from tests.fake_stages import facts


@pytest.fixture
def workspace(video: Path, tmp_path: Path) -> Workspace:
    return Workspace.create(tmp_path / "episode.fercli", facts(video))


def test_what_is_created_can_be_opened(workspace: Workspace, video: Path) -> None:
    assert Workspace.open(workspace.path).video == facts(video)


def test_there_is_no_workspace(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no workspace at") as caught:
        Workspace.open(tmp_path / "nothing")
    assert caught.value.hint == f"make one: fercli extract-frames VIDEO {tmp_path / 'nothing'}"


def test_a_foreign_directory_is_refused_and_left_alone(tmp_path: Path, video: Path) -> None:
    foreign = tmp_path / "thesis"
    foreign.mkdir()
    (foreign / "chapter.tex").write_text("all of it")
    with pytest.raises(WorkspaceError, match="is not a fercli workspace"):
        Workspace.open(foreign)
    with pytest.raises(WorkspaceError, match="exists and is not a fercli workspace"):
        Workspace.create(foreign, facts(video))
    assert [path.name for path in foreign.iterdir()] == ["chapter.tex"]


def test_a_file_in_the_way_is_refused(tmp_path: Path, video: Path) -> None:
    with pytest.raises(WorkspaceError):
        Workspace.create(video, facts(video))
    assert video.read_bytes() == b"\x01 video"


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"format": 2}', '{"format": "2", "video": {}}', '{"format": 2, "video": {"path": 3}}']
)
def test_a_damaged_workspace_file_says_so(workspace: Workspace, content: str) -> None:
    (workspace.path / "workspace.json").write_text(content)
    with pytest.raises(WorkspaceError, match=r"workspace\.json is damaged"):
        Workspace.open(workspace.path)


def test_a_newer_workspace_is_refused(workspace: Workspace) -> None:
    document = {"format": FORMAT + 1, "video": {"unknown": True}}
    (workspace.path / "workspace.json").write_text(json.dumps(document))
    with pytest.raises(WorkspaceError, match=f"format {FORMAT + 1}, this fercli reads up to {FORMAT}") as caught:
        Workspace.open(workspace.path)
    assert caught.value.hint == "pip install -U fercli"


def test_an_older_workspace_is_refused_with_the_command_that_makes_it_anew(workspace: Workspace, video: Path) -> None:
    """Its times were counted from elsewhere; neither reading nor taking it up may mix them with new ones."""
    document = {"format": 1, "video": {"path": str(video), "sha256": workspace.video.sha256}}
    (workspace.path / "workspace.json").write_text(json.dumps(document))
    for attempt in (lambda: Workspace.open(workspace.path), lambda: Workspace.create(workspace.path, workspace.video)):
        with pytest.raises(WorkspaceError) as caught:
            attempt()
        assert caught.value.exit_code == 4
        assert f"fercli extract-frames {video} {workspace.path}" in caught.value.hint


def test_the_workspace_of_another_video_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    other = tmp_path / "other.mp4"
    other.write_bytes(b"\x02 another")
    with pytest.raises(WorkspaceError, match="is the workspace of another video"):
        Workspace.create(workspace.path, facts(other))


def test_a_moved_video_is_taken_up_again(workspace: Workspace, video: Path, tmp_path: Path) -> None:
    moved = video.rename(tmp_path / "moved.mp4")
    assert Workspace.create(workspace.path, facts(moved)).video.path == str(moved)
    assert Workspace.open(workspace.path).video.path == str(moved)


def test_a_damaged_workspace_is_taken_up_again(workspace: Workspace, video: Path) -> None:
    (workspace.path / "workspace.json").write_text('{"format": 1, "vid')
    assert Workspace.create(workspace.path, facts(video)).path == workspace.path
    assert Workspace.open(workspace.path).video == facts(video)


def test_a_kill_before_the_first_file_is_whole_leaves_no_obstacle(tmp_path: Path, video: Path) -> None:
    path = tmp_path / "episode.fercli"
    path.mkdir()
    (path / ".lock").touch()
    (path / ".workspace.json.tmp").write_text('{"format"')
    assert Workspace.create(path, facts(video)).video == facts(video)


def test_a_replaced_video_is_taken_up_while_nothing_was_corrected_by_hand(workspace: Workspace, video: Path) -> None:
    video.write_bytes(b"\x02 another")
    assert Workspace.create(workspace.path, facts(video)).video.sha256 == facts(video).sha256


@pytest.mark.parametrize("name", ["people.toml", "segments.csv"])
def test_corrections_are_not_passed_on_to_another_video(workspace: Workspace, video: Path, name: str) -> None:
    (workspace.path / name).write_text("")
    before = (workspace.path / "workspace.json").read_bytes()
    assert Workspace.create(workspace.path, facts(video))  # the same video is welcome
    video.write_bytes(b"\x02 another")
    with pytest.raises(WorkspaceError, match=rf"is another video than before, and {name} in .* about that"):
        Workspace.create(workspace.path, facts(video))
    assert (workspace.path / "workspace.json").read_bytes() == before


def test_who_finds_the_workspace_locked_has_not_changed_it(workspace: Workspace, video: Path) -> None:
    before = (workspace.path / "workspace.json").read_bytes()
    moved = video.rename(video.with_name("moved.mp4"))
    with workspace.lock(), pytest.raises(WorkspaceLocked):
        Workspace.create(workspace.path, facts(moved))
    assert (workspace.path / "workspace.json").read_bytes() == before


def test_writing_where_nothing_can_be_written(video: Path) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        Workspace.create(Path("/proc/fercli-cannot-be-here"), facts(video))


class TestSwap:
    """A kill between any two renames leaves the old directory or the new one."""

    def finished(self, workspace: Workspace, text: str) -> Path:
        out = workspace.path / "out"
        out.mkdir()
        (out / "receipt.json").write_text(text)
        return out

    def content(self, workspace: Workspace) -> str:
        return (workspace.path / "2-faces" / "receipt.json").read_text()

    def test_new_takes_the_place_of_old(self, workspace: Workspace) -> None:
        workspace.swap_in("2-faces", self.finished(workspace, "one"))
        assert self.content(workspace) == "one"
        workspace.swap_in("2-faces", self.finished(workspace, "two"))
        assert self.content(workspace) == "two"
        assert sorted(path.name for path in workspace.path.iterdir()) == [".lock", "2-faces", "workspace.json"]

    @pytest.mark.parametrize("steps", range(4))
    def test_the_next_lock_finishes_a_swap_that_was_cut_off(self, workspace: Workspace, steps: int) -> None:
        workspace.swap_in("2-faces", self.finished(workspace, "one"))
        real, new, old = (workspace.path / f"2-faces{suffix}" for suffix in ("", ".new", ".old"))
        out = self.finished(workspace, "two")
        renames = [lambda: out.rename(new), lambda: real.rename(old), lambda: new.rename(real)]
        for rename in renames[:steps]:
            rename()
        with workspace.lock():
            assert self.content(workspace) == ("one" if steps == 0 else "two")
            assert not new.exists() and not old.exists()
