import json

import pytest
from tokenizers import Tokenizer

from jargonaut.core.errors import IntegrityError, NewerFormatError, UnknownNameError
from jargonaut.encoding.artifact import encoder_ids, load_card, load_encoder, save_encoder
from jargonaut.encoding.base_weights import resolve_base
from jargonaut.storage.local import LocalStorage
from tests.encoding.tiny_encoders import write_tiny_encoder


@pytest.fixture
def storage(tmp_path):
    return LocalStorage(tmp_path / "artifacts")


@pytest.fixture
def base(tmp_path):
    return resolve_base(str(write_tiny_encoder(tmp_path / "tiny")))


def test_saved_and_loaded(storage, base):
    card = save_encoder(storage, base)
    assert card.space == base.space
    assert load_card(storage, card.id) == card
    stored = load_encoder(storage, card.id)
    assert stored.card == card
    assert stored.model_path.read_bytes().startswith(b"\x08")
    assert list(encoder_ids(storage)) == [card.id]


def test_saving_twice_changes_nothing(storage, base):
    assert save_encoder(storage, base) == save_encoder(storage, base)
    assert len(list(storage.keys("encoders/"))) == 3


def test_a_query_encoder_aims_at_a_space(storage, base):
    aimed = save_encoder(storage, base, aims_at="0" * 32)
    assert aimed.space == "0" * 32
    assert aimed.id != save_encoder(storage, base).id


def test_the_stored_tokenizer_neither_cuts_nor_pads(storage, base):
    stored = load_encoder(storage, save_encoder(storage, base).id)
    tokenizer = Tokenizer.from_file(str(stored.tokenizer_path))
    assert len(tokenizer.encode("a " * 100).ids) == 102
    assert len(tokenizer.encode("a").ids) == 3


def test_a_cased_tokenizer_is_lowered_where_the_base_says_so(storage, tmp_path):
    folder = write_tiny_encoder(tmp_path / "tiny", "xlm-roberta")
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 30, "do_lower_case": True}))
    stored = load_encoder(storage, save_encoder(storage, resolve_base(str(folder))).id)
    tokenizer = Tokenizer.from_file(str(stored.tokenizer_path))
    assert tokenizer.encode("Session COOKIE").ids == tokenizer.encode("session cookie").ids


def test_an_unfinished_artifact_is_invisible_and_finished_by_the_next_save(storage, base):
    card = save_encoder(storage, base)
    storage.delete(f"encoders/{card.id}/encoder.json")
    assert list(encoder_ids(storage)) == []
    with pytest.raises(UnknownNameError, match=card.id):
        load_encoder(storage, card.id)
    assert save_encoder(storage, base) == card
    load_encoder(storage, card.id)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_changed_file_is_found_and_put_right_by_the_next_save(storage, base, name):
    card = save_encoder(storage, base)
    path = storage.local_path(f"encoders/{card.id}/{name}")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(IntegrityError, match=name):
        load_encoder(storage, card.id)
    assert save_encoder(storage, base) == card
    load_encoder(storage, card.id)


def test_a_missing_file_is_found(storage, base):
    card = save_encoder(storage, base)
    storage.delete(f"encoders/{card.id}/tokenizer.json")
    with pytest.raises(IntegrityError, match=r"tokenizer\.json is missing"):
        load_encoder(storage, card.id)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"format": 99}, NewerFormatError),
        ({"max_tokens": 512}, IntegrityError),
        ({"space": "0" * 32}, IntegrityError),
        ({"dimensions": None}, IntegrityError),
        ({"files": None}, IntegrityError),
    ],
)
def test_a_changed_record_is_found(storage, base, change, error):
    card = save_encoder(storage, base)
    path = storage.local_path(f"encoders/{card.id}/encoder.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(error):
        load_card(storage, card.id)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_a_record_that_is_none_is_found(storage, base, text):
    card = save_encoder(storage, base)
    storage.local_path(f"encoders/{card.id}/encoder.json").write_text(text)
    with pytest.raises(IntegrityError, match=card.id):
        load_encoder(storage, card.id)
