"""Does a plain `pip install` of the wheel work? Tried for real, in a fresh environment.

    python packaging/install_check.py [--python PYTHON] [--lowest]

Builds the wheel, installs it with PYTHON and nothing pinned (--lowest: with the lowest versions its metadata allow),
annotates the sample video there, with an ordinary and with an empty environment, and compares the result with that of
the environment this program runs in, whose versions are pinned. Ends with 1 if anything differs.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from configparser import ConfigParser
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TOLERANCE_S = 0.25
"""Of a segment's start and end: one window."""
TOLERANCE_SCORE = 0.05


def lowest_versions() -> list[str]:
    """`name==version.*` for each requirement of the package that names a lowest version: the newest of that series."""
    parser = ConfigParser(inline_comment_prefixes=None)
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = [line.strip() for line in parser["options"]["install_requires"].splitlines()]
    named = [line.split(",")[0] for line in lines if ">=" in line and not line.startswith("#")]
    return [f"{line.replace('>=', '==')}.*" for line in named]


def install(python: str, folder: Path, *, lowest: bool) -> Path:
    """A fresh environment with the wheel of this checkout in it; the path of its `bin`."""
    wheels, environment = folder / "wheels", folder / "environment"
    pip = ["-m", "pip", "--disable-pip-version-check", "--quiet"]
    source = folder / "source"  # a copy, because an old build/ in the checkout would be packed too
    unwanted = shutil.ignore_patterns(".*", "build", "demo", "runs", "*.egg-info", "*.fercli")
    shutil.copytree(ROOT, source, ignore=unwanted)
    run(sys.executable, *pip, "wheel", "--no-deps", "-w", str(wheels), str(source))
    run(python, "-m", "venv", str(environment))
    constraints = folder / "lowest.txt"
    constraints.write_text("\n".join(lowest_versions()) + "\n")
    options = ["-c", str(constraints)] if lowest else []
    (wheel,) = wheels.glob("*.whl")
    run(str(environment / "bin" / "python"), *pip, "install", "--progress-bar", "off", *options, str(wheel))
    return environment / "bin"


def annotate(program: list[str], video: Path, folder: Path, environment: dict[str, str] | None = None) -> Any:
    """The document that `fercli annotate` writes, with its workspace in a folder of its own: nothing is up to date."""
    folder.mkdir()
    output = folder / "out.json"
    command = [*program, "annotate", str(video), "-o", str(output), "-q"]
    subprocess.run(command, cwd=folder, env=environment, check=True)
    return json.loads(output.read_text(encoding="utf-8"))


def differences(found: Any, expected: Any) -> list[str]:
    """What two documents say differently, beyond what another version of a library may round."""
    rows = []
    for document in (found, expected):
        rows.append(
            [(row["object"], row["class"], row["seconds"], row["end"], row["score"]) for row in document["segments"]]
        )
    if [row[:2] for row in rows[0]] != [row[:2] for row in rows[1]]:
        return [f"segments {rows[0]}, expected {rows[1]}"]
    limits = (TOLERANCE_S, TOLERANCE_S, TOLERANCE_SCORE)
    return [
        f"{a}, expected {b}"
        for a, b in zip(*rows, strict=True)
        if any(abs(x - y) > limit for x, y, limit in zip(a[2:], b[2:], limits, strict=True))
    ]


def run(*command: str) -> None:
    """A command that has to succeed."""
    subprocess.run(command, check=True)


def main() -> int:
    """Install, annotate, compare; 0 if all is as it should be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default=sys.executable, help="interpreter to install for")
    parser.add_argument("--lowest", action="store_true", help="the lowest versions instead of the newest")
    options = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="install-check-") as scratch:
        folder = Path(scratch)
        binaries = install(options.python, folder, lowest=options.lowest)
        installed_s = time.monotonic() - started
        run(sys.executable, str(ROOT / "examples" / "make_sample.py"), str(folder / "sample.mp4"))
        video = folder / "sample.mp4"
        expected = annotate([sys.executable, "-m", "fercli.cli.entry"], video, folder / "expected")
        program = [str(binaries / "fercli")]
        wrong = differences(annotate(program, video, folder / "plain"), expected)
        bare = {"HOME": str(folder), "MPLCONFIGDIR": str(folder)}
        wrong += differences(annotate(program, video, folder / "bare", bare), expected)
        versions = subprocess.run([*program, "doctor"], capture_output=True, text=True, cwd=folder, check=True).stdout
    print(versions)
    print(*wrong, sep="\n")
    which = "lowest" if options.lowest else "newest"
    print(
        f"install check, {which} versions: {'FAILED' if wrong else 'as expected'}, "
        f"{len(expected['segments'])} segments; {installed_s:.0f} s to install, "
        f"{time.monotonic() - started:.0f} s in all"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
