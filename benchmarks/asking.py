"""Measure the help with asking: slips and keyboards that are offered, offers nobody needs, and suggestions.

    python benchmarks/asking.py INDEX DATASET...

Words and titles are drawn from the archive of INDEX: words that three passages or more have, with one slip of
the pen or typed in the other keyboard layout, and the beginnings of titles. The questions of the DATASETs, in
BEIR's layout, need no offer.
"""

import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from short_questions import slip

from indexer import Searcher, open_searcher
from indexer.evaluation.datasets import read_datasets
from indexer.query import parse
from indexer.retrieval.offers import KEYS, MANY, SHORT, offers
from indexer.retrieval.suggestions import suggest
from indexer.retrieval.words import is_held
from indexer.text.analysis import is_function_word, terms
from indexer.text.names import is_arabic

DRAWN = 200
BEGUN = 4  # letters of the second word of a title that are typed


def main() -> None:
    index, *folders = map(Path, sys.argv[1:])
    draw = random.Random(1)
    with open_searcher(index) as searcher:
        words = drawn_words(searcher, draw)
        slips = [(word, slip(word, draw)) for word in words]
        slips = [(word, typed) for word, typed in slips if not is_held(typed, searcher.store)]
        report("a slip", [(word, offered(searcher, typed)) for word, typed in slips])
        report(
            "the other layout", [(word, offered(searcher, in_other_layout(word, searcher))) for word in words]
        )
        for dataset in (each for folder in folders for each in read_datasets(folder)):
            needless = sum(bool(offered(searcher, query.text)) for query in dataset.queries)
            share = needless / len(dataset.queries)
            print(
                f"{dataset.name}: {needless} of {len(dataset.queries)} questions get an offer ({share:.1%})"
            )
        report_suggestions(searcher, draw)


def drawn_words(searcher: Searcher, draw: random.Random) -> list[str]:
    counts = searcher.store.term_counts("surface")
    words = [
        word
        for word, count in sorted(counts.items())
        if count >= MANY and len(word) > SHORT and word.isalpha() and not is_function_word(word)
    ]
    return draw.sample(words, min(DRAWN, len(words)))


def offered(searcher: Searcher, query: str) -> list[str]:
    """Return the words of the queries that are offered for one."""
    found = offers(query, parse(query), searcher.store, searcher.pieces)
    return [word for offer in found for word in terms(offer.query, "surface")]


def in_other_layout(word: str, searcher: Searcher) -> str:
    """Return a word, as the archive writes it, with the letters that its keys have in the other layout."""
    typed = searcher.store.written(word).lower()
    if not is_arabic(word):
        return "".join(KEYS.get(char, char) for char in typed)
    for letters, key in sorted(
        ((letters, key) for key, letters in KEYS.items()), key=lambda pair: -len(pair[0])
    ):
        typed = typed.replace(letters, key)
    return typed


def report(kind: str, cases: Sequence[tuple[str, list[str]]]) -> None:
    right = sum(word in found for word, found in cases)
    other = sum(bool(found) and word not in found for word, found in cases)
    print(f"{kind}: of {len(cases)} words {right} are offered, another one for {other}")


def report_suggestions(searcher: Searcher, draw: random.Random) -> None:
    titles = sorted(
        {row.document.title for row in searcher.store.rows() if len(row.document.title.split()) > 2}
    )
    found, times = 0, list[float]()
    drawn = draw.sample(titles, min(DRAWN, len(titles)))
    for title in drawn:
        first, second, *_ = title.split()
        started = time.perf_counter()
        suggestions = suggest(f"{first} {second[:BEGUN]}", searcher.store, 8)
        times.append(time.perf_counter() - started)
        found += any(title == each.text for each in suggestions)
    times.sort()
    print(
        f"suggestions: of {len(drawn)} titles {found} are among eight after a word and {BEGUN} letters of "
        f"the next; median {1_000 * times[len(times) // 2]:.1f} ms, slowest {1_000 * times[-1]:.1f} ms"
    )


if __name__ == "__main__":
    main()
