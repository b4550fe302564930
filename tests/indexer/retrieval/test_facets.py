"""Facets: every passage counted once in each, and an order that a reader can rely on."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.datatypes import Candidate, Count, Passage
from indexer.retrieval.facets import count_facets

FILED = st.fixed_dictionaries({
    "lang": st.sampled_from(["ar", "en", "mixed"]),
    "source": st.sampled_from(["", "wire", "post"]),
    "author": st.sampled_from(["", "Lina", "سامي"]),
    "published": st.none() | st.dates().map(lambda day: day.isoformat()),
})  # fmt: skip


def counted(filed, count=len):
    """Count passages with these labels."""
    candidates = [Candidate(Passage(str(n), 1, 0, 1, 1, 1, "en"), 1.0) for n in range(len(filed))]
    return count_facets(candidates, lambda each: filed[int(each.passage.doc_id)], count)


def test_facet_counts_equal_hand_calculated_values():
    names = ("lang", "source", "author", "published")
    filed = [
        ("en", "wire", "Lina", "2024-12-31"),
        ("ar", "wire", "", "2025-01-01"),
        ("ar", "post", "", None),
        ("ar", "b", "Lina", None),
        ("ar", "", "Sami", None),
    ]
    filed = [dict(zip(names, each, strict=True)) for each in filed]
    assert counted(filed) == {
        "lang": (Count("ar", 4), Count("en", 1)),
        "source": (Count("wire", 2), Count(None, 1), Count("b", 1), Count("post", 1)),
        "author": (Count(None, 2), Count("Lina", 2), Count("Sami", 1)),
        "year": (Count("2025", 1), Count("2024", 1), Count(None, 3)),
    }
    assert counted(filed, lambda of_value: len(of_value) // 2)["source"] == (Count("wire", 1),)
    assert counted([]) == dict.fromkeys(("lang", "source", "author", "year"), ())


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(FILED, max_size=30))
def test_every_passage_is_counted_once_in_each_facet(filed):
    found = counted(filed)
    for name in ("lang", "source", "author"):
        counts = found[name]
        assert {each.value: each.count for each in counts} == Counter(each[name] or None for each in filed)
        assert list(counts) == sorted(counts, key=lambda each: (-each.count, each.value or ""))
    years = Counter(each["published"] and each["published"][:4] for each in filed)
    assert {each.value: each.count for each in found["year"]} == years
    known = [each.value for each in found["year"] if each.value is not None]
    assert known == sorted(known, reverse=True)
    assert [each.value for each in found["year"]][len(known) :] in ([], [None])
