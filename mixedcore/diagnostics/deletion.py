"""A fit without some of its rows: cross-products by subtraction, and the optimum or β from them.

Every sum of the model is split by case in one pass over the rows; without a case it is the total less the
case's own. The engine's units stay those of all rows, which is exact: they only choose coordinates. Where a
column is so much the case's that the difference would lose digits, the other rows are summed anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mixedcore.engine.blocks import sum_by
from mixedcore.engine.criterion import evaluate, roots_of
from mixedcore.engine.crossproducts import ROOM, CrossProducts, RowSums, assemble, sum_rows
from mixedcore.engine.elimination import plan
from mixedcore.engine.estimate import Estimate, estimate
from mixedcore.engine.exact import EXPLAINED
from mixedcore.engine.groupings import Groupings, arrange, pairs_met
from mixedcore.engine.rows import CHUNK, Rows
from mixedcore.engine.sums import ColumnTable, LevelSums
from mixedcore.errors import MixedCoreError, ModelError
from mixedcore.given import Given, engine_theta
from mixedcore.terms import Block, Floats, Ints, RandomTerm
from mixedcore.units import UserUnits

INDEPENDENT = 1e-6  # share of a fixed effect's column outside the others below which rows are summed anew


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Sums over m levels split by case: `values` (products, e), by case, at `level` (e,).

    starts (cases + 1,): the first entry of each case; total (products, m)
    """

    products: dict[tuple[int, int], int]
    level: Ints
    starts: Ints
    values: Floats
    total: Floats

    def without(self, case: int) -> LevelSums:
        """The sums over the rows of all other cases."""
        total, own = self.total.copy(), slice(self.starts[case], self.starts[case + 1])
        total[:, self.level[own]] -= self.values[:, own]
        return LevelSums(total.shape[1], self.products, total)


@dataclass(frozen=True, slots=True, eq=False)
class Deletion:
    """The sums of a fit, split by case; code (n,) is the case of each row, sizes (cases,) their rows.

    WW : (p + 1, p + 1, cases) own [X y]'[X y] of each case
    """

    user: UserUnits
    rows: Rows
    code: Ints
    sizes: Ints
    groupings: Groupings
    table: ColumnTable
    parts: tuple[_Part, ...]
    WW: Floats

    @classmethod
    def of(cls, user: UserUnits, rows: Rows, code: Ints) -> Deletion:
        """One pass over the rows."""
        cp, terms = user.estimate.evaluation.cp, user.estimate.terms
        groupings, codes, pair_of = arrange(terms)
        empty, cases = RowSums.of(cp.units, groupings, weighted=rows.weights is not None), int(code.max()) + 1
        keys = [*codes, *pair_of.values()]
        met = [pairs_met(code, cases, key, own.m) for key, own in zip(keys, empty.by_level, strict=True)]
        sums = [
            LevelSums(at.size, own.products) for ((at, _), _), own in zip(met, empty.by_level, strict=True)
        ]
        W = [*empty.table.fixed.tolist(), empty.table.width - 1]
        by_case = LevelSums(cases)
        by_case.want(W, W)
        size = max([CHUNK, *(ROOM * each.m for each in sums)])
        for chunk in rows.chunks([*(where for _, where in met), code], size):
            columns = empty.table.values(chunk)
            for total, at in zip([*sums, by_case], chunk.codes, strict=True):
                total.add(columns, empty.table.one, at)
        parts = tuple(
            _Part(
                one.products,
                level,
                np.searchsorted(case, np.arange(cases + 1)),
                one.total,
                sum_by(one.total, level, own.m),
            )
            for one, ((case, level), _), own in zip(sums, met, empty.by_level, strict=True)
        )
        sizes = np.bincount(code, minlength=cases)
        return cls(user, rows, code, sizes, groupings, empty.table, parts, by_case.blocks(W, W))

    def cross_products(self, case: int) -> CrossProducts:
        """The cross-products of all rows but those of one case, in the units of all."""
        found = self.user.estimate
        cp, own = found.evaluation.cp, self.WW[:, :, case]
        XtX, rest = cp.WW[:-1, :-1] - own[:-1, :-1], cp.WW[-1] - own[-1]
        sums = RowSums(self.table, tuple(part.without(case) for part in self.parts), XtX, rest)
        whole = assemble(found.terms, cp.units, self.groupings, sums)
        return replace(whole, n=cp.n - int(self.sizes[case]))

    def fit(self, case: int, *, refit: bool) -> UserUnits:
        """The model without one case: the optimum from the fit's own θ, or β and σ at that θ.

        Raises a MixedCoreError where the other rows cannot support the model.
        """
        found = self.user.estimate
        if found.evaluation.sigma2 < EXPLAINED or not self.independent(case):
            return self.anew(case, refit=refit)
        cp = self.cross_products(case)
        return UserUnits(_at(found, cp, found.optimum.theta, refit=refit), self.rows)

    def reason(self, case: int, error: MixedCoreError) -> str:
        """Why the model cannot be fitted without a case."""
        keep = self.code != case
        for term in self.user.estimate.terms:
            if all(np.ptp(block.codes[keep]) == 0 for block in term.blocks):
                return f"One level of {term.name} is left, so that its variance cannot be estimated."
        return str(error)

    def independent(self, case: int) -> bool:
        """Whether the columns of X stay apart without the case, so that the difference keeps its digits."""
        cp = self.user.estimate.evaluation.cp
        XtX = cp.WW[:-1, :-1] - self.WW[:-1, :-1, case]
        size = XtX.diagonal()
        if (size < INDEPENDENT * cp.WW.diagonal()[:-1]).any():
            return False
        return not size.size or np.linalg.eigvalsh(XtX / np.sqrt(np.outer(size, size)))[0] > INDEPENDENT

    def anew(self, case: int, *, refit: bool) -> UserUnits:
        """The same from the rows themselves, in units of their own."""
        found, keep = self.user.estimate, self.code != case
        weights = None if self.rows.weights is None else self.rows.weights[keep]
        rows = Rows(self.rows.layout, tuple(column[keep] for column in self.rows.columns), weights)
        terms = tuple(_of_rows(term, keep) for term in found.terms)
        cp = sum_rows(rows, terms)
        if not np.array_equal(cp.fixed.kept, self.user.kept):
            raise ModelError("A fixed effect cannot be estimated from the other rows.")
        psi = tuple(self.user.psi(t) for t in range(len(found.terms)))
        theta = engine_theta(Given(None, psi), found.terms, cp.scaled_terms)
        return UserUnits(_at(replace(found, terms=terms), cp, theta, refit=refit, rows=rows), rows)


def _at(
    found: Estimate, cp: CrossProducts, theta: Floats, *, refit: bool, rows: Rows | None = None
) -> Estimate:
    """The optimum of other cross-products of the model, searched from θ; or what they say at θ.

    Raises ModelError where the search does not converge.
    """
    layout, reml = plan(cp), found.evaluation.reml
    if refit:
        best = estimate(cp, layout, found.terms, reml=reml, start=theta, rows=rows)
        if not best.optimum.converged:
            raise ModelError("The search did not reach the optimum for the other rows.")
        return best
    return replace(found, evaluation=evaluate(cp, layout, roots_of(cp, theta), reml=reml))


def _of_rows(term: RandomTerm, keep: Floats) -> RandomTerm:
    """A term on some rows; levels without any are gone, and with them the names."""
    return replace(term, blocks=tuple(_block_of_rows(block, keep) for block in term.blocks), levels=())


def _block_of_rows(block: Block, keep: Floats) -> Block:
    level, codes = np.unique(block.codes[keep], return_inverse=True)
    return Block(codes, level.size, block.basis[keep], block.group_of_level[level], ())
