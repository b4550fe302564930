"""The words of a query: which spellings are added to them, and what they weigh."""

from collections import Counter, defaultdict
from pathlib import Path
from types import SimpleNamespace

import pytest
from rapidfuzz.distance import OSA

from indexer.retrieval.words import plain_words, spelled_words
from indexer.text.analysis import terms, tokens
from indexer.text.names import is_arabic, known_spellings, may_be_name, spelling_keys
from tests.support.spelled_names import CHOSEN_BY, HELD_OUT


class WordsOfPassages:
    """The words of passages as a store counts them."""

    def __init__(self, *passages):
        self.manifest = SimpleNamespace(passages=max(100, len(passages)))
        self.counts = Counter(
            (token.kind, token.term)
            for text in passages
            for token in {(token.kind, token.term): token for token in tokens(text)}.values()
        )
        self.by_key = defaultdict(set)
        for word in self.words():
            if may_be_name(word):
                for key in spelling_keys(word):
                    self.by_key[key].add(word)

    def words(self):
        return {term for kind, term in self.counts if kind == "surface"}

    def count(self, kind, term):
        return self.counts[kind, term]

    def words_spelled_like(self, keys):
        return sorted({word for key in keys for word in self.by_key[key]})

    def words_near(self, word, slips):
        return sorted(each for each in self.words() if OSA.distance(word, each, score_cutoff=slips) <= slips)


def added(query, *passages):
    return spelled_words(tokens(query), WordsOfPassages(*passages)).spellings


def named(name):
    return f"التقى {name} أمس" if is_arabic(terms(name, "surface")[0]) else f"Yesterday {name} said so"


@pytest.mark.parametrize(
    ("asked", "held", "spelling"),
    [
        ("What did Dmitriev say?", "دميترييف", "دميترييف"),
        ("dmitriev", "دميترييف", "دميترييف"),
        ("ماذا قال دميترييف؟", "Dmitriyev", "dmitriyev"),
        ("زيلنسكي", "زيلينسكي", "زيلينسكي"),
        ("Kiev", "Kyiv", "kyiv"),
        ("قذافي", "غذافي", "غذافي"),
        ("Cairo", "بالقاهرة", "بالقاهره"),
        ("NATO", "الناتو", "الناتو"),
    ],
)
def test_a_name_is_searched_in_other_spellings(asked, held, spelling):
    (spellings,) = added(asked, named(held)).values()
    assert spellings == (spelling,)


def test_names_in_the_news_find_each_other():
    passages = [named(name) for pair in HELD_OUT for name in pair]
    store = WordsOfPassages(*passages, *archive_texts())
    found = [
        terms(other, "surface")[0]
        in spelled_words(tokens(named(one)), store).spellings.get(terms(one, "surface")[0], ())
        for pair in HELD_OUT
        for one, other in (pair, pair[::-1])
    ]
    assert sum(found) / len(found) >= 0.9


def archive_texts():
    files = (Path(__file__).parents[3] / "archive").rglob("*.txt")
    return [line for path in sorted(files) for line in path.read_text(encoding="utf-8").splitlines() if line]


@pytest.mark.parametrize("arabic", [True, False])
def test_common_words_are_searched_as_they_are(arabic):
    store = WordsOfPassages(*archive_texts(), *(named(name) for pair in HELD_OUT for name in pair))
    common = sorted(
        (
            word
            for word in store.words()
            if may_be_name(word) and is_arabic(word) == arabic and store.count("name", word) == 0
        ),
        key=lambda word: (-store.count("surface", word), word),
    )[:200]
    names = {terms(name, "surface")[0] for pair in (*HELD_OUT, *CHOSEN_BY) for name in pair}
    names |= {"الاوكرانيه", "الروسي", "عمروف"}  # of Ukraine, of Russia, Umerov
    ordinary = [word for word in common if word not in names and not known_spellings(word)]
    assert len(ordinary) > 150
    wrong = {word: spellings for word in ordinary if (spellings := added_in(store, word))}
    assert len(wrong) <= len(ordinary) // 100, wrong


def test_ordinary_word_is_no_name_in_an_archive_of_another_language():
    store = WordsOfPassages("أصيب برصاص في الرأس", named("بوتين"), named("ماركو"))

    def added_with(query, pieces):
        return dict(spelled_words(tokens(query), store, lambda _word: pieces).spellings)

    assert "برصاص" in added_with("prices", 2)["prices"]  # as if it were a name
    assert added_with("oil prices", 1) == {}
    assert added_with("what did putin say", 1) == {"putin": ("بوتين",)}  # a well-known one
    assert added_with("Did Marco come?", 1) == {"marco": ("ماركو",)}  # written like a name


def added_in(store, query):
    return spelled_words(tokens(query), store).spellings


def test_a_slip_of_the_pen_is_searched_as_it_was_meant():
    assert added("Zelenksy", named("Zelensky")) == {"zelenksy": ("zelensky",)}
    assert added("المفاوصات", "جرت المفاوضات أمس") == {"المفاوصات": ("المفاوضات",)}
    assert added("negotiations", "Negotiation began") == {}  # its stem is in a passage


@pytest.mark.parametrize(
    ("asked", "held", "spellings"),
    [
        ("عبدالله", "قال عبد الله", {"عبدالله": ("عبد الله",)}),
        ("عبد الله", "قال عبدالله", {"عبد": ("عبدالله",), "الله": ("عبدالله",)}),
        ("أبو ظبي", "في أبوظبي", {"ابو": ("ابوظبي",), "ظبي": ("ابوظبي",)}),
    ],
)
def test_a_compound_name_is_one_name_together_or_apart(asked, held, spellings):
    assert added(asked, held) == spellings


def test_spellings_count_as_one_word():
    store = WordsOfPassages(named("دميترييف"), named("Dmitriev"), *["nothing of the kind"] * 98)
    query = spelled_words(tokens("Dmitriev"), store)
    by_term = {(term.kind, term.term): term.weight for term in query.terms}
    assert by_term["surface", "دميترييف"] == pytest.approx(by_term["stem", "dmitriev"])
    assert query.information == pytest.approx(plain_words(tokens("Dmitriev"), store).information, rel=0.2)


def test_added_spellings_are_marked_and_found():
    query = spelled_words(tokens("Dmitriev"), WordsOfPassages(named("دميترييف")))
    assert "دميترييف" in {token.term for token in query.marked()}
    assert query.found_in("وصل دميترييف") == ("دميترييف",)
    assert query.found_in("وصل غيره") == ()
