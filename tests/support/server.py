"""A server as a process: the whole of it but the model, which is a fake. `python server.py INDEX [ARCHIVE]`."""

import sys
from pathlib import Path

from fakes import FakeModel

from indexer import Searcher
from indexer.store.embedded import EmbeddedStore
from indexer.store.generation import IndexFolder
from web import SearchService, create_app
from web.server import run


def opened(index: Path, _model: str | None, before: Searcher | None) -> Searcher:
    return Searcher(EmbeddedStore.open(IndexFolder(index)), before.encoder if before else FakeModel())


def main(index: str, archive: str | None = None) -> None:
    service = SearchService(Path(index), None, opened, Path(archive) if archive else None)
    service.start()
    try:
        run(create_app(service), "127.0.0.1", 0)
    finally:
        service.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
