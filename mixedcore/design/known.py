"""What a fit keeps of its formulas, its rows in memory or streamed, to read new rows alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import patsy
from patsy.categorical import guess_categorical
from patsy.eval import EvalEnvironment

from mixedcore.data.columns import Settled
from mixedcore.data.frame import Frame
from mixedcore.design.components import making
from mixedcore.design.design import Design
from mixedcore.design.evaluation import evaluate
from mixedcore.design.factors import factor_names, unboxed
from mixedcore.design.spec import Spec
from mixedcore.design.stream import StreamDesign
from mixedcore.terms import Block, Ints

AnyDesign = Design | StreamDesign


@dataclass(frozen=True, eq=False)
class Known:
    """The formulas of a design, and what their columns were in the fit."""

    design: AnyDesign

    @property
    def frame(self) -> Frame:
        """The columns of a fit in memory."""
        assert self.design.frame is not None, "rows in memory, formulas"
        return self.design.frame

    @cached_property
    def spec(self) -> Spec:
        """The formulas of the model."""
        found = self.design.coding.spec if isinstance(self.design, StreamDesign) else self.design.spec
        assert found is not None, "a model from arrays has no formulas"
        return found

    @cached_property
    def env(self) -> EvalEnvironment:
        """Where the factors of components find what is no column."""
        if isinstance(self.design, StreamDesign):
            return self.design.coding.env
        assert self.design.namespace is not None, "a model from arrays has no formulas"
        return self.design.namespace.environment()

    @cached_property
    def settled(self) -> Mapping[str, Settled]:
        """The columns of the formulas as the fit had them; variables of the caller are none."""
        if isinstance(self.design, StreamDesign):
            return self.design.coding.settled
        return {name: v for name, v in self.frame.columns.items() if name not in self.frame.extra}

    @cached_property
    def columns(self) -> set[str]:
        """Columns that components may use: a streamed fit settles no type of one that only names levels."""
        if not isinstance(self.design, StreamDesign):
            return set(self.settled)
        named = map(self.design.coding.level_column, self.spec.components.values())
        return {*self.settled, *(name for name in named if name is not None)}

    @property
    def leading(self) -> int:
        """Number of bar terms, or of group terms: 1 or 0; components come after them."""
        return len(self.spec.bars) or int(self.spec.group is not None)

    def covariates(self, t: int) -> Sequence[patsy.Term]:
        """The covariates of a bar or group term."""
        return self.spec.bars[t].covariates if self.spec.bars else self.spec.group or ()

    def info(self, t: int) -> patsy.DesignInfo:
        """patsy's coding of a bar or group term's covariates."""
        if isinstance(self.design, StreamDesign):
            return self.design.coding.infos[1 + t]
        return self.design.re_infos[t]

    def component(self, t: int) -> tuple[str, Sequence[patsy.Term]]:
        """Name and terms of a variance component."""
        return list(self.spec.components.items())[t - self.leading]

    def making(self, t: int) -> str:
        """How a component was made: 'cells', 'plain' or 'by group'."""
        terms = self.component(t)[1]
        if isinstance(self.design, StreamDesign):
            return "plain" if self.design.coding.level_column(terms) is None else "cells"
        return making(terms, self.frame, self.env)

    def key(self, name: str) -> pd.Series:
        """Label in a grouping column of each row, or cell, that the codes of blocks count."""
        if isinstance(self.design, StreamDesign):
            return self.design.cells.column(self.design.coding.keys.index(name))
        return self.frame.group_labels(name)

    def group_of_level(self, block: Block) -> pd.Series:
        """Label of the top-level group that holds each level of a block, (m,)."""
        return pd.Series([self.design.group_labels[g] for g in block.group_of_level])

    def labels_of(self, factor: Any, rows: Ints) -> pd.Series:
        """Value of a categorical factor in some of the fit's rows, or cells."""
        if isinstance(self.design, StreamDesign):
            (name,) = factor_names(factor)
            return self.key(name).iloc[rows]
        return pd.Series(unboxed(evaluate(factor, self.frame.values(rows), self.env)))

    def categorical(self, factor: Any) -> bool:
        """Whether a factor of a component made of cells is one of levels; those of streamed fits all are."""
        if isinstance(self.design, StreamDesign):
            return True
        return bool(guess_categorical(evaluate(factor, self.one_row, self.env)))

    @property
    def one_row(self) -> Mapping[str, Any]:
        """A row of the fit, to see what kind of values factors have."""
        if isinstance(self.design, StreamDesign):
            return {name: values[:1] for name, values in self.design.coding.sample.items()}
        return self.frame.values(np.zeros(1, dtype=np.intp))
