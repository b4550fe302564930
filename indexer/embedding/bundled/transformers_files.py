"""The bundled weights as a transformers model on disk, in 32 bits: for PyTorch."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, PreTrainedTokenizerFast

from indexer.embedding.bundled.normalization import METASPACE, UNKNOWN, write_normalization
from indexer.embedding.bundled.weights import Weights

VERSION = 1  # raised when the same weights would make other files


def write_transformers_model(folder: Path, weights: Weights) -> None:
    """Write a transformers model, its tokenizer and the normalization table into an empty folder."""
    BertConfig(
        vocab_size=weights.vocabulary,
        hidden_size=weights.hidden,
        num_hidden_layers=weights.layers,
        num_attention_heads=weights.heads,
        intermediate_size=weights.feed_forward,
        max_position_embeddings=weights.positions,
        type_vocab_size=weights.types,
        layer_norm_eps=weights.epsilon,
        pad_token_id=weights.specials["pad"],
        hidden_act="gelu",
        architectures=["BertModel"],
        dtype="float32",
    ).save_pretrained(folder)
    state = {name: np.ascontiguousarray(tensor) for name, tensor in _bert_state(weights).items()}
    try:
        save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    except SafetensorError as error:  # where the disk is full
        raise OSError(str(error)) from error
    _write_tokenizer(folder, weights)
    write_normalization(folder, weights)


def _bert_state(weights: Weights) -> dict[str, NDArray[np.float32]]:
    """Return the tensors under the names of transformers' BertModel; matrices are (out, in)."""
    hidden = weights.hidden
    state = {
        "embeddings.word_embeddings.weight": weights.values("emb.word").reshape(-1, hidden),
        "embeddings.position_embeddings.weight": weights.values("emb.pos").reshape(-1, hidden),
        "embeddings.token_type_embeddings.weight": weights.values("emb.type").reshape(-1, hidden),
        "embeddings.LayerNorm.weight": weights.values("emb.ln.w"),
        "embeddings.LayerNorm.bias": weights.values("emb.ln.b"),
    }
    parts = {
        "q": "attention.self.query",
        "k": "attention.self.key",
        "v": "attention.self.value",
        "ao": "attention.output.dense",
        "aln": "attention.output.LayerNorm",
        "fi": "intermediate.dense",
        "fo": "output.dense",
        "oln": "output.LayerNorm",
    }
    for layer in range(weights.layers):
        for short, long in parts.items():
            weight, bias = weights.values(f"l{layer}.{short}.w"), weights.values(f"l{layer}.{short}.b")
            if weight.size != bias.size:  # a matrix; layer norms have as many weights as biases
                weight = weight.reshape(bias.size, -1)
            state[f"encoder.layer.{layer}.{long}.weight"] = weight
            state[f"encoder.layer.{layer}.{long}.bias"] = bias
    return state


def _write_tokenizer(folder: Path, weights: Weights) -> None:
    names = {role: weights.pieces[index] for role, index in weights.specials.items()}
    vocabulary = list(zip(*weights.vocabulary_with_unknown(UNKNOWN), strict=True))
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=None, byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(METASPACE, prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{names['bos']} $A {names['eos']}",
        special_tokens=[(names[role], weights.specials[role]) for role in ("bos", "eos")],
    )
    PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        bos_token=names["bos"],
        eos_token=names["eos"],
        cls_token=names["bos"],
        sep_token=names["eos"],
        pad_token=names["pad"],
        unk_token=UNKNOWN,
        model_max_length=weights.positions,
        clean_up_tokenization_spaces=False,
        # «<s>» in an article stands for these three characters, not for a control token.
        split_special_tokens=True,
    ).save_pretrained(folder)
