"""Below a path of a proxy: every address of every page and answer leads back to the program."""

import re

import pytest

from indexer.errors import RequestError
from tests.support.fakes import open_fake
from tests.support.html_checks import page_of
from web import SearchService, create_app
from web.prefix import Prefixed, read_prefix

PREFIX = "/a/warraq"
PAGES = ["/", "/?q=winter&limit=2", "/?q=winter&source=wire", "/?q=zzz&mode=lexical&lang=ar", "/articles", "/articles?source=nobody",
         "/sources", "/similar?doc_id=talks.txt&passage=1", "/documents/talks.txt?q=grain", "/docs", "/docs/examples",
         "/nothing", "/?q="]  # fmt: skip


def client_below(press, prefix=PREFIX, *, trusted=False):
    app = create_app(SearchService(press / "index", None, open_fake))
    app.wsgi_app = Prefixed(app.wsgi_app, prefix, trusted=trusted)
    return app.test_client()


@pytest.mark.parametrize("strips", [True, False])
@pytest.mark.parametrize("path", PAGES)
def test_addresses_of_every_page_lie_below_the_prefix(press, path, strips):
    client = client_below(press)
    response = client.get(path if strips else PREFIX + path)
    page = page_of(client, path, response.status_code)
    addresses = [
        element.attributes[name]
        for element in page.elements
        for name in ("href", "src", "action", "data-suggest", "value")
        if element.attributes.get(name, "").startswith("/")
    ]
    assert len(addresses) > 5
    assert [address for address in addresses if not address.startswith(f"{PREFIX}/")] == []
    whole = re.findall(r"http://localhost(/[^\s\"'<&?]*)", response.get_data(as_text=True))
    assert [address for address in whole if not f"{address}/".startswith(f"{PREFIX}/")] == []
    linked = {
        address.partition("#")[0]
        for address in addresses
        if address.startswith((f"{PREFIX}/static", f"{PREFIX}/documents"))
    }
    assert {client.get(address).status_code for address in linked} == {200}


def test_addresses_of_the_api_and_of_exports_lie_below_the_prefix(press):
    client = client_below(press)
    for path in (
        "/api/v1/search?q=winter&limit=2",
        "/api/v1/documents?limit=2",
        "/api/v1/similar?doc_id=talks.txt&passage=1&limit=1",
    ):
        answer = client.get(path).get_json()
        assert answer["next"].startswith(f"{PREFIX}/api/v1/")
        assert client.get(answer["next"]).status_code == 200
        urls = re.findall(r'"url":\s*"([^"]+)"', client.get(path).get_data(as_text=True))
        assert urls
        assert all(url.startswith(f"{PREFIX}/documents/") for url in urls)
    exported = client.get("/export.jsonl?q=winter").get_data(as_text=True)
    assert f"http://localhost{PREFIX}/documents/" in exported
    feed = client.get("/articles?format=atom").get_data(as_text=True)
    assert f'href="http://localhost{PREFIX}/documents/' in feed


def test_choosing_a_language_stays_below_the_prefix(press):
    client = client_below(press)
    page = page_of(client, "/articles", 200)
    (here,) = {element["value"] for element in page.all("input") if element.attributes.get("name") == "next"}
    assert here == f"{PREFIX}/articles"
    response = client.post("/settings", data={"language": "ar", "next": here})
    assert response.headers["Location"] == here
    assert f"Path={PREFIX}" in response.headers["Set-Cookie"]
    response = client.post("/settings", data={"language": "ar", "next": "//elsewhere"})
    assert response.headers["Location"] == f"{PREFIX}/"


@pytest.mark.parametrize(
    ("trusted", "header", "expected"),
    [
        (True, "/site", "/site/"), (True, "/site/", "/site/"), (True, "/", "/own/"), (True, "", "/own/"), (False, "/site", "/own/"),
        (True, "//evil", "/own/"), (True, "/a b", "/own/"), (True, "/../x", "/own/"), (True, "https://evil", "/own/"),
        (True, "/x" * 200, "/own/"),
    ],
)  # fmt: skip
def test_header_of_a_trusted_proxy_comes_first(press, trusted, header, expected):
    client = client_below(press, "/own", trusted=trusted)
    page = client.get("/", headers={"X-Forwarded-Prefix": header}).get_data(as_text=True)
    assert f'class="name" href="{expected}"' in page


@pytest.mark.parametrize(("text", "prefix"), [("", ""), ("/", ""), ("/a", "/a"), ("/a/b/", "/a/b")])
def test_prefix_is_a_path_without_its_last_slash(text, prefix):
    assert read_prefix(text) == prefix


@pytest.mark.parametrize("text", ["a", "//a", "/a//b", "/a?b", "/..", "/a/./b", "/é", "/" + "a" * 200])
def test_what_is_no_path_is_refused(text):
    with pytest.raises(RequestError, match="must be a path"):
        read_prefix(text)
