"""From the structure of columns to the model's groups, and from a model to what it takes that structure for.

An answer says of one column whether its labels mean the same everywhere (SAME) or are each group's own; then
it is the name of the column of those groups.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from mixedcore.formula import formula_columns
from pages.ui.data.nesting import NEARLY_ROWS, Ints, Structure, recurrence
from pages.ui.model import builder, notation, roles
from pages.ui.model.choices import unique
from pages.ui.model.modelcall import WHOLE_DATA, ModelCall
from pages.ui.model.notation import Factor, UnreadError
from pages.ui.model.roles import GROUP_WORDS, MANY_LABELS, Column

SAME = ""
MOST_SUGGESTED = 4
Answers = Mapping[str, str]


def possible(columns: Iterable[Column]) -> list[str]:
    """Columns that can be looked at: their labels are not measurements, and there are two at least."""
    return [c.name for c in columns if c.label and c.kind != "date" and c.levels > 1]


def suggested(columns: Sequence[Column], call: ModelCall | None) -> list[str]:
    """The columns by which the model groups rows, then those whose names or labels look like groups."""
    able = set(possible(columns))
    used = {*predictors(call, [column.name for column in columns]), *_outcome(call)}
    likely = [
        c
        for c in columns
        if not roles.not_group(c) and c.kind != "yes or no" and c.name not in used and _like_groups(c)
    ]
    likely.sort(key=lambda c: -roles.group_score(c))
    return [n for n in unique([*_grouped_by(call), *(c.name for c in likely)]) if n in able][:MOST_SUGGESTED]


def _like_groups(column: Column) -> bool:
    if GROUP_WORDS.search(column.name):
        return True
    # Of labels that hardly come again, such as comments or numbers kept as text, groups cannot be made.
    comes_again = column.levels * 2 <= column.present
    return column.balanced or (column.kind == "category" and column.levels >= MANY_LABELS and comes_again)


def predictors(call: ModelCall | None, names: Sequence[str]) -> tuple[str, ...]:
    """The predictors of the model."""
    return builder.read(call, names).choices.fixed if call else ()


def _outcome(call: ModelCall | None) -> tuple[str, ...]:
    return tuple(formula_columns(call.formula.partition("~")[0])) if call else ()


def _grouped_by(call: ModelCall | None) -> list[str]:
    """The grouping column of a model and the factors of its components."""
    if call is None:
        return []
    inner = [name for _, formula in call.vc_formula for name in _factors(formula)]
    return [*([] if call.one_group else [call.groups]), *inner]


def _factors(formula: str) -> list[str]:
    """The columns of a component of factors alone; none where it is a slope or written in another way."""
    try:
        found = notation.read(formula)
    except UnreadError:
        return []
    factors = [factor for term in found.terms for factor in term]
    return [factor.column for factor in factors] if all(factor.categorical for factor in factors) else []


def top_of(call: ModelCall | None, columns: Sequence[Column]) -> str:
    """The column that comes first where the data leave it open."""
    if call is not None:
        return call.groups
    found = roles.guess(columns)
    return found.groups if found else ""


def answers_of(call: ModelCall | None, structure: Structure, fixed: Sequence[str] = ()) -> dict[str, str]:
    """What the model takes each column with recurring labels for; columns it does not use are left out.

    fixed : predictors, whose labels mean the same everywhere
    """
    found = {name: SAME for name in fixed if name in structure.names}
    for _, formula in call.vc_formula if call else ():
        named = [name for name in structure.names if name in _factors(formula)]
        if call and named and named[-1] not in found:
            outer = named[-2] if len(named) > 1 else call.groups
            if outer in (SAME, *structure.open(named[-1])):
                found[named[-1]] = outer
    return found


def harmless(structure: Structure, name: str) -> bool:
    """Whether nothing suggests that the column's labels are each group's own."""
    return not any(recurrence(structure, name, group).doubtful for group in structure.open(name))


def unanswered(structure: Structure, answers: Answers) -> list[str]:
    """Columns of which it must be said whether their labels mean the same everywhere."""
    asked = [name for name in structure.names if structure.open(name)]
    return [name for name in asked if name not in answers and not harmless(structure, name)]


# --- units and the model -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """One level of grouping: the groups that a column and those around it make.

    path : columns whose labels together name a group, the widest first
    code : (rows,) group of each row, −1 where a label is missing; groups : how many there are
    """

    name: str
    path: tuple[str, ...]
    code: Ints
    groups: int

    @property
    def names_rows(self) -> bool:
        """Whether nearly every group is a single row, which the residual already stands for."""
        return bool(self.groups >= NEARLY_ROWS * max((self.code >= 0).sum(), 1))


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """How the model groups rows.

    groups  : the column whose groups hold all others; '' when there is none
    units   : the levels used, the widest first
    fixed   : predictors of the model among the columns
    left    : column → why it is no level of its own
    """

    groups: str
    units: tuple[Unit, ...]
    fixed: tuple[str, ...]
    left: Mapping[str, str]


def unit_of(structure: Structure, name: str, answers: Answers) -> Unit:
    """The groups that the labels of a column name, together with those around it where they come again."""
    path = [name]
    while answers.get(path[0], SAME) in structure.open(path[0]):
        path.insert(0, answers[path[0]])
    code = structure.factor(path[0]).code
    for inner in path[1:]:
        factor = structure.factor(inner)
        known = (code >= 0) & (factor.code >= 0)
        code = pd.factorize(np.where(known, code * factor.levels + factor.code, -1), use_na_sentinel=True)[0]
        code = np.where(known, code, -1)
    levels = structure.factor(name).levels if len(path) == 1 else len(np.unique(code[code >= 0]))
    return Unit(name, tuple(path), code, levels)


def plan(structure: Structure, answers: Answers, fixed: Sequence[str] = ()) -> Plan:
    """The levels that a model can have of these columns beside the predictors `fixed`."""
    units: list[Unit] = []
    left: dict[str, str] = {}
    for name in structure.names:
        unit = unit_of(structure, name, answers)
        why = _no_level(structure, unit, units)
        if name in fixed:
            why = "is a predictor of the model, so its labels mean the same everywhere"
        if why:
            left[name] = why
        else:
            units.append(unit)
    holds = [u for u in units if len(u.path) == 1 and all(u is o or inside(structure, o, u) for o in units)]
    return Plan(
        holds[0].name if holds else WHOLE_DATA,
        tuple(units),
        tuple(name for name in structure.names if name in fixed),
        left,
    )


def _no_level(structure: Structure, unit: Unit, units: Sequence[Unit]) -> str:
    """Why the unit is no level of its own beside those found before; '' when it is."""
    if unit.groups < 2:
        return "has the same label in every row"
    if unit.names_rows:
        return "differs in (nearly) every row, and what belongs to a row is the residual"
    twin = next((other.name for other in units if _alike(structure, unit, other)), "")
    return f"makes the same groups as {twin}" if twin else ""


def inside(structure: Structure, inner: Unit, outer: Unit) -> bool:
    """Whether each group of `inner` lies in one of `outer`."""
    if len(inner.path) == len(outer.path) == 1:
        return structure.relation(inner.name, outer.name) in ("inside", "same")
    known = (inner.code >= 0) & (outer.code >= 0)
    pairs = pd.unique(inner.code[known].astype(np.int64) * max(outer.groups, 1) + outer.code[known])
    return len(pairs) == len(np.unique(inner.code[known]))


def _alike(structure: Structure, one: Unit, other: Unit) -> bool:
    return one.groups == other.groups and inside(structure, one, other) and inside(structure, other, one)


def apply(plan: Plan, call: ModelCall, names: Sequence[str]) -> ModelCall:
    """The model with these levels: the same outcome and predictors, and slopes where the groups stay."""
    same = plan.groups == call.groups
    levels = {component(unit, plan.groups): unit.name for unit in plan.units if unit.name != plan.groups}
    levels |= {formula: name for name, formula in call.vc_formula if formula in levels}
    kept = tuple((name, formula) for name, formula in call.vc_formula if same and _stays(formula, plan))
    if same and {formula for _, formula in call.vc_formula} == {*levels, *(f for _, f in kept)}:
        return call
    reading = builder.read(call, names)
    chosen = replace(
        reading.choices,
        groups=plan.groups,
        fixed=tuple(name for name in reading.choices.fixed if name != plan.groups),
        random_intercept=plan.groups != WHOLE_DATA,
        slopes=reading.choices.slopes if same else (),
        components=(),
    )
    typed: dict[builder.Part, str] = {p: why for p, why in reading.unread.items() if p == "formula"}
    written = builder.write(builder.Reading(chosen, typed), replace(call, vc_formula=()))
    rows = [(name, formula) for formula, name in levels.items()]
    random = (call.re_formula if same else None) or "1"
    return replace(
        written, re_formula=None if plan.groups == WHOLE_DATA else random, vc_formula=(*kept, *rows)
    )


def _stays(formula: str, plan: Plan) -> bool:
    """Whether a component is none of the levels: a slope, or an effect of a predictor by group."""
    factors = _factors(formula)
    return not factors or bool(set(factors) & set(plan.fixed))


def component(unit: Unit, groups: str) -> str:
    """The formula of a level as a variance component inside `groups`."""
    path = [name for name in unit.path if name != groups]
    return "0 + " + ":".join(str(Factor(name, categorical=True)) for name in path)


# --- what is drawn of it -------------------------------------------------------------------------

MOST_LEVELS = 3


def chain(structure: Structure, plan: Plan) -> list[Unit]:
    """Levels of which each lies in the one before, the widest first."""
    found: list[Unit] = []
    for unit in plan.units:
        if not found or inside(structure, unit, found[-1]):
            found.append(unit)
    return found[:MOST_LEVELS]


def tree(structure: Structure, levels: Sequence[Unit]) -> pd.DataFrame:
    """Rows of each smallest group of a chain: a column of labels a level, the widest first, and 'rows'."""
    known = np.logical_and.reduce([unit.code >= 0 for unit in levels])
    codes = pd.DataFrame({unit.name: structure.factor(unit.name).code[known] for unit in levels})
    sizes = codes.groupby(list(codes.columns), sort=True).size().rename("rows").reset_index()
    for unit in levels:
        labels = structure.factor(unit.name).labels.astype(str)
        sizes[unit.name] = labels[sizes[unit.name].to_numpy()]
    return sizes


def crossed_pair(structure: Structure, answers: Answers) -> tuple[str, str] | None:
    """The two columns to draw as a matrix: the first that cross, rows never taken for groups."""
    for name in structure.names:
        around = _around(name, answers)
        for other in structure.open(name):
            rows = structure.factor(name).names_rows or structure.factor(other).names_rows
            if not rows and other not in around:
                return name, other
    return None


def _around(name: str, answers: Answers) -> set[str]:
    """The columns in which a column lies by the answers: pupils in classes in schools lie in schools too."""
    found: set[str] = set()
    while (name := answers.get(name, SAME)) != SAME and name not in found:
        found.add(name)
    return found
