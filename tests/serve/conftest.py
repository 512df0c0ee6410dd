"""A service for every test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="no FastAPI: pip install 'fercli[serve]'")
pytest.importorskip("httpx", reason="no httpx: pip install httpx")

from tests.serve.world import World, world


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A running service over an empty root, without a token."""
    with world(tmp_path, monkeypatch) as made:
        yield made
