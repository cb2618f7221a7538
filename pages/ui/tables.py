"""Tables of a fit: what is shown (text with significant digits), and what is exported (numbers in full).

`fixed_effects`, `variance_components` and the rest are pure: frames in, a `Table` out. `show` draws one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from pages.ui import exports, terms, text
from pages.ui.numbers import decimals, fixed, number, numbers, p_value

__all__ = [
    "Table",
    "download",
    "export",
    "fit_statistics",
    "fixed_effects",
    "group_effects",
    "plain",
    "show",
    "variance_components",
]

Format = Callable[[Sequence[float]], list[str]]
Values = dict[tuple[object, ...], float]
"""(scale, group, term) → estimate."""


EAGER = 60
"""Rows up to which what can be copied is sent with the page; more of them only when it is asked for."""
MOST_TO_COPY = 500


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table to read and to take away.

    shown  : what is read, all text
    values : the same columns with numbers where they are numbers, to align by
    raw    : what is exported
    alt    : what it is, for a screen reader; name : stem of the file
    """

    shown: pd.DataFrame
    values: pd.DataFrame
    raw: pd.DataFrame
    alt: str
    name: str


def _floats(column: pd.Series) -> list[float]:
    return [float(value) for value in column]


def formats(places: int | None) -> dict[str, Format]:
    """How each column of estimates is set; interval ends with `places` decimals, as the estimates have."""
    return {
        "estimate": numbers,
        "std_error": lambda values: numbers(values, 3),
        "df": lambda values: [number(value, 3) for value in values],
        "statistic": lambda values: numbers(values, 3),
        "p_value": lambda values: [p_value(value) for value in values],
        "conf_low": lambda values: [fixed(value, places) for value in values],
        "conf_high": lambda values: [fixed(value, places) for value in values],
    }


def fixed_effects(tidy: pd.DataFrame, level: float = 0.95) -> Table:
    """The coefficient table from `result.tidy(effects="fixed")`; df only where they are finite."""
    finite_df = bool(np.isfinite(tidy["df"].astype(float)).any())
    places = decimals(_floats(tidy["estimate"]))
    ends = {f"Lower {level:.0%}": "conf_low", f"Upper {level:.0%}": "conf_high"}
    source = {"Term": "term", "Estimate": "estimate", "Standard error": "std_error"}
    source |= {"df": "df"} if finite_df else {}
    source |= {"t" if finite_df else "z": "statistic", "p": "p_value", **ends}
    format_of = formats(places)
    values = pd.DataFrame({label: tidy[name] for label, name in source.items()}).reset_index(drop=True)
    values["Term"] = values["Term"].map(str).map(terms.readable(tidy["term"]))
    shown = pd.DataFrame(
        {
            label: format_of[name](_floats(values[label])) if name in format_of else values[label]
            for label, name in source.items()
        }
    )
    return Table(shown, values, tidy, "Fixed effects: estimates with standard errors", "fixed-effects")


def variance_components(tidy: pd.DataFrame, level: float = 0.95) -> Table:
    """One row a random coefficient from `result.tidy(effects="random")`: variance, SD and its interval.

    Correlations are a table of their own, for they have intervals too.
    """
    keys = ["group", "term"]
    frame = tidy.assign(term=tidy["term"].map(_name))
    rows = frame[frame["scale"].isin(["variance", "sd"])].drop_duplicates(keys)[keys]
    read = terms.readable(rows["term"])
    cells = frame[["scale", *keys, "estimate"]].to_numpy(dtype=object)
    value: Values = {tuple(key): float(estimate) for *key, estimate in cells}
    pairs = [(group, str(term)) for group, term in rows.itertuples(index=False, name=None)]
    values = pd.DataFrame(
        {"Group": [str(group) for group, _ in pairs], "Effect": [read[term] for _, term in pairs]}
    )
    for label, scale in {"Variance": "variance", "SD": "sd"}.items():
        values[label] = [value.get((scale, *pair), np.nan) for pair in pairs]
    _add_intervals(values, frame[frame["scale"] == "sd"].set_index(keys), pairs, level)
    shown = values.copy()
    shown["Variance"] = numbers(values["Variance"])
    places = decimals(values["SD"])
    for label in values.columns[3:]:
        shown[label] = [fixed(value, places) for value in values[label]]
    return Table(shown, values, tidy, "Variance components with standard deviations", "variance-components")


def _name(term: object) -> str:
    """A covariate's name; empty where there is none."""
    return "" if term is None or pd.isna(term) else str(term)  # type: ignore[call-overload]


def _add_intervals(
    values: pd.DataFrame, sd: pd.DataFrame, pairs: list[tuple[object, str]], level: float
) -> None:
    """Ends of the interval of each SD, if any is known."""
    if sd.empty or not sd["conf_low"].notna().any():
        return
    for label, column in {f"SD lower {level:.0%}": "conf_low", f"SD upper {level:.0%}": "conf_high"}.items():
        known = {key: float(end) for key, end in zip(sd.index, sd[column], strict=True)}
        values[label] = [known.get(pair, np.nan) for pair in pairs]


SHORT = 16
"""Characters of a label that stays on one line: "Model 1", "Random slopes"."""
ROUNDING = 1e-12
"""Statistics of this size are zero: an R² of 10⁻³¹ is what rounding left of none."""
STATISTICS = {
    "nobs": "Rows",
    "n_groups": "Groups",
    "log_lik": "Log-likelihood",
    "reml_criterion": "REML criterion",
    "aic": "AIC",
    "bic": "BIC",
    "sigma": "Residual SD (σ)",
    "r2_marginal": "R², predictors alone (marginal)",
    "r2_conditional": "R², predictors and groups (conditional)",
}


def fit_statistics(glance: pd.DataFrame) -> Table:
    """What `result.glance()` says of the whole fit, one row a statistic that has a value."""
    known = pd.to_numeric(glance.iloc[0].reindex(list(STATISTICS))).dropna()
    known = known.where(known.abs() > ROUNDING, 0.0)
    values = pd.DataFrame(
        {
            "Statistic": [STATISTICS[str(name)] for name in known.index],
            "Value": known.astype(float).to_numpy(),
        }
    )
    digits = {"nobs": 0, "n_groups": 0, "log_lik": 6, "reml_criterion": 6, "aic": 6, "bic": 6}
    shown = values.assign(
        Value=[
            number(float(value), digits.get(str(name), 4)) if digits.get(str(name), 4) else f"{value:,.0f}"
            for name, value in known.items()
        ]
    )
    return Table(shown, values, glance, "Fit statistics", "fit-statistics")


def group_effects(blups: pd.DataFrame, level: float = 0.95) -> Table:
    """BLUPs of one term from `result.tidy(effects="blups")`, largest first, with ranks."""
    ranked = blups.sort_values("estimate", ascending=False, ignore_index=True, kind="stable")
    raw = ranked.assign(rank=np.arange(1, len(ranked) + 1))
    source = {"Effect": "estimate", "Standard error": "std_error"}
    source |= {f"Lower {level:.0%}": "conf_low", f"Upper {level:.0%}": "conf_high"}
    values = pd.DataFrame({"Rank": raw["rank"], "Group": raw["level"].map(str)})
    values = values.assign(**{label: raw[name].astype(float) for label, name in source.items()})
    places = effect_places(values)
    shown = values.astype(str).assign(
        **{label: [fixed(value, places) for value in values[label]] for label in source}
    )
    return Table(shown, values, raw, "Group effects, largest first", "group-effects")


def effect_places(values: pd.DataFrame) -> int | None:
    """Decimals of a table of group effects: those that the largest effects need."""
    return decimals(values["Effect"].abs().nlargest(3))


def show(table: Table, key: str, title: str) -> None:
    """Draw a small table under its heading, with its exports."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.header(title, anchor=False)
        export(key, lambda: [table], lazy=len(table.shown) > EAGER)
    st.table(_styled(table), border="horizontal", hide_index=True, alt=table.alt)


def _styled(table: Table) -> pd.io.formats.style.Styler:
    """Numbers stay numbers, so that they are set to the right, and show their text."""
    frame = table.values.copy()
    formats: dict[str, Callable[[object], str]] = {}
    for name in frame.columns:
        numeric = pd.api.types.is_numeric_dtype(frame[name].dtype)
        shown = [_cell(cell, SHORT if not numeric else None) for cell in table.shown[name]]
        if numeric:
            formats[text.escape(name)] = _lookup(frame[name].tolist(), shown)
        else:
            frame[name] = shown
    frame.columns = pd.Index([text.escape(name) for name in frame.columns])
    return frame.style.format(formats)  # type: ignore[arg-type]


def _cell(cell: object, limit: int | None) -> str:
    """The text of a cell, which breaks into lines only where it is longer than the limit."""
    shown = text.escape(cell)
    return shown if limit is not None and len(str(cell)) > limit else shown.replace(" ", "\N{NO-BREAK SPACE}")


def _lookup(values: list[float], shown: list[str]) -> Callable[[object], str]:
    """Value → its text; equal values of a column have equal texts, and NaN is looked up as None."""
    known = {None if value != value else value: cell for value, cell in zip(values, shown, strict=True)}
    return lambda value: known[None if value != value else value]  # type: ignore[index]


def export(
    key: str, made: Callable[[], Sequence[Table]], *, lazy: bool = True, label: str = "Export"
) -> None:
    """CSV, Markdown and LaTeX of tables behind one small button; `lazy`: made when it is opened."""
    popover = st.popover(
        label,
        icon=":material/download:",
        type="tertiary",
        key=f"{key}_export",
        on_change="rerun" if lazy else "ignore",
    )
    if lazy and not popover.open:
        return
    with popover:
        for place, table in enumerate(made()):
            _export_one(table, f"{key}_{place}" if place else key)


def _export_one(table: Table, key: str) -> None:
    st.caption(text.escape(table.alt))
    download(table, key)
    copied = table.shown.head(MOST_TO_COPY)
    if len(table.raw) > len(copied):
        st.caption(f"To copy: the first {len(copied):,} rows. The CSV has all.")
    st.caption("Markdown")
    st.code(exports.markdown(copied), language=None, height=140)
    st.caption("LaTeX")
    st.code(exports.latex(copied), language=None, height=140)


def plain(frame: pd.DataFrame, alt: str, name: str, raw: pd.DataFrame | None = None) -> Table:
    """Any frame as a table: cells as they are, missing ones empty."""
    shown = frame.astype(object).where(frame.notna(), "").map(text.one_line).reset_index(drop=True)
    return Table(shown, frame, frame if raw is None else raw, alt, name)


def download(table: Table, key: str) -> None:
    """A button that saves the numbers in full as CSV; the file is made when it is pressed."""
    st.download_button(
        "Download CSV",
        data=lambda: exports.csv(table.raw),
        file_name=f"{table.name}.csv",
        mime="text/csv",
        key=f"{key}_csv",
        icon=":material/table:",
        on_click="ignore",
    )
