"""Our fits beside those of lme4.json: the difference of each quantity, relative to its natural scale."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mixedcore import MixedLMResults, datasets
from mixedcore.terms import Floats, n_parameters
from tests.reference.models import SEED, Seed

RECORDS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "lme4.json").read_text(encoding="utf-8"))

# The reference criterion is good to about 1e-9; 1e-6 absolute is what the project promises of its own search.
CRITERION_TOL = 1e-6
# θ of the reference is good to 1e-8 (n < 1,000) or 1e-7, and all else follows θ: 1e-5 leaves room for neither
# side's rounding to matter and none for a wrong digit that a user could see.
RELATIVE_TOL = 1e-5
TOLERANCE = {
    "criterion": CRITERION_TOL,
    "log-likelihood": CRITERION_TOL,
    "AIC": CRITERION_TOL,
    "BIC": CRITERION_TOL,
    **dict.fromkeys(
        ("θ", "β", "SE of β", "σ", "SDs", "correlations", "modes", "conditional variances", "fitted values"),
        RELATIVE_TOL,
    ),
}


@dataclass(frozen=True, eq=False)
class Comparison:
    """One reference fit and ours. Scales, where a quantity may be near zero:

    θ: length of its row of Λ, which is the effect's SD over σ (σ itself where that SD is zero)
    β: the larger of itself and its standard error; fitted values: the larger of itself and σ
    modes: the larger of itself and the effect's SD (σ where that is zero)
    conditional covariances: the two SDs (σ² where one is zero); correlations: 1
    """

    record: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.record["data"]).split("::")[1]

    @property
    def label(self) -> str:
        formula = re.sub(r"\s+", "", self.record["formula"])
        return f"{self.name}: {formula} {'REML' if self.record['REML'] else 'ML'}"

    @property
    def seed(self) -> Seed:
        return SEED[self.name, self.record["formula"]]

    @cached_property
    def result(self) -> MixedLMResults:
        return self.seed.model(data_of(self.name)).fit(reml=self.record["REML"])

    @cached_property
    def differences(self) -> dict[str, float]:
        """Largest difference of each quantity over its scale; those of TOLERANCE."""
        r, ours = self.record, self.result
        order = coefficient_order(ours.fe_params.index, r["beta_names"])
        beta, se = np.array(r["beta"]), np.array(r["se"])
        fitted, sigma = np.array(r["fitted5"]), r["sigma"]
        return {
            "criterion": abs(ours.criterion - r["objective"]),
            "log-likelihood": abs(ours.llf - r["logLik"]),
            "AIC": abs(ours.aic - r["AIC"]),
            "BIC": abs(ours.bic - r["BIC"]),
            "θ": self._theta(),
            "β": largest(ours.fe_params.to_numpy()[order] - beta, np.maximum(np.abs(beta), se)),
            "SE of β": largest(ours.bse_fe.to_numpy()[order] - se, se),
            "σ": abs(ours.sigma / sigma - 1),
            "SDs": self._sds(),
            "correlations": self._correlations(),
            "modes": self._modes(),
            "conditional variances": self._conditional_variances(),
            "fitted values": largest(
                ours.fittedvalues.to_numpy()[:5] - fitted, np.maximum(np.abs(fitted), sigma)
            ),
        }

    @property
    def agrees(self) -> bool:
        within = all(value <= TOLERANCE[name] for name, value in self.differences.items())
        return within and self.result.singular == self.record["singular"] and self.result.converged

    def _ours(self, name: str) -> str:
        """Our name of lme4's random term."""
        return self.seed.terms.get(name, name)

    @cached_property
    def _tidy(self) -> pd.DataFrame:
        return self.result.tidy("random")

    @cached_property
    def _blups(self) -> pd.DataFrame:
        table = self.result.tidy("blups")
        return table.set_index(["group", "level", "term"])

    def _theta(self) -> float:
        """θ in lme4's order: terms by decreasing number of levels, lower triangles by columns."""
        terms = self.result.model.design.terms
        offsets = np.cumsum([0, *(n_parameters(term) for term in terms)])
        ours = {
            term.name: self.result.theta[i:j]
            for term, i, j in zip(terms, offsets[:-1], offsets[1:], strict=True)
        }
        names = dict.fromkeys(row["grp"] for row in self.record["varcorr"] if row["grp"] != "Residual")
        expected = np.array(self.record["theta"])
        found = np.concatenate([ours[self._ours(name)] for name in names])
        scales, first = [], 0
        for name in names:
            k = ours[self._ours(name)].size
            scales.append(_row_lengths(expected[first : first + k]))
            first += k
        return largest(found - expected, np.concatenate(scales))

    def _sds(self) -> float:
        rows = [row for row in self.record["varcorr"] if row["var2"] is None]
        expected = np.array([row["sdcor"] for row in rows])
        found = np.array([self._variance_row(row, "sd") for row in rows])
        return largest(found - expected, np.where(expected > 0, expected, self.record["sigma"]))

    def _correlations(self) -> float:
        rows = [row for row in self.record["varcorr"] if row["var2"] is not None]
        return worst(abs(self._variance_row(row, "correlation") - row["sdcor"]) for row in rows)

    def _variance_row(self, row: dict[str, Any], scale: str) -> float:
        table = self._tidy[self._tidy["scale"] == scale]
        table = table[table["group"] == self._ours(row["grp"])]
        if len(table) > 1:
            table = table[table["term"] == _effect(row["var1"])]
        if row["var2"] is not None and len(table) > 1:
            table = table[table["term2"] == _effect(row["var2"])]
        return float(table["estimate"].item())

    def _modes(self) -> float:
        return worst(
            largest(self._column(own, "estimate") - own.modes, self._mode_scale(own)) for own in self._effects
        )

    def _mode_scale(self, own: _Effects) -> Floats:
        sds = np.array([self._term(own.factor, term)["sdcor"] for term in own.terms])
        return np.maximum(np.abs(own.modes), np.where(sds > 0, sds, self.record["sigma"]))

    def _term(self, factor: str, covariate: str) -> dict[str, Any]:
        """lme4's row of the SD of one effect; its term may be a second one of the factor ('Subject.1')."""
        return next(
            row
            for row in self.record["varcorr"]
            if row["grp"].split(".")[0] == factor and row["var1"] == covariate and row["var2"] is None
        )

    def _conditional_variances(self) -> float:
        found = []
        for own in self._effects:
            if own.variances is None:  # two terms of one factor: lme4 gives no joint variance
                continue
            sds = np.sqrt(np.einsum("fii->fi", own.variances))
            scale = sds[:, :, None] * sds[:, None, :]
            scale = np.where(scale > 0, scale, self.record["sigma"] ** 2)
            found.append(largest(self._covariances(own) - own.variances, scale))
        return worst(found)

    def _covariances(self, own: _Effects) -> Floats:
        """(levels, q, q): from `random_effects_cov` for several covariates, else the squared SEs."""
        if len(own.terms) == 1:
            return self._column(own, "std_error")[:, :, None] ** 2
        joint = self.result.random_effects_cov
        return np.array([joint[level].to_numpy() for level in own.levels])

    def _column(self, own: _Effects, column: str) -> Floats:
        """(levels, q) of the table of conditional modes."""
        values = self._blups[column]
        return np.array(
            [[float(values[self._place(own, level, term)]) for term in own.terms] for level in own.levels]
        )

    def _place(self, own: _Effects, level: str, term: str) -> tuple[str, str, str]:
        name = self._ours(self._term(own.factor, term)["grp"])
        if ":" in own.factor:  # lme4 has 'child:parent' or 'parent:child'; here it is 'parent / child'
            one, two = level.split(":")
            level = f"{one} / {two}" if own.factor.split(":")[0] == self.seed.groups else f"{two} / {one}"
        return name, level, _effect(term)

    @cached_property
    def _effects(self) -> list[_Effects]:
        return [_Effects.read(each) for each in self.record["ranef"]]


@dataclass(frozen=True, slots=True, eq=False)
class _Effects:
    """First three levels of one factor: modes (3, q), conditional covariances (3, q, q) or None."""

    factor: str
    terms: Sequence[str]
    levels: Sequence[str]
    modes: Floats
    variances: Floats | None

    @classmethod
    def read(cls, each: dict[str, Any]) -> _Effects:
        terms = each["terms"] if isinstance(each["terms"], list) else [each["terms"]]
        variances = np.array(each["condvar"]) if each["condvar"] else None
        return cls(each["factor"], terms, each["level"], np.array(each["mode"]), variances)


def data_of(name: str) -> pd.DataFrame:
    """The example data, with the column that the source's example adds."""
    data = datasets.load(name)
    return data.assign(tosx=data["age"] - 0.5) if name == "Early" else data


def largest(difference: Floats, scale: Floats) -> float:
    """Largest relative difference."""
    return worst((np.abs(difference) / scale).ravel())


def worst(values: Iterable[float]) -> float:
    """The largest; unlike `max`, missing if any value is."""
    return float(np.max(list(values), initial=0.0))


def _row_lengths(theta: Floats) -> Floats:
    """Length of the row of Λ that each entry of one term's θ stands in, or 1."""
    q = int((np.sqrt(8 * theta.size + 1) - 1) / 2)
    rows = np.triu_indices(q)[1]
    length = np.sqrt(np.bincount(rows, theta**2))
    return np.where(length > 0, length, 1.0)[rows]


def _effect(name: str) -> str:
    """patsy's name of R's covariate."""
    return "Intercept" if name == "(Intercept)" else re.sub(r"^Machine(\w)$", r"Machine[T.\1]", name)


_R_POLYNOMIAL = {".Linear": ".L", ".Quadratic": ".Q", ".Cubic": ".C"}


def _pieces(name: str) -> frozenset[str]:
    """The factors of a coefficient's name, spelt as R does: 'Sex[T.Female]' → 'SexFemale'."""
    name = re.sub(r"\[(?:T\.)?([^\]]*)\]", r"\1", name).replace("Intercept", "(Intercept)")
    name = re.sub(r"C\((\w+), Poly\)", r"\1", re.sub(r"ordered\((\w+)\)", r"\1", name))
    for ours, theirs in _R_POLYNOMIAL.items():
        name = name.replace(ours, theirs)
    return frozenset(name.replace("((Intercept))", "(Intercept)").split(":"))


def coefficient_order(ours: Iterable[str], theirs: Iterable[str]) -> list[int]:
    """Position here of each of R's coefficients; patsy may order and name the columns otherwise."""
    pieces = [_pieces(name) for name in ours]
    return [pieces.index(_pieces(name)) for name in theirs]


@cache
def comparisons() -> tuple[Comparison, ...]:
    """All reference fits; each is fitted when first asked for."""
    return tuple(Comparison(record) for record in RECORDS)
