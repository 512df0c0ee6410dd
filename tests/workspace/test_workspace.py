"""The workspace directory: what is refused, what survives, what is written whole or not at all."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from fercli import chain
from fercli.errors import InputError, OutputError, WorkspaceError, WorkspaceLocked
from fercli.hashing import digest
from fercli.tables import BIOMETRIC, SCHEMAS
from fercli.workspace import FORMAT, FileState, Receipt, Workspace
from tests.fake_stages import STAGES, facts, run_chain


@pytest.fixture
def workspace(video: Path, tmp_path: Path) -> Workspace:
    return Workspace.create(tmp_path / "episode.fercli", facts(video))


def test_what_is_created_can_be_opened(workspace: Workspace, video: Path) -> None:
    assert Workspace.open(workspace.path).video == facts(video)


class TestAnUnchangedVideo:
    """Size, modification time and inode tell, as in git; nothing is read."""

    @pytest.fixture
    def known(self, video: Path, tmp_path: Path) -> Workspace:
        return Workspace.create(tmp_path / "w", facts(video), FileState.of(video))

    def test_is_taken_up_without_reading_it(self, known: Workspace, video: Path) -> None:
        found = Workspace.of_unchanged(known.path, video)
        assert found is not None and found.video == known.video and found.video_unchanged

    @pytest.mark.parametrize("how", ["content", "touched", "replaced", "gone"])
    def test_is_not_one_that_was(self, known: Workspace, video: Path, how: str) -> None:
        if how == "content":
            video.write_bytes(video.read_bytes() + b"more")
        elif how == "touched":
            os.utime(video, ns=(1, 1))
        elif how == "replaced":
            state = video.stat()
            copy = video.with_suffix(".copy")
            copy.write_bytes(b"\x02 video")
            copy.replace(video)
            os.utime(video, ns=(state.st_atime_ns, state.st_mtime_ns))
        else:
            video.unlink()
        assert Workspace.of_unchanged(known.path, video) is None
        assert not Workspace.open(known.path).video_unchanged

    def test_is_another_one_under_another_name(self, known: Workspace, video: Path) -> None:
        other = video.with_name("link.mp4")
        other.hardlink_to(video)
        assert Workspace.of_unchanged(known.path, other) is None

    def test_is_unknown_where_no_state_was_kept(self, workspace: Workspace, video: Path) -> None:
        assert Workspace.of_unchanged(workspace.path, video) is None

    @pytest.mark.parametrize("content", ["", "[]", '{"format": 1, "video": {"path": "/x"}}'])
    def test_is_unknown_where_the_workspace_cannot_be_read(self, known: Workspace, video: Path, content: str) -> None:
        (known.path / "workspace.json").write_text(content)
        assert Workspace.of_unchanged(known.path, video) is None

    def test_gets_its_new_state_when_it_was_read_again(self, known: Workspace, video: Path) -> None:
        os.utime(video, ns=(1, 1))
        Workspace.create(known.path, facts(video), FileState.of(video))
        assert Workspace.of_unchanged(known.path, video) is not None


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
    "content", ["", "{", "[]", '{"format": 3}', '{"format": "3", "video": {}}', '{"format": 3, "video": {"path": 3}}']
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
    attempts: list[Callable[[], object]] = [
        lambda: Workspace.open(workspace.path),
        lambda: Workspace.create(workspace.path, workspace.video),
    ]
    for attempt in attempts:
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
    (path / f".workspace.json.{'0' * 16}.tmp").write_text('{"format"')
    assert Workspace.create(path, facts(video)).video == facts(video)


def test_a_replaced_video_is_taken_up_while_nothing_was_corrected_by_hand(workspace: Workspace, video: Path) -> None:
    video.write_bytes(b"\x02 another")
    assert Workspace.create(workspace.path, facts(video)).video.sha256 == facts(video).sha256


def test_edits_are_not_passed_on_to_another_video(workspace: Workspace, video: Path) -> None:
    workspace.edits.write_text("")
    before = (workspace.path / "workspace.json").read_bytes()
    assert Workspace.create(workspace.path, facts(video))  # the same video is welcome
    video.write_bytes(b"\x02 another")
    with pytest.raises(
        WorkspaceError, match=r"is another video than before, and the edits in .*edits\.jsonl belong to the old one"
    ):
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
        return (workspace.path / "faces" / "receipt.json").read_text()

    def test_new_takes_the_place_of_old(self, workspace: Workspace) -> None:
        workspace.swap_in("faces", self.finished(workspace, "one"))
        assert self.content(workspace) == "one"
        workspace.swap_in("faces", self.finished(workspace, "two"))
        assert self.content(workspace) == "two"
        assert sorted(path.name for path in workspace.path.iterdir()) == [".lock", "faces", "workspace.json"]

    @pytest.mark.parametrize("steps", range(4))
    def test_the_next_lock_finishes_a_swap_that_was_cut_off(self, workspace: Workspace, steps: int) -> None:
        workspace.swap_in("faces", self.finished(workspace, "one"))
        real, new, old = (workspace.path / f"faces{suffix}" for suffix in ("", ".new", ".old"))
        out = self.finished(workspace, "two")
        renames: list[Callable[[], Path]] = [
            lambda: out.rename(new),
            lambda: real.rename(old),
            lambda: new.rename(real),
        ]
        for rename in renames[:steps]:
            rename()
        with workspace.lock():
            assert self.content(workspace) == ("one" if steps == 0 else "two")
            assert not new.exists() and not old.exists()


class TestWhatIsLeftBehind:
    """The next run that holds the lock removes what a killed one has left."""

    def test_temporary_files(self, workspace: Workspace) -> None:
        for name in (".exports.json.tmp", f".workspace.json.{'a' * 16}.tmp"):
            (workspace.path / name).write_text("half")
        with workspace.lock():
            pass
        assert sorted(path.name for path in workspace.path.iterdir()) == [".lock", "workspace.json"]

    @pytest.mark.parametrize("key", ["of the result", "of another run", "none"])
    def test_pieces_that_were_joined(self, workspace: Workspace, key: str) -> None:
        receipt = Receipt("detect-faces", 1, {"value": 1}, {}, {})
        partial = workspace.path / "faces.partial"
        (workspace.path / "faces").mkdir()
        (workspace.path / "faces" / "receipt.json").write_text(json.dumps(asdict(receipt)))
        (partial / "chunks" / "000000").mkdir(parents=True)
        if key != "none":
            made_for = receipt if key == "of the result" else replace(receipt, params={"value": 2})
            (partial / "key.json").write_bytes(made_for.key_file())
        with workspace.lock():
            assert partial.exists() == (key == "of another run")
            assert (workspace.path / "faces" / "receipt.json").exists()

    def test_the_link_that_versions_before_this_one_made_an_old_directory(
        self, workspace: Workspace, tmp_path: Path
    ) -> None:
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere" / "faces.parquet").touch()
        (workspace.path / "faces").mkdir()
        (workspace.path / "faces.old").symlink_to(tmp_path / "elsewhere")
        with workspace.lock():
            assert not (workspace.path / "faces.old").is_symlink() and (workspace.path / "faces").is_dir()
        assert (tmp_path / "elsewhere" / "faces.parquet").exists()


def test_a_lock_that_is_a_link_is_not_followed(workspace: Workspace, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (workspace.path / ".lock").unlink(missing_ok=True)
    (workspace.path / ".lock").symlink_to(victim)
    with pytest.raises(WorkspaceError, match="is a link"), workspace.lock():
        pass
    assert victim.read_text() == "precious"


@pytest.mark.parametrize("table", ["crops", "meshes", "embeddings", "sound"])
def test_what_versions_before_this_one_left_open_to_all_is_shut(workspace: Workspace, table: str) -> None:
    file = workspace.table(table)
    file.parent.mkdir()
    file.touch()
    file.chmod(0o644)
    with workspace.lock():
        pass
    assert file.stat().st_mode & 0o777 == 0o600
    biometric = {name for name, schema in SCHEMAS.items() if schema in BIOMETRIC}
    assert biometric == {"crops", "meshes", "embeddings", "sound"}


class TestAStageThatIsALink:
    """It may be read; it is never replaced, and the workspace is never half of one run and half of another."""

    @pytest.fixture(autouse=True)
    def fake_chain(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(chain, "STAGES", STAGES)

    @pytest.fixture
    def moved(self, workspace: Workspace, tmp_path: Path) -> Path:
        run_chain(workspace)
        elsewhere = tmp_path / "larger disk"
        (workspace.path / "faces").rename(elsewhere)
        (workspace.path / "faces").symlink_to(elsewhere)
        return elsewhere

    def everything(self, workspace: Workspace, moved: Path) -> dict[str, str]:
        files = [path for root in (workspace.path, moved) for path in root.rglob("*") if path.is_file()]
        return {str(path): digest(path) for path in files if path.name != ".lock"}

    @pytest.mark.parametrize("changed", ["extract_frames", "detect_faces"])
    def test_is_refused_before_any_work_where_it_would_run(
        self, workspace: Workspace, moved: Path, changed: str
    ) -> None:
        before = self.everything(workspace, moved)
        with pytest.raises(WorkspaceError, match="faces is a link") as caught:
            run_chain(workspace, None, **{changed: 2})
        assert caught.value.exit_code == 4 and self.everything(workspace, moved) == before
        undo = caught.value.hint.partition("run: ")[2]
        subprocess.run(undo, shell=True, check=True)
        run_chain(workspace, None, **{changed: 2})
        assert not (workspace.path / "faces").is_symlink() and not moved.exists()

    def test_is_read_by_the_others(self, workspace: Workspace, moved: Path) -> None:
        run_chain(workspace)
        run_chain(workspace, track=2)
        receipt = workspace.receipt("tracks")
        assert receipt is not None and receipt.params == {"value": 2} and moved.is_dir()

    def test_that_points_to_nothing(self, workspace: Workspace, moved: Path) -> None:
        moved.rename(moved.with_name("not mounted"))
        with pytest.raises(WorkspaceError, match="is a link") as caught:
            run_chain(workspace)
        assert caught.value.hint.endswith(f"run: rm {workspace.path / 'faces'}")

    def test_whose_pieces_are_one(self, workspace: Workspace, tmp_path: Path) -> None:
        (tmp_path / "pieces").mkdir()
        (tmp_path / "pieces" / "key.json").write_text("{}")
        (workspace.path / "faces.partial").symlink_to(tmp_path / "pieces")
        with pytest.raises(WorkspaceError, match=r"faces\.partial is a link"):
            run_chain(workspace)

    def test_a_disk_that_is_mounted_there(
        self, workspace: Workspace, moved: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (workspace.path / "faces").unlink()
        moved.rename(workspace.path / "faces")
        monkeypatch.setattr(Path, "is_mount", lambda self: self.name == "faces")
        run_chain(workspace, track=2)
        with pytest.raises(WorkspaceError, match="another disk"):
            run_chain(workspace, detect_faces=2)

    def test_a_workspace_that_is_one_is_as_good_as_any(self, workspace: Workspace, video: Path, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to(workspace.path)
        linked = Workspace.create(tmp_path / "link", facts(video))
        run_chain(linked)
        run_chain(linked, detect_faces=2)
        assert (tmp_path / "link").is_symlink() and (workspace.path / "faces" / "receipt.json").exists()
