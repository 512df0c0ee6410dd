"""Where the files of each video go."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fercli.batch.jobs import Job, find_jobs
from fercli.batch.places import assign_places
from fercli.errors import ConfigError
from fercli.hashing import sha256_file
from tests.failing import fails
from tests.workspaces import VIDEO, make_workspace


def write(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(path))


def bases(arguments: list[Path], out: Path) -> dict[str, str]:
    jobs = find_jobs(arguments, recursive=True)
    places = assign_places(jobs, out)
    return {str(job.video): str(place.base.relative_to(out)) for job, place in zip(jobs, places, strict=True)}


def test_outputs_lie_as_the_videos_do(tmp_path: Path) -> None:
    write(tmp_path / "show/s1/e1.mkv", tmp_path / "show/s2/e1.mkv", tmp_path / "x.mp4")
    assert list(bases([tmp_path / "show", tmp_path / "x.mp4"], tmp_path / "out").values()) == ["s1/e1", "s2/e1", "x"]


def test_videos_that_differ_in_their_suffix_only(tmp_path: Path) -> None:
    write(tmp_path / "v/a.mov", tmp_path / "v/a.mp4")
    assert list(bases([tmp_path / "v"], tmp_path / "out").values()) == ["a", "a.mp4"]


def test_videos_of_one_name_in_different_folders(tmp_path: Path) -> None:
    videos = [tmp_path / "s1/e.mkv", tmp_path / "s2/e.mkv", tmp_path / "t/s2/e.mkv"]
    write(*videos)
    found = bases(videos, tmp_path / "out")
    assert [found[str(video)] for video in videos] == ["e", "e.mkv", "s2/e"]
    assert bases(videos[::-1], tmp_path / "out") == found


def test_names_that_differ_in_case_only_are_not_mixed_up(tmp_path: Path) -> None:
    write(tmp_path / "v/A.mp4", tmp_path / "v/a.mp4")
    assert sorted(bases([tmp_path / "v"], tmp_path / "out").values()) == ["A", "a.mp4"]


def test_a_workspace_stays_with_its_video_when_others_join(tmp_path: Path) -> None:
    write(tmp_path / "v/a.mp4", tmp_path / "v/a.mov")
    video = tmp_path / "v/a.mp4"
    facts = replace(VIDEO, path=str(video), size=video.stat().st_size, sha256=sha256_file(video))
    make_workspace(tmp_path / "out/a.fercli", facts)
    assert list(bases([tmp_path / "v"], tmp_path / "out").values()) == ["a.mov", "a"]


def test_parts_of_one_video_need_names(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4")
    jobs = [Job(tmp_path / "a.mp4", Path("a.mp4"), start) for start in (0.0, 5.0)]
    named = [replace(job, name=f"part {number}") for number, job in enumerate(jobs)]
    assert [place.base.name for place in assign_places(named, tmp_path)] == ["part 0", "part 1"]
    with fails(ConfigError, "jobs-alike", "a.mp4"):
        assign_places([replace(job, name="x") for job in jobs], tmp_path)


def test_a_long_name_is_shortened(tmp_path: Path) -> None:
    (place,) = assign_places([Job(tmp_path / ("n" * 255), Path("n" * 255))], tmp_path)
    assert max(len(path.name) for path in (place.workspace, place.output(".json"))) <= 255
