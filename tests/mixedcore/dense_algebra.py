"""The mixed model by dense n × n algebra, and designs to try it on: the second route of the engine's tests.

Nothing here uses the factor; only the engine's units (which basis columns it centres and scales) are taken
from its cross-products, and they are checked by the tests through quantities in the user's units.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mixedcore.engine.chart import factor_of
from mixedcore.engine.crossproducts import CrossProducts, cross_products
from mixedcore.terms import Block, Floats, Ints, RandomTerm, entries, n_parameters


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """One design: y (n,), X (n, p), terms; group (n,) codes of the top-level groups."""

    y: Floats
    X: Floats
    terms: tuple[RandomTerm, ...]
    group: Ints


def block(codes: Ints, basis: Floats, group: Ints, name: str = "t") -> Block:
    """A block over the levels in `codes`, each inside the group that its rows have."""
    levels, codes = np.unique(codes, return_inverse=True)
    basis = np.ascontiguousarray(basis if basis.ndim == 2 else basis[:, None], dtype=float)
    of_level = np.zeros(levels.size, dtype=np.intp)
    of_level[codes] = group
    labels = [f"{name}{f}.{j}" for f in range(levels.size) for j in range(basis.shape[1])]
    return Block(codes.astype(np.intp), levels.size, basis, of_level, labels)


def full(codes: Ints, basis: Floats, group: Ints, structure: str = "full") -> RandomTerm:
    own = block(codes, basis, group)
    names = tuple(f"x{j}" for j in range(own.width))
    return RandomTerm("g", "group", structure, names, (own,), tuple(range(own.n_levels)))  # type: ignore[arg-type]


def component(name: str, *blocks: Block) -> RandomTerm:
    return RandomTerm(name, "component", "isotropic", (), blocks)


def designs() -> dict[str, Data]:
    """Small designs of every kind of random structure; the same on every call."""
    rng = np.random.default_rng(20240607)
    n = 150
    h = rng.integers(0, 5, n)
    g = h * 3 + rng.integers(0, 3, n)
    c = g * 4 + rng.integers(0, 4, n)
    one, x, z = np.ones(n), rng.normal(size=n) * 3 + 7, rng.normal(size=n)
    many = np.column_stack([one, x, z, *rng.normal(size=(5, n))])
    zero = np.zeros(n, dtype=np.intp)
    wide = rng.integers(0, 12, n)
    few = rng.integers(0, 7, n)
    quarter = rng.integers(0, 4, n)  # fewer levels than h, so that three nested groupings stand before it
    # Within the groups of h two factors cross: group h has 3 + h levels of one and 2 + h // 2 of the other.
    row = h * 10 + (rng.random(n) * (3 + h)).astype(int)
    col = h * 10 + (rng.random(n) * (2 + h // 2)).astype(int)
    half = np.where(np.arange(n) % 2 == 0, one, 0.0)
    sets: dict[str, tuple[RandomTerm, ...]] = {
        "intercept": (full(g, one, g),),
        "slope alone": (full(g, x, g),),
        "slopes 2": (full(g, many[:, :2], g),),
        "slopes 3": (full(g, many[:, :3], g),),
        "slopes 4": (full(g, many[:, :4], g),),
        "slopes 8": (full(h, many, h),),
        "uncorrelated": (full(g, many[:, :3], g, "diagonal"),),
        "nested chain": (
            full(h, many[:, :2], h),
            component("c", block(c, one, h), block(g, x, h)),
            component("g", block(g, np.column_stack([one, z]), h)),
        ),
        "crossed": (
            component("few", block(few, one, zero)),
            component("wide", block(wide, np.column_stack([one, x]), zero)),
        ),
        "crossed three ways": (full(few, one, few), full(wide, one, wide), full(quarter, one, quarter)),
        "crossed slopes": (full(few, many[:, :2], few), full(wide, many[:, [0, 2]], wide)),
        "nested and crossed": (
            full(h, many[:, :2], h),
            component("c", block(c, one, h)),
            component("g", block(g, z, h)),
            component("quarter", block(quarter, np.column_stack([one, x]), zero)),
        ),
        "crossed within groups": (
            full(h, many[:, :2], h),
            component("col", block(col, one, h)),
            component("row", block(row, np.column_stack([one, z]), h)),
        ),
        "columns that overlap": (
            full(h, one, h),
            component("s", block(g, half, h), block(row, np.column_stack([x, z]), h)),
        ),
    }
    X = np.column_stack([one, x, z])
    y = 2 + 0.5 * x + rng.normal(size=5)[h] + 0.7 * rng.normal(size=15)[g] + rng.normal(size=n) * 2
    y += 0.5 * rng.normal(size=12)[wide] + 0.2 * x * rng.normal(size=12)[wide]
    found = {name: Data(y, X, terms, zero if name == "crossed" else h) for name, terms in sets.items()}
    found["no fixed effects"] = Data(y, np.zeros((n, 0)), sets["slopes 2"], g)
    return found


def identity(terms: tuple[RandomTerm, ...]) -> Floats:
    """θ at Λ = I: every coefficient as variable as the residual, in the engine's units."""
    parts = []
    for term in terms:
        rows, cols, index = entries(term.structure, term.blocks[0].width)
        part = np.zeros(index.max() + 1)
        part[index[rows == cols]] = 1.0
        parts.append(part)
    return np.concatenate(parts)


def random_theta(terms: tuple[RandomTerm, ...], seed: int) -> Floats:
    """θ (k,) of ordinary size; from seed 1 on with zeros and tiny entries among them."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=sum(n_parameters(t) for t in terms)) * 0.7
    if seed:
        theta[rng.integers(theta.size)] = 0.0
        theta[-1] = 1e-5
    return theta


@dataclass(frozen=True, eq=False)
class Dense:
    """Everything about one θ (k,), in the user's units but for derivatives, from V (n, n) itself.

    V is in units of σ²; derivatives are with respect to the engine's θ or ψ.
    """

    data: Data
    cp: CrossProducts
    theta: Floats
    reml: bool

    @cached_property
    def factors(self) -> list[Floats]:
        """Λ of each term in the engine's units; (1, 1) for an isotropic one."""
        o = self.cp.offsets
        return [factor_of(t, self.theta[o[i] : o[i + 1]]) for i, t in enumerate(self.data.terms)]

    def unit(self, t: int, width: int) -> Floats:
        """(q, q): the engine's coefficients are the user's through this matrix."""
        scaled = self.cp.scaled_terms[t]
        return scaled.unit * np.eye(width) if self.data.terms[t].structure == "isotropic" else scaled.A

    def psi(self, t: int, width: int) -> Floats:
        """Covariance of a level's coefficients over σ², in the user's units."""
        T = self.factors[t] * np.eye(width) if len(self.factors[t]) == 1 else self.factors[t]
        root = self.unit(t, width) @ T
        return root @ root.T

    @cached_property
    def blocks(self) -> list[tuple[int, Block, Floats]]:
        """Term, block and Z (n, mq) of every block."""
        return [(t, b, indicator(b)) for t, term in enumerate(self.data.terms) for b in term.blocks]

    @cached_property
    def V(self) -> Floats:
        n = self.data.y.size
        parts = (Z @ np.kron(np.eye(b.n_levels), self.psi(t, b.width)) @ Z.T for t, b, Z in self.blocks)
        return sum(parts, np.eye(n))

    @cached_property
    def V_inv(self) -> Floats:
        return np.asarray(np.linalg.inv(self.V), dtype=np.float64)

    @cached_property
    def M(self) -> Floats:
        """(X'V⁻¹X)⁻¹."""
        return np.asarray(np.linalg.inv(self.data.X.T @ self.V_inv @ self.data.X), dtype=np.float64)

    @cached_property
    def P(self) -> Floats:
        VX = self.V_inv @ self.data.X
        return self.V_inv - VX @ self.M @ VX.T

    @cached_property
    def Py(self) -> Floats:
        return self.P @ self.data.y

    @property
    def beta(self) -> Floats:
        return self.M @ (self.data.X.T @ (self.V_inv @ self.data.y))

    @property
    def r2(self) -> float:
        return float(self.data.y @ self.Py)

    @property
    def df(self) -> int:
        return int(self.data.y.size - self.data.X.shape[1] * self.reml)

    @property
    def sigma2(self) -> float:
        return self.r2 / self.df

    def deviance(self, sigma2: float) -> float:
        """The criterion before σ² is profiled out."""
        d = np.linalg.slogdet(self.V).logabsdet + self.df * np.log(2 * np.pi * sigma2) + self.r2 / sigma2
        return float(d - np.linalg.slogdet(self.M).logabsdet * self.reml)

    @property
    def criterion(self) -> float:
        return self.deviance(self.sigma2)

    def derivative(self, p: int, inner: Floats | None = None) -> Floats:
        """∂V/∂ψ_p (n, n), or with `inner` (k, …) one matrix a term: Z (I ⊗ inner) Z'."""
        out = np.zeros_like(self.V)
        for t, b, Z in self.blocks:
            first = self.cp.offsets[t]
            rows, cols, index = entries(self.data.terms[t].structure, b.width)
            E = np.zeros((b.width, b.width))
            own = index + first == p
            E[rows[own], cols[own]] = 1.0
            if inner is not None:  # ∂(TT')/∂θ_p
                T = self.factors[t] * np.eye(b.width) if len(self.factors[t]) == 1 else self.factors[t]
                E = E @ T.T
                E = E + E.T
            else:
                E = np.maximum(E, E.T)
            if E.any():
                A = self.unit(t, b.width)
                out += Z @ np.kron(np.eye(b.n_levels), A @ E @ A.T) @ Z.T
        return out

    @cached_property
    def V_psi(self) -> list[Floats]:
        return [self.derivative(p) for p in range(self.cp.k)]

    @property
    def inner(self) -> Floats:
        """P for REML, V⁻¹ for ML: what log-determinants differentiate to."""
        return self.P if self.reml else self.V_inv

    @property
    def gradient(self) -> Floats:
        """∂d/∂θ."""
        slopes = (self.derivative(p, self.theta) for p in range(self.cp.k))
        return np.array([np.sum(self.inner * D) - self.Py @ D @ self.Py / self.sigma2 for D in slopes])

    @cached_property
    def quadratics(self) -> Floats:
        """y'PV̇Py for every ψ."""
        return np.array([self.Py @ D @ self.Py for D in self.V_psi])

    @cached_property
    def working_products(self) -> Floats:
        """y'PV̇_pPV̇_qPy."""
        w = np.column_stack([D @ self.Py for D in self.V_psi])
        return w.T @ self.P @ w

    @property
    def average_information(self) -> Floats:
        """Average information for ψ, σ² profiled out."""
        q = self.quadratics
        return self.working_products / self.sigma2 - np.outer(q, q) / (self.sigma2 * self.r2)

    @property
    def hessian(self) -> Floats:
        """Observed ∂²d/∂(ψ, σ²)², σ² at r²/df, exact: −tr(PV̇PV̇) + 2y'PV̇PV̇Py/σ² and its borders."""
        k, s2 = self.cp.k, self.sigma2
        out = np.empty((k + 1, k + 1))
        QV = [self.inner @ D for D in self.V_psi]
        traces = np.array([[np.sum(a * b.T) for b in QV] for a in QV])
        out[:k, :k] = 2 * self.working_products / s2 - traces
        out[:k, k] = out[k, :k] = self.quadratics / s2**2
        out[k, k] = self.df / s2**2
        return out

    def joint_covariance(self, rows: Ints) -> Floats:
        """Conditional covariance of the coefficients that some rows (one group's) use: σ²(Ψ − ΨZ'V⁻¹ZΨ)."""
        Zs, psis = [], []
        for t, b, Z in self.blocks:
            levels = np.unique(b.codes[rows])
            coefs = (levels[:, None] * b.width + np.arange(b.width)).ravel()
            Zs.append(Z[np.ix_(rows, coefs)])
            psis.append(np.kron(np.eye(levels.size), self.psi(t, b.width)))
        Z = np.column_stack(Zs)
        psi = np.zeros((Z.shape[1], Z.shape[1]))
        at = 0
        for part in psis:
            psi[at : at + len(part), at : at + len(part)] = part
            at += len(part)
        V = self.V[np.ix_(rows, rows)]
        return self.sigma2 * (psi - psi @ Z.T @ np.linalg.solve(V, Z @ psi))


def indicator(b: Block) -> Floats:
    """Z (n, mq) of a block, coefficients level by level."""
    n = b.codes.size
    Z = np.zeros((n, b.n_levels * b.width))
    for j in range(b.width):
        Z[np.arange(n), b.codes * b.width + j] = b.basis[:, j]
    return Z


def with_variance(data: Data) -> Data:
    """The same design with an outcome in which every random effect varies as much as the residual."""
    cp, rng = cross_products(data.y, data.X, data.terms), np.random.default_rng(3)
    unit = Dense(data, cp, identity(data.terms), True)
    random = [
        Z @ np.kron(np.eye(b.n_levels), unit.unit(t, b.width)) @ rng.normal(size=Z.shape[1])
        for t, b, Z in unit.blocks
    ]
    return replace(data, y=sum(random, data.X.sum(axis=1) + rng.normal(size=data.y.size)))
