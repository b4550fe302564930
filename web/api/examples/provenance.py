"""Check the provenance of hits: the article's text at the range of a hit equals the text of the hit."""

import json
from urllib.parse import quote, urlencode
from urllib.request import urlopen

BASE = "http://127.0.0.1:5000/api/v1"


def get(address):
    with urlopen(BASE + address) as answer:
        return json.load(answer)


for hit in get("/search?" + urlencode({"q": "grain corridor"}))["hits"]:
    source = hit["source"]
    article = get("/documents/" + quote(source["doc_id"]))
    assert article["sha256"] == source["sha256"]
    assert article["text"][source["char_start"] : source["char_end"]] == hit["text"]

    like = get("/similar?" + urlencode({name: source[name] for name in ("doc_id", "passage")}))
    print(source["path"], "is right, and", like["total"], "passages of other articles are like it")
