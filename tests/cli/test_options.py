from __future__ import annotations

import pytest

from fercli.cli.options import parse_fps, parse_time, show_fps
from fercli.config import NATIVE_FPS
from fercli.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "seconds"), [("", 0), ("90", 90), ("1:30", 90), ("1:02:03.5", 3723.5), ("0", 0), ("0:0:7", 7)]
)
def test_times(text: str, seconds: float) -> None:
    assert parse_time(text, "--start") == seconds


@pytest.mark.parametrize("text", ["-1", "1:2:3:4", "soon", "1:", "nan", "inf", "1:-5"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ConfigError, match="--end"):
        parse_time(text, "--end")


def test_rates() -> None:
    assert parse_fps("native") == NATIVE_FPS
    assert parse_fps("23.976") == 23.976
    assert [parse_fps(show_fps(fps)) for fps in (NATIVE_FPS, 10.0, 12.5)] == [NATIVE_FPS, 10.0, 12.5]


@pytest.mark.parametrize("text", ["0", "-3", "fast", "nan", "inf", ""])
def test_what_is_no_rate(text: str) -> None:
    with pytest.raises(ConfigError, match="--fps"):
        parse_fps(text)
