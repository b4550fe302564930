"""Results as JSON: the one form that the command line prints and the web returns."""

from hashlib import sha256
from itertools import pairwise
from typing import Any
from urllib.parse import quote, urlencode

from .datatypes import OFFSET, Article, Document, Facets, Hit, SearchRequest, SearchResult
from .inspection import CutLines, reason_of
from .text.language import direction

SEARCH_URL, SIMILAR_URL = "/api/v1/search", "/api/v1/similar"
WORDS_HASH = 12  # hex digits: enough to tell apart what may stand at one place


def result_json(result: SearchResult) -> dict[str, Any]:
    """Return the answer to a question as JSON values; a field whose feature is not built yet is null."""
    request = result.request
    assert isinstance(request, SearchRequest)
    return {
        "query": request.query,
        "parsed": None,
        "language": result.language,
        "mode": request.mode,
        "generation": result.generation,
        "took_ms": result.took_ms,
        "answerable": None,
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
        "next": next_page(result, address),
        "facets": _facets_json(result.facets),
        "hits": [hit_json(hit) for hit in result.hits],
        "warnings": [str(each) for each in result.warnings],
    }


def _facets_json(facets: Facets) -> dict[str, Any]:
    """Return how a pool divides: for each facet its values with the number of passages.

    A source that is empty is none, so its value is null, as that of a date that is not known.
    """
    return {
        name: [{"value": each.value or None, "count": each.count} for each in getattr(facets, name)]
        for name in ("lang", "source", "year")
    }


def article_json(article: Article, cut: CutLines) -> dict[str, Any]:
    """Return an article whole: its text, where its passages are, and what was cut of it."""
    document = article.document
    return {
        "doc_id": document.doc_id,
        **{name: document.metadata[name] for name in ("path", "sha256", "basis", "encoding")},
        "title": document.title,
        "source": document.source,
        "author": document.metadata.get("author"),
        "url": document.metadata.get("url"),
        "published": document.published,
        "lang": document.lang,
        "dir": direction(document.lang, document.text),
        "text": document.text,
        "passages": [
            {
                "paragraph": each.ordinal,
                "lang": each.lang,
                "line_start": each.line_start,
                "line_end": each.line_end,
                "char_start": each.start,
                "char_end": each.end,
                "url": document_url(document.doc_id, each.ordinal),
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
    return f"/documents/{_path(doc_id)}#p{ordinal}"


def permanent_url(document: Document, start: int, end: int, ordinal: int) -> str:
    """Return the address that says which words of which version of a file are meant.

    `words`, the first hex digits of the sha256 of the exact words in UTF-8, tells whether they still
    stand there where the file has changed, and finds them where they have moved.
    """
    words = words_hash(document.text[start:end])
    values = {"sha256": document.metadata["sha256"], "start": start, "end": end, "words": words}
    return f"/documents/{_path(document.doc_id)}?{urlencode(values)}#p{ordinal}"


def words_hash(words: str) -> str:
    """Return what a permanent address says of the words that it means."""
    return sha256(words.encode()).hexdigest()[:WORDS_HASH]


def _path(doc_id: str) -> str:
    """Return an id as a path. Clients take «.» and «..» for steps, unless the slash beside them is %2F."""
    steps = quote(doc_id).split("/")
    return steps[0] + "".join(
        ("%2F" if {before, step} & {".", ".."} else "/") + step for before, step in pairwise(steps)
    )


def next_page(result: SearchResult, address: str) -> str | None:
    """Return the address of the page after this one, None after the last."""
    offset = result.request.offset + result.request.limit
    return None if offset >= result.total or offset > OFFSET else _page(result, address, offset)


def _page(result: SearchResult, address: str, offset: int) -> str:
    request = result.request
    values: dict[str, Any] = {}
    if isinstance(request, SearchRequest):
        values |= {"q": request.query, "mode": request.mode}
        values |= {} if request.highlight else {"highlight": "false"}
    else:
        doc_id, _, paragraph = request.passage_id.rpartition("#")
        values |= {"doc_id": doc_id, "paragraph": paragraph}
    values |= {
        "limit": request.limit,
        "offset": offset,
        "lang": request.lang,
        "source": request.source,
        "from": request.published_from,
        "to": request.published_to,
        "sort": None if request.sort == "relevance" else request.sort,
        "copies": None if request.copies == "fold" else request.copies,
        "generation": result.generation,
    }
    return f"{address}?{urlencode({key: value for key, value in values.items() if value is not None})}"
