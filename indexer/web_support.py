"""What the package `web` uses of the library beyond its public names. It may change with every version."""

from indexer.addresses import document_url, permanent_url, words_hash
from indexer.datatypes import ArticleEntry, BrowseResult, Count, Notice, SplitDocument
from indexer.errors import ModelError, NoIndex, RequestError
from indexer.inspection import CutLines, FileState, Originals, article_json, reason_of
from indexer.maintenance import cache_facts
from indexer.query import parse, quoted
from indexer.request import (
    DATE_COLUMN,
    FACETS,
    LIMIT,
    OFFSET,
    PARAMETERS,
    QUERY_LENGTH,
    BrowseRequest,
    Choice,
    Day,
    FilteredRequest,
    Flag,
    Operator,
    Parameter,
    Role,
    Text,
    WholeNumber,
    is_day,
)
from indexer.retrieval.opening import current_generation
from indexer.serialization import browse_json, hit_json, result_json, similar_json
from indexer.spreadsheet import BYTE_ORDER_MARK, cell
from indexer.text.language import direction, html_lang, title_language
from indexer.text.lines import line_numbers
from indexer.text.sentences import split_sentences

__all__ = [
    "BYTE_ORDER_MARK",
    "DATE_COLUMN",
    "FACETS",
    "LIMIT",
    "OFFSET",
    "PARAMETERS",
    "QUERY_LENGTH",
    "ArticleEntry",
    "BrowseRequest",
    "BrowseResult",
    "Choice",
    "Count",
    "CutLines",
    "Day",
    "FileState",
    "FilteredRequest",
    "Flag",
    "ModelError",
    "NoIndex",
    "Notice",
    "Operator",
    "Originals",
    "Parameter",
    "RequestError",
    "Role",
    "SplitDocument",
    "Text",
    "WholeNumber",
    "article_json",
    "browse_json",
    "cache_facts",
    "cell",
    "current_generation",
    "direction",
    "document_url",
    "hit_json",
    "html_lang",
    "is_day",
    "line_numbers",
    "parse",
    "permanent_url",
    "quoted",
    "reason_of",
    "result_json",
    "similar_json",
    "split_sentences",
    "title_language",
    "words_hash",
]
