"""The read side: one question to one page of ranked passages, each with what proves it."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from time import perf_counter
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from indexer.datatypes import Candidate, Hit, Notice, Passage, SearchResult, SplitDocument
from indexer.embedding.encoder import Encoder
from indexer.errors import GenerationChanged, ModelError, NoSuchPassage
from indexer.request import DATE_COLUMN, ListRequest, SearchRequest, SimilarRequest
from indexer.retrieval.duplicates import ResultGroup, collapse, ungrouped
from indexer.retrieval.facets import count_facets
from indexer.retrieval.fusion import DEPTH, SURFACE_WEIGHT, fuse
from indexer.retrieval.highlight import find_highlights
from indexer.store.base import WeightedTerm
from indexer.store.reader import GenerationReader
from indexer.store.schema import duplicate_key
from indexer.text.analysis import Token, tokens
from indexer.text.language import MIXED, detect

log = logging.getLogger(__name__)

CACHED_QUERIES = 256  # whose vectors are known
SORTED_BY_DATE = 100  # passages that are put in order of date: the pool's others say little of the question
MATCHES = 40  # best passages of a search, among which those of an article are its matches


class Searcher:
    """Search one generation with one model. Safe to share between threads.

    >>> with open_searcher("index") as searcher:
    ...     similar = searcher.similar(SimilarRequest("talks.txt", 1))
    ...     searcher.size(), searcher.article("talks.txt").document.title, similar.like.source.passage
    ((2, 4), 'Talks in Geneva', 1)

    Without a model (`encoder` is None), or while it fails, passages are found by their words alone, and
    every answer says so.
    """

    def __init__(self, store: GenerationReader, encoder: Encoder | None) -> None:
        self.store, self.encoder = store, encoder
        self._failing = False  # whether the model failed at the last question that it was given
        # The pages of a list, its facets and its articles ask the same question again. It holds the encoder
        # alone: what held the Searcher too would keep a generation's files open until garbage is collected.
        self._vector_of = lru_cache(CACHED_QUERIES)(partial(_encode_query, encoder)) if encoder else None

    @property
    def generation(self) -> str:
        """The name of the generation that is searched."""
        return self.store.generation

    @property
    def built(self) -> datetime:
        """When that generation was built, in UTC."""
        return datetime.fromisoformat(self.store.manifest.built)

    @property
    def archive(self) -> Path:
        """Where the articles were when the index was built."""
        return self.store.archive

    @property
    def field_names(self) -> Mapping[str, str]:
        """The names of fields in records that the user gave for that archive."""
        fields: Mapping[str, str] = self.store.fields
        return fields

    @property
    def damage(self) -> Notice | None:
        """What is wrong with the index, where an older generation than the newest is searched."""
        return self.store.damage

    @property
    def has_model(self) -> bool:
        """Whether queries can be encoded; without a model, passages are found by words alone."""
        return self.encoder is not None

    def close(self) -> None:
        """Close the index's files; nothing is asked of the searcher afterwards."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def search(self, query: str | SearchRequest, **options: Any) -> SearchResult:
        """Rank the passages that answer a question and return the page that was asked for.

        `options` are the fields of a SearchRequest: limit, offset, lang, source, author, published_from,
        published_to, mode, sort, copies. Each retriever gives its best candidates among the passages that
        the filters leave; `total` counts their union, from which all pages are cut. Raises RequestError.
        """
        request = SearchRequest(query, **options) if isinstance(query, str) else query
        clock = _Clock()
        self.check_generation(request.generation)
        language, words = detect(request.query), tokens(request.query)
        pool, degraded = self._pool(request, language, words, clock)
        marked = words if request.highlight else []
        return self._page(request, pool, clock, language=language, words=marked, degraded=degraded)

    def similar(self, request: SimilarRequest) -> SearchResult:
        """Rank the passages of other articles by what they have in common with a passage.

        Passages with the very same words are left out: they are no news. Raises NoSuchPassage.
        """
        clock = _Clock()
        self.check_generation(request.generation)
        article, passage = self._passage(request.doc_id, request.passage)
        like = Hit(None, 1.0, passage, article.document)
        with clock.stage("dense"):
            # Deeper by what is left out, which is among the nearest.
            depth = DEPTH + len(article.passages)
            found = self.store.dense(self.store.vector(passage), depth, request.filters())
        same = duplicate_key(like.text)
        pool = [
            each for each in found if each.passage.doc_id != passage.doc_id and each.duplicate_key != same
        ][:DEPTH]
        return self._page(request, pool, clock, language=passage.lang, like=like)

    def matches(self, request: SearchRequest, doc_id: str, named: Passage | None = None) -> SearchResult:
        """Return the passages of an article that a search found, in the article's order, without ranks.

        They are those among the best of the search, or the best that it has of the article where none
        is; the passage that is `named` is one of them wherever in the pool it stands. Lists show the
        whole pool, so every passage that a list led to is a match of its article.
        """
        clock = _Clock()
        language, words = detect(request.query), tokens(request.query)
        pool, degraded = self._pool(request, language, words, clock)
        with clock.stage("fetch"):
            own = [(at, each) for at, each in enumerate(pool) if each.passage.doc_id == doc_id]
            found = [each for at, each in own if at < MATCHES or each.passage == named]
            found = found or [each for _, each in own[:1]]
            found.sort(key=lambda each: each.passage.number)
            hits = self._hits([ResultGroup(each) for each in found], words)
        # What a filter left out is told with the list.
        every_day = replace(request, published_from=None, published_to=None)
        notices = self._notices(every_day, degraded=degraded, left=0)
        return SearchResult(
            request, language, self.generation, len(hits), hits, clock.took(), notices, stages=clock.stages
        )

    def size(self) -> tuple[int, int]:
        """Count the documents and the passages that are searched."""
        return self.store.size()

    def article(self, doc_id: str) -> SplitDocument | None:
        """Return an article whole, with its passages; None where there is none of that id."""
        return self.store.article(doc_id)

    def check_generation(self, asked: str | None) -> None:
        """Raise GenerationChanged where another generation is asked for by name than this one."""
        if asked not in (None, self.generation):
            raise GenerationChanged(str(asked), self.generation)

    def warnings(self) -> list[str]:
        """Return what every answer from this index should say, whatever was asked."""
        return [str(self.damage)] if self.damage else []

    def stats(self) -> dict[str, Any]:
        """Return, as JSON values, what the index holds and how it was made."""
        manifest = self.store.manifest
        years = self.store.years()
        return {
            **{name: getattr(manifest, name) for name in ("generation", "built", "documents", "passages")},
            **{name: getattr(manifest, name) for name in ("languages", "sources")},
            "years": [{"value": year, "count": count} for year, count in years.items()],
            "cut": manifest.cut,
            "failed": len(manifest.failed),
            "model": manifest.settings["model"],
            "searches_by_meaning": self.encoder is not None and not self._failing,
            "warnings": self.warnings(),
        }

    def _passage(self, doc_id: str, number: int) -> tuple[SplitDocument, Passage]:
        article = self.store.article(doc_id)
        for passage in article.passages if article else ():
            if article and passage.number == number:
                return article, passage
        raise NoSuchPassage(f"{doc_id}#{number}")

    def _page(
        self,
        request: SearchRequest | SimilarRequest,
        pool: list[Candidate],
        clock: "_Clock",
        *,
        language: str,
        words: Sequence[Token] = (),
        degraded: bool = False,
        like: Hit | None = None,
    ) -> SearchResult:
        """Return the page of a pool that was asked for; `pool` has the best first."""
        with clock.stage("fetch"):
            labels = self.store.labels([each.passage.doc_id for each in pool])
            filed = [{"lang": each.passage.lang, **labels[each.passage.doc_id]} for each in pool]
            best = pool[:SORTED_BY_DATE] if request.sort == "date" else pool
            # What is folded is decided by relevance, so that another order hides nothing else.
            listed = collapse(best) if request.copies == "fold" else ungrouped(best)
            if request.sort == "date":

                def day(entry: ResultGroup) -> str:
                    return labels[entry.candidate.passage.doc_id]["published"] or ""

                listed.sort(key=day, reverse=True)  # stable: of a day the best first
            page = listed[request.offset : request.offset + request.limit]
            hits = self._hits(page, words)
        notices = self._notices(request, degraded=degraded, left=len(pool) - len(best))
        return SearchResult(
            request,
            language,
            self.generation,
            len(listed),
            tuple(replace(hit, rank=rank) for rank, hit in enumerate(hits, request.offset + 1)),
            clock.took(),
            notices,
            count_facets(filed),
            clock.stages,
            like,
        )

    def _notices(self, request: ListRequest, *, degraded: bool, left: int) -> tuple[Notice, ...]:
        filters, notices = request.filters(), list[Notice]()
        if self.store.damage:
            notices.append(self.store.damage)
        if degraded:
            notices.append(Notice("no_model", "The model failed: passages were found by their words alone."))
        by_date = any(on.column == DATE_COLUMN for on, _ in filters)
        undated = self.store.undated(filters) if by_date else 0
        if undated:
            articles = (
                "1 article without a date was"
                if undated == 1
                else f"{undated:,} articles without a date were"
            )
            notices.append(Notice("undated", f"{articles} left out by the date filter.", undated))
        if left:
            text = f"Only the {SORTED_BY_DATE} most relevant passages are put in order of date."
            notices.append(Notice("dated", text, SORTED_BY_DATE))
        return tuple(notices)

    def _pool(
        self, request: SearchRequest, language: str, words: list[Token], clock: "_Clock"
    ) -> tuple[list[Candidate], bool]:
        """Return every candidate of a question, best first, and whether the model failed."""
        filters = request.filters()
        weights = {"stem": 1.0, "surface": SURFACE_WEIGHT}
        wanted = [WeightedTerm(word.term, word.kind, weights[word.kind]) for word in words]
        vector = None
        if request.mode != "lexical":
            with clock.stage("encode"):
                vector = self._encode(request.query)
            if vector is None and request.mode == "dense":
                raise ModelError("The model failed. Search by words, with mode lexical, or try again later.")
        lexical, dense = list[Candidate](), list[Candidate]()
        if request.mode != "dense":
            with clock.stage("lexical"):
                lexical = self.store.lexical(wanted, DEPTH, filters)
        if vector is None:
            return lexical, request.mode != "lexical"
        with clock.stage("dense"):
            dense = self.store.dense(vector, DEPTH, filters)
        if request.mode == "dense":
            return dense, False
        with clock.stage("fuse"):
            return self._fused(vector, lexical, dense, language), False

    def _encode(self, query: str) -> NDArray[np.float32] | None:
        """Return the vector of a question; None where the model fails."""
        if self._vector_of is None:
            return None
        try:
            vector = self._vector_of(query)
        except Exception:  # whatever it is: words still find something
            log.exception("The model failed to encode a question")
            self._failing = True
            return None
        self._failing = False
        return vector

    def _fused(
        self,
        vector: NDArray[np.float32],
        lexical: Sequence[Candidate],
        dense: Sequence[Candidate],
        language: str,
    ) -> list[Candidate]:
        found = {each.passage.passage_id: each for each in [*lexical, *dense]}
        cosines = {each.passage.passage_id: each.score for each in dense}
        others = [each.passage for each in lexical if each.passage.passage_id not in cosines]
        for passage, cosine in zip(others, self.store.cosines(vector, others), strict=True):
            cosines[passage.passage_id] = cosine
        fused = fuse(
            cosines,
            {each.passage.passage_id: each.score for each in lexical},
            {key for key, each in found.items() if each.passage.lang in (language, MIXED)},
        )
        # Stable: where copies share a score, the order is fusion's.
        ranked = sorted(fused.items(), key=lambda each: -each[1])
        return [replace(found[key], score=score) for key, score in ranked]

    def _hits(self, page: Sequence[ResultGroup], words: Sequence[Token]) -> tuple[Hit, ...]:
        """Return entries as hits that have no rank yet, each with its document."""
        folded = [each for entry in page for each in (entry, *entry.more)]
        named = [each for entry in folded for each in (entry.candidate, *entry.also_in)]
        documents = self.store.documents([each.passage.doc_id for each in named])

        def plain(candidate: Candidate) -> Hit:
            passage = candidate.passage
            hit = Hit(None, candidate.score, passage, documents[passage.doc_id])
            return replace(hit, highlights=find_highlights(hit.text, words))

        def whole(entry: ResultGroup) -> Hit:
            also_in = tuple(plain(each) for each in entry.also_in)
            more = tuple(whole(each) for each in entry.more)
            return replace(plain(entry.candidate), also_in=also_in, more=more)

        return tuple(whole(entry) for entry in page)


def _encode_query(encoder: Encoder, query: str) -> NDArray[np.float32]:
    return encoder.encode_queries([query])[0]  # type: ignore[no-any-return]


class _Clock:
    """What a search takes, whole and by stage, in milliseconds."""

    def __init__(self) -> None:
        self.stages: dict[str, float] = {}
        self._started = perf_counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = perf_counter()
        try:
            yield
        finally:
            self.stages[name] = round((perf_counter() - started) * 1_000, 3)

    def took(self) -> float:
        return round((perf_counter() - self._started) * 1_000, 1)
