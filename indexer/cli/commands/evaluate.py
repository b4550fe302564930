"""`warraq evaluate`: measure the quality of search on a data set."""

from collections.abc import Sequence
from pathlib import Path

import click

from indexer import evaluation
from indexer.cli.options import FILE, backend_option, json_option, model_option, print_json, quiet_option
from indexer.cli.output import measures_text
from indexer.cli.printing import say
from indexer.cli.progress import show_progress
from indexer.embedding.encoder import find_model
from indexer.settings import Backend


@click.command()
@click.argument("dataset", type=FILE)
@click.option(
    "--mode",
    type=click.Choice([*evaluation.EVALUATED_MODES, "all"]),
    default="hybrid",
    show_default=True,
    help="How to rank; raw is dense without the language-neutral space.",
)
@click.option(
    "--distractors",
    type=FILE,
    multiple=True,
    metavar="DIR",
    help="Add the passages of another dataset, or of all those in a folder, to the archive; may be repeated.",
)
@model_option
@backend_option
@quiet_option
@json_option
def evaluate(
    dataset: Path,
    mode: str,
    distractors: Sequence[Path],
    model: str,
    backend: Backend | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Measure the quality of search on DATASET, a folder in BEIR's layout."""
    modes = evaluation.EVALUATED_MODES if mode == "all" else (mode,)
    read = evaluation.read_dataset(dataset)
    others = evaluation.read_distractors(distractors, read)
    with show_progress(quiet=quiet) as progress:
        measured = evaluation.evaluate(read, find_model(model, backend), modes, progress, others)
    if as_json:
        print_json(measured)
    else:
        say(measures_text(measured, evaluation.parity_gaps(measured["results"])))
