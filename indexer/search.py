"""The read side: one question to one page of ranked passages, each with what proves it."""

from pathlib import Path
from time import perf_counter

from .datatypes import Article, Hit, SearchRequest, SearchResult
from .errors import GenerationChanged, IndexUnusable
from .models.encoder import Encoder, find_model, model_name
from .ranking.fusion import DEPTH, fuse
from .store.base import Candidate, Filters, Store
from .store.embedded import EmbeddedStore
from .store.generation import IndexFolder, Manifest
from .text.analysis import terms
from .text.language import detect


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
        pool = self._pool(request, language)
        page = pool[request.offset : request.offset + request.limit]
        documents = self.store.documents([each.passage.doc_id for each in page])
        hits = tuple(
            Hit(rank, each.score, each.passage, documents[each.passage.doc_id])
            for rank, each in enumerate(page, request.offset + 1)
        )
        took = (perf_counter() - started) * 1_000
        return SearchResult(request, language, self.generation, len(pool), hits, round(took, 1))

    def size(self) -> tuple[int, int]:
        """Count the documents and the passages that are searched."""
        return self.store.size()

    def article(self, doc_id: str) -> Article | None:
        """Return an article whole, with its passages; None where there is none of that id."""
        return self.store.article(doc_id)

    def _pool(self, request: SearchRequest, language: str) -> list[Candidate]:
        """Return every candidate of a question, best first."""
        filters = Filters(lang=request.lang)
        if request.mode == "lexical":
            return self.store.lexical(terms(request.query), DEPTH, filters)
        vector = self.encoder.encode_queries([request.query])[0]
        dense = self.store.dense(vector, DEPTH, filters)
        if request.mode != "hybrid":
            return dense
        lexical = self.store.lexical(terms(request.query), DEPTH, filters)
        found = {each.passage.passage_id: each.passage for each in dense}
        others = [each.passage for each in lexical if each.passage.passage_id not in found]
        found |= {passage.passage_id: passage for passage in others}
        scores = {each.passage.passage_id: each.score for each in dense}
        cosines = self.store.cosines(vector, others)
        scores |= {passage.passage_id: score for passage, score in zip(others, cosines, strict=True)}
        fused = fuse(
            scores,
            {each.passage.passage_id: each.score for each in lexical},
            {key for key, passage in found.items() if passage.lang == language},
        )
        return sorted(
            (Candidate(found[key], score) for key, score in fused.items()),
            key=lambda each: -each.score,  # stable: where copies share a score, the order is fusion's
        )


def open_searcher(index: Path, model: str | None = None, encoder: Encoder | None = None) -> Searcher:
    """Open the current generation of an index with the model it was built with.

    `model` refuses an index of any other; `encoder` is used where it is the right one, which saves
    loading it again. Raises NoIndex, IndexUnusable and ModelError.
    """
    store = EmbeddedStore.open(IndexFolder(index))
    try:
        return Searcher(store, _encoder_for(store.manifest, index, model, encoder))
    except BaseException:
        store.close()
        raise


def _encoder_for(manifest: Manifest, index: Path, model: str | None, encoder: Encoder | None) -> Encoder:
    built = manifest.settings
    remedy = f"warraq build --rebuild --index {index}"
    if model is not None and model_name(model) != built["model"]:
        raise IndexUnusable(
            f"The index in {index} was built with the model {built['model']}; this run asks for {model}. "
            f"Run: {remedy} --model {model}"
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
    return IndexFolder(index).manifest()
