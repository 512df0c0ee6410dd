"""Rename, merge, split, ignore, restore: what a person says becomes entries of people.toml.

All are to be called under the lock of the workspace.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fercli.errors import ConfigError, command
from fercli.people.cast_names import Shown, told_to_cast
from fercli.people.editor import Editor, wanted_name
from fercli.people.segments_csv import read_segments, rename_person
from fercli.persons.names import UNASSIGNED, clean_name
from fercli.workspace import Workspace
from fercli.writing import write_atomically


def rename(workspace: Workspace, name: str, new: str) -> list[str]:
    """Call a person something else, here and, where the tracks were found with a cast, in the videos to come.

    Returns:
        Sentences to show, on what the cast could not be told.

    Raises:
        ConfigError: nobody is called so, somebody is called the new name already, or nobody can be called so.
        MissingStage, CorruptTable, InputError: who is who, the person's own segments or the cast cannot be read.
        OutputError, WorkspaceLocked: something cannot be written. Whatever is raised, nothing was changed.
    """
    name, new = wanted_name(name), clean_name(new)
    editor = Editor(workspace)
    tracks = editor.find(name)
    if new in editor.who.names - {name}:
        hint = f"to make them one: {command('people', 'merge', workspace.path, name, new)}"
        raise ConfigError(f"there is a {new!r} already", hint=hint)
    editor.decide(tracks, name=new)
    return _write(editor, [editor.shown(name)], new)


def merge(workspace: Workspace, names: Sequence[str], into: str, *, force: bool = False) -> list[str]:
    """Make several persons one, called `into`, here and, as with `rename`, in the videos to come.

    Args:
        force: even if two of them are seen in one frame.

    Returns:
        Sentences to show, on what the cast could not be told.

    Raises:
        ConfigError: nobody is called so, or two are seen in one frame.
        MissingStage, CorruptTable, InputError, OutputError, WorkspaceLocked: as `rename`.
    """
    into, *names = [wanted_name(name) for name in (into, *names)]
    if into in names:
        raise ConfigError(f"{into!r} cannot be merged into itself", hint="name two persons")
    editor = Editor(workspace)
    persons = list(dict.fromkeys([into, *names]))
    groups = [editor.find(person) for person in persons]
    if not force:
        editor.refuse_if_seen_together(groups)
    ignored = all(editor.who.tracks[track].ignored for track in groups[0])
    editor.decide([track for group in groups for track in group], name=into, ignore=ignored)
    return _write(editor, [editor.shown(person) for person in persons], into)


def split(workspace: Workspace, name: str, tracks: Sequence[int], new: str = "", *, force: bool = False) -> str:
    """Give some tracks of a person, or of nobody, to somebody else; returns whose they are now.

    Args:
        new: who; without it the next free `Person N`.
        force: even if that person is seen in the same frame.

    Raises:
        ConfigError: nobody is called so, or the tracks are not that person's, or all of them, or seen in one frame with
            `new`.
        MissingStage, CorruptTable, InputError: who is who cannot be read.
        OutputError: the corrections cannot be written.
    """
    name = wanted_name(name)
    editor = Editor(workspace)
    own = editor.find(name, unassigned=True)
    strangers = sorted(set(tracks) - set(own))
    if strangers or not tracks:
        raise ConfigError(
            f"{name!r} has no track {', '.join(map(str, strangers))}" if tracks else "no tracks are given",
            hint=f"{name!r} has {', '.join(map(str, own))}",
        )
    if set(tracks) == set(own) and name != UNASSIGNED:
        raise ConfigError(f"these are all tracks of {name!r}", hint="use rename or merge")
    new = clean_name(new) if new else editor.free_name()
    if new == name:
        raise ConfigError(f"the tracks are {name!r}'s already", hint="give another --name")
    others = editor.find(new) if new in editor.who.names else []
    if not force:
        editor.refuse_if_seen_together([others, *([track] for track in set(tracks))])
    editor.decide(others, name=new)
    editor.hand_over(sorted(set(tracks)), new)
    editor.save()
    return new


def ignore(workspace: Workspace, name: str) -> None:
    """Leave a person out of every export; errors as `split`."""
    editor = Editor(workspace)
    editor.decide(editor.find(wanted_name(name)), ignore=True)
    editor.save()


def restore(workspace: Workspace, name: str) -> None:
    """Take back `ignore`; errors as `split`, and a ConfigError if nobody of that name is ignored."""
    name = wanted_name(name)
    editor = Editor(workspace)
    tracks = [track for track in editor.find(name, unassigned=True) if editor.who.tracks[track].ignored]
    if not tracks:
        raise ConfigError(f"{name!r} is not ignored", hint=f"run: {command('people', workspace.path)}")
    editor.decide(tracks, ignore=False)
    editor.save()


def _write(editor: Editor, persons: Sequence[Shown], new: str) -> list[str]:
    """The corrections, the person's own segments and the cast: all of them, or none."""
    corrections, segments = editor.workspace.corrections, editor.workspace.human_segments
    read_segments(segments)  # what cannot be read is refused before anything else
    with _put_back_on_failure(corrections, segments), told_to_cast(editor.workspace, persons, new) as problems:
        rename_person(segments, {person.name for person in persons} - {new}, new)
        editor.save()
    return problems


@contextmanager
def _put_back_on_failure(*files: Path) -> Iterator[None]:
    before = [(file, file.read_bytes() if file.exists() else None) for file in files]
    try:
        yield
    except BaseException:
        for file, content in before:
            if content is None:
                file.unlink(missing_ok=True)
            elif file.read_bytes() != content:
                write_atomically(file, content)
        raise
