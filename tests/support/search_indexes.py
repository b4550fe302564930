"""Indexes for tests of search, and what brute force finds in them."""

import numpy as np

from indexer import Searcher, SearchRequest
from indexer.building.build import write_generation
from indexer.building.changes import ArticleSource
from indexer.datatypes import Document, Passage, SourceFile, SplitDocument
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from indexer.store.writer import PreparedArticle
from indexer.text.language import detect
from tests.support.fakes import WORDS as ENGLISH
from tests.support.fakes import FakeModel, bag_of_words

ARABIC = ["نهر", "قمح", "مبعوث", "سوق", "شتاء", "سد", "معاهدة", "ميناء", "طائرة", "ضوء", "زيتون", "قناة"]
QUERY = "river treaty in winter"
MODES = ["dense", "lexical", "hybrid"]


def write_lines(folder, number=320):
    """Articles of one line, three Arabic for each two English, of few words each; some alike."""
    random = np.random.default_rng(7)
    for position in range(number):
        words = random.choice(ARABIC if position % 5 < 3 else ENGLISH, size=random.integers(2, 7))
        (folder / f"{position:03}.txt").write_text(" ".join(words), "utf-8")


def open_fake_index(index):
    return Searcher(GenerationReader.open(IndexFolder(index)), FakeModel())


def all_hits(searcher, query=QUERY, **options):
    """The whole list of a question, page by page, without collapsing by default."""
    options = {"copies": "all"} | options
    hits, offset = [], 0
    while page := searcher.search(SearchRequest(query, limit=100, offset=offset, **options)).hits:
        hits += page
        offset += 100
    return hits


def brute_force_cosines(texts, query, lang=None):
    return {
        name: float(bag_of_words(text) @ bag_of_words(query))
        for name, text in texts.items()
        if name and lang in (None, detect(text))
    }


class Angles(FakeModel):
    """Cosines chosen by hand: the first word of a passage is its cosine to every question."""

    def encode_passages(self, texts):
        # The sample of the language-neutral space has none: all its texts are alike.
        brute_force_cosines = np.array(
            [float(text.split()[0]) if text[0].isdecimal() else 0 for text in texts], np.float32
        )
        vectors = np.zeros((len(texts), 64), np.float32)
        vectors[:, 0], vectors[:, 1] = brute_force_cosines, np.sqrt(1 - brute_force_cosines**2)
        return vectors

    def encode_queries(self, texts):
        return self.encode_passages(["1.0" for _ in texts])


def index_passages(index, articles, model=None):
    """A searcher over articles given as lists of passages, by id."""

    def article(doc_id, passages):
        text = "\n".join(passages)
        split_passages, start = [], 0
        for number, passage in enumerate(passages, 1):
            split_passages.append(
                Passage(doc_id, number, start, start + len(passage), number, number, detect(passage))
            )
            start += len(passage) + 1
        document = Document(doc_id, "", text, "", "en", None, SourceFile(doc_id, "ab" * 32))
        return PreparedArticle(SplitDocument(document, tuple(split_passages)))

    folder = IndexFolder(index)
    folder.prepare()
    source = ArticleSource(prepare=lambda _encoder: (article(name, some) for name, some in articles.items()))
    write_generation(folder, source, model or FakeModel(), "/somewhere")
    return Searcher(GenerationReader.open(folder), model or FakeModel())
