"""Data with a known truth: rows in nested groups, `simulate_nested`.

y = Σ β x + Σ_levels (b₀ + Σ b x) + ε, with b ~ N(0, Σ) anew for each group of a level and ε ~ N(0, σ²).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.random import PCG64, Generator

from mixedcore.errors import DataError
from mixedcore.inference.simulate import Seed, seed_sequence
from mixedcore.terms import Floats, Ints

Kind = Literal["normal", "binary", "index"]
Count = int | tuple[int, int]
ROW = "row"
INTERCEPT = "Intercept"
MOST_ROWS = 50_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """One level of grouping: codes (n,) of the rows, SDs by covariate, root (q, q) of their covariance."""

    name: str
    codes: Ints
    m: int
    sd: Mapping[str, float]
    correlation: Floats
    root: Floats

    @property
    def bar(self) -> str:
        """Its term in a formula: '(1 + x | school)'."""
        slopes = [name for name in self.sd if name != INTERCEPT]
        return f"({' + '.join(['1' if INTERCEPT in self.sd else '0', *slopes])} | {self.name})"


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """A design and the model that its outcomes come from.

    frame : labels and predictors, n rows; columns : covariate → (n,), interactions and 'Intercept' included
    """

    frame: pd.DataFrame
    columns: Mapping[str, Floats]
    fixed: Mapping[str, float]
    levels: tuple[Level, ...]
    residual_sd: float

    def outcome(self, rng: Generator) -> Floats:
        """One draw, (n,)."""
        n = len(self.frame)
        y = self.residual_sd * rng.standard_normal(n)
        for name, beta in self.fixed.items():
            y += beta * self.columns[name]
        for level in self.levels:
            b = level.root @ rng.standard_normal((len(level.sd), level.m))
            for own, name in zip(b, level.sd, strict=True):
                y += own[level.codes] * self.columns[name]
        return y

    @property
    def parameters(self) -> dict[str, float]:
        """The true values by the names that `bootstrap` and `confint` have for them."""
        out: dict[str, float] = {}
        for level in (level for level in self.levels if level.sd):
            names = list(level.sd)
            out |= {f"sd {level.name} {name}": sd for name, sd in level.sd.items()}
            for c, r in zip(*np.triu_indices(len(names), 1), strict=True):
                out[f"cor {level.name} {names[c]} {names[r]}"] = float(level.correlation[r, c])
        return {**out, "sigma": self.residual_sd, **self.fixed}

    def formula(self, outcome: str) -> str:
        """The model as a formula in bars."""
        slopes = [name for name in self.fixed if name != INTERCEPT]
        fixed = " + ".join(["1" if INTERCEPT in self.fixed else "0", *slopes])
        return " + ".join([f"{outcome} ~ {fixed}", *(level.bar for level in self.levels if level.sd)])


def simulate_nested(
    groups: Mapping[str, Count],
    size: Count = 10,
    *,
    fixed: Mapping[str, float] | None = None,
    sd: Mapping[str, float | Mapping[str, float]] | None = None,
    correlation: Mapping[str, Any] | None = None,
    residual_sd: float = 1.0,
    predictors: Mapping[str, Kind | tuple[Kind, str]] | None = None,
    outcome: str = "y",
    seed: Seed = None,
) -> pd.DataFrame:
    """Rows in nested groups with an outcome whose truth is known: pupils in classes in schools.

    groups     : name → number, from the highest level down: {"school": 20, "classroom": (2, 4)} is 20 schools
                 with two to four classes each, every number equally likely
    size       : rows in each group of the lowest level, a number or a range likewise
    fixed      : name → coefficient; 'Intercept', predictors, and products of predictors ('x:treated')
    sd         : level → SD of its groups' intercepts, or {"Intercept": 2, "x": 0.5} with slopes
    correlation: level → correlation of intercept and slope, or the matrix (q, q) of its effects; 0 otherwise
    residual_sd: SD of ε, in the units of the outcome as the SDs above are
    predictors : name → kind, or (kind, level): 'normal' (mean 0, SD 1), 'binary' (0 and 1 in turn) or 'index'
                 (0, 1, 2, … within the group above), one value a row or a group of the level; what is named
                 in `fixed` or `sd` alone is normal, by row
    outcome    : name of the outcome's column
    seed       : the same seed gives the same data

    Returns a DataFrame: labels of the groups (unique over the whole data: '3', '3.1'), predictors, outcome;
    in `attrs`: "truth", the parameters by the names that `result.bootstrap` and `result.confint` have for
    them; "formula", the model in bars; "seed". Raises DataError for what is no such design.

    >>> from mixedcore import mixedlm, simulate_nested
    >>> data = simulate_nested({"school": 30}, 20, fixed={"Intercept": 5, "x": 1}, sd={"school": 2}, seed=1)
    >>> data.attrs["formula"]
    'y ~ 1 + x + (1 | school)'
    >>> result = mixedlm(data.attrs["formula"], data).fit()
    >>> bool(abs(result.fe_params["x"] - data.attrs["truth"]["x"]) < 0.2)
    True
    """
    root = seed_sequence(seed)
    rng = Generator(PCG64(root))
    truth = make_truth(groups, size, rng, fixed, sd, correlation, residual_sd, predictors, outcome)
    data = truth.frame.assign(**{outcome: truth.outcome(rng)})
    data.attrs = {"truth": truth.parameters, "formula": truth.formula(outcome), "seed": root.entropy}
    return data


def make_truth(
    groups: Mapping[str, Count],
    size: Count,
    rng: Generator,
    fixed: Mapping[str, float] | None = None,
    sd: Mapping[str, float | Mapping[str, float]] | None = None,
    correlation: Mapping[str, Any] | None = None,
    residual_sd: float = 1.0,
    predictors: Mapping[str, Kind | tuple[Kind, str]] | None = None,
    outcome: str = "y",
) -> Truth:
    """The design of `simulate_nested` and its true model."""
    fixed = dict(fixed or {INTERCEPT: 0.0})
    sds = {name: _by_covariate(value) for name, value in (sd or {}).items()}
    _check_names(groups, sds, correlation or {}, outcome)
    _check_number(residual_sd, "residual_sd", least=0.0)
    codes = _roll(groups, size, rng)
    wanted = [name for names in (fixed, *sds.values()) for name in names]
    _check_predictors({*(predictors or {}), *wanted}, [*codes, outcome])
    columns = _columns(wanted, predictors or {}, codes, rng)
    own = {name: values for name, values in columns.items() if name != INTERCEPT and ":" not in name}
    levels = tuple(
        _level(name, code, sds.get(name, {}), (correlation or {}).get(name))
        for name, code in codes.items()
        if name != ROW
    )
    for name, value in fixed.items():
        _check_number(value, f"the coefficient of {name}")
    return Truth(pd.DataFrame(_labels(codes)).assign(**own), columns, fixed, levels, float(residual_sd))


def _by_covariate(value: float | Mapping[str, float]) -> dict[str, float]:
    return dict(value) if isinstance(value, Mapping) else {INTERCEPT: value}


def _check_number(value: Any, what: str, least: float = -np.inf) -> None:
    good = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not good or not np.isfinite(value) or value < least:
        raise DataError(f"{what} is {value!r}; give a finite number{' from 0 up' if least == 0 else ''}.")


def _check_names(
    groups: Mapping[str, Count], sds: Mapping[str, Any], correlation: Mapping[str, Any], outcome: str
) -> None:
    if not groups:
        raise DataError("groups is empty; name at least one level, such as {'school': 20}.")
    for what, names in (("sd", sds), ("correlation", correlation)):
        for name in names:
            if name not in groups:
                raise DataError(f"{what} names the level {name!r}; the levels are {', '.join(groups)}.")
    for name in groups:
        if name in (ROW, outcome) or not name.isidentifier():
            raise DataError(f"{name!r} cannot name a level; take a word that is not {ROW!r} or the outcome.")


def _check_predictors(wanted: set[str], taken: Sequence[str]) -> None:
    for name in sorted({part for product in wanted for part in product.split(":")} - {INTERCEPT}):
        if name in taken or not name.isidentifier():
            raise DataError(
                f"{name!r} cannot name a predictor; take a word that is none of {', '.join(taken)}."
            )


def _counts(count: Count, what: str, m: int, rng: Generator) -> Ints:
    """How many there are in each of m groups."""
    low, high = count if isinstance(count, tuple) else (count, count)
    if any(isinstance(k, bool) or not isinstance(k, (int, np.integer)) for k in (low, high)) or not (
        1 <= low <= high
    ):
        raise DataError(f"{what} is {count!r}; give a whole number from 1 up, or a pair (fewest, most).")
    if m * high > MOST_ROWS:
        raise DataError(f"{what} makes more than {MOST_ROWS:,} rows; choose a smaller design.")
    if low == high:
        return np.full(m, low, dtype=np.intp)
    return rng.integers(low, high, m, endpoint=True).astype(np.intp)


def _roll(groups: Mapping[str, Count], size: Count, rng: Generator) -> dict[str, Ints]:
    """Level → code of each row, (n,), from the highest level down; rows themselves are the lowest."""
    parents: list[Ints] = []
    m = 1
    for name, count in [*groups.items(), (ROW, size)]:
        within = _counts(count, "size" if name == ROW else f"the number of {name}", m, rng)
        parents.append(np.repeat(np.arange(m), within))
        m = int(within.sum())
    codes, code = [np.arange(m)], np.arange(m)
    for parent in reversed(parents[1:]):
        code = parent[code]
        codes.append(code)
    return dict(zip([*groups, ROW], reversed(codes), strict=True))


def _within(codes: Mapping[str, Ints], level: str) -> Ints:
    """0, 1, 2, … of each group of a level within the group above, (m,)."""
    names = list(codes)
    first = np.unique(codes[level], return_index=True)[1]  # codes ascend, and so do their parents
    if level == names[0]:
        return np.arange(first.size)
    parent = codes[names[names.index(level) - 1]][first]
    return np.arange(first.size) - np.searchsorted(parent, parent)


def _labels(codes: Mapping[str, Ints]) -> dict[str, Any]:
    """Label of each row's group at each level, the lower beginning with the higher: '3', '3.1'."""
    out: dict[str, Any] = {}
    above = None
    for name in [name for name in codes if name != ROW]:
        own = (_within(codes, name) + 1).astype(str).astype(object)
        first = np.unique(codes[name], return_index=True)[1]
        own = own if above is None else above[first] + "." + own
        above = out[name] = own[codes[name]]
    return out


def _columns(
    wanted: Sequence[str],
    predictors: Mapping[str, Kind | tuple[Kind, str]],
    codes: Mapping[str, Ints],
    rng: Generator,
) -> dict[str, Floats]:
    """The covariates, those of `predictors` first; products of them last."""
    n = codes[ROW].size
    names = [part for name in wanted for part in name.split(":") if part != INTERCEPT]
    out = {INTERCEPT: np.ones(n)}
    for name in dict.fromkeys([*predictors, *names]):
        spec = predictors.get(name, "normal")
        kind, level = spec if isinstance(spec, tuple) else (spec, ROW)
        out[name] = _predictor(name, kind, level, codes, rng)
    for name in dict.fromkeys(name for name in wanted if ":" in name):
        out[name] = np.prod([out[part] for part in name.split(":")], axis=0)
    return out


def _predictor(name: str, kind: str, level: str, codes: Mapping[str, Ints], rng: Generator) -> Floats:
    """One predictor by row, (n,)."""
    if kind not in get_args(Kind) or level not in codes:
        raise DataError(
            f"The predictor {name} is {kind!r} by {level!r}; kinds are {', '.join(get_args(Kind))}, levels "
            f"{', '.join(codes)}."
        )
    within = _within(codes, level)
    own = rng.standard_normal(within.size) if kind == "normal" else within % 2 if kind == "binary" else within
    return np.asarray(own[codes[level]], dtype=float)


def _level(name: str, codes: Ints, sd: Mapping[str, float], correlation: Any) -> Level:
    """A level with the covariance of its effects; DataError where there is no such covariance."""
    for covariate, value in sd.items():
        _check_number(value, f"the SD of {covariate} over {name}", least=0.0)
    q = len(sd)
    rho = np.eye(q)
    if correlation is not None:
        given = np.asarray(correlation, dtype=float)
        if given.ndim == 0 and q == 2:
            rho[0, 1] = rho[1, 0] = float(given)
        elif given.shape == (q, q) and np.array_equal(given, given.T) and (np.diag(given) == 1).all():
            rho = given
        else:
            raise DataError(
                f"The correlation over {name} is {correlation!r}; give a number for two effects, or the "
                f"symmetric matrix ({q}, {q}) with ones on its diagonal."
            )
    values, vectors = np.linalg.eigh(rho)
    if q and (not np.isfinite(rho).all() or values[0] < -1e-12):
        raise DataError(f"The correlations over {name} are {correlation!r}, which no variables can have.")
    root = np.array(list(sd.values()), dtype=float)[:, None] * (vectors * np.sqrt(np.maximum(values, 0.0)))
    return Level(name, codes, int(codes.max()) + 1, dict(sd), rho, root)
