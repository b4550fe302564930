"""The command `warraq`: reads options, calls the library, prints. JSON for machines, text for people.

With --json, stdout carries exactly one JSON object on one line. Progress, warnings and errors go
to stderr. Exit: 0 done, 1 nothing found, 2 usage, 3 the index cannot be used, 4 files failed under
--strict, 5 anything else.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from . import build_index, find_model, inspect_file, open_searcher, read_manifest, result_json
from .datatypes import (
    COPIES,
    LIMIT,
    MODES,
    OFFSET,
    BuildReport,
    Copies,
    Hit,
    Mode,
    RepeatedLine,
    SearchRequest,
    SearchResult,
)
from .errors import RequestError, WarraqError
from .inspection import Inspection, inspection_json, reason_of
from .settings import DEFAULT_ARCHIVE, DEFAULT_INDEX, DEFAULT_MODEL
from .store.generation import Manifest

NOTHING_FOUND, FILES_FAILED, ANYTHING_ELSE = 1, 4, 5
SHOWN_FAILURES = 10
SHOWN_REPEATED, SHOWN_SOURCES = 5, 20
UNITS = {"reading": "B", "cutting": " articles", "embedding": " passages"}

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
@click.option("--rebuild", is_flag=True, help="Build even where nothing has changed.")
@click.option("--strict", is_flag=True, help="Exit with 4 where a file could not be read.")
@_fields_option
@_json_option
def build(
    archive: Path,
    index: Path,
    model: str,
    rebuild: bool,
    strict: bool,
    fields: tuple[str, ...],
    as_json: bool,
) -> int:
    """Bring the index of an archive up to date."""
    names = _named_fields(fields)
    with _progress_bars() as progress:
        report = build_index(
            archive, index, find_model(model), rebuild=rebuild, fields=names, progress=progress
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
        click.echo(_report_text(report, index))
    return FILES_FAILED if strict and report.failed else 0


def _report_text(report: BuildReport, index: Path) -> str:
    if not report.encoded and report.unchanged == report.documents and not report.added + report.removed:
        done = "Nothing has changed"
    else:
        counts = {name: getattr(report, name) for name in ("added", "changed", "removed", "unchanged")}
        done = "Built: " + ", ".join(
            f"{count:,} {name}" for name, count in counts.items() if count or name == "added"
        )
    return (
        f"{done}. {report.documents:,} articles, {report.passages:,} passages "
        f"({report.encoded:,} newly embedded) in {index}, {report.seconds:.1f} s."
        + "".join(f"\n{line}" for line in _cut_text(report.cut, report.repeated[:SHOWN_REPEATED]))
    )


def _cut_text(cut: Mapping[str, int], repeated: Sequence[RepeatedLine]) -> Iterator[str]:
    """Yield what was cut: how many lines by each rule, and the commonest lines that many articles have."""
    if cut:
        by_rule = ", ".join(f"{rule} {count:,}" for rule, count in cut.items())
        yield f"Cut as furniture: {sum(cut.values()):,} lines ({by_rule}). To see them: warraq inspect FILE"
    for each in repeated:
        of = f" of {each.source}" if each.source else ""
        yield f"  in {each.articles:,} articles{of}: line {each.line} of {each.doc_id}"


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
@_json_option
def search(
    question: str, index: Path, model: str | None, limit: int, offset: int, mode: str, copies: str,
    lang: str | None, source: str | None, first: str | None, last: str | None, as_json: bool,
) -> int:  # fmt: skip
    """Print the passages that answer QUESTION, best first."""
    request = SearchRequest(
        question, limit, offset, cast(Mode, mode), lang, copies=cast(Copies, copies),
        source=source, published_from=first, published_to=last,
    )  # fmt: skip
    result = open_searcher(index, model).search(request)
    for warning in result.warnings:
        click.echo(f"Note: {warning}", err=True)
    if as_json:
        _print_json(result_json(result))
    else:
        click.echo(_result_text(result))
    return 0 if result.hits else NOTHING_FOUND


def _result_text(result: SearchResult) -> str:
    if not result.hits:
        return "No passage past that offset." if result.total else "Nothing was found."
    blocks = []
    for hit in result.hits:
        lines = [
            f"{hit.rank}. {_place(hit)}  [{hit.passage.lang}, {hit.score:.3f}]",
            " · ".join(filter(None, (hit.document.title, hit.document.source, hit.document.published))),
            hit.text,
        ]
        lines += [f"Also in {_place(each)}" for each in hit.also_in]
        if hit.more:
            lines.append(f"{len(hit.more)} more in this article: " + ", ".join(map(_place, hit.more)))
        blocks.append("\n".join(lines))
    first, last = result.hits[0].rank, result.hits[-1].rank
    return "\n\n".join([*blocks, f"Passages {first} to {last} of {result.total}."])


def _place(hit: Hit) -> str:
    """Return file and lines, as compilers and editors write them."""
    first, last = hit.passage.line_start, hit.passage.line_end
    return f"{hit.document.metadata['path']}:{first}" + (f"-{last}" if last > first else "")


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
def serve(index: Path, model: str | None, host: str, port: int, archive: Path | None) -> None:
    """Serve the search page and the JSON endpoint until SIGTERM or Ctrl-C."""
    import web

    web.serve(index, model, host, port, archive)


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
        click.echo(_inspection_text(inspection))


def _inspection_text(inspection: Inspection) -> str:
    document = inspection.article.document
    facts = {
        "file": inspection.path,
        "article": f"{document.doc_id} ({inspection.articles:,} in the file)"
        if inspection.articles > 1
        else "",
        "title": document.title,
        "source": document.source,
        "author": document.metadata.get("author", ""),
        "url": document.metadata.get("url", ""),
        "published": document.published or "not known",
        "language": document.lang,
        "encoding": document.metadata["encoding"],
        "text": "extracted from the file" if document.metadata["basis"] == "extracted" else "",
        "note": document.metadata.get("notes", ""),
        "repetition": "" if inspection.indexed else "not known: the index does not hold this very file",
    }
    lines = [f"{name:<11} {value}" for name, value in facts.items() if value]
    lines.append("")
    width = max((len(each.rule) for each in inspection.lines if each.rule), default=4)
    for each in inspection.lines:
        lines.append(f"{each.line:>5}  {each.rule or '':<{width}}  {each.text}")
    for text in inspection.outside:
        lines.append(f"{'':>5}  {'page':<{width}}  {text}")
    reasons = {
        (each.rule, each.articles): reason_of(each.rule, each.articles)
        for each in inspection.lines
        if each.rule
    }
    if inspection.outside:
        reasons["page", None] = reason_of("page")
    cut = sum(each.rule is not None for each in inspection.lines)
    kept = len(inspection.lines) - cut
    lines += ["", f"{kept:,} lines kept in {len(inspection.article.passages):,} passages, {cut:,} cut."]
    lines += [f"  {rule}: {reason}" for (rule, _), reason in reasons.items()]
    return "\n".join(lines)


@warraq.command()
@_index_option
@_json_option
def info(index: Path, as_json: bool) -> None:
    """Tell what the index holds and what it was made with."""
    manifest = read_manifest(index)
    if as_json:
        _print_json(asdict(manifest))
    else:
        click.echo(_manifest_text(manifest))


def _manifest_text(manifest: Manifest) -> str:
    languages = ", ".join(f"{lang} {count:,}" for lang, count in manifest.languages.items())
    failed = [f"  {each['path']}: {each['reason']}" for each in manifest.failed]
    notes = [f"  {each['path']}: {each['reason']}" for each in manifest.notes]
    sources = [f"  {name or '(the archive itself)'}: {count:,}" for name, count in manifest.sources.items()]
    repeated = [RepeatedLine(**each) for each in manifest.repeated]
    return "\n".join(
        [
            f"archive     {manifest.archive}",
            f"articles    {manifest.documents:,}",
            f"passages    {manifest.passages:,}" + (f" ({languages})" if languages else ""),
            f"model       {manifest.settings['model']} ({manifest.settings['dimension']} dimensions)",
            f"generation  {manifest.generation}",
            f"built       {manifest.built}",
            f"undated     {manifest.undated:,}",
            f"sources     {len(sources):,}",
            *sources[:SHOWN_SOURCES],
            *([f"  and {len(sources) - SHOWN_SOURCES:,} more"] if len(sources) > SHOWN_SOURCES else []),
            *_cut_text(manifest.cut, repeated[:SHOWN_REPEATED]),
            *([f"repaired or odd  {len(notes)}", *notes] if notes else []),
            f"not read    {len(failed)}",
            *failed,
        ]
    )


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
                unit=UNITS.get(stage, " questions"), unit_scale=stage == "reading", unit_divisor=1024,
            )  # fmt: skip
        bars[stage].update(done - bars[stage].n)

    try:
        yield show
    finally:
        for bar in bars.values():
            bar.close()
