"""Consistency of a generation: its vectors and its terms, each compared with the passages.

Files that have not changed can still be wrong, if the program that wrote them was. Everything is computed
again here from the texts of the articles.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.request import EQUAL_FILTERS
from indexer.store.base import Row
from indexer.store.reader import GenerationReader
from indexer.store.schema import day_number, terms_key, title_words, unpack_terms
from indexer.store.sentence_vectors import unpack_keys, unpack_vectors
from indexer.text.analysis import KINDS, Kind, tokens
from indexer.text.names import may_be_name, spelling_keys
from indexer.text.passages import searched_text
from indexer.text.sentences import Range

NEAR = 1e-4  # tolerance for a coordinate; the size of the batch changes a computed vector by less
NEAR_8_BITS = 0.01  # the same for a sentence, whose coordinates are rounded to a 127th of the largest
SAMPLED = 500  # passages that are looked up in the term index by all of their terms
_EQUAL = tuple(filter_.field for filter_ in EQUAL_FILTERS)
SHOWN = 3  # faults of one kind that are listed by name; the others are counted


def term_faults(store: GenerationReader, progress: Callable[[int], None]) -> Iterator[str]:
    """Yield the faults of the term index: terms, filtered fields and dates that differ from the passages."""
    expected: dict[str, Counter[str]] = {field: Counter() for field in (*KINDS, *_EQUAL)}
    days: dict[int, int | None] = {}
    titles: dict[str, str] = {}
    stale: list[str] = []
    total = store.size()[1]
    every = max(1, total // SAMPLED)
    not_found: list[str] = []
    for row in store.rows():
        searched = searched_text(row.document, row.passage)
        terms = _terms(searched)
        stored = store.terms_of(row.terms_key) if row.terms_key else None
        if row.terms_key != terms_key(searched) or stored is None or _split(unpack_terms(stored)) != terms:
            stale.append(row.passage.passage_id)
        for kind in KINDS:
            expected[kind].update(set(terms[kind]))
        for name in _EQUAL:
            expected[name][getattr(row.passage if name == "lang" else row.document, name)] += 1
        titles[row.document.doc_id] = row.document.title
        days[row.row] = day_number(row.document.published) if row.document.published else None
        if row.row % every == 0 and not store.holds(row.row, terms):
            not_found.append(row.passage.passage_id)
        progress(row.row + 1)
    yield from _summarized(stale, "passages are kept with other terms than their texts have")
    yield from _summarized(not_found, "passages are not found by their own terms")
    for field, counts in expected.items():
        indexed = store.term_counts(field)
        wrong = {term for term, _ in indexed.items() ^ counts.items()}
        yield from _summarized(wrong, f"terms ({field}) are held for other passages than have them")
    names = filter(may_be_name, expected["surface"])
    wrong_spellings = store.spellings() ^ {(key, word) for word in names for key in spelling_keys(word)}
    yield from _summarized(
        {word for _, word in wrong_spellings}, "words are kept with other keys of spelling than theirs"
    )
    kept = {(word, doc_id) for word, doc_id in store.title_words() if doc_id in titles}
    wrong_titles = kept ^ {(word, doc_id) for doc_id, title in titles.items() for word in title_words(title)}
    yield from _summarized(
        {doc_id for _, doc_id in wrong_titles}, "articles are suggested by other words than their titles have"
    )
    if store.days() != days:
        yield "the dates of passages are not those of their articles"


def vector_faults(
    store: GenerationReader,
    key_of: Callable[[str], bytes],
    vectors_of: Callable[[Sequence[Row]], tuple[Sequence[int], NDArray[np.float32]]],
    progress: Callable[[int], None],
    at_once: int = 1_024,
) -> Iterator[str]:
    """Yield the faults of the vectors.

    `key_of` returns the key of a text's vector. `vectors_of` takes rows and returns the
    expected vectors of some of them: the positions of these rows in its argument, and the vectors.
    """
    renamed, wrong, short = list[str](), list[str](), list[str]()
    for rows in _batches(store.rows(), at_once):
        stored = store.vectors([row.row for row in rows])
        lengths = np.linalg.norm(stored.astype(np.float64), axis=1)
        short += [
            rows[position].passage.passage_id for position in np.flatnonzero(~(np.abs(lengths - 1) < NEAR))
        ]
        renamed += [
            row.passage.passage_id
            for row in rows
            if row.vector_key != key_of(row.text) or row.title_key not in (None, key_of(row.document.title))
        ]
        positions, vectors = vectors_of(rows)
        if len(positions):
            far = ~(np.abs(stored[np.asarray(positions)] - vectors).max(axis=1) < NEAR)
            wrong += [rows[positions[int(position)]].passage.passage_id for position in np.flatnonzero(far)]
        progress(rows[-1].row + 1)
    yield from _summarized(short, "vectors are not of unit length")
    yield from _summarized(renamed, "passages have the vector of another text")
    yield from _summarized(wrong, "vectors are not those of their passages")


def sentence_faults(
    store: GenerationReader,
    key_of: Callable[[str], bytes],
    known: Callable[[Sequence[bytes]], Mapping[bytes, NDArray[np.float32]]],
    progress: Callable[[int], None],
    at_once: int = 256,
) -> Iterator[str]:
    """Yield the faults of the sentences: of their ranges, their keys and their vectors.

    `known` returns, by key, those of the expected vectors that are known.
    """
    torn, renamed, wrong = list[str](), list[str](), list[str]()
    for rows in _batches(store.rows(), at_once):
        stored = store.sentences([row.row for row in rows])
        expected = known([key for _, keys, _ in stored.values() for key in unpack_keys(keys)])
        for row in rows:
            if row.row not in stored:
                continue
            (ranges, packed_keys, packed), name = stored[row.row], row.passage.passage_id
            keys = unpack_keys(packed_keys)
            if not _are_in_order(ranges, len(row.text)) or len(keys) != len(ranges):
                torn.append(name)
            elif keys != [key_of(row.text[start:end]) for start, end in ranges]:
                renamed.append(name)
            elif not _hold(packed or b"", keys, store.dimension, expected):
                wrong.append(name)
        progress(rows[-1].row + 1)
    yield from _summarized(torn, "passages have sentences that are no ranges of them")
    yield from _summarized(renamed, "passages have sentences with the vectors of other texts")
    yield from _summarized(wrong, "passages have sentences with vectors that are not theirs")


def _are_in_order(ranges: Sequence[Range], length: int) -> bool:
    offsets = [offset for range_ in ranges for offset in range_]
    return len(ranges) > 1 and offsets == sorted(offsets) and offsets[-1] <= length


def _hold(
    packed: bytes, keys: Sequence[bytes], dimension: int, expected: Mapping[bytes, NDArray[np.float32]]
) -> bool:
    """Return whether stored vectors are as many as the keys, of unit length, and those that are expected."""
    try:
        vectors = unpack_vectors(packed, dimension)
    except ValueError:  # not a whole number of vectors
        return False
    if len(vectors) != len(keys) or not bool(
        (np.abs(np.linalg.norm(vectors, axis=1) - 1) < NEAR_8_BITS).all()
    ):
        return False
    return all(
        bool(np.abs(vector - expected[key]).max() < NEAR_8_BITS)
        for vector, key in zip(vectors, keys, strict=True)
        if key in expected
    )


def _terms(text: str) -> dict[Kind, list[str]]:
    text_tokens = tokens(text)
    return {kind: [token.term for token in text_tokens if token.kind == kind] for kind in KINDS}


def _split(terms: Any) -> dict[Kind, list[str]]:
    return {kind: line.split(" ") if line else [] for kind, line in terms.items()}


def _batches(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _summarized(names: Iterable[str], fact: str) -> Iterator[str]:
    """Yield one line for all faults of one kind, with the first names; nothing without a fault."""
    sorted_names = sorted(names)
    if sorted_names:
        more = f" and {len(sorted_names) - SHOWN:,} more" if len(sorted_names) > SHOWN else ""
        yield f"{len(sorted_names):,} {fact}: {', '.join(sorted_names[:SHOWN])}{more}"
