"""Whether a list seems to answer, by value; test_questions.py asks the real model."""

import pytest

from indexer import build_index
from indexer.datatypes import Candidate, Explanation, Passage
from indexer.retrieval.silence import judge
from tests.support.fakes import FakeModel
from tests.support.search_indexes import open_fake_index, write_lines


def candidate(passage, sentence=None, words=0.0, lang="en"):
    why = Explanation("both", passage, sentence, words)
    return Candidate(Passage("a", 1, 0, 9, 1, 1, lang), 0.5, b"", 0, explanation=why)


@pytest.mark.parametrize(
    ("candidates", "expected"),
    [
        ([], None),
        ([candidate(None, words=1.0)], None),
        ([candidate(0.4)], "no"), ([candidate(0.5)], "unsure"), ([candidate(0.6)], "yes"),
        ([candidate(0.6, 0.4)], "unsure"),  # half of each
        ([candidate(0.4, 0.6)], "unsure"),
        ([candidate(0.4), candidate(0.6), candidate(0.3)], "yes"),  # the best one counts
        ([candidate(0.4, words=1.0)], "yes"), ([candidate(0.4, words=0.7)], "unsure"),
        ([candidate(0.4, words=9.0)], "yes"),
        ([candidate(0.44)], "no"), ([candidate(0.44, lang="ar")], "unsure"), ([candidate(0.48, lang="ar")], "yes"),
    ],
)  # fmt: skip
def test_evidence_is_meaning_words_and_language(candidates, expected):
    assert judge(candidates, "en", few_words=False) == expected


def test_a_name_that_is_found_is_an_answer():
    assert judge([candidate(0.3, words=0.9)], "en", few_words=True) == "yes"
    assert judge([candidate(0.3, words=0.7)], "en", few_words=True) == "no"
    assert judge([candidate(0.3, words=0.9)], "en", few_words=False) == "no"


def test_a_model_whose_scale_is_not_known_says_nothing(tmp_path):
    (tmp_path / "archive").mkdir()
    write_lines(tmp_path / "archive", 20)
    build_index(tmp_path / "archive", tmp_path / "index", FakeModel())
    with open_fake_index(tmp_path / "index") as searcher:
        assert {searcher.search("river treaty", mode=mode).answerable for mode in ("hybrid", "lexical")} == {
            None
        }
