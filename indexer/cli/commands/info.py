"""`warraq info`: show the content of the index, its settings and its size."""

from pathlib import Path

import click

from indexer.cli.options import index_option, json_option, print_json
from indexer.cli.output import facts_text
from indexer.cli.printing import say
from indexer.maintenance import describe_index


@click.command()
@index_option
@json_option
def info(index: Path, as_json: bool) -> None:
    """Tell what the index holds, how it was made, what failed, and its size."""
    facts = describe_index(index)
    if facts["damage"]:
        say(f"Warning: {facts['damage']}", err=True)
    if as_json:
        print_json(facts)
    else:
        say(facts_text(facts))
