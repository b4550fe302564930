"""Results as JSON: the one form that the command line prints and the web returns."""

from dataclasses import asdict
from typing import Any

from indexer.addresses import SEARCH_URL, SIMILAR_URL, document_url, next_page_url
from indexer.datatypes import Facets, Hit, SearchResult, SplitDocument
from indexer.inspection import CutLines, reason_of
from indexer.request import SearchRequest
from indexer.text.language import direction


def result_json(result: SearchResult) -> dict[str, Any]:
    """Return the answer to a question as JSON values."""
    request = result.request
    assert isinstance(request, SearchRequest)
    return {
        "query": request.query,
        "language": result.language,
        "mode": request.mode,
        "generation": result.generation,
        "took_ms": result.took_ms,
        **_list_json(result, SEARCH_URL),
    }


def similar_json(result: SearchResult) -> dict[str, Any]:
    """Return the passages like another, and that one, as JSON values."""
    assert result.like
    return {
        "like": hit_json(result.like),
        "generation": result.generation,
        "took_ms": result.took_ms,
        **_list_json(result, SIMILAR_URL),
    }


def _list_json(result: SearchResult, address: str) -> dict[str, Any]:
    return {
        "total": result.total,
        "limit": result.request.limit,
        "offset": result.request.offset,
        "next": next_page_url(result, address),
        "facets": _facets_json(result.facets),
        "hits": [hit_json(hit) for hit in result.hits],
        "warnings": [str(each) for each in result.warnings],
    }


def _facets_json(facets: Facets) -> dict[str, Any]:
    """Return for each facet its values with their numbers of passages; a value that is not known is null."""
    return {
        name: [{"value": each.value, "count": each.count} for each in counts]
        for name, counts in facets.items()
    }


def article_json(article: SplitDocument, cut: CutLines) -> dict[str, Any]:
    """Return an article whole: its text, where its passages are, and what was cut of it."""
    document = article.document
    return {
        "doc_id": document.doc_id,
        **{name: getattr(document.file, name) for name in ("path", "sha256", "basis", "encoding")},
        "title": document.title,
        "source": document.source,
        "author": document.author or None,
        "url": document.url or None,
        "published": document.published,
        "lang": document.lang,
        "dir": direction(document.lang, document.text),
        "text": document.text,
        "passages": [
            {
                "passage": each.number,
                "lang": each.lang,
                "line_start": each.line_start,
                "line_end": each.line_end,
                "char_start": each.start,
                "char_end": each.end,
                "url": document_url(document.doc_id, each.number),
            }
            for each in article.passages
        ],
        "cut": [
            {
                "line": line.line,
                "char_start": line.start,
                "char_end": line.end,
                "rule": line.rule,
                "reason": reason_of(line.rule, line.articles),
                "text": text,
            }
            for line, text in cut.cuts
        ],
        "outside": list(cut.outside),
        "cut_from_file": cut.from_file,
    }


def hit_json(hit: Hit) -> dict[str, Any]:
    """Return a hit: the verbatim words, what they matched, and the receipt."""
    passage = hit.passage
    return {
        "rank": hit.rank,
        "score": round(hit.score, 6),
        "text": hit.text,
        "lang": passage.lang,
        "dir": direction(passage.lang, hit.text),
        "highlights": [{"start": each.start, "end": each.end} for each in hit.highlights],
        "also_in": [source_json(each) for each in hit.also_in],
        "more": {"count": len(hit.more), "hits": [hit_json(each) for each in hit.more]} if hit.more else None,
        "source": source_json(hit),
    }


def source_json(hit: Hit) -> dict[str, Any]:
    """Return the provenance of a hit, with the address of its article's page."""
    return {**asdict(hit.source), "url": document_url(hit.document.doc_id, hit.passage.number)}
