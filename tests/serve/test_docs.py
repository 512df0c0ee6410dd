"""The client in docs/serve.md runs as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fercli.serve.problems import _STATUS
from tests.media_samples import numbered_video
from tests.serve.browsers import serving

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "serve.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_client_annotates_corrects_and_erases(tmp_path: Path) -> None:
    (code,) = re.findall(r"```py\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "root").mkdir()
    video = numbered_video(tmp_path / "a.mp4", 20)
    with serving(tmp_path / "root", films=1) as server:
        names: dict[str, object] = {"address": server.address, "video": video}
        exec(code, names)
        assert b"<ANNOTATION_DOCUMENT" in names["elan"] and b"Ross" in names["elan"]  # type: ignore[operator]
        assert len(names["segments"]) == 7  # type: ignore[arg-type]
        assert server.jobs() == []


def test_the_codes_of_the_service_are_documented() -> None:
    table = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    assert [code for code in _STATUS if f"`{code}`" not in table + PAGE] == []
