import os
import pickle
import shutil
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from indexer.embedding.encoder import find_model, vector_key
from indexer.errors import ModelError
from indexer.settings import BACKENDS
from tests.support.fakes import FakeModel
from tests.support.paths import ROOT
from tests.support.time_bounds import quickest

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "ask", "text", ":", "grain", "talks", "قمة", "هدنة", "الميناء"]
PROMPTS = {"query": "ask: ", "passage": "text: "}


def make_model(folder, prompts=PROMPTS, window=24, dense=False, **options):
    """Save a tiny model of random weights by sentence-transformers' own means."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Dense, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    bare = folder.with_name(folder.name + "-bare")
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        model_max_length=window,
    ).save_pretrained(bare)  # fmt: skip
    torch.manual_seed(5)
    BertModel(
        BertConfig(
            vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=32, max_position_embeddings=window, initializer_range=0.5,
        )
    ).save_pretrained(bare)  # fmt: skip
    modules = [Transformer(str(bare)), Pooling(16, pooling_mode="mean")]
    if dense:
        modules.append(Dense(16, 8))
    SentenceTransformer(modules=modules, prompts=prompts, device="cpu", **options).save(str(folder))
    shutil.rmtree(bare)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def copy(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "copy")


@pytest.fixture
def no_network(monkeypatch):
    asked = []

    def refuse(*address, **_):
        asked.append(address)
        raise OSError("no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    yield
    assert asked == []


def test_local_model_uses_its_own_prompts(folder, no_network):
    encoder = find_model(str(folder)).open()
    assert encoder.prompts == {"query": "ask: ", "document": "text: "}
    assert (encoder.name, encoder.dimension, encoder.window) == (str(folder), 16, 24)
    texts = ["grain talks", "قمة", "", "هدنة talks قمة"]
    for ours, prompt in [
        (encoder.encode_passages(texts), "text: "),
        (encoder.encode_queries(texts), "ask: "),
    ]:
        literal = encoder.model.encode([prompt + text for text in texts], prompt="")
        literal /= np.linalg.norm(literal, axis=1, keepdims=True)
        assert (ours.dtype, ours.shape) == (np.float32, (4, 16))
        assert np.abs(ours - literal).max() < 1e-5
        assert np.abs(np.linalg.norm(ours, axis=1) - 1).max() < 1e-5
    assert np.abs(encoder.encode_passages(texts) - encoder.encode_queries(texts)).max() > 1e-3


def test_tokens_are_counted_with_prompt_and_control_tokens(folder):
    encoder = find_model(str(folder)).open()
    assert encoder.count_tokens("") == 4  # [CLS] text : [SEP]
    assert encoder.count_tokens("grain talks قمة") == 7
    assert encoder.count_tokens("talks " * 100) == 104  # beyond the window it goes on counting


@pytest.mark.parametrize(
    ("prompts", "query", "document"),
    [
        (None, "", ""),
        ({"query": "ask: "}, "ask: ", ""),
        ({"document": "text: "}, "", "text: "),
        ({"passage": "text: "}, "", "text: "),
        ({"corpus": "text: "}, "", "text: "),
        # Of several, the one that sentence-transformers looks for first; an empty one is ignored.
        ({"corpus": "ask: ", "passage": "ask: ", "document": "text: "}, "", "text: "),
        ({"corpus": "ask: ", "passage": "text: "}, "", "text: "),
        ({"query": "", "document": "", "passage": "text: "}, "", "text: "),
    ],
)
def test_the_prompts_of_a_model_are_found_under_each_of_their_names(tmp_path, prompts, query, document):
    encoder = find_model(str(make_model(tmp_path / "tiny", prompts))).open()
    assert encoder.prompts == {"query": query, "document": document}


def test_vectors_with_usual_prompts_equal_sentence_transformers(tmp_path):
    folder = make_model(tmp_path / "tiny", {"query": "ask: ", "document": "text: "})
    encoder = find_model(str(folder)).open()
    texts = ["grain talks", "قمة", "هدنة الميناء talks"]
    query = encoder.model.encode_query(texts, normalize_embeddings=True)
    document = encoder.model.encode_document(texts, normalize_embeddings=True)
    assert np.abs(encoder.encode_queries(texts) - query).max() < 1e-5
    assert np.abs(encoder.encode_passages(texts) - document).max() < 1e-5


def test_fingerprint_depends_on_the_weights_and_not_on_the_path(folder, copy):
    found, again = find_model(str(folder)), find_model(str(copy))
    assert found.weights == again.weights
    assert found.name != again.name


@pytest.mark.parametrize(
    "name", ["model.safetensors", "config.json", "tokenizer.json", "1_Pooling/config.json", "modules.json"]
)
def test_the_fingerprint_changes_with_each_file_that_decides_a_vector(copy, name):
    before = find_model(str(copy)).weights
    content = bytearray((copy / name).read_bytes())
    content[-2] ^= 1
    (copy / name).write_bytes(content)
    assert find_model(str(copy)).weights != before


def test_fingerprint_ignores_irrelevant_files(copy):
    before = find_model(str(copy)).weights
    (copy / "README.md").write_text("another text", "utf-8")
    assert find_model(str(copy)).weights == before


def test_a_folder_of_pickled_weights_only_is_refused(copy):
    import torch

    (copy / "model.safetensors").unlink()
    torch.save({"weight": torch.zeros(2)}, copy / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"no weights in safetensors form.*warraq model fetch"):
        find_model(str(copy)).open()


class Trap:
    def __reduce__(self):
        return (sys.exit, ("a pickle was run",))


def test_pickle_next_to_safetensors_is_never_read(copy):
    (copy / "pytorch_model.bin").write_bytes(pickle.dumps(Trap()))
    assert find_model(str(copy)).open().dimension == 16


def test_a_model_with_one_pickled_module_is_refused_too(tmp_path):
    """Else a part of the weights would be read from a pickle and be outside the fingerprint."""
    import torch
    from safetensors.torch import load_file

    folder = make_model(tmp_path / "dense", dense=True)
    assert find_model(str(folder)).open().dimension == 8
    torch.save(load_file(folder / "2_Dense" / "model.safetensors"), folder / "2_Dense" / "pytorch_model.bin")
    (folder / "2_Dense" / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="safetensors"):
        find_model(str(folder)).open()


def test_a_folder_without_a_model_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(ModelError, match=r"holds no weights in safetensors form"):
        find_model(str(tmp_path))


@pytest.mark.parametrize("name", ["config.json", "modules.json", "tokenizer.json", "model.safetensors"])
@pytest.mark.parametrize("damage", [b"", b"{", b"[]"])
def test_a_damaged_model_is_refused_when_it_is_opened(copy, name, damage):
    (copy / name).write_bytes(damage)
    with pytest.raises(ModelError, match="cannot be loaded"):
        find_model(str(copy)).open()


def test_weights_cut_short_are_refused_when_they_are_opened(copy):
    whole = (copy / "model.safetensors").read_bytes()
    (copy / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="cannot be loaded"):
        find_model(str(copy)).open()


@pytest.mark.parametrize(
    "name",
    [
        "newsroom/not-here", "not-here", "", "a b", "one/two/three", "../up/and/away", "nul\0byte",
        "~nobody-of-this-name/model", "x" * 300, "قمة", "https://example.org/model", "-", "file.txt",
    ],
)  # fmt: skip
def test_unknown_model_name_is_refused_with_a_remedy(name, tmp_path, monkeypatch, no_network):
    (tmp_path / "file.txt").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="warraq model fetch"):
        find_model(name)


def test_an_unknown_name_fails_within_two_seconds_and_without_torch(tmp_path):
    program = (
        "import sys; from indexer.embedding.encoder import find_model; from indexer.errors import ModelError\n"
        "try: find_model('newsroom/not-here')\n"
        "except ModelError as error: print(error)\n"
        "print({'torch', 'transformers', 'sentence_transformers', 'faiss'} & set(sys.modules))"
    )

    def ask():
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "HF_HOME": str(tmp_path)},
            capture_output=True, text=True, cwd=ROOT, check=True, timeout=60,
        )  # fmt: skip
        assert "warraq model fetch newsroom/not-here" in done.stdout
        assert done.stdout.endswith("\nset()\n")

    assert quickest(ask, 2, time.perf_counter) < 2


def test_finding_the_bundled_model_unpacks_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("WARRAQ_CACHE", str(tmp_path / "cache"))
    assert find_model("bundled").folder is None
    assert not (tmp_path / "cache").exists()


def test_vector_key_depends_on_all_inputs_of_the_vector(model):
    key = vector_key(model, "grain")
    assert key == vector_key(model, "grain")
    assert len(key) == 32
    assert key != vector_key(model, "grain ")
    model.prompts = {**model.prompts, "query": "other: "}
    assert key == vector_key(model, "grain")
    model.prompts = {**model.prompts, "document": "other: "}
    changed = vector_key(model, "grain")
    model.weights = "others"
    assert len({key, changed, vector_key(model, "grain")}) == 3


# --- what the bundled model runs on ------------------------------------------------------------------


def test_the_bundled_model_runs_on_openvino_unless_told_otherwise():
    assert find_model("bundled").backend == "openvino"
    assert [find_model("bundled", backend).backend for backend in BACKENDS] == list(BACKENDS)


def test_without_openvino_the_bundled_model_runs_on_torch_and_says_so(monkeypatch, caplog):
    monkeypatch.setattr("indexer.embedding.encoder.find_spec", lambda _: None)
    assert find_model("bundled").backend == "torch"
    assert "several times slower" in caplog.text
    with pytest.raises(ModelError, match=r"OpenVINO is not installed.*pip install openvino"):
        find_model("bundled", "openvino")
    caplog.clear()
    assert find_model("bundled", "torch").backend == "torch"
    assert caplog.text == ""


def test_other_models_run_on_torch_alone(folder):
    assert find_model(str(folder), "torch").backend == find_model(str(folder)).backend == "torch"
    with pytest.raises(ModelError, match="Only the bundled model runs on OpenVINO"):
        find_model(str(folder), "openvino")


def test_a_network_that_openvino_cannot_compile_is_told_with_the_remedy(monkeypatch, model_cache):
    def fail(*_):
        raise RuntimeError("this processor lacks what it needs")

    monkeypatch.setattr("indexer.embedding.bundled.openvino_encoder._compiled_network", fail)
    with pytest.raises(ModelError, match=r"lacks what it needs.*warraq build --backend torch"):
        find_model("bundled").open()


def test_vectors_of_two_backends_have_keys_of_their_own():
    one, other = FakeModel(backend="torch"), FakeModel(backend="openvino")
    assert vector_key(one, "grain") != vector_key(other, "grain")
