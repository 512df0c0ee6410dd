"""Every deliberate error has a message, a hint and the exit code the documentation gives it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from fercli import errors
from fercli.errors import FercliError, command, reason_of

CLASSES = [item for item in vars(errors).values() if isinstance(item, type) and issubclass(item, FercliError)]

ROOT = Path(__file__).parent.parent
TABLE = ROOT / "docs" / "errors.md"


def documented() -> dict[str, int]:
    """Class -> exit code, read from the tree in the module's docstring; an indented class has its parent's code."""
    codes, code = {}, 1
    for line in (errors.__doc__ or "").splitlines():
        entry = re.match(r"^ {6,8}([A-Z]\w+)\s+(\d+)?", line)
        if entry:
            code = int(entry[2]) if entry[2] else code
            codes[entry[1]] = code
    return codes


def test_the_docstring_lists_every_error_with_its_exit_code() -> None:
    actual = {cls.__name__: cls.exit_code for cls in CLASSES if cls is not FercliError}
    assert documented() == actual


def test_exit_codes_are_those_the_design_fixes() -> None:
    codes = {cls.__name__: cls.exit_code for cls in (errors.ConfigError, errors.InputError, errors.WorkspaceError)}
    assert codes == {"ConfigError": 2, "InputError": 3, "WorkspaceError": 4}
    assert (errors.ModelError.exit_code, errors.EXIT_INTERNAL, errors.EXIT_INTERRUPTED) == (5, 70, 130)


@pytest.mark.parametrize("cls", CLASSES)
def test_message_and_hint_travel_with_the_error(cls: type[FercliError]) -> None:
    error = cls("it broke", hint="mend it")
    assert (str(error), error.message, error.hint) == ("it broke", "it broke", "mend it")
    assert cls("it broke").hint == ""


@pytest.mark.parametrize("cls", CLASSES)
def test_every_error_has_a_code(cls: type[FercliError]) -> None:
    assert cls("it broke").code == cls.default_code
    assert cls("it broke", code="table-lost").code == "table-lost"
    assert "default_code" in vars(cls), "a class of its own has a code of its own"


def error_classes() -> dict[str, type[FercliError]]:
    """By name, those that one package raises for itself too."""
    from fercli.learn.training.epoch import TrainingDiverged

    return {cls.__name__: cls for cls in (*CLASSES, TrainingDiverged)}


def used() -> dict[str, set[int]]:
    """Code -> exit codes with which the source uses it; none where a function takes the class as an argument."""
    classes = error_classes()
    codes: dict[str, set[int]] = {}
    for cls in classes.values():
        codes.setdefault(cls.default_code, set()).add(cls.exit_code)
    for file in sorted((ROOT / "fercli").rglob("*.py")):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call):
                given = [word.value for word in call.keywords if word.arg == "code"]
                name = call.func.id if isinstance(call.func, ast.Name) else ""
                exits = {classes[name].exit_code} if name in classes else set()
                for code in given:
                    if isinstance(code, ast.Constant):
                        codes.setdefault(str(code.value), set()).update(exits)
    return codes


def test_the_table_of_codes_is_that_of_the_source() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| ([\d, ]+) \| (.+) \|$", TABLE.read_text(encoding="utf-8"), re.MULTILINE)
    table = {code: {int(number) for number in exits.split(",")} for code, exits, _ in rows}
    assert [code for code, _, _ in rows] == sorted(table), "sorted, and each once"
    source = used()
    assert sorted(source.keys() - table.keys()) == [], "used and not in docs/errors.md"
    assert sorted(table.keys() - source.keys()) == [], "in docs/errors.md and not used"
    assert {code: exits for code, exits in source.items() if not exits <= table[code]} == {}
    assert {code for code in table if not re.fullmatch(r"[a-z]+(-[a-z]+)*", code)} == set()


def test_families_can_be_caught_by_their_parent() -> None:
    assert issubclass(errors.OutputError, errors.WorkspaceError)
    assert issubclass(errors.DatasetError, errors.InputError)
    assert issubclass(errors.WeightsError, errors.ModelError)


def test_a_command_can_be_pasted_whatever_its_paths_are_called() -> None:
    assert command("export", Path("my film.fercli"), "-o", "a.json") == "fercli export 'my film.fercli' -o a.json"
    assert command("track", Path("-lead.fercli")) == "fercli track ./-lead.fercli"
    assert command("track", Path("in/-lead.fercli"), "--min-faces", 1) == "fercli track in/-lead.fercli --min-faces 1"


def test_the_reason_of_an_error_is_said_without_python_around_it(tmp_path: Path) -> None:
    with pytest.raises(OSError) as missing:
        (tmp_path / "gone").read_bytes()
    assert reason_of(missing.value) == "No such file or directory"
    assert reason_of(ValueError("line 3 is empty")) == "line 3 is empty"
    assert reason_of(EOFError()) == "EOFError"
