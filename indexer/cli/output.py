"""Texts that the command line prints for people: results, reports and facts. Pure functions."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from indexer.datatypes import BuildReport, Offer, RepeatedLine, SearchResult

SHOWN_REPEATED, SHOWN_SOURCES = 5, 20
SILENCE: dict[str | None, str] = {
    "no": "Nothing in this archive seems to answer the question. The nearest passages:",
    "unsure": "It is not certain that these passages answer the question.",
}


def result_text(result: SearchResult) -> str:
    if not result.hits:
        told = "No passage past that offset." if result.listed else "Nothing was found."
        return "\n\n".join([*map(_offer_text, result.offers), told])
    blocks = []
    for hit in result.hits:
        lines = [
            f"{hit.rank}. {hit.source}  [{hit.passage.lang}, {hit.score:.3f}]",
            " · ".join(filter(None, (hit.document.title, hit.document.source, hit.document.published))),
            hit.text,
        ]
        if hit.answer:
            lines.append(f"Answer: {' '.join(hit.answer_text.split())}")
        lines += [f"Also in {duplicate.source}" for duplicate in hit.also_in]
        if hit.more:
            lines.append(
                f"{len(hit.more)} more in this article: "
                + ", ".join(str(collapsed.source) for collapsed in hit.more)
            )
        blocks.append("\n".join(lines))
    for offer in result.offers:
        blocks.insert(0, _offer_text(offer))
    if result.spellings:
        also = ", ".join(dict.fromkeys(each for spelled in result.spellings.values() for each in spelled))
        blocks.insert(0, f"Also searched: {also}")
    if result.answerable in SILENCE:
        blocks.insert(0, SILENCE[result.answerable])
    first, last = result.hits[0].rank, result.hits[-1].rank
    return "\n\n".join([*blocks, f"Passages {first} to {last} of {result.listed}.{_found_text(result)}"])


def _offer_text(offer: Offer) -> str:
    asks = "Did you mean" if offer.kind == "spelling" else "Typed with the other keyboard? Try"
    return f"{asks}: {offer.query}"


def _found_text(result: SearchResult) -> str:
    """Return how many passages are nearer to the question than chance, where that differs from the list."""
    if result.total == result.listed:
        return ""
    at_least = "" if result.complete else "at least "
    return f" Nearer to the question than chance: {at_least}{result.total}."


def report_text(report: BuildReport, index: Path) -> str:
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
    """Yield the number of lines cut by each rule, then the commonest repeated lines."""
    if cut:
        by_rule = ", ".join(f"{rule} {count:,}" for rule, count in cut.items())
        yield f"Cut as boilerplate: {sum(cut.values()):,} lines ({by_rule}). To see them: warraq inspect FILE"
    for line in repeated:
        of = f" of {line.source}" if line.source else ""
        yield f"  in {line.articles:,} articles{of}: line {line.line} of {line.doc_id}"


def facts_text(facts: Mapping[str, Any]) -> str:
    """Return the content of an index, its settings, its failures and its sizes as text."""
    settings, cache = facts["settings"], facts["cache"]
    languages = ", ".join(f"{lang} {count:,}" for lang, count in facts["languages"].items())
    failed = [f"  {file['path']}: {file['reason']}" for file in facts["failed"]]
    notes = [f"  {file['path']}: {file['reason']}" for file in facts["notes"]]
    sources = [f"  {name or '(the archive itself)'}: {count:,}" for name, count in facts["sources"].items()]
    repeated = [RepeatedLine(**line) for line in facts["repeated"]]
    cached = "damaged" if cache["vectors"] is None else f"{cache['vectors']:,} vectors"
    return "\n".join(
        [
            f"archive     {facts['archive']}",
            f"articles    {facts['documents']:,}",
            f"passages    {facts['passages']:,}" + (f" ({languages})" if languages else ""),
            f"model       {settings['model']} ({settings['dimension']} dimensions)",
            f"generation  {facts['generation']}",
            f"built       {facts['built']}",
            f"made by     reading {settings['reading_version']}, splitting {settings['splitting_version']}, "
            f"analysis {settings['analysis_version']}, format {settings['format_version']}",
            f"undated     {facts['undated']:,}",
            f"sources     {len(sources):,}",
            *sources[:SHOWN_SOURCES],
            *([f"  and {len(sources) - SHOWN_SOURCES:,} more"] if len(sources) > SHOWN_SOURCES else []),
            *_cut_text(facts["cut"], repeated[:SHOWN_REPEATED]),
            *([f"repaired or odd  {len(notes)}", *notes] if notes else []),
            f"not read    {len(failed)}",
            *failed,
            f"on disk     {size_text(facts['disk'])}, all generations and the cache; this generation:",
            *(f"  {part}: {size_text(size)}" for part, size in facts["sizes"].items()),
            f"cache       {cached}, {size_text(cache['bytes'])}",
            f"generations {len(facts['generations'])}",
            *map(_generation_text, facts["generations"]),
        ]
    )


def _generation_text(facts: Mapping[str, Any]) -> str:
    served = ", served" if facts["current"] else ""
    if facts["built"] is None:
        return f"  {facts['generation']}: cannot be read{served}"
    return f"  {facts['generation']}: {facts['documents']:,} articles, built {facts['built']}{served}"


def size_text(size: int) -> str:
    """Return a size in bytes as text with a unit."""
    amount, unit = float(size), "B"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1_024 or unit == "GiB":
            break
        amount /= 1_024
    return f"{amount:,.0f} {unit}" if unit == "B" else f"{amount:,.1f} {unit}"


def measures_text(measured: Mapping[str, Any], parity_gaps: Mapping[str, float]) -> str:
    """Return the measures of an evaluation as a table."""
    lines = [
        f"{measured['dataset']}: {measured['passages']:,} passages",
        "mode     questions  passages  queries  nDCG@10  (95 % interval)  MRR@10  Recall@10  Recall@100",
    ]
    for row in measured["results"]:
        low, high = row["ci95"]
        lines.append(
            f"{row['mode']:<8} {row['query_lang']:<10} {row['passage_lang']:<9} {row['queries']:>6,} "
            f"{row['nDCG@10']:>9.3f}  ({low:.3f} to {high:.3f}) {row['MRR@10']:>7.3f} "
            f"{row['Recall@10']:>9.3f} {row['Recall@100']:>10.3f}"
        )
    if measured.get("answers"):
        lines.append("answers  questions  passages    pairs     right    marked  right if marked")
    lines += [
        f"{'':<8} {row['query_lang']:<10} {row['passage_lang']:<9} {row['pairs']:>6,} {row['right']:>9.3f} "
        f"{row['marked']:>9.3f} {row['right_if_marked']:>16.3f}"
        for row in measured.get("answers", ())
    ]
    lines += [
        f"parity gap of {mode}, nDCG@10 ar→ar minus en→ar: {gap:+.3f}" for mode, gap in parity_gaps.items()
    ]
    return "\n".join(lines)


def silence_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the shares of questions that are doubted as a table, by archive."""
    lines, archive = list[str](), ""
    for row in rows:
        heading = f"{row['archive']}, {row['passage_lang']}: {row['passages']:,} passages"
        if heading != archive:
            archive = heading
            lines += [
                heading,
                f"  {'kind':<8} {'questions':<32} lang  queries     no  no or unsure  caught at 5 %",
            ]
        caught = "" if row["caught"] is None else f"{row['caught']:.3f}"
        lines.append(
            f"  {row['kind']:<8} {row['questions']:<32} {row['query_lang']:<4} {row['queries']:>8,} "
            f"{row['no']:>6.3f} {row['doubted']:>13.3f} {caught:>14}"
        )
    return "\n".join(lines)
