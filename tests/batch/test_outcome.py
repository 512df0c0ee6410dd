"""batch.json and batch.csv."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

from fercli.batch.outcome import DONE, Outcome, failure, write_outcomes
from fercli.errors import VideoError


def test_both_files_have_a_row_a_video(tmp_path: Path) -> None:
    strange = os.fsdecode(b"latin-\xe9.mp4")
    bad = failure(strange, VideoError("cut short", hint="copy it again", code="video-damaged"))
    write_outcomes(tmp_path, [Outcome("a, b\n.mp4", DONE, 3.0, 2, 7, ("a.json", "a.eaf")), bad])
    good, failed = json.loads((tmp_path / "batch.json").read_text(encoding="utf-8"))["videos"]
    assert (good["video"], good["state"], good["seconds"], good["persons"], good["segments"], good["code"]) == (
        "a, b\n.mp4", "done", 3.0, 2, 7, ""
    )  # fmt: skip
    assert failed == {
        "video": strange, "state": "failed", "seconds": 0.0, "persons": None, "segments": None, "outputs": [],
        "warnings": [], "code": "video-damaged", "message": "cut short", "hint": "copy it again",
    }  # fmt: skip
    with (tmp_path / "batch.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["state"] for row in rows] == ["done", "failed"]
    assert (rows[0]["video"], rows[0]["outputs"], rows[1]["persons"]) == ("a, b\n.mp4", "a.json\na.eaf", "")


def test_an_error_that_is_not_deliberate_is_reported_as_a_bug() -> None:
    outcome = failure("a.mp4", ZeroDivisionError("division by zero"))
    assert (outcome.code, "ZeroDivisionError" in outcome.message) == ("internal", True)
