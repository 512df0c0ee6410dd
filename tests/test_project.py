"""The files around the package: what git checks before a commit, how to cite it, what changed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import fercli

ROOT = Path(__file__).resolve().parents[1]
OF_ONE_MACHINE = re.compile(r"/(?:work|root|Users)/|/ho[m]e/(?!alice/|x/)")
"""Paths of somebody's machine; `alice` and `x` are invented in tests."""


def read_yaml(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def committed_files() -> list[Path]:
    """What git has; all there is where there is no git, as in a source archive."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("no checkout of git")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def recipe(target: str) -> list[str]:
    """The commands of a target of the Makefile, with `$(BIN)` filled in."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    found = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert found is not None
    return [line.strip().replace("$(BIN)", ".venv/bin") for line in found[1].splitlines()]


def test_a_commit_is_checked_as_make_lint_does() -> None:
    (repository,) = read_yaml(".pre-commit-config.yaml")["repos"]
    hooks = {hook["id"]: hook for hook in repository["hooks"]}
    assert repository["repo"] == "local" and {hook["language"] for hook in hooks.values()} == {"system"}
    whole = [hook["entry"] for hook in hooks.values() if hook.get("pass_filenames") is False]
    assert whole == recipe("lint")
    assert all(hook["entry"].startswith(".venv/bin/") for hook in hooks.values())
    assert set(hooks) == {"ruff-check", "ruff-format", "end-of-file", "large-files", "merge-conflict"}


def test_what_is_committed_is_no_larger_than_a_commit_may_add() -> None:
    hooks = read_yaml(".pre-commit-config.yaml")["repos"][0]["hooks"]
    entry = next(hook["entry"] for hook in hooks if hook["id"] == "large-files")
    most = int(entry.rpartition("=")[2]) * 1024
    assert [path.name for path in committed_files() if path.stat().st_size > most] == []


def test_no_committed_file_names_a_path_of_one_machine() -> None:
    found = []
    for path in committed_files():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}:{n}" for n, line in enumerate(lines, 1) if OF_ONE_MACHINE.search(line)]
    assert found == []


@pytest.mark.parametrize("folder", ["work", "root", "Users", "home/me"])
@pytest.mark.parametrize("text", ["/{}/a.mp4", "in '/{}/.cache'", "file:///{}/a.mp4"])
def test_paths_of_one_machine_are_recognised(text: str, folder: str) -> None:
    assert OF_ONE_MACHINE.search(text.format(folder))


def test_the_citation_has_what_its_format_requires_and_names_this_version() -> None:
    """https://github.com/citation-file-format/citation-file-format/blob/main/schema-guide.md, version 1.2.0."""
    citation = read_yaml("CITATION.cff")
    assert citation["cff-version"] == "1.2.0" and citation["type"] == "software"
    assert all(citation[key] for key in ("message", "title", "authors", "abstract", "keywords"))
    assert citation["version"] == fercli.__version__ and citation["license"] == "MIT"
    assert all({"name"} == set(author) for author in citation["authors"])


def test_the_changelog_has_the_sections_of_keep_a_changelog() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[(.+?)\]", text, re.MULTILINE)
    assert versions[0] == "Unreleased"
    kinds = re.findall(r"^### (.+)$", text, re.MULTILINE)
    assert set(kinds) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert fercli.__version__ in text


def test_every_file_that_contributing_names_is_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:fercli|tests|weights|docs)/[\w/]+\.(?:py|md))`", text))
    assert len(named) > 15
    assert [name for name in named if "NAME" not in name and not (ROOT / name).is_file()] == []


def test_make_test_checks_types_beside_the_tests_and_leaves_nothing_out() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^test: lint ##", makefile, re.MULTILINE)
    assert recipe("test") == ["@$(MAKE) --no-print-directory -j3 types contracts pytest"]


def test_make_prints_the_coverage_of_the_fast_tests_and_leaves_none_out() -> None:
    text = " ".join(recipe("pytest"))
    assert '.venv/bin/python -m pytest -q -m "not slow" $(COVERAGE) $(TESTS)' in text
    assert ".venv/bin/python -m pytest -q -m slow $(TESTS)" in text
    assert "exit $$((fast ? fast : slow))" in text  # a failure of either ends with an error
