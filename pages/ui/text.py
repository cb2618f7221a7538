"""Text that came from a file or a form, made inert for each place that would otherwise read it as markup.

    escape     Markdown as Streamlit reads it (st.markdown, labels, help, captions, errors)
    code       the same, set as inline code
    plain      Plotly's pseudo-HTML (titles, ticks, hover, legends)
    html       HTML that the app writes itself (the report)
    latex      inside \\text{…} in st.latex
    csv_safe   a cell that a spreadsheet would run as a formula

Names and values from data are hostile until they have passed through one of these.
"""

from __future__ import annotations

import html as language
import re
import string
from collections.abc import Iterable, Sequence

# Streamlit rewrites some texts after Markdown is parsed (icons, emoji shortcodes, web addresses, arrows): a
# backslash is gone by then. This invisible character, which also forbids a line break, keeps them apart.
JOINER = "\N{WORD JOINER}"

_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
_PUNCTUATION = re.compile("[" + re.escape(string.punctuation) + "]")
_REWRITTEN = re.compile(r":(?=\S)|@(?=\S)|www(?=\.)|<(?=-)|-(?=[->])|[<>~](?==)", re.IGNORECASE)
_STATISTIC = re.compile(r" ([<>=]) (?=[−.\d])")
_LATEX = {
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    ":": "{:}",
    "-": "{-}",
} | {sign: f"\\{sign}" for sign in "{}$&#%_"}
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;", "%": "&#37;"})
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def one_line(value: object) -> str:
    """`value` as one line: control, direction and surrogate characters become spaces, runs of spaces one."""
    return " ".join(_UNPRINTABLE.sub(" ", str(value)).split())


def shorten(value: object, limit: int = 40) -> str:
    """`value` on one line and at most `limit` characters, an ellipsis in place of the middle."""
    line = one_line(value)
    if len(line) <= limit:
        return line
    head = (limit - 1) * 2 // 3
    return f"{line[:head]}…{line[len(line) - (limit - 1 - head) :]}"


def escape(value: object) -> str:
    """`value` as Markdown that Streamlit shows letter by letter: no style, link, icon, formula or list."""
    joined = _REWRITTEN.sub(lambda found: found[0] + JOINER, one_line(value))
    return _PUNCTUATION.sub(lambda found: "\\" + found[0], joined)


def code(value: object) -> str:
    """`value` as inline code in Markdown, fenced by more backticks than it contains."""
    line = one_line(value).replace(":material", f":{JOINER}material") or " "
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    # CommonMark takes one space off each side, so the padding does not show.
    return f"{fence} {line} {fence}"


def plain(value: object) -> str:
    """`value` for Plotly, which reads tags, entities, `$…$` and, in hover templates, `%{…}`."""
    return one_line(value).translate(_HTML)


def latex(value: object) -> str:
    """`value` for the inside of `\\text{…}` in a LaTeX formula."""
    return "".join(_LATEX.get(sign, sign) for sign in one_line(value))


_FROM_LATEX = {written: sign for sign, written in _LATEX.items()}
_WRITTEN = re.compile("|".join(map(re.escape, _FROM_LATEX)))


def from_latex(value: str) -> str:
    """The line of text that `latex` wrote so."""
    return _WRITTEN.sub(lambda found: _FROM_LATEX[found[0]], value)


def html(value: object) -> str:
    """`value` for HTML, between tags and in quoted attributes."""
    return language.escape(one_line(value))


def csv_safe(value: object) -> object:
    """A cell for an export: text that a spreadsheet would take for a formula gets a leading apostrophe.

    Numbers stay numbers. See OWASP, "CSV injection".
    """
    if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA_STARTS):
        return f"'{value}"
    return value


def unbroken(sentence: str) -> str:
    """A sentence whose statistics do not break into two lines: 'p < .001', 't(17) = 6.77'."""
    return _STATISTIC.sub("\N{NO-BREAK SPACE}\\1\N{NO-BREAK SPACE}", sentence)


def listing(items: Iterable[object], limit: int = 6) -> str:
    """'a, b and c', each shortened and escaped for Markdown; beyond `limit` items 'a, b, … and 12 more'."""
    return enumerated([escape(shorten(item)) for item in items], limit)


def enumerated(items: Sequence[str], limit: int = 6, word: str = "and") -> str:
    """The same of items that are inert already, or of plain text."""
    if len(items) > limit:
        return f"{', '.join(items[:limit])} {word} {len(items) - limit:,} more"
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {word} {items[-1]}"
