"""A model that is not there or fails: words still find something, and every answer says so."""

import logging

import pytest

from indexer import Searcher, SearchRequest, SimilarRequest, build_index, open_searcher
from indexer.errors import ModelError
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from tests.support.fakes import FakeModel

QUESTION = "Geneva grain corridor السدود"


class Failing(FakeModel):
    """A model that fails at questions until a test repairs it."""

    failing = True

    def encode_queries(self, texts):
        if self.failing:
            raise RuntimeError("out of memory")
        return super().encode_queries(texts)


@pytest.fixture
def failing(archive, index, model):
    build_index(archive, index, model)
    with_store = Searcher(GenerationReader.open(IndexFolder(index)), Failing())
    yield with_store
    with_store.store.close()


def outline(result):
    return [(hit.passage, hit.score, hit.highlights) for hit in result.hits]


def codes(result):
    return [each.code for each in result.warnings]


def test_lexical_search_answers_with_a_warning_while_the_model_fails(failing, caplog):
    with caplog.at_level(logging.ERROR):
        found = failing.search(SearchRequest(QUESTION))
    assert outline(found) == outline(failing.search(SearchRequest(QUESTION, "lexical")))
    assert found.hits
    assert codes(found) == ["no_model"]
    assert "words alone" in str(found.warnings[0])
    assert "out of memory" in caplog.text
    assert QUESTION not in caplog.text
    failing.encoder.failing = False
    mended = failing.search(SearchRequest(QUESTION))
    assert codes(mended) == []
    assert mended.total > found.total


def test_lexical_mode_needs_no_model(failing):
    assert codes(failing.search(SearchRequest(QUESTION, "lexical"))) == []


def test_dense_mode_is_refused(failing):
    with pytest.raises(ModelError) as error:
        failing.search(SearchRequest(QUESTION, "dense"))
    assert (error.value.code, error.value.http_status) == ("no_model", 503)


def test_similar_passages_need_no_model(failing):
    assert failing.similar(SimilarRequest("talks.txt", 1)).hits
    assert codes(failing.similar(SimilarRequest("talks.txt", 1))) == []


def test_matches_are_found_lexically(failing):
    found = failing.matches(SearchRequest("Geneva"), "talks.txt")
    assert codes(found) == ["no_model"]
    assert codes(failing.matches(SearchRequest("Geneva", "lexical"), "talks.txt")) == []
    hit = found.hits[0]
    assert [hit.text[each.start : each.end] for each in hit.highlights].count("Geneva") >= 1


def test_dense_matches_are_refused(failing):
    with pytest.raises(ModelError):
        failing.matches(SearchRequest("Geneva", "dense"), "talks.txt")


def test_an_index_is_opened_without_its_model(archive, index):
    build_index(archive, index, FakeModel(name="nobody/nothing"))
    with pytest.raises(ModelError):
        open_searcher(index)
    searcher = open_searcher(index, without_model=True)
    try:
        assert searcher.encoder is None
        found = searcher.search(SearchRequest(QUESTION))
        assert found.hits
        assert codes(found) == ["no_model"]
    finally:
        searcher.store.close()
