import pytest

from jargonaut.documents.formats.restructuredtext import RestructuredTextParser, is_restructuredtext
from jargonaut.documents.formats.text import TextParser

PAGE = """
Sessions
========

.. module:: shop.sessions
   :synopsis: Not shown.

See :doc:`the cache </topics/cache>` and :ref:`cookies <cookie-age>`. Uses
:setting:`SESSION_ENGINE`, :meth:`~shop.Request.get_host` and ``literal  text``.

.. _cookie-age:

Cookie *age*
------------

.. note::

    Mind the `Engines`_.

.. versionadded:: 2.0

    It is new.

Engines
=======

.. setting:: SESSION_ENGINE

``SESSION_ENGINE``
------------------

Default: :class:`Store(x) <shop.Store>`, see |name| and `outside <https://example.org>`_.

.. |name| replace:: the substitute

.. class:: Store(key=None)

    Keeps things.

    .. method:: get(name, \\
                    default=None)

        Gets one.

    .. attribute:: size

.. code-block:: python
    :linenos:

    if a:
        b()

.. unknown-thing:: With *words*
    :option: x

    And :strange:`content`.

.. list-table::
   :header-rows: 1

   * - Name
     - Meaning
   * - a
     - b, :term:`Cold Cache`

1. one
2. two

   - inner

term : kind
    What it means.

:field: value

Example::

    verbatim *text*

.. glossary::

    Cold Cache
        An empty one.

.. toctree::

   intro
   Written out <more>

.. django-admin:: clear [--all]

Clears.

.. django-admin-option:: --all

Everything.

.. include:: secret.txt
.. raw:: html

   <script>

.. comment
"""


@pytest.fixture(scope="module")
def document():
    return RestructuredTextParser().parse(PAGE.encode(), "ref/sessions.txt")


def test_blocks(document):
    shown = [(block.kind, block.level, document.text[block.start : block.end]) for block in document.blocks]
    assert shown == [
        ("heading", 1, "Sessions"),
        ("paragraph", 0, "See the cache and cookies. Uses SESSION_ENGINE, get_host() and literal text."),
        ("heading", 2, "Cookie age"),
        ("paragraph", 0, "Note: Mind the Engines."),
        ("paragraph", 0, "New in version 2.0: It is new."),
        ("heading", 1, "Engines"),
        ("heading", 2, "SESSION_ENGINE"),
        ("paragraph", 0, "Default: Store(x), see the substitute and outside."),
        ("heading", 3, "Store(key=None)"),
        ("paragraph", 0, "Keeps things."),
        ("heading", 4, "get(name, default=None)"),
        ("paragraph", 0, "Gets one."),
        ("heading", 4, "size"),
        ("code", 0, "    if a:\n        b()"),
        ("paragraph", 0, "With words"),
        ("paragraph", 0, "And content."),
        ("table", 0, "Name | Meaning\na | b, Cold Cache"),
        ("list", 0, "1. one\n2. two\n  - inner"),
        ("list", 0, "- term : kind\n  What it means."),
        ("list", 0, "- field: value"),
        ("paragraph", 0, "Example:"),
        ("code", 0, "    verbatim *text*"),
        ("heading", 3, "Cold Cache"),
        ("paragraph", 0, "An empty one."),
        ("list", 0, "- Written out"),
        ("heading", 3, "clear [--all]"),
        ("paragraph", 0, "Clears."),
        ("heading", 3, "--all"),
        ("paragraph", 0, "Everything."),
    ]


def test_anchors(document):
    anchors = {document.text[block.start : block.end]: block.anchors for block in document.blocks if block.anchors}
    assert anchors == {
        "Sessions": ("shop.sessions",),
        "Cookie age": ("cookie-age",),
        "Engines": ("engines",),
        "SESSION_ENGINE": ("SESSION_ENGINE",),
        "Store(key=None)": ("Store", "shop.sessions.Store"),
        "get(name, default=None)": ("get", "Store.get", "shop.sessions.Store.get"),
        "size": ("size", "Store.size", "shop.sessions.Store.size"),
        "Cold Cache": ("cold cache",),
        "clear [--all]": ("clear",),
        "--all": ("--all", "clear --all"),
    }


def test_references(document):
    said = [(document.text[item.start : item.end], item.target) for item in document.references]
    assert said == [
        ("See the cache and cookies.", "topics/cache.txt"),
        ("See the cache and cookies.", "cookie-age"),
        ("Uses SESSION_ENGINE, get_host() and literal text.", "SESSION_ENGINE"),
        ("Uses SESSION_ENGINE, get_host() and literal text.", "shop.Request.get_host"),
        ("Note: Mind the Engines.", "ref/sessions.txt#engines"),
        ("Default: Store(x), see the substitute and outside.", "shop.Store"),
        ("And content.", "content"),
        ("a | b, Cold Cache", "cold cache"),
    ]


def test_places(document):
    lines = {document.text[block.start : block.end]: block.place.line for block in document.blocks}
    assert lines["Sessions"] == 2
    assert lines["Cookie age"] == 13
    assert lines["SESSION_ENGINE"] == 29
    assert abs(lines["Gets one."] - 43) <= 1


@pytest.mark.parametrize(
    ("role", "shown"),
    [
        (":rfc:`2616`", "RFC 2616"),
        (":ticket:`12`", "#12"),
        (":cve:`2020-1`", "CVE-2020-1"),
        (":func:`!dumps`", "dumps"),
        (":meth:`.QuerySet.filter`", "QuerySet.filter()"),
        (":py:class:`~a.b.C`", "C"),
        (":ref:`some-label`", "some label"),
        (":kbd:`Ctrl`", "Ctrl"),
        (":menuselection:`A --> B`", "A --> B"),
        (":abbr:`LIFO (last in)`", "LIFO (last in)"),
        (":doc:`../x/y`", "../x/y"),
        ("`default role`", "default role"),
        (":math:`x^2`", "x^2"),
        ("|undefined|", "undefined"),
        ("text [#]_ and [1]_", "text and [1]"),
        ("broken ``literal and *emphasis", "broken ``literal and *emphasis"),
    ],
)
def test_roles(role, shown):
    expected = shown.removeprefix("../") if "doc" in role else shown
    assert RestructuredTextParser().parse(f"{role} end".encode(), "a.rst").text == f"{expected} end"


@pytest.mark.parametrize(
    "source",
    [
        ".. image::\n\n   lost?",
        ".. list-table::\n\n   lost?",
        ".. csv-table:: lost?\n   :widths: many\n\n   a",
        ".. note::\n   lost?\n bad indent",
        ".. figure:: x.png\n   :nonsense: y\n\n   lost?",
        "Title\n=====\n\n.. note::\n\n   Inner\n   -----\n\n   lost?",
        ".. replace:: lost?",
        "=== ===\n lost?\n=== ===",
        "+---+\n| lost? |\n+--+",
    ],
)
def test_what_docutils_cannot_read_is_not_lost(source):
    assert "lost?" in RestructuredTextParser().parse(source.encode(), "a.rst").text


def test_files_are_not_read(tmp_path):
    (tmp_path / "secret.txt").write_text("top secret")
    path = tmp_path / "secret.txt"
    source = f".. include:: {path}\n\n.. csv-table::\n   :file: {path}\n\n.. raw:: html\n   :file: {path}\n"
    assert "top secret" not in RestructuredTextParser().parse(source.encode(), "a.rst").text


def test_documents_do_not_disturb_each_other():
    one = b".. role:: mine(emphasis)\n\n:mine:`x` :other:`y`"
    assert [RestructuredTextParser().parse(one, "a.rst").text for _ in range(2)] == ["x y", "x y"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Title\n=====\n\nSee ``code`` here.", True),
        (".. note::\n\n   x", True),
        ("See :doc:`x`.", True),
        (".. _label:\n\nText", True),
        ("Title\n=====\n\nPlain words.", False),
        ("A list of requirements>=3\nb==1", False),
        ("Note: use a::b in C++.\nAnd `x`.", False),
    ],
)
def test_recognising_it_in_text_files(text, expected):
    assert is_restructuredtext(text) is expected
    assert TextParser().parse(text.encode(), "a.txt").media_type == ("text/x-rst" if expected else "text/plain")
