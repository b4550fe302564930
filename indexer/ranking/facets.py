"""How the passages of a pool divide by what they are filed under. Pure functions."""

from collections import Counter
from collections.abc import Iterable

from ..datatypes import Count, Facets


def facets(filed: Iterable[tuple[str, str, str | None]]) -> Facets:
    """Count passages by language, source and year, given those three of each; a day gives its year."""
    langs, sources, years = Counter[str](), Counter[str](), Counter[str | None]()
    for lang, source, published in filed:
        langs[lang] += 1
        sources[source] += 1
        years[published[:4] if published else None] += 1
    newest_first = sorted(years.items(), key=lambda each: each[0] or "", reverse=True)
    return Facets(_commonest(langs), _commonest(sources), tuple(Count(*each) for each in newest_first))


def _commonest(counts: Counter[str]) -> tuple[Count, ...]:
    return tuple(Count(*each) for each in sorted(counts.items(), key=lambda each: (-each[1], each[0])))
