import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from jargonaut.core.errors import InputError, RefusedError
from jargonaut.core.progress import silent
from jargonaut.encoding.artifact import load_encoder, open_encoder, save_encoder
from jargonaut.encoding.base_weights import resolve_base
from jargonaut.encoding.openvino_encoder import OpenVinoEncoder
from jargonaut.encoding.plain_folder import write_plain_folder
from jargonaut.storage.local import LocalStorage
from jargonaut.training.static_student import distil
from tests.encoding.tiny_encoders import WORDS, write_tiny_encoder

TEXTS = ["session cookie", "cookie session", "how do i set the age of it", "会话"]


def write_table(folder, weighted=False):
    """A table as model2vec publishes them, over the tokenizer of a tiny encoder."""
    write_tiny_encoder(folder)
    for name in ("modules.json", "sentence_bert_config.json"):
        (folder / name).unlink()
    (folder / "config.json").write_text(json.dumps({"model_type": "model2vec", "hidden_dim": 999}))
    size = len(load_file(folder / "model.safetensors")["embeddings.word_embeddings.weight"])
    random = np.random.default_rng(0)
    tensors = {"embeddings": random.normal(size=(size, 16)).astype(np.float16)}
    if weighted:
        tensors["weights"] = random.random(size)
    save_file(tensors, folder / "model.safetensors")
    return folder


@pytest.mark.parametrize("weighted", [False, True])
def test_a_table_is_a_base_like_any_other(tmp_path, weighted):
    base = resolve_base(str(write_table(tmp_path / "table", weighted)))
    assert (base.dimensions, base.model_type) == (16, "model2vec")
    storage = LocalStorage(tmp_path / "artifacts")
    encoder = open_encoder(storage, save_encoder(storage, base).id)
    vectors = encoder.encode_documents(TEXTS)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)  # the order of words says nothing
    assert encoder.token_spans("session cookie") == [(0, 7), (8, 14)]
    long, short = encoder.encode_queries(["session " * 900, "session"])
    np.testing.assert_allclose(long, short, atol=1e-5)
    with pytest.raises(InputError, match="A text of 900 tokens"):
        encoder.encode_documents(["session " * 900])


@pytest.mark.parametrize("weighted", [False, True])
def test_sentence_transformers_loads_a_table_and_gives_the_same_vectors(tmp_path, weighted):
    library = pytest.importorskip("sentence_transformers", reason="the extra `train` is not installed")
    base = resolve_base(str(write_table(tmp_path / "table", weighted)))
    storage = LocalStorage(tmp_path / "artifacts")
    stored = load_encoder(storage, save_encoder(storage, base).id)
    write_plain_folder(stored, tmp_path / "plain")
    model = library.SentenceTransformer(str(tmp_path / "plain"), device="cpu", local_files_only=True)
    ours = open_encoder(storage, stored.card.id).encode_documents(TEXTS)
    np.testing.assert_allclose(model.encode(TEXTS), ours, atol=1e-5)
    assert resolve_base(str(tmp_path / "plain")).dimensions == 16


def test_weights_without_a_table_are_refused(tmp_path):
    folder = write_table(tmp_path / "table")
    save_file({"other": np.zeros((2, 2), dtype=np.float32)}, folder / "model.safetensors")
    with pytest.raises(InputError, match="no table"):
        resolve_base(str(folder))


def test_a_student_imitates_its_teacher_on_texts_that_it_was_not_fitted_on(tmp_path):
    base = resolve_base(str(write_tiny_encoder(tmp_path / "tiny")))
    storage = LocalStorage(tmp_path / "artifacts")
    stored = load_encoder(storage, save_encoder(storage, base).id)
    teacher = OpenVinoEncoder(stored.card, stored.model_path, stored.tokenizer_path, "f32")
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(WORDS, 8)) for _ in range(300)]
    student = distil(teacher, stored.tokenizer_path, texts, tmp_path / "student", silent)
    again = distil(teacher, stored.tokenizer_path, texts, tmp_path / "again", silent)
    assert student.agreement > 0.8
    assert student.weights.digest == again.weights.digest
    encoder = open_encoder(storage, save_encoder(storage, student.weights).id)
    new = [" ".join(random.choice(WORDS, 8)) for _ in range(50)]
    cosine = (encoder.encode_documents(new) * teacher.encode_documents(new)).sum(axis=1)
    assert cosine.mean() > 0.8
    with pytest.raises(RefusedError, match="at least 100"):
        distil(teacher, stored.tokenizer_path, texts[:9], tmp_path / "few", silent)
