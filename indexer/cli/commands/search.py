"""`warraq search`: print the passages that answer a question."""

from pathlib import Path
from typing import Any

import click

from indexer.cli.options import (
    index_option,
    json_option,
    print_json,
    request_options,
    required_model_option,
)
from indexer.cli.output import result_text
from indexer.cli.printing import say
from indexer.request import SearchRequest
from indexer.retrieval.opening import open_searcher
from indexer.serialization import result_json

NOTHING_FOUND = 1  # exit status


@click.command()
@click.argument("question")
@index_option
@required_model_option
@request_options
@json_option
def search(question: str, index: Path, model: str | None, as_json: bool, **options: Any) -> int:
    """Print the passages that answer QUESTION, best first."""
    request = SearchRequest(question, **options)
    with open_searcher(index, model) as searcher:
        result = searcher.search(request)
    for notice in result.warnings:
        say(f"Note: {notice}", err=True)
    if as_json:
        print_json(result_json(result))
    else:
        say(result_text(result))
    return 0 if result.hits else NOTHING_FOUND
