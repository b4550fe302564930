"""Search in some sources and days only."""

import json

import numpy as np
import pytest

from indexer import SearchRequest, build_index
from indexer.retrieval.fusion import DEPTH
from indexer.serialization import result_json
from indexer.text.analysis import tokens
from indexer.text.language import detect
from tests.support.fakes import WORDS as ENGLISH
from tests.support.fakes import FakeModel
from tests.support.search_indexes import ARABIC, MODES, all_hits, open_fake_index

WHERE = ["wire", "post", "harbour.example"]
WHEN = [None, "2024-12-31", "2025-03-01", "2025-03-15", "2025-04-01"]


@pytest.fixture(scope="module")
def dated(tmp_path_factory):
    """A searcher over 120 records with sources and days, one passage each, and what each record says."""
    random, folder = np.random.default_rng(3), tmp_path_factory.mktemp("dated")
    records = []
    for number in range(120):
        words = random.choice(ARABIC if number % 3 else ENGLISH, size=random.integers(3, 8))
        text = f"{' '.join(words)} {number}"
        records.append(
            {
                "id": f"{number}",
                "text": text,
                "source": WHERE[random.integers(3)],
                "date": WHEN[random.integers(5)],
            }
        )
    (folder / "feed.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    index = tmp_path_factory.mktemp("dated-index")
    build_index(folder, index, FakeModel())
    searcher = open_fake_index(index)
    assert searcher.size() == (120, 120)
    yield searcher, records
    searcher.store.close()


def within(record, source=None, published_from=None, published_to=None, lang=None):
    day = record["date"]
    return (
        source in (None, record["source"])
        and lang in (None, detect(record["text"]))
        and not (day is None and (published_from or published_to))
        and (published_from is None or day >= published_from)
        and (published_to is None or day <= published_to)
    )


ASKED = [
    {"source": "wire"}, {"source": "nowhere"}, {"published_from": "2025-03-01"}, {"published_to": "2025-03-01"},
    {"published_from": "2025-03-01", "published_to": "2025-03-01"}, {"published_from": "2025-03-02", "published_to": "2025-03-14"},
    {"source": "post", "published_from": "2025-01-01", "lang": "ar"}, {"source": "harbour.example", "lang": "en"},
]  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("filters", ASKED, ids=str)
def test_source_and_day_filters_leave_both_retrievers_their_depth(dated, mode, filters):
    searcher, records = dated
    query = "river treaty نهر قمح"
    left = {record["id"] for record in records if within(record, **filters)}
    words = {word.term for word in tokens(query)}
    if mode == "lexical":
        left = {
            record["id"] for record in records
            if record["id"] in left and words & {word.term for word in tokens(record["text"])}
        }  # fmt: skip
    hits = all_hits(searcher, query, mode=mode, **filters)
    assert sorted(hit.document.doc_id.removeprefix("feed.jsonl::") for hit in hits) == sorted(left)
    assert all(filters.get("source", hit.document.source) == hit.document.source for hit in hits)
    everywhere = {hit.document.doc_id: hit.score for hit in all_hits(searcher, query, mode="dense")}
    if mode == "dense":
        assert [hit.score for hit in hits] == pytest.approx(
            [everywhere[hit.document.doc_id] for hit in hits], abs=1e-6
        )


def told(result):
    return tuple(str(warning) for warning in result.warnings)


def undated_warning(number):
    if not number:
        return ()
    return (f"{number} articles without a date were left out by the date filter.",)


@pytest.mark.parametrize("filters", ASKED, ids=str)
def test_undated_articles_excluded_by_days_are_counted(dated, filters):
    searcher, records = dated
    by_date = filters.keys() & {"published_from", "published_to"}
    others = {name: value for name, value in filters.items() if name not in by_date}
    undated = sum(record["date"] is None and within(record, **others) for record in records)
    assert undated != 1
    result = searcher.search(SearchRequest("river", **filters))
    unknown = ("No article is of the source nowhere.",) if filters.get("source") == "nowhere" else ()
    assert told(result) == (*unknown, *(undated_warning(undated) if by_date else ()))
    assert result_json(result)["warnings"] == list(told(result))


def test_one_undated_article_is_reported_in_the_singular(tmp_path, index, model):
    (folder := tmp_path / "few").mkdir()
    for name, day in (("a", "2025-03-01"), ("b", "2025-04-01"), ("c", None)):
        (folder / f"{name}.txt").write_text(f"The river rose, said {name}.")
        if day:
            (folder / f"{name}.meta.json").write_text(json.dumps({"date": day}))
    build_index(folder, index, model)
    searcher = open_fake_index(index)
    result = searcher.search(SearchRequest("river", published_from="2025-03-02"))
    assert [hit.document.doc_id for hit in result.hits] == ["b.txt"]
    assert told(result) == ("1 article without a date was left out by the date filter.",)
    in_arabic = searcher.search(SearchRequest("river", published_from="2025-03-02", lang="ar"))
    assert told(in_arabic) == ("No passage is in the language ar.",)
    assert (
        searcher.search(SearchRequest("river", published_from="2025-03-02", source="")).warnings
        == result.warnings
    )
    of_x = searcher.search(SearchRequest("river", published_from="2025-03-02", source="x"))
    assert told(of_x) == ("No article is of the source x.",)
    searcher.store.close()


@pytest.mark.parametrize("mode", MODES)
def test_rare_source_leaves_both_retrievers_their_depth(tmp_path, index, mode):
    """More passages of another source than the depth of a retriever, every one of them better."""
    (folder := tmp_path / "many").mkdir()
    records = [{"text": f"river river river {number}", "source": "wire"} for number in range(DEPTH + 10)]
    records += [
        {"text": "river " + "dam port light olive canal drone " * (position + 2), "source": "post"}
        for position in range(4)
    ]
    (folder / "feed.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    build_index(folder, index, FakeModel())
    searcher = open_fake_index(index)
    assert searcher.search(SearchRequest("river", mode=mode, source="post", copies="all")).total == 4
    assert {hit.document.source for hit in all_hits(searcher, "river", mode=mode)[:50]} == {"wire"}
    searcher.store.close()


def test_cut_line_is_found_by_no_query(tmp_path, index, model):
    (folder := tmp_path / "cut").mkdir()
    body = "The river rose in the night, and by the morning the quartermaster had counted nine boats less."
    (folder / "a.txt").write_text(
        f"A river at night\n{body}\nSubscribe to the Kingfisher newsletter today\n{body[::-1]}"
    )
    build_index(folder, index, model)
    searcher = open_fake_index(index)
    for word, total in (("quartermaster", 1), ("Kingfisher", 0), ("newsletter", 0)):
        assert searcher.search(SearchRequest(word, mode="lexical")).total == total
    assert not any("Kingfisher" in hit.text for hit in all_hits(searcher, "Kingfisher", mode="dense"))
    searcher.store.close()
