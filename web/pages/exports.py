"""Export a list of results as a file: CSV for spreadsheets, JSON Lines for programs.

In CSV no cell is a formula (`indexer/spreadsheet.py`); JSON Lines has every text unchanged.
"""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, request

from indexer import Hit, SearchResult, SimilarRequest
from indexer.web_support import BYTE_ORDER_MARK, LIMIT, cell, hit_json, permanent_url
from web.pages.citations import original_of
from web.parameters import read_request, read_similar
from web.server.metrics import record_search
from web.service import service

COLUMNS = (
    "rank", "folded_into", "score", "text", "answer", "language", "title", "source", "author", "original",
    "published", "doc_id", "file", "basis", "line_start", "line_end", "char_start", "char_end", "sha256",
    "address", "also_in",
)  # fmt: skip
AMISS = frozenset({"damage", "no_model"})
"""The notices of an incomplete list: it comes from an older index, or was found by words only."""

blueprint = Blueprint("exports", __name__)


@blueprint.get("/export.csv")
def as_csv() -> Response:
    content, site = io.StringIO(), _site()
    hits, amiss = _every_hit()
    # Where a comma stands in numbers, spreadsheets divide the cells of CSV at semicolons.
    separator = ";" if request.args.get("separator") == "semicolon" else ","
    rows = csv.writer(content, delimiter=separator)
    rows.writerow(COLUMNS)
    for hit in hits:
        rows.writerow(row(hit, site))
        rows.writerows(row(further, site, folded_into=hit.rank) for further in hit.more)
    return _file(BYTE_ORDER_MARK + content.getvalue(), "text/csv", amiss)


@blueprint.get("/export.jsonl")
def as_json_lines() -> Response:
    site = _site()
    hits, amiss = _every_hit()
    lines = [json.dumps(line(hit, site), ensure_ascii=False) + "\n" for hit in hits]
    return _file("".join(lines), "application/jsonl", amiss)


def _site() -> str:
    return request.url_root.rstrip("/")


def _every_hit() -> tuple[list[Hit], list[str]]:
    """Return all hits of the requested list, on whatever page, and the codes of its AMISS notices."""
    similar = bool(request.args.get("doc_id") or request.args.get("passage"))
    first_request = read_similar(request.args) if similar else read_request(request.args)
    searcher, hits, amiss = service().searcher(), list[Hit](), dict[str, None]()

    def fetch_page() -> SearchResult:
        page_request = replace(first_request, limit=LIMIT, offset=len(hits))
        return (
            searcher.similar(page_request)
            if isinstance(page_request, SimilarRequest)
            else searcher.search(page_request)
        )

    while True:
        result = fetch_page()
        record_search(result)
        hits += result.hits
        amiss |= {warning.code: None for warning in result.warnings if warning.code in AMISS}
        if not result.hits or len(hits) >= result.listed:
            return hits, list(amiss)


def row(hit: Hit, site: str, folded_into: int | None = None) -> list[str | int | float]:
    """Return a hit as the cells of a row; `site` is the address of the server.

    A hit that is collapsed into another one has no rank of its own, but the other's rank as `folded_into`.
    """
    document, passage = hit.document, hit.passage
    copies = (f"{copy.document.file.path}:{copy.passage.line_start}" for copy in hit.also_in)
    return [
        hit.rank or "",
        folded_into or "",
        round(hit.score, 6),
        *(cell(text) for text in (hit.text, hit.answer_text, passage.lang, document.title, document.source)),
        *(cell(text) for text in (document.author, original_of(document) or "")),
        document.published or "",
        *(cell(text) for text in (document.doc_id, document.file.path)),
        document.file.basis,
        *(passage.line_start, passage.line_end, passage.start, passage.end),
        document.file.sha256,
        _address(hit, site),
        cell(" | ".join(copies)),
    ]


def line(hit: Hit, site: str) -> dict[str, Any]:
    """Return a hit as the JSON endpoints do, with the facts of its article that a citation needs."""
    document = hit.document
    article = {
        "source": document.source,
        "author": document.author or None,
        "original": original_of(document),
        "address": _address(hit, site),
    }
    return hit_json(hit) | {"article": article}


def _address(hit: Hit, site: str) -> str:
    passage = hit.passage
    return site + permanent_url(hit.document, passage.start, passage.end, passage.number)


def _file(content: str, kind: str, amiss: Sequence[str]) -> Response:
    """Return a file to download; its name and a header tell if the list is incomplete (`amiss`)."""
    response = Response(content, mimetype=kind)
    name = f"warraq{'-incomplete' if amiss else ''}.{request.path.rpartition('.')[2]}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    if amiss:
        response.headers["X-Warraq-Warnings"] = ", ".join(amiss)
    response.headers["Cache-Control"] = "no-store"
    return response
