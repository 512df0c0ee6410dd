"""`fercli collect`: the tables of all videos of a folder in one file or one folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fercli.cli import options as opt
from fercli.cli.console import ConsoleReporter
from fercli.errors import ConfigError


def collect(
    folder: opt.SeriesFolder,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar=opt.PATH,
            help="A .duckdb file or a folder for several tables; a .parquet, .csv or .jsonl file for one.",
            show_default=False,
        ),
    ],
    table: Annotated[
        str,
        typer.Option(
            help="videos, persons, segments, signals, tracks, windows or faces; several with commas; all. By default "
            "segments in a file of one table, and the first four in others.",
            show_default=False,
        ),
    ] = "",
    raw_cells: Annotated[
        bool, opt.flag("--raw-cells", help="In CSV, do not escape names that a spreadsheet would read as formulas.")
    ] = False,
    overwrite: opt.Replace = False,
    quiet: opt.Quiet = False,
) -> None:
    """Collect the results of all videos of a folder into tables, with a column for the video.

    Example: fercli collect annotations/ -o season.duckdb
    """
    from fercli.cli import layout
    from fercli.cli.names import is_folder
    from fercli.cli.series import finish
    from fercli.outputs import refuse_existing, refuse_what_is_read
    from fercli.series.collect import DATABASE, TABLE_SUFFIXES, files_of, require_duckdb
    from fercli.series.collect import collect as write
    from fercli.series.reading import Series
    from fercli.writing import writing

    to_folder, suffix = is_folder(output), Path(output).suffix.lower()
    if not to_folder and suffix not in (*TABLE_SUFFIXES, DATABASE):
        raise ConfigError(
            f"cannot collect into {output}: unknown suffix",
            hint=f"give one of {', '.join((*TABLE_SUFFIXES, DATABASE))}, or a folder with a slash at its end",
            code="suffix-unknown",
        )
    single = not to_folder and suffix != DATABASE
    names = _tables(table, single=single)
    if raw_cells and suffix != ".csv":
        raise ConfigError("--raw-cells only applies to CSV", hint="leave it out", code="option-conflict")
    if suffix == DATABASE:
        require_duckdb()
    series = Series(folder)
    files = files_of(Path(output), names, folder=to_folder)
    if to_folder:
        with writing(Path(output)):
            Path(output).mkdir(parents=True, exist_ok=True)
    for file in {*files.values()}:
        refuse_existing(file, overwrite=overwrite)
        for member in series.members:
            refuse_what_is_read(file, [], member.path)
    counts = write(series, files, raw_cells=raw_cells)
    reporter = ConsoleReporter(quiet=quiet)
    read = len(series.members) - sum(one.member is not None for one in series.missing)
    for name, file in files.items():
        reporter.note(f"{file}: {layout.counted(counts[name], f'rows of {name}')}")
    reporter.note(f"collected {read} of {layout.counted(len(series.members), 'videos')}")
    if single and not table:
        reporter.note("other tables: --table persons; all of them: -o season.duckdb, or a folder such as -o season/")
    for video, count in series.names.items():
        if count > 1:
            reporter.warn(f"{count} workspaces have a video called {video}: workspace tells them apart, video does not")
    finish(series, reporter, "person_in_series tells them apart")


def _tables(text: str, *, single: bool) -> list[str]:
    from fercli.series.tables import KINDS

    standard = ["segments"] if single else [name for name, kind in KINDS.items() if kind.standard]
    names = list(KINDS) if text == "all" else [name.strip() for name in text.split(",")] if text else standard
    unknown = [name for name in names if name not in KINDS]
    if unknown:
        raise ConfigError(
            f"there is no table {unknown[0]!r}", hint=f"known: {', '.join(KINDS)}, or all", code="name-unknown"
        )
    if single and len(names) > 1:
        raise ConfigError(
            "several tables need several files",
            hint="write a database, -o season.duckdb, or a folder, -o season/; or one table at a time",
            code="option-conflict",
        )
    return list(dict.fromkeys(names))
