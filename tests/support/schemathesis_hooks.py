"""A constraint for schemathesis that a schema cannot express: `from` is not after `to`."""

import schemathesis


@schemathesis.hook
def before_call(_context, case, _kwargs):
    query = case.query or {}
    if case.meta and case.meta.generation.mode.is_negative:
        return
    if isinstance(query, dict) and "from" in query and "to" in query:
        query["from"], query["to"] = sorted([query["from"], query["to"]])
