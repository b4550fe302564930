"""`warraq inspect`: show which lines of a file are kept or cut."""

from collections.abc import Iterator
from pathlib import Path

import click

from indexer.cli.options import FILE, field_names, fields_option, index_option, json_option, print_json
from indexer.cli.printing import say
from indexer.inspection import Inspection, inspect_file, inspection_json, reason_of


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


def inspection_text(inspection: Inspection) -> str:
    """Return the lines of an article with the rules that cut them, its facts and the reasons."""
    cut = sum(line.rule is not None for line in inspection.lines)
    kept = len(inspection.lines) - cut
    return "\n".join(
        [
            *(f"{name:<11} {value}" for name, value in _inspection_facts(inspection).items() if value),
            "",
            *_inspection_lines(inspection),
            "",
            f"{kept:,} lines kept in {len(inspection.article.passages):,} passages, {cut:,} cut.",
            *_cut_reasons(inspection),
        ]
    )


def _inspection_facts(inspection: Inspection) -> dict[str, str]:
    """Return the facts about an inspected article by name; an empty one is not shown."""
    document, articles = inspection.article.document, inspection.articles
    return {
        "file": inspection.path,
        "article": f"{document.doc_id} ({articles:,} in the file)" if articles > 1 else "",
        "title": document.title,
        "source": document.source,
        "author": document.author,
        "url": document.url,
        "published": document.published or "not known",
        "language": document.lang,
        "encoding": document.file.encoding,
        "text": "extracted from the file" if document.file.basis == "extracted" else "",
        "note": document.notes,
        "repetition": "" if inspection.indexed else "not known: no index holds this version of the file",
    }


def _inspection_lines(inspection: Inspection) -> Iterator[str]:
    """Yield each line with its number and the rule that cuts it, then the lines outside the article."""
    width = max((len(line.rule) for line in inspection.lines if line.rule), default=4)
    for line in inspection.lines:
        yield f"{line.line:>5}  {line.rule or '':<{width}}  {line.text}"
    for text in inspection.outside:
        yield f"{'':>5}  {'page':<{width}}  {text}"


def _cut_reasons(inspection: Inspection) -> Iterator[str]:
    """Yield each reason for which lines were cut, once."""
    reasons = dict.fromkeys((line.rule, line.articles) for line in inspection.lines if line.rule)
    if inspection.outside:
        reasons["page", None] = None
    for rule, articles in reasons:
        yield f"  {rule}: {reason_of(rule, articles)}"
