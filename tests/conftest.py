"""What every test may ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The directory of real clips and pictures that may lie beside the checkout; without it the test is skipped."""
    path = ROOT.parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip("no ../shared/data beside the checkout: real clips and pictures are not at hand")
    return path


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """A file that stands for a video where none is decoded."""
    path = tmp_path / "episode.mp4"
    path.write_bytes(b"\x01 video")
    return path
