"""The catalogue of a generation: lists of its articles, and what they divide into.

Lists and counts are read from indexes that hold all labels, never from the rows with their long texts.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from indexer.datatypes import ArticleEntry, Count, Facets, SourceFacts
from indexer.errors import RequestError
from indexer.request import DATE_COLUMN, FACETS, BrowseRequest, Condition, Order
from indexer.store.schema import OPERATORS

Counted = dict[tuple[Condition, ...], tuple[Facets, tuple[Count, ...]]]
Query = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]

_DATE = "coalesce(published, '')"
_ENTRY = """doc_id, title, source, author, lang, published, path,
            (SELECT COUNT(*) FROM passages WHERE passages.doc_id = documents.doc_id)"""
_LISTS = 32  # lists whose counts are remembered
_VALUES = 100  # values of a facet that are counted at most, the commonest; and the unknown one


class _Order(NamedTuple):
    """How a list is sorted: the expression, its direction, and the index that is in this order."""

    key: str
    before: str
    by_index: str

    @property
    def clause(self) -> str:
        return f"{self.key} {'DESC' if self.before == '>' else 'ASC'}, doc_id"


_ORDERS: Mapping[Order, _Order] = {
    "date": _Order(_DATE, ">", "documents_by_date"),
    "title": _Order("title", "<", "documents_by_title"),
    "source": _Order("source", "<", "documents_by_source"),
}


class Catalogue:
    """The articles of one generation; `query` runs a statement over its database.

    `counted` remembers the counts of lists from one catalogue of the generation to the next.
    """

    def __init__(self, query: Query, counted: Counted) -> None:
        self._query, self._counts = query, counted

    def page(self, request: BrowseRequest) -> tuple[list[ArticleEntry], str | None]:
        """Return a page of articles, and the cursor of the next page; None after the last.

        Raises RequestError for a cursor of another list.
        """
        order, (where, values) = _ORDERS[request.order], _where(request.filters())
        if request.after:
            key, doc_id = _read_cursor(request.after, request.order)
            later = ">" if order.before == "<" else "<"
            where += f" AND ({order.key} {later} ? OR ({order.key} = ? AND doc_id > ?))"
            values += [key, key, doc_id]
        rows = self._query(
            f"""SELECT {order.key}, {_ENTRY} FROM documents INDEXED BY {order.by_index} WHERE {where}
                ORDER BY {order.clause} LIMIT ?""",
            [*values, request.limit + 1],
        )
        entries = [ArticleEntry(*entry) for _, *entry in rows[: request.limit]]
        if len(rows) <= request.limit:
            return entries, None
        return entries, _cursor(request.order, rows[request.limit - 1][0], entries[-1].doc_id)

    def facets(self, request: BrowseRequest) -> tuple[Facets, tuple[Count, ...]]:
        """Count the articles of a list by the value of each facet, and by month, the oldest first."""
        filters = request.filters()
        if filters not in self._counts:
            where, values = _where(filters)
            facets = {}
            for name, filter_ in FACETS.items():
                by_date = filter_.column == DATE_COLUMN
                key = "substr(published, 1, 4)" if by_date else filter_.field
                order = "value DESC" if by_date else "COUNT(*) DESC, value"
                facets[name] = self._counted(
                    f"nullif({key}, '')", where, values, f"value IS NOT NULL, {order} LIMIT {_VALUES + 1}"
                )
            months = self._counted(
                "substr(published, 1, 7)", f"{where} AND published NOT NULL", values, "value"
            )
            if len(self._counts) >= _LISTS:
                self._counts.clear()
            self._counts[filters] = facets, months
        return self._counts[filters]

    def _counted(self, key: str, where: str, values: Sequence[Any], order: str) -> tuple[Count, ...]:
        rows = self._query(
            f"""SELECT {key} AS value, COUNT(*) FROM documents INDEXED BY documents_by_source WHERE {where}
                GROUP BY value ORDER BY {order}""",
            values,
        )
        # What is not known comes last, however often.
        return tuple(sorted((Count(*row) for row in rows), key=lambda count: count.value is None))

    def undated(self, request: BrowseRequest) -> int:
        """Count the articles without a date that pass the filters other than those of the date."""
        others = [each for each in request.filters() if each.filter.column != DATE_COLUMN]
        if len(others) == len(request.filters()):
            return 0
        where, values = _where(others)
        query = f"""SELECT COUNT(*) FROM documents INDEXED BY documents_by_date
                    WHERE {_DATE} = '' AND {where}"""
        return int(self._query(query, values)[0][0])

    def sources(self) -> list[SourceFacts]:
        """Return the sources in alphabetical order, with their articles and the days of these."""
        rows = self._query(
            """SELECT source, COUNT(*), MIN(published), MAX(published)
               FROM documents INDEXED BY documents_by_source GROUP BY source ORDER BY source""",
            (),
        )
        return [SourceFacts(*row) for row in rows]

    def neighbours(self, doc_id: str) -> tuple[ArticleEntry | None, ArticleEntry | None]:
        """Return the articles of the same source that are next to one in order of date: newer, older."""
        found = self._query(f"SELECT source, {_DATE} FROM documents WHERE doc_id = ?", (doc_id,))
        if not found:
            return None, None
        ((source, day),) = found

        def nearest(later: str, direction: str) -> ArticleEntry | None:
            id_later, id_direction = ("<", "DESC") if later == ">" else (">", "ASC")
            rows = self._query(
                f"""SELECT {_ENTRY} FROM documents WHERE doc_id = (
                    SELECT doc_id FROM documents INDEXED BY documents_by_date
                    WHERE source = ? AND ({_DATE} {later} ? OR ({_DATE} = ? AND doc_id {id_later} ?))
                    ORDER BY {_DATE} {direction}, doc_id {id_direction} LIMIT 1)""",
                (source, day, day, doc_id),
            )
            return ArticleEntry(*rows[0]) if rows else None

        return nearest(">", "ASC"), nearest("<", "DESC")


def _where(filters: Sequence[Condition]) -> tuple[str, list[Any]]:
    """Return filters as a condition on documents, whose language is that of most of their text."""
    conditions = [
        f"{_DATE if filter_.column == DATE_COLUMN else filter_.field} {OPERATORS[filter_.comparison]} ?"
        for filter_, _ in filters
    ]
    # An unknown date is before every day, but is none.
    conditions += ["published NOT NULL"] if any(each.column == DATE_COLUMN for each, _ in filters) else []
    return " AND ".join(conditions) or "TRUE", [value for _, value in filters]


def _cursor(order: Order, key: str, doc_id: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([order, key, doc_id]).encode()).decode().rstrip("=")


def _read_cursor(cursor: str, order: Order) -> tuple[str, str]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        of_order, key, doc_id = json.loads(base64.urlsafe_b64decode(padded))
        if of_order != order or not isinstance(key, str) or not isinstance(doc_id, str):
            raise ValueError
    except (ValueError, TypeError, RecursionError) as error:
        raise RequestError("bad_after", "after is not the cursor of a page of this list.") from error
    return key, doc_id
