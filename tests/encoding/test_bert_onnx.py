"""The exported graph against the architectures' reference implementation."""

import numpy as np
import pytest

from jargonaut.core.errors import InputError
from jargonaut.encoding.base_weights import resolve_base
from jargonaut.encoding.bert_onnx import bert_graph
from tests.encoding.tiny_encoders import write_tiny_encoder


def run(graph: bytes, ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
    import openvino

    model = openvino.Core().compile_model(openvino.Core().read_model(graph), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return model({"input_ids": ids, "attention_mask": mask})["embedding"]


@pytest.fixture(scope="module")
def batch():
    random = np.random.default_rng(3)
    lengths = np.array([30, 17, 2, 9])
    mask = (np.arange(30) < lengths[:, None]).astype(np.int64)
    ids = random.integers(4, 40, (4, 30))
    return ids, mask


@pytest.mark.parametrize("model_type", ["bert", "xlm-roberta"])
@pytest.mark.parametrize("pooling", ["mean", "cls"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_agreement_with_transformers(tmp_path, batch, model_type, pooling):
    torch = pytest.importorskip("torch", reason="the extra `train` is not installed")
    transformers = pytest.importorskip("transformers", reason="the extra `train` is not installed")
    ids, mask = batch
    folder = write_tiny_encoder(tmp_path / "tiny", model_type, pooling)
    padded = np.where(mask, ids, 1 if model_type != "bert" else 0)
    model = transformers.AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    with torch.no_grad():
        hidden = model(input_ids=torch.tensor(padded), attention_mask=torch.tensor(mask)).last_hidden_state.numpy()
    weight = mask[:, :, None] if pooling == "mean" else np.eye(1, 30)[:, :, None]
    expected = (hidden * weight).sum(1)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(run(bert_graph(resolve_base(str(folder))), padded, mask), expected, atol=2e-5)


@pytest.mark.parametrize("model_type", ["bert", "xlm-roberta"])
def test_padding_changes_nothing(tmp_path, batch, model_type):
    ids, mask = batch
    graph = bert_graph(resolve_base(str(write_tiny_encoder(tmp_path / "tiny", model_type))))
    together = run(graph, ids, mask)
    for row, length in enumerate(mask.sum(1)):
        alone = run(graph, ids[row : row + 1, :length], mask[row : row + 1, :length])
        np.testing.assert_allclose(together[row], alone[0], atol=1e-5)


def test_same_weights_same_bytes(tmp_path):
    base = resolve_base(str(write_tiny_encoder(tmp_path / "tiny")))
    other = resolve_base(str(write_tiny_encoder(tmp_path / "other", seed=1)))
    assert bert_graph(base) == bert_graph(base)
    assert bert_graph(base) != bert_graph(other)


def test_half_precision_storage_is_half_as_large_and_agrees(tmp_path, batch):
    base = resolve_base(str(write_tiny_encoder(tmp_path / "tiny")))
    full, half = bert_graph(base, half=False), bert_graph(base, half=True)
    assert len(half) < 0.75 * len(full)
    np.testing.assert_allclose((run(full, *batch) * run(half, *batch)).sum(1), 1, atol=1e-3)


def test_unknown_architectures_are_refused(tmp_path):
    folder = write_tiny_encoder(tmp_path / "tiny", "modernbert")
    with pytest.raises(InputError, match=r"modernbert(?s:.*)Supported: bert, "):
        bert_graph(resolve_base(str(folder)))


def test_weights_of_another_architecture_are_refused(tmp_path):
    from safetensors.numpy import load_file, save_file

    folder = write_tiny_encoder(tmp_path / "tiny")
    tensors = load_file(folder / "model.safetensors")
    del tensors["encoder.layer.2.output.dense.weight"]
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(InputError, match=r"lack the tensor `encoder\.layer\.2\.output\.dense\.weight`"):
        bert_graph(resolve_base(str(folder)))


def test_a_damaged_weights_file_is_refused(tmp_path):
    folder = write_tiny_encoder(tmp_path / "tiny")
    (folder / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(InputError, match="cannot be read"):
        bert_graph(resolve_base(str(folder)))
