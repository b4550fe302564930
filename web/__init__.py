"""The web face: pages and a JSON endpoint over one Searcher. Imports only what `indexer` exports."""

from pathlib import Path

from flask import Flask

from . import api, errors, pages
from .security import LOOPBACK, Guard, protect
from .server import run
from .service import SearchService

__all__ = ["LOOPBACK", "Guard", "SearchService", "create_app", "serve"]


def create_app(service: SearchService, guard: Guard | None = None) -> Flask:
    """Make the application over a service that finds and opens the index.

    `guard` says who may ask; without one, who reaches this machine under its own names.
    """
    app = Flask(__name__)
    app.extensions["search"] = service
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    protect(app, guard or Guard())
    app.url_map.converters["document"] = pages.DocumentId
    app.register_blueprint(pages.blueprint)
    app.register_blueprint(api.blueprint)
    errors.register(app)
    return app


def serve(
    index: Path,
    model: str | None,
    host: str,
    port: int,
    archive: Path | None = None,
    guard: Guard | None = None,
    *,
    proxy: bool = False,
) -> None:
    """Serve an index until SIGTERM or Ctrl-C; the index and the model load while it starts.

    `archive` is where the articles are, if not where they were when the index was built. `proxy` says
    that a proxy on this machine passes requests on, whose headers tell who asked.
    """
    service = SearchService(index, model, archive=archive)
    service.start()
    try:
        run(create_app(service, guard or Guard.of(host)), host, port, proxy=proxy)
    finally:
        service.close()
