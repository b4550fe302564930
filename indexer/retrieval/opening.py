"""Opening an index for search: the served generation, with the model that it was built with."""

from pathlib import Path

from indexer.embedding.encoder import Encoder, find_model, model_name
from indexer.embedding.language_neutral import NeutralEncoder, NeutralSpace
from indexer.errors import IndexUnusable, ModelError
from indexer.retrieval.searcher import Searcher
from indexer.settings import ANALYSIS_VERSION, DEFAULT_INDEX
from indexer.store.folder import IndexFolder
from indexer.store.manifest import Manifest
from indexer.store.reader import GenerationReader


def open_searcher(
    index: str | Path = DEFAULT_INDEX,
    model: str | None = None,
    encoder: Encoder | None = None,
    *,
    without_model: bool = False,
) -> Searcher:
    """Open the served generation of an index with the model that it was built with.

    >>> with open_searcher("index") as searcher:
    ...     hits = searcher.search("Who discussed the grain corridor?", limit=2, lang="en")
    >>> [str(hit.source) for hit in hits]
    ['talks.txt:2', 'talks.txt:3']

    `model` refuses an index that was built with another model. `encoder` is used if it is of the right
    model, which saves loading the model again. `without_model` loads no model, to search by words alone.
    Raises NoIndex, IndexUnusable and ModelError.
    """
    index = Path(index)
    store = GenerationReader.open(IndexFolder(index))
    try:
        if without_model:
            return Searcher(store, None)
        base = encoder.base if isinstance(encoder, NeutralEncoder) else encoder
        try:
            opened = _encoder_for(store.manifest, index, model, base)
        except (OSError, RuntimeError, MemoryError) as error:
            raise ModelError(
                f"The model {store.manifest.settings['model']} cannot be loaded: {error}"
            ) from error
        return Searcher(store, in_space(store, opened))
    except BaseException:
        store.close()
        raise


def in_space(store: GenerationReader, encoder: Encoder) -> Encoder:
    """Return an encoder that maps queries to the space of a generation's vectors."""
    space = store.space(NeutralSpace.load)
    return NeutralEncoder(encoder, space) if space else encoder


def _encoder_for(manifest: Manifest, index: Path, model: str | None, encoder: Encoder | None) -> Encoder:
    settings = manifest.settings
    rebuild = f"warraq build --rebuild --index {index}"
    if model is not None and model_name(model) != settings["model"]:
        raise IndexUnusable(
            f"The index in {index} was built with the model {settings['model']}; this run asks for {model}.",
            remedy=f"{rebuild} --model {model}",
        )
    if settings["analysis_version"] != ANALYSIS_VERSION:
        raise IndexUnusable(
            f"The index in {index} was built by another version of Warraq, which made other search terms.",
            remedy=rebuild,
        )
    if encoder is not None and (encoder.name, encoder.weights) == (
        settings["model"],
        settings["weights"],
    ):
        return encoder
    installed = find_model(settings["model"])
    if installed.weights != settings["weights"]:
        raise IndexUnusable(
            f"The index in {index} was built with other weights of the model {settings['model']} than are on "
            "this machine.",
            remedy=rebuild,
        )
    return installed.open()


def current_generation(index: Path) -> str | None:
    """Return the name of the generation that a search would open now; None where nothing was built."""
    return IndexFolder(index).current()


def read_manifest(index: Path) -> Manifest:
    """Return the manifest of the served generation; raises NoIndex and IndexUnusable."""
    folder = IndexFolder(index)
    return folder.newest(folder.manifest)[0]
