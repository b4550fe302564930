"""Whether the parts of a generation say the same: vectors and terms, each against the passages.

Files that are as they were written may still be wrong where what wrote them was. Everything is
computed anew here from the texts of the articles.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.request import EQUAL_FILTERS
from indexer.store.base import Row
from indexer.store.reader import GenerationReader
from indexer.store.schema import day_number, terms_key, unpack_terms
from indexer.text.analysis import KINDS, Kind, tokens

NEAR = 1e-4  # of a coordinate: a vector that was computed in a batch of another size is as near
SAMPLED = 500  # passages that are looked up in the term index by all of their own terms
_EQUAL = tuple(on.field for on in EQUAL_FILTERS)
SHOWN = 3  # faults of one kind that are named; the others are counted


def term_faults(store: GenerationReader, progress: Callable[[int], None]) -> Iterator[str]:
    """Yield what is wrong with the term index: the terms, language, source and date of every passage."""
    expected: dict[str, Counter[str]] = {field: Counter() for field in (*KINDS, *_EQUAL)}
    days: dict[int, int | None] = {}
    stale: list[str] = []
    total = store.size()[1]
    every = max(1, total // SAMPLED)
    unfound: list[str] = []
    for each in store.rows():
        terms = _terms(each.text)
        kept = store.terms_of(each.terms_key) if each.terms_key else None
        if each.terms_key != terms_key(each.text) or kept is None or _split(unpack_terms(kept)) != terms:
            stale.append(each.passage.passage_id)
        for kind in KINDS:
            expected[kind].update(set(terms[kind]))
        for name in _EQUAL:
            expected[name][getattr(each.passage if name == "lang" else each.document, name)] += 1
        days[each.row] = day_number(each.document.published) if each.document.published else None
        if each.row % every == 0 and not store.holds(each.row, terms):
            unfound.append(each.passage.passage_id)
        progress(each.row + 1)
    yield from _counted(stale, "passages are kept with other terms than their texts have")
    yield from _counted(unfound, "passages are not found by their own terms")
    for field, counts in expected.items():
        known = store.term_counts(field)
        wrong = {term for term, _ in known.items() ^ counts.items()}
        yield from _counted(wrong, f"terms ({field}) are held for other passages than have them")
    if store.days() != days:
        yield "the dates of passages are not those of their articles"


def vector_faults(
    store: GenerationReader,
    key_of: Callable[[str, str], bytes],
    vectors_of: Callable[[Sequence[Row]], tuple[Sequence[int], NDArray[np.float32]]],
    progress: Callable[[int], None],
    at_once: int = 1_024,
) -> Iterator[str]:
    """Yield what is wrong with the vectors.

    `key_of` makes the key of a vector from title and text; `vectors_of` returns which of some rows it
    knows the vectors of, by their place among these, and the vectors.
    """
    renamed, wrong, short = list[str](), list[str](), list[str]()
    for rows in _batches(store.rows(), at_once):
        stored = store.vectors([each.row for each in rows])
        lengths = np.linalg.norm(stored.astype(np.float64), axis=1)
        short += [rows[at].passage.passage_id for at in np.flatnonzero(~(np.abs(lengths - 1) < NEAR))]
        renamed += [
            each.passage.passage_id
            for each in rows
            if each.vector_key != key_of(each.document.title, each.text)
        ]
        known, vectors = vectors_of(rows)
        if len(known):
            far = ~(np.abs(stored[np.asarray(known)] - vectors).max(axis=1) < NEAR)
            wrong += [rows[known[int(at)]].passage.passage_id for at in np.flatnonzero(far)]
        progress(rows[-1].row + 1)
    yield from _counted(short, "vectors are not of unit length")
    yield from _counted(renamed, "passages have the vector of another text")
    yield from _counted(wrong, "vectors are not those of their passages")


def _terms(text: str) -> dict[Kind, list[str]]:
    found = tokens(text)
    return {kind: [token.term for token in found if token.kind == kind] for kind in KINDS}


def _split(terms: Any) -> dict[Kind, list[str]]:
    return {kind: line.split(" ") if line else [] for kind, line in terms.items()}


def _batches(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    batch: list[Row] = []
    for each in rows:
        batch.append(each)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _counted(names: Iterable[str], fact: str) -> Iterator[str]:
    """Yield one line for faults of one kind, with the first of them by name."""
    some = sorted(names)
    if some:
        more = f" and {len(some) - SHOWN:,} more" if len(some) > SHOWN else ""
        yield f"{len(some):,} {fact}: {', '.join(some[:SHOWN])}{more}"
