"""One list without repeats: identical passages and long runs of one article folded. Pure functions."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from indexer.datatypes import Candidate

RUN_LENGTH = 2  # passages of one article that may follow each other; the rest of the run folds


@dataclass(slots=True)
class ResultGroup:
    """A candidate that is listed, and what it stands for: its copies, and more of its article's run."""

    candidate: Candidate
    also_in: list[Candidate] = field(default_factory=list)
    more: "list[ResultGroup]" = field(default_factory=list)


def ungrouped(ranked: Iterable[Candidate]) -> list[ResultGroup]:
    """Return an entry for every candidate, folding nothing."""
    return [ResultGroup(candidate) for candidate in ranked]


def collapse(ranked: Iterable[Candidate]) -> list[ResultGroup]:
    """Fold a ranked list; the order of what stays listed is that of the list.

    Of passages with the same words the best ranked stays, and the others are where it is also in.
    Of a run of passages of one article the first `IN_A_ROW` stay, and the last of them stands for
    the rest.
    """
    unique: dict[bytes, ResultGroup] = {}
    for candidate in ranked:
        first = unique.setdefault(candidate.duplicate_key, entry := ResultGroup(candidate))
        if first is not entry:
            first.also_in.append(candidate)
    listed: list[ResultGroup] = []
    run = 0
    for entry in unique.values():
        same_article = bool(listed) and listed[-1].candidate.passage.doc_id == entry.candidate.passage.doc_id
        run = run + 1 if same_article else 1
        if run <= RUN_LENGTH:
            listed.append(entry)
        else:
            listed[-1].more.append(entry)
    return listed
