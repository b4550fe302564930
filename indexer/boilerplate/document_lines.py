"""The lines of one document with the rule that was found for each: what all passes read and mark."""

from collections.abc import Iterator, Mapping, Sequence

from indexer.boilerplate.patterns import matching_rule
from indexer.boilerplate.wording import SENTENCE_END, stems
from indexer.datatypes import Document
from indexer.text.lines import nonblank_lines

PROSE = 130  # code points; a line as long is a paragraph, as is one of SENTENCE with a full stop
SENTENCE = 70


class DocumentLines:
    """The lines of a document that are not blank; places count them from 0.

    `rules` has for each line the rule that cuts it, None where it is kept; every pass reads and changes it.
    """

    def __init__(self, document: Document, repeated: Mapping[int, int], secret: bytes) -> None:
        self.document, self.repeated, self.secret = document, repeated, secret
        self.lines = nonblank_lines(document.text)
        self.contents = [document.text[line.start : line.end] for line in self.lines]
        self.rules: list[str | None] = [matching_rule(content) for content in self.contents]
        self.articles: dict[int, int] = {}
        """In how many articles a line stands, by place, where that is why it is cut."""
        self.title: int | None = None
        """The place of the line that is the title."""
        self._stems: dict[int, frozenset[str]] = {}

    def __len__(self) -> int:
        return len(self.contents)

    def kept(self) -> Iterator[int]:
        """Yield the places of the lines that are kept so far."""
        return (place for place, rule in enumerate(self.rules) if rule is None)

    def keep(self, place: int) -> None:
        """Keep a line that a rule would cut."""
        self.rules[place] = None
        self.articles.pop(place, None)

    def is_prose(self, place: int) -> bool:
        """Whether a line is kept and a paragraph by its length."""
        content = self.contents[place]
        return self.rules[place] is None and (
            len(content) >= PROSE or (len(content) >= SENTENCE and bool(SENTENCE_END.search(content)))
        )

    def prose(self) -> list[int]:
        """Return the places of the paragraphs."""
        return [place for place in range(len(self)) if self.is_prose(place)]

    def first_prose(self) -> int:
        """Return the place of the first paragraph but the title; the number of lines if there is none."""
        return next((place for place in self.prose() if place != self.title), len(self))

    def last_prose(self) -> int:
        """Return the place of the article's last paragraph, -1 if there is none.

        Beyond two thirds of the lines a paragraph must share a word with the others: what a site says at
        the end of a page does not.
        """
        prose = self.prose()
        late = 2 * len(self) / 3
        while len(prose) > 2 and prose[-1] > late and not self.shares_a_word(prose[-1], prose[:-1]):
            prose.pop()
        return prose[-1] if prose else -1

    def shares_a_word(self, place: int, prose: Sequence[int]) -> bool:
        """Whether a line has a word of the title or of one of these paragraphs; a short line counts as if."""
        own = self.stems(place)
        others = [other for other in (self.title, *prose) if other is not None]
        return len(own) < 3 or any(not own.isdisjoint(self.stems(other)) for other in others)

    def stems(self, place: int) -> frozenset[str]:
        """Return the stems of a line's content words."""
        if place not in self._stems:
            self._stems[place] = frozenset(stems(self.contents[place]))
        return self._stems[place]

    def subject(self) -> frozenset[str]:
        """Return the stems of the words that the article's paragraphs are made of."""
        return frozenset().union(*(self.stems(place) for place in self.prose()))

    def neighbours(self, place: int) -> list[int]:
        """Return the places just before and after a line."""
        return [other for other in (place - 1, place + 1) if 0 <= other < len(self)]
