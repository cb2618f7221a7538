"""Simulated data sets that try a search: variances zero, tiny and large, few groups, correlations ±1."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Shape = Literal["full", "diagonal", "component"]

MOST_ROWS = 600
MOST_EFFECTS = 0.7  # random effects a row: beyond that the residual hides in them


@dataclass(frozen=True, slots=True)
class Term:
    """A random term by the columns of the frame: `by` name its levels together; '1' is a constant."""

    name: str
    by: tuple[str, ...]
    covariates: tuple[str, ...]
    shape: Shape = "full"


@dataclass(frozen=True, slots=True, eq=False)
class DataSet:
    """One data set with its model said twice: `call` for `mixedlm`, the rest for the dense search."""

    design: str
    number: int
    frame: pd.DataFrame
    call: dict[str, Any]
    fixed: tuple[str, ...]
    terms: tuple[Term, ...]
    reml: bool


@dataclass(frozen=True, slots=True)
class Design:
    """call of `mixedlm`; fixed effects; terms; whether labels of `b` are used again in every level of `a`."""

    call: dict[str, Any]
    fixed: tuple[str, ...]
    terms: tuple[Term, ...]
    nested: bool = False
    most_groups: int = 200
    strong: bool = False


ONE, X, Z = "1", "x", "z"
VECTOR = (ONE, "x", "z", "w")


def _bars(formula: str, fixed: tuple[str, ...], *terms: Term, **more: Any) -> Design:
    return Design({"formula": formula}, fixed, terms, **more)


def _component(name: str, by: tuple[str, ...], covariate: str = ONE) -> Term:
    return Term(name, by, (covariate,), "component")


def _a(*covariates: str, shape: Shape = "full") -> Term:
    return Term("a", ("a",), covariates, shape)


def _b(*covariates: str) -> Term:
    return Term("b", ("b",), covariates)


NESTED_B = Term("a:b", ("a", "b"), (ONE,))
SEED = {"formula": "y ~ x", "groups": "a"}
DESIGNS: dict[str, Design] = {
    "intercept": _bars("y ~ x + (1 | a)", (ONE, X), _a(ONE)),
    "slope": _bars("y ~ x + (x | a)", (ONE, X), _a(ONE, X)),
    "slope alone": _bars("y ~ x + (0 + x | a)", (ONE, X), _a(X)),
    "uncorrelated": _bars("y ~ x + (x || a)", (ONE, X), _a(ONE, X, shape="diagonal")),
    "two slopes": _bars("y ~ x + z + (x + z | a)", (ONE, X, Z), _a(ONE, X, Z)),
    "three slopes": _bars("y ~ x + (x + z + w | a)", (ONE, X), _a(*VECTOR)),
    "no slope fixed": _bars("y ~ 1 + (x | a)", (ONE,), _a(ONE, X)),
    "nested": _bars("y ~ x + (1 | a/b)", (ONE, X), _a(ONE), NESTED_B, nested=True),
    "nested slope": _bars("y ~ x + (x | a) + (1 | a:b)", (ONE, X), _a(ONE, X), NESTED_B, nested=True),
    "crossed": _bars("y ~ x + (1 | a) + (1 | b)", (ONE, X), _a(ONE), _b(ONE)),
    "crossed slope": _bars("y ~ x + (x | a) + (1 | b)", (ONE, X), _a(ONE, X), _b(ONE)),
    "crossed slopes": _bars("y ~ x + (x | a) + (x | b)", (ONE, X), _a(ONE, X), _b(ONE, X)),
    "three crossed": _bars(
        "y ~ x + (1 | a) + (1 | b) + (1 | c)", (ONE, X), _a(ONE), _b(ONE), Term("c", ("c",), (ONE,))
    ),
    "strong": _bars("y ~ x + (x | a) + (1 | b)", (ONE, X), _a(ONE, X), _b(ONE), strong=True, most_groups=12),
    "components": Design(
        SEED | {"re_formula": "1", "vc_formula": {"room": "0 + C(b)", "slope": "0 + x"}},
        (ONE, X),
        (_a(ONE), _component("room", ("a", "b")), _component("slope", ("a",), X)),
        nested=True,
    ),
    "components alone": Design(
        SEED | {"vc_formula": {"room": "0 + C(b)", "school": "1"}},
        (ONE, X),
        (_component("room", ("a", "b")), _component("school", ("a",))),
        nested=True,
    ),
    "slope and components": Design(
        SEED | {"re_formula": "1 + x", "vc_formula": {"room": "0 + C(b)"}},
        (ONE, X),
        (_a(ONE, X), _component("room", ("a", "b"))),
        nested=True,
    ),
    "vectors crossed": _bars(
        "y ~ x + z + w + (x + z + w | a) + (x + z + w | b)",
        VECTOR,
        _a(*VECTOR),
        _b(*VECTOR),
        most_groups=16,
    ),
}


def data_set(number: int, seed: int) -> DataSet:
    """Data set `number` of a campaign: designs in turn, REML and ML in turn."""
    names = list(DESIGNS)
    name, design = names[number % len(names)], DESIGNS[names[number % len(names)]]
    rng = np.random.default_rng([seed, number])
    sizes = _group_sizes(rng, design)
    frame = _rows(rng, design, sizes)
    y = frame["x"] + rng.normal(size=len(frame))
    for term in design.terms:
        y = y + _effects(rng, term, frame, strong=design.strong)
    return DataSet(
        name,
        number,
        frame.assign(y=y),
        design.call,
        design.fixed,
        design.terms,
        reml=number // len(names) % 2 == 0,
    )


def _group_sizes(rng: np.random.Generator, design: Design) -> dict[str, int]:
    """Levels of a, b, c: 3 to `most_groups`, spread evenly on the log scale."""
    width = sum(len(term.covariates) for term in design.terms)
    most = min(design.most_groups, int(MOST_EFFECTS * MOST_ROWS / width))
    sizes = {name: int(np.exp(rng.uniform(np.log(3), np.log(most + 1)))) for name in "abc"}
    if design.nested:  # the pairs are the levels
        sizes["b"] = int(rng.integers(2, 6))
        sizes["a"] = min(sizes["a"], int(MOST_EFFECTS * MOST_ROWS / ((1 + sizes["b"]) * width)) + 3)
    return sizes


def _rows(rng: np.random.Generator, design: Design, sizes: dict[str, int]) -> pd.DataFrame:
    pairs = sizes["a"] * sizes["b"] if design.nested else 0
    effects = sum(
        len(term.covariates) * (pairs if len(term.by) > 1 else sizes[term.by[0]]) for term in design.terms
    )
    least = max(30, int(effects / MOST_EFFECTS) + 1, *sizes.values())
    n = least if rng.random() < 0.3 else int(rng.integers(least, max(least, MOST_ROWS) + 1))
    balanced = rng.random() < 0.4
    frame = pd.DataFrame({name: _codes(rng, n, m, balanced=balanced) for name, m in sizes.items()})
    for name in "xzw":
        frame[name] = rng.normal(size=n)
    if rng.random() < 0.25:  # a predictor on a few values far from its zero, as days and years are
        frame["x"] = rng.integers(0, 10, n).astype(float)
    return frame


def _codes(rng: np.random.Generator, n: int, m: int, *, balanced: bool) -> Ints:
    """Level of each row; every level has at least one."""
    if balanced:
        codes = np.arange(n) % m
    else:
        shares = rng.dirichlet(np.full(m, 0.7))
        codes = np.r_[np.arange(m), rng.choice(m, n - m, p=shares)]
    return np.asarray(rng.permutation(codes), dtype=np.intp)


def _sd(rng: np.random.Generator, *, strong: bool) -> float:
    """Zero, tiny, ordinary or large, over a residual of 1: ICC 0 to 0.95; up to 200 in a strong design."""
    kinds: tuple[Callable[[], float], ...] = (
        lambda: 0.0,
        lambda: 10 ** rng.uniform(-2, -0.7),
        lambda: rng.uniform(0.3, 1.5),
        lambda: rng.uniform(2, 4.4),
        lambda: 10 ** rng.uniform(0.5, 2.3),
    )
    chances = [0.1, 0.1, 0.2, 0.1, 0.5] if strong else [0.25, 0.25, 0.4, 0.1, 0.0]
    return float(kinds[rng.choice(5, p=chances)]())


def _effects(rng: np.random.Generator, term: Term, frame: pd.DataFrame, *, strong: bool) -> Floats:
    """Zb of one term, (n,): independent or correlated effects, or all multiples of one."""
    codes, basis = levels(frame, term)
    m, q = int(codes.max()) + 1, basis.shape[1]
    sds = np.array([_sd(rng, strong=strong) for _ in range(q)])
    drawn = rng.normal(size=(m, q))
    kind = rng.choice(["independent", "correlated", "one"], p=[0.3, 0.4, 0.3])
    if kind == "one":
        drawn = drawn[:, :1] * rng.choice([-1.0, 1.0], q)
    elif kind == "correlated" and term.shape == "full":
        mix = rng.normal(size=(q, q))
        drawn = drawn @ (mix / np.linalg.norm(mix, axis=0))
    return np.asarray(np.einsum("ij,ij->i", basis, (drawn * sds)[codes]))


def levels(frame: pd.DataFrame, term: Term) -> tuple[Ints, Floats]:
    """Level of each row, (n,), and the covariates, (n, q)."""
    codes = pd.factorize(pd.MultiIndex.from_frame(frame[list(term.by)]))[0]
    return codes.astype(np.intp), design_matrix(frame, term.covariates)


def design_matrix(frame: pd.DataFrame, columns: tuple[str, ...]) -> Floats:
    """(n, p); '1' is a column of ones."""
    ones = np.ones(len(frame))
    return np.column_stack([ones if name == ONE else frame[name].to_numpy() for name in columns])
