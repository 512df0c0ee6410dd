"""`fercli serve`: what is refused before it listens."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from fercli.cli.entry import main

pytest.importorskip("fastapi", reason="no FastAPI: pip install 'fercli[serve]'")


@pytest.mark.parametrize(
    ("options", "code", "exit_code"),
    [
        (["--host", "0.0.0.0"], "token-missing", 2),
        (["--root", "none"], "root-unusable", 2),
        (["--retention", "0"], "option-out-of-range", 2),
        (["--max-hours", "0"], "option-out-of-range", 2),
        (["--device", "abacus"], "name-unknown", 2),
    ],
)
def test_what_is_unsafe_or_unusable_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    code: str,
    exit_code: int,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["serve", *options]) == exit_code
    assert f"error[{code}]" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        assert main(["serve", "--root", str(tmp_path), "--port", port]) == 2
    assert "error[port-taken]" in capsys.readouterr().err


def test_a_token_file_that_others_read_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "token").write_text("correct-horse-battery-staple")
    (tmp_path / "token").chmod(0o644)
    words = ["serve", "--root", str(tmp_path), "--host", "0.0.0.0", "--token-file", str(tmp_path / "token")]
    assert main(words) == 3
    said = capsys.readouterr().err
    assert "error[token-unusable]" in said and "staple" not in said
