"""Text from data is inert: what each escape must not leave active, for hostile and for random text."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.ui import text

HOSTILE = [
    "<script>alert(1)</script>",
    ":red[x]",
    ":red-badge[x]",
    ":material/delete:",
    ":tada:",
    ":+1:",
    ":streamlit:",
    "$a$",
    "$$a$$",
    "[x](http://y)",
    "![x](http://y/z.png)",
    "`",
    "``` a ```",
    "=1+1",
    "# heading",
    "- item",
    "+ item",
    "1. item",
    "1) item",
    "> quote",
    "*a* _b_ ~c~ **d**",
    "a | b",
    "http://example.org",
    "www.example.org",
    "me@example.org",
    "a -> b <- c -- d >= e <= f ~= g <-> h",
    "&lt;b&gt;&#58;",
    "    code",
    "a\n# b",
    "[^1]",
    "\\",
    "\ud800",
]

# What Streamlit still looks for in the text after the Markdown parser has taken the backslashes away.
AFTER_PARSING = re.compile(
    r":material[_/]|:streamlit:|:[\w+-]+:|https?://|www\.|[-.\w+]+@[-\w]+\.[-\w]|(^|\s)(<->|->|<-|--|>=|<=|~=)(\s|$)"
)

any_text = st.text() | st.sampled_from(HOSTILE) | st.lists(st.sampled_from(HOSTILE)).map(" ".join)


def unescaped(markdown: str) -> str:
    """The text that a CommonMark parser makes of backslash escapes."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown)


@given(any_text)
def test_every_punctuation_sign_is_escaped(value: str) -> None:
    """With every sign escaped the parser has nothing left to read as structure."""
    assert not re.search(r"[!-/:-@\[-`{-~]", re.sub(r"\\[!-/:-@\[-`{-~]", "", text.escape(value)))


@given(any_text)
def test_nothing_is_rewritten_after_parsing(value: str) -> None:
    assert not AFTER_PARSING.search(unescaped(text.escape(value)))


@given(any_text)
def test_escape_keeps_every_visible_letter(value: str) -> None:
    shown = unescaped(text.escape(value)).replace(text.JOINER, "")
    assert shown == text.one_line(value).replace(text.JOINER, "")


@given(any_text)
def test_every_form_is_one_encodable_line(value: str) -> None:
    for form in (text.escape, text.plain, text.latex, text.code, text.shorten):
        assert len(form(value).splitlines()) <= 1
        form(value).encode()


@given(any_text)
def test_plain_leaves_no_tag_formula_or_template(value: str) -> None:
    shown = text.plain(value)
    assert not set("<>$%") & set(shown)
    assert html.unescape(shown) == text.one_line(value)


@given(any_text)
def test_latex_braces_are_balanced_and_signs_escaped(value: str) -> None:
    shown = re.sub(r"\\(text\w+\{\}|[{}$&#%_])", "", text.latex(value))
    assert not set("\\$&#%_^~<>") & set(shown)
    assert shown.replace("{:}", "").replace("{-}", "").count("{") == 0


@given(any_text)
def test_code_is_fenced_by_more_backticks_than_it_holds(value: str) -> None:
    fence, inner = re.fullmatch(r"(`+) (.*) \1", text.code(value)).groups()
    assert fence not in re.findall("`+", inner)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "\uff1d1"])
def test_formula_cells_are_quoted(cell: str) -> None:
    assert text.csv_safe(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", [-1, -1.5, None, "a=1", "1-2", ""])
def test_other_cells_are_untouched(cell: object) -> None:
    assert text.csv_safe(cell) is cell


@given(st.text(), st.integers(5, 60))
def test_shorten_keeps_to_its_limit(value: str, limit: int) -> None:
    short = text.shorten(value, limit)
    assert len(short) <= limit
    assert short == text.one_line(value) or "…" in short


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        ("abcdefgh", "a, b, c, d, e, f and 2 more"),
    ],
)
def test_listing_reads_as_a_sentence(items: list[str], expected: str) -> None:
    assert text.listing(items) == text.enumerated(items) == expected


def test_a_listing_is_escaped_and_an_enumeration_is_as_it_was_given() -> None:
    assert text.listing(["**a**"]) == text.escape("**a**")
    assert text.enumerated(["**a**", "b", "c"], 2, "or") == "**a**, b or 1 more"
