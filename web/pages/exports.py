"""A list of results as a file to keep: CSV for spreadsheets, JSON Lines for programs.

A spreadsheet takes a cell that begins with = or the like for a formula, and runs it. Before such a sign
stands an apostrophe in CSV, wherever a cell may begin: some spreadsheets divide lines at semicolons or
tabs, and texts at their line ends. JSON Lines has every text as it is.
"""

import csv
import io
import json
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, request

from indexer import Hit, SearchResult, SimilarRequest
from indexer.web_support import LIMIT, hit_json, permanent_url
from web.pages.citations import original_of
from web.parameters import read_request, read_similar
from web.server.metrics import record_search
from web.service import service

COLUMNS = (
    "rank", "folded_into", "score", "text", "language", "title", "source", "author", "original", "published",
    "doc_id", "file", "basis", "line_start", "line_end", "char_start", "char_end", "sha256", "address",
    "also_in",
)  # fmt: skip
BYTE_ORDER_MARK = "\ufeff"  # without it, Excel takes UTF-8 for something else
AMISS = frozenset({"damage", "no_model"})
"""The notices of a list that is not all that it should be: of an older index, or found by words alone."""
FORMULA = frozenset("=+-@|%")
BEFORE_CELLS = frozenset(";\t\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029")

blueprint = Blueprint("exports", __name__)


@blueprint.get("/export.csv")
def as_csv() -> Response:
    content, site = io.StringIO(), _site()
    hits, amiss = _every_hit()
    rows = csv.writer(content)
    rows.writerow(COLUMNS)
    for hit in hits:
        rows.writerow(row(hit, site))
        rows.writerows(row(each, site, folded_into=hit.rank) for each in hit.more)
    return _file(BYTE_ORDER_MARK + content.getvalue(), "text/csv", amiss)


@blueprint.get("/export.jsonl")
def as_json_lines() -> Response:
    site = _site()
    hits, amiss = _every_hit()
    lines = [json.dumps(line(hit, site), ensure_ascii=False) + "\n" for hit in hits]
    return _file("".join(lines), "application/jsonl", amiss)


def _site() -> str:
    return request.host_url.rstrip("/")


def _every_hit() -> tuple[list[Hit], list[str]]:
    """Return all hits of the list that the request asks for, whichever page it names, and what was amiss."""
    similar = bool(request.args.get("doc_id") or request.args.get("passage"))
    asked = read_similar(request.args) if similar else read_request(request.args)
    searcher, hits, amiss = service().searcher(), list[Hit](), dict[str, None]()

    def page() -> SearchResult:
        further = replace(asked, limit=LIMIT, offset=len(hits))
        return searcher.similar(further) if isinstance(further, SimilarRequest) else searcher.search(further)

    while True:
        result = page()
        record_search(result)
        hits += result.hits
        amiss |= {each.code: None for each in result.warnings if each.code in AMISS}
        if not result.hits or len(hits) >= result.total:
            return hits, list(amiss)


def row(hit: Hit, site: str, folded_into: int | None = None) -> list[str | int | float]:
    """Return a hit as the cells of a row; `site` is where the server is.

    What is folded into a hit has the rank of that, and none of its own.
    """
    document, passage = hit.document, hit.passage
    copies = (f"{each.document.file.path}:{each.passage.line_start}" for each in hit.also_in)
    return [
        hit.rank or "",
        folded_into or "",
        round(hit.score, 6),
        *(cell(text) for text in (hit.text, passage.lang, document.title, document.source)),
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
    """Return a hit as the JSON endpoints do, with what a citation needs of its article."""
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


def cell(text: str) -> str:
    """Return a text as a cell of which no spreadsheet takes a part for a formula.

    They look past white space, quotes and what is not seen, and take the wide signs of East Asian
    keyboards too.
    """
    made, begins = list[str](), True
    for char in text:
        if begins and not _looked_past(char):
            if unicodedata.normalize("NFKC", char)[0] in FORMULA:
                made.append("'")
            begins = False
        begins = begins or char in BEFORE_CELLS
        made.append(char)
    return "".join(made)


def _looked_past(char: str) -> bool:
    return char == '"' or char.isspace() or unicodedata.category(char) in ("Cc", "Cf")


def _file(content: str, kind: str, amiss: Sequence[str]) -> Response:
    """Return a file to save, whose name and header say so where it is not all that it should be."""
    response = Response(content, mimetype=kind)
    name = f"warraq{'-incomplete' if amiss else ''}.{request.path.rpartition('.')[2]}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    if amiss:
        response.headers["X-Warraq-Warnings"] = ", ".join(amiss)
    response.headers["Cache-Control"] = "no-store"
    return response
