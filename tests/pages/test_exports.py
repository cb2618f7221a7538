"""What leaves the app opens safely: no formula in a CSV cell, no markup in Markdown or LaTeX."""

from __future__ import annotations

import io
import re

import pandas as pd
import pytest

from pages.ui import exports
from tests.pages import fits

FRAME = pd.DataFrame({"=Name": ["=1+1", "@x", "a|b", "$y$"], "Value": ["−1.5", "12", "< 0.001", "1 × 10⁻⁷"]})


def test_a_csv_holds_numbers_in_full() -> None:
    raw = pd.DataFrame({"term": ["a"], "estimate": [1 / 3]})
    read = pd.read_csv(io.BytesIO(exports.csv(raw)), encoding="utf-8-sig")
    assert read["estimate"][0] == pytest.approx(1 / 3, rel=1e-15)


def test_no_csv_cell_is_a_formula() -> None:
    frame = pd.DataFrame({name: [name, -1.0] for name in fits.NAMES} | {"n": [-1.0, 2.0]})
    read = pd.read_csv(io.BytesIO(exports.csv(frame)), encoding="utf-8-sig", dtype=str)
    cells = [*read.columns, *read.drop(columns="n").to_numpy().ravel()]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]
    assert read["n"].tolist() == ["-1.0", "2.0"]


def test_categorical_and_missing_cells_survive() -> None:
    frame = pd.DataFrame({"g": pd.Categorical(["=a", None]), "when": pd.to_datetime(["2024-01-01", None])})
    assert exports.csv(frame).decode("utf-8-sig").splitlines() == ["g,when", "'=a,2024-01-01", ","]


def test_markdown_has_a_cell_for_each_cell() -> None:
    rows = exports.markdown(FRAME).splitlines()
    assert len(rows) == len(FRAME) + 2
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {3}
    assert rows[1] == "| --- | ---: |"


def test_latex_escapes_and_aligns() -> None:
    table = exports.latex(FRAME)
    assert r"\begin{tabular}{lr}" in table
    assert r"\$y\$" in table
    assert r"1 $\times$ 10$^{-7}$" in table
    assert table.count(r"\\") == len(FRAME) + 1
