import pytest

from jargonaut.core.errors import InputError
from jargonaut.documents.encodings import decode
from jargonaut.documents.language import detect_language

CHINESE = "# 会话\n\n这是一个关于会话的说明，我们可以在这里看到它的用法和配置。"
GERMAN = "Die Größe der Übung für Mädchen ist schön und gut – das “Äußere” auch."


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030", "gbk"]
)
def test_chinese_in_every_encoding(encoding):
    text = CHINESE + (" mixed with ASCII words, so that zeros show" if "16" in encoding else "")
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (GERMAN, "cp1252"),
        ("Die Größe ist gut.", "latin-1"),
        ("Привет, это документ на русском языке о том, как настроить кэш и сессии.", "cp1251"),
        ("セッションの設定は、次のように行います。詳しくは設定ファイルを参照してください。", "cp932"),
    ],
)
def test_older_encodings(text, encoding):
    assert decode(text.encode(encoding)) == text


def test_text_is_normalised():
    assert decode("e\u0301\r\na\rb\fc\x00\x07d\ufeff".replace("\x00", "").encode()) == "é\na\nb\ncd"


def test_a_few_damaged_bytes_are_replaced():
    data = (GERMAN * 10).encode()
    assert decode(data[:100] + b"\xff" + data[100:]).count("\ufffd") == 1


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n", b"PK\x03\x04abc", b"a\x00\x00\x01\x02b\x03", bytes(range(256)) * 4]
)
def test_binary_is_refused(data):
    with pytest.raises(InputError, match="binary"):
        decode(data)


def test_what_fits_no_encoding_is_refused():
    with pytest.raises(InputError, match="encoding"):
        decode(b"\xff\x81\x80\xfe\x90\xa0 \x81 \xff" * 30)


def test_a_broken_utf_16_file_is_refused():
    with pytest.raises(InputError, match="UTF-16"):
        decode(b"\xff\xfea\x00\x00\xd8b\x00")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The session is stored on the server and it is not sent to the client.", "en"),
        ("Django uses request and response objects to pass state through the system.", "en"),
        ("使用 pytidb 客户端连接到 TiDB 数据库，设置 auto_increment 属性", "zh"),
        ("セッションの設定は、次のように行います。", "ja"),
        ("세션 설정은 다음과 같습니다", "ko"),
        ("Привет, это документ о том, как настроить кэш", "ru"),
        (GERMAN, "de"),
        ("Les sessions sont stockées sur le serveur et ne sont pas envoyées au client.", "fr"),
        ("Las sesiones se guardan en el servidor y no se envían a los clientes.", "es"),
        ("42 3.14 {}", ""),
        ("", ""),
    ],
)
def test_languages(text, language):
    assert detect_language(text) == language


def test_a_chinese_table_without_common_words():
    rows = "产品名称,规格型号,单价\n蝶阀,DN50,120\n闸阀,DN80,310\n止回阀,DN25,75\n"
    assert decode(rows.encode("gb18030")) == rows


def test_korean_stays_korean():
    rows = "제품명,규격,단가\n나비밸브,DN50,120\n게이트밸브,DN80,310\n체크밸브,DN25,75\n한국어 문서입니다\n"
    assert decode(rows.encode("euc-kr")) == rows
