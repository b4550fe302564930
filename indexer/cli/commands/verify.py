"""`warraq verify`: check the index against its files, or hits against theirs."""

from dataclasses import asdict
from pathlib import Path
from typing import TextIO

import click

from indexer.cli.options import (
    field_names,
    fields_option,
    index_option,
    json_option,
    moved_archive_option,
    print_json,
    quiet_option,
)
from indexer.cli.printing import say
from indexer.cli.progress import show_progress
from indexer.errors import IndexUnusable, RequestError
from indexer.integrity.hits import HitVerification, read_hits, verify_hits
from indexer.integrity.index import Verification, verify_index
from indexer.retrieval.opening import read_manifest

FILE_CHANGED = 1  # exit status
DAMAGED = IndexUnusable.exit_status
SHOWN_FAULTS = 20


@click.command()
@index_option
@moved_archive_option
@click.option(
    "--hit",
    type=click.File("r", encoding="utf-8"),
    metavar="FILE",
    help="Verify a hit, or all hits of an answer, printed by warraq search --json; - is standard input.",
)
@fields_option
@quiet_option
@json_option
def verify(
    index: Path,
    archive: Path | None,
    hit: TextIO | None,
    fields: tuple[str, ...],
    quiet: bool,
    as_json: bool,
) -> int:
    """Check the index against itself and against its files, or hits against their files alone.

    Exits with 3 where something is damaged or a file contradicts a hit, with 1 where the file of a hit has
    changed since.
    """
    if hit:
        return _verify_hits(hit, index, archive, field_names(fields), as_json)
    with show_progress(quiet=quiet) as progress:
        verification = verify_index(index, archive, progress)
    if as_json:
        print_json({"whole": verification.whole, **asdict(verification)})
    elif not (quiet and verification.whole):
        say(verification_text(verification))
    return 0 if verification.whole else DAMAGED


def _verify_hits(
    hit: TextIO, index: Path, archive: Path | None, fields: dict[str, str], as_json: bool
) -> int:
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
    verified = verify_hits(hits, archive, fields)
    proven = all(result.proven for result in verified)
    if as_json:
        print_json({"proven": proven, "hits": [asdict(result) for result in verified]})
    else:
        say("\n".join(map(hit_verification_text, verified)))
    if any(result.contradicted for result in verified):
        return DAMAGED
    return 0 if proven else FILE_CHANGED


def verification_text(verification: Verification) -> str:
    """Return the faults of an index with their remedies, and the numbers of compared parts."""
    lines = []
    for fault in verification.faults[:SHOWN_FAULTS]:
        where = fault.where if fault.where in ("index", "cache") else f"generation {fault.where}"
        lines.append(f"{where}, {fault.part}: {fault.fact}")
    if len(verification.faults) > SHOWN_FAULTS:
        lines.append(f"and {len(verification.faults) - SHOWN_FAULTS:,} more faults: --json lists all")
    lines += dict.fromkeys(fault.remedy for fault in verification.faults)
    if verification.faults:
        lines.append("")
    vectors = f"{verification.vectors:,} vectors with the cache"
    if verification.encoded:
        vectors += f", {verification.encoded:,} with the model"
    if verification.unchecked:
        vectors += f" ({verification.unchecked:,} others are in neither)"
    generations = _count(len(verification.generations), "generation")
    articles = _count(verification.articles, "article")
    lines.append(
        f"Looked at {generations} and {verification.cached:,} vectors in the cache. Compared {articles} with "
        f"their files, {vectors}, all terms with the passages."
    )
    if verification.archive is None:
        lines.append("The folder of the articles is gone; name it with --archive to compare them.")
    if verification.changed:
        shown = ", ".join(verification.changed[:3]) + (", …" if len(verification.changed) > 3 else "")
        changed = _count(len(verification.changed), "file")
        lines.append(f"{changed} changed since the build ({shown}); warraq build takes that in.")
    faults = _count(len(verification.faults), "fault")
    lines.append("All is as it was written." if verification.whole else f"{faults} found.")
    return "\n".join(lines)


def hit_verification_text(verified: HitVerification) -> str:
    """Return the result for a hit in one line."""
    verdict = "proven" if verified.proven else "NOT proven"
    return f"{verdict}: {verified.doc_id}: {verified.reason}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
