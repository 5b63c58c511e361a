"""EML by the standard library: alternatives, attachments, encodings."""

from __future__ import annotations

from email import policy
from email.header import Header
from email.message import EmailMessage
from email.mime.text import MIMEText

from benchmarks.golden.manuals_zh import SWITCHGEAR
from benchmarks.golden.model import Shelf, Truth, truth_of
from benchmarks.golden.web import html_of

_LABELS = ["Subject: From: To: Cc: Date: Attachment: Attachments:"]
_TO = "A. Example <a@example.org>"
_DATE = "Mon, 02 Jun 2025 09:15:00 +0200"
_TABLE = (("Timer", "Old", "New"), ("L310", "1000 ms", "2000 ms"), ("L311", "3000 ms", "10000 ms"))


def write(shelf: Shelf) -> None:
    """All EML files."""
    _plain(shelf)
    _alternatives(shelf)
    _attachments(shelf)
    _gb2312(shelf)
    _chinese_html(shelf)
    _forwarded(shelf)


def _message(subject: str, sender: str) -> EmailMessage:
    message = EmailMessage(policy=policy.SMTP)
    message["Subject"], message["From"], message["To"], message["Date"] = subject, sender, _TO, _DATE
    message["Message-ID"] = "<golden@example.org>"
    message["X-Spam-Report"] = "heuristics untroubled"
    return message


def _save(shelf: Shelf, name: str, message: EmailMessage | MIMEText, truth: Truth) -> None:
    """Boundaries are random, so they are given names."""
    for number, part in enumerate(message.walk()):
        if part.is_multipart() and part.get_content_maintype() == "multipart":
            part.set_boundary(f"=_golden_{number}")
    shelf.path(name).write_bytes(message.as_bytes())
    truth.optional += [*_LABELS, _TO, _DATE, "2025-06-02", "09:15 09:15:00 0200 UTC 07:15:00"]
    truth.hidden.append("heuristics untroubled")
    shelf.truth(name, truth)


def _plain(shelf: Shelf) -> None:
    paragraphs = [
        "The lantern ring that you sent is from heat 88-213 and must not be fitted. It shows inclusions of the "
        "globular type, which method A rates as 2.5.",
        "Please return it with form 31; the replacement has left Ostrava today.",
    ]
    message = _message("Lantern ring from heat 88-213", "Quality desk <quality@example.com>")
    message.set_content("\n\n".join(paragraphs) + "\n", cte="quoted-printable")
    truth = Truth("eml", "en", "email", paragraphs, notes=["Lantern ring from heat 88-213"])
    truth.optional.append("Quality desk <quality@example.com>")
    _save(shelf, "plain.eml", message, truth)


def _alternatives(shelf: Shelf) -> None:
    """The same said twice, as text and as HTML, which has the table; it must come out once."""
    intro, outro = "The timers change with release 4:", "Terminals of release 3 are not affected."
    message = _message("New timers of link supervision", "Radio group <radio@example.com>")
    lines = "\n".join("  ".join(row) for row in _TABLE)
    message.set_content(f"{intro}\n\n{lines}\n\n{outro}\n")
    rows = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in _TABLE)
    preheader = '<div style="display:none">Preheader teaser of the newsletter.</div>'
    message.add_alternative(
        f"<html><body>{preheader}<p>{intro}</p><table>{rows}</table><p>{outro}</p></body></html>", subtype="html"
    )
    truth = Truth("eml", "en", "email", [intro], notes=["New timers of link supervision"])
    truth.table(_TABLE)
    truth.text.append(outro)
    truth.hidden.append("Preheader teaser of the newsletter.")
    truth.optional.append("Radio group <radio@example.com>")
    _save(shelf, "alternatives.eml", message, truth)


def _attachments(shelf: Shelf) -> None:
    """A table, a note and a page as attachments: their text counts, in whichever document it comes out."""
    body = "Attached are the alarm list, the shift note and the procedure."
    message = _message("Alarm list of booster 3", "Control room <control@example.com>")
    message.set_content(body + "\n")
    message.add_attachment(
        "Alarm,Cause\r\nA17,strainer clogged\r\nA18,follower tight\r\n", "csv", filename="alarms.csv"
    )
    note = "Booster 3 was primed from the header tank at 04:10."
    message.add_attachment(note + "\n", filename="shift note.txt")
    page = "<html><body><h1>Priming</h1><p>Open the header valve by one quarter.</p></body></html>"
    message.add_attachment(page, "html", filename="priming.html")
    truth = Truth("eml", "en", "email", [body])
    truth.table((("Alarm", "Cause"), ("A17", "strainer clogged"), ("A18", "follower tight")))
    truth.text.append(note)
    truth.heading("Priming", 1)
    truth.text.append("Open the header valve by one quarter.")
    truth.notes.append("Alarm list of booster 3")
    truth.optional += ["Control room <control@example.com>", "alarms.csv shift note.txt priming.html"]
    _save(shelf, "attachments.eml", message, truth)


def _gb2312(shelf: Shelf) -> None:
    """Headers and body in the encodings that Chinese mail programs still use."""
    body = "各位同事：\n\n三号柜气室压力降至0.38兆帕，请按规程补气。\n\n补气后静置二十四小时再测微水。\n"
    message = MIMEText(body, "plain", "gb2312")
    message["Subject"] = Header("三号开关柜补气通知", "gb2312")
    message["From"] = f"{Header('检修班', 'gb18030').encode()} <shift@example.com>"
    message["To"], message["Date"] = _TO, _DATE
    message["X-Spam-Report"] = "heuristics untroubled"
    truth = Truth("eml", "zh", "email", [line for line in body.split("\n") if line])
    truth.notes.append("三号开关柜补气通知")
    truth.optional.append("检修班 <shift@example.com>")
    _save(shelf, "gb2312.eml", message, truth)


def _chinese_html(shelf: Shelf) -> None:
    message = _message("关于机械特性试验的说明", "试验所 <lab@example.com>")
    story = SWITCHGEAR
    message.set_content(f"<html><body>{html_of(story)}</body></html>", subtype="html", charset="utf-8", cte="base64")
    truth = truth_of(story, "eml", "email")
    truth.notes.append("关于机械特性试验的说明")
    truth.optional.append("试验所 <lab@example.com>")
    _save(shelf, "html-zh.eml", message, truth)


def _forwarded(shelf: Shelf) -> None:
    """A message in a message."""
    inner = _message("Quench at 412 amperes", "Beamline 9 <beamline@example.com>")
    first = "The third quench came at 412 amperes, again in the upper coil half."
    inner.set_content(first + "\n")
    outer = _message("Forwarded: quench", "Magnet group <magnets@example.com>")
    second = "Please read what the beamline reports; the leads were re-clamped since."
    outer.set_content(second + "\n")
    outer.add_attachment(inner)
    truth = Truth("eml", "en", "email", [second, first], notes=["Forwarded: quench", "Quench at 412 amperes"])
    truth.optional += ["Magnet group <magnets@example.com>", "Beamline 9 <beamline@example.com>"]
    _save(shelf, "forwarded.eml", outer, truth)
