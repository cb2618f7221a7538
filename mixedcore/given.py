"""Parameters as a program gives them, laid out by the terms of a model, in the user's units.

Three forms are understood: `MixedLMParams`; a Series with the names of `result.params` (values as there,
whatever `use_sqrt` says); and a packed array, with the fixed effects or without them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mixedcore.engine.chart import lower_root, parameters_of
from mixedcore.engine.scaling import ScaledTerm
from mixedcore.errors import ModelError
from mixedcore.packed import MixedLMParams, covariance_of, lower_triangle, root_of
from mixedcore.parameters import covariance_names, packed_order
from mixedcore.terms import Floats, RandomTerm
from mixedcore.units import free_entries

KNOWN_ZERO = 1e-10  # share of the two variances' geometric mean below which a covariance counts as none


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """A point in the user's parameters.

    fixed : fixed effects, as many as were given, or None
    psi   : per term the covariance of its coefficients over σ², (q, q); (1, 1) of an isotropic term
    roots : per term a lower triangular root of it, signs as given, or None where a covariance was given
    """

    fixed: Floats | None
    psi: tuple[Floats, ...]
    roots: tuple[Floats, ...] | None = None

    def lower_roots(self, terms: Sequence[RandomTerm]) -> tuple[Floats, ...]:
        """A lower triangular root of every covariance; ModelError where one has none."""
        if self.roots is not None:
            return self.roots
        return tuple(root_of(psi, term.name) for psi, term in zip(self.psi, terms, strict=True))


def read(params: Any, terms: Sequence[RandomTerm], sizes: Sequence[int], *, use_sqrt: bool) -> Given:
    """What `params` say of a model with these terms; `sizes`: numbers of fixed effects there may be.

    Raises ModelError for what does not fit the model.
    """
    if isinstance(params, MixedLMParams):
        return _from_object(params, terms, sizes)
    if isinstance(params, pd.Series) and (named := _by_name(params, terms, sizes)) is not None:
        return named
    return _from_array(np.asarray(params, dtype=np.float64).ravel(), terms, sizes, use_sqrt=use_sqrt)


def read_mask(free: MixedLMParams, terms: Sequence[RandomTerm]) -> list[Floats]:
    """Per term the mask (q, q) of its covariance's entries; ModelError for other sizes than the model's."""
    cov, vcomp = np.asarray(free.cov_re, dtype=float), np.asarray(free.vcomp, dtype=float).ravel()
    return _by_term(cov, vcomp, terms)


def to_params(fixed: Floats, psi: Sequence[Floats], terms: Sequence[RandomTerm]) -> MixedLMParams:
    """As an object: the group terms' covariances in blocks, the components' variances."""
    group = [matrix for matrix, term in zip(psi, terms, strict=True) if term.role == "group"]
    components = [float(v[0, 0]) for v, term in zip(psi, terms, strict=True) if term.role == "component"]
    size = sum(len(matrix) for matrix in group)
    covariance, first = np.zeros((size, size)), 0
    for matrix in group:
        covariance[first : first + len(matrix), first : first + len(matrix)] = matrix
        first += len(matrix)
    return MixedLMParams.from_components(fixed, covariance, None, np.array(components))


def _from_object(params: MixedLMParams, terms: Sequence[RandomTerm], sizes: Sequence[int]) -> Given:
    fixed = np.asarray(getattr(params, "fe_params", np.zeros(0)), dtype=float).ravel()
    if fixed.size not in {0, *sizes}:
        raise _wrong_size("fe_params", fixed.size, sizes[0])
    covariance = np.asarray(params.cov_re, dtype=float)
    vcomp = np.asarray(params.vcomp, dtype=float).ravel()
    psi = _by_term(covariance, vcomp, terms, within=True)
    return Given(fixed if fixed.size else None, tuple(psi))


def _by_term(
    covariance: Floats, vcomp: Floats, terms: Sequence[RandomTerm], *, within: bool = False
) -> list[Floats]:
    """The blocks of `cov_re` and the entries of `vcomp` that belong to each term.

    within : refuse covariances that the model does not have, between terms or of independent effects
    """
    sizes = [len(term.columns) for term in terms if term.role == "group"]
    if covariance.shape != (sum(sizes), sum(sizes)):
        raise _wrong_size("cov_re", covariance.shape, (sum(sizes), sum(sizes)))
    if vcomp.size != len(terms) - len(sizes):
        raise _wrong_size("vcomp", vcomp.size, len(terms) - len(sizes))
    out, first, left = [], 0, iter(vcomp.tolist())
    outside = covariance.copy()
    for term in terms:
        if term.role == "component":
            out.append(np.array([[next(left)]]))
            continue
        own = slice(first, first + len(term.columns))
        block, first = covariance[own, own].copy(), own.stop
        if term.structure == "diagonal":
            block = np.diag(np.diag(block))
        outside[own, own] -= block
        out.append(block)
    size = np.sqrt(np.abs(np.diag(covariance)))
    if within and (np.abs(outside) > KNOWN_ZERO * np.outer(size, size)).any():
        raise ModelError(
            "cov_re has a covariance between effects that are independent in this model; set it to zero."
        )
    return out


def _by_name(params: pd.Series, terms: Sequence[RandomTerm], sizes: Sequence[int]) -> Given | None:
    """A Series with the names of `result.params`; None where it has others."""
    names = covariance_names(terms)
    fixed = params.size - len(names)
    if fixed not in {0, *sizes} or list(params.index[fixed:]) != names:
        return None
    return _from_array(params.to_numpy(dtype=np.float64), terms, sizes, use_sqrt=False)


def _from_array(
    packed: Floats, terms: Sequence[RandomTerm], sizes: Sequence[int], *, use_sqrt: bool
) -> Given:
    k = packed_order(terms).size
    if packed.size - k not in {0, *sizes} or not np.isfinite(packed).all():
        raise ModelError(
            f"There are {packed.size} parameters; give {sizes[0]} fixed effects and {k} covariance "
            "parameters, or the covariance parameters alone, all finite."
        )
    first = packed.size - k
    fixed = packed[:first] if first else None
    psi, roots = [], []
    for term in terms:
        q = len(term.columns) if term.role == "group" else 1
        size = free_entries(term)[0].size
        own, first = packed[first : first + size], first + size
        triangle = own if term.structure == "full" else np.diag(own)[np.tril_indices(q)]
        psi.append(covariance_of(triangle, q, use_sqrt=use_sqrt))
        roots.append(lower_triangle(triangle, q))
    return Given(fixed, tuple(psi), tuple(roots) if use_sqrt else None)


def _wrong_size(what: str, found: Any, needed: Any) -> ModelError:
    return ModelError(f"{what} has the size {found} and this model needs {needed}.")


def engine_root(psi: Floats, term: RandomTerm, scaled: ScaledTerm) -> Floats:
    """Λ of one term in the engine's units from its covariance in the user's: (q, q), (1, 1) if isotropic."""
    root = root_of(psi, term.name)
    if term.structure == "isotropic":
        return root / scaled.unit
    if term.structure == "diagonal":
        return np.diag(np.diag(root) / np.diag(scaled.A))
    return lower_root(np.asarray(np.linalg.solve(scaled.A, root), dtype=np.float64))


def engine_theta(given: Given, terms: Sequence[RandomTerm], scaled: Sequence[ScaledTerm]) -> Floats:
    """θ (k,) in the engine's units; ModelError where a covariance is none."""
    parts = [
        parameters_of(term, engine_root(psi, term, own))
        for psi, term, own in zip(given.psi, terms, scaled, strict=True)
    ]
    return np.concatenate(parts) if parts else np.zeros(0)
