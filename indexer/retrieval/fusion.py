"""Fusion: how meaning and words become one order, and the options of the ranking.

Meaning alone decides how languages mix: BM25 only ever finds the query's own language, so summing both
scores, or adding up ranks, buries the answers in the other language. Words re-order the passages of the
query's language among themselves: sorted by meaning plus the share of the query's information that their
words cover, they are handed the same scores of meaning they had, best first. No passage of one language can
therefore move against one of another.

A query of one or two telling words is a name, a place, a number: there the words are the question, and they
count in every language.

The weights were chosen by nDCG@10 of XQuAD's dev questions. The best sentence, with titles no longer in the
text, took Arabic questions over English passages from 0.841 to 0.876 and English ones over Arabic from 0.888
to 0.913. With a least weight of words of 0.15, 0.2 and 0.25: Arabic to Arabic 0.972, 0.973 and 0.974; Arabic
questions where half of the passages are Arabic 0.877, 0.877 and 0.876.
"""

from collections.abc import Collection, Mapping

DEPTH = 200  # best passages of each retriever; the candidates of a search are their union
SENTENCE_WEIGHT = 0.5  # of a passage's best sentence, against the passage as a whole
LITERAL_WEIGHT = 0.008  # of the BM25 score, added to the score of a passage in another language
FEW_WORDS = 2  # telling words of a query that is a name, a place or a number
WORDS_WEIGHT = 0.2  # of the covered share of a long query's information
FEW_WORDS_WEIGHT = 0.6  # the same of a query of few words


def words_weight(telling_words: int) -> float:
    """Return the weight of the covered share of a query's information, by its number of telling words."""
    share = min(1.0, (FEW_WORDS / telling_words) ** 2) if telling_words else 1.0
    return WORDS_WEIGHT + (FEW_WORDS_WEIGHT - WORDS_WEIGHT) * share


def fuse(
    meaning: Mapping[str, float],
    coverage: Mapping[str, float],
    of_question_language: Collection[str],
    weight: float,
    *,
    everywhere: bool = False,
    literal: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """Return the final score of every candidate, those of the query's language first.

    `meaning` has a score for each candidate; `coverage` has, for those with words of the query, the share of
    its information that they cover, and `literal` what such words are worth in another language.
    `of_question_language` names the candidates of the query's language. `everywhere` counts words alike in
    all languages.
    """
    sums = {key: score + weight * coverage.get(key, 0.0) for key, score in meaning.items()}
    if everywhere:
        return sums
    same_language = [key for key in meaning if key in of_question_language]
    order = sorted(same_language, key=lambda key: -sums[key])  # stable: ties keep the order of `meaning`
    scores_in_order = sorted((meaning[key] for key in same_language), reverse=True)
    reordered = dict(zip(order, scores_in_order, strict=True))
    # A term that matches in another language matches literally: a name, a number, a foreign word.
    lifted = literal or {}
    return reordered | {
        key: score + lifted.get(key, 0.0) for key, score in meaning.items() if key not in reordered
    }
