"""The read side: one question to one page of ranked passages, each with what proves it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from .datatypes import Article, Candidate, Hit, SearchRequest, SearchResult
from .errors import GenerationChanged, IndexUnusable
from .models.encoder import Encoder, find_model, model_name
from .models.neutral import NeutralEncoder, NeutralSpace
from .ranking.copies import Entry, fold, list_all
from .ranking.fusion import DEPTH, SURFACE_WEIGHT, fuse
from .ranking.highlight import highlights
from .settings import ANALYSIS_VERSION
from .store.base import Filters, Store, WeightedTerm
from .store.embedded import EmbeddedStore
from .store.generation import IndexFolder
from .store.manifest import Manifest
from .text.analysis import Token, tokens
from .text.language import MIXED, detect


class Searcher:
    """Search one generation with one model. Safe to share between threads."""

    def __init__(self, store: Store, encoder: Encoder) -> None:
        self.store, self.encoder = store, encoder

    @property
    def generation(self) -> str:
        return self.store.generation

    def search(self, request: SearchRequest) -> SearchResult:
        """Rank the passages that answer a question and return the page that was asked for.

        Each leg gives its best passages among those that the filters leave; their union is the
        pool that `total` counts and pages are cut from, whatever page is asked for.
        """
        started = perf_counter()
        if request.generation not in (None, self.generation):
            raise GenerationChanged(str(request.generation), self.generation)
        language = detect(request.query)
        words = tokens(request.query)
        pool = self._pool(request, language, words)
        listed = fold(pool) if request.copies == "fold" else list_all(pool)
        page = listed[request.offset : request.offset + request.limit]
        hits = self._hits(page, request.offset + 1, words if request.highlight else [])
        took = (perf_counter() - started) * 1_000
        return SearchResult(
            request, language, self.generation, len(listed), hits, round(took, 1), self._warnings(request)
        )

    def size(self) -> tuple[int, int]:
        """Count the documents and the passages that are searched."""
        return self.store.size()

    def article(self, doc_id: str) -> Article | None:
        """Return an article whole, with its passages; None where there is none of that id."""
        return self.store.article(doc_id)

    def _warnings(self, request: SearchRequest) -> tuple[str, ...]:
        filters = _filters(request)
        warnings = [self.store.damage] if self.store.damage else []
        undated = self.store.undated(filters) if filters.by_date else 0
        if undated:
            articles = (
                "1 article without a date was"
                if undated == 1
                else f"{undated:,} articles without a date were"
            )
            warnings.append(f"{articles} left out by the date filter.")
        return tuple(warnings)

    def _pool(self, request: SearchRequest, language: str, words: list[Token]) -> list[Candidate]:
        """Return every candidate of a question, best first."""
        filters = _filters(request)
        weights = {"stem": 1.0, "surface": SURFACE_WEIGHT}
        wanted = [WeightedTerm(word.term, word.kind, weights[word.kind]) for word in words]
        if request.mode == "lexical":
            return self.store.lexical(wanted, DEPTH, filters)
        vector = self.encoder.encode_queries([request.query])[0]
        dense = self.store.dense(vector, DEPTH, filters)
        if request.mode == "dense":
            return dense
        lexical = self.store.lexical(wanted, DEPTH, filters)
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

    def _hits(self, page: Sequence[Entry], first: int, words: Sequence[Token]) -> tuple[Hit, ...]:
        """Return a page's entries as hits, ranked from `first`, each with its document."""
        folded = [each for entry in page for each in (entry, *entry.more)]
        named = [each for entry in folded for each in (entry.candidate, *entry.also_in)]
        documents = self.store.documents([each.passage.doc_id for each in named])

        def plain(candidate: Candidate) -> Hit:
            passage = candidate.passage
            hit = Hit(None, candidate.score, passage, documents[passage.doc_id])
            return replace(hit, highlights=highlights(hit.text, words))

        def whole(entry: Entry) -> Hit:
            also_in = tuple(plain(each) for each in entry.also_in)
            more = tuple(whole(each) for each in entry.more)
            return replace(plain(entry.candidate), also_in=also_in, more=more)

        return tuple(replace(whole(entry), rank=rank) for rank, entry in enumerate(page, first))


def _filters(request: SearchRequest) -> Filters:
    return Filters(request.lang, request.source, request.published_from, request.published_to)


def open_searcher(index: Path, model: str | None = None, encoder: Encoder | None = None) -> Searcher:
    """Open the current generation of an index with the model it was built with.

    `model` refuses an index of any other; `encoder` is used where it is the right one, which saves
    loading it again. Raises NoIndex, IndexUnusable and ModelError.
    """
    store = EmbeddedStore.open(IndexFolder(index))
    try:
        base = encoder.base if isinstance(encoder, NeutralEncoder) else encoder
        return Searcher(store, in_space(store, _encoder_for(store.manifest, index, model, base)))
    except BaseException:
        store.close()
        raise


def in_space(store: EmbeddedStore, encoder: Encoder) -> Encoder:
    """Return an encoder whose questions are in the space that a generation's passages are in."""
    path = store.space_path()
    return NeutralEncoder(encoder, NeutralSpace.load(path)) if path else encoder


def _encoder_for(manifest: Manifest, index: Path, model: str | None, encoder: Encoder | None) -> Encoder:
    built = manifest.settings
    remedy = f"warraq build --rebuild --index {index}"
    if model is not None and model_name(model) != built["model"]:
        raise IndexUnusable(
            f"The index in {index} was built with the model {built['model']}; this run asks for {model}. "
            f"Run: {remedy} --model {model}"
        )
    if built["analysis_version"] != ANALYSIS_VERSION:
        raise IndexUnusable(
            f"The index in {index} was built by another version of Warraq, which made other search terms. "
            f"Run: {remedy}"
        )
    if encoder is not None and (encoder.name, encoder.weights) == (built["model"], built["weights"]):
        return encoder
    found = find_model(built["model"])
    if found.weights != built["weights"]:
        raise IndexUnusable(
            f"The index in {index} was built with other weights of the model {built['model']} than are on "
            f"this machine. Run: {remedy}"
        )
    return found.open()


def current_generation(index: Path) -> str | None:
    """Return the name of the generation that a search would open now; None where there is none."""
    return IndexFolder(index).current()


def read_manifest(index: Path) -> Manifest:
    """Return what the current generation holds and was made with; raises NoIndex, IndexUnusable."""
    folder = IndexFolder(index)
    return folder.newest(folder.manifest)[0]
