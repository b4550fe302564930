"""A list of results as a file to keep: CSV for spreadsheets, JSON Lines for programs.

A spreadsheet takes a cell that begins with = or the like for a formula, and runs it; such cells get an
apostrophe before them, which it shows or hides. JSON Lines has every text as it is.
"""

import csv
import io
import json
import unicodedata
from dataclasses import replace

from flask import Blueprint, Response, request

from indexer import LIMIT, Hit, hit_json, permanent_url

from .api import service
from .observing import observe
from .parameters import read_request

COLUMNS = (
    "rank", "score", "text", "language", "title", "source", "published", "file", "line_start", "line_end",
    "char_start", "char_end", "sha256", "address",
)  # fmt: skip
BYTE_ORDER_MARK = "\ufeff"  # without it, Excel takes UTF-8 for something else
FORMULA = frozenset("=+-@|%")

blueprint = Blueprint("exports", __name__)


@blueprint.get("/export.csv")
def as_csv() -> Response:
    content = io.StringIO()
    rows = csv.writer(content)
    rows.writerow(COLUMNS)
    rows.writerows(row(hit, request.host_url.rstrip("/")) for hit in _every_hit())
    return _file(BYTE_ORDER_MARK + content.getvalue(), "text/csv")


@blueprint.get("/export.jsonl")
def as_json_lines() -> Response:
    lines = [json.dumps(hit_json(hit), ensure_ascii=False) + "\n" for hit in _every_hit()]
    return _file("".join(lines), "application/jsonl")


def _every_hit() -> list[Hit]:
    """Return all hits of the search that the request asks for, whichever page it names."""
    asked, searcher, hits = read_request(request.args), service().searcher(), list[Hit]()
    while True:
        result = searcher.search(replace(asked, limit=LIMIT, offset=len(hits)))
        observe(result)
        hits += result.hits
        if not result.hits or len(hits) >= result.total:
            return hits


def row(hit: Hit, base: str) -> list[str | int | float]:
    """Return a hit as the cells of a row; `base` is where the server is."""
    document, passage = hit.document, hit.passage
    address = permanent_url(document, passage.start, passage.end, passage.ordinal)
    return [
        hit.rank or "",
        round(hit.score, 6),
        *(cell(text) for text in (hit.text, passage.lang, document.title, document.source)),
        document.published or "",
        cell(document.metadata["path"]),
        *(passage.line_start, passage.line_end, passage.start, passage.end),
        document.metadata["sha256"],
        base + address,
    ]


def cell(text: str) -> str:
    """Return a text as a cell that no spreadsheet takes for a formula.

    They look past white space and what is not seen, and take the wide signs of East Asian keyboards too.
    """
    seen = (char for char in text if not (char.isspace() or unicodedata.category(char) in ("Cc", "Cf")))
    first = unicodedata.normalize("NFKC", next(seen, ""))
    return f"'{text}" if first in FORMULA else text


def _file(content: str, kind: str) -> Response:
    response = Response(content, mimetype=kind)
    response.headers["Content-Disposition"] = (
        f'attachment; filename="warraq.{request.path.rpartition(".")[2]}"'
    )
    response.headers["Cache-Control"] = "no-store"
    return response
