"""Many replicates of one design: the coordinates of their θ, and what an evaluation at them gives.

For designs without a remainder: all groupings nested, so that every one is eliminated level by level.
Coordinates are those of `chart.Roots`: all entries of the root T of a full Ψ = TT', the diagonal of others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np

from mixedcore.data.columns import Mask
from mixedcore.engine.blocks import UNROLL
from mixedcore.engine.crossproducts import CrossProducts
from mixedcore.engine.elimination import Plan
from mixedcore.terms import Floats, Ints, RandomTerm, Template


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """R replicates at R points, each in the engine's units of its own outcome; last axis R.

    value: criterion less what no θ changes; gradient (K, R), hessian (K, K, R) in the coordinates
    beta (p, R); sigma2 (R,); slopes: per term ∂d/∂Ψ (q, q, R), (1, 1, R) for an isotropic one, as one array
    """

    value: Floats
    gradient: Floats
    hessian: Floats
    beta: Floats
    sigma2: Floats
    slopes: Floats

    def take(self, which: Ints) -> Points:
        """Some of the replicates."""
        return Points(*(getattr(self, f.name)[..., which] for f in fields(self)))

    def where(self, chosen: Mask, other: Points) -> Points:
        """These where `chosen` (R,), the others elsewhere."""
        return Points(
            *(np.where(chosen, getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        )

    @classmethod
    def joined(cls, parts: Sequence[Points]) -> Points:
        """One after the other."""
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts], axis=-1) for f in fields(cls)))

    def replaced(self, which: Ints, others: Points) -> Points:
        """These, with others in the place of some of them."""
        new = {f.name: getattr(self, f.name).copy() for f in fields(self)}
        for name, values in new.items():
            values[..., which] = getattr(others, name)
        return Points(**new)


@dataclass(frozen=True, slots=True, eq=False)
class NestedDesign:
    """What all replicates share.

    squares : per grouping, the coordinates of its T: rows, columns, number; K of them in all
    first : (K + 1 entries by term) number of each term's first coordinate
    """

    cp: CrossProducts
    plan: Plan
    terms: tuple[RandomTerm, ...]
    reml: bool
    squares: tuple[Template, ...]
    first: tuple[int, ...]

    @classmethod
    def of(cls, cp: CrossProducts, plan: Plan, terms: tuple[RandomTerm, ...], *, reml: bool) -> NestedDesign:
        """For a design that `fits`."""
        first = [0]
        for term in terms:
            q = term.blocks[0].width
            first.append(first[-1] + {"full": q * q, "diagonal": q, "isotropic": 1}[term.structure])
        squares = []
        for g in cp.groupings:
            rows, cols, index = [], [], []
            for member in g.members:
                r, c, e = _square(terms[member.term], member.columns.stop - member.columns.start)
                rows.append(r + member.columns.start)
                cols.append(c + member.columns.start)
                index.append(e + first[member.term])
            squares.append(Template(g.q, *(np.concatenate(part) for part in (rows, cols, index))))
        return cls(cp, plan, terms, reml, tuple(squares), tuple(first))

    @staticmethod
    def fits(cp: CrossProducts, plan: Plan) -> bool:
        """Whether all groupings are nested, and their blocks small."""
        return plan.remainder is None and all(g.q <= UNROLL for g in cp.groupings)

    @property
    def n_coordinates(self) -> int:
        """K."""
        return self.first[-1]

    def coordinates_of(self, roots: Sequence[Floats]) -> Floats:
        """Coordinates (K,) of T of each term (q, q), or (K, R) of (R, q, q); (1, 1) for an isotropic one."""
        parts = []
        for term, T in zip(self.terms, roots, strict=True):
            full = term.structure == "full"
            parts.append(T.reshape(*T.shape[:-2], -1) if full else np.diagonal(T, axis1=-2, axis2=-1))
        return np.concatenate(parts, axis=-1).T

    def roots(self, x: Floats) -> Iterator[Floats]:
        """T of each term (R, q, q) at coordinates (K, R); (R, 1, 1) for an isotropic one."""
        for t, term in enumerate(self.terms):
            own = x[self.first[t] : self.first[t + 1]]
            if term.structure == "full":
                q = term.blocks[0].width
                yield np.moveaxis(own.reshape(q, q, -1), -1, 0)
            else:
                yield own.T[:, :, None] * np.eye(len(own))

    def slope(self, points: Points, t: int) -> Floats:
        """∂d/∂Ψ of term t (R, q, q), diagonal for a diagonal one; (R, 1, 1) for an isotropic one."""
        widths = [1 if term.structure == "isotropic" else term.blocks[0].width for term in self.terms]
        first = sum(q * q for q in widths[:t])
        own = points.slopes[first : first + widths[t] ** 2].reshape(widths[t], widths[t], -1)
        S = np.moveaxis(own, -1, 0)
        return S if self.terms[t].structure == "full" else np.asarray(S * np.eye(widths[t]))


def _square(term: RandomTerm, width: int) -> tuple[Ints, Ints, Ints]:
    """Rows, columns and numbers of the coordinates of a term's T."""
    every = np.arange(width)
    if term.structure == "full":
        rows, cols = (part.ravel() for part in np.indices((width, width)))
        return rows, cols, np.arange(width * width)
    return every, every, np.zeros_like(every) if term.structure == "isotropic" else every
