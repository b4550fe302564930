"""Tantivy's index of the terms of a generation: opening it, and filters and words as its queries."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import tantivy
from tantivy import FieldType, Occur, Query

from indexer.request import Clause, Filters
from indexer.store.schema import day_number, terms_index


def open_terms(folder: Path) -> tuple[tantivy.Schema, tantivy.Searcher]:
    """Open Tantivy's index without writing to its folder, which may belong to another user.

    Tantivy creates a lock file in the folder that it opens, so it gets a temporary folder with copies of
    the small files and links to the others. Open files stay open when this folder is removed. Where the
    temporary folder cannot be made, as on a full disk, the index is opened in place: its writer has left
    a lock file there.
    """
    try:
        with _temporary_folder() as view:
            for path in folder.iterdir():
                if path.suffix == ".json":
                    shutil.copyfile(path, view / path.name)
                elif path.suffix != ".lock":
                    (view / path.name).symlink_to(path.resolve())
            return _schema_and_searcher(terms_index(view))
    except (OSError, ValueError):
        return _schema_and_searcher(terms_index(folder))


def _schema_and_searcher(index: tantivy.Index) -> tuple[tantivy.Schema, tantivy.Searcher]:
    index.config_reader("Manual", 0)  # no thread that watches for changes: a generation never changes
    return index.schema, index.searcher()


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    """Yield a folder and remove it afterwards, even if Tantivy's own thread still writes to it."""
    folder = Path(tempfile.mkdtemp(prefix="warraq-"))
    try:
        yield folder
    finally:
        for _ in range(5):
            shutil.rmtree(folder, ignore_errors=True)
            if not folder.exists():
                break


def masks(schema: tantivy.Schema, filters: Filters) -> list[tuple[Occur, Query]]:
    """Return filters as clauses of a Tantivy query, which add nothing to its scores."""
    clauses = []
    for each in filters:
        if isinstance(each, Clause):
            any_of = [(Occur.Should, words_query(schema, *match)) for match in each.any_of]
            occur = Occur.MustNot if each.excluded else Occur.Must
            clauses.append((occur, Query.boolean_query(any_of) if any_of else Query.empty_query()))
        elif each.filter.comparison == "equal":
            clauses.append((Occur.Must, Query.term_query(schema, each.filter.field, each.value)))
        else:
            day, at_least = day_number(each.value), each.filter.comparison == "at_least"
            bounds = (day, None) if at_least else (None, day)
            clauses.append((Occur.Must, Query.range_query(schema, "published", FieldType.Unsigned, *bounds)))
    return [(occur, Query.const_score_query(mask, 0.0)) for occur, mask in clauses]


def words_query(schema: tantivy.Schema, field: str, words: Sequence[str]) -> Query:
    """Return the query for words that stand one after the other in a field."""
    if len(words) > 1:
        in_a_row: list[str | tuple[int, str]] = list(words)
        return Query.phrase_query(schema, field, in_a_row)
    return Query.term_query(schema, field, words[0])
