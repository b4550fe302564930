"""Facets: the passages that a search found, counted by the values of their labels. Pure functions."""

from collections.abc import Callable, Mapping, Sequence

from indexer.datatypes import Candidate, Count, Facets
from indexer.request import DATE_COLUMN, FACETS

LabelsOf = Callable[[Candidate], Mapping[str, str | None]]


def count_facets(
    candidates: Sequence[Candidate], labels: LabelsOf, count: Callable[[Sequence[Candidate]], int]
) -> Facets:
    """Count what the list of each value of a facet would find.

    `labels` returns the labels of a candidate by field; `count` counts what a list of candidates finds.
    Unknown values count together, as None; values that find nothing are left out. The commonest value comes
    first; for years, the newest.
    """
    labelled = [(candidate, labels(candidate)) for candidate in candidates]
    facets = {}
    for name, filter_ in FACETS.items():
        by_date = filter_.column == DATE_COLUMN
        of_value: dict[str | None, list[Candidate]] = {}
        for candidate, its_labels in labelled:
            value = its_labels[filter_.field] or None
            of_value.setdefault(value[:4] if value and by_date else value, []).append(candidate)
        counts = {value: count(of_this) for value, of_this in of_value.items()}
        counts = {value: number for value, number in counts.items() if number}
        facets[name] = _newest_first(counts) if by_date else _commonest_first(counts)
    return facets


def _newest_first(counts: Mapping[str | None, int]) -> tuple[Count, ...]:
    ordered = sorted(counts.items(), key=lambda item: item[0] or "", reverse=True)
    return tuple(Count(value, count) for value, count in ordered)


def _commonest_first(counts: Mapping[str | None, int]) -> tuple[Count, ...]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0] or ""))
    return tuple(Count(value, count) for value, count in ordered)
