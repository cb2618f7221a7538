"""Constrained ML fits by dense n × n algebra and SciPy, in the user's units: the profile's second route.

Nothing of the engine is used: SDs, correlations and σ make V, generalised least squares gives β, and a
general-purpose search minimises over everything but the parameter that is held.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import minimize

from mixedcore import MixedLMResults
from mixedcore.parameters import parameter_labels
from mixedcore.terms import Floats
from tests.mixedcore.dense_algebra import indicator


@dataclass(frozen=True, eq=False)
class DenseModel:
    """The model of a result, by matrices (n, …)."""

    result: MixedLMResults

    @cached_property
    def labels(self) -> list[str]:
        return parameter_labels(self.result.model.design.terms, self.result.fe_params.index)

    @cached_property
    def designs(self) -> list[list[Floats]]:
        """Z of every block of every term."""
        return [[indicator(b) for b in term.blocks] for term in self.result.model.design.terms]

    @cached_property
    def estimates(self) -> dict[str, float]:
        """SDs, correlations, σ and fixed effects of the fit."""
        table = self.result.tidy("random")
        shown = table.loc[table["scale"].isin(["sd", "correlation"]), "estimate"]
        return dict(zip(self.labels, [*shown, *self.result.fe_params], strict=True))

    @cached_property
    def residual(self) -> Floats:
        """Diagonal of V that the residual adds, over σ²."""
        weights = self.result.model.weights
        return np.ones(self.result.nobs) if weights is None else 1 / weights

    def variance(self, values: dict[str, float]) -> Floats:
        """V (n, n)."""
        V, names = np.diag(values["sigma"] ** 2 * self.residual), iter(self.labels)
        for term, blocks in zip(self.result.model.design.terms, self.designs, strict=True):
            q = 1 if term.structure == "isotropic" else term.blocks[0].width
            sd = np.array([values[next(names)] for _ in range(q)])
            correlation = np.eye(q)
            if term.structure == "full":
                cols, rows = np.triu_indices(q, 1)
                for i, j in zip(rows, cols, strict=True):
                    correlation[i, j] = correlation[j, i] = values[next(names)]
            psi = correlation * np.outer(sd, sd)
            for block, Z in zip(term.blocks, blocks, strict=True):
                own = psi if len(psi) == block.width else psi[0, 0] * np.eye(block.width)
                V += Z @ np.kron(np.eye(block.n_levels), own) @ Z.T
        return V

    def deviance(self, values: dict[str, float], held: str | None = None) -> float:
        """−2 log-likelihood with β at its best, the fixed effect `held` at its value."""
        model, names = self.result.model, list(self.result.fe_params.index)
        X = model.exog[:, [model.exog_names.index(name) for name in names]]
        y = model.endog if model.offset is None else model.endog - model.offset
        if held in names:
            j = names.index(held)
            y, X = y - X[:, j] * values[held], np.delete(X, j, axis=1)
        try:
            L = np.linalg.cholesky(self.variance(values))
        except np.linalg.LinAlgError:
            return np.inf
        ly, lX = np.linalg.solve(L, y), np.linalg.solve(L, X)
        rest = ly - lX @ np.linalg.lstsq(lX, ly)[0] if X.shape[1] else ly
        return float(2 * np.log(np.diag(L)).sum() + y.size * np.log(2 * np.pi) + rest @ rest)

    @cached_property
    def pairs(self) -> list[dict[tuple[int, int], str]]:
        """Of each term, the name of the correlation of two of its effects."""
        out, names = [], iter(self.labels)
        for term in self.result.model.design.terms:
            q = 1 if term.structure == "isotropic" else term.blocks[0].width
            sds = [next(names) for _ in range(q)]
            cols, rows = np.triu_indices(len(sds) if term.structure == "full" else 1, 1)
            out.append({(int(i), int(j)): next(names) for i, j in zip(rows, cols, strict=True)})
        return out

    def least(self, held: str, value: float) -> float:
        """The deviance at its least over all but one parameter, from several starts.

        Correlations are searched as partial ones, the held one being the first of its term, so that every
        matrix of them is one of correlations (Joe 2006, J. Multivar. Anal. 97); SDs without a sign.
        """
        sds = [n for n in self.labels if n != held and (n.startswith("sd ") or n == "sigma")]
        orders = [_order(pairs, held) for pairs in self.pairs]
        count = [len(pairs) - (held in pairs.values()) for pairs in self.pairs]
        units = np.array([max(self.estimates[n], 0.1 * self.estimates["sigma"]) for n in sds])

        def function(x: Floats) -> float:
            values = {**dict(zip(sds, np.abs(x[: len(sds)]) * units, strict=True)), held: value}
            at = len(sds)
            for pairs, order, k in zip(self.pairs, orders, count, strict=True):
                own, at = np.tanh(x[at : at + k]), at + k
                own = np.append(value, own) if held in pairs.values() else own
                R = _correlations(order, own)
                values |= {name: float(R[i, j]) for (i, j), name in pairs.items()}
            return self.deviance(values, held)

        x = np.append(np.ones(len(sds)), np.zeros(sum(count)))
        moved = [np.append(size * np.ones(len(sds)), shift * np.ones(sum(count))) for size, shift in STARTS]
        ends = [minimize(function, start, method="BFGS", options={"gtol": 1e-6}) for start in (x, *moved)]
        return min(float(end.fun) for end in ends)


STARTS = ((0.7, 0.5),)
"""SDs over their estimates, and arctanh of the partial correlations, that further searches start from."""


def _order(pairs: dict[tuple[int, int], str], held: str) -> list[int]:
    """Effects of a term, those of the held correlation first."""
    first = next(([j, i] for (i, j), name in pairs.items() if name == held), [])
    every = sorted({i for pair in pairs for i in pair})
    return first + [i for i in every if i not in first]


def _correlations(order: list[int], partial: Floats) -> Floats:
    """A correlation matrix from partial correlations, row by row of its Cholesky factor."""
    q, at = len(order), 0
    L = np.eye(q)
    for i in range(1, q):
        left = 1.0
        for j in range(i):
            L[i, j] = partial[at] * np.sqrt(left)
            left -= L[i, j] ** 2
            at += 1
        L[i, i] = np.sqrt(max(left, 0.0))
    R = np.eye(max(order, default=-1) + 1)
    R[np.ix_(order, order)] = L @ L.T
    return R
