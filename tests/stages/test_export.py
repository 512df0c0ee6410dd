"""What makes an export stale, over the fake chain with the needs of the real stage."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fercli import pipeline
from fercli.stages import export
from fercli.workspace import Workspace
from tests import fake_stages
from tests.fake_stages import STAGES, facts, run_chain


def test_a_persons_own_segments_make_the_export_stale_and_nothing_else(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages = (*STAGES[:-1], replace(STAGES[-1], needs=export.STAGE.needs))
    monkeypatch.setattr(pipeline, "STAGES", stages)
    monkeypatch.setattr(fake_stages, "STAGES", stages)
    workspace = Workspace.create(tmp_path / "w", facts(video))
    run_chain(workspace)
    assert [status.reason for status in pipeline.status(workspace)] == [None] * 5
    for text in ("person,start,end,class\nRoss,0,1,happy\n", "person,start,end,class\nRoss,0,1,sad\n"):
        workspace.human_segments.write_text(text)
        reasons = [status.reason for status in pipeline.status(workspace)]
        assert reasons == [None] * 4 + ["its input human_segments changed"]
        run_chain(workspace)
        assert pipeline.status(workspace)[-1].reason is None
    workspace.human_segments.unlink()
    assert pipeline.status(workspace)[-1].reason == "its input human_segments changed"
