"""`warraq serve`: serve the pages and the JSON endpoints."""

import os
import stat
from pathlib import Path

import click

import web
from indexer import settings
from indexer.cli.options import FILE, index_option, moved_archive_option, required_model_option
from indexer.cli.printing import say
from indexer.errors import RequestError

SECRET_LENGTH = 8  # least number of characters


@click.command()
@index_option
@required_model_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=5_000, show_default=True, help="0 takes a free one."
)
@moved_archive_option
@click.option(
    "--allowed-host",
    "allowed",
    multiple=True,
    metavar="NAME",
    help="A name under which the server is reached. May be given more than once.",
)
@click.option(
    "--secret-file",
    type=FILE,
    metavar="FILE",
    help="File of the secret that browsers give as password and programs as bearer token; "
    "WARRAQ_SECRET otherwise.",
)
@click.option(
    "--insecure", is_flag=True, help="Listen on another address without a secret: for a trusted network."
)
@click.option("--proxy", is_flag=True, help="Trust the forwarding headers of a proxy on this machine.")
@click.option(
    "--prefix",
    default="",
    metavar="PATH",
    help="The path below which a proxy serves the program, such as /archive; with --proxy, the header "
    "X-Forwarded-Prefix says it too.",
)
@click.option(
    "--log-queries", is_flag=True, help="Log the words of queries too, which tell what readers look for."
)
def serve(
    index: Path,
    model: str | None,
    host: str,
    port: int,
    archive: Path | None,
    allowed: tuple[str, ...],
    secret_file: Path | None,
    insecure: bool,
    proxy: bool,
    prefix: str,
    log_queries: bool,
) -> None:
    """Serve the pages and the JSON endpoints until SIGTERM or Ctrl-C."""
    secret = _read_secret(secret_file) if secret_file else settings.secret()
    if secret is not None and len(secret) < SECRET_LENGTH:
        raise RequestError("bad_secret", f"The secret has fewer than {SECRET_LENGTH} characters.")
    if host not in web.LOOPBACK and not insecure and not (allowed and secret):
        raise RequestError(
            "insecure",
            f"On {host} others can reach the server. Name it with --allowed-host and give a secret with "
            "--secret-file or WARRAQ_SECRET, or say --insecure.",
        )
    guard = web.Guard.of(host, allowed, secret, any_name=insecure and not allowed)
    web.serve(index, model, host, port, archive, guard, proxy=proxy, prefix=prefix, log_queries=log_queries)


def _read_secret(path: Path) -> str:
    try:
        if os.name == "posix" and path.stat().st_mode & stat.S_IROTH:
            say(f"Warning: everybody on this machine can read {path}. Run: chmod 600 {path}", err=True)
        return path.read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        raise RequestError("bad_secret", f"The secret in {path} cannot be read: {error}.") from error
