"""The index of a dataset in a temporary folder, made by the real pipeline."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.building.build import Model, write_generation
from indexer.building.changes import ArticleSource
from indexer.datatypes import Document, Passage, Progress, SourceFile, SplitDocument
from indexer.embedding.encoder import Encoder
from indexer.evaluation.datasets import Dataset, Text
from indexer.query import parse
from indexer.retrieval.opening import in_space
from indexer.retrieval.searcher import Searcher
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from indexer.store.writer import PreparedArticle
from indexer.text.lines import split_lines

_AT_ONCE = 256  # queries encoded together


class TemporaryIndex:
    """The index of a dataset: one generation for each space that is searched, with one model."""

    def __init__(self, dataset: Dataset, folder: Path, model: Model, progress: Progress | None) -> None:
        self.dataset, self.progress = dataset, progress
        self.folder, self.model = IndexFolder(folder), _OpenedOnce(model)
        self.folder.prepare()
        self.encoder = _QueriesEncodedOnce(
            self.model.open(), [parse(query.text).text for query in dataset.queries]
        )
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
