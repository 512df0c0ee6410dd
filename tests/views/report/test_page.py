from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from configparser import ConfigParser
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from fercli.cli.report import report
from fercli.errors import ConfigError, InputError
from fercli.views.report.page import build, json_for_html
from tests.failing import fails
from tests.formats.samples import other_hash_seed
from tests.views.report.film import EVIL, make_film, make_film_of_nobody
from tests.workspaces import add_receipt


class Elements(HTMLParser):
    """Tags, addresses they name, scripts by id, and the text of the page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.scripts: dict[str, str] = {}
        self.text: list[str] = []
        self._script: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        self.addresses += [values[name] or "" for name in ("src", "href", "srcset", "data") if name in values]
        self._script = (values.get("id") or "") if tag == "script" else None

    def handle_endtag(self, tag: str) -> None:
        self._script = None

    def handle_data(self, data: str) -> None:
        if self._script is None:
            self.text.append(data)
        else:
            self.scripts[self._script] = self.scripts.get(self._script, "") + data


@pytest.fixture
def page(tmp_path: Path) -> str:
    return build(make_film(tmp_path / "film.fercli"), tmp_path / "report.html")[0]


def charts_of(page: str) -> dict[str, Any]:
    charts: dict[str, Any] = json.loads(Elements(page).scripts["charts-data"])
    return charts


def test_the_page_names_nothing_outside_itself(page: str) -> None:
    addresses = Elements(page).addresses
    assert len(addresses) > 5
    assert all(address.startswith(("data:", "#")) for address in addresses)
    style = page.split("<style>")[1].split("</style>")[0]
    assert "@import" not in style and "url(" not in style


def test_a_name_that_looks_like_a_script_stays_a_name(page: str) -> None:
    elements = Elements(page)
    assert elements.tags.count("script") == 2 + 3 + 1  # data, a sheet a person, the program
    assert EVIL in "".join(elements.text)
    assert charts_of(page)["persons"][0]["name"] == EVIL
    assert "<script>alert" not in page


def test_json_in_a_script_cannot_end_it_or_open_a_comment() -> None:
    value = {"<!--": "</script>", "a": ["&lt;", "\u2028", "é"]}
    text = json_for_html(value)
    assert json.loads(text) == value
    assert not set(text) & set("<>&")


def test_only_the_programs_own_script_may_run(page: str) -> None:
    script = Elements(page).scripts[""]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy and f"script-src 'sha256-{digest}'" in policy[1]
    assert "default-src 'none'" in policy[1] and "connect-src" not in policy[1]


def test_the_tables_are_there_without_javascript(page: str) -> None:
    text = " ".join("".join(Elements(page).text).split())
    assert "9.0 s on screen · 2 tracks in 2 shots" in text
    assert "2.0 s on screen · 1 track in 1 shot" in text
    assert "identity 0.79" in text  # (4 s x 0.9 + 5 s x 0.7) / 9 s
    assert "mean balance \N{MINUS SIGN}0.60" in text
    assert "tsm-resnet18" in text and "cd" * 32 in text and "min_segment_s 0.4" in text
    assert "expressions, not feelings" in text
    assert "FER2013 with FER+ votes" in text


def test_a_page_on_a_part_of_a_video_says_which(tmp_path: Path, page: str) -> None:
    workspace = make_film(tmp_path / "film.fercli")
    add_receipt(workspace, "frames", start_s=0.0, end_s=12.5)
    part = build(workspace, tmp_path / "report.html")[0]
    assert "0:09.0 long, first frame at 0:05.0, of which only 0:05.0 to 0:12.5 was analysed ·" in part
    assert charts_of(part)["video"]["unseen"] == [[12500, 14000]]
    assert "not analysed</li>" in part and "not analysed</li>" not in page
    assert "was analysed ·" not in page and charts_of(page)["video"]["unseen"] == []


def test_the_same_workspace_makes_the_same_page_whatever_the_order_of_sets(tmp_path: Path) -> None:
    workspace, other = make_film(tmp_path / "film.fercli"), tmp_path / "other.html"
    code = f"""
from pathlib import Path
from fercli.views.report.page import build
from fercli.workspace import Workspace
Path({str(other)!r}).write_text(build(Workspace.open(Path({str(workspace.path)!r})), Path("a.html"))[0], "utf-8")
"""
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": other_hash_seed()}, check=True)
    assert build(workspace, Path("a.html"))[0] == other.read_text(encoding="utf-8")


def test_what_the_page_is_made_of_is_installed() -> None:
    root = Path(__file__).resolve().parents[3]
    parser = ConfigParser()
    parser.read(root / "setup.cfg", encoding="utf-8")
    patterns = [one.strip() for one in parser["options.package_data"]["fercli.views.report"].split(",")]
    parts = [
        path for path in (root / "fercli" / "views" / "report").iterdir() if path.is_file() and path.suffix != ".py"
    ]
    assert len(parts) > 5
    assert [path.name for path in parts if not any(path.match(pattern) for pattern in patterns)] == []


def test_warnings_of_the_stages_are_shown(tmp_path: Path) -> None:
    workspace = make_film(tmp_path / "film.fercli")
    add_receipt(workspace, "faces", warnings=["3 frames <broken>"])
    assert "detect-faces: 3 frames &lt;broken&gt;" in build(workspace, tmp_path / "report.html")[0]


def test_report_writes_the_page_and_says_that_it_cannot_play(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = make_film(tmp_path / "film.fercli")
    report(workspace.path, str(tmp_path / "report.html"), quiet=True)
    assert charts_of((tmp_path / "report.html").read_text(encoding="utf-8"))["video"]["source"] == ""
    warning = "the video is no longer at /films/moved.mp4: the report has no playback, the rest works"
    assert capsys.readouterr().err == f"warning: {warning}\n"


def test_a_report_is_not_overwritten_unasked(tmp_path: Path) -> None:
    workspace = make_film(tmp_path / "film.fercli")
    output = tmp_path / "report.html"
    output.write_text("mine", encoding="utf-8")
    with fails(ConfigError, "output-exists", "report.html") as caught:
        report(workspace.path, str(output), quiet=True)
    assert "--overwrite" in caught.value.hint and output.read_text(encoding="utf-8") == "mine"
    report(workspace.path, str(output), overwrite=True, quiet=True)
    assert output.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_another_suffix_and_a_missing_workspace_are_refused(tmp_path: Path) -> None:
    with fails(ConfigError, "suffix-unknown", "report.pdf"):
        report(make_film(tmp_path / "other.fercli").path, str(tmp_path / "report.pdf"), quiet=True)
    with fails(InputError, "workspace-missing"):
        report(tmp_path / "film.fercli", str(tmp_path / "report.html"), quiet=True)


def test_a_video_without_faces_makes_a_page_that_says_so(tmp_path: Path) -> None:
    page, _ = build(make_film_of_nobody(tmp_path / "empty.fercli"), tmp_path / "report.html")
    assert "No face was found." in page
    assert charts_of(page)["persons"] == []
