"""`--config FILE`: a TOML file with the options of a study; and `fercli config`, which prints one with all defaults.

A section is named after a command, a key after an option without its dashes. `annotate` reads the sections of the
stages too; what is in `[annotate]` overrides them, and the command line overrides the file.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args, get_type_hints

import typer

from fercli.chain import STAGES
from fercli.config import ConfigFile
from fercli.errors import ConfigError, InputError
from fercli.files import require_regular_file

STAGE_SECTIONS = tuple(dict.fromkeys(stage.command for stage in STAGES))
SECTIONS = ("annotate", *STAGE_SECTIONS, "train")
NOT_IN_A_FILE = frozenset({"config", "output", "workdir", "force", "verify", "overwrite", "quiet"})
"""Options of a single run, which a configuration file cannot set."""
ONE_OR_MORE = frozenset({"dataset", "root"})
"""Options that may be repeated but usually are not: a file may give one value without brackets."""
_KINDS: dict[type, tuple[str, tuple[type, ...]]] = {
    bool: ("true or false", (bool,)),
    int: ("a whole number", (int,)),
    float: ("a number", (int, float)),
    Path: ("a path in quotes", (str,)),
    str: ("text in quotes", (str, int, float)),  # a rate or a time may be written as a number
}
"""Type of an option -> its description in messages, and its TOML types."""


@dataclass(frozen=True)
class _Option:
    """An option that a file can set: its name in Python, its type or that of its items, its default and its help."""

    name: str
    kind: type
    multiple: bool
    default: Any
    help: str


@dataclass
class Study:
    """A file that was given with --config.

    Attributes:
        path: path of the file.
        content: its bytes.
        sections: parsed sections of the file; not checked yet.
        context: context of the command, or None before `apply`.
    """

    path: Path
    content: bytes
    sections: Mapping[str, Any]
    context: typer.Context | None = None

    @classmethod
    def read(cls, text: str) -> Study:
        """Read a file.

        Raises:
            InputError: it cannot be read.
            ConfigError: it is not TOML.
        """
        from tomlkit import parse
        from tomlkit.exceptions import TOMLKitError

        path = Path(text)
        hint = "give a TOML file; `fercli config` prints one with all options"
        require_regular_file(path, InputError, hint)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror}", hint=hint, code="file-unreadable") from error
        try:
            return cls(path, content, parse(content.decode("utf-8")).unwrap())
        except (TOMLKitError, ValueError, RecursionError) as error:
            raise ConfigError(
                f"{path} is not TOML: {error}", hint="put text and paths in quotes", code="config-malformed"
            ) from error

    def used(self) -> ConfigFile:
        """Options set by the file and not by the command line, for the result. Paths are shortened to their last
        part."""
        context = self.context
        assert context is not None, "apply comes first"
        options = {}
        for key, option in _options(context.command).items():
            source = context.get_parameter_source(option.name)
            if source is not None and source.name == "DEFAULT_MAP":
                value = (context.default_map or {})[option.name]
                options[key] = _shortened(value) if option.kind is Path else value
        return ConfigFile(self.path.name, hashlib.sha256(self.content).hexdigest(), options)


def _shortened(value: Any) -> Any:
    return [Path(one).name for one in value] if isinstance(value, list) else Path(value).name


def recorded(study: Study | None) -> ConfigFile | None:
    """The part of --config that is stored in a receipt."""
    return study.used() if study else None


def apply(context: typer.Context, study: Study | None) -> Study | None:
    """Check the whole file, and make its values the defaults of the command.

    Raises:
        ConfigError: a section or a key that does not exist, a value of the wrong type, or two contradicting values.
    """
    if study is None or context.resilient_parsing:
        return study
    commands = _commands(context)
    for name, section in study.sections.items():
        _check_section(study.path, name, section, commands)
    own = context.command.name or ""
    values: dict[str, Any] = {}
    if own == "annotate":
        values = _of_stages(study, known=set(_options(commands[own])))
    values |= study.sections.get(own, {})
    options = _options(commands[own])
    context.default_map = {options[key].name: _value(study.path, options[key], value) for key, value in values.items()}
    study.context = context
    return study


def config(context: typer.Context) -> None:
    """Print all options of a study with their defaults as TOML, for --config.

    Example: fercli config > study.toml
    """
    commands = _commands(context)
    stages = [_options(commands[name]) for name in STAGE_SECTIONS]
    print("# Options of fercli, for --config. The command line overrides them.")
    print("# annotate reads [annotate] and the sections of the stages.")
    for name in SECTIONS:
        print(f"\n[{name}]")
        for key, option in _options(commands[name]).items():
            same = any(key in others and others[key].default == option.default for others in stages)
            if name != "annotate" or not same:
                print(_line(key, option))


def _commands(context: typer.Context) -> Mapping[str, Any]:
    root: Any = context.find_root().command
    return root.commands  # type: ignore[no-any-return]


def _options(command: Any) -> dict[str, _Option]:
    """Key -> option, of the options that a file can set."""
    types = get_type_hints(inspect.unwrap(command.callback))
    found = {}
    for option in command.params:
        if option.param_type_name == "option" and option.name in types and option.name not in NOT_IN_A_FILE:
            inner = [kind for kind in get_args(types[option.name]) if kind is not type(None)]
            kind = inner[0] if inner else types[option.name]  # of `Path | None` and `list[str] | None`
            kind, *_ = get_args(kind) or [kind]
            default = str(option.default) if isinstance(option.default, Path) else option.default
            key = str(max(option.opts, key=len)).lstrip("-")
            found[key] = _Option(option.name, kind, bool(option.multiple), default, option.help or "")
    return found


def _check_section(path: Path, name: str, section: Any, commands: Mapping[str, Any]) -> None:
    if not isinstance(section, dict):
        raise ConfigError(
            f"{path}: {name} has no section",
            hint=f"put it below one of {_list(SECTIONS)}",
            code="config-key-unknown",
        )
    if name not in SECTIONS:
        raise ConfigError(
            f"{path}: there is no section [{name}]", hint=_known(name, SECTIONS), code="config-key-unknown"
        )
    options = _options(commands[name])
    for key, value in section.items():
        if key not in options:
            raise ConfigError(
                f"{path}: there is no {key} in [{name}]", hint=_known(key, options), code="config-key-unknown"
            )
        _check_type(f"{path}: {key} in [{name}]", options[key], value)


def _check_type(what: str, option: _Option, value: Any) -> None:
    if option.multiple and not isinstance(value, list) and option.name not in ONE_OR_MORE:
        raise ConfigError(
            f"{what} is {value!r:.60}, not a list",
            hint='put it in brackets, as in ["word-cosine"]',
            code="config-value-invalid",
        )
    meaning, kinds = _KINDS[option.kind]
    for one in value if option.multiple and isinstance(value, list) else [value]:
        if not isinstance(one, kinds) or isinstance(one, bool) != (option.kind is bool):
            raise ConfigError(
                f"{what} is {one!r:.60}, not {meaning}", hint=f"what it is: {option.help}", code="config-value-invalid"
            )


def _of_stages(study: Study, known: set[str]) -> dict[str, Any]:
    """Values of the sections of the stages for the options of annotate."""
    values: dict[str, Any] = {}
    said_in: dict[str, str] = {}
    own = study.sections.get("annotate", {})
    for name in STAGE_SECTIONS:
        for key, value in study.sections.get(name, {}).items():
            if key in values and values[key] != value and key not in own:
                raise ConfigError(
                    f"{study.path}: {key} is {values[key]!r} in [{said_in[key]}] and {value!r} in [{name}]",
                    hint=f"annotate needs one value: put {key} into [annotate]",
                    code="config-value-invalid",
                )
            if key in known:
                values[key], said_in[key] = value, name
    return values


def _value(path: Path, option: _Option, value: Any) -> Any:
    """Paths, also of networks, are relative to the configuration file, so it works from every directory."""
    if option.multiple:
        one = replace(option, multiple=False)
        return [_value(path, one, item) for item in (value if isinstance(value, list) else [value])]
    is_network = option.name in ("model", "embedder") and Path(str(value)).suffix.lower() in (".onnx", ".safetensors")
    if option.kind is Path or is_network:
        return str(path.absolute().parent / value)
    return str(value) if option.kind is str else value


def _line(key: str, option: _Option) -> str:
    from tomlkit import item

    if option.multiple:
        return f"# {option.help}\n{key} = []"
    unset = option.default is None or option.default == ""
    return f"# {option.help}\n{'# ' if unset else ''}{key} = {item('' if unset else option.default).as_string()}"


def _known(name: str, names: Any) -> str:
    close = get_close_matches(name.replace("_", "-"), names, n=1)
    return (f"did you mean {close[0]}? " if close else "") + f"known: {', '.join(sorted(names))}"


def _list(names: Any) -> str:
    return ", ".join(f"[{name}]" for name in names)
