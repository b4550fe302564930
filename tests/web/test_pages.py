"""The pages: what a reader sees, in which direction, and that text is never markup."""

from html.parser import HTMLParser
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import pytest
from fakes import FakeModel

from indexer import Searcher, build_index, direction
from indexer.store.embedded import EmbeddedStore
from indexer.store.generation import IndexFolder
from web import SearchService, create_app

VOID = {"meta", "link", "input", "br", "img", "hr"}
NAMES = [
    "plain.txt", "two words.txt", "a#b.txt", "what?.txt", "100%.txt", "%2F.txt", "a&b=c.txt", 'q"u\'o.txt', "<i>.txt",
    "مقال عن النيل.txt", "folder/sub folder/deep #1.txt", "مجلد/ملف.txt", "a+b.txt", "a;b:c,d@e.txt", "dots...txt",
    " spaces .txt", "back\\slash.txt", "é.txt", "a#1.txt", "a#.txt", "new\nline.txt",
]  # fmt: skip


class Element:
    def __init__(self, tag, attributes, parent):
        self.tag, self.attributes, self.parent, self.text = tag, attributes, parent, ""

    def __getitem__(self, name):
        return self.attributes[name]


class Page(HTMLParser):
    """A page as its elements, each with its attributes and all text inside it."""

    def __init__(self, response):
        super().__init__()
        assert response.content_type == "text/html; charset=utf-8"
        self.elements, self._open = [], []
        self.source = response.get_data(as_text=True)
        self.feed(self.source)
        assert self._open == []

    def handle_starttag(self, tag, attributes):
        element = Element(tag, dict(attributes), self._open[-1] if self._open else None)
        assert len(element.attributes) == len(attributes)
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag):
        assert self._open.pop().tag == tag

    def handle_data(self, data):
        for element in self._open:
            element.text += data

    def all(self, tag, **attributes):
        wanted = {name.rstrip("_"): value for name, value in attributes.items()}
        return [
            each for each in self.elements if each.tag == tag and wanted.items() <= each.attributes.items()
        ]

    def one(self, tag, **attributes):
        (found,) = self.all(tag, **attributes)
        return found


def open_fake(index, model, before):
    return Searcher(EmbeddedStore.open(IndexFolder(index)), FakeModel())


@pytest.fixture
def get(archive, index, model):
    build_index(archive, index, model)
    client = create_app(SearchService(index, None, open_fake)).test_client()
    return lambda address, status=200: page_of(client, address, status)


def page_of(client, address, status=200):
    response = client.get(address)
    assert response.status_code == status
    page = Page(response)
    html = page.one("html")
    assert (html["lang"], html["dir"]) == ("en", "ltr")
    assert page.source.lstrip().startswith("<!doctype html>")
    assert page.all("script") == []
    for each in page.elements:  # nothing comes from elsewhere
        for name in ("href", "src", "action"):
            assert not urlsplit(each.attributes.get(name) or "").netloc
    return page


def asked(**values):
    return f"/?{urlencode(values)}"


def test_home_is_a_box_that_works_without_a_script(get):
    page = get("/")
    form = page.one("form")
    assert (form["method"], form["action"]) == ("get", "/")
    box = page.one("input", name="q")
    assert (box["dir"], box["value"], box["maxlength"]) == ("auto", "", "1000")
    assert page.one("label", for_="q").text
    assert page.all("button", type="submit")
    assert "2 articles" in page.one("main").text


def test_results_show_title_place_language_and_direction(get, archive):
    page = get(asked(q="grain corridor السدود"))
    items = page.all("li")
    assert len(items) == 4
    texts = page.all("p", class_="text")
    for item, text in zip(items, texts, strict=True):
        assert text["dir"] == direction(text["lang"])
        assert text.parent.parent is item
    arabic = [text for text in texts if text["lang"] == "ar"]
    english = [text for text in texts if text["lang"] == "en"]
    assert {text["dir"] for text in arabic} == {"rtl"}
    assert {text["dir"] for text in english} == {"ltr"}
    assert len(arabic) == len(english) == 2
    (water,) = [item for item in items if "السدود امتلأت" in item.text]
    assert "ar/water.txt" in water.text
    assert "lines 1–2" in water.text
    assert "Arabic" in water.text
    titles = [title for title in page.all("h2") if title.parent.parent in items]
    assert {(title.text, title["lang"], title["dir"]) for title in titles} == {
        ("Talks in Geneva", "en", "ltr"),
        ("أزمة المياه في الأردن", "ar", "rtl"),
    }
    for text in texts:
        path = next(each for each in page.all("bdi", class_="path") if each.parent.parent is text.parent).text
        assert text.text in (archive / path).read_text("utf-8")


def test_each_result_leads_to_its_passage(get):
    page = get(asked(q="grain corridor", lang="en"))
    for item, text in zip(page.all("li"), page.all("p", class_="text"), strict=True):
        link = next(
            each for each in page.all("a") if each.parent.tag == "h2" and each.parent.parent.parent is item
        )
        address = urlsplit(link["href"])
        passage = get(address.path).one("div", id=address.fragment)
        assert text.text in passage.text


@pytest.mark.parametrize(
    "query",
    ["<script>alert(1)</script>", '"><b onclick=x>', "</title>", "{{ 7*7 }}", "a&amp;b", "'", "\u202eabc", "سلام؟", "a\0b",
     "😀", "-->", "<!--"],
)  # fmt: skip
def test_the_question_comes_back_as_text_and_nothing_else(get, query):
    plain = get(asked(q="Geneva"))
    page = get(asked(q=query))
    box = page.one("input", name="q")
    assert box["dir"] == "auto"
    if "\0" not in query:  # which HTML itself cannot hold
        assert box["value"] == query
        assert query in page.one("title").text
    # Whatever is asked, the page is of the same elements; words that match are marked.
    assert sorted(each.tag for each in page.elements if each.tag != "mark") == sorted(
        each.tag for each in plain.elements if each.tag != "mark"
    )


def test_matching_words_are_marked_whole(get):
    page = get(asked(q="corridors in Geneva?"))
    marked = {each.text for each in page.elements if each.tag == "mark"}
    assert marked == {"corridor", "Geneva"}


def test_text_of_articles_is_never_markup(archive, index, model):
    hostile = "<script>alert('x')</script> & <b>bold</b> {{ 7*7 }} </p></article> \"quoted\" words"
    (archive / "hostile.txt").write_text(f"<img src=x onerror=alert(1)>\n\n{hostile}\n\n{hostile}\n", "utf-8")
    build_index(archive, index, model)
    client = create_app(SearchService(index, None, open_fake)).test_client()
    page = page_of(client, asked(q="quoted bold words", lang="en"))
    assert hostile in page.all("p", class_="text")[0].text
    page = page_of(client, "/documents/hostile.txt")
    assert page.one("h1").text == "<img src=x onerror=alert(1)>"
    assert [hostile in each.text for each in page.all("div", class_="passage")] == [True, True]
    assert page.all("img") == page.all("b") == []


def test_a_document_shows_every_passage_in_its_own_direction(get, archive, index):
    (archive / "both.txt").write_text(
        "Two languages\n\nAn English paragraph that is long enough to stand alone.\n\n"
        "فقرة عربية طويلة بما يكفي لتقف وحدها في هذا المقال القصير.\n",
        "utf-8",
    )
    build_index(archive, index, FakeModel())
    for doc_id in ("both.txt", "talks.txt", "ar/water.txt"):
        page = get(f"/documents/{doc_id}")
        article = open_fake(index, None, None).article(doc_id)
        assert page.one("h1").text == article.document.title
        assert page.one("h1")["dir"] == direction(article.document.lang)
        assert doc_id in page.one("bdi", class_="path").text
        ids = [each["id"] for each in page.all("div", class_="passage")]
        assert ids == [f"p{at}" for at in range(1, len(article.passages) + 1)]
        for passage in article.passages:
            words = article.document.text[passage.start : passage.end]
            shown = next(each for each in page.all("p") if each.text == words)
            assert (shown["lang"], shown["dir"]) == (passage.lang, direction(passage.lang))
            assert shown.parent["id"] == f"p{passage.ordinal}"
            assert page.one("a", href=f"#p{passage.ordinal}").text.endswith(str(passage.line_start))
    assert {each["dir"] for each in get("/documents/both.txt").all("p") if "lang" in each.attributes} == {
        "ltr",
        "rtl",
    }


@pytest.fixture
def named(tmp_path, index, model):
    folder = tmp_path / "named"
    for at, name in enumerate(NAMES):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(
            f"Article number {at}\n\nThis article is about the river and number{at}.\n", "utf-8"
        )
    build_index(folder, index, model)
    return create_app(SearchService(index, None, open_fake)).test_client()


@pytest.mark.parametrize("name", NAMES)
def test_whatever_a_file_is_called_its_link_opens_it(named, name):
    at = NAMES.index(name)
    page = page_of(named, asked(q=f"number{at}", mode="lexical"))
    href = next(each["href"] for each in page.all("a") if each.parent.tag == "h2")
    assert page.one("bdi", class_="path").text == name
    address = urlsplit(urljoin("http://localhost/?q=x", href))
    assert address.query == ""
    opened = page_of(named, address.path)
    assert opened.one("h1").text == f"Article number {at}"
    assert opened.all("div", id=address.fragment)
    found = named.get(f"/api/v1/search?{urlencode({'q': f'number{at}', 'mode': 'lexical'})}").get_json()
    assert found["hits"][0]["source"]["url"] == href
    assert found["hits"][0]["source"]["path"] == name


def test_next_and_previous_keep_what_was_asked_for(get):
    page = get(asked(q="Geneva", limit=1, offset=1, copies="all", highlight="false", mode="dense", lang="en"))
    assert page.all("a", rel="next") == []
    page = get(asked(q="Geneva", limit=1, offset=1, copies="all", highlight="false", mode="dense"))
    for rel in ("prev", "next"):
        values = parse_qs(urlsplit(page.one("a", rel=rel)["href"]).query)
        assert (values["copies"], values["mode"], values["limit"]) == (["all"], ["dense"], ["1"])


def test_what_is_folded_is_named_and_leads_to_its_passage(get, archive, index, model):
    body = "Envoys met in Geneva to discuss the grain corridor across the Black Sea, {}."
    (archive / "long.txt").write_text("\n\n".join(["Geneva", *map(body.format, "abcde")]), "utf-8")
    for name in ("first", "second"):
        (archive / f"{name}.txt").write_text("Envoys discuss grain in Geneva.", "utf-8")
    build_index(archive, index, model)
    page = get(asked(q="Envoys discuss grain in Geneva"))
    links = [
        link["href"].removeprefix("http://localhost")
        for link in page.all("a")
        if "/documents/" in link["href"]
    ]
    assert {f"/documents/long.txt#p{number}" for number in range(1, 6)} <= set(links)
    assert {"/documents/first.txt#p1", "/documents/second.txt#p1"} <= set(links)
    assert "3 more in this article" in page.source


def test_next_and_previous_lead_through_the_list_and_back(get):
    address, seen = asked(q="Geneva <grain>", limit=1, mode="dense"), []
    while True:
        page = get(address)
        seen.append(page.one("p", class_="text").text)
        assert page.one("ol")["start"] == str(len(seen))
        assert page.one("input", name="q")["value"] == "Geneva <grain>"
        nexts = page.all("a", rel="next")
        assert bool(page.all("a", rel="prev")) == (len(seen) > 1)
        if not nexts:
            break
        address = nexts[0]["href"]
        assert address.startswith("/?")
    assert len(set(seen)) == len(seen) == 4
    for text in reversed(seen[:-1]):
        address = page.one("a", rel="prev")["href"]
        assert parse_qs(urlsplit(address).query)["mode"] == ["dense"]
        page = get(address)
        assert page.one("p", class_="text").text == text
    assert page.all("a", rel="prev") == []


def test_the_language_that_was_chosen_stays_chosen(get):
    page = get(asked(q="Geneva", lang="ar"))
    assert [each["value"] for each in page.all("option") if "selected" in each.attributes] == ["ar"]
    assert {each["lang"] for each in page.all("p", class_="text")} == {"ar"}
    page = get("/?q=Geneva&lang=")
    assert len(page.all("p", class_="text")) == 4


def test_nothing_found_and_no_more_are_said(get):
    page = get(asked(q="<unheard>", mode="lexical"))
    assert "Nothing was found for <unheard>" in page.one("main").text
    assert page.all("li") == []
    page = get(asked(q="Geneva", offset=100))
    assert "no more passages" in page.one("main").text
    assert page.all("a", rel="prev")
    assert page.all("a", rel="next") == []


@pytest.mark.parametrize(
    ("values", "told"),
    [({"q": ""}, "empty"), ({"q": "x" * 1_001}, "1,001"), ({"q": "<b>", "limit": "-1"}, "limit"),
     ({"q": "سؤال", "mode": "<i>"}, "<i>"), ({"q": "x", "offset": "٣"}, "offset"), ({"q": "x", "lang": "Arabic"}, "lang")],
)  # fmt: skip
def test_a_bad_question_is_a_400_page_that_says_why_and_keeps_it(get, values, told):
    page = get(asked(**values), 400)
    assert told in page.one("main").text
    assert page.one("input", name="q")["value"] == values["q"][:1_000]
    assert page.all("b") == page.all("i") == []


def test_pages_ignore_parameters_that_they_do_not_know(get):
    assert len(get("/?q=Geneva&utm_source=x&colour=y&=").all("li")) == 4
    get("/?utm_source=x")
    get("/documents/talks.txt?q=&utm_source=x")


def test_a_list_of_another_generation_is_409(get):
    assert "index has changed" in get(asked(q="x", generation="older"), 409).one("main").text


@pytest.mark.parametrize(
    "address",
    ["/documents/none.txt", "/documents/talks.txt/", "/documents/../pyproject.toml", "/documents/talks.txt%00",
     "/documents/%FF", "/documents/", "/nothing", "/documents/<b>"],
)  # fmt: skip
def test_what_is_not_there_is_a_404_page(get, address):
    assert "Not found" in get(address, 404).one("main").text


def test_a_page_takes_no_other_method(get, archive, index):
    client = create_app(SearchService(index, None, open_fake)).test_client()
    for address in ("/", "/documents/talks.txt"):
        response = client.post(address)
        assert response.status_code == 405
        assert "GET" in response.headers["Allow"]
        assert client.head(address).status_code == 200


@pytest.mark.parametrize("address", ["/", "/?q=Geneva", "/documents/talks.txt"])
def test_without_an_index_pages_are_503_and_say_how_to_build_one(index, address):
    service = SearchService(index, None, open_fake)
    service._refresh()
    client = create_app(service).test_client()
    page = page_of(client, address, 503)
    assert "warraq build" in page.one("main").text
    assert int(client.get(address).headers["Retry-After"]) > 0


def test_while_it_loads_the_page_asks_again_by_itself(archive, index, model):
    build_index(archive, index, model)
    service = SearchService(index, None, open_fake)
    client = create_app(service).test_client()
    with service._opening:  # somebody is at it
        page = page_of(client, "/?q=Geneva", 503)
    assert page.one("meta", **{"http-equiv": "refresh"})
    assert page.one("input", name="q")["value"] == "Geneva"
    assert page_of(client, "/?q=Geneva").all("li")


def test_an_empty_index_says_so(tmp_path, index, model):
    (tmp_path / "none").mkdir()
    build_index(tmp_path / "none", index, model)
    client = create_app(SearchService(index, None, open_fake)).test_client()
    assert "The index is empty" in page_of(client, "/").one("main").text
    assert "Nothing was found" in page_of(client, "/?q=x").one("main").text


def test_what_the_pages_link_to_is_there(get, index):
    page = get("/")
    client = create_app(SearchService(index, None, open_fake)).test_client()
    links = page.all("link")
    assert links
    for link in links:
        with client.get(link["href"]) as response:
            assert response.status_code == 200
