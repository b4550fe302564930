"""The answer: the sentence of a passage that answers a query, and how sure that is. Pure functions."""

from collections.abc import Mapping

from indexer.datatypes import Answer, SentenceScores
from indexer.text.analysis import tokens

WORDS_WEIGHT = 0.2  # of the share of the query's information that a sentence's words cover
SURE = 0.5  # least confidence of an answer that is marked
# The lead over the second sentence that gives this confidence. Where words decide too, leads are longer.
LEAD, LEAD_WITH_WORDS = 0.038, 0.095
COVERED = 0.3  # share of the query's information from which on words are taken to decide


def best_sentence(
    text: str, title: str, sentences: SentenceScores | None, information: Mapping[str, float]
) -> Answer | None:
    """Return the sentence of a passage that answers best; None where there is only one.

    `information` has the share of the query's information that each of its stems carries. A sentence that is
    the article's title answers nothing.
    """
    if sentences is None:
        return None
    ranges, cosines, covered = [], [], []
    for (start, end), cosine in zip(sentences.ranges, sentences.cosines, strict=True):
        sentence = text[start:end]
        if sentence != title:
            ranges.append((start, end))
            cosines.append(cosine)
            covered.append(_covered(sentence, information))
    if len(ranges) < 2:
        return None
    scores = [cosine + WORDS_WEIGHT * share for cosine, share in zip(cosines, covered, strict=True)]
    second, best = sorted(scores)[-2:]
    start, end = ranges[scores.index(best)]
    enough = LEAD + (LEAD_WITH_WORDS - LEAD) * min(1.0, max(covered) / COVERED)
    return Answer(start, end, round(min(1.0, SURE * (best - second) / enough), 3))


def _covered(text: str, information: Mapping[str, float]) -> float:
    if not information:
        return 0.0
    stems = {token.term for token in tokens(text) if token.kind == "stem"}
    return sum(share for stem, share in information.items() if stem in stems)


def shares(information: Mapping[str, float]) -> dict[str, float]:
    """Return the share of the whole information that each term carries."""
    total = sum(information.values())
    return {term: amount / total for term, amount in information.items()} if total else {}
