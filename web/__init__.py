"""The web interface: pages and JSON endpoints over one Searcher.

From the library, this package imports `indexer` and `indexer.web_support` only.
"""

import logging
from pathlib import Path

from flask import Flask
from flask_openapi3 import OpenAPI

from web import assets, i18n
from web.api import docs, endpoints
from web.api.docs import INFO
from web.api.schemas import Problem
from web.pages import article, browse, errors, exports, search, text_helpers
from web.parameters import DocumentId
from web.prefix import Prefixed, read_prefix
from web.server import access_log, concurrency, health
from web.server.security import LOOPBACK, Guard, protect
from web.server.serving import leave, run
from web.service import SearchService

log = logging.getLogger(__name__)

__all__ = ["LOOPBACK", "Guard", "SearchService", "create_app", "serve"]


def create_app(service: SearchService, guard: Guard | None = None) -> Flask:
    """Make the application over a service that opens the index.

    `guard` decides which requests are allowed; the default allows only requests to this machine's loopback
    names.
    """
    app = OpenAPI(
        __name__,
        info=INFO,
        doc_ui=False,
        validation_error_status=400,
        validation_error_model=Problem,
        static_folder=None,  # `assets` serves files by name from a table; no request path reaches the disk
        template_folder="pages/templates",
    )
    app.url_map.merge_slashes = False  # an address with doubled slashes is not found, never redirected
    app.extensions["search"] = service
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    guard = guard or Guard()
    # The order matters: a request is counted first, then checked, then admitted by the concurrency limit.
    access_log.register(app)
    protect(app, guard)
    concurrency.register(app)
    app.url_map.converters["document"] = DocumentId
    i18n.register(app)
    assets.register(app)
    text_helpers.register(app)
    for module in (search, browse, article, exports):
        app.register_blueprint(module.blueprint)
    endpoints.register(app)
    docs.register(app, guard)
    health.register(app)
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
    prefix: str = "",
    log_queries: bool = False,
) -> None:
    """Serve an index until SIGTERM or Ctrl-C. Requests are answered while index and model still load.

    `archive` is the folder of the articles if it has moved since the build. With `proxy`, the forwarding
    headers of a proxy on this machine are trusted. `prefix` is the path below which a proxy serves the
    program, such as /archive. The log, on stderr, contains the words of queries only with `log_queries`.
    """
    access_log.configure(log_queries)
    service = SearchService(index, model, archive=archive)
    app = create_app(service, guard or Guard.of(host))
    app.wsgi_app = Prefixed(app.wsgi_app, read_prefix(prefix), trusted=proxy)  # type: ignore[method-assign, assignment]
    try:
        answering = run(app, host, port, proxy=proxy, begin=service.start)
    finally:
        loading = service.close()
    log.info("The server has ended")
    if answering or loading:
        leave()
