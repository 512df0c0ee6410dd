"""Digests of files and directories."""

from __future__ import annotations

from pathlib import Path

from fercli.hashing import digest, output_digests


def test_a_directory_digest_sees_names_and_contents(tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    (images / "a").write_bytes(b"1")
    (images / "b").write_bytes(b"2")
    before = digest(images)
    (images / "b").write_bytes(b"3")
    changed = digest(images)
    (images / "b").write_bytes(b"2")
    (images / "b").rename(images / "c")
    assert len({before, changed, digest(images)}) == 3


def test_outputs_are_the_files_but_for_the_receipt_and_kept_images(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "000000.jpg").write_bytes(b"1")
    (tmp_path / "receipt.json").write_bytes(b"{}")
    (tmp_path / "frames.parquet").write_bytes(b"2")
    assert output_digests(tmp_path) == {"frames.parquet": digest(tmp_path / "frames.parquet")}
