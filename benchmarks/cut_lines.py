"""List what is cut from a folder of text files, such as newspapers whose headline is the first line.

In articles without boilerplate every cut is an error, so this shows how precise the rules are on sources that
nobody wrote them from:

    python benchmarks/cut_lines.py FOLDER [--list]
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from indexer.boilerplate.layout import clean
from indexer.datatypes import Cut, Document
from indexer.errors import UnreadableFile
from indexer.ingest.documents import documents_of
from indexer.ingest.files import find_files, open_file
from indexer.ingest.metadata.sidecars import Sidecars
from indexer.ingest.readers.registry import Readers
from indexer.text.lines import nonblank_lines


def documents_in(folder: Path) -> Iterator[Document]:
    """Yield the articles of a folder before anything is cut."""
    with Readers({}) as readers:
        for file in find_files(folder):
            try:
                with open_file(file, folder) as source:
                    results = list(documents_of(source, readers, Sidecars(folder, [], {})))
            except UnreadableFile:
                continue
            yield from (result for result in results if isinstance(result, Document))


def main() -> None:
    """Print the counts of cut headlines and lines, and with --list each cut line."""
    arguments = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--list", action="store_true", help="print each cut line")
    options = arguments.parse_args()
    articles = lines = headlines = 0
    rules: Counter[str] = Counter()
    for document in documents_in(options.folder):
        _, cuts = clean(document)
        places = nonblank_lines(document.text)
        articles, lines = articles + 1, lines + len(places)
        headlines += any(cut.line == places[0].number for cut in cuts)
        rules.update(cut.rule for cut in cuts)
        if options.list:
            print_cuts(document, cuts)
    by_rule = ", ".join(f"{rule} {count:,}" for rule, count in rules.most_common())
    print(
        f"{articles:,} articles, {lines:,} lines: {headlines:,} first lines and {rules.total():,} lines cut"
    )
    print(f"by rule: {by_rule or 'none'}")


def print_cuts(document: Document, cuts: tuple[Cut, ...]) -> None:
    """Print each cut line of a document with its number and rule."""
    for cut in cuts:
        print(f"{document.doc_id}:{cut.line}\t{cut.rule}\t{document.text[cut.start : cut.end]}")


if __name__ == "__main__":
    main()
