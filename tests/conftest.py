"""What every test may ask for."""

from __future__ import annotations

from collections.abc import Callable
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


@pytest.fixture
def fill_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Once called, only half of what is written to a file fits on the disk."""

    def half_of_it(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise OSError(28, "No space left on device", str(self))

    return lambda: monkeypatch.setattr(Path, "write_bytes", half_of_it)
