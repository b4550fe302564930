"""How the candidates of a search divide by what they are filed under. Pure functions."""

from collections import Counter
from collections.abc import Iterable, Mapping

from indexer.datatypes import Count, Facets
from indexer.request import DATE_COLUMN, FACETS


def count_facets(labels: Iterable[Mapping[str, str | None]]) -> Facets:
    """Count candidates by the value of each facet; `labels` has those of each candidate, by column name.

    Values that are not known count together, as None. The commonest value comes first, of years the newest.
    """
    counts: dict[str, Counter[str | None]] = {name: Counter() for name in FACETS}
    for filed in labels:
        for name, on in FACETS.items():
            value = filed[on.field] or None
            counts[name][value[:4] if value and on.column == DATE_COLUMN else value] += 1
    return {
        name: _newest_first(counts[name]) if on.column == DATE_COLUMN else _commonest_first(counts[name])
        for name, on in FACETS.items()
    }


def _newest_first(counts: Counter[str | None]) -> tuple[Count, ...]:
    ordered = sorted(counts.items(), key=lambda item: item[0] or "", reverse=True)
    return tuple(Count(value, count) for value, count in ordered)


def _commonest_first(counts: Counter[str | None]) -> tuple[Count, ...]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0] or ""))
    return tuple(Count(value, count) for value, count in ordered)
