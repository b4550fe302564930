"""Addresses of articles, passages and result pages, as the pages and the JSON endpoints use them."""

from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from urllib.parse import quote, urlencode

from indexer.datatypes import Document, SearchResult
from indexer.request import OFFSET

SEARCH_URL, SIMILAR_URL = "/api/v1/search", "/api/v1/similar"
DOCUMENTS_URL = "/api/v1/documents"
WORDS_HASH = 12  # hex digits: enough to distinguish the texts that may stand at one position


def document_url(doc_id: str, number: int) -> str:
    """Return the address of a document's page, opened at a passage."""
    return f"/documents/{_path(doc_id)}#p{number}"


def permanent_url(document: Document, start: int, end: int, number: int) -> str:
    """Return the address of exact words in one version of a file.

    `words` holds the first hex digits of the sha256 of these words in UTF-8. If the file has changed, this
    hash tells whether the words still stand at their position, and finds them where they have moved.
    """
    words = words_hash(document.text[start:end])
    values = {"sha256": document.file.sha256, "start": start, "end": end, "words": words}
    return f"/documents/{_path(document.doc_id)}?{urlencode(values)}#p{number}"


def words_hash(words: str) -> str:
    """Return the hash of the words in a permanent address."""
    return sha256(words.encode()).hexdigest()[:WORDS_HASH]


def _path(doc_id: str) -> str:
    """Return a document id as a URL path.

    Clients resolve the steps «.» and «..», unless the slash next to them is written as %2F.
    """
    steps = quote(doc_id).split("/")
    return steps[0] + "".join(
        ("%2F" if {previous, step} & {".", ".."} else "/") + step for previous, step in pairwise(steps)
    )


def next_page_url(result: SearchResult, path: str) -> str | None:
    """Return the address of the next result page, in the same generation; None after the last page."""
    request = result.request
    offset = request.offset + request.limit
    if offset >= result.listed or offset > OFFSET:
        return None
    return f"{path}?{urlencode(replace(request, offset=offset, generation=result.generation).values())}"
