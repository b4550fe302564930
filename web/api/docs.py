"""The description of the JSON endpoints: the OpenAPI document, and pages for people made from it."""

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
    "receipt.py": ("Check a receipt, and find more like it", "Python"),
    "marked.js": ("Show the words that matched", "JavaScript, in a browser or as a module"),
}
CODES = {
    "400": "`bad_` and the name of a parameter: its value is not legal, or it is given more than once; "
    "`unknown_parameter`, `empty_query`, `query_too_long`, `bad_query`, `bad_encoding`, `bad_host`, "
    "`bad_request`",
    "401": "`unauthorized`",
    "403": "`bad_origin`",
    "404": "`not_found`, `no_such_passage`",
    "405": "`method_not_allowed`; `Allow` says which there are",
    "409": "`generation_changed`",
    "413, 431": "`too_large`",
    "500": "`internal`",
    "501": "`not_implemented`",
    "503": "`no_index`, `index_unusable`, `not_opened`, `loading`, `no_model`, `overloaded`; `Retry-After` "
    "says when to try again, in seconds",
}
WRITTEN_FOR = "http://127.0.0.1:5000"

blueprint = Blueprint("docs", __name__)


@dataclass(frozen=True, slots=True)
class Example:
    """A program that works as it stands, for the server that shows it."""

    name: str
    title: str
    language: str
    code: str


def register(app: OpenAPI, guard: Guard) -> None:
    """Add the OpenAPI document and the pages; a server that wants a secret says so in it."""
    app.security_schemes = SECURITY
    app.openapi_extensions = {"security": [{"bearer": []}, {"basic": []}]} if guard.secret else {}
    app.register_blueprint(blueprint)


def examples(address: str = WRITTEN_FOR) -> list[Example]:
    """Return the examples, for a server at an address."""
    folder = resources.files(__package__) / "examples"
    return [
        Example(name, *about, (folder / name).read_text("utf-8").replace(WRITTEN_FOR, address))
        for name, about in EXAMPLES.items()
    ]


@blueprint.get("/openapi.json")
def openapi() -> Response:
    return by_content(_described())


@blueprint.get("/docs")
def reference() -> str:
    told = {"codes": CODES, "type_of": type_of, "with_code": with_code, "statuses_with": statuses_with}
    return render_template("docs.html", api=_described(), **told)


@blueprint.get("/docs/examples")
def shown_examples() -> str:
    address, wants = request.host_url.rstrip("/"), bool(_described().get("security"))
    return render_template("examples.html", examples=examples(address), wants_secret=wants)


def with_code(text: str) -> list[tuple[str, bool]]:
    """Cut a text at its backticks: each part, and whether it is code."""
    return [(part, bool(at % 2)) for at, part in enumerate(text.split("`")) if part]


def statuses_with(header: str, api: dict[str, Any]) -> list[str]:
    """Return the statuses of the answers that a document says have a header."""
    operations = [operation for methods in api["paths"].values() for operation in methods.values()]
    responses = [each for operation in operations for each in operation["responses"].items()]
    return sorted({status for status, response in responses if header in response.get("headers", {})})


def type_of(schema: dict[str, Any]) -> list[tuple[str, str | None]]:
    """Return the type of a schema in words: each part, and the model that it names if it is one."""
    inner = schema.get("items") or schema.get("additionalProperties")
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return [(name, name)]
    if "anyOf" in schema:
        return [part for each in schema["anyOf"] for part in [(" or ", None), *type_of(each)]][1:]
    if isinstance(inner, dict):
        return [("list of " if schema.get("type") == "array" else "object of ", None), *type_of(inner)]
    return [(_plain(schema), None)]


def _plain(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"]))
    kind = str(schema.get("format") or schema.get("type", "anything"))
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f"{kind}, {int(low):,} to {int(high):,}"
    if schema.get("maxLength"):
        return f"{kind}, {schema.get('minLength', 0):,} to {schema['maxLength']:,} characters"
    return kind


def _described() -> dict[str, Any]:
    document: dict[str, Any] = current_app.api_doc  # type: ignore[attr-defined]
    return document
