"""The one Searcher behind all requests: opened in the background, moved on when the index switches.

A thread looks for a switch a few times a second. Who holds the Searcher of a generation goes on with
it to the end, so no answer is of two; its files are let go with the last who holds it.

Where the model cannot be loaded, the index is opened without it and searched by words; the model is
tried again now and then.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from flask import current_app

from indexer import Document, Searcher, WarraqError, open_searcher
from indexer.web_support import (
    CutLines,
    FileState,
    ModelError,
    NoIndex,
    Originals,
    SplitDocument,
    current_generation,
)

LOOKED_EVERY = 0.25  # seconds
TRIED_AGAIN_EVERY = 30.0  # seconds, where something failed: a model may have been fetched meanwhile

log = logging.getLogger(__name__)


class Loading(WarraqError):
    """The index is being opened and the model loaded; it takes seconds."""

    code = "loading"
    http_status = 503

    def __init__(self) -> None:
        super().__init__("The index and the model are being loaded. Try again in a few seconds.")


class NotOpened(WarraqError):
    """The index could not be opened for a reason that nobody foresaw."""

    code = "not_opened"
    http_status = 503

    def __init__(self) -> None:
        super().__init__("The index could not be opened. The server's log has the details; it tries again.")


class SearchService:
    """Hold the Searcher of an index folder's current generation; safe to share between threads."""

    def __init__(
        self,
        index: Path,
        model: str | None = None,
        open_index: Callable[[Path, str | None, Searcher | None], Searcher] | None = None,
        archive: Path | None = None,
    ) -> None:
        self.index, self.model, self.archive = index, model, archive
        self._originals = Originals()
        self._open = open_index or _open
        self._searcher: Searcher | None = None
        self._error: WarraqError = Loading()
        self._tried: str | None = ""  # the name of no generation: none has been tried
        self._tried_at, self._failed = 0.0, False
        self._opening = threading.Lock()
        self._closed = threading.Event()
        self._watching: threading.Thread | None = None

    def start(self) -> None:
        """Begin to open the index and load the model, and to look for switches, in a thread of its own."""
        self._watching = threading.Thread(target=self._watch, name="open-index", daemon=True)
        self._watching.start()

    def close(self) -> None:
        """Look for no more switches, and end what reads the articles' files."""
        self._closed.set()
        if self._watching:
            self._watching.join(timeout=1)  # it may be loading a model, which nobody waits for now
        self._originals.close()

    def searcher(self) -> Searcher:
        """Return the Searcher of the current generation; raises what keeps it from being there.

        Where nobody looks for switches, one request opens the new generation while the others are
        still answered from the one before.
        """
        if self._searcher is None or self._watching is None:
            self._follow()
        if self._searcher is None:
            raise self._error
        return self._searcher

    def opened(self) -> Searcher | None:
        """Return the Searcher that answers now, without opening or waiting for any."""
        return self._searcher

    def cut_lines(self, searcher: Searcher, article: SplitDocument) -> CutLines:
        """Return what was cut of an article, read from its file where that is as it was."""
        archive = self.archive or searcher.archive
        return self._originals.cut_lines(article, archive, searcher.field_names)

    def file_state(self, searcher: Searcher, document: Document) -> FileState:
        """Return what became of an article's file since it was indexed."""
        return self._originals.state(document, self.archive or searcher.archive)

    def _watch(self) -> None:
        self._refresh()
        while not self._closed.wait(LOOKED_EVERY):
            self._follow()

    def _follow(self) -> None:
        """Open what is current now, unless that has been tried."""
        waits_for_index = self._searcher is None and isinstance(self._error, NoIndex)
        if waits_for_index or self._is_due_again() or self._tried != self._current():
            self._refresh()

    def _is_due_again(self) -> bool:
        """Whether what is not open, or not as it should be, is to be tried once more."""
        found = self._searcher
        amiss = self._failed or found is None or not found.has_model or found.damage
        return bool(amiss) and monotonic() - self._tried_at >= TRIED_AGAIN_EVERY

    def _current(self) -> str | None:
        try:
            return current_generation(self.index)
        except WarraqError:
            return None

    def _refresh(self) -> None:
        if not self._opening.acquire(blocking=False):
            return  # somebody is at it
        try:
            current = self._current()
            known = current is not None and current == self._tried and self._searcher is not None
            if known and not self._is_due_again():
                return
            try:
                opened = self._open(self.index, self.model, self._searcher)
                self._tell(opened)
                self._searcher, self._failed, self._error = opened, False, Loading()
            except WarraqError as error:
                # With a generation in hand, go on answering from it; without one, say what is wrong.
                if str(error) != str(self._error):
                    log.warning("The index cannot be opened: %s", error)
                self._error, self._failed = error, False
            except Exception:  # such as no file handle left: whoever watches must not end by it
                log.exception("The index could not be opened; it is tried again")
                self._error, self._failed = NotOpened(), True
            self._tried, self._tried_at = current, monotonic()
        finally:
            self._opening.release()

    def _tell(self, opened: Searcher) -> None:
        """Log what is served from now on, where that is something else than before."""
        before = self._searcher
        if before is None or before.generation != opened.generation:
            log.info("The index is open", extra={"generation": opened.generation})
        if opened.damage and (before is None or before.damage != opened.damage):
            log.warning("An older generation is served: %s", opened.damage)


def service() -> SearchService:
    """Return the SearchService of the application that answers the current request."""
    found: SearchService = current_app.extensions["search"]
    return found


def _open(index: Path, model: str | None, before: Searcher | None) -> Searcher:
    try:
        return open_searcher(index, model, before.encoder if before else None)
    except ModelError as error:
        log.error("The model cannot be loaded; passages are found by their words alone: %s", error)
        return open_searcher(index, without_model=True)
