"""Many questions at once: from a file of questions to one table of hits.

A file of questions is CSV with a column that is named so, or text with a question on each line.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TextIO

from indexer.datatypes import Hit, SearchResult
from indexer.errors import RequestError
from indexer.request import SearchRequest
from indexer.retrieval.searcher import Searcher
from indexer.spreadsheet import BYTE_ORDER_MARK, cell

MOST = 10_000  # questions of a file
HEADINGS = frozenset({"question", "query", "q", "سؤال", "السؤال"})
COLUMNS = (
    "number", "question", "answerable", "rank", "score", "text", "answer", "language", "title", "source",
    "author", "published", "doc_id", "passage", "file", "line_start", "line_end", "char_start", "char_end",
    "sha256", "error",
)  # fmt: skip
FORMATS = ("csv", "jsonl")

Row = dict[str, Any]


def read_questions(content: bytes) -> list[str]:
    """Return the questions of a file, without empty ones. Raises RequestError."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestError("bad_batch", "The file of questions is not UTF-8 text.") from error
    if "\0" in text:
        raise RequestError("bad_batch", "The file of questions is no text.")
    rows = list(_rows(text))
    heading = [value.strip().casefold() for value in rows[0]] if rows else []
    column = next((place for place, name in enumerate(heading) if name in HEADINGS), None)
    if column is not None:
        questions = [row[column] for row in rows[1:] if len(row) > column]
    else:
        questions = [row[0] for row in rows if row]
    questions = [question for question in map(str.strip, questions) if question]
    if not questions:
        raise RequestError("bad_batch", "The file holds no question. Write one on each line.")
    if len(questions) > MOST:
        raise RequestError("bad_batch", f"The file holds {len(questions):,} questions; {MOST:,} are allowed.")
    return questions


def _rows(text: str) -> Iterator[list[str]]:
    """Yield the rows of CSV; of a text without a heading its lines, whatever signs they hold."""
    first = text.lstrip().partition("\n")[0]
    delimiter = next((sign for sign in ",;\t" if sign in first), ",")
    names = {name.strip(' "\r').casefold() for name in first.split(delimiter)}
    quoted = first.lstrip().startswith('"')
    if names & HEADINGS or quoted:
        try:
            yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        except csv.Error as error:
            raise RequestError("bad_batch", f"The file of questions cannot be read: {error}.") from error
    else:
        yield from ([line] for line in text.splitlines())


def ask_all(searcher: Searcher, questions: Sequence[str], options: Mapping[str, Any]) -> Iterator[list[Row]]:
    """Yield for each question its rows: one for each hit, or one that says why there is none.

    `options` are the fields of a SearchRequest.
    """
    for number, question in enumerate(questions, 1):
        asked = {"number": number, "question": question}
        try:
            result = searcher.search(SearchRequest(question, **options))
        except RequestError as error:
            yield [_row(asked, error=str(error))]
            continue
        yield [_row(asked, result, hit) for hit in result.hits] or [_row(asked, result)]


def _row(asked: Row, result: SearchResult | None = None, hit: Hit | None = None, error: str = "") -> Row:
    row: Row = dict.fromkeys(COLUMNS) | asked | {"error": error or None}
    if result:
        row["answerable"] = result.answerable
    if hit:
        document, source = hit.document, hit.source
        row |= {
            "rank": hit.rank,
            "score": round(hit.score, 6),
            "text": hit.text,
            "answer": hit.answer_text or None,
            "language": hit.passage.lang,
            "title": document.title,
            "source": document.source,
            "author": document.author or None,
            "published": document.published,
            "doc_id": document.doc_id,
            "passage": source.passage,
            "file": source.path,
            **{name: getattr(source, name) for name in ("line_start", "line_end", "char_start", "char_end")},
            "sha256": source.sha256,
        }
    return row


class BatchWriter:
    """Write rows to a file as CSV for spreadsheets or as JSON Lines."""

    def __init__(self, file: TextIO, form: str) -> None:
        self._file, self._rows = file, csv.writer(file) if form == "csv" else None
        if self._rows:
            file.write(BYTE_ORDER_MARK)
            self._rows.writerow(COLUMNS)

    def write(self, rows: Sequence[Row]) -> None:
        """Write the rows of one question."""
        for row in rows:
            if self._rows:
                self._rows.writerow(
                    cell(value) if isinstance(value, str) else "" if value is None else value
                    for value in row.values()
                )
            else:
                self._file.write(json.dumps(row, ensure_ascii=False) + "\n")
