"""The files of the pages (styles, script, icon): read once at start, served from a table by name.

A request's path is looked up in that table and never reaches the file system. The address of a file has a
hash of its content, so that browsers may keep it for good and still get every change at once.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response, abort, request

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
FOR_GOOD = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"  # it may be kept, but not used without asking whether it still is the same


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is served; `version` is a hash of its content."""

    content: bytes
    type: str
    version: str


def register(app: Flask) -> None:
    """Serve the files of the `static` folder as they are now, and tell templates their addresses."""
    table = read_assets(Path(app.root_path) / "pages" / "static")

    def serve(name: str) -> Response:
        found = table.get(name)
        if found is None:
            abort(404)
        response = Response(found.content, content_type=found.type)
        response.set_etag(found.version)
        named = request.args.get("v") == found.version
        response.headers["Cache-Control"] = FOR_GOOD if named else ASK_AGAIN
        response.make_conditional(request)
        return response

    def asset(name: str) -> str:
        # By hand: a request whose name is none has no addresses, and yet a page that says so.
        return f"/static/{name}?v={table[name].version}"

    app.add_url_rule("/static/<name>", "asset", serve)
    app.add_template_global(asset)


def read_assets(folder: Path) -> Mapping[str, Asset]:
    """Read every file of a folder; one of a kind that is not known is a mistake, and raises KeyError."""
    table = {}
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        version = hashlib.sha256(content).hexdigest()[:16]
        table[path.name] = Asset(content, TYPES[path.suffix], version)
    return table
