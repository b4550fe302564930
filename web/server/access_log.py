"""The log on stderr: one JSON object a line, without queries and without addresses of articles."""

import logging
import re
import secrets
import threading
import traceback
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, TextIO

from flask import Flask, Response, g, has_request_context, request
from pythonjsonlogger.json import JsonFormatter

from indexer.web_support import QUERY_LENGTH
from web.server.metrics import Metrics, method_label, route_label
from web.service import SearchService

PROBES = frozenset({"/livez", "/readyz", "/metrics"})
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

log = logging.getLogger(__name__)
requests = logging.getLogger("web.request")


def register(app: Flask) -> None:
    """Make an application measure and log its requests. Register this first, so that it measures all work."""
    metrics = app.extensions["metrics"] = Metrics(app)

    @app.before_request
    def begin() -> None:
        g.started = perf_counter()
        client_id = request.headers.get("X-Request-Id", "")
        g.request_id = client_id if REQUEST_ID.fullmatch(client_id) else secrets.token_hex(8)

    @app.after_request
    def end(response: Response) -> Response:
        seconds = perf_counter() - g.started
        response.headers["X-Request-Id"] = g.request_id
        metrics.count_request(response.status_code, seconds)
        quiet = route_label() in PROBES or route_label().startswith("/static/")
        facts = {
            "method": method_label(),
            "route": route_label(),
            "status": response.status_code,
            "ms": round(seconds * 1_000, 1),
            "bytes": _body_length(response),
            "request_id": g.request_id,
            "generation": g.get("generation") or _served_generation(app),
        }
        if "code" in g:
            facts["code"] = g.code
        requests.log(logging.DEBUG if quiet else logging.INFO, "request", extra=facts)
        return response


def log_refused(app: Flask, status: int, code: str) -> str:
    """Count and log a request that never reached the application; return the id that it gets."""
    metrics: Metrics | None = app.extensions.get("metrics")
    if metrics:
        metrics.count("none", "none", status)
    request_id = secrets.token_hex(8)
    facts = {"route": "none", "status": status, "code": code, "request_id": request_id}
    requests.info("request", extra=facts)
    return request_id


def _served_generation(app: Flask) -> str | None:
    service: SearchService = app.extensions["search"]
    searcher = service.opened()
    return searcher.generation if searcher else None


def _body_length(response: Response) -> int | None:
    """Return the number of bytes of a body; None if the body is generated while it is sent."""
    if request.method == "HEAD" or response.status_code in (204, 304):
        return 0
    # Do not calculate the length of a stream: that would generate all of it at once.
    return response.content_length if response.is_streamed else response.calculate_content_length()


# --- the format of the log


def configure(log_queries: bool = False, stream: TextIO | None = None) -> None:
    """Log to stderr, one JSON object a line. Call this only in the program that serves, never in a library.

    `log_queries` adds the words of queries, which no line contains otherwise.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_JsonLine(log_queries))
    handler.addFilter(_remove_path)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for package in ("web", "indexer"):
        logging.getLogger(package).setLevel(logging.INFO)
    logging.captureWarnings(True)
    threading.excepthook = _log_thread
    if log_queries:
        requests.addFilter(_add_query)


class _JsonLine(JsonFormatter):
    """Format a record as JSON in ASCII, so that no character in it can end a line or change its direction."""

    def __init__(self, messages: bool) -> None:
        super().__init__(["message"], rename_fields={"message": "event", "exc_info": "traceback"})
        self._messages = messages

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        log_data["time"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        log_data["level"] = record.levelname.lower()
        log_data["logger"] = record.name
        may_quote_request = has_request_context() or record.name == "waitress"
        if (
            record.exc_info and may_quote_request and not self._messages
        ):  # messages of errors may quote a query
            message_dict["exc_info"] = _traceback_without_messages(record.exc_info[1])
        super().add_fields(log_data, record, message_dict)
        if has_request_context() and "request_id" in g:
            log_data["request_id"] = g.request_id


def _traceback_without_messages(error: BaseException | None) -> str:
    """Return the tracebacks of an error and its causes, at most eight, with their classes but no messages."""
    parts: list[str] = []
    while error is not None and len(parts) < 8:
        name = f"{type(error).__module__}.{type(error).__qualname__}"
        parts.insert(0, "".join(traceback.format_tb(error.__traceback__)) + name)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(parts)


def _add_query(record: logging.LogRecord) -> bool:
    if has_request_context() and "q" in request.args:
        record.query = request.args["q"][:QUERY_LENGTH]
    return True


def _remove_path(record: logging.LogRecord) -> bool:
    """Remove the path from waitress's message about a request that it could not serve."""
    if record.name == "waitress" and isinstance(record.msg, str):
        fact, serving, _path = record.msg.partition(" while serving ")
        record.msg = f"{fact}{serving}a request" if serving else fact
    return True


def _log_thread(error: threading.ExceptHookArgs) -> None:
    if error.exc_type is not SystemExit:
        facts: Any = (error.exc_type, error.exc_value, error.exc_traceback)
        log.error("A thread ended with an error", exc_info=facts)
