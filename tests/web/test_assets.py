"""The files of the pages: served from a table, whole, with long caching; and the rules for their content."""

import hashlib
import re

import pytest
from flask import Flask

from indexer import Searcher, build_index
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from tests.support.fakes import FakeModel
from tests.support.html_checks import page_of
from tests.support.paths import ROOT
from web import SearchService, assets, create_app

STATIC, TEMPLATES = ROOT / "web" / "pages" / "static", ROOT / "web" / "pages" / "templates"
NAMES = sorted(each.name for each in STATIC.iterdir())
SHEETS = [each for each in NAMES if each.endswith(".css")]
SCRIPTS = [each for each in NAMES if each.endswith(".js")]
TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
PAGE_WEIGHT, SCRIPT_WEIGHT = 150_000, 12_000  # bytes


@pytest.fixture
def app(archive, index, model):
    build_index(archive, index, model)
    return create_app(
        SearchService(
            index, None, lambda *_: Searcher(GenerationReader.open(IndexFolder(index)), FakeModel())
        )
    )


@pytest.fixture
def client(app):
    return app.test_client()


def address_of(app, name):
    with app.test_request_context():
        return app.jinja_env.globals["asset"](name)


# --- serving


@pytest.mark.parametrize("name", NAMES)
def test_file_is_served_exactly_and_cacheable_forever(app, client, name):
    content = (STATIC / name).read_bytes()
    address = address_of(app, name)
    assert address == f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:16]}"
    response = client.get(address)
    assert (response.status_code, response.data) == (200, content)
    assert response.headers["Content-Type"] == TYPES[name.rpartition(".")[2]]
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in response.headers
    assert "Vary" not in response.headers
    head = client.head(address)
    assert (head.status_code, head.data, int(head.headers["Content-Length"])) == (200, b"", len(content))


@pytest.mark.parametrize("query", ["", "?v=", "?v=0123456789abcdef", "?V={version}", "?v=x&v={version}"])
def test_address_without_a_content_hash_is_revalidated(app, client, query):
    version = address_of(app, "style.css").partition("v=")[2]
    response = client.get("/static/style.css" + query.format(version=version))
    assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-cache")


def test_matching_etag_gives_304(client):
    first = client.get("/static/style.css")
    tag = first.headers["ETag"]
    again = client.get("/static/style.css", headers={"If-None-Match": tag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    other = client.get("/static/style.css", headers={"If-None-Match": '"other"'})
    assert (other.status_code, other.data) == (200, first.data)


@pytest.mark.parametrize(
    "path",
    ["../search.py", "..%2fsearch.py", "%2e%2e/search.py", "%2e%2e%2fsearch.py", "..\\search.py", "..%5csearch.py", "style.css/", "style.css/x",
     "/style.css", "//etc/passwd", "%2fetc%2fpasswd", ".", "..", "", "STYLE.CSS", "style.css%00", "style.css%20", "./style.css", "none.css",
     "style.css::$DATA", "~", "%252e%252e%252fsearch.py"],
)  # fmt: skip
def test_a_path_never_reaches_the_file_system(client, path):
    response = client.get(f"/static/{path}")
    assert response.status_code == 404


def test_files_are_read_once_at_start(tmp_path):
    folder = tmp_path / "pages" / "static"
    folder.mkdir(parents=True)
    (folder / "a.css").write_text("a {}")
    app = Flask("some", root_path=tmp_path, static_folder=None)
    assets.register(app)
    (folder / "a.css").write_text("changed")
    (folder / "b.css").write_text("new")
    client = app.test_client()
    assert client.get("/static/a.css").data == b"a {}"
    assert client.get("/static/b.css").status_code == 404
    with app.test_request_context(), pytest.raises(KeyError):
        app.jinja_env.globals["asset"]("b.css")


def test_file_of_unknown_type_raises_an_error(tmp_path):
    (tmp_path / "a.exe").write_bytes(b"")
    with pytest.raises(KeyError):
        assets.read_assets(tmp_path)


def test_changed_content_changes_the_address(tmp_path):
    (tmp_path / "a.css").write_text("a {}")
    before = assets.read_assets(tmp_path)["a.css"].version
    (tmp_path / "a.css").write_text("a { }")
    assert assets.read_assets(tmp_path)["a.css"].version != before


def test_every_file_that_a_template_names_is_there():
    named = {
        name
        for template in TEMPLATES.iterdir()
        for name in re.findall(r"""asset\(["']([^"']+)["']\)""", template.read_text("utf-8"))
    }
    assert named == set(NAMES)


# --- what they hold


def test_pages_are_light(client):
    page = page_of(client, "/?q=Geneva&limit=100")
    weight = len(page.source.encode())
    for place in [each["href"] for each in page.all("link")] + [each["src"] for each in page.all("script")]:
        weight += len(client.get(place).data)
    assert weight < PAGE_WEIGHT
    assert (STATIC / "app.js").stat().st_size < SCRIPT_WEIGHT


@pytest.mark.parametrize("name", NAMES)
def test_pages_load_nothing_from_other_sites(name):
    text = (STATIC / name).read_text("utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"https?:|//\w+\.\w|@import|@font-face|url\(|src\s*=|data:", text)


@pytest.mark.parametrize("name", SHEETS)
def test_style_sheets_use_logical_directions_only(name):
    text = re.sub(r"/\*.*?\*/", "", (STATIC / name).read_text("utf-8"), flags=re.S)
    physical = re.findall(
        r"(?<![\w-])(?:left|right|(?:margin|padding|border)-(?:left|right|top|bottom)(?:-\w+)?|text-align:\s*(?:left|right)"
        r"|float:\s*(?:left|right))(?![\w-])",
        text,
    )
    assert physical == []
    assert "!important" not in text.replace("[hidden] { display: none !important; }", "")


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_make_no_markup_of_text(name):
    text = (STATIC / name).read_text("utf-8")
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setTimeout\(\s*[\"']|\.style\b",
        text,
    )


def channel(value):
    value /= 255
    return value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4


def contrast(one, other):
    """The contrast of two colours as WCAG 2 has it."""
    lights = sorted(
        sum(
            part * channel(int(colour[at : at + 2], 16))
            for part, at in zip((0.2126, 0.7152, 0.0722), (1, 3, 5), strict=True)
        )
        for colour in (one, other)
    )
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def test_contrast_is_what_wcag_computes():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_have_contrast(scheme):
    text = (STATIC / "style.css").read_text("utf-8")
    light, dark = re.findall(r":root \{(.*?)\}", text, flags=re.S)[:2]
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light))
    if scheme == "dark":
        assert "prefers-color-scheme: dark" in text[: text.index(dark)]
        colours |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", dark))
    for ground in ("paper", "leaf"):
        for ink in ("ink", "quiet", "rubric"):
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
        assert contrast(colours["edge"], colours[ground]) >= 3, ground  # of boxes and buttons
    assert contrast(colours["ink"], colours["mark"]) >= 4.5
    assert contrast(colours["on-rubric"], colours["rubric"]) >= 4.5
    assert contrast(colours["rubric"], colours["ink"]) >= 1.5  # links differ from text by their underline too
