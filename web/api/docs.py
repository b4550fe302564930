"""Describe the JSON endpoints: serve the OpenAPI document, and the pages for people that are made from it."""

from dataclasses import dataclass
from importlib import resources
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request
from flask_openapi3 import Info, OpenAPI

from web.api.endpoints import by_content
from web.server.security import Guard

INFO = Info(
    title="Warraq",
    version="1",
    description="Passages of an archive of Arabic and English articles, ranked by meaning and words, each "
    "with its file, lines and exact words. Parameters are refused where they are not legal, never clamped; "
    "errors are problems (RFC 9457) with a stable code.",
)
SECURITY: dict[str, Any] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "For programs."},
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "For browsers: the secret is the password, of any user.",
    },
}
EXAMPLES = {
    "search.sh": ("Ask a question", "shell"),
    "secret.sh": ("Give the secret", "shell"),
    "again.sh": ("Ask again", "shell"),
    "every_hit.py": ("Every hit, page by page", "Python"),
    "provenance.py": ("Check the provenance of a hit, and find more like it", "Python"),
    "marked.js": ("Show the words that matched", "JavaScript, in a browser or as a module"),
}
CODES = {
    "400": "`bad_` and the name of a parameter: its value is not legal, or it is given more than once; "
    "`unknown_parameter`, `empty_query`, `nothing_asked`, `query_too_long`, `bad_query`, "
    "`bad_encoding`, `bad_host`, `bad_request`",
    "401": "`unauthorized`",
    "403": "`bad_origin`",
    "404": "`not_found`, `no_such_passage`",
    "405": "`method_not_allowed`; `Allow` says which there are",
    "409": "`generation_changed`",
    "413, 431": "`too_large`",
    "429": "`too_many_attempts`; `Retry-After` says when to try again, in seconds",
    "500": "`internal`",
    "501": "`not_implemented`",
    "503": "`no_index`, `index_unusable`, `not_opened`, `loading`, `no_model`, `overloaded`; `Retry-After` "
    "says when to try again, in seconds",
}
WRITTEN_FOR = "http://127.0.0.1:5000"

blueprint = Blueprint("docs", __name__)


@dataclass(frozen=True, slots=True)
class Example:
    """A program that runs unchanged against the server that shows it."""

    name: str
    title: str
    language: str
    code: str


def register(app: OpenAPI, guard: Guard) -> None:
    """Add the OpenAPI document and the pages; the document names the secret if the server requires one."""
    app.security_schemes = SECURITY
    app.openapi_extensions = {"security": [{"bearer": []}, {"basic": []}]} if guard.secret else {}
    app.register_blueprint(blueprint)


def examples(address: str = WRITTEN_FOR) -> list[Example]:
    """Return the examples, with the address of a server filled in."""
    folder = resources.files(__package__) / "examples"
    return [
        Example(name, *about, (folder / name).read_text("utf-8").replace(WRITTEN_FOR, address))
        for name, about in EXAMPLES.items()
    ]


@blueprint.get("/openapi.json")
def openapi() -> Response:
    return by_content(_openapi_document())


@blueprint.get("/docs")
def reference() -> str:
    context = {"codes": CODES, "type_of": type_of, "with_code": with_code, "statuses_with": statuses_with}
    return render_template("docs.html", api=_openapi_document(), **context)


@blueprint.get("/docs/examples")
def shown_examples() -> str:
    address, has_secret = request.url_root.rstrip("/"), bool(_openapi_document().get("security"))
    return render_template("examples.html", examples=examples(address), wants_secret=has_secret)


def with_code(text: str) -> list[tuple[str, bool]]:
    """Split a text at its backticks; return each part, and whether it is code."""
    return [(part, bool(place % 2)) for place, part in enumerate(text.split("`")) if part]


def statuses_with(header: str, api: dict[str, Any]) -> list[str]:
    """Return the statuses whose answers have a header, by the OpenAPI document."""
    operations = [operation for methods in api["paths"].values() for operation in methods.values()]
    responses = [item for operation in operations for item in operation["responses"].items()]
    return sorted({status for status, response in responses if header in response.get("headers", {})})


def type_of(schema: dict[str, Any]) -> list[tuple[str, str | None]]:
    """Return the type of a schema in words, as parts, each with the model that it names, if any."""
    inner = schema.get("items") or schema.get("additionalProperties")
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return [(name, name)]
    if "anyOf" in schema:
        return [part for choice in schema["anyOf"] for part in [(" or ", None), *type_of(choice)]][1:]
    if isinstance(inner, dict):
        return [("list of " if schema.get("type") == "array" else "object of ", None), *type_of(inner)]
    return [(_plain_type(schema), None)]


def _plain_type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"]))
    kind = str(schema.get("format") or schema.get("type", "anything"))
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f"{kind}, {int(low):,} to {int(high):,}"
    if schema.get("maxLength"):
        return f"{kind}, {schema.get('minLength', 0):,} to {schema['maxLength']:,} characters"
    return kind


def _openapi_document() -> dict[str, Any]:
    document: dict[str, Any] = current_app.api_doc  # type: ignore[attr-defined]
    return document
