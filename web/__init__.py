"""The web face: pages and a JSON endpoint over one Searcher. Imports only what `indexer` exports."""

from pathlib import Path

from flask import Flask

from . import api, errors, pages
from .server import run
from .service import SearchService


def create_app(service: SearchService) -> Flask:
    """Make the application over a service that finds and opens the index."""
    app = Flask(__name__)
    app.extensions["search"] = service
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.url_map.converters["document"] = pages.DocumentId
    app.register_blueprint(pages.blueprint)
    app.register_blueprint(api.blueprint)
    errors.register(app)
    return app


def serve(index: Path, model: str | None, host: str, port: int, archive: Path | None = None) -> None:
    """Serve an index until SIGTERM or Ctrl-C; the index and the model load while it starts.

    `archive` is where the articles are, if not where they were when the index was built.
    """
    service = SearchService(index, model, archive=archive)
    service.start()
    try:
        run(create_app(service), host, port)
    finally:
        service.close()
