"""Questions in either language find the same passages nearly as well: measured on a small real set."""

import pytest

from indexer.evaluation.datasets import Dataset, read_dataset
from indexer.evaluation.ranking import evaluate, parity_gaps
from tests.support.loaded_model import LoadedModel
from tests.support.paths import DATA

PASSAGES, QUESTIONS = 40, 40  # of each language

pytestmark = pytest.mark.skipif(
    not DATA.exists(), reason="the evaluation sets are not part of the repository"
)


@pytest.fixture(scope="module")
def measured(encoder):
    whole = read_dataset(DATA / "dev" / "xquad-mixed")
    passages = {lang: [row for row in whole.corpus if row.lang == lang][:PASSAGES] for lang in ("ar", "en")}
    corpus = [row for rows in passages.values() for row in rows]
    inside = {row.id for row in corpus}
    asked = [query for query in whole.queries if inside.intersection(whole.qrels[query.id])]
    queries = [
        query for lang in ("ar", "en") for query in [each for each in asked if each.lang == lang][:QUESTIONS]
    ]
    small = Dataset("small", corpus, queries, whole.qrels)
    return evaluate(small, LoadedModel(encoder), ("dense", "hybrid", "raw"))["results"]


def ndcg(measured, mode, query_lang, passage_lang):
    return next(
        row["nDCG@10"]
        for row in measured
        if (row["mode"], row["query_lang"], row["passage_lang"]) == (mode, query_lang, passage_lang)
    )


def test_parity_gap_is_small(measured):
    gaps = parity_gaps(measured)
    assert gaps.keys() == {"dense", "hybrid", "raw"}
    assert gaps["dense"] <= 0.08


def test_one_list_of_both_languages_is_better_in_the_neutral_space(measured):
    """Two passages answer each question, one in each language: both should come near the top."""
    for lang in ("ar", "en"):
        assert ndcg(measured, "dense", lang, "all") >= ndcg(measured, "raw", lang, "all") + 0.05


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_one_language_alone_loses_nothing(measured, lang):
    assert ndcg(measured, "dense", lang, lang) >= ndcg(measured, "raw", lang, lang) - 0.01
    assert ndcg(measured, "hybrid", lang, lang) >= ndcg(measured, "dense", lang, lang) - 0.01
