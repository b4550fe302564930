"""The bundled weights as a transformers model on disk: converted once, and checked at every start."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, PreTrainedTokenizerFast

from indexer.embedding.bundled.model import cache_key, read_weights, weights_path
from indexer.embedding.bundled.normalization import METASPACE, NORMALIZATION, UNKNOWN
from indexer.embedding.bundled.weights import Weights
from indexer.errors import ModelError

UNKNOWN_PENALTY = 10.0  # subtracted from the score of the least likely piece, as in the model's own engine
CHECKSUMS = "sha256.json"


def converted_model(cache: Path, source: Callable[[], Path] = weights_path) -> Path:
    """Return the folder of the converted model; make it where it is missing or damaged.

    The model is written to a staging folder that is then renamed, under a lock that ends with its process. If
    two processes start together, one makes the model and the other waits and uses it.
    """
    folder = cache / "models" / cache_key()
    if is_intact(folder):
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)

        with FileLock(folder.with_suffix(".lock")):
            if not is_intact(folder):
                _write_staged(folder, read_weights(source()))
    except (OSError, SafetensorError) as error:  # SafetensorError where the disk is full
        reason = getattr(error, "strerror", None) or error
        raise ModelError(
            f"The bundled model cannot be unpacked to {folder.parent}: {reason}. "
            "It needs 500 MB there; WARRAQ_CACHE names another folder."
        ) from error
    return folder


def _write_staged(folder: Path, weights: Weights) -> None:
    staging = Path(tempfile.mkdtemp(prefix=folder.name + ".", dir=folder.parent))
    try:
        write_model(staging, weights)
        if folder.exists():
            shutil.rmtree(folder)
        staging.chmod(0o755)  # mkdtemp makes it private
        staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def is_intact(folder: Path) -> bool:
    """Return whether every file of a converted model has the sha256 that was recorded for it."""
    try:
        sums: dict[str, str] = json.loads((folder / CHECKSUMS).read_text("utf-8"))
        return bool(sums) and all(_sha256(folder / name) == expected for name, expected in sums.items())
    except (OSError, ValueError, AttributeError):
        return False


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_model(folder: Path, weights: Weights) -> None:
    """Write a transformers model, its tokenizer and the normalization table into an empty folder."""
    specials = weights.specials
    BertConfig(
        vocab_size=weights.vocabulary,
        hidden_size=weights.hidden,
        num_hidden_layers=weights.layers,
        num_attention_heads=weights.heads,
        intermediate_size=weights.feed_forward,
        max_position_embeddings=weights.positions,
        type_vocab_size=weights.types,
        layer_norm_eps=weights.epsilon,
        pad_token_id=specials["pad"],
        hidden_act="gelu",
        architectures=["BertModel"],
        dtype="float32",
    ).save_pretrained(folder)
    state = {name: np.ascontiguousarray(tensor) for name, tensor in _bert_state(weights).items()}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    _write_tokenizer(folder, weights)
    alphabet = "".join(sorted(piece for piece in weights.pieces if len(piece) == 1))
    table = {str(key): value for key, value in weights.normalization.items()}
    (folder / NORMALIZATION).write_text(json.dumps({"alphabet": alphabet, "table": table}), "utf-8")
    sums = {path.name: _sha256(path) for path in sorted(folder.iterdir())}
    (folder / CHECKSUMS).write_text(json.dumps(sums), "utf-8")
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _bert_state(weights: Weights) -> dict[str, NDArray[np.float32]]:
    """Return the tensors under the names of transformers' BertModel; matrices are (out, in)."""
    tensors, hidden = weights.tensors, weights.hidden
    state = {
        "embeddings.word_embeddings.weight": tensors["emb.word"].reshape(-1, hidden),
        "embeddings.position_embeddings.weight": tensors["emb.pos"].reshape(-1, hidden),
        "embeddings.token_type_embeddings.weight": tensors["emb.type"].reshape(-1, hidden),
        "embeddings.LayerNorm.weight": tensors["emb.ln.w"],
        "embeddings.LayerNorm.bias": tensors["emb.ln.b"],
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
            weight, bias = tensors[f"l{layer}.{short}.w"], tensors[f"l{layer}.{short}.b"]
            if weight.size != bias.size:  # a matrix; layer norms have as many weights as biases
                weight = weight.reshape(bias.size, -1)
            state[f"encoder.layer.{layer}.{long}.weight"] = weight
            state[f"encoder.layer.{layer}.{long}.bias"] = bias
    return state


def _write_tokenizer(folder: Path, weights: Weights) -> None:
    vocabulary = list(zip(weights.pieces, weights.scores, strict=True))
    names = {role: weights.pieces[index] for role, index in weights.specials.items()}
    # The unknown piece becomes an ordinary one that matches UNKNOWN, with the engine's score for it.
    vocabulary[weights.specials["unk"]] = (UNKNOWN, min(weights.scores) - UNKNOWN_PENALTY)
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
