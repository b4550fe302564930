"""Sentences as they are stored: exact ranges, vectors in 8 bits, and what an incremental build does to them."""

import numpy as np
import pytest

from indexer.store.sentence_vectors import (
    cosines,
    pack_ranges,
    pack_vectors,
    unpack_keys,
    unpack_ranges,
    unpack_vectors,
)
from indexer.store.writer import PassageKeys, Sentences
from tests.support.generations import DIMENSION, build, entry, key_of, unit, vector_of


def test_ranges_and_keys_are_read_back_exactly():
    ranges = [(0, 25), (26, 70_000), (70_001, 2**32 - 1)]
    assert unpack_ranges(pack_ranges(ranges)) == ranges
    keys = [bytes([number]) * 32 for number in range(5)]
    assert unpack_keys(b"".join(keys)) == keys
    assert unpack_keys(b"") == []


@pytest.mark.parametrize("dimension", [2, 64, 384])
def test_cosines_of_packed_vectors_are_near_the_exact_ones(dimension):
    draw = np.random.default_rng(dimension)
    vectors = unit(draw.normal(size=(50, dimension))).astype(np.float32)
    packed = pack_vectors(vectors)
    assert len(packed) == 50 * (dimension + 4)
    for query in unit(draw.normal(size=(20, dimension))).astype(np.float32):
        np.testing.assert_allclose(cosines(packed, query), vectors @ query, atol=4e-3)
    np.testing.assert_allclose(unpack_vectors(packed, dimension), vectors, atol=5e-3)


def test_a_cosine_does_not_depend_on_the_vectors_stored_beside_it():
    vectors = unit(np.random.default_rng(1).normal(size=(9, DIMENSION))).astype(np.float32)
    query = vector_of("grain").astype(np.float32)
    together = cosines(pack_vectors(vectors), query)
    alone = [cosines(pack_vectors(vectors[number : number + 1]), query)[0] for number in range(9)]
    assert together.tolist() == alone


def test_zeros_are_packed_as_zeros():
    assert cosines(pack_vectors(np.zeros((1, 4), np.float32)), np.ones(4, np.float32)).tolist() == [0.0]


def sentences_of(text):
    """Two sentences, parted at the first space, with a key each."""
    at = text.index(" ")
    ranges = [(0, at), (at + 1, len(text))]
    return Sentences(ranges, [key_of(text[start:end]) for start, end in ranges])


def stored(store):
    """The sentences of each passage by its text, with how near each is to the vector of its own words."""
    found = {}
    for row in store.rows():
        for ranges, keys, packed in store.sentences([row.row]).values():
            words = [row.text[start:end] for start, end in ranges]
            assert unpack_keys(keys) == [key_of(word) for word in words]
            vectors = unpack_vectors(packed, DIMENSION)
            found[row.text] = [
                (word, float(vector @ vector_of(word))) for word, vector in zip(words, vectors, strict=True)
            ]
    return found


def with_sentences(writer):
    for row, sentences in writer.new_sentences(0, writer.rows):
        texts = {
            new.key: text
            for batch in writer.new_texts(99)
            for new, text in zip(batch, writer.texts(batch), strict=True)
        }
        writer.set_sentence_vectors(
            [(row, np.array([vector_of(texts[key]) for key in sentences.keys], np.float32))]
        )


def test_sentences_move_with_their_passages_through_incremental_builds(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "tests.support.generations.PassageKeys",
        lambda key: PassageKeys(key, None, sentences_of(next(text for text in texts if key_of(text) == key))),
    )
    texts = ["one two", "three four", "five six", "seven eight", "nine ten"]
    first = build(
        tmp_path / "index",
        [entry("a", *texts[:2]), entry("b", texts[2]), entry("c", texts[3])],
        also=with_sentences,
    )
    second = build(tmp_path / "index", [entry("d", texts[4])], first, ["a"], also=with_sentences)
    for store, kept in ((first, texts[:4]), (second, texts[2:])):
        found = stored(store)
        assert found.keys() == set(kept)
        for text, words in found.items():
            assert [word for word, _ in words] == text.split()
            assert all(cosine > 0.99 for _, cosine in words)
    for store in (first, second):
        store.close()
