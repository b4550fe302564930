"""Results as JSON: the one form that the command line prints and the web returns."""

from typing import Any
from urllib.parse import quote, urlencode

from .datatypes import OFFSET, Hit, SearchResult
from .text.language import direction

SEARCH_URL = "/api/v1/search"


def result_json(result: SearchResult) -> dict[str, Any]:
    """Return a result as JSON values; a field whose feature is not built yet is null."""
    request = result.request
    return {
        "query": request.query,
        "parsed": None,
        "language": result.language,
        "mode": request.mode,
        "generation": result.generation,
        "took_ms": result.took_ms,
        "answerable": None,
        "total": result.total,
        "limit": request.limit,
        "offset": request.offset,
        "next": next_page(result, SEARCH_URL),
        "facets": None,
        "hits": [hit_json(hit) for hit in result.hits],
        "warnings": list(result.warnings),
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
        "explain": None,
        "source": source_json(hit),
    }


def source_json(hit: Hit) -> dict[str, Any]:
    """Return the receipt of a hit: where its words stand, and what proves it."""
    document, passage = hit.document, hit.passage
    return {
        "doc_id": document.doc_id,
        "path": document.metadata["path"],
        "title": document.title,
        "published": document.published,
        "sha256": document.metadata["sha256"],
        "basis": document.metadata["basis"],
        "encoding": document.metadata["encoding"],
        "paragraph": passage.ordinal,
        "line_start": passage.line_start,
        "line_end": passage.line_end,
        "char_start": passage.start,
        "char_end": passage.end,
        "url": document_url(document.doc_id, passage.ordinal),
    }


def document_url(doc_id: str, ordinal: int) -> str:
    """Return the address of a document's page, opened at a passage."""
    return f"/documents/{quote(doc_id)}#p{ordinal}"


def next_page(result: SearchResult, address: str) -> str | None:
    """Return the address of the page after this one, None after the last."""
    offset = result.request.offset + result.request.limit
    return None if offset >= result.total or offset > OFFSET else _page(result, address, offset)


def previous_page(result: SearchResult, address: str) -> str | None:
    """Return the address of the page before this one, None before the first."""
    offset = result.request.offset
    return _page(result, address, max(0, offset - result.request.limit)) if offset else None


def _page(result: SearchResult, address: str, offset: int) -> str:
    request = result.request
    values = {
        "q": request.query,
        "limit": request.limit,
        "offset": offset,
        "mode": request.mode,
        "lang": request.lang,
        "source": request.source,
        "from": request.published_from,
        "to": request.published_to,
        "generation": result.generation,
        "copies": None if request.copies == "fold" else request.copies,
        "highlight": None if request.highlight else "false",
    }
    return f"{address}?{urlencode({key: value for key, value in values.items() if value is not None})}"
