"""`fercli dataset build` and `rebuild` through `main`; the stages are replaced by a workspace made by hand."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fercli.batch.outcome import DONE, Outcome, failure
from fercli.batch.work import Task
from fercli.cli.entry import main
from fercli.corpus.manifest import Clip, read_manifest
from fercli.errors import VideoError
from fercli.hashing import digest, sha256_file
from tests.corpus.corpora import numbers
from tests.media_samples import ffmpeg, numbered_video
from tests.views.report.film import START_S, make_film
from tests.workspaces import VIDEO


@pytest.fixture(scope="module")
def episode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The video of `make_film`: pictures from START_S on, five a second, and sound from the start."""
    folder = tmp_path_factory.mktemp("episode")
    silent = numbered_video(folder / "silent.mp4", 45, fps="5")
    sound = ("-f", "lavfi", "-i", f"sine=440:sample_rate=44100:duration={START_S + 9}")
    late = ("-itsoffset", str(START_S), "-i", str(silent))
    ffmpeg(*sound, *late, "-map", "1:v", "-map", "0:a", "-c", "copy", "-c:a", "pcm_s16le", str(folder / "e.mkv"))
    return folder / "e.mkv"


@pytest.fixture
def videos(episode: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the episode, which `annotate` is taken to have analysed, and one that it cannot read."""
    folder = tmp_path / "videos"
    folder.mkdir()
    shutil.copy(episode, folder / "e1.mkv")

    def run(place: Path, tasks: Sequence[Task], *rest: Any) -> list[Outcome]:
        return [annotated(task) for task in tasks]

    monkeypatch.setattr("fercli.corpus.build.run", run)
    return folder


def annotated(task: Task) -> Outcome:
    video = task.job.video
    if video.stat().st_size < 1000:
        return failure(str(video), VideoError(f"{video} is damaged", code="video-damaged"))
    if not task.place.workspace.exists():
        facts = replace(
            VIDEO,
            path=str(video),
            size=video.stat().st_size,
            sha256=sha256_file(video),
            start_s=START_S,
            duration_s=9.0,
            width=128,
            height=64,
        )
        make_film(task.place.workspace, facts)
    return Outcome(str(video), DONE, persons=2, segments=5)


def build(videos: Path, corpus: Path, *options: str) -> int:
    return main(["dataset", "build", str(videos), "-o", str(corpus), "--jobs", "1", *options])


def of(clips: Sequence[Clip], person: str) -> list[tuple[str, int, int]]:
    return [(one.emotion, one.first_frame, one.frames) for one in clips if one.person == person]


def test_a_corpus_has_the_clips_their_files_and_a_card(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = tmp_path / "corpus"
    assert build(videos, corpus, "--licence", "CC BY 4.0") == 0
    clips = read_manifest(corpus / "manifest.parquet")
    assert of(clips, "Person 2") == [("anger", 0, 10)]
    assert [found[1:] for found in of(clips, clips[0].person)] == [(0, 20), (20, 10), (35, 10)]
    for one in clips:
        file = corpus / f"clips/{one.id}.mp4"
        assert numbers(file) == list(range(one.first_frame, one.first_frame + one.frames))
        assert (one.rate, one.first_sample, one.samples) == (44_100, round(one.start_s * 44_100), one.frames * 8820)
        assert (corpus / f"sound/{one.id}.wav").stat().st_size == 44 + 2 * one.samples
    assert corpus.stat().st_mode & 0o077 == 0
    card = (corpus / "README.md").read_text()
    assert 'license_name: "CC BY 4.0"' in card and "| Person 2 | 1 | 2.0 |" in card and "**Consent.**" in card
    assert f"{len(clips)} clips" in capsys.readouterr().out


def test_only_what_is_asked_for(videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build(videos, tmp_path / "a", "--person", "Person 2", "--max-length", "1", "--manifest-only") == 0
    assert of(read_manifest(tmp_path / "a/manifest.parquet"), "Person 2") == [("anger", 0, 5), ("anger", 5, 5)]
    assert not (tmp_path / "a/clips").exists() and (tmp_path / "a/README.md").is_file()
    assert build(videos, tmp_path / "b", "--emotion", "happy", "--manifest-only") == 0
    assert {one.emotion for one in read_manifest(tmp_path / "b/manifest.parquet")} == {"happiness"}
    capsys.readouterr()
    for options, code, name in (
        (["--person", "Nobody"], 3, "corpus-empty"),
        (["--speaking"], 3, "corpus-empty"),
        (["--emotion", "glee"], 2, "name-unknown"),
        (["--min-length", "9", "--max-length", "3"], 2, "option-out-of-range"),
        (["--split-by", "luck"], 2, "name-unknown"),
    ):
        assert build(videos, tmp_path / "c", *options) == code
        assert f"error[{name}]" in capsys.readouterr().err
    (tmp_path / "full").mkdir()
    (tmp_path / "full/thesis.txt").touch()
    assert build(videos, tmp_path / "full") == 2


def test_a_video_that_fails_does_not_stop_the_others(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (videos / "broken.mp4").write_bytes(b"no video")
    assert build(videos, tmp_path / "corpus", "--manifest-only") == 6
    assert "error[video-damaged]" in capsys.readouterr().err
    assert {one.video for one in read_manifest(tmp_path / "corpus/manifest.parquet")} == {"e1.mkv"}


def test_a_second_run_cuts_only_what_has_changed(videos: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    assert build(videos, corpus) == 0
    before = {path.name: path.stat().st_mtime_ns for path in (corpus / "clips").iterdir()}
    assert build(videos, corpus) == 0
    assert {path.name: path.stat().st_mtime_ns for path in (corpus / "clips").iterdir()} == before
    assert build(videos, corpus, "--max-length", "3") == 0
    after = {path.name: path.stat().st_mtime_ns for path in (corpus / "clips").iterdir()}
    assert {path.stem for path in (corpus / "clips").iterdir()} == {
        one.id for one in read_manifest(corpus / "manifest.parquet")
    }
    kept = [name for name in after if before.get(name) == after[name]]
    assert len(kept) == 3 and len(after) == 5  # the clip of four seconds became two


def test_the_same_episode_twice_is_not_in_two_splits(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(videos / "e1.mkv", videos / "recap.mkv")
    with (videos / "recap.mkv").open("ab") as file:
        file.write(b"\0")  # another file with the same pictures
    assert build(videos, tmp_path / "corpus") == 0
    clips = read_manifest(tmp_path / "corpus/manifest.parquet")
    assert {one.split for one in clips} == {"train", "left-out"}
    assert sum(one.split == "left-out" for one in clips) == len(clips) / 2
    assert "left-out" in capsys.readouterr().err
    assert len((tmp_path / "corpus/doubles.csv").read_text().splitlines()) == 1 + len(clips) // 2


def test_clips_are_rebuilt_from_manifest_and_videos_as_they_were(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(videos, tmp_path / "a") == 0
    manifest = tmp_path / "a/manifest.parquet"
    again = ["dataset", "rebuild", str(manifest), "--videos", str(tmp_path), "-o", str(tmp_path / "b"), "--jobs", "1"]
    assert main(again) == 0
    for name in ("clips", "faces", "frames", "sound", "text"):
        assert digest(tmp_path / "a" / name) == digest(tmp_path / "b" / name)
    assert (tmp_path / "b/README.md").read_text() == (tmp_path / "a/README.md").read_text()
    capsys.readouterr()
    with (videos / "e1.mkv").open("ab") as file:
        file.write(b"\0")
    shutil.rmtree(tmp_path / "b")
    assert main(again) == 6
    assert "error[source-other]" in capsys.readouterr().err and not (tmp_path / "b/clips").exists()
    (videos / "e1.mkv").unlink()
    assert main(again) == 6
    assert "error[file-missing]" in capsys.readouterr().err
