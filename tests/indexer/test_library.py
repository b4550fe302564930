"""The library as a newcomer uses it: few names, and an example with each that runs."""

import doctest

import pytest

import indexer
from indexer import SearchRequest, build_index, open_searcher
from tests.support.archives import write_small
from tests.support.fakes import FakeModel


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The current folder: a small archive in `articles`, its index in `index`, and a model that needs no time."""
    monkeypatch.chdir(tmp_path)
    for module in ("indexer.building.build", "indexer.retrieval.opening"):
        monkeypatch.setattr(f"{module}.find_model", lambda name, _backend=None: FakeModel(name=name))
    write_small(tmp_path / "articles")
    build_index("articles", "index")
    return tmp_path


def test_library_exports_few_names():
    assert len(indexer.__all__) <= 15
    assert sorted(indexer._HOMES) == sorted(indexer.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        indexer.nonsense  # noqa: B018


@pytest.mark.parametrize("name", indexer.__all__)
def test_the_example_of_each_name_runs(here, name):
    names = {each: getattr(indexer, each) for each in indexer.__all__}
    documented = getattr(indexer, name)
    examples = doctest.DocTestParser().get_doctest(documented.__doc__, names, name, None, 0)
    assert examples.examples
    assert doctest.DocTestRunner().run(examples).failed == 0


def test_a_query_takes_its_options_as_keywords(here):
    with open_searcher("index") as searcher:
        hits = searcher.search("grain corridor", limit=1, lang="en")
        assert hits.hits == searcher.search(SearchRequest("grain corridor", limit=1, lang="en")).hits
    (hit,) = hits
    assert (hit.text, str(hit.source), hit.score) == (hits[0].text, "talks.txt:2", hits[0].score)
    assert (hit.source.path, hit.source.line_start, hit.source.passage) == ("talks.txt", 2, 1)


def test_leaving_the_block_closes_the_files_of_the_index(here):
    with open_searcher(here / "index") as searcher:
        pass
    with pytest.raises(Exception, match="closed"):
        searcher.article("talks.txt")
