"""The command `warraq`: reads options, calls the library, prints. JSON for machines, text for people.

With --json, stdout carries exactly one JSON object on one line. Progress, warnings and errors go
to stderr. Exit: 0 done, 1 nothing found, 2 usage, 3 the index cannot be used, 4 files failed under
--strict, 5 anything else.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO, TypeVar, cast

import click

from . import (
    build_index,
    cache_facts,
    clear_cache,
    describe,
    find_model,
    inspect_file,
    open_searcher,
    read_hits,
    read_manifest,
    result_json,
    roll_back,
    settings,
    verify_hits,
    verify_index,
)
from .datatypes import COPIES, LIMIT, MODES, OFFSET, SORTS, Copies, Mode, SearchRequest, Sort
from .errors import IndexUnusable, RequestError, WarraqError
from .inspection import inspection_json
from .settings import DEFAULT_ARCHIVE, DEFAULT_INDEX, DEFAULT_MODEL, KEPT
from .texts import (
    facts_text,
    inspection_text,
    proof_text,
    report_text,
    result_text,
    size_text,
    verification_text,
)

NOTHING_FOUND, FILES_FAILED, ANYTHING_ELSE = 1, 4, 5
SHOWN_FAILURES = 10
DAMAGED = IndexUnusable.exit_status
SECRET_LENGTH = 8  # characters
UNITS = {"checking": " files", "reading": "B", "cutting": " articles", "embedding": " passages"}

Command = TypeVar("Command", bound=Callable[..., Any])


def main() -> None:
    """Run the command line; the exit status is the one of the error that ended it."""
    try:
        status = warraq.main(prog_name="warraq", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except WarraqError as error:
        click.echo(f"Error: {error}", err=True)
        status = error.exit_status
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        status = ANYTHING_ELSE
    except Exception as error:
        import traceback

        traceback.print_exc()
        click.echo(f"Error: something unforeseen went wrong: {error or type(error).__name__}", err=True)
        status = ANYTHING_ELSE
    sys.exit(status if isinstance(status, int) else 0)


class _Group(click.Group):
    """The command itself; a reader of its output that has seen enough, such as head, is no error."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except BrokenPipeError:  # click would exit with 1, which here means that nothing was found
            sys.stdout = None  # nothing is left to flush to it
            return 0


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="warraq", message="warraq %(version)s")
def warraq() -> None:
    """Search an archive of articles by meaning, in Arabic and in English.

    Build an index of a folder of articles once, then search it or serve it.
    """


def _index_option(command: Command) -> Command:
    return click.option(
        "--index", type=click.Path(path_type=Path), default=DEFAULT_INDEX, show_default=True,
        help="Folder of the index.",
    )(command)  # fmt: skip


def _json_option(command: Command) -> Command:
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object on one line.")(command)


def _fields_option(command: Command) -> Command:
    return click.option(
        "--field", "fields", multiple=True, metavar="NAME=FIELD",
        help="Where records keep a field under a name of their own: text=story, published=meta.day. "
        "May be given more than once.",
    )(command)  # fmt: skip


def _named_fields(given: Sequence[str]) -> dict[str, str]:
    for each in given:
        if not all(each.partition("=")):
            raise RequestError(
                "bad_field", f"--field is {each[:40]!r}; it must be NAME=FIELD, such as text=story."
            )
    return {name: path for name, _, path in (each.partition("=") for each in given)}


@warraq.command()
@click.option(
    "--archive", type=click.Path(path_type=Path), default=DEFAULT_ARCHIVE, show_default=True,
    help="Folder of the articles.",
)  # fmt: skip
@_index_option
@click.option(
    "--model", default=DEFAULT_MODEL, show_default=True, metavar="NAME_OR_PATH",
    help="A sentence-transformers model on this machine.",
)  # fmt: skip
@click.option("--rebuild", is_flag=True, help="Build anew, whatever the index holds; vectors stay cached.")
@click.option("--keep", type=click.IntRange(1), default=KEPT, show_default=True,
              help="Generations to keep, the new one counted.")  # fmt: skip
@click.option("--strict", is_flag=True, help="Exit with 4 where a file could not be read.")
@_fields_option
@_json_option
def build(
    archive: Path,
    index: Path,
    model: str,
    rebuild: bool,
    keep: int,
    strict: bool,
    fields: tuple[str, ...],
    as_json: bool,
) -> int:
    """Bring the index of an archive up to date."""
    names = _named_fields(fields)
    with _progress_bars() as progress:
        report = build_index(
            archive, index, find_model(model), rebuild=rebuild, fields=names, keep=keep, progress=progress
        )
    for failed in report.failed[:SHOWN_FAILURES]:
        click.echo(f"Warning: {failed.path} is not in the index: {failed.reason}", err=True)
    if len(report.failed) > SHOWN_FAILURES:
        click.echo(f"Warning: {len(report.failed) - SHOWN_FAILURES} more: warraq info lists all", err=True)
    for note in report.notes[:SHOWN_FAILURES]:
        click.echo(f"Note: {note.path}: {note.reason}", err=True)
    if len(report.notes) > SHOWN_FAILURES:
        click.echo(f"Note: {len(report.notes) - SHOWN_FAILURES} more: warraq info lists all", err=True)
    if not report.documents:
        click.echo(
            f"Warning: there is no article in {archive} that can be read; the index is empty.", err=True
        )
    if as_json:
        _print_json(asdict(report))
    else:
        click.echo(report_text(report, index))
    return FILES_FAILED if strict and report.failed else 0


@warraq.command()
@click.argument("question")
@_index_option
@click.option("--model", metavar="NAME_OR_PATH", help="Refuse an index that was built with another model.")
@click.option("--limit", default=10, show_default=True, help=f"Passages to print, 1 to {LIMIT}.")
@click.option("--offset", default=0, show_default=True, help=f"Passages to pass over, 0 to {OFFSET:,}.")
@click.option("--mode", type=click.Choice(MODES), default="hybrid", show_default=True, help="How to rank.")
@click.option("--copies", type=click.Choice(COPIES), default="fold", show_default=True,
              help="Fold identical passages and long runs of one article, or list all.")  # fmt: skip
@click.option("--lang", metavar="CODE", help="Only passages in this language, such as ar or en.")
@click.option("--source", metavar="NAME", help="Only articles of this source; warraq info lists them.")
@click.option("--from", "first", metavar="YYYY-MM-DD", help="Only articles of this day or later.")
@click.option("--to", "last", metavar="YYYY-MM-DD", help="Only articles of this day or earlier.")
@click.option("--sort", type=click.Choice(SORTS), default="relevance", show_default=True,
              help="The best first, or of the best the newest first.")  # fmt: skip
@_json_option
def search(
    question: str, index: Path, model: str | None, limit: int, offset: int, mode: str, copies: str,
    lang: str | None, source: str | None, first: str | None, last: str | None, sort: str, as_json: bool,
) -> int:  # fmt: skip
    """Print the passages that answer QUESTION, best first."""
    request = SearchRequest(
        question, cast(Mode, mode), limit=limit, offset=offset, lang=lang, copies=cast(Copies, copies),
        source=source, published_from=first, published_to=last, sort=cast(Sort, sort),
    )  # fmt: skip
    result = open_searcher(index, model).search(request)
    for warning in result.warnings:
        click.echo(f"Note: {warning}", err=True)
    if as_json:
        _print_json(result_json(result))
    else:
        click.echo(result_text(result))
    return 0 if result.hits else NOTHING_FOUND


@warraq.command()
@_index_option
@click.option("--model", metavar="NAME_OR_PATH", help="Refuse an index that was built with another model.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=5_000, show_default=True, help="0 takes a free one."
)
@click.option(
    "--archive", type=click.Path(path_type=Path),
    help="Folder of the articles, where it has moved since the build.",
)  # fmt: skip
@click.option("--allowed-host", "allowed", multiple=True, metavar="NAME",
              help="A name under which the server is reached. May be given more than once.")  # fmt: skip
@click.option("--secret-file", type=click.Path(path_type=Path), metavar="FILE",
              help="File of the secret that browsers give as password and programs as bearer token; "
              "WARRAQ_SECRET otherwise.")  # fmt: skip
@click.option("--insecure", is_flag=True,
              help="Listen on another address without a secret: for a trusted network.")  # fmt: skip
@click.option("--proxy", is_flag=True,
              help="Believe the forwarding headers of a proxy on this machine.")  # fmt: skip
@click.option("--log-queries", is_flag=True,
              help="Log the words of questions too, which tell what your readers look for.")  # fmt: skip
def serve(
    index: Path, model: str | None, host: str, port: int, archive: Path | None, allowed: tuple[str, ...],
    secret_file: Path | None, insecure: bool, proxy: bool, log_queries: bool,
) -> None:  # fmt: skip
    """Serve the pages and the JSON endpoints until SIGTERM or Ctrl-C."""
    import web

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
    web.serve(index, model, host, port, archive, guard, proxy=proxy, log_queries=log_queries)


def _read_secret(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        raise RequestError("bad_secret", f"The secret in {path} cannot be read: {error}.") from error


@warraq.command()
@click.argument("file", type=click.Path(path_type=Path))
@_index_option
@click.option("--record", metavar="ID", help="An article of a file that holds many; the first otherwise.")
@_fields_option
@_json_option
def inspect(file: Path, index: Path, record: str | None, fields: tuple[str, ...], as_json: bool) -> None:
    """Show what becomes of each line of FILE: kept, or cut and by which rule.

    Needs no index. Where the index holds this very file, what repetition says is shown too.
    """
    inspection = inspect_file(file, index, record=record, fields=_named_fields(fields))
    if as_json:
        _print_json(inspection_json(inspection))
    else:
        click.echo(inspection_text(inspection))


@warraq.command()
@_index_option
@_json_option
def info(index: Path, as_json: bool) -> None:
    """Tell what the index holds, how it was made, what failed, and what it weighs."""
    facts = describe(index)
    if facts["damage"]:
        click.echo(f"Warning: {facts['damage']}", err=True)
    if as_json:
        _print_json(facts)
    else:
        click.echo(facts_text(facts))


@warraq.command()
@_index_option
@click.option(
    "--archive", type=click.Path(path_type=Path),
    help="Folder of the articles, where it has moved since the build.",
)  # fmt: skip
@click.option(
    "--hit", type=click.File("r", encoding="utf-8"), metavar="FILE",
    help="Prove a hit, or all hits of an answer, printed by warraq search --json; - is standard input.",
)  # fmt: skip
@_fields_option
@_json_option
def verify(
    index: Path, archive: Path | None, hit: TextIO | None, fields: tuple[str, ...], as_json: bool
) -> int:
    """Check the index against itself and against its files, or prove hits from their files alone.

    Exits with 3 where something is damaged or a hit is contradicted by its file, with 1 where the file
    of a hit has changed since.
    """
    if hit:
        return _prove(hit, index, archive, _named_fields(fields), as_json)
    with _progress_bars() as progress:
        found = verify_index(index, archive, progress)
    if as_json:
        _print_json({"whole": found.whole, **asdict(found)})
    else:
        click.echo(verification_text(found))
    return 0 if found.whole else DAMAGED


def _prove(hit: TextIO, index: Path, archive: Path | None, fields: dict[str, str], as_json: bool) -> int:
    try:
        hits = read_hits(hit.read())
    except UnicodeDecodeError as error:
        raise RequestError("bad_hit", f"The hit is not UTF-8 text: {error}.") from error
    if archive is None or not fields:
        try:
            manifest = read_manifest(index)
        except IndexUnusable as error:
            if archive is None:
                raise IndexUnusable(f"{error} Or name the folder of the articles with --archive.") from error
        else:
            archive = archive or Path(manifest.archive)
            fields = fields or manifest.settings["fields"]
    assert archive
    proofs = verify_hits(hits, archive, fields)
    proven = all(each.proven for each in proofs)
    if as_json:
        _print_json({"proven": proven, "hits": [asdict(each) for each in proofs]})
    else:
        click.echo("\n".join(map(proof_text, proofs)))
    if any(each.contradicted for each in proofs):
        return DAMAGED
    return 0 if proven else NOTHING_FOUND


@warraq.command()
@click.argument("generation", required=False)
@_index_option
@_json_option
def rollback(generation: str | None, index: Path, as_json: bool) -> None:
    """Serve the generation before the current one again, or GENERATION; warraq info lists them.

    Nothing is removed: going forward again is a rollback to the newer one. The next build begins with
    the generation that is served.
    """
    manifest = roll_back(index, generation)
    if as_json:
        _print_json({"generation": manifest.generation, "built": manifest.built})
    else:
        click.echo(f"{index} serves {manifest.generation}, built {manifest.built}.")


@warraq.command()
@click.option("--clear", is_flag=True, help="Remove it; the next builds embed everything again.")
@_index_option
@_json_option
def cache(clear: bool, index: Path, as_json: bool) -> None:
    """Show the vector cache, which keeps a text from being embedded twice, or clear it."""
    facts = clear_cache(index) if clear else cache_facts(index)
    if as_json:
        _print_json(facts | {"cleared": clear})
        return
    held = "damaged" if facts["vectors"] is None else f"{facts['vectors']:,} vectors"
    click.echo(f"{facts['path']}: {held}, {size_text(facts['bytes'])}" + (", cleared" if clear else ""))


@warraq.command()
@click.argument("dataset", type=click.Path(path_type=Path))
@click.option("--mode", type=click.Choice([*MODES, "raw", "all"]), default="hybrid", show_default=True,
              help="How to rank; raw is dense without the language-neutral space.")  # fmt: skip
@click.option("--model", default=DEFAULT_MODEL, show_default=True, metavar="NAME_OR_PATH",
              help="A sentence-transformers model on this machine.")  # fmt: skip
@_json_option
def evaluate(dataset: Path, mode: str, model: str, as_json: bool) -> None:
    """Measure the quality of search on DATASET, a folder in BEIR's layout."""
    from .evaluate import EVALUATED_MODES, parity_gaps, read_dataset
    from .evaluate import evaluate as measure

    modes = EVALUATED_MODES if mode == "all" else tuple(each for each in EVALUATED_MODES if each == mode)
    with _progress_bars() as progress:
        measured = measure(read_dataset(dataset), find_model(model), modes, progress)
    if as_json:
        _print_json(measured)
        return
    click.echo(f"{measured['dataset']}: {measured['passages']:,} passages")
    click.echo(
        "mode     questions  passages  queries  nDCG@10  (95 % interval)  MRR@10  Recall@10  Recall@100"
    )
    for row in measured["results"]:
        low, high = row["ci95"]
        click.echo(
            f"{row['mode']:<8} {row['query_lang']:<10} {row['passage_lang']:<9} {row['queries']:>6,} "
            f"{row['nDCG@10']:>9.3f}  ({low:.3f} to {high:.3f}) {row['MRR@10']:>7.3f} "
            f"{row['Recall@10']:>9.3f} {row['Recall@100']:>10.3f}"
        )
    for each, gap in parity_gaps(measured["results"]).items():
        click.echo(f"parity gap of {each}, nDCG@10 ar→ar minus en→ar: {gap:+.3f}")


@warraq.group()
def model() -> None:
    """Manage embedding models."""


@model.command()
@click.argument("name")
def fetch(name: str) -> None:
    """Download the model NAME from its hub: the one command that uses a network.

    Only weights in safetensors form are taken, and no code.
    """
    from .models.fetch import fetch_model

    click.echo(f"Fetched to {fetch_model(name)}. Use it with: warraq build --model {name}")


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False))


@contextmanager
def _progress_bars() -> Iterator[Callable[[str, int, int], None]]:
    """Show one bar a stage on stderr, where it is a terminal."""
    from tqdm import tqdm

    bars: dict[str, tqdm[Any]] = {}

    def show(stage: str, done: int, total: int) -> None:
        if stage not in bars:
            for bar in bars.values():
                bar.close()
            bars[stage] = tqdm(
                desc=stage, total=total, file=sys.stderr, disable=not sys.stderr.isatty(),
                unit=UNITS.get(stage, ""), unit_scale=stage == "reading", unit_divisor=1024,
            )  # fmt: skip
        bars[stage].total = total  # which may have grown
        bars[stage].update(done - bars[stage].n)

    try:
        yield show
    finally:
        for bar in bars.values():
            bar.close()
