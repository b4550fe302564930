"""`warraq evaluate`: measure the quality of search on a data set."""

from collections.abc import Sequence
from pathlib import Path

import click

from indexer.cli.options import FILE, backend_option, json_option, model_option, print_json, quiet_option
from indexer.cli.output import measures_text, silence_text
from indexer.cli.printing import say
from indexer.cli.progress import show_progress
from indexer.embedding.encoder import find_model
from indexer.evaluation.datasets import read_dataset, read_datasets, read_distractors
from indexer.evaluation.ranking import EVALUATED_MODES, parity_gaps
from indexer.evaluation.ranking import evaluate as evaluate_ranking
from indexer.evaluation.silence import evaluate_silence
from indexer.settings import Backend


@click.command()
@click.argument("dataset", type=FILE)
@click.option(
    "--mode",
    type=click.Choice([*EVALUATED_MODES, "all"]),
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
@click.option(
    "--answerable",
    is_flag=True,
    help="Measure how often questions are doubted that an archive cannot answer: those of the other datasets "
    "of a folder, and its own without the passages that answer.",
)
@model_option
@backend_option
@quiet_option
@json_option
def evaluate(
    dataset: Path,
    mode: str,
    distractors: Sequence[Path],
    answerable: bool,
    model: str,
    backend: Backend | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Measure the quality of search on DATASET, a folder in BEIR's layout.

    With --answerable, DATASET may also be a folder of such folders.
    """
    if answerable:
        datasets = read_datasets(dataset)
        with show_progress(quiet=quiet) as progress:
            rows = evaluate_silence(datasets, find_model(model, backend), progress)
        if as_json:
            print_json({"answerable": rows})
        else:
            say(silence_text(rows))
        return
    modes = EVALUATED_MODES if mode == "all" else (mode,)
    read = read_dataset(dataset)
    others = read_distractors(distractors, read)
    with show_progress(quiet=quiet) as progress:
        measured = evaluate_ranking(read, find_model(model, backend), modes, progress, others)
    if as_json:
        print_json(measured)
    else:
        say(measures_text(measured, parity_gaps(measured["results"])))
