"""Metrics: figures that add up, and labels with a fixed set of values."""

import json
import re
import threading
import time
from dataclasses import replace

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from indexer.datatypes import Notice
from indexer.maintenance import cache_facts
from tests.support.observed_app import RESULT, SECRET, FakeService, application
from web import create_app
from web.server import concurrency, metrics


def families(client):
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {item.name: item for item in text_string_to_metric_families(answer.text)}


def figures(client):
    """Return the figures by name and labels: `name{label=value,…}`."""
    return {
        sample.name + (f"{{{','.join(f'{k}={v}' for k, v in sorted(sample.labels.items()))}}}" if sample.labels else ""): sample.value
        for family in families(client).values()
        for sample in family.samples
    }  # fmt: skip


# --- metrics


def test_requests_are_counted_by_method_route_and_status(app):
    client = app.test_client()
    for _ in range(3):
        client.get("/api/v1/documents/a.txt")
    client.get("/api/v1/documents/b/c.txt")
    client.get("/api/v1/search?q=Geneva")
    client.get("/api/v1/search")
    client.head("/api/v1/documents/a.txt")
    client.get(f"/api/{SECRET}")
    client.post("/api/v1/search")
    client.open("/api/v1/search?q=x", method="BREW")
    values = figures(client)
    of = "warraq_http_requests_total{{method={},route={},status={}}}".format
    documents, search = "/api/v1/documents/<path:doc_id>", "/api/v1/search"
    assert {
        name: value for name, value in values.items() if name.startswith("warraq_http_requests_total")
    } == {
        of("GET", documents, 200): 4,
        of("HEAD", documents, 200): 1,
        of("GET", search, 200): 1,
        of("GET", search, 400): 1,
        of("GET", "none", 404): 1,
        of("POST", "none", 405): 1,
        of("other", "none", 405): 1,
    }
    assert values[f"warraq_http_request_duration_seconds_count{{route={documents}}}"] == 5
    assert values["warraq_http_request_duration_seconds_count{route=none}"] == 3
    assert 0 < values[f"warraq_http_request_duration_seconds_sum{{route={search}}}"] < 5
    assert figures(client)[of("GET", "/metrics", 200)] == 1


def test_number_of_series_is_fixed_for_any_request(app):
    client = app.test_client()

    def ask(number):
        client.get(f"/api/v1/documents/{number}")
        client.get(f"/api/{number}?x={number}")
        client.open(f"/api/v1/search?q={number}", method=f"M{number}")

    ask(0)
    families(client)
    before = {*figures(client)}
    for number in range(1, 40):
        ask(number)
    assert {*figures(client)} == before


def test_concurrent_threads_lose_no_count(app):
    def ask():
        client = app.test_client()
        for _ in range(50):
            client.get("/api/v1/documents/x")

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    values = figures(app.test_client())
    route = "route=/api/v1/documents/<path:doc_id>"
    assert values[f"warraq_http_requests_total{{method=GET,{route},status=200}}"] == 400
    assert values[f"warraq_http_request_duration_seconds_count{{{route}}}"] == 400
    assert values[f"warraq_http_request_duration_seconds_bucket{{le=+Inf,{route}}}"] == 400


def test_searches_are_measured_by_stage_and_those_without_a_model_counted(app):
    stages = {"encode": 4.0, "dense": 2.0, "lexical": 0.4, "fuse": 1.0, "fetch": 20.0}
    with app.test_request_context("/api/v1/search?q=x"):
        metrics.record_search(replace(RESULT, stages=stages))
        metrics.record_search(replace(RESULT, took_ms=300.0, stages={"encode": 6.0, "dreaming": 7.0}))
        metrics.record_search(replace(RESULT, warnings=(Notice("undated", "…", 1), Notice("no_model", "…"))))
    values = figures(app.test_client())
    assert values["warraq_search_duration_seconds_count"] == 3
    assert values["warraq_search_duration_seconds_sum"] == pytest.approx(0.36)
    assert values["warraq_search_duration_seconds_bucket{le=0.05}"] == 2
    of = "warraq_search_stage_duration_seconds_{}{{stage={}}}".format
    assert {stage: values[of("count", stage)] for stage in stages} == {
        "encode": 2, "dense": 1, "lexical": 1, "fuse": 1, "fetch": 1,
    }  # fmt: skip
    assert values[of("sum", "encode")] == pytest.approx(0.010)
    assert values[of("sum", "fetch")] == pytest.approx(0.020)
    assert values[of("count", "other")] == 1
    assert values["warraq_search_stage_duration_seconds_bucket{le=0.0005,stage=lexical}"] == 1
    assert values["warraq_searches_degraded_total"] == 1


def test_real_search_is_measured(app):
    client = app.test_client()
    client.get("/api/v1/search?q=Geneva")
    values = figures(client)
    for stage in ("encode", "dense", "lexical", "fuse", "fetch"):
        assert values[f"warraq_search_stage_duration_seconds_count{{stage={stage}}}"] == 1
    total = values["warraq_search_duration_seconds_sum"]
    parts = sum(
        value for name, value in values.items() if name.startswith("warraq_search_stage_duration_seconds_sum")
    )
    assert 0 < parts <= total + 0.001


def test_served_index_is_reported(app, searcher):
    values = figures(app.test_client())
    assert values["warraq_index_open"] == 1
    assert (values["warraq_index_documents"], values["warraq_index_passages"]) == searcher.size() == (2, 2)
    assert values[f"warraq_index_info{{generation={searcher.generation}}}"] == 1
    assert -5 < time.time() - values["warraq_index_built_timestamp_seconds"] < 60
    assert values["warraq_index_newer_damaged"] == 0
    searcher.store.damage = Notice("damage", "The newest is damaged.")
    assert figures(app.test_client())["warraq_index_newer_damaged"] == 1


def test_metrics_are_available_without_an_index(index):
    client = application(index).test_client()
    assert client.get("/api/v1/search?q=x").status_code == 503
    values = figures(client)
    assert values["warraq_index_open"] == 0
    assert not any(name.startswith("warraq_index_info") for name in values)
    assert values["warraq_http_requests_total{method=GET,route=/api/v1/search,status=503}"] == 1
    assert (values["warraq_vector_cache_vectors"], values["warraq_vector_cache_bytes"]) == (0, 0)
    assert values["process_resident_memory_bytes"] > 1e6
    assert not index.exists()


def test_refused_and_waiting_requests_are_reported(built, searcher):
    gate = concurrency.Gate(1, 1, 5)
    client = application(built, searcher, gate).test_client()
    gate.enter()
    waiting = threading.Thread(target=gate.enter)
    waiting.start()
    while not gate.waiting:
        time.sleep(0.005)
    assert [client.get("/api/v1/search?q=x").status_code for _ in range(3)] == [503] * 3
    values = figures(client)
    assert values["warraq_requests_refused_total{reason=full}"] == 3
    assert values["warraq_requests_refused_total{reason=late}"] == 0
    assert (values["warraq_requests_working"], values["warraq_requests_waiting"]) == (1, 1)
    assert values["warraq_http_requests_total{method=GET,route=/api/v1/search,status=503}"] == 3
    gate.leave()
    waiting.join()
    gate.leave()
    assert figures(client)["warraq_requests_working"] == 0


def test_vector_cache_size_is_sampled_at_intervals(app, built, monkeypatch):
    looked = []

    def look(folder):
        looked.append(folder)
        return cache_facts(folder)

    monkeypatch.setattr(metrics, "cache_facts", look)
    client = app.test_client()
    for _ in range(3):
        values = figures(client)
    facts = cache_facts(built)
    assert looked == [built]
    assert values["warraq_vector_cache_vectors"] == facts["vectors"] > 0
    assert values["warraq_vector_cache_bytes"] == facts["bytes"] > 0
    monkeypatch.setattr(metrics, "CACHE_READ_EVERY", 0)
    figures(client)
    assert looked == [built] * 2


def test_unreadable_cache_hides_no_other_metric(app, monkeypatch, caplog):
    def look(folder):
        raise RuntimeError("locked")

    monkeypatch.setattr(metrics, "cache_facts", look)
    values = figures(app.test_client())
    assert "warraq_vector_cache_bytes" not in values
    assert values["warraq_index_documents"] == 2
    assert "vector cache" in caplog.text


def test_metric_names_follow_conventions_and_registries_are_separate(index, app):
    app.test_client().get("/api/v1/search?q=Geneva")
    for name, family in families(app.test_client()).items():
        assert re.fullmatch("(warraq|process)_[a-z_]+", name)
        assert family.documentation
        assert not any(sample.name.endswith("_created") for sample in family.samples)
        for entry in family.samples:
            assert entry.name.endswith("_total") == (family.type == "counter")
            if family.type == "histogram":
                assert name.endswith("_seconds")
            assert {*entry.labels} <= {"method", "route", "status", "stage", "reason", "generation", "le"}
    other = figures(application(index).test_client())
    assert not any(name.startswith("warraq_http_requests_total") for name in other)
    assert not any(item.name.startswith("warraq") for item in REGISTRY.collect())


def test_probes_report_liveness_and_readiness(index, app, searcher):
    client = app.test_client()
    assert client.get("/livez").get_json() == {"status": "alive"}
    assert client.get("/readyz").get_json() == {"status": "ready", "generation": searcher.generation}
    without = application(index).test_client()
    assert without.get("/livez").status_code == 200
    answer = without.get("/readyz")
    assert (answer.status_code, answer.get_json()["status"]) == (503, "no_index")


# --- log


def test_the_pages_and_the_api_are_measured(built, searcher, logged):
    lines = logged()
    client = create_app(FakeService(built, searcher)).test_client()
    for address in ("/?q=Geneva", "/api/v1/search?q=Geneva", "/api/v1/search?q=Vienna&mode=lexical"):
        assert client.get(address).status_code == 200
    refused = client.get(f"/api/v1/search?q={SECRET}", headers={"Host": "elsewhere.test"})
    assert refused.status_code == 400
    values = figures(client)
    assert values["warraq_search_duration_seconds_count"] == 3
    assert values["warraq_search_stage_duration_seconds_count{stage=encode}"] == 2
    assert values["warraq_search_stage_duration_seconds_count{stage=lexical}"] == 3
    assert values["warraq_http_requests_total{method=GET,route=/,status=200}"] == 1
    assert values["warraq_http_requests_total{method=GET,route=/api/v1/search,status=200}"] == 2
    assert values["warraq_http_requests_total{method=GET,route=/api/v1/search,status=400}"] == 1
    entries = [json.loads(line) for line in lines()]
    assert [(item["route"], item["status"]) for item in entries] == [
        ("/", 200), ("/api/v1/search", 200), ("/api/v1/search", 200), ("/api/v1/search", 400),
    ]  # fmt: skip
    assert entries[-1]["request_id"] == refused.headers["X-Request-Id"]
    assert all(entry["generation"] == searcher.generation for entry in entries)
