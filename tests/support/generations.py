"""Generations made by hand: articles, terms and vectors that a test can work out by itself."""

import hashlib
import json
import random
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from indexer.datatypes import Document, Passage, SourceFile, SplitDocument
from indexer.request import Condition, ListRequest
from indexer.store.base import WeightedTerm
from indexer.store.folder import IndexFolder
from indexer.store.manifest import GenerationContent
from indexer.store.reader import GenerationReader
from indexer.store.writer import GenerationWriter, PassageKeys, PreparedArticle
from indexer.text.analysis import Token
from indexer.text.passages import searched_text
from tests.support.paths import SETTINGS

DIMENSION = 16
NO_FILTER = ()


def only(lang=None, source=None, published_from=None, published_to=None, author=None):
    """The filters that are on, as a request has them."""
    given = locals()
    return tuple(
        Condition(each.filter, given[each.attribute])
        for each in ListRequest.parameters()
        if given.get(each.attribute) is not None
    )


def publish(folder, staging, *, archive="/somewhere", settings=SETTINGS, **facts):
    """Publish a generation that holds what `facts` say; those that are no facts say how."""
    how = {name: facts.pop(name) for name in ("linked", "check", "earlier", "keep") if name in facts}
    return folder.publish(staging, GenerationContent(**facts), archive=archive, settings=settings, **how)


VOCABULARY = [
    "grain",
    "talks",
    "port",
    "winter",
    "bread",
    "قمة",
    "هدنة",
    "سلام",
    "ميناء",
    "x'\"\\",
    "a:b",
    "+c",
    "😀",
]


def unit(rows):
    rows = np.asarray(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def held(stems=(), surfaces=()):
    """What a passage holds: terms of each kind, as the analysis gives them."""
    return [
        Token(term, 0, 1, kind) for kind, some in (("stem", stems), ("surface", surfaces)) for term in some
    ]


def wanted(*terms, stem=1.0, surface=0.3):
    """What a question looks for: each term as both kinds, with a weight for each."""
    weights = {"stem": stem, "surface": surface}
    return [WeightedTerm(term, kind, weight) for term in terms for kind, weight in weights.items() if weight]


def write(path, articles, terms, vectors, dimension=DIMENSION):
    """Build a generation of these articles and open it; terms and vectors are by row."""
    texts = [searched_text(each.document, part) for each in articles for part in each.passages]
    terms_of = dict(zip(texts, terms, strict=True))
    folder = IndexFolder(path)
    folder.prepare()
    with folder.staging_folder() as staging:
        writer = GenerationWriter(staging)
        for article in articles:
            writer.add(
                PreparedArticle(article), [PassageKeys(b"key")] * len(article.passages), terms_of.__getitem__
            )
        content = writer.content()
        writer.finish(dimension, iter(np.array_split(vectors, 3)))
        folder.publish(staging, content, archive="/somewhere", settings=SETTINGS)
    return GenerationReader.open(folder)


def make_articles(languages):
    """Articles of up to four passages, one of each language given; each passage is its row."""
    draw = random.Random(3)
    articles, left, row = [], list(languages), 0
    while left:
        here, left = left[: (size := draw.randint(1, 4))], left[size:]
        # Not in the order of the alphabet: rows follow the order of writing, not of names.
        doc_id = f"{draw.randrange(10**6):06}/{len(articles)}.txt"
        text = "".join(f"{row + number:09}\n" for number in range(size))
        row += size
        passages = [
            Passage(doc_id, n + 1, 10 * n, 10 * n + 9, n + 1, n + 1, lang) for n, lang in enumerate(here)
        ]
        articles.append(
            SplitDocument(Document(doc_id, f"Title {doc_id}", text, doc_id, here[0]), tuple(passages))
        )
    return articles


def found(passages, candidates):
    """The rows of candidates among all passages."""
    row = {passage: row for row, passage in enumerate(passages)}
    return [row[candidate.passage] for candidate in candidates]


def by_id(passage):
    """The order of equal scores."""
    return passage.doc_id, passage.number


# --- articles whose terms and vectors follow from their words ------------------------------------


def entry(doc_id, *texts, lang="en", source="wire", published=None, path=None, title=None, **known):
    """An article of these passages, a line each; its title is on none of them."""
    whole, passages, start = "\n".join(texts), [], 0
    for number, text in enumerate(texts, 1):
        passages.append(Passage(doc_id, number, start, start + len(text), number, number, lang))
        start += len(text) + 1
    title = f"Title {doc_id}" if title is None else title
    document = Document(doc_id, title, whole, source, lang, published, SourceFile(path or doc_id))
    cuts = known.pop("cuts", ())
    known = {"digest": hashlib.sha256(whole.encode()).digest()[:16], **known}
    return PreparedArticle(SplitDocument(document, tuple(passages), cuts), **known)


def texts_of(entries: Iterable[PreparedArticle]) -> Iterator[str]:
    for each in entries:
        for passage in each.article.passages:
            yield each.article.document.text[passage.start : passage.end]


def words(text):
    """The terms of a text: its words, as terms of both kinds."""
    return held(text.split(), text.split())


def key_of(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def vector_of(text: str):
    return unit(np.random.default_rng([*key_of(text)]).normal(size=DIMENSION))


def vectors_of(texts):
    return np.array([vector_of(text) for text in texts], np.float32).reshape(-1, DIMENSION)


def build(
    path: Path,
    entries: Sequence[PreparedArticle],
    base: GenerationReader | None = None,
    dropped: Collection[str] = (),
    *,
    also: Callable[[GenerationWriter], object] = lambda _: None,
    analyze: Callable[[str], Sequence[Token]] = words,
    **publishing,
) -> GenerationReader:
    """Publish the next generation as a build does, and open it."""
    folder = IndexFolder(path)
    folder.prepare()
    with folder.staging_folder() as staging:
        writer = GenerationWriter(staging, base, dropped)
        for each in entries:
            writer.add(each, [PassageKeys(key_of(text)) for text in texts_of([each])], analyze)
        also(writer)
        assert writer.new_keys() == [(key_of(text), None) for text in texts_of(entries)]
        content = writer.content()
        writer.finish(DIMENSION, iter([vectors_of(texts_of(entries))]))
        made = folder.publish(
            staging, content, linked=writer.linked, archive="/somewhere", settings=SETTINGS,
            **{"check": lambda made: opens(folder, made.generation), **publishing},
        )  # fmt: skip
    return GenerationReader.open_generation(folder, made.generation)


def opens(folder: IndexFolder, generation: str) -> None:
    """Open a generation as a reader would; its damage is raised."""
    GenerationReader.open_generation(folder, generation).close()


# --- files ---------------------------------------------------------------------------------------


def names(path):
    return sorted(entry.name for entry in path.iterdir())


def state(path):
    """All that a folder holds, and when it was changed: by name, the bytes, the inode and the time."""
    return {
        each.relative_to(path).as_posix(): (
            each.read_bytes() if each.is_file() else b"", each.stat().st_ino, each.stat().st_mtime_ns,
        )
        for each in [path, *path.rglob("*")]
    }  # fmt: skip


def flip(path, at, bit=0):
    """Turn one bit of a file over, in the place where it is."""
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1 << bit]))


def without_names(manifest):
    """The content of a manifest, in a form that can be compared with that of another."""
    shown = json.loads(json.dumps({name: getattr(manifest, name) for name in manifest.__dataclass_fields__}))
    return {name: value for name, value in shown.items() if name not in ("generation", "built", "files")}
