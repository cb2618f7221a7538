"""The engine's coefficients taken back to the rows: what the fixed part leaves, what the random part adds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mixedcore.engine.crossproducts import CrossProducts
from mixedcore.engine.rows import Chunked, Rows
from mixedcore.engine.scaling import outcome_column
from mixedcore.terms import Floats, RandomTerm


def outcome_less_fixed(rows: Rows, cp: CrossProducts, beta: Floats) -> Floats:
    """ys − Xs β (n,) at coefficients β (p,), in the engine's units, times the roots of the rows' weights."""
    fixed, moments = cp.fixed, cp.units.moments
    coefficients = fixed.start / fixed.y_scale + beta
    parts = [
        outcome_column(chunk, moments, cp.units.layout.outcome, fixed.about_mean) / fixed.y_scale
        - coefficients @ fixed.basis.values(chunk, moments)
        for chunk in rows.chunks()
    ]
    return np.concatenate(parts)


def random_part(
    rows: Rows, cp: CrossProducts, terms: Sequence[RandomTerm], modes: Sequence[Floats]
) -> Floats:
    """Zb (n,) for b given per grouping (q, m), in the engine's units, times the roots of the weights."""
    total = np.zeros(rows.n)
    for grouping, own in zip(cp.groupings, modes, strict=True):
        for member in grouping.members:
            basis = cp.scaled_terms[member.term].bases[member.block]
            b = own[member.columns][:, grouping.order]
            b = b if basis.mix is None else basis.mix @ b
            first = 0
            for chunk in rows.chunks([terms[member.term].blocks[member.block].codes]):
                columns, codes = basis.affine.values(chunk, cp.units.moments), chunk.codes[0]
                total[first : first + codes.size] += np.einsum("qr,qr->r", columns, b[:, codes])
                first += codes.size
    return total


def residual_gram(
    rows: Chunked, cp: CrossProducts, terms: Sequence[RandomTerm], b: Sequence[Floats]
) -> Floats:
    """(W − ZB)'(W − ZB) for W = [X y] and coefficients B of its columns, per grouping (p + 1, q, m)."""
    parts = []
    for grouping, own in zip(cp.groupings, b, strict=True):
        for member in grouping.members:
            basis = cp.scaled_terms[member.term].bases[member.block]
            B = own[:, member.columns][:, :, grouping.order]
            codes = terms[member.term].blocks[member.block].codes
            parts.append((basis.affine, B if basis.mix is None else np.matmul(basis.mix, B), codes))
    fixed, moments, gram = cp.fixed, cp.units.moments, np.zeros((cp.p + 1, cp.p + 1))
    for chunk in rows.chunks([codes for _, _, codes in parts]):
        X = fixed.basis.values(chunk, moments)
        y = outcome_column(chunk, moments, cp.units.layout.outcome, fixed.about_mean) - fixed.start @ X
        rest = np.vstack([X, y / fixed.y_scale])
        for (affine, B, _), codes in zip(parts, chunk.codes, strict=True):
            rest -= np.einsum("qr,wqr->wr", affine.values(chunk, moments), B[:, :, codes])
        gram += rest @ rest.T
    return gram
