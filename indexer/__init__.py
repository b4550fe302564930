"""Warraq's library: the index, its writing and its reading. What stands here is all that `web` uses."""

from .build import Model, build_index
from .datatypes import (
    LIMIT,
    MODES,
    OFFSET,
    QUERY_LENGTH,
    Article,
    BuildReport,
    Document,
    FailedFile,
    Hit,
    Passage,
    SearchRequest,
    SearchResult,
)
from .errors import (
    ArchiveError,
    GenerationChanged,
    IndexUnusable,
    ModelError,
    NoIndex,
    RequestError,
    UnreadableFile,
    WarraqError,
)
from .inspection import CutLines, Originals, inspect_file, reason_of
from .intake import Progress
from .models.encoder import Encoder, find_model
from .proof import Proof, read_hits, verify_hits
from .receipts import document_url, next_page, previous_page, result_json
from .search import Searcher, current_generation, open_searcher, read_manifest
from .text.language import direction, html_lang
from .upkeep import cache_facts, clear_cache, describe, roll_back
from .verify import Verification, verify_index

__all__ = [
    "LIMIT",
    "MODES",
    "OFFSET",
    "QUERY_LENGTH",
    "ArchiveError",
    "Article",
    "BuildReport",
    "CutLines",
    "Document",
    "Encoder",
    "FailedFile",
    "GenerationChanged",
    "Hit",
    "IndexUnusable",
    "Model",
    "ModelError",
    "NoIndex",
    "Originals",
    "Passage",
    "Progress",
    "Proof",
    "RequestError",
    "SearchRequest",
    "SearchResult",
    "Searcher",
    "UnreadableFile",
    "Verification",
    "WarraqError",
    "build_index",
    "cache_facts",
    "clear_cache",
    "current_generation",
    "describe",
    "direction",
    "document_url",
    "find_model",
    "html_lang",
    "inspect_file",
    "next_page",
    "open_searcher",
    "previous_page",
    "read_hits",
    "read_manifest",
    "reason_of",
    "result_json",
    "roll_back",
    "verify_hits",
    "verify_index",
]
