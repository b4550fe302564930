import struct

import numpy as np
import pytest

from indexer.embedding.bundled.model import read_weights, weights_path
from indexer.embedding.bundled.weights import parse_weights, read_blocks
from indexer.errors import ModelError
from tests.support import weights_files
from tests.support.weights_files import Blocks, made_up_tensors, serialize


def test_block_equals_hand_calculated_values():
    # Scale 0.5 is 0x3800 in float16; byte 0x9F holds weight 0 (15) low and weight 16 (9) high.
    raw = bytes([0x00, 0x38, 0x9F, 0x80, 0x07]) + bytes([0x88] * 13)
    expected = np.zeros(32)
    expected[0], expected[16] = 3.5, 0.5  # (15 - 8) / 2, (9 - 8) / 2
    expected[1], expected[17] = -4, 0  # (0 - 8) / 2, (8 - 8) / 2
    expected[2], expected[18] = -0.5, -4  # (7 - 8) / 2, (0 - 8) / 2
    weights = read_blocks(np.frombuffer(raw, np.uint8), 32).values()
    assert weights.dtype == np.float32
    assert weights.tolist() == expected.tolist()


def test_consecutive_blocks_each_have_their_own_scale():
    rising = Blocks([(0.25, list(range(16)) * 2), (-2.0, [15 - n for n in range(16)] * 2)])
    weights = read_blocks(np.frombuffer(rising.packed(), np.uint8), 32).values()
    assert weights[:16].tolist() == [(n - 8) / 4 for n in range(16)]
    assert weights[16:32].tolist() == [(n - 8) / 4 for n in range(16)]
    assert weights[32:48].tolist() == [(7 - n) * -2.0 for n in range(16)]
    assert weights[48:].tolist() == [(7 - n) * -2.0 for n in range(16)]


def test_scale_is_rounded_to_float16():
    scale = struct.unpack("<e", struct.pack("<e", 0.0371))[0]
    weights = read_blocks(np.frombuffer(Blocks([(0.0371, [1] * 32)]).packed(), np.uint8), 32).values()
    assert weights.tolist() == [np.float32(-7 * scale)] * 32


def test_written_weights_are_read_back():
    tensors = made_up_tensors()
    weights = parse_weights(serialize(tensors))
    assert (weights.hidden, weights.layers, weights.heads) == (32, 2, 4)
    assert (weights.feed_forward, weights.positions, weights.types) == (64, 20, 2)
    assert weights.vocabulary == len(weights_files.PIECES)
    assert weights.epsilon == weights_files.EPSILON
    assert weights.specials == {"bos": 0, "pad": 1, "eos": 2, "unk": 3}
    assert weights.pieces == list(weights_files.PIECES)
    assert weights.scores == list(weights_files.PIECES.values())
    assert weights.normalization == weights_files.TABLE
    assert weights.tensors.keys() == tensors.keys()
    for name, tensor in tensors.items():
        expected = tensor.values() if isinstance(tensor, Blocks) else tensor.tolist()
        assert weights.values(name).dtype == np.float32
        assert weights.values(name).tolist() == expected


def test_an_empty_table_and_no_tensors_are_legal():
    weights = parse_weights(serialize({}, table={}))
    assert (weights.normalization, weights.tensors) == ({}, {})


@pytest.mark.parametrize("head", [{"magic": b"GGUF"}, {"version": 2}])
def test_other_format_is_refused(head):
    with pytest.raises(ModelError, match="another format"):
        parse_weights(serialize({}, **head))


def test_the_real_file_has_the_shape_of_its_model():
    weights = read_weights(weights_path())
    assert (weights.hidden, weights.layers, weights.heads, weights.feed_forward) == (384, 12, 12, 1536)
    # As published: 250,002 pieces, and some rows of the embedding that no piece uses.
    assert (len(weights.pieces), len(weights.scores), weights.vocabulary) == (250_002, 250_002, 250_037)
    assert len(set(weights.pieces)) == len(weights.pieces)
    assert weights.positions == 512
    assert weights.values("emb.word").size == weights.vocabulary * weights.hidden
    assert weights.values("l11.fo.w").size == weights.hidden * weights.feed_forward
    assert [weights.pieces[weights.specials[role]] for role in ("bos", "pad", "eos", "unk")] == [
        "<s>", "<pad>", "</s>", "<unk>"
    ]  # fmt: skip
    assert all(np.isfinite(weights.values(name)).all() for name in weights.tensors)
