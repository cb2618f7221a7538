"""Tests of nested models against each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd

from mixedcore.design.design import Design
from mixedcore.engine.crossproducts import CrossProducts, sum_rows
from mixedcore.engine.rows import gather
from mixedcore.errors import ModelError, rows_not_kept
from mixedcore.inference.bootstrap_lrt import bootstrap_statistics
from mixedcore.inference.exact_rlrt import null_draws, spectrum
from mixedcore.inference.jobs import Cancel, Jobs, Progress
from mixedcore.inference.lrt import Null
from mixedcore.inference.nesting import combination, embed
from mixedcore.inference.simulate import check_count
from mixedcore.results import MixedLMResults
from mixedcore.terms import RandomTerm

Test = Literal["lrt", "exact", "bootstrap"] | None
TESTS = ("lrt", "exact", "bootstrap")
SAME = 1e-9  # share by which statistics may differ for rounding
WORSE = 1e-6  # by which a larger model may fit worse than a smaller one before it is remarked


def compare(
    *results: MixedLMResults,
    test: Test = "lrt",
    n: int | None = None,
    seed: int = 0,
    n_jobs: int = 1,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> pd.DataFrame:
    """Nested models side by side, each tested against the next smaller one.

    Index `model`, one row a fit, by number of parameters; columns `aic, bic, log_lik` as the fits have them,
    and for the test `df` (parameters more than in the row above), `chisq` (twice the difference of the
    log-likelihoods, of REML fits of the restricted ones) and `p_value`. `attrs["notes"]` of the frame says
    what each p-value was taken from. A single fit is tested against the same model without random effects.

    test
        'lrt'    asymptotic: χ² for parameters that may go either way. A variance of zero is the edge of what
                 is possible, and the limit is then a mixture: ½χ²_q + ½χ²_{q+1} for one more effect
                 correlated with q others, ½χ²_0 + ½χ²_1 for an independent one (a variance component); for
                 several at once its weights come from the information matrix. Self & Liang (1987), JASA 82;
                 Stram & Lee (1994), Biometrics 50.
        'exact'  for one variance component, by `n` simulations (10,000) of its exact null distribution from
                 `seed`: Crainiceanu & Ruppert (2004), J. R. Stat. Soc. B 66. Exact where the smaller model
                 has no random effects; beside others it is the approximation of Greven et al. (2008), J.
                 Comput. Graph. Stat. 17. p = (1 + number as large) / (1 + n).
        'bootstrap'  by `n` outcomes (1,000) that the smaller model draws from `seed`, both models fitted to
                 each; the same p. `n_jobs`, `progress` and `cancel` as in `result.bootstrap`. Davison &
                 Hinkley (1997), section 4.2.3.
        None     no test: information criteria only, of any models of the same rows.

    Raises ModelError, with the remedy, for fits of other rows or another outcome, fits by REML and by ML
    together, REML fits with different fixed effects, and models of which none contains the other.
    """
    if test is not None and test not in TESTS:
        raise ModelError(f"test={test!r} is not known; choose 'lrt', 'exact', 'bootstrap' or None.")
    asked = _Asked(test or "lrt", n, seed, Jobs(n_jobs, progress, cancel))
    fits = _checked(results)
    for fit in fits if test is not None else ():
        fit._refuse_restricted("a test of nested models")
    rows, notes = [_row(fits[0])], []
    if len(fits) == 1 and test is not None:
        rows.insert(0, _bare_row(fits[0]))
        found = _tested(None, fits[0], asked)
        rows[1] |= found.columns
        notes.append(f"{model_text(fits[0])}: {found.note}")
    for small, large in pairwise(fits):
        rows.append(_row(large))
        if test is not None:
            found = _tested(small, large, asked)
            rows[-1] |= found.columns
            notes.append(f"{model_text(large)}: {found.note}")
    table = pd.DataFrame(rows).set_index("model")
    table.attrs["notes"] = notes
    return table


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which test, how many simulations (None: as many as it takes), from which seed, and who does them."""

    test: str
    n: int | None
    seed: int
    jobs: Jobs

    def count(self, default: int) -> int:
        return default if self.n is None else check_count(self.n, "simulations")


@dataclass(frozen=True, slots=True)
class _Found:
    """Of one test: df, chisq and p_value by name, and what the p-value is."""

    columns: dict[str, float]
    note: str


def model_text(result: MixedLMResults) -> str:
    """The model as it was written: its formula, and what else defines the random effects."""
    model = result.model
    if model.formula is None:
        return f"{model.endog_names} ~ {' + '.join(model.exog_names) or '0'}, groups={model.group_name}"
    if model.design.bars:
        return model.formula
    parts = [model.formula, f"groups={model.group_name}"]
    if model.re_formula is not None:
        parts.append(f"re_formula={model.re_formula}")
    if model.vc_formula:
        parts.append(f"vc_formula={dict(model.vc_formula)}")
    return ", ".join(parts)


def _row(result: MixedLMResults) -> dict[str, object]:
    """A fit's row without a test."""
    found = {"aic": result.aic, "bic": result.bic, "log_lik": result.llf}
    return {"model": model_text(result), **found, "df": np.nan, "chisq": np.nan, "p_value": np.nan}


def _bare_row(result: MixedLMResults) -> dict[str, object]:
    """The row of the same model without random effects."""
    criterion = Null(None, result._user, []).point.value
    k = len(result._fe_names) + 1
    found = {"aic": criterion + 2 * k, "bic": criterion + np.log(result.nobs) * k, "log_lik": -criterion / 2}
    name = f"{model_text(result)} without random effects"
    return {"model": name, **found, "df": np.nan, "chisq": np.nan, "p_value": np.nan}


def _size(result: MixedLMResults) -> int:
    """Number of parameters, σ counted."""
    return len(result._fe_names) + result.theta.size + 1


def _checked(results: Sequence[MixedLMResults]) -> list[MixedLMResults]:
    """The fits by number of parameters; ModelError where they cannot be compared at all."""
    if not results or not all(isinstance(result, MixedLMResults) for result in results):
        raise ModelError("compare takes fitted models, such as compare(small.fit(), large.fit()).")
    first = results[0]
    for other in results[1:]:
        _check_rows(first, other)
        if other.reml != first.reml:
            raise ModelError(
                "Some of the models are fitted by REML and some by ML, whose likelihoods cannot be compared. "
                "Fit all of them with fit(reml=False), or, if they differ in random effects only, by REML."
            )
        if first.reml and set(first._fe_names) != set(other._fe_names):
            raise ModelError(
                f"{model_text(first)} and {model_text(other)} are REML fits with different fixed effects, so "
                "their likelihoods are of different data. Fit both with fit(reml=False) and compare those."
            )
    return sorted(results, key=_size)


def _check_rows(one: MixedLMResults, other: MixedLMResults) -> None:
    """ModelError unless both are fits of the same outcome, weights and offset on the same rows."""
    if one.nobs != other.nobs:
        raise ModelError(
            f"The models use {one.nobs} and {other.nobs} rows, perhaps because values are missing in a "
            "column that only one uses. Fit both to the rows that are complete for the larger one."
        )
    a, b = one.model.design, other.model.design
    if isinstance(a, Design) and isinstance(b, Design):
        same = np.array_equal(a.response, b.response)
        u, v = (np.ones(one.nobs) if d.weights is None else d.weights for d in (a, b))
        same = same and np.array_equal(u, v)
    else:
        same = bool(np.allclose(_outcome_facts(one), _outcome_facts(other), rtol=1e-10, atol=0))
    if not same:
        raise ModelError(
            "The models differ in their outcome, its order, their weights or their offset, so their "
            "likelihoods are of different data. Fit both to the same outcome in the same rows."
        )


def _outcome_facts(result: MixedLMResults) -> list[float]:
    """What tells one outcome from another where rows were not kept."""
    units = result._estimate.evaluation.cp.units
    y = units.layout.outcome
    found = units.moments
    return [found.centre[y], found.M2[y, y], found.low[y], found.high[y], found.weight, found.square_weights]


def _fixed_apart(small: MixedLMResults, large: MixedLMResults) -> int | None:
    """How many fixed effects the larger model has beyond the smaller one's; None if it has not these."""
    one, other = small._fe_names, large._fe_names
    apart = len(other) - len(one)
    if set(one) <= set(other):
        return apart
    a, b = small.model.design, large.model.design
    if not (isinstance(a, Design) and isinstance(b, Design)) or apart < 0:
        return None
    return None if combination(a.X, b.X[:, large._user.kept]) is None else apart


def _nested(small: MixedLMResults | None, large: MixedLMResults) -> tuple[Null, int]:
    """The smaller model inside the larger one, and the fixed effects beyond it; ModelError if it is not."""
    if small is None:
        return Null(None, large._user, []), 0
    fixed = _fixed_apart(small, large)
    places = embed(small._estimate.terms, large._estimate.terms)
    if fixed is None or places is None or _size(small) == _size(large):
        part = "fixed" if fixed is None else "random"
        reason = f"the {part} effects of the first are not among those of the second"
        if fixed is not None and places is not None:
            reason = "they have equally many parameters"
        raise ModelError(
            f"{model_text(small)} is not nested in {model_text(large)}: {reason}, so no likelihood-ratio "
            "test compares them. compare(..., test=None) gives their information criteria."
        )
    return Null(small._user, large._user, places), fixed


def _tested(small: MixedLMResults | None, large: MixedLMResults, asked: _Asked) -> _Found:
    null, fixed = _nested(small, large)
    lower = null.point.value if small is None else small.criterion
    chisq = max(lower - large.criterion, 0.0)
    df = large.theta.size + fixed - (0 if small is None else small.theta.size)
    remarks = []
    if large.criterion > lower + WORSE:
        remarks.append("the larger model fits worse than the smaller one: it is not at its optimum")
    if asked.test == "exact":
        p, note = _exact(null, large, chisq, fixed, asked)
    elif asked.test == "bootstrap":
        p, note = _bootstrapped(null, large, chisq, asked)
    else:
        reference = null.reference(fixed)
        p, note = reference.p_value(chisq), f"p from {reference.words}"
        if small is not None and small.singular:
            remarks.append("the smaller model is singular itself, where the limit may differ")
    return _Found({"df": float(df), "chisq": chisq, "p_value": p}, "; ".join([note, *remarks]) + ".")


def _exact(null: Null, large: MixedLMResults, chisq: float, fixed: int, asked: _Asked) -> tuple[float, str]:
    """p-value of one variance component by simulation from the exact distribution, and what it is."""
    part = None if fixed else null.one_variance
    if part is None:
        raise ModelError(
            "The exact test is for models that differ in one variance component and in nothing else. Use "
            "test='lrt', or compare models that differ in one term with one variance, such as (1 | group)."
        )
    alone = large.theta.size == 1
    cp = large._estimate.evaluation.cp if alone else _alone(large, part)
    n = asked.count(10_000)
    draws = null_draws(spectrum(cp), n, asked.seed, reml=large.reml)
    p = (1 + int((draws >= chisq).sum())) / (1 + n)
    kind = "the exact distribution" if alone else "that of the component alone, which is approximate"
    return p, f"p from {n:,} simulations of {kind}"


def _bootstrapped(null: Null, large: MixedLMResults, chisq: float, asked: _Asked) -> tuple[float, str]:
    """p-value by refits of both models to draws of the smaller one, and what it is."""
    if null.small is None:
        raise ModelError(
            "The bootstrap test needs the smaller model as a fit of its own, to draw from it. Compare two "
            "fits, or use test='exact' or test='lrt' against no random effects."
        )
    draws = bootstrap_statistics(null.small, large._user, asked.count(1_000), asked.seed, asked.jobs)
    good = draws[np.isfinite(draws)]
    p = (1 + int((good >= chisq - SAME * abs(chisq)).sum())) / (1 + good.size)
    lost = f"; {draws.size - good.size} more could not be fitted" if good.size < draws.size else ""
    return p, f"p from {good.size:,} draws of the smaller model, both models fitted to each{lost}"


def _alone(large: MixedLMResults, term: RandomTerm) -> CrossProducts:
    """Cross-products of the model with this random term only."""
    design = large.model.design
    if not isinstance(design, Design):
        raise rows_not_kept("a component's own model")
    return sum_rows(gather(design.response, design.X, (term,), design.weights), (term,))
