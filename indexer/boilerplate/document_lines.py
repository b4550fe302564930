"""The lines of one document, each with the rule that cuts it; all cleaning passes read and change these."""

from collections.abc import Iterator, Mapping, Sequence

from indexer.boilerplate.patterns import matching_rule
from indexer.boilerplate.wording import SENTENCE_END, is_headline, stems
from indexer.datatypes import Document
from indexer.text.lines import nonblank_lines

PROSE = 130  # code points; a line of at least this length is a paragraph
SENTENCE = 70  # code points; a line of at least this length is a paragraph if a sentence ends at its end


class DocumentLines:
    """The nonblank lines of a document; a place is the index of a line in these lists, from 0.

    `rules` has the rule that cuts each line, None for a line that is kept; every pass reads and changes it.
    """

    def __init__(self, document: Document, repeated: Mapping[int, int], secret: bytes) -> None:
        self.document, self.repeated, self.secret = document, repeated, secret
        self.lines = nonblank_lines(document.text)
        self.contents = [document.text[line.start : line.end] for line in self.lines]
        self.rules: list[str | None] = [matching_rule(content) for content in self.contents]
        self.articles: dict[int, int] = {}
        """For each line that is cut as repeated: from its place to the number of articles that have it."""
        self.title: int | None = None
        """The place of the title; None until a pass has found it."""
        self._protected: int | None = None
        self._headlines: dict[int, bool] = {}
        self._stems: dict[int, frozenset[str]] = {}

    def __len__(self) -> int:
        return len(self.contents)

    def kept(self) -> Iterator[int]:
        """Yield the places of the lines that are kept so far."""
        return (place for place, rule in enumerate(self.rules) if rule is None)

    def cut(self, place: int, rule: str) -> None:
        """Cut a line under a rule, unless a rule cuts it already, it is the title, or it is protected."""
        if self.rules[place] is None and place not in (self.title, self._protected):
            self.rules[place] = rule

    def protect(self, place: int) -> None:
        """Keep a line, whatever a later pass says."""
        self.keep(place)
        self._protected = place

    def keep(self, place: int) -> None:
        """Keep a line that a rule would cut."""
        self.rules[place] = None
        self.articles.pop(place, None)

    def is_prose(self, place: int) -> bool:
        """Return whether a line is kept and long enough for a paragraph."""
        content = self.contents[place]
        return self.rules[place] is None and (
            len(content) >= PROSE or (len(content) >= SENTENCE and bool(SENTENCE_END.search(content)))
        )

    def prose(self) -> list[int]:
        """Return the places of the paragraphs."""
        return [place for place in range(len(self)) if self.is_prose(place)]

    def first_prose(self) -> int:
        """Return the place of the first paragraph, title excepted; the number of lines if there is none."""
        return next((place for place in self.prose() if place != self.title), len(self))

    def last_prose(self) -> int:
        """Return the place of the article's last paragraph; -1 if there is none.

        A paragraph in the last third of the lines counts only if it shares a word with the title or an
        earlier paragraph, since sites put texts of their own at the end of a page.
        """
        prose = self.prose()
        late = 2 * len(self) / 3
        while len(prose) > 2 and prose[-1] > late and not self.shares_a_word(prose[-1], prose[:-1]):
            prose.pop()
        return prose[-1] if prose else -1

    def shares_a_word(self, place: int, prose: Sequence[int]) -> bool:
        """Return whether a line shares a word with the title or with one of these paragraphs.

        A line with fewer than three content words is taken to share one.
        """
        line_stems = self.stems(place)
        others = [other for other in (self.title, *prose) if other is not None]
        return len(line_stems) < 3 or any(not line_stems.isdisjoint(self.stems(other)) for other in others)

    def stems(self, place: int) -> frozenset[str]:
        """Return the stems of a line's content words, computed once for each line."""
        if place not in self._stems:
            self._stems[place] = frozenset(stems(self.contents[place]))
        return self._stems[place]

    def subject(self) -> frozenset[str]:
        """Return the stems of the content words of all paragraphs."""
        return frozenset().union(*(self.stems(place) for place in self.prose()))

    def is_headline(self, place: int) -> bool:
        """Return whether a line can be a headline in a list, judged once for each line."""
        if place not in self._headlines:
            self._headlines[place] = is_headline(self.contents[place])
        return self._headlines[place]

    def neighbours(self, place: int) -> list[int]:
        """Return the places directly before and after a line, as far as they exist."""
        return [other for other in (place - 1, place + 1) if 0 <= other < len(self)]
