"""Office files for tests: the library's own where it can make them, else from XML."""

import io
import zipfile

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
_NAMESPACES = (
    f'xmlns:w="{W}" xmlns:r="{_OFFICE}/relationships" xmlns:m="{_OFFICE}/math" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" '
    'xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
    'xmlns:v="urn:schemas-microsoft-com:vml"'
)
_ROOTS = {"styles": "styles", "numbering": "numbering", "footnotes": "footnotes", "endnotes": "endnotes"}
_ROOTS |= {"comments": "comments", "settings": "settings"}


def zipped(members):
    """A zip file of `members`, texts or bytes by name."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in members.items():
            package.writestr(name, content)
    return file.getvalue()


def saved(document):
    """The bytes of a document of python-docx, python-pptx or openpyxl."""
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def relations(entries):
    """A part with relations: (id, kind, target) and perhaps `External`."""
    written = "".join(
        f'<Relationship Id="{identifier}" Type="{_OFFICE}/relationships/{kind}" Target="{target}"'
        + (f' TargetMode="{mode[0]}"/>' if mode else "/>")
        for identifier, kind, target, *mode in entries
    )
    return (
        f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{written}</Relationships>'
    )


def docx(body, more=(), parts=None, **texts):
    """A DOCX file with `body`, and the content of further parts: `styles`, `numbering`, `footnotes`, ...

    Args:
        body: Content of `w:body`.
        more: Relations of the main part.
        parts: Further members by name.
        texts: Content of the parts that Word has, by their kind.
    """
    links = [(f"rId{kind}", kind, f"{kind}.xml") for kind in texts]
    members = {
        "_rels/.rels": relations([("rId1", "officeDocument", "word/document.xml")]),
        "word/document.xml": f"<w:document {_NAMESPACES}><w:body>{body}</w:body></w:document>",
        "word/_rels/document.xml.rels": relations([*links, *more]),
    }
    for kind, text in texts.items():
        members[f"word/{kind}.xml"] = f"<w:{kind} {_NAMESPACES}>{text}</w:{kind}>"
    return zipped({**members, **(parts or {})})


def p(text="", properties="", run=""):
    """A `w:p` of one run."""
    content = f"<w:r><w:rPr>{run}</w:rPr><w:t xml:space='preserve'>{text}</w:t></w:r>" if text else ""
    return f"<w:p><w:pPr>{properties}</w:pPr>{content}</w:p>"


def style(name, identifier=None, based_on="", properties="", run="", kind="paragraph", more=""):
    """A `w:style`."""
    base = f'<w:basedOn w:val="{based_on}"/>' if based_on else ""
    return (
        f'<w:style w:type="{kind}" w:styleId="{identifier or name}"><w:name w:val="{name}"/>{base}'
        f"<w:pPr>{properties}</w:pPr><w:rPr>{run}</w:rPr>{more}</w:style>"
    )


def styled(text, identifier):
    """A `w:p` of a style."""
    return p(text, f'<w:pStyle w:val="{identifier}"/>')


def blocks(document):
    """Kind and text of every block."""
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]
