"""No path leaves the root."""

from __future__ import annotations

from pathlib import Path

import pytest

from fercli.errors import ConfigError, InputError
from fercli.serve.orders import order_of
from fercli.serve.places import below, clean_file_name, list_videos, video_below
from tests.failing import fails
from tests.serve.test_jobs import problem
from tests.serve.world import MP4, World

OUTSIDE = [
    "/etc/passwd",
    "../secret.mp4",
    "a/../../secret.mp4",
    "..",
    ".",
    "",
    "./a.mp4/..",
    ".fercli/jobs.sqlite",
    "folder/.hidden/a.mp4",
    "link/secret.mp4",
    "link.mp4",
    "loop/loop/a.mp4",
    "C:/a.mp4",
    "C:\\a.mp4",
    "C:a.mp4",
    "\\\\server\\share\\a.mp4",
    "..\\secret.mp4",
    "a\0.mp4",
    "a\n.mp4",
    "a\ud800.mp4",
    "~/../../secret.mp4",
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with links that lead out of it."""
    (tmp_path / "secret.mp4").write_bytes(MP4)
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    (root / "folder" / "a.mp4").write_bytes(MP4)
    (root / "folder" / "notes.txt").write_text("no video")
    (root / ".fercli").mkdir()
    (root / ".fercli" / "b.mp4").write_bytes(MP4)
    (root / "link").symlink_to(tmp_path)
    (root / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    (root / "data").symlink_to(root / ".fercli")
    (root / "loop").symlink_to(root / "loop")
    (root / "inside.mp4").symlink_to(root / "folder" / "a.mp4")
    return root


@pytest.mark.parametrize("text", [*OUTSIDE, "data/b.mp4"])
def test_no_path_leaves_the_root(root: Path, text: str) -> None:
    with fails(InputError, "path-outside"):
        below(root, text)


@pytest.mark.parametrize("text", ["folder/a.mp4", "inside.mp4", "folder//a.mp4", "%2e%2e%2fsecret.mp4", "é x.mp4"])
def test_paths_below_the_root_are_taken_as_they_are(root: Path, text: str) -> None:
    assert below(root, text) == root / text


def test_a_video_must_be_a_file(root: Path) -> None:
    assert video_below(root, "folder/a.mp4") == root / "folder" / "a.mp4"
    with fails(InputError, "not-a-file"):
        video_below(root, "folder")
    with fails(InputError, "file-missing"):
        video_below(root, "none.mp4")


def test_only_videos_below_the_root_are_listed(root: Path) -> None:
    found = list_videos(root, "")
    assert (found.folders, found.videos, found.complete) == (["folder"], [("inside.mp4", len(MP4))], True)
    assert list_videos(root, "folder").videos == [("folder/a.mp4", len(MP4))]
    with fails(InputError, "path-outside"):
        list_videos(root, "link")
    with fails(InputError, "file-missing"):
        list_videos(root, "none")


@pytest.mark.parametrize(
    "options",
    [
        {"persons": {"gallery": "../people"}},
        {"persons": {"cast": "/tmp/cast"}},
        {"faces": {"weights": "../net.onnx"}},
        {"emotions": {"model": "../../net.safetensors"}},
        {"emotions": {"model": ".."}},
        {"tracks": {"embedder": "/etc/net.onnx"}},
        {"speech": {"model": "..\\model.bin"}},
        {"speech": {"model": "/models"}},
    ],
)
def test_no_option_leaves_the_root(root: Path, options: dict[str, object]) -> None:
    with fails(InputError, "path-outside"):
        order_of(options, root, "cpu")


def test_a_gallery_below_the_root_becomes_its_path(root: Path) -> None:
    (persons,) = order_of({"persons": {"gallery": "folder"}}, root, "cpu").params
    assert persons.gallery == str(root / "folder")
    with fails(ConfigError, "option-unusable"):
        order_of({"persons": {"gallery": 3}}, root, "cpu")


@pytest.mark.parametrize("path", OUTSIDE[:-2])
def test_requests_do_not_leave_the_root(here: World, path: str) -> None:
    (here.root.parent / "secret.mp4").write_bytes(MP4)
    assert here.client.post("/v1/jobs", json={"path": path}).status_code in (404, 422)
    assert here.client.get("/v1/files", params={"folder": path}).status_code in (200 if not path else 422, 404)


@pytest.mark.parametrize(
    "address",
    [
        "/v1/jobs/..%2f..%2fsecret.mp4",
        "/v1/jobs/%2e%2e/video",
        "/page/..%2fapp.py",
        "/page/%2e%2e%2fapp.py",
        "/page/__init__.py",
        "/v1/jobs/0123456789abcdef%00/video",
        "/v1/jobs/0123456789ABCDEF/video",
    ],
)
def test_addresses_do_not_leave_it_either(here: World, address: str) -> None:
    status, _ = problem(here.client.get(address))
    assert status == 404


@pytest.mark.parametrize(
    ("given", "kept"), [("a.mp4", "a.mp4"), ("NUL", "video-NUL"), ("", "video"), ("...", "video"), ("a.mp4. ", "a.mp4")]
)
def test_names_are_what_file_systems_can_hold(given: str, kept: str) -> None:
    assert clean_file_name(given) == kept
