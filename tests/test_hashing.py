"""Digests of files and directories."""

from __future__ import annotations

from pathlib import Path

from fercli.hashing import digest, output_digests


def test_a_directory_digest_sees_names_and_contents(tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    (images / "a").write_bytes(b"1")
    (images / "b").write_bytes(b"2")
    before = output_digests(tmp_path)["images"]
    (images / "b").write_bytes(b"3")
    changed = digest(images)
    (images / "b").write_bytes(b"2")
    (images / "b").rename(images / "c")
    assert len({before, changed, digest(images)}) == 3
