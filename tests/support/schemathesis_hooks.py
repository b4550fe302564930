"""Constraints for schemathesis that a schema cannot express.

A question asks, `from` is not after `to`, and a cursor is one that the server gave.
"""

import schemathesis

from indexer.query import parse
from indexer.request import has_word


@schemathesis.hook
def before_call(_context, case, _kwargs):
    query = case.query or {}
    if case.meta and case.meta.generation.mode.is_negative:
        return
    if (
        isinstance(query, dict)
        and isinstance(asked := query.get("q"), str)
        and not has_word(parse(asked).text)
    ):
        query["q"] = f"x {asked}"
    if isinstance(query, dict):
        query.pop("after", None)
    if isinstance(query, dict) and "from" in query and "to" in query:
        query["from"], query["to"] = sorted([query["from"], query["to"]])
