"""The parameters of the JSON endpoints, as models made from the request types (`indexer/request.py`).

A model checks as much as a JSON schema can express. The request itself checks the rest, such as `from` after
`to`.
"""

import unicodedata
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model
from pydantic.json_schema import SkipJsonSchema

from indexer import SearchRequest, SimilarRequest
from indexer.web_support import (
    PARAMETERS,
    QUERY_LENGTH,
    BrowseRequest,
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
    """Base of all query strings; it refuses parameters that are not declared."""

    model_config = ConfigDict(extra="forbid")


def _query_model(name: str, kind: type[BrowseRequest | SearchRequest | SimilarRequest]) -> Any:
    """Return the model of the query string for a kind of request."""
    fields: dict[str, Any] = {parameter.attribute: _field(parameter) for parameter in kind.parameters()}
    return create_model(name, __base__=Query, **fields)


def _field(parameter: Parameter) -> tuple[Any, Any]:
    """Return the pydantic field of a parameter: its type, and its description for the schema."""
    kind = _type(parameter)
    if not parameter.required and parameter.default is None:
        optional: Any = kind | SkipJsonSchema[None]  # type: ignore[misc]
        return optional, _optional(parameter.help, parameter.name)
    extra: dict[str, Any] = {"example": EXAMPLES[parameter.name]} if parameter.name in EXAMPLES else {}
    if parameter.name == "q":
        extra["pattern"] = _visible_character()
    options: dict[str, Any] = {"json_schema_extra": extra or None}
    if not parameter.required:
        options["default"] = parameter.default
    return kind, Field(alias=parameter.name, description=parameter.help, **options)


def _type(parameter: Parameter) -> Any:
    """Return the type of a parameter's values, with the limits that a schema can express."""
    match parameter.value:
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
    """Return a pattern that matches a visible character; JSON Schema has no class for them."""
    invisible_codes = [
        code
        for code, char in enumerate(map(chr, range(0x10000)))
        if char.isspace() or unicodedata.category(char) in ("Cc", "Cf")
    ]
    runs: list[list[int]] = []
    for code in invisible_codes:
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
    """The parameters of a search."""

    def request(self) -> SearchRequest:
        return SearchRequest(**dict(self))


class SimilarQuery(_query_model("_SimilarQuery", SimilarRequest)):  # type: ignore[misc]
    """The parameters of a search for similar passages."""

    def request(self) -> SimilarRequest:
        return SimilarRequest(**dict(self))


class BrowseQuery(_query_model("_BrowseQuery", BrowseRequest)):  # type: ignore[misc]
    """The parameters of a list of articles."""

    def request(self) -> BrowseRequest:
        return BrowseRequest(**dict(self))


class SuggestQuery(Query):
    """What is typed so far."""

    query: str = Field(
        alias="q",
        min_length=1,
        max_length=QUERY_LENGTH,
        pattern=_visible_character(),
        description="What is typed so far.",
        json_schema_extra={"example": "grain co"},
    )


class DocumentQuery(Query):
    """The parameters of the article endpoint."""

    generation: Annotated[str, Field(min_length=1)] | SkipJsonSchema[None] = _optional(
        PARAMETERS["generation"].help
    )


class NoQuery(Query):
    """The query string of an endpoint without parameters."""


class Condition(BaseModel):
    """The request header If-None-Match; other conditions are ignored."""

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
        for model in (SearchQuery, SimilarQuery, SuggestQuery, BrowseQuery, DocumentQuery)
        for name, field in model.model_fields.items()
    }
)
"""The names of the parameters of all endpoints."""


def fault_of(error: ValidationError) -> RequestError:
    """Return the first fault of a query string as the same RequestError that every other interface gives."""
    fault = error.errors(include_context=True)[0]
    name, kind, value = str(fault["loc"][0]), fault["type"], str(fault["input"])
    if kind == "extra_forbidden":
        return RequestError(
            "unknown_parameter",
            f"There is no parameter {name[:40]!r} here; /openapi.json lists those there are.",
        )
    if name == "q":
        return _fault_of_question(kind, value)
    if kind == "missing":
        return RequestError(f"bad_{name}", f"{name} is missing.")
    reason = fault["msg"].removeprefix("Value error, ").removesuffix(".")
    if kind in ("literal_error", "string_pattern_mismatch", "string_too_short"):
        reason = _reason(name, value)
    elif kind in ("greater_than_equal", "less_than_equal"):
        (bound,) = fault["ctx"].values()
        reason = f"it must be at {'least' if kind.startswith('greater') else 'most'} {bound:,}"
    return RequestError(f"bad_{name}", f"{name} is {value[:40]!r}; {reason}.")


def _reason(name: str, value: str) -> str:
    """Return the reason why a value is illegal, in the words of its parameter."""
    try:
        if name in PARAMETERS:
            PARAMETERS[name].value.check(value)
    except ValueError as error:
        return str(error)
    return "it must not be empty"


def _fault_of_question(kind: str, value: str) -> RequestError:
    try:
        SearchRequest(value if kind != "missing" else "")
    except RequestError as error:
        return error
    return RequestError("bad_q", "The question cannot be read.")
