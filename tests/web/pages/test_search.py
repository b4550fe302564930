"""The first page, the hits of a list and its pages: content, direction and links."""

from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import pytest

from indexer import SearchRequest, SimilarRequest, build_index
from indexer.text.language import direction
from tests.support.archives import OVERRIDE, TRAP
from tests.support.fakes import FakeModel, open_fake
from tests.support.html_checks import page_of
from tests.support.search_pages import (
    article_of,
    client_of,
    items_of,
    query_of,
    search_url,
    texts_of,
    title_links,
)
from web.pages.links import address_of, list_address

NAMES = [
    "plain.txt", "two words.txt", "a#b.txt", "what?.txt", "100%.txt", "%2F.txt", "a&b=c.txt", 'q"u\'o.txt', "<i>.txt",
    "مقال عن النيل.txt", "folder/sub folder/deep #1.txt", "مجلد/ملف.txt", "a+b.txt", "a;b:c,d@e.txt", "dots...txt",
    " spaces .txt", "back\\slash.txt", "é.txt", "a#1.txt", "a#.txt", "new\nline.txt",
]  # fmt: skip


# --- the first page, and hits


def test_home_has_a_search_form_that_works_without_a_script(get):
    page = get("/")
    form = page.one("form", role="search")
    assert (form["method"], form["action"]) == ("get", "/")
    box = page.one("input", id="q")
    assert (box["dir"], box["value"]) == ("auto", "")
    assert "maxlength" not in box.attributes  # which would cut a long question in silence
    assert form in box.within
    assert page.one("label", for_="q").text
    assert form.all("button", type="submit")
    assert [term.text for term in page.all("dt")] == ["articles", "passages"]
    assert [value.text for value in page.all("dd")] == ["2", "4"]


def test_results_show_title_place_language_and_direction(get, archive):
    page = get(search_url(q="grain corridor السدود"))
    items, texts = items_of(page), texts_of(page)
    assert len(items) == len(texts) == 4
    for item, text in zip(items, texts, strict=True):
        assert text["dir"] == direction(text["lang"])
        assert item in text.within
    arabic = [text for text in texts if text["lang"] == "ar"]
    english = [text for text in texts if text["lang"] == "en"]
    assert {text["dir"] for text in arabic} == {"rtl"}
    assert {text["dir"] for text in english} == {"ltr"}
    assert len(arabic) == len(english) == 2
    (water,) = [item for item in items if "السدود امتلأت" in item.text]
    assert "ar/water.txt, line 2" in water.words
    assert article_of(water).one("p", class_="facts").words == "ar · Arabic"
    titles = [link.parent for link in title_links(page)]  # one for all hits of an article
    assert sorted((title.text, title["lang"], title["dir"]) for title in titles) == [
        ("Talks in Geneva", "en", "ltr"),
        ("أزمة المياه في الأردن", "ar", "rtl"),
    ]
    for item, text in zip(items, texts, strict=True):
        (path,) = item.all("bdi", class_="path")
        assert text.text in (archive / path.text).read_text("utf-8").splitlines()[1:]  # without the title


def test_hit_labels_have_the_direction_of_the_interface(get):
    page = get(search_url(q="السدود", lang="ar"))
    assert not any("dir" in article.attributes for article in page.all("article", class_="hit"))
    assert {paragraph["dir"] for paragraph in page.all("p", class_="provenance")} == {"ltr"}
    assert {bdi["dir"] for bdi in page.all("bdi", class_="path")} == {
        "ltr"
    }  # a path reads from left to right


def test_a_hit_has_its_rank_source_and_day(read):
    page = read(search_url(q="grain corridor Geneva", lang="en", limit=100))
    items = items_of(page)
    ranks = [int(item.one("span", class_="rank").text) for item in items]
    assert ranks[0] == 1
    assert sorted(ranks) == list(range(1, len(items) + 1))
    grain = article_of(next(item for item in items if "gazette/grain.en.txt" in item.words))
    facts = grain.one("p", class_="facts")
    (time,) = facts.all("time")
    assert (time["datetime"], time.text) == ("2023-11-02", "November 2, 2023")
    assert facts.words == "gazette · November 2, 2023 · English"
    undated = article_of(next(item for item in items if "press.en.txt" in item.words))
    assert undated.all("time") == []
    assert undated.one("p", class_="facts").words == "صحيفة المرفأ · English"


def test_each_result_links_to_its_words_with_the_search(read, press):
    searcher = open_fake(press / "index", None, None)
    asked_for = {
        "q": "winter rains", "lang": "en", "source": "wire", "from": "2024-01-01", "sort": "date", "mode": "dense",
        "offset": "1", "limit": "2", "copies": "all", "highlight": "false",
    }  # fmt: skip
    page = read(f"/?{urlencode(asked_for)}")
    items, texts = items_of(page), texts_of(page)
    links = [item.one("p", class_="provenance").all("a")[0] for item in items]
    assert {article_of(item).one("h2").one("a")["href"] for item in items} <= {link["href"] for link in links}
    assert len(links) > 1
    for link, text in zip(links, texts, strict=True):
        address, values = urlsplit(link["href"]), query_of(link["href"])
        doc_id = address.path.removeprefix("/documents/")
        document = searcher.article(doc_id).document
        assert document.text[int(values["start"]) : int(values["end"])] == text.text
        assert values["sha256"] == document.file.sha256
        passages = searcher.article(doc_id).passages
        assert address.fragment == f"p{next(p.number for p in passages if p.start == int(values['start']))}"
        assert asked_for.items() <= values.items()
    plain = title_links(read(search_url(q="winter rains")))[0]["href"]
    assert query_of(plain).keys() & {*asked_for, "generation"} == {"q"}


def test_results_link_of_an_article_leads_to_its_page_of_the_list():
    asked_for = SearchRequest(
        "winter <rains>", limit=3, offset=6, copies="all", sort="date", source="a&b", lang="en"
    )
    assert query_of(list_address(asked_for)) == {
        "q": "winter <rains>", "limit": "3", "offset": "6", "copies": "all", "sort": "date", "source": "a&b", "lang": "en",
    }  # fmt: skip
    assert list_address(SearchRequest("winter")) == address_of(SearchRequest("winter")) == "/?q=winter"
    assert query_of(list_address(SimilarRequest("a.txt", 1, offset=10))) == {
        "doc_id": "a.txt",
        "passage": "1",
        "offset": "10",
    }


@pytest.mark.parametrize(
    "query",
    ["<script>alert(1)</script>", '"><b onclick=x>', "</title>", "{{ 7*7 }}", "a&amp;b", "don't", "\u202eabc", "سلام؟", "a\0b",
     "😀", "b-->", "<!--b", "%(n)s", "100%"],
)  # fmt: skip
def test_question_is_shown_as_text_only(get, query):
    plain = get(search_url(q="Geneva"))
    page = get(search_url(q=query))
    box = page.one("input", id="q")
    assert box["dir"] == "auto"
    if "\0" not in query:  # which HTML itself cannot hold
        assert box["value"] == query
        assert (
            page.one("title").text == f"{query.lstrip(chr(0x202E))} · Warraq"
        )  # it changes no direction in the window's title
        assert page.one("h1").text.strip() == f"The 4 passages nearest to {query}"
    # The question has its own direction, and the marks around it that of the interface.
    (quoted,) = page.one("h1").all("q")
    assert "dir" not in quoted.attributes
    assert quoted.one("bdi")["dir"] == "auto"
    assert quoted.one("bdi").text == quoted.text
    # The page has the same elements for any question; words that match are marked.
    assert sorted(element.tag for element in page.elements if element.tag != "mark") == sorted(
        item.tag for item in plain.elements if item.tag != "mark"
    )
    for name, value in (("q", query), ("next", search_url(q=query))):
        assert value.replace("\0", "") in [
            field["value"].replace("\0", "") for field in page.all("input", name=name)
        ]


def test_matching_words_are_marked_as_whole_words(get):
    page = get(search_url(q="corridors in Geneva?"))
    marked = {element.text for element in page.elements if element.tag == "mark"}
    assert marked == {"corridor", "Geneva"}
    assert get(search_url(q="corridors in Geneva?", highlight="false")).all("mark") == []


def test_text_of_articles_is_never_markup(read):
    page = read(search_url(q="trap harbour master log", lang="en", source="wire"))
    shown = [text_element for text_element in texts_of(page) if TRAP in text_element.text]
    # What would turn the text about is left out of the page; the receipt has it.
    assert any(OVERRIDE.replace("\u202e", "") in item.text and "\x1b[31m" in item.text for item in shown)
    assert not any("\u202e" in item.text for item in shown)
    assert f"A trap {TRAP}" in {link.text for link in title_links(page)}
    like = next(entry for entry in page.all("a", class_="like") if "trap.txt" in entry["href"])
    similar = read(like["href"])
    assert TRAP in similar.one("figure").text
    assert page.all("img") == similar.all("img") == []


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    folder = tmp_path_factory.mktemp("named")
    for number, name in enumerate(NAMES):
        (folder / "articles" / name).parent.mkdir(parents=True, exist_ok=True)
        text = f"Article number {number}\n\nThis article is about the river and number{number}.\n"
        (folder / "articles" / name).write_text(text, "utf-8")
    build_index(folder / "articles", folder / "index", FakeModel())
    return client_of(folder / "index")


@pytest.mark.parametrize("name", NAMES)
def test_links_open_files_with_any_name(named, name):
    number = NAMES.index(name)
    page = page_of(named, search_url(q=f"number{number}", mode="lexical"))
    assert page.one("bdi", class_="path").text == name.replace("\n", "\\n")
    href = title_links(page)[0]["href"]
    opened = page_of(
        named, urljoin("http://localhost/?q=x", href).removeprefix("http://localhost").partition("#")[0]
    )
    assert opened.one("h1").text == f"Article number {number}"
    assert opened.all("div", id=urlsplit(href).fragment)
    result = named.get(search_url("/api/v1/search", q=f"number{number}", mode="lexical")).get_json()
    assert result["hits"][0]["source"]["path"] == name
    assert urlsplit(result["hits"][0]["source"]["url"]).path == urlsplit(href).path
    similar = page_of(named, page.one("a", class_="like")["href"])
    assert similar.one("figure").all("bdi", class_="path")[0].text == name.replace("\n", "\\n")
    # The choice of a language leads back to the very same page.
    for item in (page, opened, similar):
        place = item.all("input", name="next")[0]["value"]
        assert named.post("/settings", data={"language": "en", "next": place}).headers["Location"] == place


def test_collapsed_passages_are_named_and_linked(get, archive, index, model):
    body = "Envoys met in Geneva to discuss the grain corridor across the Black Sea, {}."
    (archive / "long.txt").write_text("\n\n".join(["Geneva", *map(body.format, "abcde")]), "utf-8")
    for name in ("first", "second"):
        (archive / f"{name}.txt").write_text("Envoys discuss grain in Geneva.", "utf-8")
    build_index(archive, index, model)
    page = get(search_url(q="Envoys discuss grain in Geneva"))
    links = {
        (address.path, address.fragment)
        for address in (urlsplit(link["href"]) for link in page.all("a"))
        if address.path.startswith("/documents/")
    }
    assert {("/documents/long.txt", f"p{number}") for number in range(1, 6)} <= links
    assert {("/documents/first.txt", "p1"), ("/documents/second.txt", "p1")} <= links
    details = page.one("details", class_="more")
    assert details.all("summary")[0].words == "2 more in this article"
    assert len(details.all("p", class_="text")) == 2
    assert "Also in second.txt, line 1" in page.one("ol").words
    assert {query_of(link["href"])["q"] for link in details.all("a")} == {"Envoys discuss grain in Geneva"}
    assert page.one("h1").words.startswith(f"The {len(items_of(page))} passages nearest to")
    everything = get(search_url(q="Envoys discuss grain in Geneva", copies="all", limit=100))
    assert everything.all("details", class_="more") == []
    assert len(items_of(everything)) == len(items_of(page)) + 2 + 1


RECORDS = """id,title,text,source,date
7,Dams,The northern dams are full after the rains of the winter.,Gazette,2024-03-15
,Dams,The northern dams are full after the rains of the winter.,Wire,2024-03-16
"""


@pytest.fixture
def of_many_kinds(tmp_path, index, model):
    """A client of an archive with a file of many articles, and one that text was extracted from."""
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "all.csv").write_text(RECORDS, "utf-8")
    text = (
        "<p>Dock workers at the port returned to the cranes after a strike that lasted eleven long days.</p>"
    )
    (folder / "port.html").write_text(
        f"<title>Port</title><article><h1>Port</h1>{text * 3}</article>", "utf-8"
    )
    assert not build_index(folder, index, model).failed
    return client_of(index)


def test_articles_of_one_file_are_distinguished(of_many_kinds):
    page = page_of(of_many_kinds, search_url(q="northern dams", mode="lexical"))
    (item,) = items_of(page)
    places = [paragraph.words for paragraph in item.all("p", class_="provenance")]
    expected = {
        "7": ("all.csv, record 7, line 3 of the extracted text", "Gazette · March 15, 2024"),
        "2": ("all.csv, record 2, line 3 of the extracted text", "Wire · March 16, 2024"),
    }
    first = "7" if "Gazette" in article_of(item).one("p", class_="facts").text else "2"
    other = "2" if first == "7" else "7"
    assert places == [
        f"1 {expected[first][0]} More like this",
        f"Also in {expected[other][0]} · {expected[other][1]}",
    ]
    arabic = page_of(of_many_kinds, search_url(q="northern dams"), lang="ar", **{"Accept-Language": "ar"})
    shown = " ".join(entry.words for entry in items_of(arabic)[0].all("p", class_="provenance"))
    assert "all.csv، السجل ٢، السطر ٣ من النص المستخرج" in shown
    assert "all.csv، السجل ٧، السطر ٣ من النص المستخرج" in shown


def test_lines_of_an_extracted_text_are_labelled(of_many_kinds):
    page = page_of(of_many_kinds, search_url(q="dock workers", mode="lexical"))
    assert "port.html, line" in page.one("ol").words
    assert "of the extracted text" in page.one("ol").words
    assert "record" not in page.one("ol").words


def test_bilingual_hit_has_the_direction_of_its_sentences(tmp_path, index, model):
    arabic = (
        "أعلنت الوزارة اليوم افتتاح الجسر الجديد أمام حركة المرور بعد أعمال دامت عامين كاملين في المدينة."
    )
    english = "The ministry announced today that the new bridge is open to traffic."
    (tmp_path / "articles").mkdir()
    text = f"{arabic} {english} https://example.org/news/the-new-bridge-is-open-to-traffic-after-two-years-of-works"
    (tmp_path / "articles" / "bridge.txt").write_text(f"الجسر\n\n{text}", "utf-8")
    build_index(tmp_path / "articles", index, model)
    page = page_of(client_of(index), search_url(q="new bridge", lang="mixed"))
    (shown,) = texts_of(page)
    assert (shown["lang"], shown["dir"]) == ("mul", "rtl")
    assert shown.text == text


# --- pages of a list


def test_next_and_previous_keep_the_parameters(get):
    page = get(
        search_url(q="Geneva", limit=1, offset=1, copies="all", highlight="false", mode="dense", lang="en")
    )
    assert page.all("a", rel="next") == []
    page = get(search_url(q="Geneva", limit=1, offset=1, copies="all", highlight="false", mode="dense"))
    for rel in ("prev", "next"):
        values = parse_qs(urlsplit(page.one("a", rel=rel)["href"]).query)
        assert (values["copies"], values["mode"], values["limit"]) == (["all"], ["dense"], ["1"])


def test_next_and_previous_keep_filters_and_order(read):
    page = read(
        search_url(
            q="winter", source="wire", lang="en", limit=1, offset=1, to="2025-12-31", sort="date", from_=""
        )
    )
    for rel in ("prev", "next"):
        values = query_of(page.one("a", rel=rel)["href"])
        kept = {name: values.get(name) for name in ("source", "lang", "to", "sort", "from")}
        assert kept == {"source": "wire", "lang": "en", "to": "2025-12-31", "sort": "date", "from": None}


def test_next_and_previous_traverse_the_list(get):
    address, seen = search_url(q="Geneva <grain>", limit=1, mode="dense"), []
    while True:
        page = get(address)
        seen.append(page.one("p", class_="text").text)
        assert page.one("span", class_="rank").text == str(len(seen))
        assert page.one("p", class_="count").words == f"{len(seen)}–{len(seen)} of 4"
        assert page.one("input", id="q")["value"] == "Geneva <grain>"
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


def test_past_the_end_the_last_page_is_offered(get):
    page = get(search_url(q="Geneva", limit=3, offset=100))
    assert "There is nothing more" in page.one("main").text
    assert "The list ends at hit 4." in page.one("main").text
    assert page.all("a", rel="next") == []
    last = get(page.one("a", rel="prev")["href"])
    assert last.one("p", class_="count").words == "4–4 of 4"
    first = get(next(link["href"] for link in page.all("a") if "first page" in link.text))
    assert first.one("p", class_="count").words == "1–3 of 4"
