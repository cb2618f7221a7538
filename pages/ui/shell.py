"""What surrounds every page: the way in, the strip that says what is loaded, and links that carry an example.

On a fresh server Streamlit answers the first deep link by its older page discovery: it runs the page without
app.py, with a wrong menu. `enter`, called first on every page, notices that, sends the session through
app.py, and `resume` brings it back to the page, its query parameters intact.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

import streamlit as st

from mixedcore.errors import ModelError
from pages.ui import state
from pages.ui.data import examples, intake
from pages.ui.model import link
from pages.ui.model.modelcall import ModelCall
from pages.ui.numbers import counted
from pages.ui.text import escape, shorten

DATA_PAGE = "pages/data.py"
MODEL_PAGE = "pages/model.py"
EXAMPLE = "example"
"""The query parameter that names an example: `?example=sleepstudy`."""
MODEL = "model"
"""The query parameter that carries a model, where it is not the example's own."""
# Streamlit writes what is pressed or open in the accent. On dark no one colour can both be read there and
# carry white on a button, so the writing keeps the colour of text; border, tint and line show the choice.
# A name too long for a phone ends in dots there instead of being cut through a letter.
# A chart whose width is no whole number is drawn twice, for Streamlit and Plotly round it in other ways.
# A chart has the colours of the last run; its writing and its ground follow a change of appearance at once.
# Captions fade to 60% of the text's colour, too pale on white; `light-dark` is not known in popovers, which
# lie outside the app's own element, so the colour around them is faded less. Labels of what is greyed too.
# What waits for a run pales after half a second, at once: a second of fading keeps a small computer busy.
# What to press after typing lies over the end of a long formula, so it stands below.
# Streamlit's own CSV of a table keeps cells that a spreadsheet would run; the exports beside tables do not.
READABLE = """<style>
[data-testid="stElementToolbarButton"]:has([aria-label^="Download as CSV"]) { display: none; }
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] * { opacity: 1; }
[data-testid="stCaptionContainer"] { color: color-mix(in srgb, currentColor 74%, transparent) !important; }
[data-testid="stCaptionContainer"] :is(p, li, code) { color: inherit; }
[data-testid="stWidgetLabel"][disabled] p { color: rgb(from currentColor r g b / 0.74); }
.st-key-loaded_strip a p { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
[data-testid="stFullScreenFrame"] { width: round(down, 100%, 1px); }
.stPlotlyChart .main-svg { background: transparent !important; }
.stPlotlyChart .bglayer .bg { fill: transparent !important; }
.stPlotlyChart :is([class$="tick"], .g-xtitle, .g-ytitle, .cbtitle, .legend) text {
  fill: light-dark(#4A545E, #B7C0C9) !important;
}
[data-testid="stElementContainer"],
[data-testid="stExpander"] :is(details, summary) { transition-duration: 0s; }
[class*="st-key-model_text_"] :has(> [data-testid="InputInstructions"]) { top: 100%; bottom: auto; }
[class*="st-key-model_text_"] [data-testid="InputInstructions"] { position: static; }
.katex-display { overflow-y: hidden; padding-block: 0.25rem; }
[data-variant="segmented_control"][aria-checked="true"],
[data-variant="segmented_control"][aria-checked="true"] *,
[data-variant="pills"]:is([aria-checked="true"], [aria-pressed="true"]),
[data-variant="pills"]:is([aria-checked="true"], [aria-pressed="true"]) *,
[data-testid="stSliderThumbValue"],
[data-testid="stSliderThumbValue"] *,
[data-testid="stPopoverButton"][kind="tertiary"],
[data-testid="stPopoverButton"][kind="tertiary"] *,
[role="tab"][aria-selected="true"],
[role="tab"][aria-selected="true"] * { color: inherit !important; }
</style>"""
# What scrolls must be reachable by keyboard; Streamlit's tables and equations are not by themselves. On a
# phone the menu lies over the page, and goes when a page is chosen.
REACHABLE = """<script>
if (!window.scrollersReachable) {
  window.scrollersReachable = true;
  const scrolls = e => e.scrollWidth > e.clientWidth || e.scrollHeight > e.clientHeight;
  const reach = () => document.querySelectorAll('.katex-display, [data-testid="stTable"] div, pre')
    .forEach(e => { if (scrolls(e)) e.tabIndex = 0; });
  let asked = false;
  const soon = () => {
    if (!asked) requestAnimationFrame(() => { asked = false; reach(); });
    asked = true;
  };
  new MutationObserver(soon).observe(document.body, { childList: true, subtree: true });
  window.addEventListener('resize', soon);
  soon();
  const folds = '[data-testid="stSidebarCollapseButton"] button';
  document.addEventListener('click', click => {
    if (innerWidth <= 768 && click.target.closest('[data-testid="stSidebarNavLink"]'))
      setTimeout(() => document.querySelector(folds)?.click(), 100);
  });
}
</script>"""
QUOTED = re.compile(r"""\bQ\((["'])((?:[^"'\\]|\\.)*)\1\)""")
"""A column whose name is no word of a formula, as Python writes it; R and people write `such a name`."""
MENU_ITEM = '[data-testid="stSidebarNavItems"] > li'
SECTION = "display: block; font-size: 0.8rem; font-weight: 600; padding: 1rem 0.5rem 0.25rem; opacity: 0.85;"


def enter(page: str) -> None:
    """Begin a page: make sure that app.py has run, follow a link's example, show the strip.

    page : the page's name, such as 'estimates'
    """
    if not state.app_ran():
        state.await_page(f"pages/{page}.py")
        st.switch_page("app.py", query_params=_query())
    st.html(READABLE)
    st.html(REACHABLE, unsafe_allow_javascript=True)
    refused = _follow_link()
    intake.catch_up()
    if page != "data" or state.data() is not None:  # the start page says by itself that nothing is there
        _strip()
    if refused:
        st.warning(refused)
    _carry_example_in_link()


def resume() -> None:
    """After `st.navigation`: note that app.py has run and go back to the page a deep link asked for."""
    state.mark_app_ran()
    awaited = state.take_awaited_page()
    if awaited is not None:
        st.switch_page(awaited, query_params=_query())


def data_asked_by_name() -> bool:
    """Whether this session was opened at /data.

    The first page of a menu lives at / and its own name then leads nowhere, so in a session that was opened
    at /data the Data page keeps that address and an unseen start page stands at /.
    """
    settled = state.data_by_name()
    if settled is None:
        address = urlsplit(st.context.url or "").path.rstrip("/")
        settled = address.endswith("/data") or state.awaited_page() == DATA_PAGE
        state.set_data_by_name(settled)
    return settled


def with_start_page(menu: Mapping[str, Sequence[Any]]) -> list[Any]:
    """The pages of the menu, with an unseen start page when the Data page has an address of its own."""
    pages = [page for section in menu.values() for page in section]
    if data_asked_by_name():
        pages.append(st.Page(_start, title="Start", url_path="start", default=True, visibility="hidden"))
    return pages


def name_sections(menu: Mapping[str, Sequence[Any]]) -> None:
    """Write each section's name above its first page.

    Streamlit's own sections stand between a list and its items, which a screen reader cannot follow.
    """
    first, rules = 1, []
    for title, pages in menu.items():
        rules.append(f'{MENU_ITEM}:nth-child({first})::before {{ content: "{title}"; {SECTION} }}')
        first += len(pages)
    st.html(f"<style>{''.join(rules)}</style>")


def _start() -> None:
    st.switch_page(DATA_PAGE, query_params=_query())


def _query() -> dict[str, list[str]]:
    return {name: st.query_params.get_all(name) for name in st.query_params}


def _follow_link() -> str | None:
    """Load the example that the link names; a sentence if there is none of that name."""
    if not state.first_look_at_link():
        return None
    name = st.query_params.get(EXAMPLE)
    if name is None or state.data() is not None:
        return None
    if not examples.known(name):
        return (
            f"The link names the example “{escape(shorten(name))}”, which does not exist. "
            "Choose one on the Data page."
        )
    state.use_example(name)
    written = st.query_params.get(MODEL)
    return None if written is None else _take_model(written)


def _take_model(written: str) -> str | None:
    """Choose the model of a link; a sentence, and the example's own model, when that cannot be."""
    try:
        call = link.decode(written)
    except ModelError as err:
        return f"{escape(err)} The example is shown with its own model."
    data = state.data()
    if data is None or not state.fits(call, data):
        return (
            "The link is broken: its model does not fit the example. The example is shown with its own model."
        )
    state.set_call(call)
    return None


def _carry_example_in_link() -> None:
    """Keep the address shareable: it names the example in use and its model, and nothing else's data."""
    wanted = shareable()
    for name in (EXAMPLE, MODEL):
        if name not in wanted and name in st.query_params:
            del st.query_params[name]
        elif name in wanted and st.query_params.get(name) != wanted[name]:
            st.query_params[name] = wanted[name]


def shareable() -> dict[str, str]:
    """The query of a link that shows someone else the same: an example, and a model that is not its own.

    Empty for a file of one's own: a link carries nothing of it, not even its columns' names.
    """
    loaded, call = state.data(), state.call()
    kind, _, name = loaded.source.partition(":") if loaded else ("", "", "")
    if loaded is None or kind != "example":
        return {}
    wanted = {EXAMPLE: name}
    if call is not None and call != examples.suggested(name) and state.fits(call, loaded):
        written = link.encode(call)
        wanted |= {MODEL: written} if written else {}
    return wanted


def address() -> str | None:
    """The link to this page that shows someone else the same; None where there is none."""
    wanted, here = shareable(), st.context.url
    return f"{here.partition('?')[0]}?{urlencode(wanted)}" if wanted and here else None


def _strip() -> None:
    """Which data and which model are loaded, each a link to where they are chosen."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="loaded_strip"):
        st.page_link(DATA_PAGE, label=_data_label(), icon=":material/table_chart:")
        st.page_link(MODEL_PAGE, label=_model_label(), icon=":material/tune:")


def _data_label() -> str:
    loaded = state.data()
    if loaded is None:
        return "No data yet"
    rows, columns = loaded.frame.shape
    left_out = len(state.exclusions())
    missing = f" ({left_out:,} left out)" if left_out else ""
    extent = f"{counted(rows, 'row')}{missing} × {counted(columns, 'column')}"
    return f"**{escape(shorten(loaded.name, 60))}** · {extent}"


def _model_label() -> str:
    chosen = state.call()
    return "No model yet" if chosen is None else escape(shorten(described(chosen), 90))


def described(chosen: ModelCall) -> str:
    """A model in one line, its random part in bars: score ~ 1 + (1 | school) + (class in school), REML."""
    groups = chosen.groups if chosen.groups and not chosen.one_group else ""
    random = chosen.re_formula or ("1" if groups and not chosen.vc_formula and not chosen.in_bars else "")
    parts = [chosen.formula, *([f"({random} | {groups})" if groups else f"({random})"] if random else [])]
    parts += [f"({name} in {groups})" if groups else f"({name})" for name, _ in chosen.vc_formula]
    sum_of = " + ".join(parts)
    beside = {"weights": chosen.weights, "offset": chosen.offset, "where": chosen.subset}
    said = [f"{word} {column}" for word, column in beside.items() if column]
    whole = "all rows as one group" if chosen.one_group else ""
    line = ", ".join(filter(None, [sum_of, whole, *said, "REML" if chosen.reml else "ML"]))
    return QUOTED.sub(r"`\2`", line)
