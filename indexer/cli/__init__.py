"""The command `warraq`: reads options, calls the library, prints. JSON for machines, text for people.

With --json, stdout carries exactly one JSON object on one line. Progress, warnings and errors go to stderr.
Exit status: 0 done, 1 nothing found, 2 usage, 3 the index cannot be used, 4 files failed under --strict, 5
any other error. Each command is a module of `commands` that is imported when the command runs, so that
`warraq --help` imports none of them.
"""

import sys
import traceback
from importlib import import_module
from typing import Any

import click

from indexer.cli.printing import say
from indexer.errors import WarraqError

ANYTHING_ELSE = 5

COMMANDS = {
    "build": "Bring the index of an archive up to date.",
    "search": "Print the passages that answer QUESTION, best first.",
    "serve": "Serve the pages and the JSON endpoints until SIGTERM or Ctrl-C.",
    "mcp": "Serve search, articles and proofs to an assistant.",
    "inspect": "Show what becomes of each line of FILE: kept, or cut and by which rule.",
    "info": "Tell what the index holds, how it was made, what failed, and its size.",
    "verify": "Check the index against its files, or hits against theirs.",
    "rollback": "Serve the generation before the current one again.",
    "cache": "Show the vector cache, or clear it.",
    "evaluate": "Measure the quality of search on a data set in BEIR's layout.",
    "model": "Manage embedding models.",
}
"""For each command, which is also the name of its module: its line in the list of commands."""


def main() -> None:
    """Run the command line; exit with the status of the error that ended it, if any."""
    try:
        status = warraq.main(prog_name="warraq", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except WarraqError as error:
        say(f"Error: {error}", err=True)
        status = error.exit_status
    except (click.Abort, KeyboardInterrupt):
        say("Stopped.", err=True)
        status = ANYTHING_ELSE
    except Exception as error:
        traceback.print_exc()
        say(f"Error: something unforeseen went wrong: {error or type(error).__name__}", err=True)
        status = ANYTHING_ELSE
    sys.exit(status if isinstance(status, int) else 0)


class LazyGroup(click.Group):
    """A group of commands, each imported when it runs or shows its help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"indexer.cli.commands.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        # A program such as head may close the output early, which is not an error. Click would exit with 1,
        # which here means that nothing was found.
        except BrokenPipeError:
            sys.stdout = None  # or Python would try to flush it at the exit, and fail
            return 0


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="warraq", message="warraq %(version)s")
def warraq() -> None:
    """Search an archive of articles by meaning, in Arabic and in English.

    Build an index of a folder of articles once, then search it or serve it.
    """
