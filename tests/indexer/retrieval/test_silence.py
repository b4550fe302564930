"""Whether a list seems to answer, by value; test_questions.py asks the real model."""

import pytest

from indexer import build_index
from indexer.datatypes import Candidate, Explanation, Passage
from indexer.retrieval.silence import Outside, judge
from tests.support.fakes import FakeModel
from tests.support.search_indexes import open_fake_index, write_lines


def candidate(passage, sentence=None, words=0.0, lang="en", doc_id="a"):
    why = Explanation("both", passage, sentence, words)
    return Candidate(Passage(doc_id, 1, 0, 9, 1, 1, lang), 0.5, b"", 0, explanation=why)


@pytest.mark.parametrize(
    ("candidates", "expected"),
    [
        ([], "no"),
        ([candidate(None, words=1.0)], None),
        ([candidate(0.4)], "no"), ([candidate(0.5)], "unsure"), ([candidate(0.6)], "yes"),
        ([candidate(0.6, 0.4)], "unsure"),  # half of each
        ([candidate(0.4, 0.6)], "unsure"),
        # The best one counts.
        ([candidate(0.4), candidate(0.6, doc_id="b"), candidate(0.3, doc_id="c")], "yes"),
        ([candidate(0.4, words=1.0)], "yes"), ([candidate(0.4, words=0.7)], "unsure"),
        ([candidate(0.4, words=9.0)], "yes"),
        ([candidate(0.44)], "no"), ([candidate(0.44, lang="ar")], "unsure"), ([candidate(0.48, lang="ar")], "yes"),
    ],
)  # fmt: skip
def test_evidence_is_meaning_words_and_language(candidates, expected):
    assert judge(candidates, None, "en", few_words=False).answerable == expected


def test_a_name_that_is_found_is_an_answer():
    for words, few_words, expected in ((0.9, True, "yes"), (0.7, True, "no"), (0.9, False, "no")):
        judged = judge([candidate(0.3, words=words)], None, "en", few_words=few_words)
        assert judged.answerable == expected
        assert judged.found == ({"a#1"} if expected == "yes" else set())


def test_passages_above_chance_are_found_and_all_where_chance_is_not_known():
    near, far = candidate(0.5), candidate(0.49, doc_id="b")
    assert judge([near, far], None, "en", few_words=False).found == {"a#1"}
    words_alone = [candidate(None, words=1.0), candidate(None, doc_id="b")]
    assert judge(words_alone, None, "en", few_words=False).found == {"a#1", "b#1"}


@pytest.mark.parametrize(
    ("outside", "few_words", "complete"),
    [
        (None, False, True),
        (Outside(0.3, 0.5), False, True), (Outside(0.44, 0.0), False, False), (Outside(0.3, 1.0), False, False),
        (Outside(0.1, 0.79), True, True), (Outside(0.1, 0.8), True, False),
    ],
)  # fmt: skip
def test_count_is_exact_unless_a_passage_outside_may_be_above_chance(outside, few_words, complete):
    assert judge([candidate(0.9)], outside, "en", few_words=few_words).complete == complete


def test_a_model_whose_scale_is_not_known_says_nothing(tmp_path):
    (tmp_path / "archive").mkdir()
    write_lines(tmp_path / "archive", 20)
    build_index(tmp_path / "archive", tmp_path / "index", FakeModel())
    with open_fake_index(tmp_path / "index") as searcher:
        assert {searcher.search("river treaty", mode=mode).answerable for mode in ("hybrid", "lexical")} == {
            None
        }
