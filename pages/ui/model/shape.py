"""How one column enters a formula: as it is, transformed, as powers or a spline, coded as levels. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from mixedcore.formula import quote_name

Transform = Literal["none", "log", "sqrt", "standardise", "centre"]
Spline = Literal["none", "bs", "cr"]
Contrast = Literal["none", "Treatment", "Sum", "Helmert", "Diff", "Poly"]
Level = str | int | float | bool

FUNCTIONS: Mapping[Transform, str] = {
    "log": "np.log",
    "sqrt": "np.sqrt",
    "standardise": "standardize",
    "centre": "center",
}
HIGHEST_POWER = 5
LEAST_DF, MOST_DF = 3, 12


@dataclass(frozen=True, slots=True)
class Factor:
    """One column as it stands in a term.

    categorical : marked with C(), coded by `contrast` ('none' is the usual one: each level against the first)
    reference   : the level that the others are compared with, for 'Treatment'
    transform   : of numbers;  power : of what that gives;  spline : of what that gives, with `df` columns
    """

    column: str
    categorical: bool = False
    transform: Transform = "none"
    power: int = 1
    spline: Spline = "none"
    df: int = 0
    contrast: Contrast = "none"
    reference: Level | None = None

    def __str__(self) -> str:
        name = quote_name(self.column)
        if self.categorical:
            return f"C({name})" if self.contrast == "none" else f"C({name}, {self._coding()})"
        base = f"{FUNCTIONS[self.transform]}({name})" if self.transform != "none" else name
        if self.spline == "bs":
            return f"bs({base}, df={self.df})"
        if self.spline == "cr":
            return f'cr({base}, df={self.df}, constraints="center")'
        return base if self.power == 1 else f"I({base}**{self.power})"

    def _coding(self) -> str:
        return self.contrast if self.reference is None else f"{self.contrast}({literal(self.reference)})"

    @property
    def single(self) -> bool:
        """Whether it is one column of numbers, when its column is one."""
        return not self.categorical and self.spline == "none"

    @property
    def shape(self) -> Shape:
        """The shape that this factor alone has."""
        return Shape(self.transform, 1, self.spline, self.df, self.contrast, self.reference)


def literal(level: Level) -> str:
    """A level as formula text: a number, True, or a string of one line in double quotes."""
    if not isinstance(level, str):
        return repr(level)
    return '"' + quote_name(f" {level}")[4:-1]  # Q(" level") without Q( and the space and the bracket


@dataclass(frozen=True, slots=True)
class Shape:
    """How a predictor enters: a transform of its numbers, then powers or a spline; or a coding of its levels.

    degree : highest power, each lower one included
    """

    transform: Transform = "none"
    degree: int = 1
    spline: Spline = "none"
    df: int = 0
    contrast: Contrast = "none"
    reference: Level | None = None

    def __post_init__(self) -> None:
        if self.spline == "none":
            object.__setattr__(self, "df", 0)
        else:
            object.__setattr__(self, "degree", 1)
            object.__setattr__(self, "df", min(max(self.df, LEAST_DF), MOST_DF))
        if self.contrast != "Treatment":
            object.__setattr__(self, "reference", None)
        elif self.reference is None:
            object.__setattr__(self, "contrast", "none")

    def settled(self, *, categorical: bool, fixed: bool) -> Shape:
        """What of this shape a column can have: numbers have no coding, categories only that; powers are of
        fixed effects."""
        if categorical:
            return Shape(contrast=self.contrast, reference=self.reference)
        return replace(self, contrast="none", reference=None, degree=self.degree if fixed else 1)

    def factors(self, column: str, *, categorical: bool = False) -> tuple[Factor, ...]:
        """The factors of a column of this shape, the first of them its base."""
        if categorical:
            return (Factor(column, True, contrast=self.contrast, reference=self.reference),)
        base = Factor(column, transform=self.transform, spline=self.spline, df=self.df)
        return tuple(replace(base, power=power) for power in range(1, self.degree + 1))


PLAIN = Shape()
