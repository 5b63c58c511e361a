"""Documents of every shape, and token counters, for the properties that all chunkers have."""

from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from jargonaut.core.document import Block, Document
from jargonaut.documents.formats.markdown import MarkdownParser

LINES = (
    *("Q: what is a session?", "A: what the server keeps.", "问：什么是会话？", "答：服务器保存的内容。"),
    *(
        "第一章 总则",
        "第一条 为了规范会话，制定本规定。",
        "（一）会话；",
        "第二条之一 本条无效。",
        "第三条规定的会话除外。",
    ),
    *("Article 1", "Article 2. Scope of the session", "Section 4.2 Cookies", "§ 12 Sessions", "(a) the session;"),
    *(
        "def session():",
        "class Cookie:",
        "    def __init__(self):",
        "        return 1",
        "function f() {",
        "}",
        "# note",
    ),
    *("Name | Default", "cookie | 1", "a | b | c | d", "| |", "What is a cookie?", "For example:"),
)


def word_piece_spans():
    """Counts as BERT does: a word that is cut in two has other tokens than the whole."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    words = ["[UNK]", *letters, *(f"##{letter}" for letter in letters), "the", "session", "##ing", "cookie", "##s"]
    words += list("|-›.,:;!?()中文句子。会话")
    vocabulary = {word: number for number, word in enumerate(dict.fromkeys(words))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return lambda text: tokenizer.encode(text, add_special_tokens=False).offsets


WORD_PIECES = word_piece_spans()


def parsed(markdown, uri="a/doc.md"):
    return MarkdownParser().parse(markdown.encode(), uri)


@st.composite
def documents(draw):
    """Any blocks of any text, as a parser could give them."""
    words = st.text(alphabet=st.sampled_from("abcsession cookie中文。，. !?\u00e9#|"), min_size=1, max_size=60)
    prose = words.map(lambda text: " ".join(text.split()))
    line = st.one_of(prose, st.sampled_from(LINES))
    lines = st.lists(line, min_size=1, max_size=12).map("\n".join)
    drafts = []
    for kind in draw(st.lists(st.sampled_from(["heading", "paragraph", "list", "table", "code"]), max_size=12)):
        text = draw(line if kind == "heading" else lines)
        text = text * draw(st.integers(1, 12)) if kind != "heading" else text
        if kind == "code":
            text = "\n".join(f"    {line}" for line in text.split("\n"))
        if text.strip():
            drafts.append((kind, text.rstrip(), draw(st.integers(1, 6)) if kind == "heading" else 0))
    blocks, parts, position = [], [], 0
    for kind, text, level in drafts:
        text = text if kind == "code" else text.strip()
        if text:
            headers = draw(st.integers(0, 2)) if kind == "table" else 1
            blocks.append(Block(kind, position, position + len(text), level=level, header_lines=headers))
            parts.append(text)
            position += len(text) + 2
    return Document("a/b.md", "0", "\n\n".join(parts), tuple(blocks), title=draw(st.sampled_from(["", "Title", "a"])))
