"""The pages of docs/ with examples: their console blocks and Python blocks are run in order, on the demo video.

`python -m tests.readme` writes the outputs anew; `tests/test_docs.py` checks that they are still true.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from examples.make_sample import make_sample
from fercli.cli.entry import main

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
RUN = ("tutorial.md", "howto/analyse.md", "detectors.md")
"""Pages whose examples work on the demo video, in the order they are run, in one directory."""
GENERATED = ("reference/commands.md",)
_BLOCK = re.compile(r"```(?P<language>\w+)\n(?P<content>.*?)```", re.DOTALL)


def pages() -> list[Path]:
    """Everything with commands for users: the pages of the site, README, the card of the weights, CONTRIBUTING."""
    written = [page for page in sorted(DOCS.rglob("*.md")) if page.relative_to(DOCS).as_posix() not in GENERATED]
    return [*written, *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "weights/README.md"))]


def blocks(text: str, *languages: str) -> list[str]:
    """The contents of all code blocks in one of the languages."""
    return [match["content"] for match in _BLOCK.finditer(text) if match["language"] in languages]


def command_lines(text: str) -> Iterator[list[str]]:
    """The arguments of every `fercli` in the shell blocks of a page; comments, pipes and further commands left out."""
    for block in blocks(text, "sh", "console"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True) if _names_fercli(line) else []
            while "fercli" in words:
                words = words[words.index("fercli") + 1 :]
                end = next((n for n, word in enumerate(words) if word in ("|", "||", "&&", ";", ">")), len(words))
                yield words[:end]


def _names_fercli(line: str) -> bool:
    return re.match(r"(\$ )?(\w+=\S+ |torchrun .*|for .*)?fercli ", line) is not None


def run_command(command: str) -> str:
    """What a `fercli ...` command prints on stdout and stderr, in that order."""
    out, err = io.BytesIO(), io.StringIO()
    text = io.TextIOWrapper(out, encoding="utf-8", write_through=True)
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(err):
        code = main(shlex.split(command)[1:])
    if code:
        raise RuntimeError(f"{command} ended with {code}: {err.getvalue()}")
    return "".join(f"{line.rstrip()}\n" for line in (out.getvalue().decode() + err.getvalue()).splitlines())


def rendered(folder: Path) -> dict[Path, str]:
    """The pages of RUN with the outputs of their commands made anew in an empty folder."""
    (folder / "demo").mkdir()
    make_sample(folder / "demo" / "sample.mp4")
    before = Path.cwd()
    os.chdir(folder)
    try:
        return {DOCS / name: _rendered((DOCS / name).read_text(encoding="utf-8")) for name in RUN}
    finally:
        os.chdir(before)


def _rendered(text: str) -> str:
    names: dict[str, object] = {"__name__": "__main__"}

    def run(block: re.Match[str]) -> str:
        if block["language"] == "console":
            command = block["content"].partition("\n")[0]
            return f"```console\n{command}\n{run_command(command.removeprefix('$ '))}```"
        if block["language"] == "python":
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(block["content"], "a page of docs/", "exec"), names)
        return block[0]

    return _BLOCK.sub(run, text)
