"""The criterion of one nested design at many θ at once, one for each of many outcomes.

The same algebra as `factor`, `selected` and `criterion` have for one θ, with an axis of replicates behind
that of levels: arrays (rows, columns, m, R). Every step is then a handful of vector operations for all
replicates, where one evaluation after the other would cost a thousand times the calls.
"""

from __future__ import annotations

import numpy as np

from mixedcore.engine.blocks import apply, inverse_and_logdet, multiply, transpose
from mixedcore.engine.outcomes import Outcomes
from mixedcore.inference.batch import NestedDesign, Points
from mixedcore.terms import Floats, Ints, Template


def _sum_runs(A: Floats, starts: Ints) -> Floats:
    """Sums over consecutive runs of levels, of arrays (a, b, m, R)."""
    return np.add.reduceat(A, starts, axis=2)


def _inner(A: Floats, B: Floats) -> Floats:
    """Σ over coefficients and levels: (w, q, m, R), (v, q, m, R) → (w, v, R)."""
    return np.asarray(np.einsum("wqmr,vqmr->wvr", A, B))


def evaluate(design: NestedDesign, x: Floats, outcomes: Outcomes) -> Points:
    """Evaluate replicate r of the outcomes at coordinates x[:, r], (K, R)."""
    return _Evaluation(design, x, outcomes).points()


class _Evaluation:
    """One evaluation. Lists go by grouping; `up[k, t]` couples k with a later t, as in `Stage`."""

    def __init__(self, design: NestedDesign, x: Floats, outcomes: Outcomes) -> None:
        self.design, self.cp, self.x = design, design.cp, x
        self.count = range(len(design.cp.groupings))
        self.T = [self._root(t.q, t) for t in design.squares]
        self.K = [zz[..., None] for zz in self.cp.ZZ]
        self.up = {key: self.cp.pairs[key].values[..., None] for key in self.cp.parents}
        self.G: list[Floats] = []
        self.logdet = np.zeros(x.shape[1])
        self._factorise()
        self._least_squares(outcomes)
        self._solve()

    def _root(self, q: int, square: Template) -> Floats:
        T = np.zeros((q, q, 1, self.x.shape[1]))
        T[square.rows, square.cols, 0] = self.x[square.index]
        return T

    def _factorise(self) -> None:
        for k in self.count:
            T, q = self.T[k], len(self.T[k])
            D = multiply(transpose(T), multiply(self.K[k], T))
            D[np.arange(q), np.arange(q)] += 1.0
            inverse, logdet = inverse_and_logdet(D)
            self.logdet += logdet.sum(axis=0)
            G = multiply(multiply(T, inverse), transpose(T))
            self.G.append(G)
            later = [t for t in self.count if t > k]
            GA = {t: multiply(G, self.up[k, t]) for t in later}
            for t in later:
                runs = self.design.plan.run_starts[k, t]
                self.K[t] = self.K[t] - _sum_runs(multiply(transpose(self.up[k, t]), GA[t]), runs)
                for u in (u for u in later if u > t):
                    moved = _sum_runs(multiply(transpose(GA[t]), self.up[k, u]), runs)
                    self.up[t, u] = self.up[t, u] - moved

    def _reduce(self, B: list[Floats], gram: Floats) -> tuple[list[Floats], list[Floats], Floats]:
        """Columns B (w, q, m, R) carried down, G times them, and the Schur complement of `gram` (w, w, R)."""
        B, GB = list(B), []
        for k in self.count:
            GB.append(apply(self.G[k], B[k]))
            for t in (t for t in self.count if t > k):
                down = apply(transpose(self.up[k, t]), GB[k])
                B[t] = B[t] - _sum_runs(down, self.design.plan.run_starts[k, t])
            gram = gram - _inner(B[k], GB[k])
        return B, GB, gram

    def _least_squares(self, outcomes: Outcomes) -> None:
        """β, r² and (X'V⁻¹X)⁻¹ from the border W = [X y]."""
        cp, p, R = self.cp, self.cp.p, self.x.shape[1]
        self.ZW = [
            np.concatenate([np.broadcast_to(zw[:p, ..., None], (p, *zy.shape)), zy[None]])
            for zw, zy in zip(cp.ZW, outcomes.Zy, strict=True)
        ]
        gram = np.repeat(cp.WW[..., None], R, axis=2)
        gram[p, :p] = gram[:p, p] = outcomes.Xy
        gram[p, p] = outcomes.yy
        self.W, self.GW, gram = self._reduce(self.ZW, gram)
        XX, Xy = np.moveaxis(gram[:p, :p], -1, 0), gram[:p, p].T
        inverse = np.linalg.inv(XX)
        self.M_inv = np.moveaxis(inverse, 0, -1)
        self.logdet_X = np.linalg.slogdet(XX).logabsdet
        self.beta = np.einsum("rij,rj->ir", inverse, Xy)
        self.r2 = gram[p, p] - np.einsum("ir,ri->r", self.beta, Xy)
        self.df = cp.n - p * self.design.reml
        self.sigma2 = self.r2 / self.df

    def _solve(self) -> None:
        """Z'V⁻¹[X y] and the scores Z'Py."""
        b: dict[int, Floats] = {}
        self.a: dict[int, Floats] = {}
        for k in reversed(self.count):
            rest, above = self.W[k], [t for t in self.count if t > k]
            for t in above:
                rest = rest - apply(self.up[k, t], b[t][:, :, self.cp.parents[k, t]])
            b[k] = apply(self.G[k], rest) if above else self.GW[k]
            self.a[k] = rest - apply(self.K[k], b[k])
        self.scores = [
            self.a[k][-1] - np.einsum("pr,pqmr->qmr", self.beta, self.a[k][:-1]) for k in self.count
        ]

    def _traces(self) -> list[Floats]:
        """Σ_f [Z'PZ]_ff (REML) or Σ_f [Z'V⁻¹Z]_ff (ML) of each grouping, (q, q, R); see `selected`."""
        H: dict[tuple[int, int], Floats] = {}
        M: dict[int, Floats] = {}
        for k in reversed(self.count):
            above = [t for t in self.count if t > k]
            AH = {t: self._times(H, k, t) for t in above}
            E = -multiply(self.K[k], self.G[k])
            E[np.arange(len(E)), np.arange(len(E))] += 1.0
            M[k] = np.einsum("ijmr,kjmr->ikr", E, np.broadcast_to(self.K[k], E.shape))
            H[k, k] = self.G[k]
            if above:
                Q = np.asarray(sum(multiply(AH[t], transpose(self.up[k, t])) for t in above))
                M[k] = M[k] - np.einsum("ijmr,kjmr->ikr", multiply(E, Q), E)
                H[k, k] = self.G[k] + multiply(multiply(self.G[k], Q), self.G[k])
                H |= {(k, t): -multiply(self.G[k], AH[t]) for t in above}
        if self.design.reml and self.cp.p:
            for k in self.count:
                a = self.a[k][:-1]
                M[k] = M[k] - np.einsum("aimr,ajmr->ijr", a, np.einsum("abr,bjmr->ajmr", self.M_inv, a))
        return [M[k] for k in self.count]

    def _times(self, H: dict[tuple[int, int], Floats], k: int, t: int) -> Floats:
        """A_kR H_Rt over the groupings R after k, (q_k, q_t, m_k, R)."""
        above = (u for u in self.count if u > k)
        return np.asarray(sum(multiply(self.up[k, u], self._H(H, k, u, t)) for u in above))

    def _H(self, H: dict[tuple[int, int], Floats], k: int, u: int, t: int) -> Floats:
        """Covariance over σ² of the ancestors of each level of k in groupings u and t."""
        one, two = min(u, t), max(u, t)
        found = H[one, two][:, :, self.cp.parents[k, one]]
        return found if u <= t else transpose(found)

    def _average_information(self) -> Floats:
        """Of ψ, with σ² profiled out, (k, k, R); see `criterion`."""
        cp, k, R = self.cp, self.cp.k, self.x.shape[1]
        c = [np.zeros((k, g.q, g.m, R)) for g in cp.groupings]
        for g, own, a in zip(cp.groupings, c, self.scores, strict=True):
            for r, s, p in zip(g.template.rows, g.template.cols, g.template.index, strict=True):
                own[p, r] += a[s]
                if r != s:
                    own[p, s] += a[r]
        Zw = [apply(zz[..., None], own) for zz, own in zip(cp.ZZ, c, strict=True)]
        for (s, t), pairs in cp.pairs.items():
            values = pairs.values[..., None]
            Zw[s] = Zw[s] + apply(values, c[t][:, :, cp.parents[s, t]])
            Zw[t] = Zw[t] + _sum_runs(apply(transpose(values), c[s]), self.design.plan.run_starts[s, t])
        gram = np.asarray(sum(_inner(own, z) for own, z in zip(c, Zw, strict=True)))
        cross = np.asarray(sum(_inner(zw, own) for zw, own in zip(self.ZW, c, strict=True)))
        Bw, _, gram = self._reduce(Zw, gram)
        cross = cross - sum(_inner(GW, B) for GW, B in zip(self.GW, Bw, strict=True))
        wPy = cross[-1] - np.einsum("pr,pkr->kr", self.beta, cross[:-1])
        along = np.einsum("abr,bkr->akr", self.M_inv, cross[:-1])
        wPw = gram - np.einsum("akr,alr->klr", cross[:-1], along)
        return np.asarray(wPw / self.sigma2 - wPy[:, None] * wPy / (self.sigma2 * self.r2))

    def _jacobian(self) -> Floats:
        """∂ψ/∂x, (k, K, R)."""
        out, done = np.zeros((self.cp.k, *self.x.shape)), set()
        for g, square, T in zip(self.cp.groupings, self.design.squares, self.T, strict=True):
            place = {(r, c): e for r, c, e in zip(square.rows, square.cols, square.index, strict=True)}
            for r, s, p in zip(g.template.rows, g.template.cols, g.template.index, strict=True):
                if p in done:  # the same variance in another place
                    continue
                done.add(p)
                for c in (c for c in range(g.q) if (r, c) in place and (s, c) in place):
                    out[p, place[r, c]] += T[s, c, 0]
                    out[p, place[s, c]] += T[r, c, 0]
        return out

    def points(self) -> Points:
        """All that the search asks for."""
        K, R = self.x.shape
        gradient, curvature = np.zeros((K, R)), np.zeros((K, K, R))
        slopes = []
        for trace, a, T, square in zip(self._traces(), self.scores, self.T, self.design.squares, strict=True):
            S = trace - np.einsum("imr,jmr->ijr", a, a) / self.sigma2
            slopes.append(S)
            rows, cols, index = square.rows, square.cols, square.index
            np.add.at(gradient, index, 2 * np.einsum("ijr,jkr->ikr", S, T[:, :, 0])[rows, cols])
            same = (cols[:, None] == cols)[..., None]
            np.add.at(curvature, (index[:, None], index), np.where(same, 2 * S[np.ix_(rows, rows)], 0.0))
        J = self._jacobian()
        hessian = np.einsum("aKr,aLr->KLr", J, np.einsum("abr,bLr->aLr", self._average_information(), J))
        value = self.logdet + self.df * np.log(self.r2)
        if self.design.reml:
            value = value + self.logdet_X
        return Points(value, gradient, hessian + curvature, self.beta, self.sigma2, self._by_term(slopes))

    def _by_term(self, slopes: list[Floats]) -> Floats:
        """∂d/∂Ψ of each term, row by row one below the other, (Σ q², R)."""
        parts: list[Floats] = []
        for t, term in enumerate(self.design.terms):
            own = [
                S[member.columns, member.columns]
                for g, S in zip(self.cp.groupings, slopes, strict=True)
                for member in g.members
                if member.term == t
            ]
            if term.structure == "isotropic":
                parts.append(np.asarray(sum(np.einsum("iir->r", S) for S in own))[None])
            else:
                parts.append(own[0].reshape(-1, own[0].shape[-1]))
        return np.concatenate(parts)
