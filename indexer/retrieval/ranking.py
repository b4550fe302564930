"""Ranking: from the candidates of both retrievers to one list, each candidate with why it has its place."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from indexer.datatypes import Candidate, Explanation, Order
from indexer.retrieval.fusion import FEW_WORDS, LITERAL_WEIGHT, SENTENCE_WEIGHT, fuse, words_weight
from indexer.retrieval.words import QueryWords
from indexer.store.reader import GenerationReader
from indexer.text.analysis import telling_words
from indexer.text.language import MIXED, UNDETERMINED


def by_words(lexical: Sequence[Candidate], query: QueryWords) -> list[Candidate]:
    """Return the candidates of the lexical retriever, which are in order, with their explanations."""
    return [
        replace(each, explanation=Explanation("words", words=each.score / query.information))
        for each in lexical
    ]


def by_meaning(
    store: GenerationReader,
    vector: NDArray[np.float32],
    lexical: Sequence[Candidate],
    dense: Sequence[Candidate],
) -> list[Candidate]:
    """Return the union of both retrievers' candidates by meaning, the best first.

    The meaning of a candidate is its own cosine with the query's vector (d,) and that of its best sentence.
    """
    rows = {candidate.row for candidate in dense}
    only_lexical = [candidate for candidate in lexical if candidate.row not in rows]
    cosines = store.cosines(vector, [candidate.passage for candidate in only_lexical])
    union = [
        *dense,
        *(replace(each, score=cosine) for each, cosine in zip(only_lexical, cosines, strict=True)),
    ]
    of_sentences = store.sentence_cosines(vector, [candidate.row for candidate in union])
    scored = []
    for candidate in union:
        sentences = of_sentences.get(candidate.row)
        # A passage of one sentence is its own best sentence.
        best = max(sentences.cosines) if sentences else candidate.score
        score = (1 - SENTENCE_WEIGHT) * candidate.score + SENTENCE_WEIGHT * best
        explanation = Explanation("meaning", candidate.score, best if sentences else None)
        scored.append(replace(candidate, score=score, sentences=sentences, explanation=explanation))
    return sorted(scored, key=lambda each: (-each.score, each.passage.doc_id, each.passage.number))


def by_meaning_and_words(
    candidates: Sequence[Candidate], lexical: Sequence[Candidate], query: QueryWords, language: str
) -> list[Candidate]:
    """Return candidates that are in the order of their meaning by meaning and words, the best first.

    `lexical` has those of them that have words of the query, with their BM25 scores; `language` is the
    query's.
    """
    by_id = {candidate.passage.passage_id: candidate for candidate in candidates}
    words = {candidate.passage.passage_id: candidate.score for candidate in lexical}
    coverage = {passage_id: score / query.information for passage_id, score in words.items()}
    telling = len(telling_words(query.tokens))
    everywhere = telling <= FEW_WORDS or language == UNDETERMINED
    of_language = {
        passage_id for passage_id, candidate in by_id.items() if candidate.passage.lang in (language, MIXED)
    }
    fused = fuse(
        {passage_id: candidate.score for passage_id, candidate in by_id.items()},
        coverage,
        of_language,
        words_weight(telling),
        everywhere=everywhere,
        literal={passage_id: LITERAL_WEIGHT * score for passage_id, score in words.items()},
    )

    def explained(passage_id: str) -> Explanation:
        order: Order = "words" if everywhere else "both" if passage_id in of_language else "meaning"
        explanation = by_id[passage_id].explanation or Explanation(order)
        return replace(explanation, order=order, words=coverage.get(passage_id, 0.0))

    # Stable: passages with equal scores keep the order of the fusion.
    ranked = sorted(fused.items(), key=lambda item: -item[1])
    return [
        replace(by_id[passage_id], score=score, explanation=explained(passage_id))
        for passage_id, score in ranked
    ]
