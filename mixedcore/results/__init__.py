"""Results: `Fitted` holds the fit, each class beside it tells one kind of thing of it, all are one value."""

from __future__ import annotations

from mixedcore.results.diagnostics import Diagnostics
from mixedcore.results.effects import Effects
from mixedcore.results.hypotheses import FixedTests
from mixedcore.results.intervals import Intervals
from mixedcore.results.keeping import Keeping
from mixedcore.results.seed import SeedInterface
from mixedcore.results.simulations import Simulations
from mixedcore.results.tables import Tables


class MixedLMResults(
    SeedInterface, Tables, FixedTests, Intervals, Effects, Diagnostics, Simulations, Keeping
):
    """A fit of a `MixedLM`; made by `MixedLM.fit`.

    Attributes (units: those of the data; n rows, p fixed effects, k covariance parameters). A model from bare
    arrays gives arrays where Series and DataFrame stand here, as statsmodels does; `tidy` has the names.

    params        Series (p + k): fixed effects, then covariances and variances over the residual variance
    fe_params     Series (p): β
    cov_re        DataFrame (q, q): covariance of the group term's effects; empty without one
    vcomp         array: variances of the components, in the order of their names
    scale         residual variance σ² (with prior weights w, of a row of weight one; σ²/w of others)
    llf           log-likelihood, or restricted log-likelihood of a REML fit
    theta         Λ's free entries in units of σ, as lme4 counts them
    converged     whether the optimum was reached; singular: whether it lies on the boundary
    optimisation  what the search did: evaluations, path, gradient, Hessian, boundary

    A result is a value: nothing changes it, and nothing in it is recomputed for another criterion.
    Bates, Mächler, Bolker & Walker (2015), J. Stat. Softw. 67(1).
    """


__all__ = ["MixedLMResults"]
