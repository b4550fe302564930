"""`warraq search`: print the passages that answer a question."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import click

from indexer.batch import FORMATS, BatchWriter, ask_all, read_questions
from indexer.cli.options import (
    FILE,
    index_option,
    json_option,
    print_json,
    quiet_option,
    request_options,
    required_model_option,
)
from indexer.cli.output import result_text
from indexer.cli.printing import say
from indexer.cli.progress import show_progress
from indexer.errors import RequestError
from indexer.request import SearchRequest
from indexer.retrieval.opening import open_searcher
from indexer.serialization import result_json

NOTHING_FOUND = 1  # exit status


@click.command()
@click.argument("question", required=False)
@index_option
@required_model_option
@request_options
@click.option(
    "--batch",
    type=FILE,
    metavar="FILE",
    help="Ask all questions of a file, CSV or one on each line, and write one table of their hits.",
)
@click.option(
    "--output", type=FILE, metavar="FILE", help="The file for the table; without it, it is printed."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="csv",
    show_default=True,
    help="The form of the table.",
)
@quiet_option
@json_option
def search(
    question: str | None,
    index: Path,
    model: str | None,
    batch: Path | None,
    output: Path | None,
    form: str,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Print the passages that answer QUESTION, best first, or those for all questions of a file."""
    if (question is None) == (batch is None):
        raise click.UsageError("Name one question, or a file of questions with --batch.")
    if batch:
        return _ask_batch(batch, index, model, output, form, quiet=quiet, options=options)
    request = SearchRequest(question or "", **options)
    with open_searcher(index, model) as searcher:
        result = searcher.search(request)
    for notice in result.warnings:
        say(f"Note: {notice}", err=True)
    if as_json:
        print_json(result_json(result))
    else:
        say(result_text(result))
    return 0 if result.hits else NOTHING_FOUND


@contextmanager
def _table(path: Path | None) -> Iterator[TextIO]:
    """Yield the file to write, stdout without a path. Raises RequestError."""
    if path is None:
        yield sys.stdout
        return
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            yield file
    except OSError as error:
        raise RequestError("unwritable_file", f"{path} cannot be written: {error.strerror}.") from error


def _ask_batch(
    path: Path,
    index: Path,
    model: str | None,
    output: Path | None,
    form: str,
    *,
    quiet: bool,
    options: Mapping[str, Any],
) -> int:
    """Ask the questions of a file; the exit status is that of a search if none of them finds anything."""
    try:
        questions = read_questions(path.read_bytes())
    except OSError as error:
        raise RequestError("unreadable_file", f"{path} cannot be read: {error.strerror}.") from error
    found = False
    with (
        open_searcher(index, model) as searcher,
        _table(output) as file,
        show_progress(quiet=quiet) as progress,
    ):
        writer = BatchWriter(file, form)
        for done, rows in enumerate(ask_all(searcher, questions, options), 1):
            writer.write(rows)
            found = found or rows[0]["rank"] is not None
            if progress:
                progress("asking", done, len(questions))
    return 0 if found else NOTHING_FOUND
