"""What each column of a table can be in a model, and why not; first choices for a new table. No Streamlit.

Reasons are short clauses that complete "<column>: …", in plain text without the column's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from pandas.api import types

from pages.ui.model.choices import Choices
from pages.ui.numbers import figures

Kind = Literal["number", "category", "yes or no", "date"]

MANY_GROUPS = 10_000
MANY_LABELS = 10
"""A column whose name says nothing may name groups from this number of labels on."""
MOST_CODES = 20
"""A number column with at most this many values is offered as categories."""

GROUP_WORDS = re.compile(
    r"id$|^id|^nr$|^no$|code$|subj|person|patient|student|pupil|child|school|class|teacher|group|batch|site|clinic"
    r"|hosp|block|plot|cluster|family|litter|rail|plate|sample|region|country|district|village|team|worker|dept"
    r"|depart|participant|respondent|household|compan|firm|rater|judge|reviewer|doctor|therap|nurse|coach|couple"
    r"|dyad|stimul|word$|item(?!\w*\d)|centre|center"
    # German, French, Spanish, Italian and Dutch
    r"|schul|klasse|lehr|schül|schuel|kind$|gruppe|klinik|proband|versuchsp|^vpn?$|betrieb|firma|abteilung|gemeinde"
    r"|bundesland|beurteil|école|ecole|élève|eleve|enseignant|groupe|hôpital|hopital|escuela|colegio|clase|alumn"
    r"|profesor|grupo|centro|paciente|scuola|classe|student|gruppo|ospedale|klas$|leerling|groep|ziekenhuis|pati[eë]nt",
    re.IGNORECASE,
)
OUTCOME_WORDS = re.compile(
    r"^y$|score|outcome|response|reaction|result|achiev|ach$|math|read|weight|height|yield|strength|rating|distance"
    r"|post|time_taken|rt$|diameter|thickness|leistung|punkt|ergebnis|messwert|reaktion|^note$|nota$|résultat"
    r"|resultado|puntaje|punteggio|risultat",
    re.IGNORECASE,
)
WIDTHS = tuple(
    re.compile(words, re.IGNORECASE)
    for words in (
        r"country|region|district|state$|bundesland|pays|país",
        r"school|schul|hosp|clinic|klinik|compan|firm|betrieb|village|écol|ecole|escuela|scuola|centre|center",
        r"class|klasse|teacher|lehr|ward|dept|depart|abteilung|team|group|gruppe|therap|doctor|family|household",
        r"pupil|student|child|patient|person|subj|particip|respond|schül|kind$|proband|member|worker|élève|alumn",
        r"item|trial|stimul|word$|visit|wave|occasion|session|time|year",
    )
)
"""What names say of how wide groups are, the widest first."""


@dataclass(frozen=True, slots=True)
class Column:
    """What the Model page must know of one column.

    rows, present, levels : all rows, rows with a value, different values
    whole : whether all its numbers are whole
    """

    name: str
    kind: Kind
    rows: int
    present: int
    levels: int
    whole: bool

    @property
    def label(self) -> bool:
        """Whether it looks like labels rather than measurements."""
        return self.kind != "number" or (self.whole and self.levels < self.present)

    @property
    def balanced(self) -> bool:
        """Whether it may number things measured equally often, as 30 essays by six raters each."""
        times, rest = divmod(self.present, max(self.levels, 1))
        return self.label and self.levels >= MANY_LABELS and times > 1 and not rest

    @property
    def codes(self) -> bool:
        """Whether it is a number column that may stand for categories."""
        return self.kind == "number" and self.whole and self.levels <= MOST_CODES


def profile(frame: pd.DataFrame) -> tuple[Column, ...]:
    """One `Column` a column, in order. O(rows · columns)."""
    return tuple(_column(str(name), frame.iloc[:, place]) for place, name in enumerate(frame.columns))


def _column(name: str, values: pd.Series) -> Column:
    kind = _kind(values)
    present = values.dropna()
    whole = kind == "number" and _whole(present)
    return Column(name, kind, len(values), len(present), int(present.nunique()), whole)


def _whole(numbers: pd.Series) -> bool:
    finite = numbers.to_numpy(dtype=float)
    finite = finite[np.isfinite(finite)]
    return bool((finite == np.floor(finite)).all())


def _kind(values: pd.Series) -> Kind:
    if types.is_bool_dtype(values.dtype):
        return "yes or no"
    if types.is_datetime64_any_dtype(values.dtype) or types.is_timedelta64_dtype(values.dtype):
        return "date"
    return "number" if types.is_numeric_dtype(values.dtype) else "category"


def _same(column: Column) -> str:
    if column.present == 0:
        return "has no values"
    return "has the same value in every row" if column.levels < 2 else ""


def not_outcome(column: Column) -> str:
    """Why the column cannot be the outcome; '' when it can."""
    words = {
        "category": "is text, and an outcome must be a number",
        "date": "is a date",
        "yes or no": "is yes or no, and this model needs a measured number",
        "number": "",
    }
    return words[column.kind] or _same(column)


def outcome_caution(column: Column) -> str:
    """What to know about an outcome that is possible but unusual; '' when nothing."""
    if column.kind == "number" and column.levels == 2:
        return (
            "has two values only: this model then speaks of differences in shares, as if these spread alike "
            "everywhere. A logistic mixed model, which this app does not fit, suits such an outcome better"
        )
    if (
        column.label
        and column.whole
        and GROUP_WORDS.search(column.name)
        and not OUTCOME_WORDS.search(column.name)
    ):
        return "looks like a label of groups, not like something measured"
    return ""


def not_predictor(column: Column) -> str:
    """Why the column cannot explain anything; '' when it can."""
    if column.kind == "date":
        return "is a date; turn it into a number first"
    if column.kind == "category" and column.levels == column.present > 2:
        return "has a different text in every row"
    return _same(column)


def not_group(column: Column) -> str:
    """Why the column cannot group the rows; '' when it can."""
    if column.present and column.levels == 1:
        return "has one group only, and a mixed model compares groups"
    if column.levels == column.present > 0:
        return "has a different value in every row, so no group has two rows"
    if column.kind == "number" and not column.whole:
        return "is a measured number"
    return _same(column)


def group_caution(column: Column) -> str:
    """What to know about a grouping column that is possible but unusual; '' when nothing."""
    size = column.present / max(column.levels, 1)
    if column.levels > MANY_GROUPS:
        return (
            f"{column.levels:,} groups of {figures(size, 3)} rows on average: fitted all the same; plots "
            "show some."
        )
    if size < 1.5:
        return (
            f"Most of the {column.levels:,} groups have a single row, "
            "so what belongs to the group and what to the row can hardly be told apart."
        )
    if column.levels < 5:
        return f"Only {column.levels} groups: their variance will be known very roughly."
    return f"{column.levels:,} groups, {figures(size, 3)} rows each on average."


def texts(columns: Iterable[Column]) -> list[str]:
    """The columns that make several columns of a design even where they are not marked."""
    return [column.name for column in columns if column.kind != "number"]


# --- first choices -------------------------------------------------------------------------------


def guess(columns: Iterable[Column]) -> Choices | None:
    """The model that a new table starts from: an outcome by group, nothing else yet. None when there is none.

    The null model is where multilevel modelling starts (its ICC says how much the groups matter), and it
    can be fitted whenever there are a number that varies and labels that repeat.
    """
    known = tuple(columns)
    groups = max((c for c in known if not not_group(c)), key=group_score, default=None)
    able = [c for c in known if not not_outcome(c) and c is not groups]
    outcome = max(able, key=_outcome_score, default=None)
    if outcome is None:
        return None
    return Choices(outcome.name, groups=groups.name if groups else "", random_intercept=groups is not None)


def group_score(column: Column) -> float:
    """How likely the column names the groups of the rows; only the order means anything."""
    hint = 4 * bool(GROUP_WORDS.search(column.name))
    label = (column.kind == "category") + column.balanced
    several = (
        (1 + bool(label or hint)) * (column.levels >= 5)
        - 2 * (column.levels < 3)
        - 3 * (column.levels * 2 > column.present)
    )
    return hint + label + several - column.levels / (column.present + 1)


def width_of(name: str) -> int:
    """How wide groups are by their column's name: its place among WIDTHS, the middle if it says nothing."""
    return next((place for place, words in enumerate(WIDTHS) if words.search(name)), len(WIDTHS) // 2)


def _outcome_score(column: Column) -> float:
    hint = 2 * bool(OUTCOME_WORDS.search(column.name)) - 2 * bool(GROUP_WORDS.search(column.name))
    return hint + column.levels / column.present + 0.5 * (not column.whole)
