from __future__ import annotations

import subprocess
import sys

import pytest

from fercli.cli.export import formats
from fercli.formats import FORMATS


def test_every_format_is_a_line_with_what_it_holds_and_what_not(capsys: pytest.CaptureFixture[str]) -> None:
    formats()
    out, err = capsys.readouterr()
    header, *lines = out.splitlines()
    assert header.split() == ["name", "suffix", "holds", "cannot", "hold"]
    assert err == ""
    for line, (name, exporter) in zip(lines, FORMATS.items(), strict=True):
        assert line.split()[:2] == [name, exporter.suffix]
        assert exporter.summary in line and line.rstrip().endswith(exporter.lacks)


def test_listing_imports_no_format_and_nothing_heavy() -> None:
    code = (
        "import sys; from fercli.cli.export import formats; formats(); "
        "print(*(name for name in ('pyarrow', 'pympi', 'praatio', 'pysubs2', 'torch', 'cv2') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == ""
