"""The same model in both notations: groups, re_formula and vc_formula ↔ lme4's bars. Pure; no data.

`mixedlm` evaluates a variance component within each group, so C(class) in schools is (1 | school:class), and
with all rows as one group it is (1 | class). Names are written as the formula language here quotes them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from mixedcore.errors import FormulaError
from mixedcore.formula import BarTerm, quote_name, split
from pages.ui.model.choices import slope_name
from pages.ui.model.modelcall import WHOLE_DATA, ModelCall
from pages.ui.model.notation import Factor, UnreadError, read


class UntranslatableError(ValueError):
    """The other notation has no equal of this model; the message says why."""


def to_lme4(call: ModelCall, categories: Collection[str] = ()) -> str:
    """The formula of the call with every random effect in bars.

    categories : columns that are text, so that each makes a column a level even where C() is not written
    Raises UntranslatableError with the reason where lme4 has no equal.
    """
    if call.in_bars:
        return call.formula
    bars = [*_group_bars(call), *(_bar(name, text, call, categories) for name, text in call.vc_formula)]
    if not bars:
        raise UntranslatableError("Nothing varies between groups, and lme4 needs a random effect.")
    return " + ".join([call.formula.strip(), *bars])


def _group_bars(call: ModelCall) -> list[str]:
    """The group term; none where components stand alone or the text says so."""
    text = ("" if call.vc_formula else "1") if call.re_formula is None else call.re_formula
    text = text.strip().removeprefix("~").strip()
    if text in ("", "0"):
        return []
    if call.groups == WHOLE_DATA:
        raise UntranslatableError("With all rows as one group there is no column to stand behind a bar.")
    return [f"({text} | {quote_name(call.groups)})"]


def _bar(name: str, text: str, call: ModelCall, categories: Collection[str]) -> str:
    """One variance component: independent effects of one variance."""
    try:
        found = read(text)
    except UnreadError as err:
        raise UntranslatableError(f"The component {name!r} has no equal in bars: {err}") from err
    if found.intercept or found.outcome or len(found.terms) != 1:
        raise UntranslatableError(
            f"The component {name!r} has several terms of one common variance; in bars each has its own."
        )
    factors = sorted(found.terms[0], key=str)
    levels = [each for each in factors if each.categorical or each.column in categories]
    slopes = [each for each in factors if each not in levels]
    if not all(each.single for each in slopes) or any(each.contrast != "none" for each in levels):
        raise UntranslatableError(
            f"The component {name!r} has several columns of one common variance; in bars each has its own."
        )
    path = [call.groups] if call.groups else []
    path += [column for column in sorted({each.column for each in levels}) if column not in path]
    if not path:
        raise UntranslatableError(f"The component {name!r} is a slope for all rows together.")
    covariates = f"0 + {':'.join(map(str, slopes))}" if slopes else "1"
    return f"({covariates} | {':'.join(map(quote_name, path))})"


def to_mixedlm(call: ModelCall, categories: Collection[str] = ()) -> ModelCall:
    """The call with groups, re_formula and vc_formula in place of bars.

    categories : columns that are text
    Raises UntranslatableError with the reason where `mixedlm` notation has no equal.
    """
    if not call.in_bars:
        return call
    try:
        parts = split(call.formula)
    except FormulaError as err:
        raise UntranslatableError(str(err)) from err
    paths = [bar.group_columns() for bar in parts.bars]
    shared = [name for name in paths[0] if all(name in path for path in paths)]
    top = shared[0] if shared else WHOLE_DATA
    group_term, components = _random_part(parts.bars, top, set(categories))
    return replace(
        call,
        formula=f"{parts.response} ~ {parts.fixed}",
        groups=top,
        re_formula=group_term or (None if components else "1"),
        vc_formula=components,
    )


def _random_part(
    bars: Sequence[BarTerm], top: str, categories: set[str]
) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The text of the group term ('' without one) and the components."""
    group_term, components = "", dict[str, str]()
    for bar in bars:
        inside = [name for name in bar.group_columns() if name != top]
        effects = _effects(bar)
        if top and not inside and not group_term and (bar.correlated or effects == ["1"]):
            group_term = bar.covariates
            continue
        if len(effects) > 1 and bar.correlated:
            raise UntranslatableError(
                f"({bar.covariates} | {bar.group}) has correlated effects; of inner or crossed groups "
                "mixedlm notation knows independent ones only."
            )
        for effect in effects:
            if effect == "1" and not inside and not group_term:
                group_term = "1"
            else:
                name, text = _component(effect, inside, categories)
                if components.setdefault(name, text) != text or (effect == "1" and not inside):
                    raise UntranslatableError(f"Two random effects would both be called {name!r}.")
    return group_term, tuple(components.items())


def _effects(bar: BarTerm) -> list[str]:
    """The coefficients of a bar as formula text: '1' for the intercept."""
    try:
        found = read(bar.covariates)
    except UnreadError as err:
        raise UntranslatableError(str(err)) from err
    slopes = [":".join(map(str, sorted(term, key=str))) for term in found.terms]
    return ["1", *slopes] if found.intercept else slopes


def _component(effect: str, inside: Sequence[str], categories: set[str]) -> tuple[str, str]:
    """Name and formula of the component that an independent effect within groups is."""
    marked = [str(Factor(name, categorical=True)) for name in inside]
    if effect == "1":
        return ":".join(inside), f"0 + {':'.join(marked)}"
    factors = sorted(read(effect).terms[0], key=str)
    if not all(each.single for each in factors) or any(each.column in categories for each in factors):
        raise UntranslatableError(f"The random effect of {effect} is more than one column of numbers.")
    what = factors[0].column if len(factors) == 1 and factors[0].power == 1 else effect
    name = f"{what} by {':'.join(inside)}" if inside else slope_name(what)
    return name, f"0 + {':'.join([*marked, effect])}"
