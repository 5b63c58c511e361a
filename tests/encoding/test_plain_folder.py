import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file

from jargonaut.core.errors import InputError
from jargonaut.encoding.artifact import load_encoder, save_encoder
from jargonaut.encoding.base_weights import resolve_base
from jargonaut.encoding.openvino_encoder import OpenVinoEncoder
from jargonaut.encoding.plain_folder import write_plain_folder
from jargonaut.storage.local import LocalStorage
from tests.encoding.tiny_encoders import write_tiny_encoder

TEXTS = ["session cookie", "how do i set the age of it", "a"]


def stored_tiny(tmp_path, model_type="bert", pooling="mean"):
    base = resolve_base(
        str(write_tiny_encoder(tmp_path / "tiny", model_type, pooling)), query_prompt="how ", document_prompt="the "
    )
    storage = LocalStorage(tmp_path / "artifacts")
    return base, load_encoder(storage, save_encoder(storage, base).id)


@pytest.mark.parametrize("pooling", ["mean", "cls"])
@pytest.mark.parametrize("model_type", ["bert", "xlm-roberta"])
def test_the_folder_is_the_encoder_again(tmp_path, model_type, pooling):
    base, stored = stored_tiny(tmp_path, model_type, pooling)
    write_plain_folder(stored, tmp_path / "plain")
    again = resolve_base(str(tmp_path / "plain"))
    assert (again.pooling, again.max_tokens, again.dimensions) == (base.pooling, base.max_tokens, base.dimensions)
    assert (again.query_prompt, again.document_prompt) == ("how ", "the ")
    before, after = (load_file(folder / "model.safetensors") for folder in (base.folder, again.folder))
    for name, value in before.items():
        if "token_type" not in name:
            np.testing.assert_array_equal(value, after[name], err_msg=name)
    storage = LocalStorage(tmp_path / "artifacts")
    second = load_encoder(storage, save_encoder(storage, again).id)
    first, other = (
        OpenVinoEncoder(item.card, item.model_path, item.tokenizer_path, "f32") for item in (stored, second)
    )
    np.testing.assert_allclose(first.encode_queries(TEXTS), other.encode_queries(TEXTS), atol=1e-6)


@pytest.mark.parametrize("model_type", ["bert", "xlm-roberta"])
def test_sentence_transformers_loads_it_and_gives_the_same_vectors(tmp_path, model_type):
    library = pytest.importorskip("sentence_transformers", reason="the extra `train` is not installed")
    _, stored = stored_tiny(tmp_path, model_type)
    write_plain_folder(stored, tmp_path / "plain")
    model = library.SentenceTransformer(str(tmp_path / "plain"), device="cpu", local_files_only=True)
    ours = OpenVinoEncoder(stored.card, stored.model_path, stored.tokenizer_path, "f32")
    np.testing.assert_allclose(model.encode_query(TEXTS), ours.encode_queries(TEXTS), atol=1e-5)
    np.testing.assert_allclose(model.encode_document(TEXTS), ours.encode_documents(TEXTS), atol=1e-5)


def test_nothing_is_overwritten(tmp_path):
    _, stored = stored_tiny(tmp_path)
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "mine.txt").write_text("kept")
    with pytest.raises(InputError, match="not empty"):
        write_plain_folder(stored, tmp_path / "plain")
    assert (tmp_path / "plain" / "mine.txt").read_text() == "kept"


def test_it_needs_no_torch(tmp_path):
    code = "import sys, jargonaut.encoding.plain_folder; sys.exit(bool({'torch', 'transformers'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)
