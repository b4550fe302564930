"""Collapsing a ranked list: duplicates, and long runs of one article, become one result. Pure functions."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from indexer.datatypes import Candidate

RUN_LENGTH = 2  # passages of one article that stay listed one after the other; the rest of the run collapses


@dataclass(slots=True)
class ResultGroup:
    """A listed candidate with the candidates that are collapsed into it: duplicates and the rest of a run."""

    candidate: Candidate
    also_in: list[Candidate] = field(default_factory=list)
    more: "list[ResultGroup]" = field(default_factory=list)


def ungrouped(ranked: Iterable[Candidate]) -> list[ResultGroup]:
    """Return one group for each candidate, collapsing nothing."""
    return [ResultGroup(candidate) for candidate in ranked]


def collapse(ranked: Iterable[Candidate]) -> list[ResultGroup]:
    """Collapse a ranked list into groups, in the order of their listed candidates.

    Of passages with the same words the best ranked one is listed, and the others are its `also_in`. Of a run
    of passages of one article the first `RUN_LENGTH` are listed, and the last of these holds the rest as
    `more`.
    """
    unique: dict[bytes, ResultGroup] = {}
    for candidate in ranked:
        listed_group = unique.setdefault(candidate.duplicate_key, group := ResultGroup(candidate))
        if listed_group is not group:
            listed_group.also_in.append(candidate)
    listed: list[ResultGroup] = []
    run = 0
    for group in unique.values():
        same_article = bool(listed) and listed[-1].candidate.passage.doc_id == group.candidate.passage.doc_id
        run = run + 1 if same_article else 1
        if run <= RUN_LENGTH:
            listed.append(group)
        else:
            listed[-1].more.append(group)
    return listed
