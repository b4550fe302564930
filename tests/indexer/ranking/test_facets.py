"""Facets: every passage counted once in each, and an order that a reader can rely on."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.datatypes import Count, Facets
from indexer.ranking.facets import facets

FILED = st.tuples(
    st.sampled_from(["ar", "en", "mixed"]),
    st.text(max_size=2),
    st.none() | st.dates().map(lambda day: day.isoformat()),
)


def test_counts_worked_out_by_hand():
    filed = [
        ("en", "wire", "2024-12-31"),
        ("ar", "wire", "2025-01-01"),
        ("ar", "post", None),
        ("ar", "b", None),
    ]
    assert facets(filed) == Facets(
        (Count("ar", 3), Count("en", 1)),
        (Count("wire", 2), Count("b", 1), Count("post", 1)),
        (Count("2025", 1), Count("2024", 1), Count(None, 2)),
    )
    assert facets([]) == Facets()


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(FILED, max_size=30))
def test_every_passage_is_counted_once_in_each(filed):
    found = facets(filed)
    for at, counts in enumerate((found.lang, found.source)):
        assert {each.value: each.count for each in counts} == Counter(each[at] for each in filed)
        assert list(counts) == sorted(counts, key=lambda each: (-each.count, each.value))
    years = Counter(each[2] and each[2][:4] for each in filed)
    assert {each.value: each.count for each in found.year} == years
    known = [each.value for each in found.year if each.value is not None]
    assert known == sorted(known, reverse=True)
    assert [each.value for each in found.year][len(known) :] in ([], [None])
