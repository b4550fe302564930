"""Requests to the API, and parts of its answers."""

SEARCH = "/api/v1/search"


def problem(response, status, code):
    """Check that an answer is a problem (RFC 9457) and return what it says."""
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    body = response.get_json(force=True)
    assert body["status"] == status
    assert body["code"] == code
    assert {"type", "title", "detail"} <= body.keys()
    assert body["detail"]
    return body["detail"]


def read_all_hits(client, address):
    """Every hit of a list, page by page, and the totals of its pages."""
    hits, totals = [], set()
    while address:
        body = client.get(address).get_json()
        hits += body["hits"]
        totals.add(body["total"])
        address = body["next"]
    return hits, totals


def passage_places(hits):
    """File and passage of hits, of where they are also in, and of what they stand for."""
    for hit in hits:
        for source in (hit["source"], *hit["also_in"]):
            yield source["path"], source["passage"]
        yield from passage_places(hit["more"]["hits"] if hit["more"] else [])


DATED = [
    ("a", "wire", "2025-03-01"), ("b", "wire", "2025-03-15"), ("c", "صحيفة المرفأ", "2025-03-15"), ("d", "wire", None),
    ("e", "wire", None), ("f", "post & sons", "2025-04-01"), ("g", "post & sons", None),
]  # fmt: skip


def get_with_etag(client, address, tag):
    return client.get(address, headers={"If-None-Match": tag})
