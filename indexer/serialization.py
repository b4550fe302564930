"""Results as JSON values: the same for the command line and the web."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode

from indexer.addresses import DOCUMENTS_URL, SEARCH_URL, SIMILAR_URL, document_url, next_page_url
from indexer.datatypes import ArticleHits, BrowseResult, Count, Explanation, Facets, Hit, SearchResult
from indexer.request import ParsedQuery, SearchRequest
from indexer.text.language import direction


def result_json(result: SearchResult) -> dict[str, Any]:
    """Return the result of a search as JSON values."""
    request = result.request
    assert isinstance(request, SearchRequest)
    return {
        "query": request.query,
        "language": result.language,
        "mode": request.mode,
        "answerable": result.answerable,
        "parsed": _parsed_json(result.parsed) if result.parsed else None,
        "spellings": {word: list(spellings) for word, spellings in result.spellings.items()},
        "offers": [asdict(offer) for offer in result.offers],
        "generation": result.generation,
        "took_ms": result.took_ms,
        **_list_json(result, SEARCH_URL),
    }


def _parsed_json(parsed: ParsedQuery) -> dict[str, Any]:
    """Return what a query was understood to say: its text, and its operators with their ranges in it."""
    return {
        "text": parsed.text,
        "operators": [
            {
                "role": operator.role,
                "value": operator.value,
                "excluded": operator.excluded,
                "start": operator.start,
                "end": operator.end,
            }
            for operator in parsed.operators
        ],
    }


def similar_json(result: SearchResult) -> dict[str, Any]:
    """Return the passages similar to another, and that passage, as JSON values."""
    assert result.like
    return {
        "like": hit_json(result.like),
        "generation": result.generation,
        "took_ms": result.took_ms,
        **_list_json(result, SIMILAR_URL),
    }


def browse_json(result: BrowseResult) -> dict[str, Any]:
    """Return a page of the articles of an archive as JSON values."""
    following = {**result.request.values(with_page=False), "after": result.next or ""}
    return {
        "generation": result.generation,
        "total": result.total,
        "limit": result.request.limit,
        "next": f"{DOCUMENTS_URL}?{urlencode(following)}" if result.next else None,
        "facets": _facets_json(result.facets),
        "months": _counts_json(result.months),
        "documents": [{**asdict(entry), "url": document_url(entry.doc_id, 1)} for entry in result.articles],
        "warnings": [str(notice) for notice in result.warnings],
    }


def _list_json(result: SearchResult, address: str) -> dict[str, Any]:
    explain = isinstance(result.request, SearchRequest) and result.request.explain
    return {
        "total": result.total,
        "total_is": "exact" if result.complete else "at_least",
        "listed": result.listed,
        "limit": result.request.limit,
        "offset": result.request.offset,
        "next": next_page_url(result, address),
        "facets": _facets_json(result.facets),
        "hits": [hit_json(hit, explain=explain) for hit in result.hits],
        "articles": [_article_hits_json(article) for article in result.articles],
        "warnings": [str(notice) for notice in result.warnings],
    }


def _article_hits_json(article: ArticleHits) -> dict[str, Any]:
    """Return an article of a page of results, with the ranks of its hits."""
    document = article.document
    return {
        "doc_id": document.doc_id,
        "title": document.title,
        "ranks": [hit.rank for hit in article.hits],
        "url": document_url(document.doc_id, article.hits[0].passage.number),
    }


def _facets_json(facets: Facets) -> dict[str, Any]:
    """Return the values of each facet with the numbers of hits that they find; an unknown value is null."""
    return {name: _counts_json(counts) for name, counts in facets.items()}


def _counts_json(counts: Sequence[Count]) -> list[dict[str, Any]]:
    return [{"value": count.value, "count": count.count} for count in counts]


def hit_json(hit: Hit, *, explain: bool = False) -> dict[str, Any]:
    """Return a hit: its words verbatim, their highlights, and its provenance."""
    passage = hit.passage
    return {
        "rank": hit.rank,
        "found": hit.found,
        "score": round(hit.score, 6),
        "text": hit.text,
        "lang": passage.lang,
        "dir": direction(passage.lang, hit.text),
        "highlights": [{"start": highlight.start, "end": highlight.end} for highlight in hit.highlights],
        "answer": asdict(hit.answer) if hit.answer else None,
        "also_in": [source_json(duplicate) for duplicate in hit.also_in],
        "more": {
            "count": len(hit.more),
            "hits": [hit_json(collapsed, explain=explain) for collapsed in hit.more],
        }
        if hit.more
        else None,
        "explain": _explanation_json(hit.explanation) if explain and hit.explanation else None,
        "source": source_json(hit),
    }


def _explanation_json(explanation: Explanation) -> dict[str, Any]:
    return {
        name: round(value, 6) if isinstance(value, float) else value
        for name, value in asdict(explanation).items()
    } | {"spellings": list(explanation.spellings)}


def source_json(hit: Hit) -> dict[str, Any]:
    """Return the provenance of a hit, with the address of its article's page."""
    return {**asdict(hit.source), "url": document_url(hit.document.doc_id, hit.passage.number)}
