"""The last of `result_programs`: types, names and sizes of a result's members, for ten kinds of model."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.reference.calls import frame_of
from tests.reference.result_programs import PROGRAMS, Told, program

__all__ = ["PROGRAMS"]
MEMBERS = ("params", "bse", "cov_re", "vcomp", "fe_params", "bse_fe", "fittedvalues", "resid")


def kinds(lib: Any) -> dict[str, Any]:
    """One fit of each kind: groups as a column or values, with slopes, components, or both."""
    data = frame_of("Pastes").assign(x=np.arange(60) % 7 / 7)
    formula, parts = "strength ~ x", {"cask": "0 + C(cask)"}
    column, values = data["batch"], data["batch"].to_numpy()
    return {
        "column": lib.mixedlm(formula, data, groups="batch"),
        "series": lib.mixedlm(formula, data, groups=column),
        "values": lib.mixedlm(formula, data, groups=values),
        "slopes": lib.mixedlm(formula, data, groups="batch", re_formula="1 + x"),
        "slopes, values": lib.mixedlm(formula, data, groups=values, re_formula="1 + x"),
        "components": lib.mixedlm(formula, data, groups="batch", vc_formula=parts),
        "components, values": lib.mixedlm(formula, data, groups=values, vc_formula=parts),
        "both": lib.mixedlm(formula, data, groups="batch", re_formula="1 + x", vc_formula=parts),
        "both, values": lib.mixedlm(formula, data, groups=values, re_formula="1", vc_formula=parts),
        "labelled arrays": lib.MixedLM(data["strength"], data[["x"]], column, exog_re=data[["x"]]),
    }


@program
def containers(lib: Any) -> Told:
    told: Told = {}
    for kind, model in kinds(lib).items():
        res = model.fit()
        first = next(iter(res.random_effects))
        told[kind] = {
            "types": [type(getattr(res, member)).__name__ for member in MEMBERS],
            "methods": [type(v).__name__ for v in (res.cov_params(), res.conf_int(), res.random_effects)],
            "params": list(res.params.index),
            "fixed": list(res.fe_params.index),
            "covariance": [list(res.cov_re.index), list(res.cov_re.columns), list(np.shape(res.cov_re))],
            "components": list(np.shape(res.vcomp)),
            "labels": [type(first).__name__, str(first), len(res.random_effects)],
            "effects": [type(res.random_effects[first]).__name__, *res.random_effects[first].index],
            "joint": [type(res.random_effects_cov[first]).__name__, *res.random_effects_cov[first].columns],
            "rows": [str(res.resid.index.dtype), len(res.resid)],
        }
    return told
