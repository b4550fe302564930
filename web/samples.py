"""An answer of each kind, for whoever reads the description of the JSON endpoints; a test holds them true."""

from typing import Any

_RECEIPT: dict[str, Any] = {
    "doc_id": "talks.txt", "path": "talks.txt", "title": "Talks in Geneva", "published": "2025-03-01",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "basis": "file",
    "encoding": "utf-8", "paragraph": 1, "line_start": 3, "line_end": 3, "char_start": 17, "char_end": 54,
    "url": "/documents/talks.txt#p1",
}  # fmt: skip
SEARCH: dict[str, Any] = {
    "query": "grain corridor", "parsed": None, "language": "en", "mode": "hybrid",
    "generation": "20251125T093000000000-4f2a90c1", "took_ms": 14.2, "answerable": None, "total": 1,
    "limit": 10, "offset": 0, "next": None,
    "facets": {
        "lang": [{"value": "en", "count": 1}],
        "source": [{"value": "wire", "count": 1}],
        "year": [{"value": "2025", "count": 1}],
    },
    "hits": [
        {
            "rank": 1, "score": 0.873114, "text": "Envoys discussed the grain corridor.", "lang": "en",
            "dir": "ltr", "highlights": [{"start": 21, "end": 26}, {"start": 27, "end": 35}],
            "also_in": [], "more": None, "explain": None, "source": _RECEIPT,
        }
    ],
    "warnings": [],
}  # fmt: skip
_HEAD = {name: SEARCH[name] for name in ("generation", "took_ms")}
_LIST = {name: SEARCH[name] for name in ("total", "limit", "offset", "next", "facets", "hits", "warnings")}
SIMILAR = {"like": {**SEARCH["hits"][0], "rank": None, "score": 1.0, "highlights": []}, **_HEAD, **_LIST}
DOCUMENT: dict[str, Any] = {
    **{name: _RECEIPT[name] for name in ("doc_id", "path", "sha256", "basis", "encoding", "title")},
    "source": "wire", "author": None, "url": None, "published": "2025-03-01", "lang": "en", "dir": "ltr",
    "text": "Talks in Geneva\n\nEnvoys discussed the grain corridor.\n                  \n",
    "passages": [
        {
            "paragraph": 1, "lang": "en", "line_start": 1, "line_end": 3, "char_start": 0, "char_end": 53,
            "url": "/documents/talks.txt#p1",
        }
    ],
    "cut": [
        {
            "line": 4, "char_start": 54, "char_end": 72, "rule": "share",
            "reason": "a button or a call to share", "text": "Share this article",
        }
    ],
    "outside": [], "cut_from_file": True, "generation": SEARCH["generation"],
}  # fmt: skip
STATS: dict[str, Any] = {
    "generation": SEARCH["generation"], "built": "2025-11-25T09:30:00+00:00", "documents": 2, "passages": 3,
    "languages": {"en": 2, "ar": 1}, "sources": {"wire": 2},
    "years": [{"value": "2025", "count": 1}, {"value": None, "count": 1}], "cut": {"share": 1}, "failed": 0,
    "model": "bundled", "searches_by_meaning": True, "warnings": [],
}  # fmt: skip
PROBLEM = {
    "type": "about:blank", "title": "Bad Request", "status": 400, "code": "bad_limit",
    "detail": "limit is '0'; it must be at least 1.",
}  # fmt: skip
