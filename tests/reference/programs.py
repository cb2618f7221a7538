"""Programs as people write them for statsmodels' MixedLM: what `lib` is, is all that changes between systems.

Each takes a namespace with `mixedlm`, `MixedLM`, `MixedLMParams` and `VCSpec` and returns numbers by name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from tests.reference.calls import frame_of

Program = Callable[[Any], dict[str, Any]]


def pigs() -> pd.DataFrame:
    """Weights of 40 pigs over 12 weeks on three feeds: random intercepts and slopes, some weeks missed."""
    rng = np.random.default_rng(20250401)
    pig, week = np.repeat(np.arange(40), 12), np.tile(np.arange(1.0, 13.0), 40)
    own = rng.normal(size=(40, 2)) @ np.array([[4.4, 0.0], [0.1, 0.6]]).T
    feed = pig % 3
    weight = (
        15.7 + 6.9 * week + 0.3 * feed * week + own[pig, 0] + own[pig, 1] * week + rng.normal(0, 2.5, 480)
    )
    names = np.array(["control", "copper", "vitamin"])[feed]
    data = pd.DataFrame({"weight": weight, "week": week, "pig": pig, "feed": names})
    return data[rng.random(480) > 0.05].reset_index(drop=True)


def machines() -> pd.DataFrame:
    """A crossed design: 12 workers on 8 machines, twice each, every level of one meeting every one."""
    rng = np.random.default_rng(7)
    worker, machine = np.repeat(np.arange(12), 16), np.tile(np.repeat(np.arange(8), 2), 12)
    speed = rng.normal(size=192)
    score = 50 + 2 * speed + 3 * rng.normal(size=12)[worker] + 2 * rng.normal(size=8)[machine]
    return pd.DataFrame({
        "score": score + rng.normal(size=192), "speed": speed, "everyone": 1,
        "worker": [f"w{k:02}" for k in worker], "machine": [f"m{k}" for k in machine],
    })  # fmt: skip


def wide() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """endog, exog with five columns of which two matter, groups, and a random-slope covariate."""
    rng = np.random.default_rng(90)
    groups, exog = np.repeat(np.arange(60), 5), rng.normal(size=(300, 5))
    z = rng.normal(size=300)
    endog = exog[:, 0] - exog[:, 2] + rng.normal(size=60)[groups] + 0.7 * rng.normal(size=60)[groups] * z
    return endog + rng.normal(size=300), exog, groups, z


def fitted(result: Any, model: Any) -> dict[str, Any]:
    """What most programs look at."""
    return {
        "fe_params": result.fe_params,
        "cov_re": np.asarray(result.cov_re),
        "vcomp": result.vcomp,
        "scale": result.scale,
        "llf": result.llf,
        "loglike": model.loglike(result.params_object),
        "resid": np.asarray(result.resid)[:5],
    }


def growth(lib: Any) -> dict[str, Any]:
    model = lib.mixedlm("weight ~ week", pigs(), groups="pig")
    by_reml = fitted(model.fit(), model)
    return by_reml | {f"ml {k}": v for k, v in fitted(model.fit(reml=False), model).items()}


def growth_slopes(lib: Any) -> dict[str, Any]:
    model = lib.MixedLM.from_formula("weight ~ week", data=pigs(), re_formula="1 + week", groups="pig")
    return fitted(model.fit(method=["lbfgs"], gtol=1e-8), model)


def independent_effects(lib: Any) -> dict[str, Any]:
    data = pigs()
    model = lib.mixedlm("weight ~ week * C(feed)", data, groups=data["pig"], re_formula="~week")
    free = lib.MixedLMParams.from_components(fe_params=np.ones(6), cov_re=np.eye(2))
    result = model.fit(free=free, method=["lbfgs"], gtol=1e-8)
    se = np.asarray(result.bse)
    return fitted(result, model) | {"bse of the covariance": se[7], "bse": se[[0, 1, 6, 8]]}


def one_variance_held(lib: Any) -> dict[str, Any]:
    model = lib.mixedlm("weight ~ week", pigs(), groups="pig", re_formula="1 + week")
    start = lib.MixedLMParams.from_components(np.zeros(2), cov_re=np.array([[2.0, 0.0], [0.0, 1.0]]))
    free = lib.MixedLMParams.from_components(np.ones(2), cov_re=np.array([[0.0, 1.0], [1.0, 1.0]]))
    result = model.fit(start_params=start, free=free, reml=False, method=["lbfgs"], gtol=1e-8)
    return fitted(result, model) | {"held": np.asarray(result.cov_re_unscaled)[0, 0]}


def casks(lib: Any) -> dict[str, Any]:
    data = frame_of("pastes")
    parts = {"cask": "0 + C(cask)"}
    model = lib.mixedlm("strength ~ 1", data, re_formula="1", vc_formula=parts, groups="batch")
    result = model.fit()
    columns = [len(names) for names in model.exog_vc.colnames[0]]
    return fitted(result, model) | {"names": model.exog_vc.names, "columns": columns}


def crossed(lib: Any) -> dict[str, Any]:
    parts = {"worker": "0 + C(worker)", "machine": "0 + C(machine)"}
    model = lib.mixedlm("score ~ speed", machines(), groups="everyone", vc_formula=parts)
    result = model.fit(reml=False)
    return fitted(result, model) | {"k": [model.k_fe, model.k_re, model.k_re2, model.k_vc]}


def bare_arrays(lib: Any) -> dict[str, Any]:
    endog, exog, groups, z = wide()
    model = lib.MixedLM(endog, exog, groups, np.column_stack([np.ones(300), z]))
    result = model.fit()
    inside = model.predict(result.params_object)[:4]
    return fitted(result, model) | {
        "by position": [result.params[0], result.bse_fe[2]],
        "block": result.cov_params()[0:2, 0:2],
        "predict": inside,
        "new": model.predict(result.fe_params, exog[3:6]),
    }


def columns_as_vectors(lib: Any) -> dict[str, Any]:
    endog, exog, groups, z = wide()
    model = lib.MixedLM(endog, exog[:, 0], groups, exog_re=z)
    return fitted(model.fit(), model)


def pandas_arguments(lib: Any) -> dict[str, Any]:
    endog, exog, groups, z = wide()
    X = pd.DataFrame(exog, columns=list("abcde"))
    model = lib.MixedLM(
        pd.Series(endog, name="out"), X, pd.Series(groups), pd.DataFrame({"one": 1.0, "z": z})
    )
    result = model.fit()
    return fitted(result, model) | {
        "names": list(result.params.index),
        "by name": [result.params["a"], result.bse["e"]],
        "xnames": list(model.data.xnames),
        "re names": [*model.data.exog_re_names, *model.data.exog_re_names_full],
    }


def components_as_matrices(lib: Any) -> dict[str, Any]:
    endog, exog, groups, z = wide()
    rows = [np.flatnonzero(groups == g) for g in range(60)]
    mats = [[z[own][:, None] for own in rows], [exog[own][:, 3:] for own in rows]]
    spec = lib.VCSpec(["slope", "two"], [[["z"]] * 60, [["d", "e"]] * 60], mats)
    model = lib.MixedLM(endog, exog[:, :3], groups, exog_re=np.ones((300, 1)), exog_vc=spec)
    return fitted(model.fit(), model) | {"names": list(model.exog_vc.names)}


def groups_one_by_one(lib: Any) -> dict[str, Any]:
    data = pigs()
    model = lib.mixedlm("weight ~ week", data, re_formula="week", groups="pig")
    first = model.group_labels[0]
    return {
        "labels": [int(label) for label in model.group_labels[:3]],
        "rows": list(model.row_indices[first]),
        "endog": model.endog_li[1],
        "exog": model.exog_li[1],
        "exog_re": model.exog_re_li[2],
        "products": model.exog_re2_li[0],
        "list": model.group_list(np.asarray(data["week"]))[3],
        "sizes": [
            model.n_groups,
            model.nobs,
            model.n_totobs,
            model.k_fe,
            model.k_re,
            model.k_re2,
            model.k_vc,
        ],
        "nothing": model.group_list(None) is None,
    }


def derivatives(lib: Any) -> dict[str, Any]:
    data = pigs()
    out = {}
    for use_sqrt in (True, False):
        model = lib.mixedlm("weight ~ week", data, re_formula="week", groups="pig", use_sqrt=use_sqrt)
        model.fit()  # statsmodels has no likelihood before
        cov = np.array([[2.0, 0.1], [0.1, 0.5]])
        params = lib.MixedLMParams.from_components(np.array([15.0, 7.0]), cov_re=cov)
        out |= {
            f"loglike {use_sqrt}": model.loglike(params, profile_fe=False),
            f"profile {use_sqrt}": model.loglike(params.get_packed(use_sqrt=use_sqrt)),
            f"score {use_sqrt}": model.score(params, profile_fe=False),
            f"score of the profile {use_sqrt}": model.score(params.copy()),
        }
    return out


def curvature_at_the_optimum(lib: Any) -> dict[str, Any]:
    model = lib.mixedlm("weight ~ week", pigs(), re_formula="week", groups="pig")
    found = model.fit(method=["lbfgs"], gtol=1e-10).params_object
    hessian, singular = model.hessian(found)
    unit = 1 / np.sqrt(-np.diag(hessian))
    return {"hessian": hessian * np.outer(unit, unit), "size": np.diag(hessian), "singular": bool(singular)}


def best_fixed_effects(lib: Any) -> dict[str, Any]:
    parts = {"worker": "0 + C(worker)", "machine": "0 + C(machine)"}
    model = lib.mixedlm("score ~ speed", machines(), groups="everyone", vc_formula=parts)
    nothing, vcomp = np.zeros((0, 0)), np.array([3.0, 8.0])
    beta, singular = model.get_fe_params(nothing, vcomp)
    scale = model.get_scale(np.array([50.0, 2.0]), nothing, vcomp)
    return {"fe_params": beta, "singular": bool(singular), "scale": scale}


def draws(lib: Any) -> dict[str, Any]:
    data = frame_of("pastes")
    parts = {"cask": "0 + C(cask)"}
    model = lib.mixedlm("strength ~ 1", data, re_formula="1", vc_formula=parts, groups="batch")
    known = model.get_distribution(np.array([60.0, 2.4, 12.0]), 0.68, None)
    endog, exog, groups, z = wide()
    other = lib.MixedLM(endog, exog, groups, np.column_stack([np.ones(300), z]))
    packed = lib.MixedLMParams.from_components(np.arange(5.0), np.array([[1.0, 0.2], [0.2, 0.5]]))
    again = other.get_distribution(packed.get_packed(use_sqrt=False, has_fe=True), 2.0, exog[::-1])
    return {"pastes": known.rvs(1, rng=11), "arrays": again.rvs(0, rng=np.random.default_rng(4))}


def lasso(lib: Any) -> dict[str, Any]:
    endog, exog, groups, _ = wide()
    model = lib.MixedLM(endog, exog, groups)
    one = model.fit_regularized(alpha=20.0, ptol=1e-10)
    each = model.fit_regularized(method="l1", alpha=np.array([0.0, 5.0, 5.0, 30.0, 5.0]), ptol=1e-10)
    none = model.fit_regularized(alpha=0.0)
    return {
        "one weight": one.fe_params,
        "cov_re": np.asarray(one.cov_re),
        "a weight each": each.fe_params,
        "no weight": none.fe_params,
        "rows of the summary": len(one.summary().tables[1]),
    }


class Inverse:
    """A penalty on the covariance that keeps it away from zero: the trace of its inverse."""

    def func(self, mat: np.ndarray, mat_inv: np.ndarray) -> float:
        return float(np.trace(mat_inv))

    def deriv(self, mat: np.ndarray, mat_inv: np.ndarray) -> np.ndarray:
        slope = -mat_inv @ mat_inv
        slope = 2 * slope - np.diag(np.diag(slope))
        return slope[np.tril_indices(len(slope))]


def penalised_covariance(lib: Any) -> dict[str, Any]:
    model = lib.mixedlm("weight ~ week", pigs(), re_formula="week", groups="pig")
    result = model.fit(cov_pen=Inverse(), method=["lbfgs"], gtol=1e-8)
    return {"cov_re": np.asarray(result.cov_re), "scale": result.scale, "fe_params": result.fe_params}


def packing(lib: Any) -> dict[str, Any]:
    P = lib.MixedLMParams
    cov, vcomp = np.array([[4.0, 1.0], [1.0, 9.0]]), np.array([0.25])
    made = P.from_components(np.array([1.0, -2.0, 3.0]), cov_re=cov, vcomp=vcomp)
    from_root = P.from_components(cov_re_sqrt=np.array([[2.0, 0.0], [0.5, -3.0]]))
    back = P.from_packed(np.array([1.0, -2, 3, 2, 0.5, 4, 0.5]), 3, 2, use_sqrt=True, has_fe=True)
    covariances = P.from_packed(np.array([4.0, 1, 9, 0.25]), 3, 2, use_sqrt=False, has_fe=False)
    other = made.copy()
    other.vcomp[0] = 7.0
    return {
        "sizes": [made.k_fe, made.k_re, made.k_re2, made.k_vc, made.k_tot, from_root.k_tot],
        "roots": made.get_packed(use_sqrt=True, has_fe=True),
        "plain": made.get_packed(use_sqrt=False, has_fe=True),
        "covariances alone": made.get_packed(use_sqrt=False),
        "of a root": from_root.cov_re,
        "unpacked": [*back.fe_params, *back.cov_re.ravel(), *back.vcomp],
        "unpacked covariances": [*covariances.fe_params, *covariances.cov_re.ravel(), *covariances.vcomp],
        "copy": [made.vcomp[0], other.vcomp[0]],
    }


def starts(lib: Any) -> dict[str, Any]:
    model = lib.mixedlm("weight ~ week", pigs(), groups="pig")
    whole, part = np.array([15.0, 7.0, 1.5]), np.array([1.2])
    point = lib.MixedLMParams.from_components(np.array([15.0, 7.0]), cov_re=np.array([[2.0]]))
    found = [model.fit(start_params=s, full_output=True) for s in (whole, part, point, None)]
    return {"scale": [result.scale for result in found], "hist": [isinstance(r.hist, list) for r in found]}


PROGRAMS: dict[str, Program] = {
    program.__name__: program
    for program in (
        growth, growth_slopes, independent_effects, one_variance_held, casks, crossed, bare_arrays,
        columns_as_vectors, pandas_arguments, components_as_matrices, groups_one_by_one, derivatives,
        curvature_at_the_optimum, best_fixed_effects, draws, lasso, penalised_covariance, packing, starts,
    )
}  # fmt: skip
