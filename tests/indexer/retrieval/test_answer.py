"""The sentence that answers, by value: which it is, how sure that is, and when there is none."""

import pytest

from indexer.datatypes import Answer, SentenceScores
from indexer.retrieval.answer import LEAD, LEAD_WITH_WORDS, SURE, WORDS_WEIGHT, best_sentence, shares

TITLE = "Talks in Geneva"
TEXT = f"{TITLE}\nThe envoys met on Monday. They spoke of grain. Nobody went home early."
PARTS = [(0, 15), (16, 41), (42, 62), (63, 87)]


def scores(*cosines):
    return SentenceScores(tuple(PARTS[len(PARTS) - len(cosines) :]), cosines)


def test_sentence_nearest_to_the_query_is_the_answer():
    answer = best_sentence(TEXT, "", scores(0.1, 0.2, 0.2 + 2 * LEAD, 0.1), {})
    assert TEXT[answer.start : answer.end] == "They spoke of grain."
    assert answer.confidence == 1.0


def test_title_is_never_the_answer():
    answer = best_sentence(TEXT, TITLE, scores(0.9, 0.2, 0.1, 0.3), {})
    assert (answer.start, answer.end) == PARTS[3]


def test_lead_over_the_second_sentence_decides_how_sure_the_answer_is():
    for lead in (0.0, LEAD / 2, LEAD, 1.5 * LEAD, 3 * LEAD):
        answer = best_sentence(TEXT, TITLE, scores(0.9, 0.2, 0.2 + lead, 0.1), {})
        assert answer.confidence == pytest.approx(min(1.0, SURE * lead / LEAD), abs=1e-3)
    assert best_sentence(TEXT, TITLE, scores(0.9, 0.2, 0.2 + LEAD, 0.1), {}).confidence >= SURE


def test_words_of_the_query_add_to_meaning_and_ask_for_a_longer_lead():
    information = {"grain": 0.75, "home": 0.25}
    answer = best_sentence(TEXT, TITLE, scores(0.9, 0.2, 0.2, 0.2), information)
    assert (answer.start, answer.end) == PARTS[2]
    lead = WORDS_WEIGHT * (0.75 - 0.25)
    assert answer.confidence == pytest.approx(min(1.0, SURE * lead / LEAD_WITH_WORDS), abs=1e-3)


def test_single_sentence_is_no_answer():
    assert best_sentence(TEXT, TITLE, None, {}) is None
    title_and_one = SentenceScores(((0, 15), (16, 41)), (0.1, 0.9))
    assert best_sentence(TEXT, TITLE, title_and_one, {}) is None
    assert best_sentence(TEXT, "", title_and_one, {}) == Answer(16, 41, 1.0)


def test_shares_of_information_sum_to_one():
    assert shares({"a": 3.0, "b": 1.0}) == {"a": 0.75, "b": 0.25}
    assert shares({}) == {}
    assert shares({"a": 0.0}) == {}
