"""Access: allowed names, origins and secrets; and the headers of every answer."""

import base64
import contextlib
import json
import re
import socket
import threading
from urllib.parse import urlsplit

import pytest

from tests.support.command_line import runner
from tests.support.fakes import open_fake
from web import Guard, SearchService, create_app
from web.server.security import ALLOWED_FAILURES, CLIENTS_KEPT, HEADERS, FailedAttempts
from web.server.serving import BODY_SIZE, HEADER_SIZE, Server

SEARCH = "/api/v1/search?q=Geneva"
SECRET = "سرّ the harbour-master's"


@pytest.fixture(scope="module")
def service(press):
    return SearchService(press / "index", None, open_fake)


@pytest.fixture
def client(service):
    return create_app(service).test_client()


def asked(client, address=SEARCH, host="localhost", **headers):
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get(address, headers={"Host": host, **sent}, buffered=True)


def test_page_of_another_site_changes_nothing_even_where_any_name_is_answered(service):
    client = create_app(service, guard=Guard(None, None)).test_client()
    form = {"language": "ar"}
    assert client.post("/settings", data=form, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.post("/settings", data=form, headers={"Sec-Fetch-Site": "same-origin"}).status_code < 400


def test_wrong_secrets_are_slowed_and_the_others_are_not(service):
    guard = Guard.of("127.0.0.1", secret=SECRET)
    client = create_app(service, guard=guard).test_client()

    def status(secret):
        coded = base64.b64encode(f":{secret}".encode()).decode()
        return asked(client, Authorization=f"Basic {coded}").status_code

    assert [status("wrong") for _ in range(ALLOWED_FAILURES)] == [401] * ALLOWED_FAILURES
    assert 429 in {status("wrong") for _ in range(3)}  # part of a failure is forgotten meanwhile
    assert status(SECRET) == 429  # whether it is right is not told
    assert asked(client).status_code == 401  # without a secret, as every browser asks first


def test_failures_are_forgotten_one_a_second_and_for_the_oldest_clients_first():
    now = [0.0]
    failed = FailedAttempts(lambda: now[0])
    for _ in range(ALLOWED_FAILURES):
        assert failed.may_try("a")
        failed.add("a")
    assert not failed.may_try("a")
    assert failed.may_try("b")
    now[0] = 0.5
    assert failed.may_try("a")
    failed.add("a")
    assert not failed.may_try("a")
    for number in range(CLIENTS_KEPT):
        failed.add(str(number))
    assert failed.may_try("a")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n", 400),
        ("GET http://localhost/livez HTTP/1.1\r\nHost: localhost\r\n", 200),
        ("GET /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + "9" * 5_000 + "\r\n", 400),
    ],
    ids=["other authority", "same authority", "length of 5,000 digits"],
)
def test_target_and_length_of_a_request_are_what_they_say(service, head, status):
    server = Server(create_app(service), "127.0.0.1", 0)
    port = server.port
    head = head.replace("localhost", f"localhost:{port}")
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(f"{head}Connection: close\r\n\r\n".encode())
            answer = connection.makefile("rb").read()
        assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer[:200]
    finally:
        server.stop()
        thread.join(10)


# --- headers


@pytest.mark.parametrize(
    ("address", "status"),
    [("/", 200), (SEARCH, 200), ("/?q=Geneva", 200), ("/static/style.css", 200), ("/documents/talks.txt", 200),
     ("/livez", 200), ("/nothing", 404), ("/api/v1/nothing", 404), ("/api/v1/search", 400), ("/?q=", 400)],
)  # fmt: skip
def test_every_answer_has_the_headers(client, address, status):
    response = client.get(address, buffered=True)
    assert response.status_code == status
    assert {name: response.headers[name] for name in HEADERS} == HEADERS


def test_content_policy_allows_only_same_origin_and_no_inline_code(client):
    policy = dict(
        each.strip().partition(" ")[::2]
        for each in client.get("/").headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert "unsafe" not in str(policy)
    assert {value for name, value in policy.items() if name.endswith("-src")} == {"'none'", "'self'"}
    assert (policy["frame-ancestors"], policy["base-uri"]) == ("'none'", "'none'")


# --- names


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:5000", "127.0.0.1", "127.0.0.1:80", "[::1]:5000", "LOCALHOST", "localhost."],
)
def test_server_answers_under_the_names_of_this_machine(client, host):
    assert asked(client, host=host).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:5000", "127.0.0.1.evil.example", "localhost.evil.example", "evil.example:127",
     "127.0.0.1@evil.example", "evil.example@127.0.0.1", "localhost/evil", "localhost:x", "127.0.0.2", "[::2]",
     "0.0.0.0", "local host", "::1:", "localhost#", "localhost:123456", "localhost..", ".localhost", "a..b", "."],
)  # fmt: skip
def test_any_other_name_is_refused(client, host):
    response = asked(client, host=host)
    assert (response.status_code, response.json["code"]) == (400, "bad_host")
    assert asked(client, "/", host).status_code == 400
    assert asked(client, "/livez", host).status_code == 400


def test_other_names_are_allowed_by_name(service):
    client = create_app(service, Guard.of("192.0.2.7", ["Archive.Example", "[2001:db8::1]"])).test_client()
    for host in (
        "archive.example",
        "archive.example:443",
        "192.0.2.7:5000",
        "[2001:db8::1]:5000",
        "localhost",
    ):
        assert asked(client, host=host).status_code == 200
    assert asked(client, host="other.example").status_code == 400


@pytest.mark.parametrize(
    "name", ["archive.example:8080", "https://archive.example/", "a b", "", "..", "a..b", "[::1]:80"]
)
def test_invalid_allowed_name_is_refused(serve, name):
    done, started = serve("--allowed-host", name)
    assert (done.status, started) == (2, [])
    assert done.err.count("\n") == 1
    assert "is no name of a server" in done.err


def test_internationalized_name_is_allowed_in_punycode(service):
    client = create_app(service, Guard.of("127.0.0.1", ["أرشيف.example"])).test_client()
    assert asked(client, host="xn--igb2aj6c2b.example").status_code == 200


def test_invalid_host_name_is_reported_as_a_page(service):
    """Such a name keeps Flask from making any address; the page that refuses it needs none."""
    client = create_app(service, Guard.of("0.0.0.0", any_name=True)).test_client()
    for address in ("/", "/nothing", "/livez"):
        response = asked(client, address, "a..b")
        assert response.status_code == 400
        assert response.headers["X-Request-Id"]


def test_any_name_is_allowed_only_on_request(service):
    client = create_app(service, Guard.of("0.0.0.0", any_name=True)).test_client()
    assert asked(client, host="whatever.example").status_code == 200


@pytest.mark.parametrize(
    "origin", ["http://localhost:5000", "http://127.0.0.1", "https://localhost", "http://[::1]:5000"]
)
def test_same_site_pages_may_send_requests(client, origin):
    assert asked(client, Origin=origin).status_code == 200


@pytest.mark.parametrize(
    "origin",
    ["null", "", "http://evil.example", "https://localhost.evil.example", "localhost", "file://",
     "chrome-extension://localhost", "http://localhost..", "ws://127.0.0.1"],
)  # fmt: skip
def test_pages_of_other_sites_may_not_send_requests(client, origin):
    response = asked(client, Origin=origin)
    assert (response.status_code, response.json["code"]) == (403, "bad_origin")


# --- the secret


@pytest.fixture
def guarded(service):
    return create_app(service, Guard(secret=SECRET)).test_client()


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    "given", [basic("", SECRET), basic("anybody", SECRET), basic("", SECRET).replace("Basic", "basic")]
)
def test_browser_sends_the_secret_as_a_password(guarded, given):
    for address in ("/", SEARCH, "/static/style.css"):
        assert asked(guarded, address, Authorization=given).status_code == 200


@pytest.mark.parametrize("secret", ["a-token-of-ascii", "سر طويل جدا", "clé très secrète"])
def test_program_sends_the_secret_as_a_bearer_token(service, secret):
    client = create_app(service, Guard(secret=secret)).test_client()
    sent = secret.encode().decode("latin-1")  # the bytes of UTF-8, as WSGI hands them over
    assert asked(client, Authorization=f"Bearer {sent}").status_code == 200
    assert asked(client, Authorization=basic("", secret)).status_code == 200
    assert asked(client, Authorization=f"Bearer {sent[:-1]}").status_code == 401


@pytest.mark.parametrize(
    "given",
    [None, "", "Basic", "Bearer", "Bearer ", "Basic ====", "Basic " + "A" * 999, basic("", ""), basic("", SECRET + "x"),
     basic(SECRET, ""), basic("", SECRET[:-1]), "Digest " + SECRET[6:], "Basic \xff", basic("", SECRET)[6:]],
)  # fmt: skip
def test_request_without_the_secret_is_refused(guarded, given):
    headers = {} if given is None else {"Authorization": given}
    for address in ("/", SEARCH, "/documents/talks.txt", "/static/style.css", "/nothing"):
        response = asked(guarded, address, **headers)
        assert response.status_code == 401
        assert "Geneva" not in response.get_data(as_text=True).replace("q=Geneva", "")
        challenges = response.headers.getlist("WWW-Authenticate")
        assert [each.partition(" ")[0] for each in challenges] == ["Basic", "Bearer"]


def test_probes_need_no_secret(guarded):
    assert asked(guarded, "/livez").status_code == 200
    asked(guarded, "/readyz")
    assert asked(guarded, "/readyz").status_code in (200, 503)


# --- the command


@pytest.fixture
def serve(monkeypatch, capsys):
    """Run `warraq serve`; returns what it did, and the guards of the servers that it would have started."""
    started = []
    monkeypatch.setattr("web.serve", lambda *arguments, **said: started.append((arguments[-1], said)))
    monkeypatch.delenv("WARRAQ_SECRET", raising=False)
    run = runner(monkeypatch, capsys)
    return lambda *arguments: (run("serve", *arguments), started)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "archive.example"])
@pytest.mark.parametrize("half", [[], ["--allowed-host", "a.example"], ["--secret-file", "{secret}"]])
def test_public_address_needs_a_name_and_a_secret(serve, tmp_path, host, half):
    (tmp_path / "secret").write_text("long enough")
    (tmp_path / "secret").chmod(0o600)
    done, started = serve("--host", host, *(each.format(secret=tmp_path / "secret") for each in half))
    assert (done.status, started) == (2, [])
    assert done.err.count("\n") == 1
    for said in (host, "--allowed-host", "--secret-file", "WARRAQ_SECRET", "--insecure"):
        assert said in done.err


def test_public_address_is_accepted_with_both_or_with_explicit_consent(serve, tmp_path, monkeypatch):
    (tmp_path / "secret").write_text("long enough\n")
    done, started = serve(
        "--host", "0.0.0.0", "--allowed-host", "a.example", "--secret-file", tmp_path / "secret", "--proxy"
    )
    assert done.status == 0
    guard, said = started.pop()
    assert (guard.secret, "a.example" in guard.hosts) == ("long enough", True)
    assert said == {"proxy": True, "prefix": "", "log_queries": False}
    monkeypatch.setenv("WARRAQ_SECRET", "from the environment")
    serve("--host", "0.0.0.0", "--allowed-host", "a.example")
    assert started.pop()[0].secret == "from the environment"
    monkeypatch.delenv("WARRAQ_SECRET")
    serve("--host", "0.0.0.0", "--insecure")
    assert started.pop()[0] == Guard(None, None)
    serve("--log-queries")
    assert started.pop() == (Guard(), {"proxy": False, "prefix": "", "log_queries": True})


@pytest.mark.parametrize("content", [b"short", b"", b"\xff\xfe not text at all", None])
def test_invalid_secret_is_refused(serve, tmp_path, content):
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
        (tmp_path / "secret").chmod(0o600)
    done, started = serve("--secret-file", tmp_path / "secret")
    assert (done.status, started) == (2, [])
    assert done.err.count("\n") == 1


def test_secret_that_everybody_can_read_is_warned_of(serve, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("long enough")
    secret.chmod(0o644)
    done, started = serve("--secret-file", secret)
    assert (done.status, len(started)) == (0, 1)
    assert done.err == f"Warning: everybody on this machine can read {secret}. Run: chmod 600 {secret}\n"


# --- through the server itself


@pytest.fixture
def listening(service, request):
    """A server on a free port, with and without a proxy before it."""
    server = Server(create_app(service), "127.0.0.1", 0, proxy=request.param)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield server.port
    server.stop()
    server.stop()
    thread.join(10)
    assert not thread.is_alive()


def whole(port, request):
    """Send bytes and return the answer, to its end."""
    answer = b""
    with contextlib.closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as connection:
        connection.sendall(request)
        with contextlib.suppress(
            ConnectionResetError
        ):  # an oversized request is refused before it has arrived
            while some := connection.recv(4096):
                answer += some
    return answer


def raw(port, request):
    """Send bytes and return the status of the answer."""
    return int(whole(port, request).split()[1])


def get(host="127.0.0.1", *lines, address=b"/livez"):
    head = [b"GET " + address + b" HTTP/1.1", b"Host: " + host.encode(), *lines, b"Connection: close"]
    return b"\r\n".join(head) + b"\r\n\r\n"


@pytest.mark.parametrize("listening", [False], indirect=True)
def test_oversized_or_malformed_request_is_refused(listening):
    assert raw(listening, get()) == 200
    assert raw(listening, get("evil.example")) == 400
    assert raw(listening, b"GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n") == 400  # no name at all
    assert raw(listening, get("127.0.0.1", b"X-Much: " + b"x" * HEADER_SIZE)) == 431
    much = b"Content-Length: %d" % (BODY_SIZE + 1)
    assert raw(listening, get("127.0.0.1", much)) == 413
    assert raw(listening, b"\0\1\2 no request\r\n\r\n") == 400
    assert raw(listening, get(address=b"/documents/..%2f..%2f..%2fetc%2fpasswd")) == 404
    assert raw(listening, get(address=b"/static/../../../etc/passwd")) == 404
    assert raw(listening, get(address=b"/api/v1/search?q=%ff%fe")) == 400


@pytest.mark.parametrize(("listening", "status"), [(False, 200), (True, 400)], indirect=["listening"])
def test_proxy_headers_are_trusted_only_behind_a_proxy(listening, status):
    forwarded = (
        b"X-Forwarded-For: 192.0.2.9",
        b"X-Forwarded-Host: evil.example",
        b"X-Forwarded-Proto: https",
    )
    assert raw(listening, get("127.0.0.1", *forwarded)) == status
    # What a page of another site can send through a browser: its own name, and a claim to be forwarded.
    for claimed in (b"localhost", b"127.0.0.1", b"evil.example"):
        lines = b"X-Forwarded-For: 192.0.2.9", b"X-Forwarded-Host: " + claimed
        assert raw(listening, get("evil.example", *lines)) == 400
    lines = b"X-Forwarded-For: 192.0.2.9", b"X-Forwarded-Host: localhost"
    assert raw(listening, get("127.0.0.1", *lines)) == 200


def test_malformed_request_gives_a_problem_answer(live):
    for request, status, code in (
        (b"GET / HTTP/1.1\r\nBad Header: x\r\n\r\n", 400, "bad_request"),
        (get("127.0.0.1", b"X-Much: " + b"x" * HEADER_SIZE), 431, "too_large"),
        (get("127.0.0.1", b"Content-Length: %d" % (BODY_SIZE + 1)), 413, "too_large"),
        (get("127.0.0.1", b"Transfer-Encoding: gzip"), 501, "not_implemented"),
        (get("127.0.0.1", b"Transfer-Encoding: chunked", b"Content-Length: 5"), 400, "bad_request"),
    ):
        head, _, body = whole(urlsplit(live).port, request).partition(b"\r\n\r\n")
        told = json.loads(body)
        assert (told["status"], told["code"]) == (status, code)
        assert told["detail"]
        assert b"application/problem+json" in head
        assert b"Content-Security-Policy: default-src 'none'" in head
        assert b"nosniff" in head
        assert re.search(rb"X-Request-Id: [0-9a-f]{16}\b", head)
        assert b"Connection: close" in head
        figures = whole(urlsplit(live).port, get(address=b"/metrics")).decode()
        assert f'warraq_http_requests_total{{method="none",route="none",status="{status}"}}' in figures


def test_unescaped_letters_are_read_as_utf8(live):
    typed = get(address="/api/v1/search?q=السدود&limit=1".encode())
    body = whole(urlsplit(live).port, typed).partition(b"\r\n\r\n")[2]
    assert json.loads(body)["query"] == "السدود"
