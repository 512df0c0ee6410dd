"""The generated parts of README.md: outputs of commands, the workspace tree, the table schemas; and
all of docs/formats.md, the demo in every format, and the outputs in other pages of docs/.

`python -m tests.readme` writes them; `tests/test_readme.py` checks that they are up to date.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from examples.make_episode import make_episode
from examples.make_sample import make_sample
from fercli import tables
from fercli.chain import STAGE_OF
from fercli.formats import FORMATS
from fercli.formats.label_studio import LABELLING_CONFIG
from fercli.labels import BLENDSHAPES, EMOTIONS_8
from fercli.results.load import load
from fercli.results.model import Result, Speech, Utterance, Word
from fercli.workspace import Workspace
from tests import doc_pages
from tests.doc_pages import run_command

README = Path(__file__).parent.parent / "README.md"
FORMATS_PAGE = README.parent / "docs" / "formats.md"
EPISODE_SHOTS = 4
"""Length of the second episode of the season in README.md."""
SHOWN = (12, 150)
"""Largest number of lines, and of characters per line, shown for a format."""

BEHIND = {
    "json": """
`fercli formats --schema` prints the [JSON Schema](https://json-schema.org) of this document (draft 2020-12), with every
key described. A reader can rely on it: `version` is raised when a reader of the old form could misread the new one.
Each item of `records` is one `segment` of that schema, and with [sound](sound.md) also one `utterance` or
`voice_emotion`; in `jsonl` it also has the name of the `video`.

`video.analysed` is the analysed stretch, from and to in seconds: the whole video unless `--start` or `--end` was given.
Outside it, a missing segment does not mean that no person is visible.
""",
    "csv": """
In all CSV formats, text that begins with = + - @ gets an apostrophe in front, because a spreadsheet would run it as a
formula. `fercli import` removes it; `fercli export --raw-cells` does not write it.
""",
    "csv-windows": """
`class` is the most probable class of this window. Segments, and `class` in csv-faces, are smoothed over time and may
differ.
""",
    "csv-faces": """
`class` is that of the smoothed segment of the face, and the probabilities are those of its window: the largest of them,
which is `class` in csv-windows, may be another class.
""",
    "eaf": """
Put the file beside the video. It links the video by its name, without a path; ELAN finds a video beside the `.eaf`, in
`../Media`, or in the media folder of its preferences, and otherwise shows a dialog.
""",
    "label-studio": f"""
Label Studio accepts the file only in a project with the same labels. Create a project, put this into Settings >
Labeling Interface > Code and save it:

```xml
{LABELLING_CONFIG}```

In the file, replace the value of `video`, the name of the video, by the URL under which your Label Studio serves it.
Then import the file.
""",
}
"""Format -> instructions for its use, shown below the file."""
MEANING = {
    "workspace.json": "format version and facts of the video",
    "index.npz": "time of each frame of the video",
    "receipt.json": "what made the files beside it",
    "exports.json": "what was exported where",
    "edits.jsonl": "manual corrections, one line per edit",
}
_CONSOLE = re.compile(r"```console\n\$ (?P<command>.*?)\n(?P<output>.*?)```", re.DOTALL)
_TREE = re.compile(r"```text\nsample\.fercli/\n.*?```", re.DOTALL)
_SCHEMAS = re.compile(r"(?<=<!-- schemas -->\n).*?(?=<!-- end of schemas -->)", re.DOTALL)

INTRODUCTION = """The demo of README.md in every format of `fercli export`. Long files and lines are truncated.

Boxes and landmarks are in stored pixels of the upright picture, which are also those of the images written by
extract-frames. If pixels are not square (`video.pixel_aspect` of json is not 1), a program that draws on the displayed
picture must multiply x by `pixel_aspect`; this is not needed for `label-studio`, which uses shares of the sides."""


def workspace_tree(workspace: Path) -> str:
    """The files of a workspace, indented, each with its content."""
    lines = [f"{workspace.name}/"]
    for path in sorted(p for p in workspace.rglob("*") if not p.name.startswith(".")):
        depth = len(path.relative_to(workspace).parts)
        name = "  " * depth + path.name + ("/" if path.is_dir() else "")
        columns = f"table {path.stem}" if path.suffix == ".parquet" else MEANING.get(path.name, "")
        lines.append(f"{name:28}{columns}".rstrip())
    return "\n".join(lines) + "\n"


def schemas() -> str:
    """All tables and their columns as Markdown."""
    parts = []
    for name in STAGE_OF:
        schema = tables.windows_schema(EMOTIONS_8) if name == "emotions" else tables.SCHEMAS[name]
        parts.append(
            f"**{name}** (`{STAGE_OF[name].name}/{name}.parquet`)\n\n| column | type | meaning |\n| --- | --- | --- |\n"
        )
        shapes = [field.name for field in schema if field.name in BLENDSHAPES]
        parts += [
            f"| `{field.name}` | {_type(field)} | {field.metadata[b'meaning'].decode()} |\n"
            for field in schema
            if field.name not in shapes
        ]
        if shapes:
            about = "the 51 blendshapes of ARKit, in [0, 1]; null without a mesh"
            parts.append(f"| `{shapes[0]}` ... `{shapes[-1]}` | float | {about} |\n")
        parts.append("\n")
    return "\n" + "".join(parts)


def render(text: str, folder: Path) -> str:
    """README with all generated parts; `folder` gets the demo's files."""
    (folder / "demo" / "season").mkdir(parents=True)
    make_sample(folder / "demo" / "sample.mp4")
    make_sample(folder / "demo" / "season" / "e01.mp4")
    make_episode(folder / "demo" / "season" / "e02.mp4", shots=EPISODE_SHOTS)
    before = Path.cwd()
    os.chdir(folder)
    try:
        text = _CONSOLE.sub(lambda m: f"```console\n$ {m['command']}\n{run_command(m['command'])}```", text)
        for block in doc_pages.blocks(text, "python"):
            exec(compile(block, "README.md", "exec"), {})
    finally:
        os.chdir(before)
    text = _TREE.sub(lambda _: f"```text\n{workspace_tree(folder / 'demo' / 'sample.fercli')}```", text)
    return _SCHEMAS.sub(lambda _: schemas(), text)


DIALOGUE = (
    (0, 0.5, "Did you hear that?", "Person 1", True),
    (1, 2.6, "Hear what?", None, False),
    (2, 4.2, "Oh, it is the best day of my life!", "Eileen", True),
)
"""Number, start, text and speaker of utterances for the formats of what is said."""


def formats_page(workspace: Path, folder: Path) -> str:
    """A workspace in every format: the first lines of a text, the columns of a table."""
    parts = [f"# Formats\n\n{INTRODUCTION}\n"]
    for name, exporter in FORMATS.items():
        file = folder / f"{name}{exporter.suffix}"
        if exporter.said:
            exporter.write(_spoken(Workspace.open(workspace)), file)
        elif exporter.rated:
            run_command(f"fercli estimate-valence {workspace} -q")
            run_command(f"fercli export {workspace} -o {file} --format {name} -q")
            shutil.rmtree(workspace / "valence")  # the other formats are shown as they are without it
        else:
            run_command(f"fercli export {workspace} -o {file} --format {name} -q")
        content = _columns(file) if exporter.suffix == ".parquet" else _first_lines(file)
        about = f"{exporter.summary}. Cannot hold: {exporter.lacks}."
        parts.append(f"## {name}\n\n`{exporter.suffix}`: {about}\n\n```text\n{content}\n```\n{BEHIND.get(name, '')}")
    return "\n".join(parts)


def _spoken(workspace: Workspace) -> Result:
    """The demo, which has no sound, with a dialogue."""
    words = [
        Word(start, start + 0.4, text, 0.9, number, person, on_screen)
        for number, begin, sentence, person, on_screen in DIALOGUE
        for k, text in enumerate(sentence.split())
        for start in [begin + 0.4 * k]
    ]
    utterances = [
        Utterance(begin, begin + 0.4 * len(sentence.split()), number, sentence, 0.9, person, on_screen)
        for number, begin, sentence, person, on_screen in DIALOGUE
    ]
    face, voice = {"happiness": 0.75, "neutral": 0.25}, {"surprise": 0.6, "happiness": 0.4}
    utterances[0] = replace(utterances[0], face=face, voice=voice, both={"happiness": 0.6, "surprise": 0.4})
    result = load(workspace)
    speech = Speech("en", 0.98, (), tuple(utterances), tuple(words))
    return replace(result, video={**result.video, "name": "sample.mp4"}, speech=speech)


def _first_lines(file: Path) -> str:
    most, width = SHOWN
    lines = file.read_text(encoding="utf-8").splitlines()
    shown = [line.replace("\t", "    ").rstrip() for line in lines[:most]] + (["..."] if len(lines) > most else [])
    return "\n".join(line if len(line) <= width else f"{line[:width]} ..." for line in shown)


def _columns(file: Path) -> str:
    return "\n".join(f"{field.name}: {_type(field)}" for field in pq.read_schema(file))


def _type(field: pa.Field) -> str:
    return "float32[10]" if pa.types.is_fixed_size_list(field.type) else str(field.type)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        README.write_text(render(README.read_text(encoding="utf-8"), Path(temporary)), encoding="utf-8")
        demo = Path(temporary) / "demo"
        FORMATS_PAGE.write_text(formats_page(demo / "sample.fercli", demo), encoding="utf-8")
    with tempfile.TemporaryDirectory() as temporary:
        for page, text in doc_pages.rendered(Path(temporary)).items():
            page.write_text(text, encoding="utf-8")
