"""Evaluation: index a BEIR folder with the real pipeline, search it as a user would, and measure the results.

Uses the same functions of building and retrieval as the commands do.
"""

import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import ir_measures
import numpy as np
from ir_measures import RR, R, ScoredDoc, nDCG
from numpy.typing import NDArray

from indexer.building.build import Model, write_generation
from indexer.building.changes import ArticleSource
from indexer.datatypes import Document, Passage, Progress, SourceFile, SplitDocument
from indexer.embedding.encoder import Encoder
from indexer.errors import RequestError
from indexer.request import LIMIT, MODES, Mode, SearchRequest
from indexer.retrieval.answer import SURE
from indexer.retrieval.opening import in_space
from indexer.retrieval.searcher import Searcher
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from indexer.store.writer import PreparedArticle
from indexer.text.language import detect
from indexer.text.lines import split_lines
from indexer.text.sentences import split_sentences

RAW = "raw"  # dense search with the vectors of the model, without the language-neutral space
EVALUATED_MODES: tuple[str, ...] = (*MODES, RAW)
BOTH_LANGUAGES = "all"
SENTENCES = 3  # of a passage whose marked answer is measured
RESAMPLES = 1_000  # number of samples of the bootstrap
_AT_ONCE = 256  # queries encoded together

_WHOLE_NUMBER = re.compile("-?[0-9]+")

Qrels = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Text:
    """A passage of the corpus, or a query."""

    id: str
    text: str
    lang: str
    title: str = ""


class AnswerSpan(NamedTuple):
    """Where a passage answers a query: code points of the passage's text."""

    query_id: str
    passage_id: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset in BEIR's layout; `qrels` has the relevances above 0, by query and passage."""

    name: str
    corpus: Sequence[Text]
    queries: Sequence[Text]
    qrels: Qrels
    answers: Sequence[AnswerSpan] = ()


def read_dataset(folder: Path) -> Dataset:
    """Read corpus.jsonl, queries.jsonl and qrels.tsv; RequestError names the line with a fault."""
    qrels: dict[str, dict[str, int]] = {}
    path = folder / "qrels.tsv"
    for number, line in enumerate(_lines(path)):
        fields = line.split("\t")
        if number == 0 and not _WHOLE_NUMBER.fullmatch(fields[-1]):
            continue  # the header
        if len(fields) != 3 or not _WHOLE_NUMBER.fullmatch(fields[2]):
            raise _fault(path, number + 1, "three fields: query-id, corpus-id and relevance")
        if int(fields[2]) > 0:
            qrels.setdefault(fields[0], {})[fields[1]] = int(fields[2])
    corpus = list(_texts(folder / "corpus.jsonl"))
    if len({row.id for row in corpus}) < len(corpus):
        raise RequestError("bad_dataset", f"{folder / 'corpus.jsonl'} has the same _id twice.")
    answers = list(_answers(folder / "answers.jsonl"))
    return Dataset(folder.name, corpus, list(_texts(folder / "queries.jsonl")), qrels, answers)


def read_distractors(folders: Iterable[Path], dataset: Dataset) -> list[Text]:
    """Return the passages of other datasets that a dataset lacks, each text once.

    Each folder is a dataset or holds several. An id is preceded by the name of its dataset. Raises
    RequestError.
    """
    seen = {row.text for row in dataset.corpus}
    distractors = []
    for folder in folders:
        corpora = sorted({*folder.glob("corpus.jsonl"), *folder.glob("*/corpus.jsonl")})
        if not corpora:
            raise RequestError(
                "bad_dataset", f"{folder} holds no corpus.jsonl. Name the folder of a dataset."
            )
        for corpus in corpora:
            for row in _texts(corpus):
                if row.text not in seen:
                    seen.add(row.text)
                    distractors.append(replace(row, id=f"{corpus.parent.name}/{row.id}"))
    return distractors


def _answers(path: Path) -> Iterator[AnswerSpan]:
    """Yield the rows of a file of answers; none where there is no such file."""
    for number, line in enumerate(_lines(path) if path.exists() else (), 1):
        if line:
            try:
                row = json.loads(line)
                query_id, passage_id = str(row["query-id"]), str(row["corpus-id"])
                yield AnswerSpan(query_id, passage_id, int(row["start"]), int(row["end"]))
            except (ValueError, TypeError, KeyError):
                raise _fault(path, number, "a JSON object with query-id, corpus-id, start and end") from None


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            for line in file:
                yield line.rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise RequestError(
            "bad_dataset", f"{path} cannot be read: {reason}. Name a folder in BEIR's layout."
        ) from error


def _texts(path: Path) -> Iterator[Text]:
    for number, line in enumerate(_lines(path), 1):
        if line:
            try:
                row = json.loads(line)
                text, lang, title = row["text"], row.get("lang"), row.get("title") or ""
                if not all(isinstance(value, str) for value in (text, lang or "", title)):
                    raise TypeError
                yield Text(str(row["_id"]), text, lang or detect(text), title)
            except (ValueError, TypeError, KeyError, AttributeError):
                raise _fault(path, number, "a JSON object with _id and text") from None


def _fault(path: Path, line: int, expected: str) -> RequestError:
    return RequestError("bad_dataset", f"{path}, line {line}: expected {expected}.")


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
        index = _Index(dataset, Path(temporary), model, progress)
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
            "right": _share(right for right, _ in pairs),
            "marked": _share(is_marked for _, is_marked in pairs),
            "right_if_marked": _share(right for right, is_marked in pairs if is_marked),
        }
        for (query_lang, passage_lang), pairs in sorted(found.items())
    ]


def _share(values: Iterable[bool]) -> float:
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


class _Index:
    """The index of a dataset: one generation for each space that is searched, with one model."""

    def __init__(self, dataset: Dataset, folder: Path, model: Model, progress: Progress | None) -> None:
        self.dataset, self.progress = dataset, progress
        self.folder, self.model = IndexFolder(folder), _OpenedOnce(model)
        self.folder.prepare()
        self.encoder = _QueriesEncodedOnce(self.model.open(), [query.text for query in dataset.queries])
        self.searchers: dict[bool, Searcher] = {}

    def searcher(self, *, neutral: bool) -> Searcher:
        """Return a Searcher of the language-neutral space, or of the model's own vectors."""
        if neutral not in self.searchers:
            source = ArticleSource(prepare=lambda _encoder: map(_prepared, self.dataset.corpus))
            write_generation(
                self.folder, source, self.model, str(self.folder.path), self.progress, neutral=neutral
            )
            store = GenerationReader.open(self.folder)
            self.searchers[neutral] = Searcher(store, in_space(store, self.encoder))
        return self.searchers[neutral]

    def close(self) -> None:
        for searcher in self.searchers.values():
            searcher.close()


def _prepared(row: Text) -> PreparedArticle:
    document = Document(row.id, row.title, row.text, "", row.lang, None, SourceFile(row.id))
    lines = len(split_lines(row.text))
    return PreparedArticle(
        SplitDocument(document, (Passage(row.id, 1, 0, len(row.text), 1, lines, row.lang),))
    )


class _OpenedOnce:
    """A model that is loaded only once, for the passages and then for the queries."""

    def __init__(self, model: Model) -> None:
        self.name, self.weights, self.backend = model.name, model.weights, model.backend
        self._model = model
        self._encoder: Encoder | None = None

    def open(self) -> Encoder:
        self._encoder = self._encoder or self._model.open()
        return self._encoder


class _QueriesEncodedOnce:
    """An Encoder that encodes its queries once, since they are searched for each mode and language."""

    def __init__(self, encoder: Encoder, queries: Sequence[str]) -> None:
        self.name, self.weights, self.backend = encoder.name, encoder.weights, encoder.backend
        self.dimension, self.prompts, self.window = encoder.dimension, encoder.prompts, encoder.window
        self.count_tokens, self.encode_passages = encoder.count_tokens, encoder.encode_passages
        self._vectors: dict[str, NDArray[np.float32]] = {}
        for first in range(0, len(queries), _AT_ONCE):
            batch = queries[first : first + _AT_ONCE]
            self._vectors.update(zip(batch, encoder.encode_queries(batch), strict=True))

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([self._vectors[text] for text in texts])


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
