"""A thousand hostile requests over real sockets: each is refused with the status that is right, none with 500."""

import random
import re
import socket
from collections import Counter
from urllib.parse import quote, urlsplit

import pytest

REQUESTS = 1_000
SECRET = b"root:"  # what a file outside would show
UP = ["..", "%2e%2e", "..%2f..", "%2e%2e%2f", "..%5c", "..;", ".%2e", "%252e%252e", "..%c0%af", "..%00"]
TARGETS = [
    "etc/passwd",
    "etc%2fpasswd",
    "proc/self/environ",
    "index/current",
    "articles.sqlite",
    "web/security.py",
]


def request(line, *headers, host="127.0.0.1", body=b""):
    head = "\r\n".join([line, f"Host: {host}", *headers, "Connection: close", "", ""])
    return head.encode("latin-1") + body


def get(path, *headers, **options):
    return request(f"GET {path} HTTP/1.1", *headers, **options)


def traversal(draw):
    up = "/".join(draw.choice(UP) for _ in range(draw.randint(1, 6)))
    start = draw.choice(["/documents/", "/static/", "/api/v1/documents/", "/", "/documents//", "/static//"])
    path = f"{start}{up}/{draw.choice(TARGETS)}"
    return get(path), 400 if "%c0" in path else 404


def oversize(draw):
    size = draw.randint(1, 4)
    return draw.choice(
        [
            (get(f"/?q={'x' * (33_000 * size)}"), 431),
            (get("/", f"X-Long: {'x' * (33_000 * size)}"), 431),
            (get(f"/api/v1/search?q={'x' * draw.randint(1_001, 20_000)}"), 400),
            (get(f"/api/v1/search?q={quote('ش' * draw.randint(1_001, 3_000))}"), 400),
            (get("/api/v1/search?q=x&limit=" + "9" * draw.randint(4, 9_000)), 400),
            (get("/documents/" + "a" * draw.randint(300, 20_000)), 404),
            (request("POST /settings HTTP/1.1", f"Content-Length: {70_000 * size}", body=b"x" * 70_000), 413),
            (get("/?" + "&".join(f"a{n}={n}" for n in range(5_000))), 431),
        ]
    )


def not_utf8(draw):
    bad = draw.choice(
        ["%ff", "%c3%28", "%e2%82", "%ed%a0%80", "%f8%88%80%80%80", "%c0%80", "%fe%fe", "\xff", "\xc3("]
    )
    return draw.choice(
        [
            (get(f"/?q={bad}"), 400),
            (get(f"/api/v1/search?q=a{bad}b"), 400),
            (get(f"/documents/{bad}.txt"), 400),
            (get(f"/api/v1/documents/{bad}"), 400),
            (get(f"/api/v1/search?{bad}=1&q=x"), 400),
            (get(f"/export.csv?q={bad}"), 400),
        ]
    )


def headers(draw):
    return draw.choice(
        [
            (get("/", "Bad Header: x"), 400),
            (get("/", "X-A: b\r\n folded: c\x00"), 400),
            (get("/", "Content-Length: 5, 6", body=b"xxxxx"), 400),
            (get("/", "Content-Length: 5", "Content-Length: 6", body=b"xxxxx"), 400),
            (get("/", "Content-Length: -1"), 400),
            (get("/", "Content-Length: 1e3"), 400),
            (get("/", "Transfer-Encoding: xchunked"), 501),
            (get("/", "Content-Length: 5", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"), 400),
            (request("POST /settings HTTP/1.1", "Transfer-Encoding: chunked", body=b"zz\r\n"), 400),
            (request("GET  /  HTTP/1.1"), 400),
            (request("GET / HTTP/x.y"), 400),
            (request("BREW / HTTP/1.1"), 405),
            (request("TRACE / HTTP/1.1"), 405),
            (request("DELETE /api/v1/search?q=x HTTP/1.1"), 405),
            (request("PUT /documents/talks.txt HTTP/1.1", "Content-Length: 1", body=b"x"), 405),
            (request("POST /settings HTTP/1.1", "Content-Length: 0"), 400),
            (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),  # TLS: no HTTP at all
        ]
    )


def wrong_host(draw):
    host = draw.choice(
        ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "evil.example:5000", "127.0.0.2",
         "127.0.0.1@evil.example", "[::2]", "0.0.0.0", "localhost, evil.example", "127.0.0.1/evil", "", "[::1",
         "loc\talhost", "2130706433", "user:pass@localhost", "localhost:port", "localhost:123456",
         "localhost..", ".localhost", "evil..example"]
    )  # fmt: skip
    path = draw.choice(
        ["/", "/?q=x", "/api/v1/search?q=x", "/docs", "/metrics", "/export.csv?q=x", "/static/style.css"]
    )
    return get(path, host=host), 400


def wrong_origin(draw):
    origin = draw.choice(
        [
            "http://evil.example",
            "null",
            "https://127.0.0.1.evil.example",
            "file://",
            "http://localhost@evil.example",
        ]
    )
    line = draw.choice(["GET /api/v1/search?q=x", "GET /?q=x", "POST /settings", "GET /export.jsonl?q=x"])
    return request(f"{line} HTTP/1.1", f"Origin: {origin}", "Content-Length: 0"), 403


def parameters(draw):
    value = quote(
        draw.choice(
            ["' OR 1=1 --", "<script>", "../..", "\0", "\u202e", "٣", "1e9", "NaN", "-0.5", "null", "[]"]
        )
    )
    name = draw.choice(
        ["limit", "offset", "mode", "lang", "sort", "copies", "highlight", "from", "to", value]
    )
    return get(f"/api/v1/search?q=x&{name}={value}"), 400


KINDS = [traversal, oversize, not_utf8, headers, wrong_host, wrong_origin, parameters]


def ask(address, content):
    place = urlsplit(address)
    with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
        answer = b""
        try:
            connection.sendall(content)
            while chunk := connection.recv(65_536):
                answer += chunk
        except (BrokenPipeError, ConnectionResetError):
            pass  # an oversized request is refused before all of it has arrived
    return answer


def test_hostile_requests_get_their_status_and_no_internal_details(live):
    draw, statuses, wrong = random.Random(9), Counter(), []
    for number in range(REQUESTS):
        content, expected = KINDS[number % len(KINDS)](draw)
        answer = ask(live, content)
        found = re.match(rb"HTTP/1\.\d (\d{3}) ", answer)
        status = int(found[1]) if found else None
        statuses[status] += 1
        if status != expected:
            wrong.append((content[:160], expected, status, answer[-200:]))
        head, _, body = answer.partition(b"\r\n\r\n")
        assert SECRET not in body
        assert b"Traceback" not in body
        assert b"text/html" not in head or b"<script>" not in body
        assert b"evil.example" not in head
    print(dict(statuses))
    assert wrong == []
    assert 500 not in statuses
    assert set(statuses) <= {400, 403, 404, 405, 413, 431, 501, None}
    good = ask(live, get("/api/v1/search?q=x"))
    assert good.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("header", ["X-Forwarded-Host: evil.example", "X-Forwarded-For: 6.6.6.6", "Forwarded: host=evil.example",
                                    "X-Original-URL: /metrics", "X-HTTP-Method-Override: DELETE", "X-Forwarded-Proto: https"])  # fmt: skip
def test_forged_headers_change_nothing(live, header):
    plain, claimed = ask(live, get("/docs/examples")), ask(live, get("/docs/examples", header))
    assert claimed.startswith(b"HTTP/1.1 200 ")
    assert claimed.partition(b"\r\n\r\n")[2] == plain.partition(b"\r\n\r\n")[2]
