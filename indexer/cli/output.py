"""What the command line prints for people: results, reports and facts as text. Pure functions."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from indexer.datatypes import BuildReport, RepeatedLine, SearchResult
from indexer.inspection import Inspection, reason_of
from indexer.integrity.hits import HitVerification
from indexer.integrity.index import Verification

SHOWN_FAULTS = 20
SHOWN_REPEATED, SHOWN_SOURCES = 5, 20


def result_text(result: SearchResult) -> str:
    if not result.hits:
        return "No passage past that offset." if result.total else "Nothing was found."
    blocks = []
    for hit in result.hits:
        lines = [
            f"{hit.rank}. {hit.source}  [{hit.passage.lang}, {hit.score:.3f}]",
            " · ".join(filter(None, (hit.document.title, hit.document.source, hit.document.published))),
            hit.text,
        ]
        lines += [f"Also in {each.source}" for each in hit.also_in]
        if hit.more:
            lines.append(
                f"{len(hit.more)} more in this article: " + ", ".join(str(each.source) for each in hit.more)
            )
        blocks.append("\n".join(lines))
    first, last = result.hits[0].rank, result.hits[-1].rank
    return "\n\n".join([*blocks, f"Passages {first} to {last} of {result.total}."])


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
    """Yield what was cut: how many lines by each rule, and the commonest lines that many articles have."""
    if cut:
        by_rule = ", ".join(f"{rule} {count:,}" for rule, count in cut.items())
        yield f"Cut as furniture: {sum(cut.values()):,} lines ({by_rule}). To see them: warraq inspect FILE"
    for each in repeated:
        of = f" of {each.source}" if each.source else ""
        yield f"  in {each.articles:,} articles{of}: line {each.line} of {each.doc_id}"


def inspection_text(inspection: Inspection) -> str:
    document = inspection.article.document
    facts = {
        "file": inspection.path,
        "article": f"{document.doc_id} ({inspection.articles:,} in the file)"
        if inspection.articles > 1
        else "",
        "title": document.title,
        "source": document.source,
        "author": document.author,
        "url": document.url,
        "published": document.published or "not known",
        "language": document.lang,
        "encoding": document.file.encoding,
        "text": "extracted from the file" if document.file.basis == "extracted" else "",
        "note": document.notes,
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


def facts_text(facts: Mapping[str, Any]) -> str:
    """Return what an index holds, how it was made, what failed and what it weighs."""
    settings, cache = facts["settings"], facts["cache"]
    languages = ", ".join(f"{lang} {count:,}" for lang, count in facts["languages"].items())
    failed = [f"  {each['path']}: {each['reason']}" for each in facts["failed"]]
    notes = [f"  {each['path']}: {each['reason']}" for each in facts["notes"]]
    sources = [f"  {name or '(the archive itself)'}: {count:,}" for name, count in facts["sources"].items()]
    repeated = [RepeatedLine(**each) for each in facts["repeated"]]
    held = "damaged" if cache["vectors"] is None else f"{cache['vectors']:,} vectors"
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
            f"cache       {held}, {size_text(cache['bytes'])}",
            f"generations {len(facts['generations'])}",
            *map(_generation_text, facts["generations"]),
        ]
    )


def _generation_text(each: Mapping[str, Any]) -> str:
    served = ", served" if each["current"] else ""
    if each["built"] is None:
        return f"  {each['generation']}: cannot be read{served}"
    return f"  {each['generation']}: {each['documents']:,} articles, built {each['built']}{served}"


def size_text(size: int) -> str:
    """Return a size in bytes as people read it."""
    amount, unit = float(size), "B"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1_024 or unit == "GiB":
            break
        amount /= 1_024
    return f"{amount:,.0f} {unit}" if unit == "B" else f"{amount:,.1f} {unit}"


def verification_text(found: Verification) -> str:
    """Return what was looked at, what is wrong with it, and how it is mended."""
    lines = []
    for fault in found.faults[:SHOWN_FAULTS]:
        where = fault.where if fault.where in ("index", "cache") else f"generation {fault.where}"
        lines.append(f"{where}, {fault.part}: {fault.fact}")
    if len(found.faults) > SHOWN_FAULTS:
        lines.append(f"and {len(found.faults) - SHOWN_FAULTS:,} more faults: --json lists all")
    lines += dict.fromkeys(fault.remedy for fault in found.faults)
    if found.faults:
        lines.append("")
    vectors = f"{found.vectors:,} vectors with the cache"
    if found.encoded:
        vectors += f", {found.encoded:,} with the model"
    if found.unchecked:
        vectors += f" ({found.unchecked:,} others are in neither)"
    generations, articles = _count(len(found.generations), "generation"), _count(found.articles, "article")
    lines.append(
        f"Looked at {generations} and {found.cached:,} vectors in the cache. Compared {articles} with their "
        f"files, {vectors}, all terms with the passages."
    )
    if found.archive is None:
        lines.append("The folder of the articles is gone; name it with --archive to compare them.")
    if found.changed:
        shown = ", ".join(found.changed[:3]) + (", …" if len(found.changed) > 3 else "")
        changed = _count(len(found.changed), "file")
        lines.append(f"{changed} changed since the build ({shown}); warraq build takes that in.")
    faults = _count(len(found.faults), "fault")
    lines.append("All is as it was written." if found.whole else f"{faults} found.")
    return "\n".join(lines)


def hit_verification_text(verified: HitVerification) -> str:
    """Return whether a hit is true, in one line."""
    verdict = "proven" if verified.proven else "NOT proven"
    return f"{verdict}: {verified.doc_id}: {verified.reason}"


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
    lines += [
        f"parity gap of {mode}, nDCG@10 ar→ar minus en→ar: {gap:+.3f}" for mode, gap in parity_gaps.items()
    ]
    return "\n".join(lines)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
