import pytest

from jargonaut.documents.globs import compiled, matches


@pytest.mark.parametrize(
    ("pattern", "uri", "expected"),
    [
        ("*.md", "a/b.md", True),
        ("*.md", "a/b.mdx", False),
        ("hr", "hr/a.md", True),
        ("hr", "x/hr/a.md", True),
        ("hr", "hrm/a.md", False),
        ("hr/", "x/hr/a.md", True),
        ("/hr", "x/hr/a.md", False),
        ("hr/**", "hr/a/b.md", True),
        ("hr/**", "x/hr/a.md", False),
        ("hr/*", "hr/a/b.md", True),
        ("a/*/c.md", "a/b/c.md", True),
        ("a/*/c.md", "a/b/b/c.md", False),
        ("a/**/c.md", "a/c.md", True),
        ("a/**/c.md", "a/b/b/c.md", True),
        ("**/c.md", "c.md", True),
        ("**", "a/b.md", True),
        ("?.md", "ab.md", False),
        ("[ab].md", "b.md", True),
        ("[!ab].md", "b.md", False),
        ("a[!x]b.md", "a/b.md", False),
        ("HR/**", "hr/a.md", False),
        ("人事/**", "人事/薪资 表.md", True),
        ("a+b(c).md", "a+b(c).md", True),
        ("a.md", "aXmd", False),
    ],
)
def test_patterns(pattern, uri, expected):
    assert matches(pattern, uri) is expected


@pytest.mark.parametrize("pattern", ["", " ", "/", "a\\b", "../a", "[a", "a[]", "[z-a]"])
def test_patterns_that_cannot_be_read(pattern):
    with pytest.raises(ValueError, match=r"."):
        compiled(pattern)


@pytest.mark.parametrize("pattern", ["r\u00e9sum\u00e9s/**", "re\u0301sume\u0301s/**"])
@pytest.mark.parametrize("uri", ["r\u00e9sum\u00e9s/a.md", "re\u0301sume\u0301s/a.md"])
def test_what_looks_the_same_matches(pattern, uri):
    assert matches(pattern, uri)
