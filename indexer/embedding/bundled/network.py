"""The bundled model as an OpenVINO network: from the ids of a text's tokens to its vector.

The matrices stay in the 4 bits of the weights file and are unpacked as they are used, so the network takes a
sixth of the memory of the same in 32 bits and gives the same vectors.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.embedding.bundled.quiet_openvino import ops, ov
from indexer.embedding.bundled.weights import Blocks, Weights

IDS, VECTOR = "ids", "vector"


def build_network(weights: Weights) -> ov.Model:
    """Return a BERT: from the ids (1, tokens) of one text to its vector (1, hidden) of unit length.

    One text at a time: there is no padding, and the vector of a text depends on nothing else.
    """
    ids = ops.parameter([1, -1], np.int32, name=IDS)
    states = _embed(weights, ids)
    for layer in range(weights.layers):
        states = _norm(weights, f"l{layer}.aln", ops.add(_attention(weights, layer, states), states))
        inner = ops.gelu(_linear(weights, f"l{layer}.fi", states), "erf")
        states = _norm(weights, f"l{layer}.oln", ops.add(_linear(weights, f"l{layer}.fo", inner), states))
    mean = ops.reduce_mean(states, _numbers(1))
    network = ov.Model([ops.normalize_l2(mean, _numbers(1), 1e-12, "max")], [ids], "warraq")
    for number, operation in enumerate(network.get_ordered_ops()):
        operation.set_friendly_name(f"{operation.get_type_name()} {number}")  # else a number of this process
    network.output(0).get_tensor().set_names({VECTOR})
    return network


def _embed(weights: Weights, ids: Any) -> Any:
    hidden = weights.hidden
    words = ops.gather(_matrix(weights, "emb.word", hidden), ids, _number(0))
    length = ops.gather(ops.shape_of(ids, "i32"), _number(1), _number(0))
    places = ops.range(_number(0), length, _number(1), "i32")
    by_place = weights.values("emb.pos").reshape(-1, hidden) + weights.values("emb.type")[:hidden]
    return _norm(weights, "emb.ln", ops.add(words, ops.gather(_floats(by_place), places, _number(0))))


def _attention(weights: Weights, layer: int, states: Any) -> Any:
    heads, hidden = weights.heads, weights.hidden
    by_head, transposed = _numbers(0, 0, heads, hidden // heads), _numbers(0, 2, 1, 3)
    query, key, value = (
        ops.transpose(ops.reshape(_linear(weights, f"l{layer}.{part}", states), by_head, True), transposed)
        for part in "qkv"
    )
    attended = ops.transpose(ops.scaled_dot_product_attention(query, key, value), transposed)
    return _linear(weights, f"l{layer}.ao", ops.reshape(attended, _numbers(0, 0, hidden), True))


def _linear(weights: Weights, name: str, states: Any) -> Any:
    bias = weights.values(f"{name}.b")
    columns = weights.values(f"{name}.w").size // bias.size
    product = ops.matmul(states, _matrix(weights, f"{name}.w", columns), False, True)
    return ops.add(product, _floats(bias))


def _norm(weights: Weights, name: str, states: Any) -> Any:
    normed = ops.mvn(states, _numbers(-1), True, weights.epsilon, "inside_sqrt")
    return ops.add(
        ops.multiply(normed, _floats(weights.values(f"{name}.w"))), _floats(weights.values(f"{name}.b"))
    )


def _matrix(weights: Weights, name: str, columns: int) -> Any:
    """Return a matrix (rows, columns), packed as in the weights file where its rows are whole blocks."""
    tensor = weights.tensors[name]
    if not isinstance(tensor, Blocks):
        return _floats(tensor.reshape(-1, columns))
    numbers = tensor.numbers()
    block = numbers.shape[1]
    shape = (numbers.size // columns, columns // block, block)
    packed = ov.Tensor(ov.Type.u4, ov.Shape(shape))
    flat = numbers.reshape(-1)
    packed.data.reshape(-1)[:] = flat[::2] | flat[1::2] << 4
    zero = ops.convert(ops.constant(np.full((1, 1, 1), 8, np.uint8)), "f32")
    centred = ops.subtract(ops.convert(ops.constant(packed), "f32"), zero)
    scales = _floats(tensor.scales.astype(np.float32).reshape(shape[0], shape[1], 1))
    return ops.reshape(ops.multiply(centred, scales), _numbers(shape[0], columns), False)


def _floats(values: NDArray[np.float32]) -> Any:
    return ops.constant(np.ascontiguousarray(values, np.float32))


def _number(value: int) -> Any:
    return ops.constant(np.int32(value))


def _numbers(*values: int) -> Any:
    return ops.constant(np.array(values, np.int64))
