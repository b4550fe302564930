"""`warraq rollback`: serve an earlier generation again."""

from pathlib import Path

import click

from indexer.cli.options import index_option, json_option, print_json
from indexer.cli.printing import say
from indexer.maintenance import roll_back


@click.command()
@click.argument("generation", required=False)
@index_option
@json_option
def rollback(generation: str | None, index: Path, as_json: bool) -> None:
    """Serve the generation before the current one again, or GENERATION; warraq info lists them.

    Nothing is removed: going forward again is a rollback to the newer one. The next build begins with the
    generation that is served.
    """
    manifest = roll_back(index, generation)
    if as_json:
        print_json({"generation": manifest.generation, "built": manifest.built})
    else:
        say(f"{index} serves {manifest.generation}, built {manifest.built}.")
