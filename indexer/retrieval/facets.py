"""Facets: the candidates of a search, counted by the values of their labels. Pure functions."""

from collections import Counter
from collections.abc import Iterable, Mapping

from indexer.datatypes import Count, Facets
from indexer.request import DATE_COLUMN, FACETS


def count_facets(labels: Iterable[Mapping[str, str | None]]) -> Facets:
    """Count candidates by the value of each facet; `labels` has the labels of each candidate, by field.

    Unknown values count together, as None. The commonest value comes first; for years, the newest.
    """
    counters: dict[str, Counter[str | None]] = {name: Counter() for name in FACETS}
    for candidate_labels in labels:
        for name, filter_ in FACETS.items():
            value = candidate_labels[filter_.field] or None
            counters[name][value[:4] if value and filter_.column == DATE_COLUMN else value] += 1
    return {
        name: _newest_first(counters[name])
        if filter_.column == DATE_COLUMN
        else _commonest_first(counters[name])
        for name, filter_ in FACETS.items()
    }


def _newest_first(counts: Counter[str | None]) -> tuple[Count, ...]:
    ordered = sorted(counts.items(), key=lambda item: item[0] or "", reverse=True)
    return tuple(Count(value, count) for value, count in ordered)


def _commonest_first(counts: Counter[str | None]) -> tuple[Count, ...]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0] or ""))
    return tuple(Count(value, count) for value, count in ordered)
