"""The pages: what a reader sees, in which direction, and that text is never markup."""

import json
import shutil
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


# --- what was cut, and where the words come from -----------------------------------------------------

LINE = "The harbour master writes every Thursday"
HOSTILE = "Subscribe to our newsletter <script>alert(1)</script> & <b>now</b> {{ 7*7 }}"


def furnish(folder, index):
    """An archive with furniture in it, some of it hostile, and an index of it."""
    (folder / "wire").mkdir(parents=True)
    for number in range(5):
        body = f"Ship number {number} left the port on day {number} with <i>grain</i> for {number} thousand people."
        text = "\n".join([f"Voyage {number}", HOSTILE, body, LINE, "جار التحميل"])
        (folder / "wire" / f"v{number}.txt").write_text(text, "utf-8")
    meta = {
        "author": "سلمى <b>حداد</b>",
        "date": "2025-03-01",
        "source": "wire",
        "url": "https://harbour.example/v?a=1&b=2",
    }
    (folder / "wire" / "v1.meta.json").write_text(json.dumps(meta), "utf-8")
    (folder / "plain.txt").write_text(
        "A plain article\nNothing stands around it, and nothing of it was cut.", "utf-8"
    )
    (folder / "feed.jsonl").write_text(
        json.dumps({"id": "x", "text": f"{LINE}, as <b>he</b> says.\nShare"}) + "\n"
    )
    build_index(folder, index, FakeModel())
    return folder, index


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    """The same for tests that only read it."""
    folder = tmp_path_factory.mktemp("furnished")
    return furnish(folder / "articles", folder / "index")


@pytest.fixture
def own(tmp_path):
    """The same for a test that changes it."""
    return furnish(tmp_path / "articles", tmp_path / "index")


def shown(index, address, archive=None):
    """A page as any browser gets it; an article's own address may lead elsewhere."""
    service = SearchService(index, None, open_fake, archive)
    response = create_app(service).test_client().get(address)
    service._originals.close()
    assert response.status_code == 200
    page = Page(response)
    assert [each.tag for each in page.elements if each.tag in ("script", "b", "i", "img")] == []
    return page


def cut_lines(page):
    """What a page shows as cut: number, rule, reason, and the line itself where it is shown."""
    details = page.one("details", id="cut")
    items = [each for each in page.all("li") if "value" in each.attributes]
    return details, [
        (
            int(item["value"]),
            [each.text for each in page.elements if each.tag == "span" and each.parent is item],
            next((each for each in page.elements if each.tag == "p" and each.parent is item), None),
        )
        for item in items
    ]


def test_a_document_shows_what_was_cut_of_it_with_rule_and_reason(cut):
    _, index = cut
    page = shown(index, "/documents/wire/v2.txt")
    details, lines = cut_lines(page)
    assert "What was cut: 3 lines" in details.text
    assert "open" not in details.attributes
    assert [(number, spans) for number, spans, _ in lines] == [
        (2, ["subscribe", "a newsletter, channel, app or subscription that is offered"]),
        (4, ["repeated", "it stands in 5 articles of this source"]),
        (5, ["loading", "what a page shows while it loads"]),
    ]
    assert [line.text for *_, line in lines] == [HOSTILE, LINE, "جار التحميل"]
    assert {line["dir"] for *_, line in lines} == {"auto"}
    passages = page.all("div", class_="passage")
    assert not any(LINE in each.text or "Subscribe" in each.text for each in passages)
    assert any("<i>grain</i>" in each.text for each in passages)


def test_a_document_of_which_nothing_was_cut_says_nothing_of_it(cut):
    page = shown(cut[1], "/documents/plain.txt")
    assert page.all("details", id="cut") == []
    assert "cut" not in page.one("article").text.replace("was cut.", "")


@pytest.mark.parametrize(
    "change",
    [lambda file: file.unlink(), lambda file: file.write_text("Another text.\nShare\n" * 9, "utf-8")],
)
def test_where_the_file_is_gone_or_another_ranges_and_rules_are_shown_alone(own, change):
    folder, index = own
    change(folder / "wire" / "v2.txt")
    page = shown(index, "/documents/wire/v2.txt")
    details, lines = cut_lines(page)
    assert "cannot be shown" in details.text
    assert [(number, spans[0], line) for number, spans, line in lines] == [
        (2, "subscribe", None), (4, "repeated", None), (5, "loading", None),
    ]  # fmt: skip
    assert LINE not in page.source
    assert "Another text" not in page.source
    assert "Ship number 2 left the port" in page.one("article").text  # the article itself is in the index


def test_where_the_file_is_as_it_was_nothing_is_said_of_that(cut):
    assert "cannot be shown" not in shown(cut[1], "/documents/wire/v2.txt").source


def test_an_archive_that_has_moved_is_read_where_it_is(own):
    folder, index = own
    moved = folder.rename(folder.with_name("moved"))
    assert LINE not in shown(index, "/documents/wire/v2.txt").source
    assert [line.text for *_, line in cut_lines(shown(index, "/documents/wire/v2.txt", moved))[1]] == [
        HOSTILE, LINE, "جار التحميل"
    ]  # fmt: skip


def test_a_document_shows_source_author_date_and_its_own_address(cut):
    page = shown(cut[1], "/documents/wire/v1.txt")
    facts = page.one("p", class_="source")
    assert [each.text for each in page.all("bdi") if each.parent is facts][:3] == [
        "wire",
        "سلمى <b>حداد</b>",
        "2025-03-01",
    ]
    link = next(each for each in page.all("a") if each.parent is facts)
    assert link["href"] == "https://harbour.example/v?a=1&b=2"
    assert set(link["rel"].split()) == {"noreferrer", "noopener"}
    plain = shown(cut[1], "/documents/plain.txt").one("p", class_="source")
    assert "None" not in plain.text
    assert "text extracted" not in facts.text + plain.text


def test_a_document_from_a_record_says_that_its_text_was_extracted(cut):
    page = shown(cut[1], "/documents/feed.jsonl::x")
    assert "text extracted from the file" in page.one("p", class_="source").text
    assert [(number, line.text) for number, _, line in cut_lines(page)[1]] == [(2, "Share")]


def test_a_page_shows_how_much_of_the_file_is_outside_the_article(tmp_path, index, model):
    (folder := tmp_path / "pages").mkdir()
    body = "".join(
        f"<p>Ship number {at} left the port on day {at} with grain for {at} thousand people.</p>"
        for at in range(9)
    )
    (folder / "v.html").write_text(
        f"<html><head><title>Nine ships in nine days</title></head><body><nav>Harbour &lt;b&gt;front&lt;/b&gt; page</nav>"
        f"<article><h1>Nine ships in nine days</h1>{body}</article><footer>Quayside Media, pier 4</footer></body></html>",
        "utf-8",
    )
    build_index(folder, index, model)
    page = shown(index, "/documents/v.html")
    details, _ = cut_lines(page)
    outside = [each.text for each in page.all("li") if "value" not in each.attributes]
    assert outside == ["Harbour <b>front</b> page", "Quayside Media, pier 4"]
    assert "What was cut: 0 lines, and 2 outside the article" in details.text
    assert "what the page shows outside its article" in details.text
    (folder / "v.html").unlink()
    assert "and 2 outside the article" in cut_lines(shown(index, "/documents/v.html"))[0].text


def test_documents_are_shown_whatever_became_of_the_archive(own):
    folder, index = own
    shutil.rmtree(folder)
    for address in ("/documents/wire/v2.txt", "/documents/feed.jsonl::x", "/documents/plain.txt"):
        assert shown(index, address).all("div", class_="passage")


# --- filters -----------------------------------------------------------------------------------------


def test_source_and_days_are_fields_that_keep_what_was_asked(cut):
    _, index = cut
    page = shown(index, asked(q="ship", source="wire", **{"from": "2025-01-01", "to": "2025-12-31"}))
    assert [each["value"] for each in page.all("input") if each["name"] != "q"] == [
        "wire",
        "2025-01-01",
        "2025-12-31",
    ]
    assert [each["type"] for each in page.all("input") if each["name"] in ("from", "to")] == ["date", "date"]
    assert "open" in page.one("details", class_="filters").attributes
    assert {each.text for each in page.all("bdi", class_="path")} == {"wire/v1.txt"}
    assert "4 articles without a date were left out by the date filter." in page.one("main").text
    assert "2025-03-01" in page.one("ol").text
    plain = shown(index, asked(q="ship"))
    assert "open" not in plain.one("details", class_="filters").attributes
    assert "without a date" not in plain.source


def test_a_filter_that_leaves_nothing_says_so(cut):
    text = shown(cut[1], asked(q="ship", source="wire", to="2024-12-31")).one("main").text
    assert "Nothing was found" in text
    assert "4 articles without a date were left out by the date filter." in text
    assert "without the filters" in text


@pytest.mark.parametrize(
    ("values", "told"),
    [({"from": "yesterday"}, "YYYY-MM-DD"), ({"to": "2025-02-30"}, "2025-02-30"), ({"from": "2025-03-02", "to": "2025-03-01"}, "after to")],
)  # fmt: skip
def test_days_that_are_none_are_a_400_page_that_says_why(get, values, told):
    assert told in get(asked(q="ship", **values), 400).one("main").text


def test_next_and_previous_keep_source_and_days(cut):
    page = shown(
        cut[1], asked(q="ship", source="wire", limit=1, offset=1, mode="dense", to="", **{"from": ""})
    )
    for rel in ("prev", "next"):
        assert parse_qs(urlsplit(page.one("a", rel=rel)["href"]).query)["source"] == ["wire"]
    page = shown(cut[1], asked(q="ship", limit=1, mode="dense", to="2025-12-31"))
    assert parse_qs(urlsplit(page.one("a", rel="next")["href"]).query)["to"] == ["2025-12-31"]
