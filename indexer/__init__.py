"""Warraq's library: build an index of a folder of articles, and search it.

    >>> import indexer
    >>> sorted(indexer.__all__)[:4]
    ['BuildReport', 'Document', 'Hit', 'Passage']

The names below are imported when they are first used, so that importing the package, or asking the
command line for help, imports no model library.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from indexer.building.build import build_index
    from indexer.datatypes import BuildReport, Document, Hit, Passage, SearchResult
    from indexer.errors import WarraqError
    from indexer.inspection import inspect_file
    from indexer.integrity.index import verify_index
    from indexer.request import SearchRequest, SimilarRequest
    from indexer.retrieval.opening import open_searcher
    from indexer.retrieval.searcher import Searcher

__all__ = [
    "BuildReport",
    "Document",
    "Hit",
    "Passage",
    "SearchRequest",
    "SearchResult",
    "Searcher",
    "SimilarRequest",
    "WarraqError",
    "build_index",
    "inspect_file",
    "open_searcher",
    "verify_index",
]

_HOMES = {
    "BuildReport": "datatypes",
    "Document": "datatypes",
    "Hit": "datatypes",
    "Passage": "datatypes",
    "SearchRequest": "request",
    "SearchResult": "datatypes",
    "Searcher": "retrieval.searcher",
    "SimilarRequest": "request",
    "WarraqError": "errors",
    "build_index": "building.build",
    "inspect_file": "inspection",
    "open_searcher": "retrieval.opening",
    "verify_index": "integrity.index",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
