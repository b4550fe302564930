"""Metrics for Prometheus: requests, time by stage of a search, refusals, the index and the vector cache.

They contain no query and no address: a request is labelled by its route, such as
`/documents/<document:doc_id>`.
"""

import logging
import threading
from collections.abc import Iterator
from time import monotonic
from typing import Any

from flask import Flask, current_app, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from indexer import SearchResult
from indexer.web_support import cache_facts
from web.server.concurrency import Gate
from web.service import SearchService

log = logging.getLogger(__name__)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
STAGES = frozenset({"encode", "dense", "lexical", "fuse", "fetch"})
# Counting 100,000 vectors takes a millisecond, but up to five seconds while a build locks the cache.
CACHE_READ_EVERY = 60  # seconds
REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
STAGE_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)


def record_search(result: SearchResult) -> None:
    """Record the metrics of a search by the current request."""
    g.generation = result.generation
    _metrics().count_search(result)


def render_metrics() -> bytes:
    """Return the metrics of the current application in Prometheus's text format."""
    return generate_latest(_metrics())


def _metrics() -> "Metrics":
    app_metrics: Metrics = current_app.extensions["metrics"]
    return app_metrics


def route_label() -> str:
    """Return the route of the current request, never its address; "none" for an unknown address."""
    return request.url_rule.rule if request.url_rule else "none"


def method_label() -> str:
    return request.method if request.method in METHODS else "other"


class Metrics:
    """The metrics of one application, in a registry of its own."""

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
        self.registry.register(_StateCollector(app))

    def count(self, method: str, route: str, status: int) -> None:
        self._requests.labels(method, route, str(status)).inc()

    def count_request(self, status: int, seconds: float) -> None:
        self.count(method_label(), route_label(), status)
        self._seconds.labels(route_label()).observe(seconds)

    def count_search(self, result: SearchResult) -> None:
        self._searches.observe(result.took_ms / 1_000)
        for stage, milliseconds in result.stages.items():
            self._stages.labels(stage if stage in STAGES else "other").observe(milliseconds / 1_000)
        if result.without_model:
            self._degraded.inc()

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics, without the samples of when each series was created."""
        for metric in self.registry.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric


class _StateCollector(Collector):
    """Collect metrics that are read at each scrape: the served index, the gate, the vector cache."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._cache: dict[str, Any] = {}
        self._read_at = -float("inf")
        self._reading = threading.Lock()

    def describe(self) -> Iterator[Metric]:
        return iter(())  # the metrics depend on the index, so none are announced

    def collect(self) -> Iterator[Metric]:
        yield from self._index()
        gate: Gate | None = self._app.extensions.get("gate")
        if gate:
            yield from _gate_metrics(gate)
        yield from self._vectors()

    def _index(self) -> Iterator[Metric]:
        service: SearchService = self._app.extensions["search"]
        searcher = service.opened()
        yield _gauge("warraq_index_open", "Whether an index is open, 1 or 0.", searcher is not None)
        if searcher is None:
            return
        documents, passages = searcher.size()
        info = {"generation": searcher.generation}
        yield InfoMetricFamily("warraq_index", "The generation of the index that is served.", info)
        yield _gauge("warraq_index_documents", "Articles that are searched.", documents)
        yield _gauge("warraq_index_passages", "Passages that are searched.", passages)
        yield _gauge("warraq_index_built_timestamp_seconds", "When it was built.", searcher.built.timestamp())
        damaged = searcher.damage is not None
        yield _gauge("warraq_index_newer_damaged", "Whether a newer generation is damaged, 1 or 0.", damaged)

    def _vectors(self) -> Iterator[Metric]:
        facts = self._cache_facts()
        if facts.get("vectors") is not None:
            yield _gauge("warraq_vector_cache_vectors", "Vectors in the cache.", facts["vectors"])
        if "bytes" in facts:
            yield _gauge("warraq_vector_cache_bytes", "Size of the vector cache's files.", facts["bytes"])

    def _cache_facts(self) -> dict[str, Any]:
        """Return the figures of the vector cache, at most about CACHE_READ_EVERY seconds old."""
        if monotonic() >= self._read_at + CACHE_READ_EVERY and self._reading.acquire(blocking=False):
            try:
                self._cache = cache_facts(self._app.extensions["search"].index)
            except Exception:  # whatever the error, the other metrics must still be served
                log.warning("The vector cache could not be looked at", exc_info=True)
                self._cache = {}
            finally:
                self._read_at = monotonic()
                self._reading.release()
        return self._cache


def _gate_metrics(gate: Gate) -> Iterator[Metric]:
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
