"""Options that several commands share, and options made from the parameters of a request."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from indexer.errors import RequestError
from indexer.request import Choice, Parameter, SearchRequest, WholeNumber
from indexer.settings import BACKENDS, DEFAULT_ARCHIVE, DEFAULT_INDEX, DEFAULT_MODEL

Command = TypeVar("Command", bound=Callable[..., Any])

FILE = click.Path(path_type=Path)

index_option = click.option(
    "--index", type=FILE, default=DEFAULT_INDEX, show_default=True, help="Folder of the index."
)
archive_option = click.option(
    "--archive", type=FILE, default=DEFAULT_ARCHIVE, show_default=True, help="Folder of the articles."
)
moved_archive_option = click.option(
    "--archive", type=FILE, help="Folder of the articles, where it has moved since the build."
)
model_option = click.option(
    "--model",
    default=DEFAULT_MODEL,
    show_default=True,
    metavar="NAME_OR_PATH",
    help="A sentence-transformers model on this machine.",
)
backend_option = click.option(
    "--backend",
    type=click.Choice(BACKENDS),
    help="What the bundled model runs on; without it, openvino where that is installed.",
)
required_model_option = click.option(
    "--model", metavar="NAME_OR_PATH", help="Refuse an index that was built with another model."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on one line.")
quiet_option = click.option(
    "--quiet", is_flag=True, help="Print no progress, and after a build no report; warnings and errors still."
)
fields_option = click.option(
    "--field",
    "fields",
    multiple=True,
    metavar="NAME=FIELD",
    help="Where records keep a field under a name of their own: text=story, published=meta.day. "
    "May be given more than once.",
)


def request_options(command: Command) -> Command:
    """Add an option for each parameter of a search that the command line takes."""
    for parameter in reversed(SearchRequest.parameters()):
        if parameter.on_command_line:
            command = _request_option(parameter)(command)
    return command


def _request_option(parameter: Parameter) -> Callable[[Command], Command]:
    kind: Any = str
    if isinstance(parameter.value, Choice):
        kind = click.Choice(parameter.value.words)
    elif isinstance(parameter.value, WholeNumber):
        kind = int
    return click.option(
        f"--{parameter.name}",
        parameter.attribute,
        type=kind,
        default=parameter.default,
        show_default=parameter.default is not None,
        metavar=parameter.metavar,
        help=parameter.help,
    )


def field_names(options: Sequence[str]) -> dict[str, str]:
    """Return the values of --field as a mapping; RequestError where a value is not NAME=FIELD."""
    for option in options:
        if not all(option.partition("=")):
            raise RequestError(
                "bad_field", f"--field is {option[:40]!r}; it must be NAME=FIELD, such as text=story."
            )
    return {name: path for name, _, path in (option.partition("=") for option in options)}


_C1 = re.compile("[\x7f-\x9f]")  # controls that JSON need not escape, and some terminals obey


def print_json(value: object) -> None:
    """Print a value as one line of JSON."""
    written = json.dumps(value, ensure_ascii=False)
    click.echo(_C1.sub(lambda control: f"\\u{ord(control.group()):04x}", written))
