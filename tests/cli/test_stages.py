"""What the commands of single stages take from the workspace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fercli.chain import ATTRIBUTES
from fercli.cli.stages import _last_params
from fercli.config import AttributesParams
from tests.formats.samples import awkward


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"min_flag": 0.25, "keep_landmarks": True}, AttributesParams(0.25, True)),
        ({"min_flag": 0.25, "of_a_later_version": 1}, AttributesParams()),
    ],
)
def test_faces_are_measured_again_as_they_were(
    tmp_path: Path, params: dict[str, object], expected: AttributesParams
) -> None:
    awkward(tmp_path / "w")
    file = tmp_path / "w" / "attributes" / "receipt.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"params": params}))
    assert _last_params(tmp_path / "w", ATTRIBUTES) == expected
