"""Silence: whether a list seems to hold an answer at all. Pure functions.

The evidence is the meaning of the best passage and of its best sentence, with the share of the question's
information that its words cover. In the language-neutral space of the bundled model it means the same in
every archive: of 200 sample questions over each of seven archives the best evidence was 0.43 to 0.47 on
average, so that nothing has to be measured at a build. Passages in another language than the question are
less near to it.

The limits were chosen on questions over archives that they were not written for (docs/quality.md).
"""

from collections.abc import Iterable

from indexer.datatypes import Answerable, Candidate
from indexer.retrieval.fusion import SENTENCE_WEIGHT

WORDS = 0.15  # of the covered share of the question's information
ACROSS = 0.06  # added to a passage in another language
NONE, DOUBTFUL = 0.495, 0.535  # evidence below which nothing seems to answer, or perhaps nothing
FOUND = 0.8  # covered share from which a name, a place or a number is found


def judge(candidates: Iterable[Candidate], language: str, *, few_words: bool) -> Answerable | None:
    """Return whether the candidates for a question seem to answer it; None where there is no evidence.

    `few_words` says that the question is a name, a place or a number: its words are the answer.
    """
    evidence, covered = list[float](), 0.0
    for candidate in candidates:
        why = candidate.explanation
        if why is None or why.passage is None:
            continue
        sentence = why.passage if why.sentence is None else why.sentence
        meaning = (1 - SENTENCE_WEIGHT) * why.passage + SENTENCE_WEIGHT * sentence
        across = ACROSS if candidate.passage.lang != language else 0.0
        evidence.append(meaning + WORDS * min(1.0, why.words) + across)
        covered = max(covered, why.words)
    if not evidence:
        return None
    if few_words and covered >= FOUND:
        return "yes"
    return "no" if max(evidence) < NONE else "unsure" if max(evidence) < DOUBTFUL else "yes"
