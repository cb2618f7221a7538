"""Programs as a user of statsmodels writes them, on what a fit tells; run with either library.

Each takes `lib`, with `mixedlm` and `MixedLM`, and returns what it would print: names, sizes and numbers. The
ideas are those of statsmodels' documentation, notebooks and examples; data and words are our own.
`statsmodels_results` stores what statsmodels says; tests/mixedcore/test_programs_results.py runs them here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from tests.reference.calls import frame_of

Told = dict[str, Any]
Program = Callable[[Any], Told]
PROGRAMS: dict[str, Program] = {}


def program(function: Program) -> Program:
    """Put a program on the list under its name."""
    PROGRAMS[function.__name__] = function
    return function


def numbers(values: Any) -> list[float]:
    """A flat list, whatever the container."""
    return np.asarray(values, dtype=float).ravel().tolist()


def sleep() -> pd.DataFrame:
    return frame_of("sleepstudy")


def cake() -> pd.DataFrame:
    return frame_of("cake").astype({"temperature": float})


def casks(lib: Any) -> Any:
    """Casks in batches, fitted."""
    data, parts = frame_of("Pastes"), {"cask": "0 + C(cask)"}
    return lib.mixedlm("strength ~ 1", data, groups="batch", re_formula="1", vc_formula=parts).fit()


@program
def a_random_intercept(lib: Any) -> Told:
    data = sleep()
    res = lib.mixedlm("Reaction ~ Days", data, groups=data["Subject"]).fit()
    table = res.summary().tables[1]
    return {
        "rows": list(table.index),
        "slope": float(res.params["Days"]),
        "errors": numbers(res.bse_fe),
        "log10 p": float(np.log10(res.pvalues["Days"])),
        "interval": numbers(res.conf_int().loc["Days"]),
        "wide interval": numbers(res.conf_int(alpha=0.01).loc["Days"]),
        "method": res.method,
        "scale": float(res.scale),
    }


@program
def a_random_slope(lib: Any) -> Told:
    res = lib.mixedlm("Reaction ~ Days", sleep(), groups="Subject", re_formula="~Days").fit(method=["lbfgs"])
    cov = res.cov_re
    first = next(iter(res.random_effects.values()))
    return {
        "names": list(cov.columns),
        "covariance": numbers(cov),
        "unscaled": numbers(res.cov_re_unscaled * res.scale),
        "correlation": float(cov.iloc[0, 1] / np.sqrt(cov.iloc[0, 0] * cov.iloc[1, 1])),
        "effects of one": numbers(first),
        "effect names": list(first.index),
        "z": numbers(res.tvalues[:2]),
        "sizes": [int(k) for k in (res.k_fe, res.k_re, res.k_re2, res.k_vc, res.k_constant)],
    }


@program
def maximum_likelihood(lib: Any) -> Told:
    res = lib.mixedlm("Reaction ~ Days", sleep(), groups="Subject", re_formula="~Days").fit(reml=False)
    return {
        "llf": float(res.llf),
        "aic": float(res.aic),
        "bic": float(res.bic),
        "degrees": [int(res.df_modelwc), int(res.df_resid), int(res.nobs)],
        "reml": bool(res.reml),
        "method": res.method,
    }


@program
def nested_groups(lib: Any) -> Told:
    res = casks(lib)
    effects = res.random_effects["A"]
    return {
        "params": list(res.params.index),
        "components": numbers(res.vcomp),
        "batch": float(res.cov_re.iloc[0, 0]),
        "fitted": numbers(res.fittedvalues[0:5]),
        "resid": numbers(res.resid[0:5]),
        "effects": list(effects.index),
        "values": numbers(effects),
    }


@program
def components_alone(lib: Any) -> Told:
    parts = {"cask": "0 + C(cask)", "batch": "1"}
    res = lib.mixedlm("strength ~ 1", frame_of("Pastes"), groups="batch", vc_formula=parts).fit()
    return {
        "params": list(res.params.index),
        "components": numbers(res.vcomp),
        "no group term": list(np.shape(res.cov_re)),
        "effects": list(res.random_effects["B"].index),
        "their variances": numbers(np.diag(res.random_effects_cov["B"])),
        "covariance names": list(res.random_effects_cov["B"].columns),
    }


@program
def crossed_in_one_group(lib: Any) -> Told:
    data = frame_of("Penicillin")
    data["everyone"] = 1
    parts = {"plate": "0 + C(plate)", "sample": "0 + C(sample)"}
    res = lib.mixedlm("diameter ~ 1", data, groups="everyone", vc_formula=parts).fit()
    return {
        "params": list(res.params.index),
        "components": numbers(res.vcomp),
        "mean": float(res.fe_params.iloc[0]),
        "effects": len(res.random_effects[1]),
    }


@program
def bare_arrays(lib: Any) -> Told:
    data = sleep()
    exog = np.column_stack([np.ones(len(data)), data["Days"]])
    groups = data["Subject"].astype(int).to_numpy()
    model = lib.MixedLM(data["Reaction"].to_numpy(), exog, groups, exog_re=exog)
    res = model.fit()
    test = res.t_test(np.eye(2))
    return {
        "params": numbers(np.asarray(res.params)[:2]),
        "errors": numbers(np.asarray(res.bse)[:2]),
        "covariance": numbers(res.cov_re),
        "of estimates": numbers(np.asarray(res.cov_params())[0:2, 0:2]),
        "intervals": numbers(np.asarray(res.conf_int())[:2]),
        "tests": numbers(test.tvalue),
        "names": list(res.summary().tables[1].index),
        "predicted": numbers(res.predict(exog[:3])),
        "fitted": numbers(np.asarray(res.fittedvalues)[:3]),
        "effects of 308": numbers(res.random_effects[308]),
        "effect names": list(res.random_effects[308].index),
    }


@program
def labelled_arrays(lib: Any) -> Told:
    data = sleep().set_index(np.arange(180) + 1000)
    exog = pd.DataFrame({"const": 1.0, "Days": data["Days"]})
    res = lib.MixedLM(data["Reaction"], exog, groups=data["Subject"]).fit()
    return {
        "params": list(res.params.index),
        "values": numbers(res.fe_params),
        "rows": [int(i) for i in res.resid.index[:3]],
        "fitted": numbers(res.fittedvalues.iloc[:3]),
        "variance names": list(res.bse_re.index),
    }


@program
def single_contrasts(lib: Any) -> Told:
    res = lib.mixedlm("angle ~ recipe + temperature", cake(), groups="replicate").fit()
    every = res.t_test(np.eye(res.k_fe))
    difference = res.t_test(np.array([[0, 1, -1, 0]]))
    with_t = res.t_test(np.array([[0, 0, 0, 1]]), use_t=True)
    frame = every.summary_frame()
    return {
        "effect": numbers(every.effect),
        "sd": numbers(every.sd),
        "z": numbers(every.statistic),
        "columns": list(frame.columns),
        "rows": list(frame.index),
        "intervals": numbers(every.conf_int()),
        "difference": [float(difference.effect[0]), float(difference.sd.item()), float(difference.pvalue)],
        "shapes": [list(np.shape(getattr(difference, v))) for v in ("effect", "sd", "tvalue", "pvalue")],
        "distributions": [every.distribution, with_t.distribution],
        "degrees": int(with_t.df_denom),
        "log10 p of t": float(np.log10(with_t.pvalue)),
        "t columns": list(with_t.summary_frame().columns),
        "names": every.c_names,
    }


@program
def joint_hypotheses(lib: Any) -> Told:
    res = lib.mixedlm("angle ~ recipe + temperature", cake(), groups="replicate").fit()
    eye = np.eye(len(res.params))
    said = [
        res.wald_test("recipe[T.B] = recipe[T.C] = 0"),
        res.wald_test(["recipe[T.B] = 1", "temperature / 2 = 0.1"]),
        res.wald_test({"recipe[T.B]": 1}),
        res.wald_test((eye[1:3], [1, 2])),
        res.wald_test(eye[3]),
        res.wald_test("2 * (recipe[T.B] + 1) = 3, temperature"),
    ]
    f = res.f_test("recipe[T.B] - recipe[T.C], temperature = 0.1")
    return {
        "statistics": [float(test.statistic) for test in said],
        "degrees": [int(test.df_denom) for test in said],
        "log10 p": [float(np.log10(test.pvalue)) for test in said],
        "distribution": said[0].distribution,
        "F": float(f.fvalue),
        "F's degrees": [int(f.df_num), int(f.df_denom)],
        "log10 p of F": float(np.log10(f.pvalue)),
        "array": list(np.shape(res.wald_test(eye[3], scalar=False).statistic)),
        "printed": str(said[0]).split("=")[0],
    }


@program
def whole_terms(lib: Any) -> Told:
    res = lib.mixedlm("angle ~ recipe * temperature", cake(), groups="replicate").fit()
    table = res.wald_test_terms().summary_frame()
    many = res.wald_test_terms(skip_single=True, combine_terms=["temperature"]).table
    return {
        "terms": list(table.index),
        "columns": list(table.columns),
        "chi2": numbers(table["chi2"]),
        "df": [int(k) for k in table["df constraint"]],
        "taken together": list(many.index),
        "plain columns": list(many.columns),
        "statistics": numbers(many["statistic"]),
    }


@program
def a_profile(lib: Any) -> Told:
    res = lib.mixedlm("Reaction ~ Days", sleep(), groups="Subject").fit(reml=False)
    curve = res.profile_re(0, vtype="re", num_low=3, dist_low=300, num_high=4, dist_high=400)
    return {
        "shape": list(curve.shape),
        "centre": numbers(curve[3]),
        "highest": int(np.argmax(curve[:, 1])),
        "estimate": float(res.cov_re.iloc[0, 0]),
    }


@program
def a_profile_of_a_component(lib: Any) -> Told:
    res = casks(lib)
    curve = res.profile_re("cask", vtype="vc", num_low=2, dist_low=2, num_high=2, dist_high=2)
    return {"shape": list(curve.shape), "centre": numbers(curve[2]), "highest": int(np.argmax(curve[:, 1]))}


@program
def predictions(lib: Any) -> Told:
    res = lib.mixedlm("angle ~ recipe + np.log(temperature)", cake(), groups="replicate").fit()
    new = pd.DataFrame({"recipe": ["A", "C"], "temperature": [180.0, 210.0]}, index=["low", "high"])
    found = res.predict(new)
    matrix = np.array([[1.0, 0.0, 0.0, np.log(180.0)], [1.0, 0.0, 1.0, np.log(210.0)]])
    return {
        "values": numbers(found),
        "rows": list(found.index),
        "by design": numbers(res.predict(matrix, transform=False)),
        "fitted rows": numbers(np.asarray(res.predict())[:3]),
        "by name": numbers(res.predict({"recipe": ["B"], "temperature": [200.0]})),
    }


@program
def a_likelihood_ratio(lib: Any) -> Told:
    data = cake()
    small = lib.mixedlm("angle ~ temperature", data, groups="replicate").fit(reml=False)
    large = lib.mixedlm("angle ~ temperature + recipe", data, groups="replicate").fit(reml=False)
    ratio = 2 * (large.llf - small.llf)
    df = len(large.fe_params) - len(small.fe_params)
    return {"ratio": float(ratio), "df": df, "p": float(stats.chi2.sf(ratio, df))}


@program
def residuals_by_group(lib: Any) -> Told:
    data = sleep()
    res = lib.mixedlm("Reaction ~ Days", data, groups="Subject", re_formula="~Days").fit()
    frame = pd.DataFrame({"subject": data["Subject"], "resid": res.resid, "fitted": res.fittedvalues})
    spread = frame.groupby("subject")["resid"].std()
    return {
        "labels": list(spread.index[:3]),
        "spread": numbers(spread),
        "sum": numbers((res.resid + res.fittedvalues)[:4]),
        "correlation": float(np.corrcoef(frame["resid"], frame["fitted"])[0, 1]),
    }


@program
def a_caterpillar(lib: Any) -> Told:
    res = lib.mixedlm("Reaction ~ Days", sleep(), groups="Subject", re_formula="~Days").fit()
    effects = pd.DataFrame(res.random_effects).T.sort_values("Days")
    sds = {g: np.sqrt(np.diag(cov)) for g, cov in res.random_effects_cov.items()}
    return {
        "columns": list(effects.columns),
        "order": [str(label) for label in effects.index],
        "slopes": numbers(effects["Days"]),
        "sds": numbers(sds[effects.index[0]]),
    }


@program
def variance_shares(lib: Any) -> Told:
    res = casks(lib)
    total = res.cov_re.iloc[0, 0] + res.vcomp.sum() + res.scale
    return {"batch": float(res.cov_re.iloc[0, 0] / total), "cask": float(res.vcomp[0] / total)}


@program
def covariance_of_estimates(lib: Any) -> Told:
    res = lib.mixedlm("angle ~ recipe + temperature", cake(), groups="replicate").fit()
    cov = res.cov_params()
    names = list(cov.index)
    return {
        "names": names,
        "block": numbers(cov.loc["recipe[T.B]", ["recipe[T.B]", "recipe[T.C]"]]),
        "scaled": numbers((res.normalized_cov_params * res.scale).iloc[:4, :4]),
        "other scale": numbers(res.cov_params(scale=1.0).iloc[1:3, 1:3]),
        "errors": numbers(np.sqrt(np.diag(cov))[:4]),
    }


@program
def intervals_by_hand(lib: Any) -> Told:
    res = lib.mixedlm("angle ~ recipe + temperature", cake(), groups="replicate").fit()
    p = 2 * stats.norm.sf(np.abs(res.tvalues))
    half = stats.norm.ppf(0.975) * res.bse_fe
    frame = pd.DataFrame({"coef": res.fe_params, "low": res.fe_params - half, "high": res.fe_params + half})
    frame["stars"] = ["*" if value < 0.05 else "" for value in p[: len(frame)]]
    return {"frame": numbers(frame[["coef", "low", "high"]]), "stars": list(frame["stars"])}


@program
def rows_with_gaps(lib: Any) -> Told:
    data = sleep()
    data.loc[[3, 20], "Reaction"] = np.nan
    res = lib.mixedlm("Reaction ~ Days", data, groups="Subject", missing="drop").fit()
    return {
        "nobs": int(res.nobs),
        "rows": [int(i) for i in res.resid.index[:5]],
        "fitted rows": len(res.fittedvalues),
        "groups": int(res.model.n_groups),
        "values": numbers(res.fe_params),
    }


@program
def a_printed_summary(lib: Any) -> Told:
    res = lib.mixedlm("Reaction ~ Days", sleep(), groups="Subject", re_formula="~Days").fit()
    summary = res.summary(
        yname="time", xname_fe=["start", "a day"], xname_re=["a", "b", "c"], title="Reaction times", alpha=0.1
    )
    text = summary.as_text()
    return {
        "title": summary.title if isinstance(summary.title, str) else str(summary.title),
        "first line": text.splitlines()[0].strip(),
        "rows": list(summary.tables[1].index),
        "columns": list(summary.tables[1].columns),
        "facts": [cell for row in summary.tables[0].to_numpy().tolist() for cell in row[::2]][:9],
        "outcome": "time" in text,
        "html": "<table" in summary.as_html(),
        "latex": "tabular" in summary.as_latex(),
    }
