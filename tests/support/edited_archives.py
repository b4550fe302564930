"""Archives that tests edit between builds, with lines that repeat."""

from indexer import Searcher, SearchRequest, build_index
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from tests.support.fakes import FakeModel


def found_texts(index):
    store = GenerationReader.open(IndexFolder(index))
    result = Searcher(store, FakeModel()).search(
        SearchRequest("anything", limit=100, mode="dense", copies="all")
    )
    store.close()
    return sorted(hit.text for hit in result.hits)


LINE = "The harbour master writes every Thursday"
PARAGRAPH = "Envoys met in Geneva on Monday to discuss the grain corridor across the Black Sea."


def put_voyages_into(folder, numbers, *lines):
    """Articles of their own words, with lines below that others have too."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        body = f"Ship number {number} left the port on day {number} with grain for {number} thousand people."
        (folder / f"v{number:02}.txt").write_text("\n".join([f"Voyage {number}", body, *lines]), "utf-8")


def voyage(number, *others):
    """An article of its own words, with other lines below."""
    body = f"Ship number {number} left the port on day {number} of the year with grain for {number} thousand people."
    return "\n".join([f"Voyage {number} of the corridor", body, *others]) + "\n"


def put(folder, **files):
    for name, text in files.items():
        path = folder / (name.replace("__", "/") if "." in name else f"{name.replace('__', '/')}.txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def put_voyages(folder, source, number, *others, first=0):
    put(
        folder,
        **{
            f"{source}__v{position:02}": voyage(position, *others)
            for position in range(first, first + number)
        },
    )


def build(folder, model=None, **how):
    """Bring the index next to an archive up to date; returns the report."""
    return build_index(folder, folder.parent / "index", model or FakeModel(), **how)


def cuts_of(articles):
    """By id, the lines that were cut: number, rule and in how many articles the line stands."""
    return {
        doc_id: [(cut.line, cut.rule, cut.articles) for cut in article.cuts]
        for doc_id, article in ((doc_id, getattr(item, "article", item)) for doc_id, item in articles.items())
        if article.cuts
    }
