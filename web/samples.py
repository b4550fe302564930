"""An answer of each kind, for whoever reads the description of the JSON endpoints; a test holds them true.

They are of an archive of two articles, `talks.txt` and `talks.ar.txt`; of the second neither source nor day
is known.
"""

from typing import Any

_GENERATION = "20251125T093000000000-4f2a90c1"
_SHA256 = "b7fe787cbc17536767ac7cc67ac117eb0571dd010c31abd830b26a5e3ce85223"
_TEXT = "Talks in Geneva\n\nEnvoys discussed the grain corridor."
_NOTHING_FOLDED: dict[str, Any] = {"also_in": [], "more": None, "explain": None}
_ENGLISH: dict[str, Any] = {
    "rank": 1, "score": 0.873114, "text": _TEXT, "lang": "en", "dir": "ltr",
    "highlights": [{"start": 38, "end": 43}, {"start": 44, "end": 52}], **_NOTHING_FOLDED,
    "source": {
        "doc_id": "talks.txt", "path": "talks.txt", "title": "Talks in Geneva", "published": "2025-03-01",
        "sha256": _SHA256, "basis": "file", "encoding": "utf-8", "paragraph": 1, "line_start": 1,
        "line_end": 3, "char_start": 0, "char_end": 53, "url": "/documents/talks.txt#p1",
    },
}  # fmt: skip
_ARABIC: dict[str, Any] = {
    "rank": 1, "score": 0.851907, "text": "محادثات في جنيف\n\nبحث المبعوثون ممر الحبوب.", "lang": "ar",
    "dir": "rtl", "highlights": [], **_NOTHING_FOLDED,
    "source": {
        "doc_id": "talks.ar.txt", "path": "talks.ar.txt", "title": "محادثات في جنيف", "published": None,
        "sha256": "628f94295b0ea00facceb9c62a81204e373851d652226f03fd86a21859b955dd", "basis": "file",
        "encoding": "utf-8", "paragraph": 1, "line_start": 1, "line_end": 3, "char_start": 0, "char_end": 42,
        "url": "/documents/talks.ar.txt#p1",
    },
}  # fmt: skip
SEARCH: dict[str, Any] = {
    "query": "grain corridor", "parsed": None, "language": "en", "mode": "hybrid", "generation": _GENERATION,
    "took_ms": 14.2, "answerable": None, "total": 2, "limit": 1, "offset": 0,
    "next": f"/api/v1/search?q=grain+corridor&mode=hybrid&limit=1&offset=1&generation={_GENERATION}",
    "facets": {
        "lang": [{"value": "ar", "count": 1}, {"value": "en", "count": 1}],
        "source": [{"value": None, "count": 1}, {"value": "wire", "count": 1}],
        "year": [{"value": "2025", "count": 1}, {"value": None, "count": 1}],
    },
    "hits": [_ENGLISH],
    "warnings": [],
}  # fmt: skip
SIMILAR: dict[str, Any] = {
    "like": {**_ENGLISH, "rank": None, "score": 1.0, "highlights": []}, "generation": _GENERATION,
    "took_ms": 5.3, "total": 1, "limit": 10, "offset": 0, "next": None,
    "facets": {
        "lang": [{"value": "ar", "count": 1}],
        "source": [{"value": None, "count": 1}],
        "year": [{"value": None, "count": 1}],
    },
    "hits": [_ARABIC],
    "warnings": [],
}  # fmt: skip
DOCUMENT: dict[str, Any] = {
    "doc_id": "talks.txt", "path": "talks.txt", "sha256": _SHA256, "basis": "file", "encoding": "utf-8",
    "title": "Talks in Geneva", "source": "wire", "author": None, "url": None, "published": "2025-03-01",
    "lang": "en", "dir": "ltr", "text": f"{_TEXT}\n\n                  \n",
    "passages": [
        {
            "paragraph": 1, "lang": "en", "line_start": 1, "line_end": 3, "char_start": 0, "char_end": 53,
            "url": "/documents/talks.txt#p1",
        }
    ],
    "cut": [
        {
            "line": 5, "char_start": 55, "char_end": 73, "rule": "share",
            "reason": "a button or a call to share", "text": "Share this article",
        }
    ],
    "outside": [], "cut_from_file": True, "generation": _GENERATION, "warnings": [],
}  # fmt: skip
STATS: dict[str, Any] = {
    "generation": _GENERATION, "built": "2025-11-25T09:30:00+00:00", "documents": 2, "passages": 2,
    "languages": {"ar": 1, "en": 1}, "sources": {"": 1, "wire": 1},
    "years": [{"value": "2025", "count": 1}, {"value": None, "count": 1}], "cut": {"share": 1}, "failed": 0,
    "model": "bundled", "searches_by_meaning": True, "warnings": [],
}  # fmt: skip
PROBLEM = {
    "type": "about:blank", "title": "Bad Request", "status": 400, "code": "bad_limit",
    "detail": "limit is '0'; it must be at least 1.",
}  # fmt: skip
