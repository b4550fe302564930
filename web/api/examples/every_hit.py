"""Every hit of a question, page by page, with its provenance."""

import json
import sys
from urllib.parse import urlencode
from urllib.request import urlopen

BASE = "http://127.0.0.1:5000"


def hits(question, **parameters):
    address, printed = "/api/v1/search?" + urlencode({"q": question, "limit": 100, **parameters}), set()
    while address:
        with urlopen(BASE + address) as answer:
            page = json.load(answer)
        for warning in set(page["warnings"]) - printed:
            print("Warning:", warning, file=sys.stderr)
            printed.add(warning)
        yield from page["hits"]
        address = page["next"]


for hit in hits("Which dams are full?"):
    source = hit["source"]
    print(f"{source['path']}, lines {source['line_start']}–{source['line_end']}: {hit['text'][:80]!r}")
