"""The searcher: from a request to one page of ranked passages, each with its provenance."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from indexer.datatypes import (
    Answer,
    ArticleEntry,
    BrowseResult,
    Candidate,
    Example,
    Hit,
    Notice,
    Passage,
    SearchResult,
    SourceFacts,
    SplitDocument,
    Suggestion,
)
from indexer.embedding.bundled.model import WEIGHTS_SHA256
from indexer.embedding.encoder import Encoder
from indexer.errors import GenerationChanged, ModelError, NoSuchPassage, RequestError
from indexer.query import parse
from indexer.request import (
    DATE_COLUMN,
    BrowseRequest,
    Clause,
    Filters,
    ParsedQuery,
    SearchRequest,
    SimilarRequest,
    has_word,
)
from indexer.retrieval.answer import SURE, best_sentence, shares
from indexer.retrieval.clock import Clock
from indexer.retrieval.duplicates import ResultGroup, collapse, ungrouped
from indexer.retrieval.facets import count_facets
from indexer.retrieval.fusion import DEPTH, FEW_WORDS
from indexer.retrieval.highlight import find_highlights
from indexer.retrieval.mask import mask_of
from indexer.retrieval.offers import PIECES_OF_QUESTION, offers
from indexer.retrieval.ranking import by_meaning, by_meaning_and_words, by_words
from indexer.retrieval.silence import Judgement, Outside, all_found, judge
from indexer.retrieval.suggestions import suggest
from indexer.retrieval.words import QueryWords, plain_words, rarity, spelled_words
from indexer.store.reader import GenerationReader
from indexer.store.schema import duplicate_key
from indexer.text.analysis import Token, telling_words, tokens
from indexer.text.language import detect

log = logging.getLogger(__name__)

_NO_SUCH: dict[str, tuple[Any, str]] = {
    "lang": ("no_such_lang", "No passage is in the language {}."),
    "source": ("no_such_source", "No article is of the source {}."),
    "author": ("no_such_author", "No article is by {}."),
}
CACHED_QUERIES = 256  # queries whose vectors are remembered
NO_DATES = "None of these articles has a known date, so the most relevant come first."
NO_WORD = "The question has no word to look for. Type a few words, in Arabic or English."
SORTED_BY_DATE = 100  # best passages that are sorted by date; the other candidates say little about the query
SUGGESTIONS = 8
MATCHES = 40  # best passages of a search; those of an article among them are its matches


class _Query(NamedTuple):
    """A query as it is searched: what it says, which passages it may find, its language and its words."""

    parsed: ParsedQuery
    filters: Filters
    language: str
    words: QueryWords

    @property
    def is_stated(self) -> bool:
        """Whether all of its words are operators, so that each passage that passes the filters has them."""
        words = {token.term for token in self.words.tokens}
        stated = {token.term for operator in self.parsed.operators for token in tokens(operator.text)}
        return words <= stated


class _Pool(NamedTuple):
    """All candidates of a query, best first."""

    candidates: list[Candidate]
    outside: Outside | None
    """What passages outside can have; None where there are none."""
    degraded: bool = False
    """Whether the model failed."""


class Searcher:
    """Search one generation with one model. Safe to share between threads.

    >>> with open_searcher("index") as searcher:
    ...     similar = searcher.similar(SimilarRequest("talks.txt", 1))
    ...     searcher.size(), searcher.article("talks.txt").document.title, similar.like.source.passage
    ((2, 4), 'Talks in Geneva', 1)

    Without a model (`encoder` is None), or while the model fails, passages are found by their words alone,
    and a notice in the result says so.
    """

    def __init__(self, store: GenerationReader, encoder: Encoder | None) -> None:
        self.store, self.encoder = store, encoder
        self._failing = False  # whether the model failed to encode the last query
        # The result pages of a query and its articles encode the same query again. The cache refers to the
        # encoder only: a reference to the Searcher would keep the files open until garbage is collected.
        self._vector_of = lru_cache(CACHED_QUERIES)(partial(_encode_query, encoder)) if encoder else None

    @property
    def generation(self) -> str:
        """The name of the generation that is searched."""
        return self.store.generation

    @property
    def built(self) -> datetime:
        """The time when that generation was built, in UTC."""
        return datetime.fromisoformat(self.store.manifest.built)

    @property
    def archive(self) -> Path:
        """The folder of the articles when the index was built."""
        return self.store.archive

    @property
    def field_names(self) -> Mapping[str, str]:
        """The names of record fields that the user named for this archive."""
        fields: Mapping[str, str] = self.store.fields
        return fields

    @property
    def damage(self) -> Notice | None:
        """The notice that the index is damaged, so that an older generation is searched; otherwise None."""
        return self.store.damage

    @property
    def has_model(self) -> bool:
        """Whether queries can be encoded; without a model, passages are found by words alone."""
        return self.encoder is not None

    def close(self) -> None:
        """Close the files of the index; the searcher cannot be used afterwards."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def search(self, query: str | SearchRequest, **options: Any) -> SearchResult:
        """Rank the passages that answer a query and return the requested page.

        `options` are the fields of a SearchRequest: limit, offset, lang, source, author, published_from,
        published_to, mode, sort, copies. Each retriever gives its best candidates among the passages that
        pass the filters. All result pages are cut from the union of these candidates, which is collapsed
        unless the request says otherwise. Raises RequestError.
        """
        request = SearchRequest(query, **options) if isinstance(query, str) else query
        clock = Clock()
        self.check_generation(request.generation)
        understood = self._understood(request)
        pool = self._pool(request, understood, clock)
        judgement = self._judge(pool, understood)
        result = self._page(
            request,
            understood.filters,
            pool.candidates,
            judgement,
            clock,
            language=understood.language,
            words=understood.words if request.highlight else None,
            degraded=pool.degraded,
        )
        no_word = () if has_word(understood.parsed.text) else (Notice("no_word", NO_WORD),)
        return replace(
            result,
            warnings=(*result.warnings, *no_word),
            answerable=judgement.answerable,
            parsed=understood.parsed,
            spellings=understood.words.spellings,
            offers=offers(request.query, understood.parsed, self.store, self.pieces),
        )

    def similar(self, request: SimilarRequest) -> SearchResult:
        """Rank the passages of other articles by their similarity to a passage.

        Passages with exactly the same words are left out. Raises NoSuchPassage.
        """
        clock = Clock()
        self.check_generation(request.generation)
        article, passage = self._passage(request.doc_id, request.passage)
        like = Hit(None, 1.0, passage, article.document)
        with clock.stage("dense"):
            # Ask for more, because the passages of this article, which are left out, are among the nearest.
            depth = DEPTH + len(article.passages)
            nearest = self.store.dense(self.store.vector(passage), depth, request.filters())
        outside = Outside(nearest[-1].score, 0.0) if len(nearest) == depth else None
        same_words = duplicate_key(like.text)
        candidates = [
            candidate
            for candidate in nearest
            if candidate.passage.doc_id != passage.doc_id and candidate.duplicate_key != same_words
        ][:DEPTH]
        judgement = all_found(candidates, outside)
        return self._page(
            request, request.filters(), candidates, judgement, clock, language=passage.lang, like=like
        )

    def matches(self, request: SearchRequest, doc_id: str, named: Passage | None = None) -> SearchResult:
        """Return the passages of an article that a search found, in the article's order, without ranks.

        These are the passages of the article among the best `MATCHES` candidates of the search or, without
        one, its best candidate. The passage `named` is added wherever it stands among the candidates, so that
        every passage to which a result list leads is a match of its article.
        """
        clock = Clock()
        query = self._understood(request)
        candidates, _, degraded = self._pool(request, query, clock)
        with clock.stage("fetch"):
            of_article = [
                (place, candidate)
                for place, candidate in enumerate(candidates)
                if candidate.passage.doc_id == doc_id
            ]
            matches = [
                candidate for place, candidate in of_article if place < MATCHES or candidate.passage == named
            ]
            matches = matches or [candidate for _, candidate in of_article[:1]]
            matches.sort(key=lambda candidate: candidate.passage.number)
            hits = self._hits([ResultGroup(candidate) for candidate in matches], query.words)
        # The result list already has the notice about articles that a date filter leaves out.
        notices = self._notices((), degraded=degraded, left_out=0, undated=0)
        return SearchResult(
            request,
            query.language,
            self.generation,
            len(hits),
            hits,
            clock.took(),
            notices,
            stages=clock.stages,
            listed=len(hits),
        )

    def judge(self, query: str, without: Collection[str] = ()) -> Judgement:
        """Return what the candidates for a query are worth, leaving out those of some articles."""
        request = SearchRequest(query)
        understood = self._understood(request)
        pool = self._pool(request, understood, Clock())
        kept = [each for each in pool.candidates if each.passage.doc_id not in without]
        return self._judge(pool._replace(candidates=kept), understood)

    def best_sentence(self, query: str, doc_id: str, number: int) -> Answer | None:
        """Return the sentence of a passage that answers a query best, however unsure; None if single.

        Raises NoSuchPassage, and ModelError where the model fails.
        """
        article, passage = self._passage(doc_id, number)
        query = parse(query).text
        vector = self._encode(query)
        if vector is None:
            raise ModelError("The model failed. Try again later.")
        text = article.document.text[passage.start : passage.end]
        sentences = self.store.sentences_of(vector, passage)
        return best_sentence(text, article.document.title, sentences, self._information(tokens(query)))

    def size(self) -> tuple[int, int]:
        """Count the documents and the passages that are searched."""
        return self.store.size()

    def article(self, doc_id: str) -> SplitDocument | None:
        """Return an article with all its passages; None where the index does not hold it."""
        return self.store.article(doc_id)

    def sources(self) -> list[str]:
        """Return the sources of the articles, that of the most articles first."""
        return [source for source in self.store.manifest.sources if source]

    def browse(self, request: BrowseRequest) -> BrowseResult:
        """Return a page of the articles that pass the filters, in any order but that of a query.

        Raises RequestError.
        """
        self.check_generation(request.generation)
        articles, cursor = self.store.catalogue.page(request)
        facets, months = self.store.catalogue.facets(request)
        total = sum(count.count for count in facets["lang"])
        undated = self.store.catalogue.undated(request)
        notices = self._notices(request.filters(), degraded=False, left_out=0, undated=undated)
        return BrowseResult(request, self.generation, total, tuple(articles), cursor, facets, months, notices)

    def entries(self, request: BrowseRequest) -> list[ArticleEntry]:
        """Return the articles of a page of `browse` alone, without counting what the list divides into."""
        return self.store.catalogue.page(request)[0]

    def source_facts(self) -> list[SourceFacts]:
        """Return all sources with their articles and their days, in alphabetical order."""
        return self.store.catalogue.sources()

    def neighbours(self, doc_id: str) -> tuple[ArticleEntry | None, ArticleEntry | None]:
        """Return the next newer and the next older article of an article's source."""
        return self.store.catalogue.neighbours(doc_id)

    def suggest(self, typed: str, limit: int = SUGGESTIONS) -> list[Suggestion]:
        """Return completions of a question that is being typed, from the words and names of the archive."""
        return suggest(SearchRequest(typed).query, self.store, limit)

    def examples(self) -> list[Example]:
        """Return questions that the archive answers, three in each of its languages at most."""
        return [Example(**example) for example in self.store.manifest.examples]

    def check_generation(self, generation: str | None) -> None:
        """Raise GenerationChanged where a request names a generation other than this one."""
        if generation not in (None, self.generation):
            raise GenerationChanged(str(generation), self.generation)

    def warnings(self) -> list[str]:
        """Return the warnings that every answer from this index carries."""
        return [str(self.damage)] if self.damage else []

    def stats(self) -> dict[str, Any]:
        """Return, as JSON values, the content of the index and its model."""
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
        if article:
            for passage in article.passages:
                if passage.number == number:
                    return article, passage
        raise NoSuchPassage(f"{doc_id}#{number}")

    def _page(
        self,
        request: SearchRequest | SimilarRequest,
        filters: Filters,
        candidates: list[Candidate],
        judgement: Judgement,
        clock: Clock,
        *,
        language: str,
        words: QueryWords | None = None,
        degraded: bool = False,
        like: Hit | None = None,
    ) -> SearchResult:
        """Return the requested page of a list of candidates, which has the best first."""
        with clock.stage("fetch"):
            labels = self.store.labels([candidate.passage.doc_id for candidate in candidates])
            best = candidates[:SORTED_BY_DATE] if request.sort == "date" else candidates
            group_together = collapse if request.copies == "fold" else ungrouped
            found = {each.row for each in candidates if each.passage.passage_id in judgement.found}
            places = {each.row: place for place, each in enumerate(candidates)}

            def is_found(group: ResultGroup) -> bool:
                return group.candidate.row in found

            def day(group: ResultGroup) -> str:
                return labels[group.candidate.passage.doc_id]["published"] or ""

            def count(of_value: Sequence[Candidate]) -> int:
                return len(group_together([each for each in of_value if each.row in found]))

            # Collapse before sorting by date, so that both orders list the same passages. What is found
            # stands for an article, so that its number does not depend on the order.
            found_first = sorted(best, key=lambda each: each.row not in found)
            listed = sorted(group_together(found_first), key=lambda group: places[group.candidate.row])
            if request.sort == "date":
                # What is near by chance alone comes last. Stable: passages of one day stay in the order of
                # relevance.
                listed.sort(key=day, reverse=True)
                listed.sort(key=is_found, reverse=True)
            any_dated = request.sort != "date" or any(map(day, listed))
            page = listed[request.offset : request.offset + request.limit]
            hits = self._hits(page, words)
            facets = count_facets(
                best, lambda each: {"lang": each.passage.lang, **labels[each.passage.doc_id]}, count
            )
        notices = self._notices(
            filters,
            degraded=degraded,
            left_out=len(candidates) - len(best),
            undated=self.store.undated(filters) if _is_by_date(filters) else 0,
        )
        if listed and not any_dated:
            notices += (Notice("no_dates", NO_DATES),)
        return SearchResult(
            request,
            language,
            self.generation,
            sum(map(is_found, listed)),
            tuple(
                replace(hit, rank=rank, found=is_found(group))
                for rank, (hit, group) in enumerate(zip(hits, page, strict=True), request.offset + 1)
            ),
            clock.took(),
            notices,
            facets,
            clock.stages,
            like=like,
            listed=len(listed),
            complete=judgement.complete and len(best) == len(candidates),
        )

    def _notices(
        self, filters: Filters, *, degraded: bool, left_out: int, undated: int
    ) -> tuple[Notice, ...]:
        notices = list[Notice]()
        if self.store.damage:
            notices.append(self.store.damage)
        if degraded:
            notices.append(Notice("no_model", "The model failed: passages were found by their words alone."))
        notices += self._unknown_values(filters)
        if undated:
            articles = (
                "1 article without a date was"
                if undated == 1
                else f"{undated:,} articles without a date were"
            )
            notices.append(Notice("undated", f"{articles} left out by the date filter.", undated))
        if left_out:
            text = f"Only the {SORTED_BY_DATE} most relevant passages are put in order of date."
            notices.append(Notice("dated", text, SORTED_BY_DATE))
        return tuple(notices)

    def _understood(self, request: SearchRequest) -> _Query:
        """Return the query of a request, understood. Raises RequestError."""
        parsed = parse(request.query)
        if parsed.operators and not has_word(parsed.text):
            raise RequestError(
                "nothing_asked",
                "The question only says what to leave out or where to look. Add a word that is looked for.",
            )
        asked = tokens(parsed.text)
        words = (
            spelled_words(asked, self.store, self.pieces)
            if request.names == "on"
            else plain_words(asked, self.store)
        )
        return _Query(parsed, mask_of(request, parsed, self.store), detect(parsed.text), words)

    def _judge(self, pool: _Pool, query: _Query) -> Judgement:
        """Return what the candidates are worth; models with cosines on another scale are not judged."""
        candidates, outside, degraded = pool
        if query.parsed.operators and candidates and query.is_stated:
            return all_found(candidates, outside, "yes")
        settings = self.store.manifest.settings
        if degraded or settings["weights"] != WEIGHTS_SHA256 or not settings["language_neutral"]["used"]:
            return all_found(candidates, outside)
        few_words = len(telling_words(query.words.tokens)) <= FEW_WORDS
        return judge(candidates, outside, query.language, few_words=few_words)

    def _unknown_values(self, filters: Filters) -> list[Notice]:
        """Return a notice for each language, source and author that no article of the archive has."""
        notices = []
        for each in filters:
            if isinstance(each, Clause):
                if not each.any_of:
                    notices.append(
                        Notice("no_such_name", "No article has a source or an author of that name.")
                    )
            elif each.filter.comparison == "equal" and not self.store.has_value(each):
                code, text = _NO_SUCH[each.filter.field]
                notices.append(Notice(code, text.format(each.value), value=each.value))
        return notices

    def _pool(self, request: SearchRequest, query: _Query, clock: Clock) -> _Pool:
        """Return all candidates for a query."""
        words, filters = query.words, query.filters
        if not has_word(query.parsed.text):
            return _Pool([], None)  # signs alone are near to nothing
        vector = None
        if request.mode != "lexical":
            with clock.stage("encode"):
                vector = self._encode(query.parsed.text)
            if vector is None and request.mode == "dense":
                raise ModelError("The model failed. Search by words, with mode lexical, or try again later.")
        lexical, dense = list[Candidate](), list[Candidate]()
        if request.mode != "dense":
            with clock.stage("lexical"):
                lexical = self.store.lexical(words.terms, DEPTH, filters)
        words_outside = lexical[-1].score / words.information if len(lexical) == DEPTH else 0.0
        if vector is None:
            outside = Outside(0.0, words_outside) if words_outside else None
            return _Pool(by_words(lexical, words), outside, request.mode != "lexical")
        with clock.stage("dense"):
            dense = self.store.dense(vector, DEPTH, filters)
        outside = Outside(dense[-1].score, words_outside) if len(dense) == DEPTH else None
        with clock.stage("sentences"):
            candidates = by_meaning(self.store, vector, lexical, dense)
        if request.mode == "dense":
            return _Pool(candidates, outside)
        with clock.stage("fuse"):
            return _Pool(by_meaning_and_words(candidates, lexical, words, query.language), outside)

    def pieces(self, word: str) -> int:
        """Count the pieces of the vocabulary that make up a word; without a model, those of a strange one."""
        if self.encoder is None:
            return PIECES_OF_QUESTION
        return self.encoder.count_tokens(word) - self.encoder.count_tokens("") + 1

    def _encode(self, query: str) -> NDArray[np.float32] | None:
        """Return the vector of a query; None where the model fails."""
        if self._vector_of is None:
            return None
        try:
            vector = self._vector_of(query)
        except Exception:  # after any error of a model, the lexical retriever still finds passages
            log.exception("The model failed to encode a question")
            self._failing = True
            return None
        self._failing = False
        return vector

    def _information(self, words: Sequence[Token]) -> dict[str, float]:
        """Return, by stem, the share of the words' information that it carries."""
        stems = dict.fromkeys(word.term for word in words if word.kind == "stem")
        return shares({stem: rarity(self.store, self.store.count("stem", stem)) for stem in stems})

    def _hits(self, page: Sequence[ResultGroup], words: QueryWords | None) -> tuple[Hit, ...]:
        """Return groups as hits without a rank, each with its document; `words` are marked in them."""
        marked = words.marked() if words else []
        information = self._information(marked)
        groups = [member for group in page for member in (group, *group.more)]
        candidates = [candidate for group in groups for candidate in (group.candidate, *group.also_in)]
        documents = self.store.documents([candidate.passage.doc_id for candidate in candidates])
        highlights = cache(partial(find_highlights, query=marked))  # many passages may have the same text

        def single_hit(candidate: Candidate) -> Hit:
            passage = candidate.passage
            explanation = candidate.explanation
            hit = Hit(None, candidate.score, passage, documents[passage.doc_id], explanation=explanation)
            if words is None:
                return hit
            answer = best_sentence(hit.text, hit.document.title, candidate.sentences, information)
            if explanation:
                explanation = replace(explanation, spellings=words.found_in(hit.text))
            return replace(
                hit,
                highlights=highlights(hit.text),
                answer=answer if answer and answer.confidence >= SURE else None,
                explanation=explanation,
            )

        def group_hit(group: ResultGroup) -> Hit:
            also_in = tuple(single_hit(candidate) for candidate in group.also_in)
            more = tuple(group_hit(member) for member in group.more)
            return replace(single_hit(group.candidate), also_in=also_in, more=more)

        return tuple(group_hit(group) for group in page)


def _is_by_date(filters: Filters) -> bool:
    return any(not isinstance(each, Clause) and each.filter.column == DATE_COLUMN for each in filters)


def _encode_query(encoder: Encoder, query: str) -> NDArray[np.float32]:
    return encoder.encode_queries([query])[0]  # type: ignore[no-any-return]
