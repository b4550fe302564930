"""Example questions: titles of the archive that a sentence of their article answers."""

from collections.abc import Iterator

import numpy as np

from indexer.datatypes import Example
from indexer.embedding.language_neutral import NeutralSpace
from indexer.store.sentence_vectors import cosines, unpack_ranges
from indexer.store.vector_cache import VectorCache
from indexer.store.writer import GenerationWriter

LANGUAGES = ("ar", "en")
EXAMPLES = 3  # in each language
TRIED = 100  # articles in each language, the same ones of the same archive
LONGEST_SENTENCE = 280  # code points
# Less is another subject; more is the title once again.
LEAST, MOST = 0.5, 0.95


def choose_examples(
    writer: GenerationWriter, cache: VectorCache, space: NeutralSpace | None
) -> list[Example]:
    """Return titles with the sentence nearest to each, the nearest pairs first; one of a source if it can be.

    Needs the vectors of the sentences.
    """
    chosen = list[Example]()
    for lang in LANGUAGES:
        pairs = sorted(_pairs(writer, cache, space, lang), key=lambda pair: (-pair[0], pair[2].question))
        of_sources = list({source: example for _, source, example in reversed(pairs)}.values())
        others = [example for _, _, example in pairs if example not in of_sources]
        chosen += [*reversed(of_sources), *others][:EXAMPLES]
    return chosen


def _pairs(
    writer: GenerationWriter, cache: VectorCache, space: NeutralSpace | None, lang: str
) -> Iterator[tuple[float, str, Example]]:
    passages = writer.titled_passages(lang, TRIED)
    titles = cache.known([passage.title_key for passage in passages])
    for passage in passages:
        if passage.title_key not in titles:
            continue
        vector = titles[passage.title_key]
        if space:
            (vector,) = space.apply(vector[None, :], "passage")
        near = cosines(passage.vectors, vector)
        best = int(np.argmax(near))
        start, end = unpack_ranges(passage.ranges)[best]
        if LEAST <= near[best] <= MOST and end - start <= LONGEST_SENTENCE:
            sentence = " ".join(passage.text[start:end].split())
            yield float(near[best]), passage.source, Example(lang, passage.title, sentence, passage.doc_id)
