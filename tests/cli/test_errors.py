"""Every error a person can run into, through `main`: exit code, message, hint, and nothing lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import typer

from fercli.cli.app import app
from fercli.cli.entry import main
from fercli.errors import FercliError
from tests.media_samples import ffmpeg

REPOSITORY = Path(__file__).parent.parent.parent


def make_video(path: Path, *, seconds: int = 1, noise: bool = False) -> Path:
    """A film with nobody in it."""
    source = "color=gray:size=96x64:rate=10" + (",noise=alls=80:allf=t" if noise else "")
    ffmpeg("-f", "lavfi", "-i", f"{source}", "-t", str(seconds), "-pix_fmt", "yuv420p", str(path))
    return path


def make_audio(path: Path) -> Path:
    """A song without pictures."""
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac", str(path))
    return path


def fail(capsys: pytest.CaptureFixture[str], *argv: object) -> tuple[int, str]:
    code = main([str(arg) for arg in argv])
    captured = capsys.readouterr()
    assert captured.out == ""
    return code, captured.err


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished workspace of a short film without faces."""
    folder = tmp_path_factory.mktemp("done")
    video = make_video(folder / "grey.mp4")
    assert main(["annotate", str(video), "-o", str(folder / "grey.json"), "-q"]) == 0
    return folder / "grey.fercli"


@pytest.fixture
def copy(done: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(done, tmp_path / "grey.fercli"))


class TestVideo:
    def test_missing(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        code, err = fail(capsys, "annotate", tmp_path / "episode.mp4", "-o", tmp_path / "out.json")
        assert code == 3
        assert f"{tmp_path / 'episode.mp4'}" in err and "hint: " in err

    def test_directory_without_videos(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        code, err = fail(capsys, "annotate", tmp_path, "-o", tmp_path / "out")
        assert code == 3 and "error[no-videos]" in err and str(tmp_path) in err

    def test_what_is_no_video_is_said_before_anything_else(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        code, err = fail(capsys, "annotate", ".")
        assert code == 3 and "error[no-videos]" in err
        code, err = fail(capsys, "annotate", "missing.mp4", "-o", "out.docx")
        assert code == 3 and "there is no file missing.mp4" in err

    def test_empty(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "empty.mp4").touch()
        code, err = fail(capsys, "annotate", tmp_path / "empty.mp4", "-o", tmp_path / "out.json")
        assert code == 3 and "empty" in err

    def test_text(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "notes.mp4").write_text("Dear diary, " * 100)
        code, err = fail(capsys, "annotate", tmp_path / "notes.mp4", "-o", tmp_path / "out.json")
        assert code == 3 and "notes.mp4" in err

    def test_audio_only(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        audio = make_audio(tmp_path / "song.m4a")
        code, err = fail(capsys, "annotate", audio, "-o", tmp_path / "out.json")
        assert code == 3 and "song.m4a has sound but no picture" in err

    @pytest.mark.parametrize("name", [b"caf\xe9.mp4", b"a\nb.mp4", b"bell\x07.mp4"])
    def test_a_name_that_cannot_be_written(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: bytes
    ) -> None:
        video = make_video(tmp_path / "grey.mp4").rename(tmp_path / os.fsdecode(name))
        for command in (["annotate", video, "-o", tmp_path / "out.json"], ["extract-frames", video, tmp_path / "w"]):
            code, err = fail(capsys, *command)
            assert code == 3 and repr(video.name)[1:-1] in err and "hint: rename the file" in err
        assert list(tmp_path.iterdir()) == [video]

    def test_nothing_is_left_behind(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "notes.mp4").write_text("Dear diary, " * 100)
        fail(capsys, "annotate", tmp_path / "notes.mp4", "-o", tmp_path / "out.json")
        assert [path.name for path in tmp_path.iterdir()] == ["notes.mp4"]

    def test_moved_away_before_the_stage_that_needs_it(
        self, tmp_path: Path, copy: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        text = (copy / "workspace.json").read_text().replace("grey.mp4", "gone.mp4")
        (copy / "workspace.json").write_text(text)
        code, err = fail(capsys, "detect-faces", copy, "--force")
        assert code == 3 and "gone.mp4 is missing" in err and "ln -s NEW_PATH" in err


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "named"),
        [
            (["--fps", "often"], "--fps 'often'"),
            (["--fps", "0"], "--fps '0'"),
            (["--fps", "nan"], "--fps 'nan'"),
            (["--start", "1:2:3:4"], "--start"),
            (["--end", "-5"], "--end"),
            (["--start", "999"], "999"),
            (["--format", "xml"], "known: json, records, jsonl, csv"),
            (["--device", "tpu"], "known: auto, cpu, cuda"),
            (["--batch", "-5"], "the batch is -5"),
            (["--min-face", "-3"], "min_size is -3"),
            (["--max-side", "1"], "max_side is 1"),
            (["--min-score", "nan"], "min_score is nan"),
            (["--end", "0"], "--end '0' leaves nothing"),
            (["--start", "5", "--end", "5"], "from 5 s to 5 s is empty"),
        ],
    )
    def test_unusable_value(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], named: str
    ) -> None:
        video = make_video(tmp_path / "grey.mp4")
        code, err = fail(capsys, "annotate", video, "-o", tmp_path / "out.json", *options)
        assert code == 2 and named in err
        assert not (tmp_path / "out.json").exists()
        # A time outside the video is only found in it.
        assert (tmp_path / "grey.fercli").exists() == (options == ["--start", "999"])

    def test_an_angle_that_no_head_has(self, copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
        code, err = fail(capsys, "classify-emotions", copy, "--max-yaw", "200")
        assert code == 2 and "error[option-out-of-range]" in err and "max_yaw is 200" in err

    def test_a_device_that_is_not_there_is_found_before_the_work(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("torch.cuda.is_available", lambda: False)
        video = make_video(tmp_path / "grey.mp4")
        code, err = fail(capsys, "annotate", video, "-o", tmp_path / "out.json", "--device", "cuda")
        assert code == 2 and "torch finds no CUDA device" in err and not (tmp_path / "grey.fercli").exists()

    def test_unknown_option_and_command(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert fail(capsys, "annotate", "--frobnicate")[0] == 2
        assert fail(capsys, "anotate")[0] == 2

    def test_unknown_suffix_is_found_before_the_work(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        video = make_video(tmp_path / "grey.mp4")
        code, err = fail(capsys, "annotate", video, "-o", tmp_path / "out.docx")
        assert code == 2 and ".docx" in err and not (tmp_path / "grey.fercli").exists()

    def test_missing_output_directory_is_found_before_the_work(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        video = make_video(tmp_path / "grey.mp4")
        code, err = fail(capsys, "annotate", video, "-o", tmp_path / "no" / "out.json")
        assert code == 4 and f"mkdir -p {tmp_path / 'no'}" in err and not (tmp_path / "no").exists()


class TestModels:
    def test_unknown_detector(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        video = make_video(tmp_path / "grey.mp4")
        code, err = fail(capsys, "annotate", video, "-o", tmp_path / "out.json", "--detector", "viola")
        assert code == 5 and "unknown detector 'viola'" in err and "centerface" in err

    def test_unknown_classifier(self, copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
        code, err = fail(capsys, "classify-emotions", copy, "--model", "gpt")
        assert code == 5 and "unknown classifier 'gpt'" in err and "tsm-resnet18" in err

    def test_missing_weights_file(self, copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
        code, err = fail(capsys, "classify-emotions", copy, "--model", "mine.safetensors")
        assert code == 5 and "mine.safetensors" in err

    def test_weights_of_something_else(self, copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "mine.safetensors").write_bytes(b"not weights at all")
        code, err = fail(capsys, "classify-emotions", copy, "--model", tmp_path / "mine.safetensors")
        assert code == 5 and "mine.safetensors is not a fercli classifier" in err

    def test_altered_weights(
        self, copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        original = (REPOSITORY / "weights" / "centerface.onnx").read_bytes()
        (tmp_path / "centerface.onnx").write_bytes(original[:-1] + bytes([original[-1] ^ 1]))
        monkeypatch.setenv("FERCLI_WEIGHTS", str(tmp_path))
        code, err = fail(capsys, "detect-faces", copy)
        assert code == 5 and "is not the registered file of centerface" in err

    def test_yunet_without_a_file(self, copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
        code, err = fail(capsys, "detect-faces", copy, "--detector", "yunet")
        assert code == 5 and "hint: " in err


class TestWorkspace:
    def test_missing(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        code, err = fail(capsys, "track", tmp_path / "no.fercli")
        assert code == 3 and "fercli extract-frames VIDEO" in err

    @pytest.mark.parametrize("name", ["x" * 300, "loop"])
    @pytest.mark.parametrize(
        "command", [["status"], ["show"], ["report"], ["render"], ["track"], ["import", "FILE"], ["explain"]]
    )
    def test_a_path_that_no_file_system_takes(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, command: list[str]
    ) -> None:
        (tmp_path / "loop").symlink_to("loop")
        code, err = fail(capsys, command[0], tmp_path / name, *command[1:])
        assert code in (3, 4) and name in err and "hint: " in err and "bug" not in err

    def test_foreign(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        code, err = fail(capsys, "status", tmp_path)
        assert code == 4 and "is not a fercli workspace" in err

    def test_newer(self, copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
        document = json.loads((copy / "workspace.json").read_text())
        (copy / "workspace.json").write_text(json.dumps({**document, "format": 99}))
        code, err = fail(capsys, "status", copy)
        assert code == 4 and "format 99" in err and "pip install -U fercli" in err

    def test_stage_out_of_order(self, copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
        shutil.rmtree(copy / "faces")
        code, err = fail(capsys, "track", copy)
        assert code == 4
        assert "track needs detect-faces first: it has not run yet" in err
        assert f"hint: run: fercli detect-faces {copy}" in err

    def test_corrupt_table(self, copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (copy / "faces" / "faces.parquet").write_bytes(b"PAR1 garbage")
        code, err = fail(capsys, "track", copy)
        assert code == 4 and "faces/faces.parquet was altered" in err and "fercli detect-faces" in err

    def test_locked(self, copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
        code = "import sys; from pathlib import Path; from fercli.workspace import Workspace\n"
        code += "with Workspace.open(Path(sys.argv[1])).lock(): print('locked', flush=True); sys.stdin.read()"
        command = [sys.executable, "-c", code, str(copy)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
            assert other.stdout is not None and other.stdin is not None
            other.stdout.readline()
            exit_code, err = fail(capsys, "track", copy)
            other.stdin.close()
        assert exit_code == 4 and "another fercli process is working" in err

    def test_unwritable(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        video = make_video(tmp_path / "grey.mp4")
        code, err = fail(capsys, "annotate", video, "-o", tmp_path / "out.json", "--workdir", "/proc/grey.fercli")
        assert code == 4 and "cannot write /proc/grey.fercli" in err and "choose a writable place" in err


def test_a_bug_has_its_own_exit_code(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> str:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("fercli.cli.doctor.model_state", broken)
    code, err = fail(capsys, "models")
    assert code == 70 and "a bug in fercli: ZeroDivisionError: oh" in err and "fercli doctor" in err


def test_ctrl_c_ends_with_130_and_can_go_on(tmp_path: Path) -> None:
    video = make_video(tmp_path / "long.mp4", seconds=60)
    command = [sys.executable, "-m", "fercli.cli.entry", "annotate", str(video), "-o", str(tmp_path / "out.json")]

    def listen_to_ctrl_c() -> None:
        """Programs started in the background by a script inherit that SIGINT is ignored; tests may be such ones."""
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    with subprocess.Popen(
        command, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True, preexec_fn=listen_to_ctrl_c
    ) as process:
        deadline = time.monotonic() + 300
        while not (tmp_path / "long.fercli" / "frames.partial").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "run the same command again to continue" in err
    assert not (tmp_path / "out.json").exists()
    assert main(["status", str(tmp_path / "long.fercli")]) == 0


def test_exit_codes_are_distinct_and_documented() -> None:
    families = [cls for cls in FercliError.__subclasses__() if cls.__module__ == "fercli.errors"]
    codes = {cls.__name__: cls.exit_code for cls in families}
    assert codes == {"ConfigError": 2, "InputError": 3, "WorkspaceError": 4, "ModelError": 5, "Cancelled": 130}


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a small file system")
def test_a_full_disk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    disk = tmp_path / "small"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a tmpfs here: {mounted.stderr.decode().strip()}")
    try:
        video = make_video(tmp_path / "noise.mp4", seconds=4, noise=True)
        workspace = disk / "noise.fercli"
        code, err = fail(capsys, "extract-frames", video, workspace)
        assert code == 4 and "No space left on device" in err and "free some space" in err
        assert not (workspace / "frames").exists()
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        assert main(["extract-frames", str(video), str(workspace), "-q"]) == 0
    finally:
        subprocess.run(["umount", str(disk)], check=True)


class TestWhoIsWho:
    @pytest.mark.parametrize(
        ("option", "name", "said"),
        [("--gallery", "people", "does not exist"), ("--cast", "show.cast", "is not a cast file of fercli")],
    )
    def test_what_cannot_be_used_is_refused_before_any_work(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, name: str, said: str
    ) -> None:
        video = make_video(tmp_path / "grey.mp4")
        (tmp_path / "show.cast").write_text("Ross, Rachel")
        code, err = fail(capsys, "annotate", video, "-o", tmp_path / "out.json", option, tmp_path / name)
        assert code == 3 and f"{tmp_path / name} {said}" in err
        assert not (tmp_path / "grey.fercli").exists()

    def test_a_damaged_line_of_the_log_is_named_and_the_rest_is_exported(
        self, done: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        copy = Path(shutil.copytree(done, tmp_path / "w"))
        (copy / "edits.jsonl").write_text('\n{"edit": "rename", "person": "Person 1"}\n')
        for words in (
            ["export", copy, "-o", tmp_path / "out.json"],
            ["status", copy],
            ["people", copy],
            ["edits", copy],
        ):
            assert main([str(word) for word in words]) == 0
            captured = capsys.readouterr()
            assert "warning: edits.jsonl:2: rename without" in captured.out + captured.err, words
        warnings = json.loads((tmp_path / "out.json").read_text())["warnings"]
        assert [warning for warning in warnings if warning.startswith("edits.jsonl:2: ")]


def test_no_file_that_may_not_be_read_is_taken_for_a_wrong_option(
    video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(self: Path, *args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    mine = tmp_path / "mine.csv"
    mine.touch()
    monkeypatch.setattr(os, "access", lambda *args, **kwargs: False)
    monkeypatch.setattr(Path, "open", denied)
    monkeypatch.setattr(Path, "read_bytes", denied)
    monkeypatch.setattr(Path, "read_text", denied)
    for argv, code in (
        (["annotate", video, "-o", tmp_path / "o.json"], 3),
        (["explain", mine, "-o", tmp_path / "o.png"], 3),
        (["evaluate", mine, "--truth", mine], 3),
        (["evaluate", "tracks", mine], 3),
        (["show", tmp_path], 4),
        (["status", tmp_path], 4),
    ):
        assert fail(capsys, *argv)[0] == code


def test_a_directory_that_may_not_be_looked_into_is_no_bug(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(self: Path, *args: object, **kwargs: object) -> bool:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "exists", denied)
    code, err = fail(capsys, "show", tmp_path / "w")
    assert code == 3 and f"cannot read {tmp_path / 'w'}: Permission denied" in err


def test_every_path_on_the_command_line_is_left_to_who_opens_it() -> None:
    def paths(group: typer.Typer) -> Iterator[tuple[str, Any]]:
        for command in group.registered_commands:
            for name, hint in get_type_hints(command.callback, include_extras=True).items():
                for one in (hint, *get_args(hint)):  # Python 3.10 puts an Optional round what is None by default
                    if "Path" in str(get_args(one)[:1]):
                        yield from ((f"{command.callback} {name}", info) for info in getattr(one, "__metadata__", ()))
        for inner in group.registered_groups:
            assert inner.typer_instance is not None
            yield from paths(inner.typer_instance)

    found = list(paths(app))
    assert len(found) > 20 and [name for name, info in found if info.readable] == []
