"""The mask of a query: the conditions that decide which passages of an archive are ranked at all."""

from collections.abc import Sequence

from indexer.query import word_clauses
from indexer.request import (
    PARAMETERS,
    Clause,
    Condition,
    Filters,
    Match,
    Operator,
    ParsedQuery,
    SearchRequest,
)
from indexer.store.reader import GenerationReader
from indexer.text.normalize import bare_letters


def mask_of(request: SearchRequest, parsed: ParsedQuery, store: GenerationReader) -> Filters:
    """Return the filters of a request and the conditions that its query states."""
    conditions = [
        Condition(filter_, operator.value)
        for operator in parsed.operators
        if operator.role in ("lang", "from", "to") and (filter_ := PARAMETERS[operator.role].filter)
    ]
    return (*request.filters(), *conditions, *word_clauses(parsed), *_label_clauses(parsed, store))


def _label_clauses(parsed: ParsedQuery, store: GenerationReader) -> list[Clause]:
    """Return a clause for each label that the query names: of several sources, any will do."""
    clauses = []
    for label in ("source", "author"):
        named = [operator for operator in parsed.operators if operator.role == label]
        for excluded in (False, True):
            of_kind = [operator for operator in named if operator.excluded == excluded]
            if of_kind:
                names = _named(of_kind, store.label_values(label))
                clauses.append(Clause(tuple(Match(label, (name,)) for name in names), excluded))
    return [clause for clause in clauses if clause.any_of or not clause.excluded]


def _named(operators: Sequence[Operator], names: Sequence[str]) -> list[str]:
    """Return the names that are meant: whole names in any letters, or else names with these words."""
    found = dict[str, None]()
    for operator in operators:
        wanted = _letters(operator.value)
        whole = [name for name in names if _letters(name) == wanted]
        found |= dict.fromkeys(whole or [name for name in names if f" {wanted} " in f" {_letters(name)} "])
    return list(found)


def _letters(name: str) -> str:
    return " ".join(bare_letters(name).casefold().split())
