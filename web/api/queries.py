"""What the JSON endpoints take, as models made from the description of a request (`indexer/request.py`).

A model says what a schema can say; what it cannot, such as `from` after `to`, the request itself refuses.
"""

import unicodedata
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model
from pydantic.json_schema import SkipJsonSchema

from indexer import SearchRequest, SimilarRequest
from indexer.web_support import (
    Choice,
    Day,
    Flag,
    Parameter,
    RequestError,
    Text,
    WholeNumber,
)

EXAMPLES = {"q": "Who helped free Marc Fogel?", "doc_id": "talks.txt", "passage": 1}


class Query(BaseModel):
    """A query string; parameters that are not named are refused."""

    model_config = ConfigDict(extra="forbid")


def _query_model(name: str, kind: type[SearchRequest | SimilarRequest]) -> Any:
    """Return the model of the query string that asks for a kind of request."""
    described: dict[str, Any] = {each.attribute: _field(each) for each in kind.parameters()}
    return create_model(name, __base__=Query, **described)


def _field(described: Parameter) -> tuple[Any, Any]:
    """Return a parameter as pydantic has fields: its type, and what the schema says of it."""
    kind = _type(described)
    if not described.required and described.default is None:
        optional: Any = kind | SkipJsonSchema[None]  # type: ignore[misc]
        return optional, _optional(described.help, described.name)
    extra: dict[str, Any] = {"example": EXAMPLES[described.name]} if described.name in EXAMPLES else {}
    if described.name == "q":
        extra["pattern"] = _visible_character()
    about: dict[str, Any] = {"json_schema_extra": extra or None}
    if not described.required:
        about["default"] = described.default
    return kind, Field(alias=described.name, description=described.help, **about)


def _type(described: Parameter) -> Any:
    """Return the type of a parameter's values, with what a schema can say of them."""
    match described.value:
        case WholeNumber(least, most) as number:
            return Annotated[int, Field(ge=least, le=most), BeforeValidator(number.parse)]
        case Choice(words):
            return Literal[words]
        case Flag() as flag:
            return Annotated[bool, BeforeValidator(flag.parse), Field(validate_default=False)]
        case Day():
            return Annotated[str, Field(json_schema_extra={"format": "date"})]
        case Text(pattern, longest=longest):
            shortest = None if pattern else 1
            form = f"^({pattern})$" if pattern else None
            return Annotated[str, Field(min_length=shortest, max_length=longest, pattern=form)]


def _visible_character() -> str:
    """Return the pattern of a visible character, for which JSON Schema has no name."""
    invisible = [
        code
        for code, char in enumerate(map(chr, range(0x10000)))
        if char.isspace() or unicodedata.category(char) in ("Cc", "Cf")
    ]
    runs: list[list[int]] = []
    for code in invisible:
        if runs and runs[-1][1] == code - 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return "[^" + "".join(f"\\u{first:04x}-\\u{last:04x}" for first, last in runs) + "]"


def _optional(description: str, alias: str | None = None) -> Any:
    return Field(default=None, alias=alias, description=description, json_schema_extra=_without_default)


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)  # a query string cannot say null


class SearchQuery(_query_model("_SearchQuery", SearchRequest)):  # type: ignore[misc]  # made from the request
    """A question, and how it is to be answered."""

    def request(self) -> SearchRequest:
        return SearchRequest(**dict(self))


class SimilarQuery(_query_model("_SimilarQuery", SimilarRequest)):  # type: ignore[misc]
    """A passage, and which of those like it are wanted."""

    def request(self) -> SimilarRequest:
        return SimilarRequest(**dict(self))


class DocumentQuery(Query):
    """Which generation an article is read from."""

    generation: Annotated[str, Field(min_length=1)] | SkipJsonSchema[None] = _optional(
        "Answer from this generation of the index or not at all (409)."
    )


class NoQuery(Query):
    """No parameter is taken."""


class Condition(BaseModel):
    """The one condition that is looked at: If-None-Match."""

    if_none_match: str | SkipJsonSchema[None] = _optional(
        "ETags of answers that the client has; where the answer would be one of them, 304 says so. "
        "`*` stands for any answer with an ETag.",
        alias="If-None-Match",
    )


class DocumentPath(BaseModel):
    """The id of an article: its path in the archive, and ::id where its file holds many."""

    doc_id: str = Field(
        min_length=1,
        description="The article's id; / may stand in it.",
        json_schema_extra={"example": "talks.txt"},
    )


KNOWN = sorted(
    {
        field.alias or name
        for model in (SearchQuery, SimilarQuery, DocumentQuery)
        for name, field in model.model_fields.items()
    }
)
"""The names of all parameters."""


def fault_of(error: ValidationError) -> RequestError:
    """Return the first fault of a request, in the words that are used everywhere else."""
    fault = error.errors(include_context=True)[0]
    name, kind, given = str(fault["loc"][0]), fault["type"], str(fault["input"])
    if kind == "extra_forbidden":
        return RequestError(
            "unknown_parameter",
            f"There is no parameter {name[:40]!r} here; /openapi.json lists those there are.",
        )
    if name == "q":
        return _fault_of_question(kind, given)
    if kind == "missing":
        return RequestError(f"bad_{name}", f"{name} is missing.")
    reason = fault["msg"].removeprefix("Value error, ").removesuffix(".")
    if kind in ("literal_error", "string_pattern_mismatch", "string_too_short"):
        reason = _reason(name, given)
    elif kind in ("greater_than_equal", "less_than_equal"):
        (bound,) = fault["ctx"].values()
        reason = f"it must be at {'least' if kind.startswith('greater') else 'most'} {bound:,}"
    return RequestError(f"bad_{name}", f"{name} is {given[:40]!r}; {reason}.")


def _reason(name: str, given: str) -> str:
    """Return what a value must be, in the words of the parameter."""
    described = {each.name: each for kind in (SearchRequest, SimilarRequest) for each in kind.parameters()}
    try:
        if name in described:
            described[name].value.check(given)
    except ValueError as error:
        return str(error)
    return "it must not be empty"


def _fault_of_question(kind: str, given: str) -> RequestError:
    try:
        SearchRequest(given if kind != "missing" else "")
    except RequestError as error:
        return error
    return RequestError("bad_q", "The question cannot be read.")
