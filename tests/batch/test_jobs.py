"""Which videos the arguments of a command name."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from fercli.batch.jobs import find_jobs, is_one_video
from fercli.errors import ConfigError, InputError, VideoError
from tests.failing import fails


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def inside(arguments: list[Path], *, recursive: bool = False) -> list[str]:
    return [str(job.inside) for job in find_jobs(arguments, recursive=recursive)]


def test_a_folder_gives_its_videos_of_all_suffixes_and_nothing_else(tmp_path: Path) -> None:
    names = ["b.mkv", "a.MP4", "c.webm", "notes.md", "a.json", ".hidden.mp4", "sub/d.mov"]
    touch(*(tmp_path / name for name in names))
    assert inside([tmp_path]) == ["a.MP4", "b.mkv", "c.webm"]


def test_folders_in_a_folder_are_searched_if_asked_but_hidden_ones_and_workspaces_are_not(tmp_path: Path) -> None:
    touch(tmp_path / "s1/e1.mkv", tmp_path / "s1/extra/e.mkv", tmp_path / ".trash/e.mkv", tmp_path / "e1.fercli/x.mp4")
    assert inside([tmp_path], recursive=True) == ["s1/e1.mkv", "s1/extra/e.mkv"]


def test_a_folder_without_a_video(tmp_path: Path) -> None:
    touch(tmp_path / "s1/e1.mkv")
    with fails(InputError, "no-videos", str(tmp_path)) as caught:
        find_jobs([tmp_path], recursive=False)
    assert "--recursive" in caught.value.hint


def test_names_may_hold_blanks_line_breaks_and_any_bytes(tmp_path: Path) -> None:
    names = [b"a b.mp4", b"latin-\xe9.mp4", b"line\nbreak.mp4"]
    for name in names:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).touch()
    assert [os.fsencode(job.video.name) for job in find_jobs([tmp_path], recursive=False)] == names


def test_a_list_has_a_path_a_line_relative_to_itself(tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_bytes(b"\xef\xbb\xbf# season 1\na.mp4\r\n\n  sub/b.mkv\n\xff.mp4\n")
    jobs = find_jobs([listed], recursive=False)
    assert sorted(os.fsencode(job.video) for job in jobs) == sorted(
        os.fsencode(tmp_path) + b"/" + name for name in (b"a.mp4", b"sub/b.mkv", b"\xff.mp4")
    )


def test_a_table_gives_each_video_its_part_gallery_and_name(tmp_path: Path) -> None:
    table = tmp_path / "jobs.csv"
    table.write_text("video,start,end,gallery,name\na.mp4,1:30,120,people,first\na.mp4,,,,\n")
    whole, part = find_jobs([table], recursive=False)
    assert (part.video, part.start_s, part.end_s, part.name) == (tmp_path / "a.mp4", 90.0, 120.0, "first")
    assert part.gallery == str(tmp_path / "people")
    assert (whole.start_s, whole.end_s, whole.gallery, whole.name) == (None, None, "", "")


@pytest.mark.parametrize(
    ("content", "code", "fact"),
    [
        ("video,begin\na.mp4,1\n", "table-columns", "begin"),
        ("name\nx\n", "table-columns", "video"),
        ("", "table-columns", "video"),
        ("video,start\na.mp4,now\n", "option-out-of-range", "line 2"),
        ("video,end\na.mp4,1\nb.mp4,-1\n", "option-out-of-range", "line 3"),
        ("video,name\na.mp4,../../x\n", "output-unsafe", "line 2"),
        ("video,name\na.mp4,/tmp/x\n", "output-unsafe", "line 2"),
        ("video,start\na.mp4,1,2,3\n", "table-malformed", "line 2"),
        ('video\n"a.mp4\n', "table-malformed", "line"),
    ],
)
def test_a_table_that_cannot_be_used(tmp_path: Path, content: str, code: str, fact: str) -> None:
    table = tmp_path / "jobs.csv"
    table.write_text(content)
    with fails(ConfigError, code, str(table), fact):
        find_jobs([table], recursive=False)


def test_a_list_that_is_not_there(tmp_path: Path) -> None:
    with fails(VideoError, "file-missing", "none.txt"):
        find_jobs([tmp_path / "none.txt"], recursive=False)


def test_the_order_of_the_arguments_does_not_matter_and_a_video_named_twice_is_one_job(tmp_path: Path) -> None:
    touch(*(tmp_path / f"{name}.mp4" for name in "abcd"))
    arguments = [*sorted(tmp_path.iterdir()), tmp_path]
    first = [job.video for job in find_jobs(arguments, recursive=False)]
    assert [video.name for video in first] == ["a.mp4", "b.mp4", "c.mp4", "d.mp4"]
    for seed in range(5):
        random.Random(seed).shuffle(arguments)
        assert [job.video for job in find_jobs(arguments, recursive=False)] == first


def test_one_video_is_no_folder_list_or_table(tmp_path: Path) -> None:
    assert is_one_video([tmp_path / "a.mp4"])
    many = [[tmp_path], [tmp_path / "l.txt"], [tmp_path / "t.CSV"], [tmp_path / "a.mp4", tmp_path / "b.mp4"]]
    assert not any(is_one_video(arguments) for arguments in many)


def test_addresses_on_the_command_line_in_lists_and_in_tables(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("s3://bucket/season/e2.mp4\n")
    (tmp_path / "table.csv").write_text("video,sha256\nmemory://e3.mkv,abc\n")
    given = [Path("https://host/a%20b/e%201.mp4?x=1"), tmp_path / "list.txt", tmp_path / "table.csv"]
    jobs = find_jobs(given, recursive=False, fetched=tmp_path / "videos")
    assert [(job.url, str(job.inside), job.sha256) for job in jobs] == [
        ("https://host/a%20b/e%201.mp4?x=1", "e 1.mp4", ""),
        ("s3://bucket/season/e2.mp4", "e2.mp4", ""),
        ("memory://e3.mkv", "e3.mkv", "abc"),
    ]
    assert [job.video.name.partition("-")[2] for job in jobs] == ["e 1.mp4", "e2.mp4", "e3.mkv"]
    assert {job.video.parent for job in jobs} == {tmp_path / "videos"} and not is_one_video(given[:1])
