"""A server as a process: the whole of it but the model, which is a fake. `python server.py INDEX [STATE]`.

The state is one that a server may be in: "loading" for ever, or "wordy", whose model fails.
"""

import sys
import threading
from pathlib import Path

from indexer import Searcher
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from tests.support.fakes import open_fake
from web import SearchService, create_app
from web.server.serving import run


def wordy(index: Path, _model: str | None, _before: Searcher | None) -> Searcher:
    return Searcher(GenerationReader.open(IndexFolder(index)), None)


def loading(*_: object) -> Searcher:
    threading.Event().wait()
    raise AssertionError


def main(index: str, state: str = "opened") -> None:
    service = SearchService(
        Path(index), None, {"opened": open_fake, "wordy": wordy, "loading": loading}[state]
    )
    try:
        run(create_app(service), "127.0.0.1", 0, begin=service.start)
    finally:
        service.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
