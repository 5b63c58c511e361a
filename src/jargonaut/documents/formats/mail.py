"""Mail messages: the headers that people read, the body as its reader saw it, and what is attached."""

from __future__ import annotations

import email
import email.errors
import email.policy
import re
from collections.abc import Iterator
from contextlib import suppress
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

from selectolax.lexbor import LexborHTMLParser

from jargonaut.core.canonical import digest_bytes
from jargonaut.core.document import Document, Place, Quarantined
from jargonaut.core.errors import InputError
from jargonaut.documents.composing import Composer, Inline
from jargonaut.documents.encodings import decode, normalised
from jargonaut.documents.formats.html import HtmlWalker
from jargonaut.documents.formats.html_visibility import Styling
from jargonaut.documents.metadata import Metadata
from jargonaut.documents.port import Allowance, Member, Sidecar
from jargonaut.documents.sidecar import SUFFIXES

_BROKEN = (
    email.errors.MessageError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What the standard library raises over a message that is broken in one way or another."""
_HEADERS = ("From", "To", "Cc", "Date")
_CHINESE = frozenset({"gb2312", "gbk", "gb18030", "gb_2312-80", "cp936"})
_NOT_IN_A_NAME = re.compile(r"[/\\\x00-\x1f]+")
_NAMES = {"message/rfc822": "message.eml", "text/calendar": "invitation.ics"}


class MailParser:
    """See `documents.port.Parser`."""

    def parse(self, data: bytes, uri: str) -> Document:
        """See `Parser.parse`."""
        message = _message(data)
        subject = _header(message, "Subject")
        composer = Composer()
        composer.heading(_inline(subject or "(no subject)"), 1, Place(line=1))
        for name in _HEADERS:
            if value := _header(message, name):
                composer.item(_inline(f"{name}: {value}"), "-", 0, Place(line=1))
        composer.end_list()
        _add_body(composer, message, uri)
        return composer.document(uri, digest_bytes(data), "message/rfc822", _metadata(message), subject)


class MailAttachments:
    """See `documents.port.Container`. The message itself is read by `MailParser`."""

    def members(self, data: bytes, name: str, allowance: Allowance) -> Iterator[Member | Quarantined]:
        """See `Container.members`."""
        taken: dict[str, int] = {}
        attached: dict[str, bytes] = {}
        for part in _attachments(_message(data)):
            file = _file_name(part)
            taken[file] = taken.get(file, 0) + 1
            if taken[file] > 1:
                stem, dot, extension = file.rpartition(".")
                file = f"{stem or file} ({taken[file]}){dot}{extension if stem else ''}"
            if not allowance.wanted(file):
                continue
            content = _content(part)
            allowance.take(len(content))
            attached[file] = content
        for file, content in attached.items():
            named = [name for suffix in SUFFIXES if (name := file + suffix) in attached]
            beside = [Sidecar(name, attached[name]) for name in named]
            if len(beside) > 1:
                yield Quarantined(file, "", "Several attachments speak of it.", "Keep one of them.")
            elif not file.endswith(SUFFIXES):
                yield Member(file, content, beside[0] if beside else None)


def _message(data: bytes) -> EmailMessage:
    try:
        message = email.message_from_bytes(data, policy=email.policy.default)
    except _BROKEN as error:
        raise InputError(f"It is not a mail message that can be read: {error}", "Save it anew as .eml.") from error
    assert isinstance(message, EmailMessage)
    if not message.keys():
        raise InputError("It is not a mail message: it has no headers.", "Save it anew as .eml.")
    return message


def _header(message: EmailMessage, name: str) -> str:
    """Headers with bytes of an encoding that is not named, and broken ones, are read as they stand."""
    raw = next((str(value) for key, value in message.raw_items() if key.lower() == name.lower()), "")
    if any("\udc80" <= character <= "\udcff" for character in raw):
        text = decode(raw.encode("utf-8", "surrogateescape"))
    else:
        try:
            text = str(message.get(name, ""))
        except _BROKEN:
            text = raw
    return " ".join(normalised(text).split())


def _metadata(message: EmailMessage) -> Metadata:
    metadata: Metadata = {}
    for header, name in (("Subject", "title"), ("From", "author"), ("To", "to"), ("Cc", "cc")):
        if value := _header(message, header):
            metadata[name] = value
    with suppress(*_BROKEN):  # no date, or none that can be read
        metadata["date"] = parsedate_to_datetime(_header(message, "Date")).isoformat()
    keywords = tuple(word.strip() for word in re.split("[,;]", _header(message, "Keywords")) if word.strip())
    if keywords:
        metadata["tags"] = keywords
    return metadata


def _parts(message: EmailMessage) -> Iterator[EmailMessage]:
    """Leaves of the tree of parts; a message in the message is a leaf."""
    waiting = [message]
    while waiting:
        part = waiting.pop()
        if part.is_multipart() and part.get_content_maintype() == "multipart":
            waiting.extend(reversed(_inner(part)))
        else:
            yield part


def _inner(part: EmailMessage) -> list[EmailMessage]:
    """The parts of a part."""
    payload: object = part.get_payload()
    return [item for item in payload if isinstance(item, EmailMessage)] if isinstance(payload, list) else []


def _is_attachment(part: EmailMessage) -> bool:
    if part.get_content_type() not in ("text/plain", "text/html"):
        return True
    return part.get_content_disposition() == "attachment" or bool(part.get_filename())


def _attachments(message: EmailMessage) -> Iterator[EmailMessage]:
    return (part for part in _parts(message) if _is_attachment(part))


def _bodies(part: EmailMessage) -> Iterator[EmailMessage]:
    """The parts that are shown; of one in several forms, the last that can be: HTML."""
    if part.get_content_type() == "multipart/alternative":
        forms = [list(_bodies(form)) for form in _inner(part)]
        yield from next((form for form in reversed(forms) if form), [])
    elif part.is_multipart() and part.get_content_maintype() == "multipart":
        for inner in _inner(part):
            yield from _bodies(inner)
    elif not _is_attachment(part):
        yield part


def _add_body(composer: Composer, message: EmailMessage, uri: str) -> None:
    for part in _bodies(message):
        text = _text(part)
        if part.get_content_type() == "text/html":
            tree = LexborHTMLParser(text)
            if tree.body is not None:
                HtmlWalker(composer, uri, text, Styling(tree)).walk(tree.body)
        else:
            for paragraph in re.split(r"\n\s*\n", text):
                if paragraph.strip():
                    composer.verbatim("paragraph", paragraph.strip("\n"), Place())


def _content(part: EmailMessage) -> bytes:
    if part.get_content_type() == "message/rfc822":
        return b"".join(message.as_bytes() for message in _inner(part)[:1])
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _text(part: EmailMessage) -> str:
    content = _content(part)
    declared = (part.get_content_charset() or "").lower()
    try:
        return normalised(content.decode("gb18030" if declared in _CHINESE else declared or "ascii"))
    except (UnicodeDecodeError, LookupError):
        return decode(content)


def _file_name(part: EmailMessage) -> str:
    try:
        name = part.get_filename() or ""
    except _BROKEN:
        name = ""
    if not name and part.get_content_type() == "message/rfc822":
        subject = "".join(_header(message, "Subject") for message in _inner(part)[:1])
        name = f"{subject[:60].replace('/', '_')}.eml" if subject else ""
    # Some mail programs give whole paths; what was the name is their last part.
    name = _NOT_IN_A_NAME.sub("_", normalised(name).replace("\\", "/").rpartition("/")[2]).strip(" .")
    extension = part.get_content_subtype()
    return name or _NAMES.get(part.get_content_type(), f"attachment.{'txt' if extension == 'plain' else extension}")


def _inline(text: str) -> Inline:
    inline = Inline()
    inline.add(text)
    return inline
