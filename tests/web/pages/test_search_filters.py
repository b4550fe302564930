"""Facets, filters and the order of a list."""

import json
from urllib.parse import urlencode, urlsplit

import pytest

from indexer import build_index
from tests.support.archives import SOURCES
from tests.support.html_checks import page_of
from tests.support.search_pages import article_of, client_of, items_of, query_of, search_url, texts_of

# --- filters and order


def facets_of(page):
    """The facets of a list: for each its values, with how many passages have them and where they lead."""
    facets = {}
    for section in page.all("section", class_="facet"):
        rows = facets[section["id"].removeprefix("by-")] = []
        for item in section.all("li"):
            numbers = item.all("span", class_="n")
            if not numbers:
                continue
            count = numbers[0].text
            links = item.all("a")
            address = links[0]["href"] if links else None
            label = (links or item.all("span", class_="fact"))[0].words
            rows.append((label.removesuffix(count).strip(), int(count.replace(",", "")), address))
    return facets


def test_facets_have_the_library_counts_and_link_to_their_hits(read, newsroom):
    page = read(search_url(q="the winter rains"))
    counted = newsroom.get(search_url("/api/v1/search", q="the winter rains")).get_json()["facets"]
    facets = facets_of(page)
    for name, unknown in (("lang", ""), ("source", "No source"), ("year", "No date")):
        names = {"ar": "Arabic", "en": "English", None: unknown}
        shown = [(label, count) for label, count, _ in facets[name]]
        assert shown == [
            (names.get(entry["value"], entry["value"]), entry["count"]) for entry in counted[name]
        ]
        for (label, count, address), row in zip(facets[name], counted[name], strict=True):
            if not row["value"]:
                assert address is None  # unknown values have no filter
                continue
            days = {"from": f"{label}-01-01", "to": f"{label}-12-31"}
            chosen = days if name == "year" else {name: row["value"]}
            assert query_of(address) == {"q": "the winter rains", **chosen}
            # The archive is small enough that every passage is a candidate, with a filter and without.
            assert dict(facet[:2] for facet in facets_of(read(address))[name])[label] == count
    assert {label for label, *_ in facets["source"]} == {*SOURCES, "No source"}
    first = next(
        element for element in page.elements if element.attributes.get("class") in ("small", "facet")
    )
    (caption,) = page.one("section", class_="narrow").all("p", class_="small")
    assert first is caption  # before the numbers that it is about
    assert caption.text == "The numbers say how many passages a choice finds."


def test_a_facets_number_is_the_total_of_its_list(newsroom):
    whole = newsroom.get(search_url("/api/v1/search", q="the winter rains")).get_json()
    for name, counts in whole["facets"].items():
        for value, count in ((each["value"], each["count"]) for each in counts if each["value"]):
            days = {"from": f"{value}-01-01", "to": f"{value}-12-31"}
            filters = days if name == "year" else {name: value}
            chosen = newsroom.get(search_url("/api/v1/search", q="the winter rains", **filters)).get_json()
            assert chosen["total"] == count, (name, value)


def test_all_but_one_source_and_several_sources_can_be_chosen(read):
    (sources,) = [
        each
        for each in read(search_url(q="winter")).all("section", class_="facet")
        if each["id"] == "by-source"
    ]
    first = sources.all("li")[0]
    without = query_of(first.one("a", class_="without")["href"])
    name = query_of(first.all("a")[0]["href"])["source"]
    assert without == {"q": f'winter -source:"{name}"'}
    page = read(search_url(**without))
    assert name not in {label for label, *_ in facets_of(page)["source"]}
    (chosen,) = [
        each
        for each in read(search_url(q="winter", source=name)).all("section", class_="facet")
        if each["id"] == "by-source"
    ]
    added = [each.all("a")[0] for each in chosen.all("li") if each.words.startswith("also")]
    assert {query_of(link["href"])["q"] for link in added} == {
        f'winter source:"{name}" source:"{other}"' for other in SOURCES if other != name
    }
    both = read(added[0]["href"])
    other = added[0].words.removeprefix("also").removeprefix("+").strip()
    assert {label for label, *_ in facets_of(both)["source"]} >= {name, other}


def test_active_filter_has_a_chip_that_removes_it(read):
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
    labels = [entry.words.removeprefix("Take away the filter ").removesuffix(" ×") for entry in chips]
    assert labels == [
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
    current = {item.words for item in page.elements if item.attributes.get("aria-current") == "true"}
    assert {element.split()[0] for element in current} == {"Arabic", "صحيفة", "2024", "Best"}
    assert read(search_url(q="winter")).all("a", class_="chip") == []


def test_an_author_is_a_facet_a_filter_and_a_chip(tmp_path, index, model):
    """In both languages, by the whole name; those of no author are counted and cannot be chosen."""
    folder, authors = tmp_path / "articles", ["Salma <Haddad>", "ليلى", "ليلى", None]
    folder.mkdir()
    records = [{"text": f"The river rose in {n}.", "author": author} for n, author in enumerate(authors)]
    (folder / "feed.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    assert not build_index(folder, index, model).failed
    client = client_of(index)
    page = page_of(client, search_url(q="river"))
    assert [item[:2] for item in facets_of(page)["author"]] == [
        ("ليلى", 2), ("No author", 1), ("Salma <Haddad>", 1),
    ]  # fmt: skip
    assert facets_of(page)["author"][1][2] is None
    address = facets_of(page)["author"][2][2]
    assert query_of(address) == {"q": "river", "author": "Salma <Haddad>"}
    chosen = page_of(client, address)
    assert [text_element.text for text_element in texts_of(chosen)] == ["The river rose in 0."]
    (chip,) = chosen.all("a", class_="chip")
    assert chip.words == "Take away the filter Author: Salma <Haddad> ×"
    assert query_of(chip["href"]) == {"q": "river"}
    assert [(field["name"], field["value"]) for field in chosen.one("form", class_="days").all("input", type="hidden")] == [
        ("q", "river"), ("author", "Salma <Haddad>"),
    ]  # fmt: skip
    whole = query_of(address)
    assert [query_of(link["href"]) for link in chosen.one("p", class_="export").all("a")] == [
        whole, whole | {"separator": "semicolon"}, whole, whole | {"format": "atom"},
    ]  # fmt: skip
    nothing = page_of(client, search_url(q="unheard", mode="lexical", author="Salma"))
    links = {entry.text: query_of(entry["href"]) for entry in nothing.one("section", class_="plain").all("a")}
    assert links["search for every author"] == {"q": "unheard", "mode": "lexical"}
    arabic = page_of(client, search_url(q="river"), lang="ar", **{"Accept-Language": "ar"})
    section = arabic.one("section", id="by-author")
    assert section.one("h3").text == "الكاتب"
    assert "دون كاتب" in section.text


@pytest.mark.parametrize(
    ("days", "label"),
    [({"from": "2024-03-15"}, "since March 15, 2024"), ({"to": "2024-12-31"}, "until December 31, 2024"),
     ({"from": "2024-03-15", "to": "2025-01-01"}, "March 15, 2024 to January 1, 2025"),
     ({"from": "2024-01-01", "to": "2025-12-31"}, "January 1, 2024 to December 31, 2025"),
     ({"from": "2024-01-01", "to": "2024-12-31"}, "2024")],
)  # fmt: skip
def test_chosen_days_are_shown_in_words(read, days, label):
    assert read(f"/?q=winter&{urlencode(days)}").one("a", class_="chip").words.endswith(f"Date: {label} ×")


def test_date_form_keeps_the_other_parameters(read):
    page = read(search_url(q="winter", lang="en", sort="date", from_="2024-03-15", to="2025-12-31"))
    form = page.one("form", class_="days")
    assert (form["action"], form["method"]) == ("/", "get")
    inputs = form.all("input")
    assert [(item["name"], item["type"], item["value"]) for item in inputs] == [
        ("q", "hidden", "winter"), ("lang", "hidden", "en"), ("sort", "hidden", "date"),
        ("from", "date", "2024-03-15"), ("to", "date", "2025-12-31"),
    ]  # fmt: skip
    days = {time_element["datetime"] for time_element in page.all("time")}
    assert days
    assert all("2024-03-15" <= day <= "2025-12-31" for day in days)
    similar = read(search_url("/similar", doc_id="talks.txt", passage=1, lang="en"))
    form = similar.one("form", class_="days")
    assert form["action"] == "/similar"
    assert [field["name"] for field in form.all("input", type="hidden")] == ["doc_id", "passage", "lang"]


def test_search_form_keeps_the_filters_but_not_the_page(read):
    page = read(
        search_url(q="winter", lang="ar", source="wire", to="2025-12-31", sort="date", offset=1, limit=5)
    )
    form = page.one("form", role="search")
    kept = {field["name"]: field["value"] for field in form.all("input", type="hidden")}
    assert kept == {"lang": "ar", "source": "wire", "to": "2025-12-31", "sort": "date", "limit": "5"}
    assert {text_element["lang"] for text_element in texts_of(page)} <= {"ar"}
    plain = read(search_url(q="winter"))
    assert plain.one("form", role="search").all("input", type="hidden") == []
    assert len(texts_of(read("/?q=winter&lang="))) == len(texts_of(plain))


def test_way_of_searching_is_chosen_by_links(read):
    both, words = read(search_url(q="winter", lang="en")).all("ul", class_="sorting")[1].all("a")
    assert (both.text, words.text) == ("By meaning and words", "By words alone")
    assert both["aria-current"] == "true"
    assert query_of(words["href"]) == {"q": "winter", "lang": "en", "mode": "lexical"}
    both, words = read(words["href"]).all("ul", class_="sorting")[1].all("a")
    assert words["aria-current"] == "true"
    assert query_of(both["href"]) == {"q": "winter", "lang": "en"}


def test_order_is_chosen_by_links(read):
    page = read(search_url(q="winter", lang="en", offset=1, limit=100))
    best, newest = page.all("ul", class_="sorting")[0].all("a")
    assert (best.text, newest.text) == ("Best first", "Newest first")
    assert query_of(best["href"]) == {"q": "winter", "lang": "en", "limit": "100"}
    assert query_of(newest["href"]) == {"q": "winter", "lang": "en", "limit": "100", "sort": "date"}
    assert best["aria-current"] == "true"
    assert "aria-current" not in newest.attributes
    days = []
    newest_first = read(newest["href"])
    for item in items_of(newest_first):
        times = article_of(item).one("p", class_="facts").all("time")
        days += [time_element["datetime"] for time_element in times] or [""]
    assert days == sorted(days, reverse=True)
    assert days[-1] == ""  # those without a date come last
    assert newest_first.all("ul", class_="sorting")[0].all("a")[1]["aria-current"] == "true"


def test_the_whole_list_is_offered_as_a_file(read, newsroom):
    page = read(
        search_url(q="winter", lang="en", source="wire", from_="2024-01-01", sort="date", limit=1, offset=1)
    )
    links = page.one("p", class_="export").all("a")
    assert [item.text for item in links] == [
        "CSV", "CSV with semicolons", "JSON Lines", "What is new in it, as a feed",
    ]  # fmt: skip
    for link, path in zip(links, ["/export.csv", "/export.csv", "/export.jsonl", "/"], strict=True):
        assert urlsplit(link["href"]).path == path
        values = query_of(link["href"])
        assert {name: values[name] for name in values if name not in ("separator", "format")} == {
            "q": "winter", "lang": "en", "source": "wire", "from": "2024-01-01", "sort": "date",
        }  # fmt: skip
        assert newsroom.get(link["href"], buffered=True).status_code == 200


# --- what every page has


def test_long_facet_shows_its_first_values_and_hides_the_others(tmp_path, index, model):
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


def test_languages_are_shown_by_name(read, press):
    page = read(search_url(q="winter", lang="mixed"))
    assert page.one("a", class_="chip").words.endswith("Language: Arabic and English ×")
    for code, name in (("fa", "Persian"), ("und", "Unknown language"), ("zzz", "zzz")):
        assert (
            read(search_url(q="winter", lang=code))
            .one("a", class_="chip")
            .words.endswith(f"Language: {name} ×")
        )
