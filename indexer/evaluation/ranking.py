"""Evaluation of ranking: measures of the ranked lists, and of the sentences that are marked."""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
from ir_measures import RR, R, ScoredDoc, nDCG

from indexer.building.build import Model
from indexer.datatypes import Progress
from indexer.evaluation.datasets import Dataset, Qrels, Text
from indexer.evaluation.temporary_index import TemporaryIndex
from indexer.request import LIMIT, MODES, Mode, SearchRequest
from indexer.retrieval.answer import SURE
from indexer.retrieval.searcher import Searcher
from indexer.text.sentences import split_sentences

RAW = "raw"  # dense search with the vectors of the model, without the language-neutral space
EVALUATED_MODES: tuple[str, ...] = (*MODES, RAW)
BOTH_LANGUAGES = "all"
SENTENCES = 3  # of a passage whose marked answer is measured
RESAMPLES = 1_000  # number of samples of the bootstrap


def evaluate(
    dataset: Dataset,
    model: Model,
    modes: Sequence[str] = ("hybrid",),
    progress: Progress | None = None,
    distractors: Sequence[Text] = (),
) -> dict[str, Any]:
    """Index a dataset in a temporary folder, search all its queries, and return the measures.

    The rows of `results` are mode x query language x (each passage language of the corpus, and "all"). A row
    for one passage language uses the language filter and the qrels of that language; queries without a
    relevant passage there are not part of the row. A query without hits counts as 0. `distractors` are
    indexed with the dataset's own passages, and answer none of its queries.
    """
    dataset = replace(dataset, corpus=[*dataset.corpus, *distractors])
    with tempfile.TemporaryDirectory(prefix="warraq-evaluate-") as temporary:
        index = TemporaryIndex(dataset, Path(temporary), model, progress)
        results = [
            row
            for mode in modes
            for searcher in [index.searcher(neutral=mode != RAW)]
            for query_lang in sorted({query.lang for query in dataset.queries})
            for passage_lang in (*sorted({row.lang for row in dataset.corpus}), BOTH_LANGUAGES)
            if (row := _measure(dataset, searcher, mode, query_lang, passage_lang, progress))
        ]
        marked = _measure_answers(dataset, index.searcher(neutral=True)) if "hybrid" in modes else []
        index.close()
    measured = {"dataset": dataset.name, "passages": len(dataset.corpus), "results": results}
    return measured | ({"answers": marked} if marked else {})


def _measure_answers(dataset: Dataset, searcher: Searcher) -> list[dict[str, Any]]:
    """Return, by direction, how often the best sentence of a relevant passage is the one that answers.

    Passages of `SENTENCES` sentences or more count: in shorter ones it is easily right. `right` is the share
    of all best sentences, `marked` the share of those that are sure enough to be marked, `right_if_marked`
    the share of right ones among these.
    """
    queries = {query.id: query for query in dataset.queries}
    passages = {row.id: row for row in dataset.corpus}
    found: dict[tuple[str, str], list[tuple[bool, bool]]] = {}
    for span in dataset.answers:
        query, passage = queries.get(span.query_id), passages.get(span.passage_id)
        if query and passage and len(split_sentences(passage.text)) >= SENTENCES:
            best = searcher.best_sentence(query.text, passage.id, 1)
            right = best is not None and best.start <= span.start < best.end
            is_marked = best is not None and best.confidence >= SURE
            found.setdefault((query.lang, passage.lang), []).append((right, is_marked))
    return [
        {
            "query_lang": query_lang,
            "passage_lang": passage_lang,
            "pairs": len(pairs),
            "right": share(right for right, _ in pairs),
            "marked": share(is_marked for _, is_marked in pairs),
            "right_if_marked": share(right for right, is_marked in pairs if is_marked),
        }
        for (query_lang, passage_lang), pairs in sorted(found.items())
    ]


def share(values: Iterable[bool]) -> float:
    """Return the share of true values, with four digits; 0 of none."""
    listed = list(values)
    return round(sum(listed) / len(listed), 4) if listed else 0.0


def parity_gaps(results: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return, by mode, nDCG@10 of Arabic passages for Arabic queries minus that for English queries."""
    ndcg = {
        (row["mode"], row["query_lang"]): row["nDCG@10"] for row in results if row["passage_lang"] == "ar"
    }
    return {
        mode: round(ndcg[mode, "ar"] - ndcg[mode, "en"], 4)
        for mode, lang in ndcg
        if lang == "ar" and (mode, "en") in ndcg
    }


def _measure(
    dataset: Dataset,
    searcher: Searcher,
    mode: str,
    query_lang: str,
    passage_lang: str,
    progress: Progress | None,
) -> dict[str, Any] | None:
    """Return one row of measures; None where no query has a relevant passage in that language."""
    qrels = _qrels_between(dataset, query_lang, passage_lang)
    if not qrels:
        return None
    queries = [query for query in dataset.queries if query.id in qrels]
    run = _run(searcher, queries, mode, query_lang, passage_lang, progress)
    values = _values_by_query(qrels, run)
    return {
        "query_lang": query_lang,
        "passage_lang": passage_lang,
        "mode": mode,
        "queries": len(qrels),
        **{name: round(sum(by_query.values()) / len(by_query), 4) for name, by_query in values.items()},
        "ci95": bootstrap_interval(list(values["nDCG@10"].values())),
    }


def _qrels_between(dataset: Dataset, query_lang: str, passage_lang: str) -> dict[str, dict[str, int]]:
    """Return the qrels of the queries and passages in these languages, without queries that have none."""
    passages = {row.id for row in dataset.corpus if passage_lang in (row.lang, BOTH_LANGUAGES)}
    queries = [query.id for query in dataset.queries if query.lang == query_lang]
    qrels = {
        query_id: {
            passage_id: relevance
            for passage_id, relevance in dataset.qrels.get(query_id, {}).items()
            if passage_id in passages
        }
        for query_id in queries
    }
    return {query_id: relevances for query_id, relevances in qrels.items() if relevances}


def _run(
    searcher: Searcher,
    queries: Sequence[Text],
    mode: str,
    query_lang: str,
    passage_lang: str,
    progress: Progress | None,
) -> list[ScoredDoc]:
    """Search each query and return the ranked passages of all of them."""
    search_mode: Mode = "dense" if mode == RAW else mode  # type: ignore[assignment]  # one of MODES
    lang = None if passage_lang == BOTH_LANGUAGES else passage_lang
    stage = f"{mode} {query_lang} to {passage_lang}"
    run = []
    for done, query in enumerate(queries):
        if progress and done % 16 == 0:
            progress(stage, done, len(queries))
        request = SearchRequest(query.text, search_mode, False, limit=LIMIT, lang=lang, copies="all")
        # The score is minus the rank, because the providers of ir_measures break ties differently.
        run += [
            ScoredDoc(query.id, hit.document.doc_id, -float(rank))
            for rank, hit in enumerate(searcher.search(request).hits, 1)
        ]
    if progress:
        progress(stage, len(queries), len(queries))
    return run


def _values_by_query(qrels: Qrels, run: Sequence[ScoredDoc]) -> dict[str, dict[str, float]]:
    """Return the value of each measure for each query, by name; 0 for a query without hits."""
    names = {nDCG @ 10: "nDCG@10", RR @ 10: "MRR@10", R @ 10: "Recall@10", R @ 100: "Recall@100"}
    values: dict[str, dict[str, float]] = {name: dict.fromkeys(qrels, 0.0) for name in names.values()}
    if run:
        for metric in ir_measures.iter_calc(list(names), qrels, run):
            values[names[metric.measure]][metric.query_id] = metric.value
    return values


def bootstrap_interval(values: Sequence[float]) -> list[float]:
    """Return the 95 % percentile bootstrap interval of a mean (Efron), the same in every run."""
    sample = np.asarray(values)
    draws = np.random.default_rng(0).integers(0, len(sample), (RESAMPLES, len(sample)))
    low, high = np.percentile(sample[draws].mean(axis=1), [2.5, 97.5])
    return [round(float(low), 4), round(float(high), 4)]
