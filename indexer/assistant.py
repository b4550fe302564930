"""The archive for assistants: search, articles and proofs over the Model Context Protocol.

Every hit carries its receipt: file, sha256, lines and characters. What an assistant quotes can be proved with
the tool `verify`, which reads the file and not the index.
"""

import threading
from collections.abc import Callable
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, TypeVar

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from indexer.errors import RequestError, WarraqError
from indexer.integrity.hits import check_hits, verify_hits
from indexer.request import SearchRequest
from indexer.retrieval.opening import current_generation, open_searcher
from indexer.retrieval.searcher import Searcher
from indexer.serialization import result_json

HITS = 20  # of a search at most
PASSAGES = 50  # of an article in one answer
INSTRUCTIONS = """An archive of articles in Arabic and English. Ask `search` whole questions in either
language; it finds passages of both. Quote only the exact words of `text`, and cite them with `source`: path,
lines and title. `answerable` says whether the archive seems to answer at all; with "no", say that it does
not. Prove a quotation with `verify`, giving it the hit as `search` returned it."""
Tool = TypeVar("Tool", bound=Callable[..., dict[str, Any]])
Question = Annotated[
    str, Field(description="The question, in Arabic or English; it may have signs such as quotation marks.")
]
Proved = Annotated[dict[str, Any], Field(description="A hit as search returned it: its text and source.")]


class Archive:
    """The served generation of an index; follows the switch to the next one."""

    def __init__(self, index: Path, model: str | None, archive: Path | None) -> None:
        self._index, self._model, self._moved = index, model, archive
        self._current = current_generation(index)
        self._searcher = open_searcher(index, model)
        self._lock = threading.Lock()

    def searcher(self) -> Searcher:
        """Return the searcher of the current generation."""
        with self._lock:
            # A damaged generation is current, but an older one is searched: it is not opened again each time.
            if (current := current_generation(self._index)) != self._current:
                # The one before stays open for whoever still uses it.
                self._searcher = open_searcher(self._index, self._model, self._searcher.encoder)
                self._current = current
            return self._searcher

    def folder(self) -> Path:
        """Return the folder of the articles."""
        return self._moved or self._searcher.archive


def _told(tool: Tool) -> Tool:
    """Return a tool whose errors tell the assistant what is wrong."""

    @wraps(tool)
    def call(*arguments: Any, **options: Any) -> dict[str, Any]:
        try:
            return tool(*arguments, **options)
        except WarraqError as error:
            raise ToolError(str(error)) from error

    return call  # type: ignore[return-value]  # wraps keeps its signature


def make_server(index: Path, model: str | None = None, archive: Path | None = None) -> MCPServer[Any]:
    """Return a server of an index; raises NoIndex, IndexUnusable and ModelError."""
    held = Archive(index, model, archive)
    server: MCPServer[Any] = MCPServer("warraq", instructions=INSTRUCTIONS)

    @server.tool()
    @_told
    def search(
        question: Question,
        limit: Annotated[int, Field(ge=1, le=HITS, description="Hits to return.")] = 5,
        lang: Annotated[str | None, Field(description="Only passages in this language, ar or en.")] = None,
        source: Annotated[str | None, Field(description="Only articles of this source, by its name.")] = None,
        published_from: Annotated[str | None, Field(description="Only from this day on, YYYY-MM-DD.")] = None,
        published_to: Annotated[str | None, Field(description="Only up to this day, YYYY-MM-DD.")] = None,
    ) -> dict[str, Any]:
        """Find the passages that answer a question, best first, each with its exact words and its receipt."""
        request = SearchRequest(
            question, limit=limit, lang=lang, source=source,
            published_from=published_from, published_to=published_to,
        )  # fmt: skip
        answer = result_json(held.searcher().search(request))
        kept = ("question", "answerable", "total", "listed", "hits", "warnings", "offers", "generation")
        return {"question": question} | {name: answer[name] for name in kept if name in answer}

    @server.tool()
    @_told
    def article(
        doc_id: Annotated[str, Field(description="The article's id, from the `source` of a hit.")],
        first: Annotated[int, Field(ge=1, description="The number of the first passage to return.")] = 1,
    ) -> dict[str, Any]:
        """Read an article: its facts, and the exact words of its passages, fifty at a time."""
        found = held.searcher().article(doc_id)
        if found is None:
            raise RequestError("not_found", f"The index holds no article {doc_id!r}.")
        document = found.document
        passages = [each for each in found.passages if each.number >= first]
        return {
            "doc_id": document.doc_id,
            "title": document.title,
            "source": document.source,
            "author": document.author or None,
            "published": document.published,
            "lang": document.lang,
            "path": document.file.path,
            "sha256": document.file.sha256,
            "passages": [
                {
                    "passage": each.number,
                    "lines": [each.line_start, each.line_end],
                    "characters": [each.start, each.end],
                    "text": document.text[each.start : each.end],
                }
                for each in passages[:PASSAGES]
            ],
            "next": passages[PASSAGES].number if len(passages) > PASSAGES else None,
        }

    @server.tool()
    @_told
    def sources() -> dict[str, Any]:
        """List the newspapers or folders of the archive, with their articles and the days of these."""
        return {"sources": [asdict(each) for each in held.searcher().source_facts()]}

    @server.tool()
    @_told
    def verify(hit: Proved) -> dict[str, Any]:
        """Prove that the words of a hit stand in its file, from the file itself and not from the index."""
        proofs = verify_hits(check_hits([hit]), held.folder(), held.searcher().field_names)
        return {"proven": all(proof.proven for proof in proofs), "hits": [asdict(proof) for proof in proofs]}

    return server
