"""Evaluation of silence: how often questions that an archive cannot answer are doubted, and those it can.

An archive is one dataset's passages of one language. Its own questions are asked with and without the
passages that answer them, and so are the questions of the other datasets, which nothing in it answers.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from indexer.building.build import Model
from indexer.datatypes import Progress
from indexer.errors import ModelError
from indexer.evaluation.datasets import Dataset, Text
from indexer.evaluation.ranking import share
from indexer.evaluation.temporary_index import TemporaryIndex
from indexer.retrieval.silence import Judgement

QUESTIONS = 300  # of a dataset and a language, drawn evenly
DOUBTED = 0.05  # of the questions that are answered; the level at which the others are compared


def evaluate_silence(
    datasets: Sequence[Dataset], model: Model, progress: Progress | None = None
) -> list[dict[str, Any]]:
    """Ask the questions of all datasets in the archive of each, and return the shares that are doubted.

    The rows are archive x its language x questions x their language x `kind`: "own" questions, "without"
    their answering passages, and "other" questions. `no` is the share that is told that nothing seems to
    answer, `doubted` that of «no» and «unsure», and `caught` the share with less evidence than all but 5 % of
    the archive's own questions in that language; None where it has none. Raises ModelError.
    """
    rows = []
    for dataset in datasets:
        for lang in sorted({row.lang for row in dataset.corpus}):
            archive = replace(dataset, corpus=[row for row in dataset.corpus if row.lang == lang])
            rows += _rows_of_archive(archive, lang, datasets, model, progress)
    return rows


def _rows_of_archive(
    archive: Dataset, lang: str, datasets: Sequence[Dataset], model: Model, progress: Progress | None
) -> list[dict[str, Any]]:
    held = {row.id for row in archive.corpus}
    own = {
        query.id: answers
        for query in archive.queries
        if (answers := held & set(archive.qrels.get(query.id, ())))
    }
    asked = {query.text for query in archive.queries}
    questions: dict[tuple[str, str, str], list[Text]] = {}
    for query in archive.queries:
        if query.id in own:
            questions.setdefault(("own", archive.name, query.lang), []).append(query)
            questions.setdefault(("without", archive.name, query.lang), []).append(query)
    for other in datasets:
        for query in other.queries if other.name != archive.name else ():
            if query.text not in asked:
                questions.setdefault(("other", other.name, query.lang), []).append(query)
    drawn = {key: _drawn(queries) for key, queries in questions.items()}
    everything = replace(archive, queries=[query for queries in drawn.values() for query in queries])
    with tempfile.TemporaryDirectory(prefix="warraq-evaluate-") as temporary:
        index = TemporaryIndex(everything, Path(temporary), model, progress)
        searcher = index.searcher(neutral=True)
        judged: dict[tuple[str, str, str], list[Judgement]] = {}
        for key, queries in drawn.items():
            without = own if key[0] == "without" else {}
            judged[key] = [searcher.judge(query.text, without.get(query.id, ())) for query in queries]
        index.close()
    if any(each.answerable is None for judgements in judged.values() for each in judgements):
        raise ModelError("The cosines of this model have another scale: it is not judged.")
    return [
        {
            "archive": archive.name,
            "passage_lang": lang,
            "passages": len(archive.corpus),
            "kind": kind,
            "questions": name,
            "query_lang": query_lang,
            "queries": len(judgements),
            "no": share(each.answerable == "no" for each in judgements),
            "doubted": share(each.answerable != "yes" for each in judgements),
            "caught": _caught(judgements, judged.get(("own", archive.name, query_lang))),
        }
        for (kind, name, query_lang), judgements in judged.items()
    ]


def _drawn(queries: Sequence[Text]) -> list[Text]:
    """Return at most `QUESTIONS` of these, at even distances."""
    count = min(len(queries), QUESTIONS)
    return [queries[place * len(queries) // count] for place in range(count)]


def _caught(judgements: Sequence[Judgement], own: Sequence[Judgement] | None) -> float | None:
    """Return the share with less evidence than all but 5 % of the archive's own questions."""
    if not own:
        return None
    limit = np.quantile([each.evidence for each in own], DOUBTED)
    return share(each.evidence < limit for each in judgements)
