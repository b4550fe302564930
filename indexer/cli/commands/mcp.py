"""`warraq mcp`: serve an index to assistants over the Model Context Protocol."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import click

from indexer.cli.options import index_option, moved_archive_option, required_model_option
from indexer.errors import WarraqError


@click.command()
@index_option
@required_model_option
@moved_archive_option
def mcp(index: Path, model: str | None, archive: Path | None) -> None:
    """Serve search, articles and proofs to an assistant, on standard input and output."""
    if find_spec("mcp") is None:
        raise WarraqError(
            "The package mcp, which speaks with assistants, is not installed.",
            remedy="pip install 'warraq[mcp]'",
        )
    # Imported here, as the package is optional.
    import_module("indexer.assistant").make_server(index, model, archive).run("stdio")
