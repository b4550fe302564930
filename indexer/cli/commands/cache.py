"""`warraq cache`: show the vector cache, or clear it."""

from pathlib import Path

import click

from indexer.cli.options import index_option, json_option, print_json
from indexer.cli.output import size_text
from indexer.cli.printing import say
from indexer.maintenance import cache_facts, clear_cache


@click.command()
@click.option("--clear", is_flag=True, help="Remove it; the next builds embed everything again.")
@index_option
@json_option
def cache(clear: bool, index: Path, as_json: bool) -> None:
    """Show the vector cache, which keeps a text from being embedded twice, or clear it."""
    facts = clear_cache(index) if clear else cache_facts(index)
    if as_json:
        print_json(facts | {"cleared": clear})
        return
    content = "damaged" if facts["vectors"] is None else f"{facts['vectors']:,} vectors"
    say(f"{facts['path']}: {content}, {size_text(facts['bytes'])}" + (", cleared" if clear else ""))
