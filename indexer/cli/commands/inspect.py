"""`warraq inspect`: show which lines of a file are kept or cut."""

from pathlib import Path

import click

from indexer.cli.options import FILE, field_names, fields_option, index_option, json_option, print_json
from indexer.cli.output import inspection_text
from indexer.cli.printing import say
from indexer.inspection import inspect_file, inspection_json


@click.command()
@click.argument("file", type=FILE)
@index_option
@click.option("--record", metavar="ID", help="An article of a file that holds many; the first otherwise.")
@fields_option
@json_option
def inspect(file: Path, index: Path, record: str | None, fields: tuple[str, ...], as_json: bool) -> None:
    """Show what becomes of each line of FILE: kept, or cut and by which rule.

    Needs no index. Where the index holds this version of the file, lines that are cut because many articles
    share them are shown too.
    """
    inspection = inspect_file(file, index, record=record, fields=field_names(fields))
    if as_json:
        print_json(inspection_json(inspection))
    else:
        say(inspection_text(inspection))
