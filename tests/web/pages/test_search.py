"""The pages of search: what a reader sees, in which direction, where links lead, and that text is never markup."""

import json
import re
from itertools import pairwise
from urllib.parse import parse_qs, parse_qsl, urlencode, urljoin, urlsplit

import pytest

from indexer import Searcher, SearchRequest, SimilarRequest, build_index
from indexer.datatypes import Notice
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from indexer.text.language import direction
from tests.support.archives import OVERRIDE, SOURCES, TRAP
from tests.support.fakes import FakeModel, open_fake
from tests.support.html_checks import page_of
from web import SearchService, create_app
from web.pages.links import address_of, list_address

NAMES = [
    "plain.txt", "two words.txt", "a#b.txt", "what?.txt", "100%.txt", "%2F.txt", "a&b=c.txt", 'q"u\'o.txt', "<i>.txt",
    "مقال عن النيل.txt", "folder/sub folder/deep #1.txt", "مجلد/ملف.txt", "a+b.txt", "a;b:c,d@e.txt", "dots...txt",
    " spaces .txt", "back\\slash.txt", "é.txt", "a#1.txt", "a#.txt", "new\nline.txt",
]  # fmt: skip


def client_of(index, open_index=open_fake):
    return create_app(SearchService(index, None, open_index)).test_client()


@pytest.fixture
def get(archive, index, model):
    """Get a page about a small archive."""
    build_index(archive, index, model)
    client = client_of(index)
    return lambda address, status=200: page_of(client, address, status)


@pytest.fixture(scope="module")
def newsroom(press):
    """A client of a newsroom's archive, for tests that only read it."""
    return client_of(press / "index")


@pytest.fixture
def read(newsroom):
    """Get a page about a newsroom's archive."""
    return lambda address, status=200: page_of(newsroom, address, status)


def asked(path="/", **values):
    return f"{path}?{urlencode({name.rstrip('_'): value for name, value in values.items()})}"


def texts_of(page):
    """The texts of the hits, without those that are folded into one."""
    return [
        each
        for each in page.all("p", class_="text")
        if "more" not in [up.attributes.get("class") for up in each.within]
    ]


def items_of(page):
    """The hits of a list."""
    return [each for each in page.all("li") if each.parent.attributes.get("class") == "hits"]


def title_links(page):
    return [each for each in page.all("a") if each.parent.tag == "h2"]


def query_of(address):
    return dict(parse_qsl(urlsplit(address).query))


# --- the first page, and hits


def test_home_is_a_box_that_works_without_a_script(get):
    page = get("/")
    form = page.one("form", role="search")
    assert (form["method"], form["action"]) == ("get", "/")
    box = page.one("input", id="q")
    assert (box["dir"], box["value"]) == ("auto", "")
    assert "maxlength" not in box.attributes  # which would cut a long question in silence
    assert form in box.within
    assert page.one("label", for_="q").text
    assert form.all("button", type="submit")
    assert [each.text for each in page.all("dt")] == ["articles", "passages"]
    assert [each.text for each in page.all("dd")] == ["2", "4"]


def test_results_show_title_place_language_and_direction(get, archive):
    page = get(asked(q="grain corridor السدود"))
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
    assert "ar/water.txt, lines 1–2" in water.words
    assert "Arabic" in water.words
    titles = [title for title in page.all("h2") if any(item in title.within for item in items)]
    assert {(title.text, title["lang"], title["dir"]) for title in titles} == {
        ("Talks in Geneva", "en", "ltr"),
        ("أزمة المياه في الأردن", "ar", "rtl"),
    }
    for item, text in zip(items, texts, strict=True):
        (path,) = item.all("bdi", class_="path")
        assert text.text in (archive / path.text).read_text("utf-8")


def test_what_the_interface_says_of_a_hit_keeps_the_direction_of_the_interface(get):
    page = get(asked(q="السدود", lang="ar"))
    assert {each["dir"] for each in page.all("article", class_="hit")} == {"rtl"}
    assert {each["dir"] for each in page.all("p", class_="receipt")} == {"ltr"}
    assert {each["dir"] for each in page.all("bdi", class_="path")} == {
        "ltr"
    }  # a path reads from left to right


def test_a_hit_has_its_rank_source_and_day(read):
    page = read(asked(q="grain corridor Geneva", lang="en"))
    items = items_of(page)
    for rank, item in enumerate(items, 1):
        assert item.all("span", class_="rank")[0].text == str(rank)
    grain = next(each for each in items if "gazette/grain.en.txt" in each.words)
    (time,) = grain.all("time")
    assert (time["datetime"], time.text) == ("2023-11-02", "November 2, 2023")
    facts = grain.all("p", class_="facts")[0].words
    assert facts == f"{items.index(grain) + 1} gazette · November 2, 2023 · English"
    (talks,) = [each for each in items if "talks.txt" in each.words]
    assert talks.all("time") == []


def test_each_result_leads_to_its_words_with_the_search_that_found_them(read, press):
    searcher = open_fake(press / "index", None, None)
    asked_for = {
        "q": "winter rains", "lang": "en", "source": "wire", "from": "2024-01-01", "sort": "date", "mode": "dense",
        "offset": "1", "limit": "2", "copies": "all", "highlight": "false",
    }  # fmt: skip
    page = read(f"/?{urlencode(asked_for)}")
    links, texts = title_links(page), texts_of(page)
    assert len(links) == len(texts) > 1
    for link, text in zip(links, texts, strict=True):
        address, values = urlsplit(link["href"]), query_of(link["href"])
        doc_id = address.path.removeprefix("/documents/")
        document = searcher.article(doc_id).document
        assert document.text[int(values["start"]) : int(values["end"])] == text.text
        assert values["sha256"] == document.file.sha256
        passages = searcher.article(doc_id).passages
        assert address.fragment == f"p{next(p.number for p in passages if p.start == int(values['start']))}"
        assert asked_for.items() <= values.items()
    plain = title_links(read(asked(q="winter rains")))[0]["href"]
    assert query_of(plain).keys() & {*asked_for, "generation"} == {"q"}


def test_the_way_back_from_an_article_leads_to_the_very_page_of_the_list():
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
    ["<script>alert(1)</script>", '"><b onclick=x>', "</title>", "{{ 7*7 }}", "a&amp;b", "'", "\u202eabc", "سلام؟", "a\0b",
     "😀", "-->", "<!--", "%(n)s", "100%"],
)  # fmt: skip
def test_the_question_comes_back_as_text_and_nothing_else(get, query):
    plain = get(asked(q="Geneva"))
    page = get(asked(q=query))
    box = page.one("input", id="q")
    assert box["dir"] == "auto"
    if "\0" not in query:  # which HTML itself cannot hold
        assert box["value"] == query
        assert (
            page.one("title").text == f"{query.lstrip(chr(0x202E))} · Warraq"
        )  # it turns nothing in the window's title
        assert page.one("h1").text.strip() == f"The 4 passages nearest to {query}"
    # The question has its own direction, and the marks around it that of the interface.
    (quoted,) = page.one("h1").all("q")
    assert "dir" not in quoted.attributes
    assert quoted.one("bdi")["dir"] == "auto"
    assert quoted.one("bdi").text == quoted.text
    # Whatever is asked, the page is of the same elements; words that match are marked.
    assert sorted(each.tag for each in page.elements if each.tag != "mark") == sorted(
        each.tag for each in plain.elements if each.tag != "mark"
    )
    for name, value in (("q", query), ("next", asked(q=query))):
        assert value.replace("\0", "") in [
            each["value"].replace("\0", "") for each in page.all("input", name=name)
        ]


def test_matching_words_are_marked_whole(get):
    page = get(asked(q="corridors in Geneva?"))
    marked = {each.text for each in page.elements if each.tag == "mark"}
    assert marked == {"corridor", "Geneva"}
    assert get(asked(q="corridors in Geneva?", highlight="false")).all("mark") == []


def test_text_of_articles_is_never_markup(read):
    page = read(asked(q="trap harbour master log", lang="en", source="wire"))
    shown = [each for each in texts_of(page) if TRAP in each.text]
    assert any(OVERRIDE in each.text and "\x1b[31m" in each.text for each in shown)
    assert f"A trap {TRAP}" in {each.text for each in title_links(page)}
    like = next(each for each in page.all("a", class_="like") if "trap.txt" in each["href"])
    similar = read(like["href"])
    assert TRAP in similar.one("figure").text
    assert page.all("img") == similar.all("img") == []


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    folder = tmp_path_factory.mktemp("named")
    for at, name in enumerate(NAMES):
        (folder / "articles" / name).parent.mkdir(parents=True, exist_ok=True)
        text = f"Article number {at}\n\nThis article is about the river and number{at}.\n"
        (folder / "articles" / name).write_text(text, "utf-8")
    build_index(folder / "articles", folder / "index", FakeModel())
    return client_of(folder / "index")


@pytest.mark.parametrize("name", NAMES)
def test_whatever_a_file_is_called_its_links_open_it(named, name):
    at = NAMES.index(name)
    page = page_of(named, asked(q=f"number{at}", mode="lexical"))
    assert page.one("bdi", class_="path").text == name.replace("\n", "\\n")
    href = title_links(page)[0]["href"]
    opened = page_of(
        named, urljoin("http://localhost/?q=x", href).removeprefix("http://localhost").partition("#")[0]
    )
    assert opened.one("h1").text == f"Article number {at}"
    assert opened.all("div", id=urlsplit(href).fragment)
    found = named.get(asked("/api/v1/search", q=f"number{at}", mode="lexical")).get_json()
    assert found["hits"][0]["source"]["path"] == name
    assert urlsplit(found["hits"][0]["source"]["url"]).path == urlsplit(href).path
    similar = page_of(named, page.one("a", class_="like")["href"])
    assert similar.one("figure").all("bdi", class_="path")[0].text == name.replace("\n", "\\n")
    # The choice of a language leads back to the very same page.
    for each in (page, opened, similar):
        place = each.all("input", name="next")[0]["value"]
        assert named.post("/settings", data={"language": "en", "next": place}).headers["Location"] == place


def test_what_is_folded_is_named_and_leads_to_its_passage(get, archive, index, model):
    body = "Envoys met in Geneva to discuss the grain corridor across the Black Sea, {}."
    (archive / "long.txt").write_text("\n\n".join(["Geneva", *map(body.format, "abcde")]), "utf-8")
    for name in ("first", "second"):
        (archive / f"{name}.txt").write_text("Envoys discuss grain in Geneva.", "utf-8")
    build_index(archive, index, model)
    page = get(asked(q="Envoys discuss grain in Geneva"))
    links = {
        (address.path, address.fragment)
        for address in (urlsplit(link["href"]) for link in page.all("a"))
        if address.path.startswith("/documents/")
    }
    assert {("/documents/long.txt", f"p{number}") for number in range(1, 6)} <= links
    assert {("/documents/first.txt", "p1"), ("/documents/second.txt", "p1")} <= links
    details = page.one("details", class_="more")
    assert details.all("summary")[0].words == "3 more in this article"
    assert len(details.all("p", class_="text")) == 3
    assert "Also in second.txt, line 1" in page.one("ol").words
    assert {query_of(link["href"])["q"] for link in details.all("a")} == {"Envoys discuss grain in Geneva"}
    assert page.one("h1").words.startswith(f"The {len(items_of(page))} passages nearest to")
    everything = get(asked(q="Envoys discuss grain in Geneva", copies="all", limit=100))
    assert everything.all("details", class_="more") == []
    assert len(items_of(everything)) == len(items_of(page)) + 3 + 1


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


def test_articles_of_one_file_are_told_apart(of_many_kinds):
    page = page_of(of_many_kinds, asked(q="northern dams", mode="lexical"))
    (item,) = items_of(page)
    places = [each.words for each in item.all("p", class_="receipt")]
    told = {
        "7": ("all.csv, record 7, lines 1–3 of the extracted text", "Gazette · March 15, 2024"),
        "2": ("all.csv, record 2, lines 1–3 of the extracted text", "Wire · March 16, 2024"),
    }
    first = "7" if "Gazette" in item.one("p", class_="facts").text else "2"
    other = "2" if first == "7" else "7"
    assert places == [f"{told[first][0]} More like this", f"Also in {told[other][0]} · {told[other][1]}"]
    arabic = page_of(of_many_kinds, asked(q="northern dams"), lang="ar", **{"Accept-Language": "ar"})
    shown = " ".join(each.words for each in items_of(arabic)[0].all("p", class_="receipt"))
    assert "all.csv، السجل ٢، الأسطر ١–٣ من النص المستخرج" in shown
    assert "all.csv، السجل ٧، الأسطر ١–٣ من النص المستخرج" in shown


def test_lines_that_are_not_of_the_file_are_told_to_be_of_its_text(of_many_kinds):
    page = page_of(of_many_kinds, asked(q="dock workers", mode="lexical"))
    assert "port.html, line" in page.one("ol").words
    assert "of the extracted text" in page.one("ol").words
    assert "record" not in page.one("ol").words


def test_a_hit_in_two_languages_has_the_direction_of_its_sentences(tmp_path, index, model):
    arabic = (
        "أعلنت الوزارة اليوم افتتاح الجسر الجديد أمام حركة المرور بعد أعمال دامت عامين كاملين في المدينة."
    )
    english = "The ministry announced today that the new bridge is open to traffic."
    (tmp_path / "articles").mkdir()
    text = f"{arabic} {english} https://example.org/news/the-new-bridge-is-open-to-traffic-after-two-years-of-works"
    (tmp_path / "articles" / "bridge.txt").write_text(f"الجسر\n\n{text}", "utf-8")
    build_index(tmp_path / "articles", index, model)
    page = page_of(client_of(index), asked(q="new bridge", lang="mixed"))
    (shown,) = texts_of(page)
    assert (shown["lang"], shown["dir"]) == ("mul", "rtl")
    assert shown.text.endswith(text)


# --- pages of a list


def test_next_and_previous_keep_what_was_asked_for(get):
    page = get(asked(q="Geneva", limit=1, offset=1, copies="all", highlight="false", mode="dense", lang="en"))
    assert page.all("a", rel="next") == []
    page = get(asked(q="Geneva", limit=1, offset=1, copies="all", highlight="false", mode="dense"))
    for rel in ("prev", "next"):
        values = parse_qs(urlsplit(page.one("a", rel=rel)["href"]).query)
        assert (values["copies"], values["mode"], values["limit"]) == (["all"], ["dense"], ["1"])


def test_next_and_previous_keep_filters_and_order(read):
    page = read(
        asked(q="winter", source="wire", lang="en", limit=1, offset=1, to="2025-12-31", sort="date", from_="")
    )
    for rel in ("prev", "next"):
        values = query_of(page.one("a", rel=rel)["href"])
        kept = {name: values.get(name) for name in ("source", "lang", "to", "sort", "from")}
        assert kept == {"source": "wire", "lang": "en", "to": "2025-12-31", "sort": "date", "from": None}


def test_next_and_previous_lead_through_the_list_and_back(get):
    address, seen = asked(q="Geneva <grain>", limit=1, mode="dense"), []
    while True:
        page = get(address)
        seen.append(page.one("p", class_="text").text)
        assert page.one("ol")["start"] == str(len(seen))
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
    page = get(asked(q="Geneva", limit=3, offset=100))
    assert "There is nothing more" in page.one("main").text
    assert "The list ends at hit 4." in page.one("main").text
    assert page.all("a", rel="next") == []
    last = get(page.one("a", rel="prev")["href"])
    assert last.one("p", class_="count").words == "4–4 of 4"
    first = get(next(each["href"] for each in page.all("a") if "first page" in each.text))
    assert first.one("p", class_="count").words == "1–3 of 4"


# --- filters and order


def facets_of(page):
    """The facets of a list: for each its values, with how many passages have them and where they lead."""
    facets = {}
    for section in page.all("section", class_="facet"):
        rows = facets[section["id"].removeprefix("by-")] = []
        for item in section.all("li"):
            count = item.all("span", class_="n")[0].text
            links = item.all("a")
            address = links[0]["href"] if links else None
            rows.append((item.words.removesuffix(count).strip(), int(count.replace(",", "")), address))
    return facets


def test_facets_count_what_the_library_counts_and_lead_to_it(read, newsroom):
    page = read(asked(q="the winter rains"))
    counted = newsroom.get(asked("/api/v1/search", q="the winter rains")).get_json()["facets"]
    facets = facets_of(page)
    for name, unknown in (("lang", ""), ("source", "No source"), ("year", "No date")):
        names = {"ar": "Arabic", "en": "English", None: unknown}
        shown = [(label, count) for label, count, _ in facets[name]]
        assert shown == [(names.get(each["value"], each["value"]), each["count"]) for each in counted[name]]
        for (label, count, address), each in zip(facets[name], counted[name], strict=True):
            if not each["value"]:
                assert address is None  # there is no filter for what is not known
                continue
            days = {"from": f"{label}-01-01", "to": f"{label}-12-31"}
            chosen = days if name == "year" else {name: each["value"]}
            assert query_of(address) == {"q": "the winter rains", **chosen}
            # The archive is small enough that every passage is in the pool, with a filter and without.
            assert dict(facet[:2] for facet in facets_of(read(address))[name])[label] == count
    assert {label for label, *_ in facets["source"]} == {*SOURCES, "No source"}
    first = next(each for each in page.elements if each.attributes.get("class") in ("small", "facet"))
    (told,) = page.one("section", class_="narrow").all("p", class_="small")
    assert first is told  # before the numbers that it is about
    for name in counted:
        pool = sum(each["count"] for each in counted[name])
        assert told.text == f"The numbers count the best {pool} passages found, before repeats are folded."


@pytest.mark.parametrize(
    ("lang", "told"),
    [
        ("en", "The numbers count the best passage found."),
        ("ar", "تشمل الأعداد المقطع الوحيد الذي عُثر عليه."),
    ],
)
def test_where_one_passage_is_found_the_numbers_are_of_one(newsroom, lang, told):
    page = page_of(newsroom, asked(q="manuscripts", mode="lexical"), lang=lang, **{"Accept-Language": lang})
    assert len(items_of(page)) == 1
    assert page.one("p", class_="small").text == told


def test_a_filter_that_is_on_is_a_chip_that_takes_it_away(read):
    everything = {
        "q": "winter",
        "lang": "ar",
        "source": "صحيفة المرفأ",
        "from": "2024-01-01",
        "to": "2024-12-31",
        "mode": "dense",
    }
    page = read(f"/?{urlencode(everything)}")
    chips = page.all("a", class_="chip")
    told = [each.words.removeprefix("Take away the filter ").removesuffix(" ×") for each in chips]
    assert told == [
        "Language: Arabic",
        "Source: صحيفة المرفأ",
        "Date: 2024",
        "Way of searching: by meaning alone",
    ]
    for chip, gone in zip(chips, [("lang",), ("source",), ("from", "to"), ("mode",)], strict=True):
        assert query_of(chip["href"]) == {
            name: value for name, value in everything.items() if name not in gone
        }
    assert [chip.all("bdi")[0].text for chip in chips] == [
        "Arabic",
        "صحيفة المرفأ",
        "2024",
        "by meaning alone",
    ]
    (all_away,) = page.one("ul", class_="chips").all("a", class_="all")
    assert query_of(all_away["href"]) == {"q": "winter"}
    current = {each.words for each in page.elements if each.attributes.get("aria-current") == "true"}
    assert {each.split()[0] for each in current} == {"Arabic", "صحيفة", "2024", "Best"}
    assert read(asked(q="winter")).all("a", class_="chip") == []


def test_an_author_is_a_facet_a_filter_and_a_chip(tmp_path, index, model):
    """In both languages, by the whole name; those of no author are counted and cannot be chosen."""
    folder, authors = tmp_path / "articles", ["Salma <Haddad>", "ليلى", "ليلى", None]
    folder.mkdir()
    records = [{"text": f"The river rose in {n}.", "author": each} for n, each in enumerate(authors)]
    (folder / "feed.jsonl").write_text("".join(json.dumps(each) + "\n" for each in records), "utf-8")
    assert not build_index(folder, index, model).failed
    client = client_of(index)
    page = page_of(client, asked(q="river"))
    assert [each[:2] for each in facets_of(page)["author"]] == [
        ("ليلى", 2), ("No author", 1), ("Salma <Haddad>", 1),
    ]  # fmt: skip
    assert facets_of(page)["author"][1][2] is None
    address = facets_of(page)["author"][2][2]
    assert query_of(address) == {"q": "river", "author": "Salma <Haddad>"}
    chosen = page_of(client, address)
    assert [each.text for each in texts_of(chosen)] == ["The river rose in 0."]
    (chip,) = chosen.all("a", class_="chip")
    assert chip.words == "Take away the filter Author: Salma <Haddad> ×"
    assert query_of(chip["href"]) == {"q": "river"}
    assert [(each["name"], each["value"]) for each in chosen.one("form", class_="days").all("input", type="hidden")] == [
        ("q", "river"), ("author", "Salma <Haddad>"),
    ]  # fmt: skip
    assert [query_of(each["href"]) for each in chosen.one("p", class_="export").all("a")] == [
        query_of(address)
    ] * 2
    nothing = page_of(client, asked(q="unheard", mode="lexical", author="Salma"))
    links = {each.text: query_of(each["href"]) for each in nothing.one("section", class_="plain").all("a")}
    assert links["search for every author"] == {"q": "unheard", "mode": "lexical"}
    arabic = page_of(client, asked(q="river"), lang="ar", **{"Accept-Language": "ar"})
    section = arabic.one("section", id="by-author")
    assert section.one("h3").text == "الكاتب"
    assert "دون كاتب" in section.text


@pytest.mark.parametrize(
    ("days", "told"),
    [({"from": "2024-03-15"}, "since March 15, 2024"), ({"to": "2024-12-31"}, "until December 31, 2024"),
     ({"from": "2024-03-15", "to": "2025-01-01"}, "March 15, 2024 to January 1, 2025"),
     ({"from": "2024-01-01", "to": "2025-12-31"}, "January 1, 2024 to December 31, 2025"),
     ({"from": "2024-01-01", "to": "2024-12-31"}, "2024")],
)  # fmt: skip
def test_days_that_were_chosen_are_told_in_words(read, days, told):
    assert read(f"/?q=winter&{urlencode(days)}").one("a", class_="chip").words.endswith(f"Date: {told} ×")


def test_a_form_takes_days_and_takes_along_what_was_asked(read):
    page = read(asked(q="winter", lang="en", sort="date", from_="2024-03-15", to="2025-12-31"))
    form = page.one("form", class_="days")
    assert (form["action"], form["method"]) == ("/", "get")
    inputs = form.all("input")
    assert [(each["name"], each["type"], each["value"]) for each in inputs] == [
        ("q", "hidden", "winter"), ("lang", "hidden", "en"), ("sort", "hidden", "date"),
        ("from", "date", "2024-03-15"), ("to", "date", "2025-12-31"),
    ]  # fmt: skip
    days = {each["datetime"] for each in page.all("time")}
    assert days
    assert all("2024-03-15" <= day <= "2025-12-31" for day in days)
    similar = read(asked("/similar", doc_id="talks.txt", passage=1, lang="en"))
    form = similar.one("form", class_="days")
    assert form["action"] == "/similar"
    assert [each["name"] for each in form.all("input", type="hidden")] == ["doc_id", "passage", "lang"]


def test_the_box_takes_along_the_filters_but_no_page(read):
    page = read(asked(q="winter", lang="ar", source="wire", to="2025-12-31", sort="date", offset=1, limit=5))
    form = page.one("form", role="search")
    kept = {each["name"]: each["value"] for each in form.all("input", type="hidden")}
    assert kept == {"lang": "ar", "source": "wire", "to": "2025-12-31", "sort": "date", "limit": "5"}
    assert {each["lang"] for each in texts_of(page)} <= {"ar"}
    plain = read(asked(q="winter"))
    assert plain.one("form", role="search").all("input", type="hidden") == []
    assert len(texts_of(read("/?q=winter&lang="))) == len(texts_of(plain))


def test_order_is_chosen_by_links(read):
    page = read(asked(q="winter", lang="en", offset=1, limit=100))
    best, newest = page.one("ul", class_="sorting").all("a")
    assert (best.text, newest.text) == ("Best first", "Newest first")
    assert query_of(best["href"]) == {"q": "winter", "lang": "en", "limit": "100"}
    assert query_of(newest["href"]) == {"q": "winter", "lang": "en", "limit": "100", "sort": "date"}
    assert best["aria-current"] == "true"
    assert "aria-current" not in newest.attributes
    days = []
    newest_first = read(newest["href"])
    for item in items_of(newest_first):
        days += [each["datetime"] for each in item.one("p", class_="facts").all("time")] or [""]
    assert days == sorted(days, reverse=True)
    assert days[-1] == ""  # those without a date come last
    assert newest_first.one("ul", class_="sorting").all("a")[1]["aria-current"] == "true"


def test_the_whole_list_is_offered_as_a_file(read, newsroom):
    page = read(
        asked(q="winter", lang="en", source="wire", from_="2024-01-01", sort="date", limit=1, offset=1)
    )
    links = page.one("p", class_="export").all("a")
    assert [each.text for each in links] == ["CSV", "JSON Lines"]
    for link, path in zip(links, ["/export.csv", "/export.jsonl"], strict=True):
        assert urlsplit(link["href"]).path == path
        assert query_of(link["href"]) == {
            "q": "winter", "lang": "en", "source": "wire", "from": "2024-01-01", "sort": "date",
        }  # fmt: skip
        assert newsroom.get(link["href"], buffered=True).status_code == 200


# --- more like a passage


def test_each_hit_leads_to_what_is_like_it(read, newsroom):
    page = read(asked(q="grain corridor", lang="en"))
    for item, text in zip(items_of(page), texts_of(page), strict=True):
        (link,) = item.all("a", class_="like")
        similar = read(link["href"])
        assert similar.one("h1").words == "More like this passage"
        figure = similar.one("figure")
        assert figure.all("blockquote")[0].text == text.text
        (back,) = figure.all("a")
        assert query_of(back["href"]).keys() >= {"sha256", "start", "end"}
        named = query_of(link["href"])
        assert [*named] == ["doc_id", "passage"]
        found = newsroom.get(asked("/api/v1/similar", **named)).get_json()
        assert [each.text for each in texts_of(similar)] == [each["text"] for each in found["hits"]]
        assert text.text not in [each.text for each in texts_of(similar)]
        assert similar.one("input", id="q")["value"] == ""


def test_what_is_like_a_passage_has_filters_order_and_pages_too(read):
    page = read(
        asked(
            "/similar",
            doc_id="gazette/grain.en.txt",
            passage=2,
            lang="en",
            source="wire",
            sort="date",
            limit=2,
        )
    )
    assert {each["lang"] for each in texts_of(page)} == {"en"}
    assert [query_of(each["href"]).get("source") for each in page.all("a", class_="chip")] == ["wire", None]
    for each in [
        *page.all("a", class_="chip"),
        page.one("a", rel="next"),
        *page.one("ul", class_="sorting").all("a"),
    ]:
        assert urlsplit(each["href"]).path == "/similar"
        values = query_of(each["href"])
        assert (values["doc_id"], values["passage"]) == ("gazette/grain.en.txt", "2")
    for link, path in zip(
        page.one("p", class_="export").all("a"), ["/export.csv", "/export.jsonl"], strict=True
    ):
        assert urlsplit(link["href"]).path == path
        assert query_of(link["href"]) == {
            "doc_id": "gazette/grain.en.txt", "passage": "2", "lang": "en", "source": "wire", "sort": "date",
        }  # fmt: skip
    follow = read(page.one("a", rel="next")["href"])
    assert follow.one("ol")["start"] == "3"


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [("", 400, "which one passage is meant"), ("doc_id=a&passage=1&passage=2", 400, "which one passage is meant"),
     ("doc_id=a&doc_id=b&passage=1", 400, "which one passage is meant"),
     ("doc_id=none.txt&passage=1", 404, "holds no passage"), ("doc_id=talks.txt&passage=99", 404, "holds no passage"),
     ("doc_id=&passage=1", 400, "which one passage is meant"), ("passage=1", 400, "which one passage is meant"),
     ("doc_id=talks.txt&passage=", 400, "which one passage is meant"), ("doc_id=talks.txt", 400, "which one passage is meant"),
     ("doc_id=talks.txt&passage=one", 400, "which one passage is meant"),
     ("doc_id=talks.txt&passage=1&limit=0", 400, "from 1 to 100 hits"),
     ("doc_id=talks.txt&passage=1&generation=older", 409, "has changed"), ("doc_id=%3Cb%3E&passage=1", 404, "<b>")],
)  # fmt: skip
def test_a_passage_that_is_none_is_told(read, query, status, told):
    page = read(f"/similar?{query}", status)
    assert told in page.one("main").text
    assert page.all("b") == []


# --- nothing, and what is told


def test_nothing_found_says_what_was_asked_and_what_may_help(read):
    page = read(asked(q="<unheard>", mode="lexical", lang="ar", source="wire", to="2024-12-31"))
    assert page.one("h1").words == "Nothing was found for <unheard>"
    assert items_of(page) == []
    told = page.one("main").words
    assert "Only a part of the archive was searched." in told
    section = page.one("section", class_="plain")
    links = {each.text: query_of(each["href"]) for each in section.all("a")}
    whole = {"q": "<unheard>", "mode": "lexical", "lang": "ar", "source": "wire", "to": "2024-12-31"}

    def without(*names):
        return {name: value for name, value in whole.items() if name not in names}

    assert links == {
        "search in every language": without("lang"),
        "search in every source": without("source"),
        "search whatever the date": without("to"),
        "search by meaning and by words": without("mode"),
        "search everything": {"q": "<unheard>"},
    }
    assert len(page.all("a", class_="chip")) == 4


def test_nothing_found_in_the_whole_archive_does_not_speak_of_filters(read):
    page = read(asked(q="unheard", mode="lexical"))
    assert "Only a part" not in page.one("main").text
    assert "whole question" in page.one("main").text


def test_articles_without_a_date_that_a_filter_left_out_are_told(read, newsroom):
    page = read(asked(q="winter", from_="2024-01-01"))
    (told,) = page.all("p", class_="note")
    warnings = newsroom.get(asked("/api/v1/search", q="winter", from_="2024-01-01")).get_json()["warnings"]
    assert [told.text.strip()] == warnings
    assert "without a date" in told.text
    assert told.parent["role"] == "note"
    assert read(asked(q="winter")).all("p", class_="note") == []
    nothing = read(asked(q="winter", to="2019-12-31"))
    assert "without a date were left out" in nothing.one("main").text
    assert "Nothing was found" in nothing.one("h1").text


@pytest.mark.parametrize(
    ("values", "told"),
    [({}, "The 43 passages nearest to"), ({"mode": "dense"}, "The 43 passages nearest to"),
     ({"mode": "lexical"}, "6 hits for"), ({"limit": "1"}, "The 43 passages nearest to")],
)  # fmt: skip
def test_only_where_words_had_to_match_are_there_hits(read, newsroom, values, told):
    """By meaning every passage has its place, the last one too: no list is a claim that there is an answer."""
    count = newsroom.get(asked("/api/v1/search", q="winter rain", **values)).get_json()["total"]
    heading = read(asked(q="winter rain", **values)).one("h1").words
    assert heading == f"{re.sub('[0-9]+', str(count), told)} winter rain"


def test_the_days_that_found_nothing_can_be_mended_in_place(read):
    page = read(asked(q="winter", from_="1901-03-03", to="1901-03-04", lang="en"))
    assert "Nothing was found" in page.one("h1").text
    form = page.one("form", class_="days")
    values = {each["name"]: each["value"] for each in form.all("input")}
    assert values == {"q": "winter", "lang": "en", "from": "1901-03-03", "to": "1901-03-04"}
    assert read(asked(q="<unheard>", mode="lexical", lang="ar")).all("form", class_="days") == []


def test_a_title_has_its_own_direction_whatever_its_article_is_in(tmp_path, index, model):
    english = (
        "The launch was watched by two million people from San Francisco and the whole Bay Area that night."
    )
    texts = {
        "mostly.txt": f"شركة تطلق نموذجا جديدا\n\n{english}\n\n{english}\n",
        "english.txt": f"A launch in spring\n\n{english}\n",
        "digits.txt": f"2024\n\n{english}\n",
        "turned.txt": f"A \u202elaunch\x07\n\n{english}\n",
    }
    (tmp_path / "articles").mkdir()
    for name, text in texts.items():
        (tmp_path / "articles" / name).write_text(text, "utf-8")
    build_index(tmp_path / "articles", index, model)
    client = client_of(index)
    titles = {
        link.text: (link.parent["lang"], link.parent["dir"])
        for link in title_links(page_of(client, asked(q="launch")))
    }
    assert titles == {
        "شركة تطلق نموذجا جديدا": ("ar", "rtl"), "A launch in spring": ("en", "ltr"), "2024": ("en", "ltr"),
        "A launch\ufffd": ("en", "ltr"),
    }  # fmt: skip
    for name, title in (("mostly.txt", "شركة تطلق نموذجا جديدا"), ("turned.txt", "A launch\ufffd")):
        heading = page_of(client, f"/documents/{name}").one("h1")
        assert (heading.text, heading["lang"], heading["dir"]) == (title, *titles[title])
    assert page_of(client, "/documents/mostly.txt").one("div", class_="words")["dir"] == "ltr"


def test_that_the_model_failed_is_told(press):
    def open_without(index, model, before):
        return Searcher(GenerationReader.open(IndexFolder(index)), None)

    page = page_of(client_of(press / "index", open_without), asked(q="winter"))
    assert "found by their words alone" in page.one("p", class_="note").text
    assert re.match("[0-9]+ hits for winter", page.one("h1").words)
    assert items_of(page)


def test_damage_is_told_on_every_page_with_the_command_that_mends_it(archive, index, model):
    build_index(archive, index, model)
    damage = Notice(
        "damage", f"The index in {index} is damaged: <b>.", remedy=f"warraq build --rebuild --index {index}"
    )

    def open_damaged(*_):
        searcher = open_fake(index, None, None)
        searcher.store.damage = damage
        return searcher

    client = client_of(index, open_damaged)
    for address in ("/", asked(q="Geneva")):
        page = page_of(client, address)
        note = page.one("p", class_="note")
        assert f"The index in {index} is damaged: <b>." in note.text
        assert note.all("code")[0].text == f"warraq build --rebuild --index {index}"
        assert note.all("code")[0]["dir"] == "ltr"


def test_an_empty_index_says_so(tmp_path, index, model):
    (tmp_path / "none").mkdir()
    build_index(tmp_path / "none", index, model)
    client = client_of(index)
    for address in ("/", "/?q=x"):
        page = page_of(client, address)
        assert "The archive is empty" in page.one("main").text
        assert page.one("main").all("code")[0].text == "warraq info"
    assert "Nothing was found" in page.one("h1").text


# --- faults


@pytest.mark.parametrize(
    ("values", "told"),
    [({"q": ""}, "empty"), ({"q": "x" * 1_001}, "1,001"), ({"q": "<b>", "limit": "-1"}, "from 1 to 100 hits"),
     ({"q": "سؤال", "mode": "<i>"}, "way of searching"), ({"q": "x", "offset": "٣"}, "place"), ({"q": "x", "lang": "Arabic"}, "language"),
     ({"q": "x", "sort": "newest"}, "order"), ({"q": "x", "from": "yesterday"}, "The start date cannot be understood."),
     ({"q": "x", "to": "2025-02-30"}, "The end date cannot be understood."),
     ({"q": "x", "copies": "few"}, "Repeats"), ({"q": "x", "highlight": "1"}, "Words that match")],
)  # fmt: skip
def test_a_bad_question_is_a_400_page_that_says_why_and_keeps_it(get, values, told):
    page = get(f"/?{urlencode(values)}", 400)
    said = page.one("section", class_="plain").all("p")[0].text
    assert told in said
    assert not set(re.findall("[a-z]+", said)) & ({*values, "parameter"} - {"q", "from", "highlight"})
    assert page.one("input", id="q")["value"] == values["q"]
    assert page.all("b") == page.all("i") == []


FILTERS = {"lang": "en", "source": "<wire>", "sort": "date", "limit": "5"}


@pytest.mark.parametrize(
    ("days", "told", "shown"),
    [
        (("2025-03-02", "2025-03-01"), "The start date is after the end date.", ("2025-03-02", "2025-03-01")),
        (("tomorrow", "2025-03-01"), "The start date cannot be understood.", ("", "2025-03-01")),
        (("20250302", "2025-03-01"), "The start date cannot be understood.", ("", "2025-03-01")),
        (("2025-03-02", "2025-13-01"), "The end date cannot be understood.", ("2025-03-02", "")),
    ],
)
@pytest.mark.parametrize("of", [{"q": "winter <rain>"}, {"doc_id": "talks.txt", "passage": "1"}])
def test_days_that_are_wrong_are_mended_where_it_is_told(read, of, days, told, shown):
    values = {
        **of,
        **FILTERS,
        "from": days[0],
        "to": days[1],
        "offset": "10",
        "generation": "older",
        "utm": "x",
    }
    path = "/similar" if "passage" in of else "/"
    page = read(f"{path}?{urlencode(values)}", 400)
    assert page.one("main").all("p")[0].text == told
    form = page.one("main").one("form")
    assert form["action"] == path
    assert not any(each.tag == "details" for each in form.within)
    dates = form.all("input", type="date")
    assert [(each["name"], each["value"]) for each in dates] == list(zip(("from", "to"), shown, strict=True))
    assert {each["name"]: each["value"] for each in form.all("input", type="hidden")} == {**of, **FILTERS}
    box = page.one("form", role="search")
    assert box.one("input", id="q")["value"] == of.get("q", "")
    assert {each["name"]: each["value"] for each in box.all("input", type="hidden")} == FILTERS
    # Sent again with the days the other way round, it is a list.
    mended = {each["name"]: each["value"] for each in form.all("input", type="hidden")}
    read(f"{path}?{urlencode({**mended, 'from': '2025-03-01', 'to': '2025-03-02'})}")


def test_a_refused_request_keeps_all_but_what_was_refused(read):
    page = read(f"/?{urlencode({'q': 'x' * 3_000, **FILTERS, 'offset': '10'})}", 400)
    box = page.one("form", role="search")
    assert box.one("input", id="q")["value"] == "x" * 3_000
    assert {each["name"]: each["value"] for each in box.all("input", type="hidden")} == FILTERS
    page = read(f"/?{urlencode({'q': 'x', **FILTERS, 'limit': '0'})}", 400)
    kept = {each["name"] for each in page.one("form", role="search").all("input", type="hidden")}
    assert kept == FILTERS.keys() - {"limit"}
    assert page.one("main").all("form") == []


def test_pages_ignore_parameters_that_they_do_not_know(get):
    assert len(items_of(get("/?q=Geneva&utm_source=x&colour=y&="))) == 4
    get("/?utm_source=x")
    get("/similar?doc_id=talks.txt&passage=1&utm_source=x")


def test_a_list_of_another_generation_is_409_and_leads_to_the_new_one(get):
    page = get(asked(q="<x>", lang="en", generation="older", offset=10), 409)
    assert page.one("main").all("p")[0].text == "The index has changed since this list was made."
    (link,) = page.one("main").all("a")
    assert query_of(link["href"]) == {"q": "<x>", "lang": "en"}
    assert get(link["href"])


@pytest.mark.parametrize("address", ["/nothing", "/nothing/at/all", "/<b>", "/similar/"])
def test_what_is_not_there_is_a_404_page(get, address):
    page = get(address, 404)
    assert "Not found" in page.one("main").text
    assert page.all("b") == []


def test_a_page_takes_no_other_method(get, index):
    client = client_of(index)
    for address in ("/", "/similar"):
        response = client.post(address)
        assert response.status_code == 405
        assert "GET" in response.headers["Allow"]
    assert client.head("/").status_code == 200
    assert client.get("/settings").status_code == 405


@pytest.mark.parametrize("address", ["/", "/?q=Geneva", "/similar?doc_id=a&passage=1"])
def test_without_an_index_pages_are_503_and_say_how_to_build_one(index, address):
    service = SearchService(index, None, open_fake)
    service._refresh()
    client = create_app(service).test_client()
    page = page_of(client, address, 503)
    assert page.one("h1").text == "There is nothing to search yet"
    (command,) = page.one("main").all("code")
    assert command.text == f"warraq build --archive DIR --index {index}"
    assert int(client.get(address).headers["Retry-After"]) > 0


def test_while_it_loads_the_page_asks_again_by_itself(archive, index, model):
    build_index(archive, index, model)
    service = SearchService(index, None, open_fake)
    client = create_app(service).test_client()
    with service._opening:  # somebody is at it
        page = page_of(client, "/?q=Geneva", 503)
    # By its script, which says so; without one there is a link.
    assert not [each for each in page.all("meta") if "http-equiv" in each.attributes]
    again = next(each for each in page.all("span") if "data-again" in each.attributes)
    assert (again["data-again"], again.text) == ("3", "This page asks again by itself.")
    assert "hidden" in again.attributes
    (link,) = page.one("main").all("a")
    assert (link.text, link["href"]) == ("Try again", "/?q=Geneva")
    assert page.one("input", id="q")["value"] == "Geneva"
    assert items_of(page_of(client, "/?q=Geneva"))


# --- what every page has


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/", 200),
        ("/?q=winter", 200),
        ("/similar?doc_id=talks.txt&passage=1", 200),
        ("/?q=", 400),
        ("/nothing", 404),
        ("/?q=winter&offset=99", 200),
    ],
)
def test_a_page_can_be_walked_by_its_landmarks(read, address, status):
    page = read(address, status)
    skip = page.all("a")[0]
    assert (skip["href"], page.one("main")["id"]) == ("#main", "main")
    # Where results are announced stays in its place when they are changed.
    live = page.one("p", id="said")
    assert live["role"] == "status"
    assert page.one("main") not in live.within
    assert "hidden" in page.one("p", id="keys").attributes  # until there is a script that they work with
    links = [
        each["href"]
        for each in next(each for each in page.all("footer") if each.parent.tag == "body").all("a")
    ]
    assert links == ["/docs"]
    ids = [each["id"] for each in page.elements if "id" in each.attributes]
    assert len(ids) == len(set(ids))
    for each in page.all("label", **{}):
        assert "for" not in each.attributes or each["for"] in ids
    levels = [int(each.tag[1]) for each in page.elements if each.tag in ("h1", "h2", "h3")]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_what_the_pages_link_to_is_there(get, index):
    page = get("/?q=Geneva")
    client = client_of(index)
    places = [each["href"] for each in page.all("link")] + [each["src"] for each in page.all("script")]
    places += [each["href"] for each in page.all("a") if not each["href"].startswith("#")]
    assert len(places) > 10
    for place in places:
        response = client.get(place, buffered=True)
        assert response.status_code == 200, place


def test_a_long_facet_shows_its_first_values_and_folds_the_others(tmp_path, index, model):
    for number in range(11):
        folder = tmp_path / "articles" / f"source {number:02}"
        folder.mkdir(parents=True)
        (folder / "a.txt").write_text(f"A ship came to the port of the town numbered {number}.", "utf-8")
    build_index(tmp_path / "articles", index, model)
    page = page_of(client_of(index), "/?q=ship")
    section = page.one("section", id="by-source")
    rest = page.one("details", class_="rest")
    assert section in rest.within
    assert rest.all("summary")[0].text == "3 more"
    assert len(section.all("li")) == 11
    assert len(rest.all("li")) == 3


def test_a_language_is_called_by_its_name_where_it_has_one(read, press):
    page = read(asked(q="winter", lang="mixed"))
    assert page.one("a", class_="chip").words.endswith("Language: Arabic and English ×")
    for code, name in (("fa", "Persian"), ("und", "Unknown language"), ("zzz", "zzz")):
        assert (
            read(asked(q="winter", lang=code)).one("a", class_="chip").words.endswith(f"Language: {name} ×")
        )
