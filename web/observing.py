"""What the server tells of itself: figures for Prometheus, and a log of one JSON object a line.

Neither says what was asked or read: a request is told by its route, `/documents/<document:doc_id>`, and
labels have few values. Only where `configure` is told to does the log hold the words of questions.
"""

import logging
import re
import secrets
import threading
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from time import monotonic, perf_counter
from typing import Any, TextIO

from flask import Flask, Response, current_app, g, has_request_context, request
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector
from pythonjsonlogger.json import JsonFormatter

from indexer import QUERY_LENGTH, SearchResult, cache_facts

from .overload import Gate
from .service import SearchService

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
STAGES = frozenset({"encode", "dense", "lexical", "fuse", "fetch"})
PROBES = frozenset({"/livez", "/readyz", "/metrics"})
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Counting 100,000 vectors takes a millisecond, but up to five seconds while a build holds the cache.
CACHE_READ_EVERY = 60  # seconds
REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
STAGE_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)

log = logging.getLogger(__name__)
requests = logging.getLogger("web.request")


def register(app: Flask) -> None:
    """Have an application measure and log its requests. First of all, so that it sees all of each."""
    metrics = app.extensions["metrics"] = Metrics(app)

    @app.before_request
    def begin() -> None:
        g.started = perf_counter()
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)

    @app.after_request
    def end(response: Response) -> Response:
        seconds = perf_counter() - g.started
        response.headers["X-Request-Id"] = g.request_id
        metrics.count_request(response.status_code, seconds)
        quiet = _route() in PROBES or _route().startswith("/static/")
        facts = {
            "method": _method(),
            "route": _route(),
            "status": response.status_code,
            "ms": round(seconds * 1_000, 1),
            "bytes": _length(response),
            "request_id": g.request_id,
            "generation": g.get("generation") or _served(app),
        }
        if "code" in g:
            facts["code"] = g.code
        requests.log(logging.DEBUG if quiet else logging.INFO, "request", extra=facts)
        return response


def observe(result: SearchResult) -> None:
    """Count a search that the current request made."""
    g.generation = result.generation
    _metrics().count_search(result)


def count_refused(app: Flask, status: int, code: str) -> str:
    """Count and log what never became a request of the application; returns the id that it is given."""
    metrics: Metrics | None = app.extensions.get("metrics")
    if metrics:
        metrics.count("none", "none", status)
    request_id = secrets.token_hex(8)
    facts = {"route": "none", "status": status, "code": code, "request_id": request_id}
    requests.info("request", extra=facts)
    return request_id


def exposition() -> bytes:
    """Return the figures of the current application in Prometheus's text format."""
    return generate_latest(_metrics())


def _metrics() -> "Metrics":
    found: Metrics = current_app.extensions["metrics"]
    return found


def _served(app: Flask) -> str | None:
    service: SearchService = app.extensions["search"]
    searcher = service.opened()
    return searcher.generation if searcher else None


def _route() -> str:
    """Return the rule of the current request's address, never the address; "none" where nothing is."""
    return request.url_rule.rule if request.url_rule else "none"


def _method() -> str:
    return request.method if request.method in METHODS else "other"


def _length(response: Response) -> int | None:
    """Return the bytes of a body; None where they are made while they are sent."""
    if request.method == "HEAD" or response.status_code in (204, 304):
        return 0
    # Asking a stream for its length would make all of it, here and now.
    return response.content_length if response.is_streamed else response.calculate_content_length()


# --- metrics


class Metrics:
    """The figures of one application, in a registry of its own."""

    def __init__(self, app: Flask) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "warraq_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "warraq_http_request_duration_seconds",
            "Time from a request to its answer, waiting included.",
            ("route",),
            registry=self.registry,
            buckets=REQUEST_SECONDS,
        )
        self._searches = Histogram(
            "warraq_search_duration_seconds",
            "Time of a search.",
            registry=self.registry,
            buckets=REQUEST_SECONDS,
        )
        self._stages = Histogram(
            "warraq_search_stage_duration_seconds",
            "Time of each stage of a search.",
            ("stage",),
            registry=self.registry,
            buckets=STAGE_SECONDS,
        )
        self._degraded = Counter(
            "warraq_searches_degraded",
            "Searches answered by words alone, since the model failed.",
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)
        self.registry.register(_State(app))

    def count(self, method: str, route: str, status: int) -> None:
        self._requests.labels(method, route, str(status)).inc()

    def count_request(self, status: int, seconds: float) -> None:
        self.count(_method(), _route(), status)
        self._seconds.labels(_route()).observe(seconds)

    def count_search(self, result: SearchResult) -> None:
        self._searches.observe(result.took_ms / 1_000)
        for stage, milliseconds in result.stages.items():
            self._stages.labels(stage if stage in STAGES else "other").observe(milliseconds / 1_000)
        if result.without_model:
            self._degraded.inc()

    def collect(self) -> Iterator[Metric]:
        """Yield the figures, without the times at which each series began."""
        for metric in self.registry.collect():
            metric.samples = [each for each in metric.samples if not each.name.endswith("_created")]
            yield metric


class _State(Collector):
    """What is read when it is asked for: the index that is served, the gate, the vector cache."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._cache: dict[str, Any] = {}
        self._read_at = -float("inf")
        self._reading = threading.Lock()

    def describe(self) -> Iterator[Metric]:
        return iter(())  # what it collects depends on the index

    def collect(self) -> Iterator[Metric]:
        yield from self._index()
        gate: Gate | None = self._app.extensions.get("gate")
        if gate:
            yield from _of_gate(gate)
        yield from self._vectors()

    def _index(self) -> Iterator[Metric]:
        service: SearchService = self._app.extensions["search"]
        searcher = service.opened()
        yield _gauge("warraq_index_open", "Whether an index is open, 1 or 0.", searcher is not None)
        if searcher is None:
            return
        documents, passages = searcher.size()
        built = datetime.fromisoformat(searcher.store.manifest.built)
        info = {"generation": searcher.generation}
        yield InfoMetricFamily("warraq_index", "The generation of the index that is served.", info)
        yield _gauge("warraq_index_documents", "Articles that are searched.", documents)
        yield _gauge("warraq_index_passages", "Passages that are searched.", passages)
        yield _gauge("warraq_index_built_timestamp_seconds", "When it was built.", built.timestamp())
        damaged = searcher.store.damage is not None
        yield _gauge("warraq_index_newer_damaged", "Whether a newer generation is damaged, 1 or 0.", damaged)

    def _vectors(self) -> Iterator[Metric]:
        facts = self._cache_facts()
        if facts.get("vectors") is not None:
            yield _gauge("warraq_vector_cache_vectors", "Vectors in the cache.", facts["vectors"])
        if "bytes" in facts:
            yield _gauge("warraq_vector_cache_bytes", "Size of the vector cache's files.", facts["bytes"])

    def _cache_facts(self) -> dict[str, Any]:
        """Return what the vector cache holds, or held a moment ago."""
        if monotonic() >= self._read_at + CACHE_READ_EVERY and self._reading.acquire(blocking=False):
            try:
                self._cache = cache_facts(self._app.extensions["search"].index)
            except Exception:  # whatever it is: the other figures still count
                log.warning("The vector cache could not be looked at", exc_info=True)
                self._cache = {}
            finally:
                self._read_at = monotonic()
                self._reading.release()
        return self._cache


def _of_gate(gate: Gate) -> Iterator[Metric]:
    yield _gauge("warraq_requests_working", "Requests that are being worked on.", gate.inside)
    yield _gauge("warraq_requests_waiting", "Requests that wait to be worked on.", gate.waiting)
    refused = CounterMetricFamily(
        "warraq_requests_refused",
        "Requests refused since too much was asked: at once (full), or after waiting (late).",
        labels=["reason"],
    )
    for reason, count in gate.refused.items():
        refused.add_metric([reason], count)
    yield refused


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value)


# --- log


def configure(log_queries: bool = False, stream: TextIO | None = None) -> None:
    """Log to stderr, a JSON object a line; for the program that serves, never for a library.

    `log_queries` adds the words of questions, which otherwise no line holds.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Line(log_queries))
    handler.addFilter(_without_path)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for ours in ("web", "indexer"):
        logging.getLogger(ours).setLevel(logging.INFO)
    logging.captureWarnings(True)
    threading.excepthook = _log_thread
    if log_queries:
        requests.addFilter(_with_query)


class _Line(JsonFormatter):
    """A record as JSON in ASCII, in which no character of anybody's can end a line or turn its order."""

    def __init__(self, messages: bool) -> None:
        super().__init__(["message"], rename_fields={"message": "event", "exc_info": "traceback"})
        self._messages = messages

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        log_data["time"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        log_data["level"] = record.levelname.lower()
        log_data["logger"] = record.name
        asked = has_request_context() or record.name == "waitress"
        if record.exc_info and asked and not self._messages:  # messages may quote what was asked
            message_dict["exc_info"] = _places(record.exc_info[1])
        super().add_fields(log_data, record, message_dict)
        if has_request_context() and "request_id" in g:
            log_data["request_id"] = g.request_id


def _places(error: BaseException | None) -> str:
    """Return where an error and those behind it happened, and of which class they are."""
    parts: list[str] = []
    while error is not None and len(parts) < 8:
        name = f"{type(error).__module__}.{type(error).__qualname__}"
        parts.insert(0, "".join(traceback.format_tb(error.__traceback__)) + name)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(parts)


def _with_query(record: logging.LogRecord) -> bool:
    if has_request_context() and "q" in request.args:
        record.query = request.args["q"][:QUERY_LENGTH]
    return True


def _without_path(record: logging.LogRecord) -> bool:
    """Take the path out of what waitress says of a request that it could not serve."""
    if record.name == "waitress" and isinstance(record.msg, str):
        fact, serving, _path = record.msg.partition(" while serving ")
        record.msg = f"{fact}{serving}a request" if serving else fact
    return True


def _log_thread(error: threading.ExceptHookArgs) -> None:
    if error.exc_type is not SystemExit:
        facts: Any = (error.exc_type, error.exc_value, error.exc_traceback)
        log.error("A thread ended with an error", exc_info=facts)
