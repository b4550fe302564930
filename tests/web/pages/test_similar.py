"""The page of passages that are like another."""

from urllib.parse import urlsplit

import pytest

from tests.support.search_pages import items_of, query_of, search_url, texts_of


def test_each_hit_links_to_similar_passages(read, newsroom):
    page = read(search_url(q="grain corridor", lang="en"))
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
        result = newsroom.get(search_url("/api/v1/similar", **named)).get_json()
        texts = {hit["rank"]: hit["text"] for hit in result["hits"]}
        ranks = [rank for article in result["articles"] for rank in article["ranks"]]
        assert [shown.text for shown in texts_of(similar)] == [texts[rank] for rank in ranks]
        assert text.text not in [entry.text for entry in texts_of(similar)]
        assert similar.one("input", id="q")["value"] == ""


def test_similar_passages_have_filters_order_and_pages(read):
    page = read(
        search_url(
            "/similar",
            doc_id="gazette/grain.en.txt",
            passage=2,
            lang="en",
            source="wire",
            sort="date",
            limit=2,
        )
    )
    assert {text_element["lang"] for text_element in texts_of(page)} == {"en"}
    assert [query_of(item["href"]).get("source") for item in page.all("a", class_="chip")] == ["wire", None]
    for entry in [
        *page.all("a", class_="chip"),
        page.one("a", rel="next"),
        *page.one("ul", class_="sorting").all("a"),
    ]:
        assert urlsplit(entry["href"]).path == "/similar"
        values = query_of(entry["href"])
        assert (values["doc_id"], values["passage"]) == ("gazette/grain.en.txt", "2")
    for link, path in zip(
        page.one("p", class_="export").all("a"),
        ["/export.csv", "/export.csv", "/export.jsonl", "/similar"],
        strict=True,
    ):
        assert urlsplit(link["href"]).path == path
        values = query_of(link["href"])
        assert {name: values[name] for name in values if name not in ("separator", "format")} == {
            "doc_id": "gazette/grain.en.txt", "passage": "2", "lang": "en", "source": "wire", "sort": "date",
        }  # fmt: skip
    follow = read(page.one("a", rel="next")["href"])
    assert sorted(rank.text for rank in follow.all("span", class_="rank")) == ["3", "4"]


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [("", 400, "which one passage is meant"), ("doc_id=a&passage=1&passage=2", 400, "which one passage is meant"),
     ("doc_id=a&doc_id=b&passage=1", 400, "which one passage is meant"),
     ("doc_id=none.txt&passage=1", 404, "holds no passage"), ("doc_id=talks.txt&passage=99", 404, "holds no passage"),
     ("doc_id=&passage=1", 400, "which one passage is meant"), ("passage=1", 400, "which one passage is meant"),
     ("doc_id=talks.txt&passage=", 400, "which one passage is meant"), ("doc_id=talks.txt", 400, "which one passage is meant"),
     ("doc_id=talks.txt&passage=one", 400, "which one passage is meant"),
     ("doc_id=talks.txt&passage=1&limit=0", 400, "from 1 to 100 hits"),
     ("doc_id=talks.txt&passage=1&generation=older", 409, "has changed"), ("doc_id=%3Cb%3E&passage=1", 404, "<b>")],
)  # fmt: skip
def test_unknown_passage_is_reported(read, query, status, message):
    page = read(f"/similar?{query}", status)
    assert message in page.one("main").text
    assert page.all("b") == []
