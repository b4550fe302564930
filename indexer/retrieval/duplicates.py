"""Collapsing a ranked list: duplicates, and all but the best passages of an article. Pure functions."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from indexer.datatypes import Candidate

OPEN = 3  # best passages of an article that stay listed; the rest collapse into the last of these


@dataclass(slots=True)
class ResultGroup:
    """A listed candidate with the candidates that are collapsed into it: duplicates and further passages."""

    candidate: Candidate
    also_in: list[Candidate] = field(default_factory=list)
    more: "list[ResultGroup]" = field(default_factory=list)


def ungrouped(ranked: Iterable[Candidate]) -> list[ResultGroup]:
    """Return one group for each candidate, collapsing nothing."""
    return [ResultGroup(candidate) for candidate in ranked]


def collapse(ranked: Iterable[Candidate]) -> list[ResultGroup]:
    """Collapse a ranked list into groups, in the order of their listed candidates.

    Of passages with the same words the best ranked one is listed, and the others are its `also_in`. Of an
    article the best `OPEN` passages are listed, and the last of these holds the rest as `more`.
    """
    unique: dict[bytes, ResultGroup] = {}
    for candidate in ranked:
        listed_group = unique.setdefault(candidate.duplicate_key, group := ResultGroup(candidate))
        if listed_group is not group:
            listed_group.also_in.append(candidate)
    listed: list[ResultGroup] = []
    by_article: dict[str, list[ResultGroup]] = {}
    for group in unique.values():
        of_article = by_article.setdefault(group.candidate.passage.doc_id, [])
        if len(of_article) < OPEN:
            of_article.append(group)
            listed.append(group)
        else:
            of_article[-1].more.append(group)
    return listed
