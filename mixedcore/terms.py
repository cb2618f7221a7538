"""Random terms: level codes, covariate rows, covariance structure and names. No formulas, no data frames.

A term contributes `Z b` with `b ~ N(0, σ² I ⊗ ΛΛ')`. `Z` is never formed: each `Block` keeps, for every
row, the code of its level and the covariates that multiply that level's coefficients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Structure = Literal["full", "diagonal", "isotropic"]


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One grouping of the rows: row i has coefficients b[codes[i]] and covariates basis[i].

    codes    : (n,) level of each row, 0 … n_levels − 1
    n_levels : m
    basis    : (n, q) covariates; a row of zeros takes no part
    group_of_level : (m,) code of the top-level group that contains each level; zeros where the
               model has no top-level groups
    labels   : m · q coefficient names, level by level ('classroom[C(classroom)[a]]'); only levels
               and columns that exist in Z are used, so a padding column carries the empty string
    counts   : None; where rows are read in chunks and not kept, `codes` (c,) are those of the c distinct
               combinations of levels, `counts` (c,) the rows of each, and basis is empty, (0, q)
    """

    codes: Ints
    n_levels: int
    basis: Floats
    group_of_level: Ints
    labels: Sequence[str]
    counts: Ints | None = None

    @property
    def width(self) -> int:
        """q, the number of coefficients a level."""
        return int(self.basis.shape[1])

    @property
    def sizes(self) -> Ints:
        """Rows of each level, (m,)."""
        return np.bincount(self.codes, self.counts, self.n_levels).astype(np.intp)


@dataclass(frozen=True, slots=True, eq=False)
class RandomTerm:
    """One covariance parameter set and the blocks of coefficients that share it.

    name      : grouping factor of a group term ('Subject'), or the variance component's name
    role      : 'group' for the term of `re_formula` (or a bar term), 'component' for an entry of `vc_formula`
    structure : 'full' (lower triangle of Λ, q(q+1)/2 parameters), 'diagonal' (q), 'isotropic' (1, Λ = λI)
    columns   : names of the q covariates of a group term ('Intercept', 'Days'); empty for a component
    blocks    : one for 'full' and 'diagonal'; one or more for 'isotropic'. Blocks of a component with
                several columns a row share λ.
    levels    : m labels of a group term's levels; empty for a component, whose blocks name theirs
    """

    name: str
    role: Literal["group", "component"]
    structure: Structure
    columns: tuple[str, ...]
    blocks: tuple[Block, ...]
    levels: Sequence[Any] = ()


@cache
def entries(structure: Structure, q: int) -> tuple[Ints, Ints, Ints]:
    """Rows, columns and parameter numbers of the free entries of a q × q template Λ.

    'full' counts the lower triangle by columns, as lme4 does. The same positions, mirrored, are the free
    entries of Ψ = ΛΛ'.
    """
    rows = cols = np.arange(q)
    if structure == "full":
        cols, rows = np.triu_indices(q)
    index = np.zeros(q, dtype=np.intp) if structure == "isotropic" else np.arange(rows.size)
    for shared in (rows, cols, index):
        shared.setflags(write=False)
    return rows, cols, index


def n_parameters(term: RandomTerm) -> int:
    """Number of covariance parameters of a term."""
    return int(entries(term.structure, term.blocks[0].width)[2].max()) + 1


@dataclass(frozen=True, eq=False)
class Template:
    """Where the parameters stand in the q × q factor T of one grouping: T[rows, cols] = theta[index].

    Several terms on the same levels share one grouping; T is then block diagonal.
    """

    q: int
    rows: Ints
    cols: Ints
    index: Ints

    @cached_property
    def parameters(self) -> tuple[Ints, Ints]:
        """The parameters that stand here, ascending, and the place among them of each entry's."""
        numbers, place = np.unique(self.index, return_inverse=True)
        return numbers, place

    def factor(self, theta: Floats) -> Floats:
        """T(θ), (q, q) lower triangular."""
        T = np.zeros((self.q, self.q))
        T[self.rows, self.cols] = theta[self.index]
        return T
