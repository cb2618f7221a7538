"""Tables of means, contrasts and slopes: frames from `mixedcore` in, a `Table` out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pages.ui import text
from pages.ui.charts.effects_predictions import Curve
from pages.ui.effects import words
from pages.ui.numbers import NONE, decimals, fixed, number, numbers, p_value
from pages.ui.tables import Format, Table, formats


def estimates(found: pd.DataFrame, what: str, level: float, *, alt: str, name: str) -> Table:
    """Levels, then the estimate under the heading `what` with its error, df, test and interval.

    df only where they are finite; a note where an estimate is missing
    """
    places = decimals([float(v) for v in found["estimate"]])
    finite = bool(np.isfinite(found["df"].astype(float)).any())
    heads = {"estimate": what, "std_error": "Standard error", "df": "df"}
    heads |= {"statistic": "t" if finite else "z", "p_value": "p"}
    heads |= {"conf_low": f"Lower {level:.0%}", "conf_high": f"Upper {level:.0%}"}
    heads |= {"ratio": "Ratio"}
    format_of: dict[str, Format] = {**formats(places), "ratio": _ratios}
    shown, values = pd.DataFrame(index=found.index), pd.DataFrame(index=found.index)
    for column in found.columns:
        if column == "df" and not finite:
            continue
        head = heads.get(column, {"note": "Note", "contrast": "Comparison"}.get(column, str(column)))
        if column in format_of:
            values[head] = found[column].astype(float)
            shown[head] = format_of[column]([float(value) for value in found[column]])
        else:
            values[head] = shown[head] = [words.value(value) for value in found[column]]
    return Table(shown.reset_index(drop=True), values.reset_index(drop=True), found, alt, name)


def _ratios(values: Sequence[float]) -> list[str]:
    return numbers(values, 3)


def predictions(lines: Sequence[Curve], x: str, level: float) -> Table:
    """The numbers behind the lines of predictions: one row a line and value of `x`."""
    parts = [each.found.assign(line=each.name, x=list(each.x)) for each in lines]
    raw = pd.concat(parts, ignore_index=True)
    raw = raw[["line", "x", *(name for name in raw.columns if name not in ("line", "x"))]]
    heads = {"fit": "Prediction", "std_error": "Standard error", "df": "df"}
    heads |= {"conf_low": f"Lower {level:.0%}", "conf_high": f"Upper {level:.0%}"}
    values = pd.DataFrame({"Line": raw["line"], x if x != "Line" else "x": raw["x"]})
    values = values.assign(**{head: raw[name].astype(float) for name, head in heads.items() if name in raw})
    places = decimals([float(value) for value in raw["fit"].dropna()])
    shown = values.assign(**{values.columns[1]: [words.value(value) for value in raw["x"]]})
    set_as = {"df": lambda value: number(value, 3)}
    for head in values.columns[2:]:
        shown[head] = [set_as.get(head, lambda value: fixed(value, places))(value) for value in values[head]]
    return Table(shown, values, raw, f"Predictions over {x}", "predictions")


def what_if(
    at: Mapping[str, Any], whom: str, what: str, found: Mapping[str, pd.Series], level: float
) -> Table:
    """One prediction with where the predictors stand: to read a line a value, as CSV one row.

    what  : what is predicted, 'mean Reaction'
    found : 'confidence' and 'prediction' → fit, conf_low, conf_high
    """
    mean, new = found["confidence"], found["prediction"]
    pairs = [("For", whom), *((text.one_line(name), words.value(value)) for name, value in at.items())]
    pairs += [
        (f"Predicted {text.one_line(what)}", number(float(mean["fit"]))),
        (f"{level:.0%} interval of it", words.interval(mean)),
        (f"{level:.0%} interval of a new observation", words.interval(new)),
    ]
    shown = pd.DataFrame(pairs, columns=["What", "Value"], dtype=object)
    raw = pd.DataFrame({name: [value] for name, value in at.items()})
    numbers = {"fit": mean["fit"], "level": level}
    numbers |= {f"mean_{end}": mean[f"conf_{end}"] for end in ("low", "high")}
    numbers |= {f"new_{end}": new[f"conf_{end}"] for end in ("low", "high")}
    raw = pd.concat([raw, pd.DataFrame({"predicted_for": [whom], **numbers})], axis=1)
    return Table(shown, shown, raw, f"A prediction of the {text.shorten(what)}", "what-if")


def joint(found: pd.DataFrame, by: Sequence[str], alt: str) -> Table:
    """F tests that means are equal, from `result.joint_tests`, one row a combination of `by`."""
    heads = {"num_df": "df", "den_df": "Residual df", "statistic": "F", "p_value": "p"}
    values = pd.DataFrame({str(name): found[name] for name in by})
    values = values.assign(**{head: found[name].astype(float) for name, head in heads.items()})
    shown = pd.DataFrame({str(name): [words.value(value) for value in found[name]] for name in by})
    shown["df"] = [f"{value:.0f}" if value else NONE for value in values["df"]]
    shown["Residual df"] = [number(value, 3) for value in values["Residual df"]]
    shown["F"] = numbers(values["F"], 3)
    shown["p"] = [p_value(value) for value in values["p"]]
    for name in by:
        values[str(name)] = shown[str(name)]
    return Table(shown, values, found, alt, "simple-effects")
