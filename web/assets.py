"""Serve the static files of the pages (styles, scripts, icon) from a table that is read once at start.

The name in a request is looked up in that table and never reaches the file system. The address of a file
contains a hash of its content, so that browsers may cache it forever and still load every change at once.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response, abort, request

from web.prefix import at

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
FOR_GOOD = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"  # a browser may cache the file, but must revalidate it before each use


@dataclass(frozen=True, slots=True)
class Asset:
    """A static file; `version` is a hash of its content."""

    content: bytes
    type: str
    version: str


def register(app: Flask) -> None:
    """Serve the present files of the `static` folder, and give templates a function for their addresses."""
    table = read_assets(Path(app.root_path) / "pages" / "static")

    def serve(name: str) -> Response:
        file = table.get(name)
        if file is None:
            abort(404)
        response = Response(file.content, content_type=file.type)
        response.set_etag(file.version)
        has_version = request.args.get("v") == file.version
        response.headers["Cache-Control"] = FOR_GOOD if has_version else ASK_AGAIN
        response.make_conditional(request)
        return response

    def asset(name: str) -> str:
        # Not url_for: it fails for a request with an invalid host name, and the error page needs styles too.
        return at(f"/static/{name}?v={table[name].version}")

    app.add_url_rule("/static/<name>", "asset", serve)
    app.add_template_global(asset)


def read_assets(folder: Path) -> Mapping[str, Asset]:
    """Read every file of a folder, by name; raises KeyError for a file type that is missing in TYPES."""
    table = {}
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        version = hashlib.sha256(content).hexdigest()[:16]
        table[path.name] = Asset(content, TYPES[path.suffix], version)
    return table
