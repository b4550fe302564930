"""How the dense and the lexical leg become one order, and the options that decide it.

The dense leg alone decides how languages mix: BM25 only ever finds the question's own language, so
summing both legs, or adding up their ranks, buries the answers in the other one. The lexical leg
re-orders the passages of the question's language among themselves: sorted by a weighted sum of
both scores, standardised among them, they are handed the same dense scores they had, best first.
No passage of one language can therefore move against one of another.

Where passages of both languages are in one pool, one language a passage (XQuAD, half of the passages
Arabic; Arabic / English questions), other fusions lose what a neutral dense leg has: dense alone 0.827 /
0.913, as here 0.834 / 0.906, a weighted sum of standardised scores 0.748 / 0.847, reciprocal rank fusion
0.594 / 0.624.

The weights were chosen by the mean of twelve directions on the dev questions (XQuAD in one pool and
one-sided, ARCD: nDCG@10; FLORES headlines: MRR@10): dense alone 0.887; lexical weight 0.1 to 0.5: 0.895,
0.898, 0.900, 0.900, 0.899; with second stems and surfaces at 0.15, 0.3 and 0.5: 0.902 each; then a
literal weight of 0.005, 0.008 and 0.015: 0.9027, 0.9030, 0.9016.
"""

from collections.abc import Collection, Mapping
from statistics import fmean, pstdev

DEPTH = 200  # best passages of each leg; the pool of a search is their union
LEXICAL_WEIGHT = 0.3  # of the lexical score against the dense one, both standardised
SURFACE_WEIGHT = 0.3  # of a word as it stands, beside 1 for its stem: an exact match outranks a stemmed one
LITERAL_WEIGHT = 0.008  # of the lexical score, added to the cosine of a passage in another language


def fuse(
    dense: Mapping[str, float],
    lexical: Mapping[str, float],
    of_question_language: Collection[str],
    lexical_weight: float = LEXICAL_WEIGHT,
    literal_weight: float = LITERAL_WEIGHT,
) -> dict[str, float]:
    """Return the final score of every passage of the pool, those of the question's language first.

    `dense` has a score for each passage of the pool, `lexical` for those that the leg found;
    `of_question_language` names the passages of the question's language.
    """
    moving = [key for key in dense if key in of_question_language]
    terms = _standardise([lexical.get(key, 0.0) for key in moving])
    meaning = _standardise([dense[key] for key in moving])
    strength = {
        key: lexical_weight * term + (1 - lexical_weight) * sense
        for key, term, sense in zip(moving, terms, meaning, strict=True)
    }
    order = sorted(moving, key=lambda key: -strength[key])  # stable: ties keep the order of `dense`
    places = sorted((dense[key] for key in moving), reverse=True)
    moved = dict(zip(order, places, strict=True))
    # What matches in the other language matches letter by letter: a name, a number, a foreign word.
    others = {
        key: score + literal_weight * lexical.get(key, 0.0)
        for key, score in dense.items()
        if key not in moved
    }
    return moved | others


def _standardise(scores: list[float]) -> list[float]:
    """Return scores with mean 0 and deviation 1; all 0 where they do not differ."""
    if not scores:
        return []
    mean, deviation = fmean(scores), pstdev(scores)
    return [(score - mean) / deviation if deviation else 0.0 for score in scores]
