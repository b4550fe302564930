"""Ask an archive for what most people type: a number, a rare word, a name of two words; and with a slip.

    python benchmarks/short_questions.py INDEX FOLDER...

A FOLDER holds a dataset in BEIR's layout (corpus.jsonl) or articles. All of their passages are indexed
together in INDEX. Each question is drawn from one or two passages that alone have its words; printed is the
share of questions for which one of them comes first, and on the first page of ten.
"""

import random
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from indexer import SearchRequest, inspect_file, open_searcher
from indexer.building.build import write_generation
from indexer.building.changes import ArticleSource
from indexer.datatypes import Document, Passage, SourceFile, SplitDocument
from indexer.embedding.encoder import find_model
from indexer.errors import ArchiveError, IndexUnusable
from indexer.evaluation.datasets import read_dataset
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from indexer.store.writer import PreparedArticle
from indexer.text.analysis import is_function_word, tokens
from indexer.text.names import is_arabic

DRAWN = 120  # questions of a kind
HOLDERS = (1, 2)  # passages that have the words
LETTERS = {True: "ابتثجحخدذرزسشصضطظعغفقكلمنهوي", False: "abcdefghijklmnopqrstuvwxyz"}
DIGITS = "0123456789"


def articles(folders: Sequence[Path]) -> Iterator[SplitDocument]:
    """Yield the articles of all folders, no text twice."""
    seen = set[str]()
    for folder in folders:
        for article in _dataset(folder) if (folder / "corpus.jsonl").exists() else _files(folder):
            if article.document.text not in seen:
                seen.add(article.document.text)
                yield article


def _dataset(folder: Path) -> Iterator[SplitDocument]:
    for row in read_dataset(folder).corpus:
        doc_id = f"{folder.name}/{row.id}"
        document = Document(doc_id, row.title, row.text, folder.name, row.lang, None, SourceFile(doc_id))
        yield SplitDocument(document, (Passage(doc_id, 1, 0, len(row.text), 1, 1, row.lang),))


def _files(folder: Path) -> Iterator[SplitDocument]:
    for path in sorted(folder.rglob("*.txt")):
        try:
            yield inspect_file(path, path.parent / "no-index").article
        except ArchiveError as error:
            print(error, file=sys.stderr)


def build(index: Path, found: Sequence[SplitDocument]) -> None:
    """Index articles, unless the index holds as many already."""
    folder = IndexFolder(index)
    try:
        with open_searcher(index, without_model=True) as searcher:
            if searcher.size() == (len(found), sum(len(article.passages) for article in found)):
                return
    except IndexUnusable:
        folder.prepare()
    source = ArticleSource(prepare=lambda _encoder: (PreparedArticle(article) for article in found))
    write_generation(folder, source, find_model("bundled"), str(index))


def questions(texts: Sequence[str], draw: random.Random) -> dict[str, list[tuple[str, set[int]]]]:
    """Return questions by kind, each with the places of the passages that have its words."""
    holders: dict[str, dict[str, set[int]]] = {}
    for place, text in enumerate(texts):
        names = {token.start for token in tokens(text) if token.kind == "name"}
        words = [token for token in tokens(text) if token.kind == "surface"]
        for word in words:
            kind = _kind(word.term)
            if kind:
                holders.setdefault(kind, {}).setdefault(word.term, set()).add(place)
        for one, other in pairwise(words):
            apart = text[one.end : other.start] != " "
            if apart or len(one.term) < 3 or len(other.term) < 3:
                continue
            pair = f"{text[one.start : one.end]} {text[other.start : other.end]}"
            if one.start in names and other.start in names:
                holders.setdefault("English name of two words", {}).setdefault(pair, set()).add(place)
            elif all(is_arabic(word.term) and not is_function_word(word.term) for word in (one, other)):
                holders.setdefault("Arabic pair of words", {}).setdefault(pair, set()).add(place)
    return {
        kind: draw.sample(rare, min(DRAWN, len(rare)))
        for kind, by_text in sorted(holders.items())
        for rare in [sorted((text, places) for text, places in by_text.items() if len(places) in HOLDERS)]
    }


def _kind(surface: str) -> str | None:
    if surface.isdigit():
        return "number" if len(surface) > 2 else None
    if len(surface) < 5 or is_function_word(surface):
        return None
    return "rare Arabic word" if is_arabic(surface) else "rare English word" if surface.isalpha() else None


def slip(text: str, draw: random.Random) -> str:
    """Return a text with one slip of the pen in a word of five letters or more."""
    words = text.split(" ")
    place = draw.choice([at for at, word in enumerate(words) if len(word) > 4] or [0])
    word = words[place]
    letters = DIGITS if word.isdigit() else LETTERS[is_arabic(word)]
    at = draw.randrange(len(word) - 1)
    words[place] = draw.choice([
        word[:at] + word[at + 1 :],
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        word[:at] + draw.choice(letters) + word[at + 1 :],
        word[:at] + draw.choice(letters) + word[at:],
    ])  # fmt: skip
    return " ".join(words)


def main() -> None:
    index, *folders = (Path(name) for name in sys.argv[1:])
    found = list(articles(folders))
    build(index, found)
    draw = random.Random(1)
    texts = [
        article.document.text[passage.start : passage.end]
        for article in found
        for passage in article.passages
    ]
    with open_searcher(index) as searcher:
        assert isinstance(searcher.store, GenerationReader)
        print(f"{len(texts):,} passages\n{'':40} first  first page  with a slip: first  first page")
        for kind, drawn in questions(texts, draw).items():
            shares = []
            for change in (lambda text, _: text, slip):
                ranks = []
                for text, places in drawn:
                    asked = SearchRequest(change(text, draw), copies="all", highlight=False)
                    holding = {texts[place] for place in places}
                    ranks.append(
                        next((hit.rank for hit in searcher.search(asked) if hit.text in holding), None)
                    )
                shares += [sum(rank == 1 for rank in ranks), sum(rank is not None for rank in ranks)]
            print(
                f"{kind:30} ({len(drawn):4}) {'  '.join(f'{count / len(drawn):11.3f}' for count in shares)}"
            )


if __name__ == "__main__":
    main()
