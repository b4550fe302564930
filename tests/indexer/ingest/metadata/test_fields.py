"""Facts of records: found under the names that exports use, and made into one line, a day, an address."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import RequestError
from indexer.ingest.metadata.fields import (
    NAMES,
    Facts,
    check_names,
    domain_of,
    facts_of,
    known_names,
    one_line,
    plain_name,
    value_of,
)


@pytest.mark.parametrize(
    "name", ["Published_At", "published-at", "publishedAt", "PUBLISHED AT", "@published_at", " published at "]
)
def test_names_are_compared_without_case_and_signs(name):
    assert value_of({name: "2024-05-01"}, "published", {}) == "2024-05-01"


@pytest.mark.parametrize(
    ("field", "name"), [(field, name) for field, names in NAMES.items() for name in names]
)
def test_every_known_name_is_found(field, name):
    assert value_of({name: "x"}, field, {}) == "x"


def test_each_name_belongs_to_one_field():
    names = [name for field in NAMES for name in set(known_names(field))]
    assert len(names) == len(set(names))


def test_most_likely_name_wins_whatever_the_order():
    assert value_of({"date": "b", "published": "a"}, "published", {}) == "a"
    assert value_of({"published": "a", "date": "b"}, "published", {}) == "a"


def test_first_spelling_of_a_name_wins():
    assert value_of({"Title": "a", "title": "b"}, "title", {}) == "a"


@pytest.mark.parametrize("empty", [None, "", [], {}])
def test_empty_field_is_skipped(empty):
    assert value_of({"published": empty, "date": "b"}, "published", {}) == "b"


@pytest.mark.parametrize(
    ("given_name", "value"),
    [("lead", 1), ("meta.lead", 2), ("meta.deep.lead", 3), ("a.b", 4), ("missing", None), ("lead.x", None)],
)
def test_configured_name_may_point_into_nested_records(given_name, value):
    record = {"title": 0, "lead": 1, "meta": {"lead": 2, "deep": {"lead": 3}}, "a.b": 4}
    assert value_of(record, "title", {"title": given_name}) == value


def test_configured_name_is_used_literally():
    assert value_of({"Lead": "x"}, "title", {"title": "lead"}) is None


def test_name_for_an_unknown_field_is_refused_with_the_known_fields():
    with pytest.raises(RequestError, match="no field 'titel'; there are text, id, title, published"):
        check_names({"titel": "x"})


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("  two\r\n words\t", "two words"),
        (7, "7"),
        (7.0, "7"),
        (7.5, "7.5"),
        (2**80, str(2**80)),
        (True, ""),
        (None, ""),
        (float("inf"), "inf"),
        (["A. Haddad", "B. Nasser"], "A. Haddad, B. Nasser"),
        ([{"name": "A. Haddad"}, "", None, {"x": 1}], "A. Haddad"),
        ({"name": "A. Haddad", "id": 3}, "A. Haddad"),
        ({"rendered": "Egypt&#8217;s dam"}, "Egypt’s dam"),
        ({"$oid": "65f0"}, "65f0"),
        ({"$date": "2024-05-01"}, "2024-05-01"),
        ({"name": ["A", "B"]}, "A, B"),
        ({"x": 1}, ""),
        ("Fish &amp; chips", "Fish & chips"),
        ("R&D; AT&T", "R&D; AT&T"),
        ("a&#10;b &#0; &#xD800;", "a b \ufffd \ufffd"),
        ("half \ud83d", "half"),
        ("a\0b\x1b[0m\x85c", "a b [0m c"),
        ("\u200fعنوان", "\u200fعنوان"),
        ("x" * 500, "x" * 500),
        ("x" * 501, ""),
        (["x" * 300, "y" * 300], ""),
        (list(range(30)), ", ".join(map(str, range(20)))),
    ],
)
def test_a_value_is_one_line_of_text(value, line):
    assert one_line(value) == line


def test_nested_lists_are_read_to_a_limit():
    endless = ["a"]
    endless.append(endless)
    assert one_line(endless) == "a, a"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None), max_size=30)
    | st.sampled_from(["2024-05-01", "٣ مايو 2024", "https://www.a.example/b", "http://[x", "&#0;"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["name", "$date", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([names[0] for names in NAMES.values()]), JSON))
def test_facts_of_any_record_can_be_serialized(record):
    facts = facts_of(record, {}, "en")
    for _, value in facts.known():
        assert json.dumps(value, ensure_ascii=False).encode()
        assert " ".join(value.split()) == value
        assert len(value) <= 500
    assert facts.url.startswith("http") or facts.url == ""


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("https://www.Reef-Wire.example/a?b", "reef-wire.example"),
        ("http://news.example:8080", "news.example"),
        ("https://user@a.example/", "a.example"),
        ("https://أخبار.example/", "أخبار.example"),
        ("ftp://a.example", ""),
        ("a.example", ""),
        ("javascript:alert(1)", ""),
        ("https://", ""),
        ("http://[", ""),
        ("https:// a.example/", ""),
        ("https://<b>/", ""),
        ("http://a\u2100b/", ""),  # becomes a slash when it is normalized
        ("", ""),
    ],
)
def test_domain_is_taken_from_the_address(address, domain):
    assert domain_of(address) == domain


@pytest.mark.parametrize(
    ("record", "source"),
    [
        ({"source": "Reef Wire"}, "Reef Wire"),
        ({"source": {"name": "Reef Wire", "id": None}}, "Reef Wire"),
        ({"source": "https://www.reef.example/feed"}, "reef.example"),
        ({"url": "https://www.reef.example/a"}, "reef.example"),
        ({"source": "Reef Wire", "url": "https://other.example/a"}, "Reef Wire"),
        ({"url": "/a/b"}, ""),
    ],
)
def test_a_source_is_a_name_or_the_domain_of_an_address(record, source):
    assert facts_of(record, {}, "en").source == source


@pytest.mark.parametrize(
    ("published", "lang", "day"),
    [
        ("2024-05-01T10:00:00Z", "en", "2024-05-01"),
        ("Wed, 01 May 2024 10:00:00 +0300", "en", "2024-05-01"),
        (1714557600, "en", "2024-05-01"),
        ("03/04/2024", "ar", "2024-04-03"),
        ("03/04/2024", "en", None),
        ({"$date": "2024-05-01T00:00:00Z"}, "en", "2024-05-01"),
        ("soon", "en", None),
        (True, "en", None),
    ],
)
def test_publication_day_is_read_by_the_conventions_of_the_language(published, lang, day):
    assert facts_of({"published": published}, {}, lang).published == day


def test_invalid_address_is_unknown():
    assert facts_of({"url": "see the paper"}, {}, "en").url == ""


def test_unknown_facts_alone_are_filled_from_others():
    own, others = Facts(title="own", published="2024-01-01"), Facts(title="other", author="A. Haddad")
    assert own.or_else(others) == Facts(title="own", author="A. Haddad", published="2024-01-01")
    assert dict(own.or_else(Facts()).known()) == {"title": "own", "published": "2024-01-01"}


def test_normalization_keeps_plain_arabic_names():
    assert plain_name("تاريخ النشر") == "تاريخالنشر"
