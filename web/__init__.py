"""The web face: pages and JSON endpoints over one Searcher. Imports only what `indexer` exports."""

import logging
from pathlib import Path

from flask import Flask
from flask_openapi3 import OpenAPI  # type: ignore[attr-defined]

from . import (
    api,
    assets,
    docs,
    documents,
    errors,
    exports,
    languages,
    observing,
    overload,
    pages,
    probes,
    texts,
)
from .docs import INFO
from .parameters import DocumentId
from .schemas import Problem
from .security import LOOPBACK, Guard, protect
from .server import leave, run
from .service import SearchService

log = logging.getLogger(__name__)

__all__ = ["LOOPBACK", "Guard", "SearchService", "create_app", "serve"]


def create_app(service: SearchService, guard: Guard | None = None) -> Flask:
    """Make the application over a service that finds and opens the index.

    `guard` says who may ask; without one, who reaches this machine under its own names.
    """
    app = OpenAPI(
        __name__,
        info=INFO,
        doc_ui=False,
        validation_error_status=400,
        validation_error_model=Problem,
        static_folder=None,  # `assets` serves its files by name, from no path of a request
    )
    app.url_map.merge_slashes = False  # an address is taken as it is, or there is nothing there
    app.extensions["search"] = service
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    guard = guard or Guard()
    # In this order: each request is counted, then it must be allowed, then there must be room for it.
    observing.register(app)
    protect(app, guard)
    overload.register(app)
    app.url_map.converters["document"] = DocumentId
    languages.register(app)
    assets.register(app)
    texts.register(app)
    for each in (pages, documents, exports):
        app.register_blueprint(each.blueprint)
    api.register(app)
    docs.register(app, guard)
    probes.register(app)
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
    log_queries: bool = False,
) -> None:
    """Serve an index until SIGTERM or Ctrl-C; the index and the model load while it starts.

    `archive` is where the articles are, if not where they were when the index was built. `proxy` says
    that a proxy on this machine passes requests on, whose headers tell who asked. What is logged, to
    stderr, holds the words of questions only with `log_queries`.
    """
    observing.configure(log_queries)
    service = SearchService(index, model, archive=archive)
    app = create_app(service, guard or Guard.of(host))
    try:
        at_work = run(app, host, port, proxy=proxy, begin=service.start)
    finally:
        service.close()
    log.info("The server has ended")
    if at_work:
        leave()
