"""`warraq build`: bring the index of an archive up to date."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from indexer.building.build import build_index
from indexer.cli.options import (
    archive_option,
    backend_option,
    field_names,
    fields_option,
    index_option,
    json_option,
    model_option,
    print_json,
    quiet_option,
)
from indexer.cli.output import report_text
from indexer.cli.printing import say
from indexer.cli.progress import show_progress
from indexer.datatypes import FailedFile
from indexer.embedding.encoder import find_model
from indexer.settings import GENERATIONS_KEPT, Backend

FILES_FAILED = 4  # exit status
SHOWN = 10  # failures and notes that are printed; the others are counted


@click.command()
@archive_option
@index_option
@model_option
@backend_option
@click.option("--rebuild", is_flag=True, help="Build anew, whatever the index holds; vectors stay cached.")
@click.option(
    "--keep",
    type=click.IntRange(1),
    default=GENERATIONS_KEPT,
    show_default=True,
    help="Generations to keep, the new one included.",
)
@click.option("--strict", is_flag=True, help="Exit with 4 where a file could not be read.")
@fields_option
@quiet_option
@json_option
def build(
    archive: Path,
    index: Path,
    model: str,
    backend: Backend | None,
    rebuild: bool,
    keep: int,
    strict: bool,
    fields: tuple[str, ...],
    quiet: bool,
    as_json: bool,
) -> int:
    """Bring the index of an archive up to date."""
    names = field_names(fields)
    with show_progress(quiet=quiet) as progress:
        report = build_index(
            archive,
            index,
            find_model(model, backend),
            rebuild=rebuild,
            fields=names,
            keep=keep,
            progress=progress,
        )
    _print_files(report.failed, "Warning: {path} is not in the index: {reason}", "Warning")
    if not quiet:
        _print_files(report.notes, "Note: {path}: {reason}", "Note")
    if not report.documents:
        say(f"Warning: there is no article in {archive} that can be read; the index is empty.", err=True)
    if as_json:
        print_json(asdict(report))
    elif not quiet:
        say(report_text(report, index))
    return FILES_FAILED if strict and report.failed else 0


def _print_files(files: Sequence[FailedFile], line: str, label: str) -> None:
    for file in files[:SHOWN]:
        say(line.format(path=file.path, reason=file.reason), err=True)
    if len(files) > SHOWN:
        say(f"{label}: {len(files) - SHOWN} more: warraq info lists all", err=True)
