"""Silence: whether a list seems to hold an answer at all, and which of its passages count. Pure functions.

The evidence is the meaning of the best passage and of its best sentence, with the share of the question's
information that its words cover. In the language-neutral space of the bundled model it means the same in
every archive: of 200 sample questions over each of seven archives the best evidence was 0.43 to 0.47 on
average, so that nothing has to be measured at a build. Passages in another language than the question are
less near to it.

The limits were chosen on questions over archives that they were not written for (docs/quality.md).
"""

from collections.abc import Sequence
from typing import NamedTuple

from indexer.datatypes import Answerable, Candidate
from indexer.retrieval.fusion import SENTENCE_WEIGHT

WORDS = 0.15  # of the covered share of the question's information
ACROSS = 0.06  # added to a passage in another language
NONE, DOUBTFUL = 0.495, 0.535  # evidence below which nothing seems to answer, or perhaps nothing
FOUND = 0.8  # covered share from which a name, a place or a number is found


class Outside(NamedTuple):
    """The most that a passage outside the candidates can have: its cosine, and its share of the words."""

    meaning: float
    words: float


class Judgement(NamedTuple):
    """What a list of candidates is worth."""

    answerable: Answerable | None
    """Whether it seems to answer; None where that cannot be told."""
    found: frozenset[str]
    """The ids of the passages that are nearer to the question than chance, or all where nothing tells."""
    complete: bool
    """Whether no passage outside the candidates can be nearer than chance."""
    evidence: float = 0.0
    """The best evidence of a passage; 1 where a name, a place or a number is found."""


def judge(
    candidates: Sequence[Candidate], outside: Outside | None, language: str, *, few_words: bool
) -> Judgement:
    """Return what the candidates for a question are worth.

    `outside` is None where no passage is outside them. `few_words` says that the question is a name, a place
    or a number: its words are the answer.
    """
    if not candidates:
        return Judgement("no", frozenset(), True)
    evidence = {each.passage.passage_id: _evidence(each, language) for each in candidates}
    known = [value for value in evidence.values() if value is not None]
    if not known:
        return all_found(candidates, outside)
    literal = {
        each.passage.passage_id
        for each in candidates
        if few_words and each.explanation and each.explanation.words >= FOUND
    }
    near = {passage_id for passage_id, value in evidence.items() if value is not None and value >= NONE}
    best = max(known)
    answerable: Answerable = "yes" if literal or best >= DOUBTFUL else "unsure" if best >= NONE else "no"
    complete = outside is None or not (few_words and outside.words >= FOUND)
    if outside:
        # Beyond the best passages by words, how many words a passage has is not known.
        wordless = [
            value
            for each, value in zip(candidates, evidence.values(), strict=True)
            if value is not None and value < NONE and not (each.explanation and each.explanation.words)
        ]
        most = max([outside.meaning + ACROSS, *wordless]) + WORDS * min(1.0, outside.words)
        complete = complete and most < NONE
    return Judgement(answerable, frozenset(near | literal), complete, 1.0 if literal else best)


def all_found(
    candidates: Sequence[Candidate], outside: Outside | None, answerable: Answerable | None = None
) -> Judgement:
    """Return the judgement that each of the candidates counts."""
    found = frozenset(each.passage.passage_id for each in candidates)
    return Judgement(answerable, found, outside is None)


def _evidence(candidate: Candidate, language: str) -> float | None:
    """Return the evidence that a passage answers; None where its meaning is not known."""
    why = candidate.explanation
    if why is None or why.passage is None:
        return None
    sentence = why.passage if why.sentence is None else why.sentence
    meaning = (1 - SENTENCE_WEIGHT) * why.passage + SENTENCE_WEIGHT * sentence
    across = ACROSS if candidate.passage.lang != language else 0.0
    return meaning + WORDS * min(1.0, why.words) + across
