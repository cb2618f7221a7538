"""The chosen model in mathematics, level by level and in one: LaTeX with names from data made inert. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pages.ui.model import levels
from pages.ui.model.choices import Block, Choices
from pages.ui.model.levels import Effect, Facts, Key, Levels, Product
from pages.ui.model.shape import Factor
from pages.ui.text import latex, shorten

LONGEST_NAME = 18
LINE = 34
"""Characters on one line of an equation, so that a phone shows it without scrolling far."""
INDICES = "jklmnopq"
NORMAL = r"\sim \mathcal{N}"
COEFFICIENTS = {0: ("\\beta",), 1: ("\\beta", "\\gamma"), 2: ("\\pi", "\\beta", "\\gamma")}
"""Letters of the coefficients by level, for models with none, one and two levels above the rows."""
EFFECTS = "uvwbcdfh"


@dataclass(frozen=True, slots=True)
class Equations:
    """A model in mathematics.

    by_level : (plain title, LaTeX), level 1 first;  combined : all in one equation
    legend   : what each index counts, plain text
    """

    by_level: tuple[tuple[str, str], ...]
    combined: str
    legend: str


@dataclass(frozen=True, slots=True)
class Part:
    """One summand: its LaTeX and about how wide it is, in characters."""

    latex: str
    width: int


def equations(choices: Choices, blocks: Sequence[Block], facts: Facts) -> Equations:
    """The model of `choices`, its random part as `blocks`."""
    writer = _Writer(choices, levels.of(choices, blocks, facts), facts.categories)
    titles = ["Level 1: rows", *(f"Level {n}: {name}" for n, name in writer.stage_names())]
    bodies = [writer.level_one(), *(writer.level_above(stage) for stage in range(1, writer.depth))]
    return Equations(
        tuple((title, _aligned(lines)) for title, lines in zip(titles, bodies, strict=True)),
        _aligned(writer.combined()),
        writer.legend(),
    )


class _Writer:
    """Symbols of one model."""

    def __init__(self, choices: Choices, found: Levels, categories: frozenset[str]) -> None:
        self.choices, self.found = choices, found
        self.categories = categories | set(choices.categorical)
        self.depth = len(found.stages) + 1
        self.letters = COEFFICIENTS[self.depth - 1]
        self.index = self._indices()
        crossed = len(found.stages) == 1 and len(found.blocks) > 1
        self.row = f"i({''.join(self.index)})" if crossed else "i" + "".join(self._inner_first())
        self.numbers = self._numbers()

    # -- indices and names -----------------------------------------------------------------------------

    def _indices(self) -> list[str]:
        """The letter of each block, the innermost first."""
        order = [number for stage in self.found.stages for number in stage]
        letters = {number: INDICES[place % len(INDICES)] for place, number in enumerate(order)}
        return [letters[number] for number in range(len(order))]

    def _inner_first(self) -> list[str]:
        return [self.index[number] for stage in self.found.stages for number in stage]

    def of_stage(self, stage: int) -> str:
        """Index of a coefficient that differs between the groups of `stage` and above."""
        numbers = [number for each in self.found.stages[stage - 1 :] for number in each]
        return "".join(self.index[number] for number in numbers)

    def stage_names(self) -> list[tuple[int, str]]:
        """(level, names of its factors)."""
        return [
            (level, " and ".join(self.block_name(number) for number in numbers))
            for level, numbers in enumerate(self.found.stages, start=2)
        ]

    def block_name(self, number: int) -> str:
        """'class in school'."""
        return " in ".join(shorten(name, LONGEST_NAME) for name in reversed(self.found.blocks[number].factor))

    def legend(self) -> str:
        """'i: rows · j: class in school · k: school'."""
        order = [number for stage in self.found.stages for number in stage]
        groups = (f"{self.index[number]}: {self.block_name(number)}" for number in order)
        return " · ".join(["i: rows", *groups])

    def column_index(self, column: str) -> str:
        """Index of a column's values: of the groups within which it is constant, else of the rows."""
        level = self.found.level_of[column]
        if level == 0:
            return self.row
        crossed = len(self.found.stages[level - 1]) > 1
        return self.index[self.found.owner[column]] if crossed else self.of_stage(level)

    def factor(self, factor: Factor) -> str:
        """The values of a column as they enter."""
        value = rf"{_name(factor.column)}_{{{self.column_index(factor.column)}}}"
        base = {
            "none": value,
            "log": rf"\log {value}",
            "sqrt": rf"\sqrt{{{value}}}",
            "centre": rf"({value} - \overline{{{_name(factor.column)}}})",
            "standardise": rf"z({value})",
        }[factor.transform]
        if factor.power == 1:
            return base
        simple = factor.transform in ("none", "centre", "standardise", "sqrt")
        return rf"{base}^{{{factor.power}}}" if simple else rf"({base})^{{{factor.power}}}"

    def times(self, symbol: str, factors: Product) -> Part:
        """A coefficient times a product: one a level of a category, a curve for a spline."""
        levels_, values = [], []
        for factor in factors:
            if factor.column in self.categories:
                levels_.append(self.factor(factor))
            elif factor.spline != "none":
                values.append(rf"s({self.factor(factor)})")
            else:
                values.append(self.factor(factor))
        inside = f"[{', '.join(levels_)}]" if levels_ else ""
        width = 4 + sum(min(len(f.column), LONGEST_NAME) + 3 for f in factors)
        return Part(symbol + inside + "".join(rf"\,{value}" for value in values), width)

    # -- coefficients ----------------------------------------------------------------------------------

    def _numbers(self) -> dict[tuple[Product, ...], int]:
        """Prefix of a key → its number among those that share the rest; the intercept of each level is 0."""
        found: dict[tuple[Product, ...], int] = {}
        used: dict[tuple[Product, ...], int] = {}
        for key in self.found.keys:
            for level in range(self.depth):
                prefix = key[: level + 1]
                if prefix not in found:
                    before = prefix[:-1]
                    found[prefix] = 0 if not prefix[-1] else used.get(before, 0) + 1
                    used[before] = max(used.get(before, 0), found[prefix])
        return found

    def digits(self, key: Key, level: int) -> str:
        """The numbers of a coefficient's parts up to `level`."""
        return "".join(self._digit(key[: place + 1]) for place in range(level + 1))

    def _digit(self, prefix: tuple[Product, ...]) -> str:
        number = self.numbers.get(prefix, 0)
        return str(number) if number < 10 else f"{{,}}{number}"

    def varies(self, prefix: tuple[Product, ...]) -> bool:
        """Whether a coefficient differs between groups: by chance or by what explains it there."""
        keys = [key for key in self.found.keys if key[: len(prefix)] == prefix]
        explained = any(any(part for part in key[len(prefix) :]) for key in keys)
        by_chance = any(
            effect.key[: len(prefix)] == prefix for effects in self.found.random for effect in effects
        )
        return explained or by_chance

    def symbol(self, key: Key, level: int) -> str:
        """The coefficient of the parts up to `level`."""
        prefix, letter = key[: level + 1], self.letters[min(level, len(self.letters) - 1)]
        above = self.of_stage(level + 1) if level + 1 < self.depth and self.varies(prefix) else ""
        return rf"{letter}_{{{self.digits(key, level)}{above}}}"

    def prefixes(self, level: int) -> list[Key]:
        """One key for each coefficient of a level, in the order of the numbers."""
        first: dict[tuple[Product, ...], Key] = {}
        for key in self.found.keys:
            first.setdefault(key[: level + 1], key)
        return sorted(first.values(), key=lambda key: [self.numbers[key[: n + 1]] for n in range(level + 1)])

    def effect(self, effect: Effect) -> str:
        """The symbol of a random effect: its letter, the number of its coefficient, its group."""
        stage = next(n for n, s in enumerate(self.found.stages, start=1) if effect.block in s)
        crossed = len(self.found.stages[stage - 1]) > 1
        if crossed:
            letter, index = EFFECTS[effect.block % len(EFFECTS)], self.index[effect.block]
        else:
            letter = "r" if self.depth == 3 and stage == 1 else "u"
            index = self.of_stage(stage)
        name = self.digits(effect.key, stage - 1) if not effect.times else _short(effect.times)
        return rf"{letter}_{{{name}{index}}}"

    # -- lines -----------------------------------------------------------------------------------------

    def outcome(self) -> tuple[str, int]:
        """The left side of an equation, and its width."""
        value = self.factor_of_outcome()
        return value, min(len(self.choices.outcome), LONGEST_NAME) + 4

    def factor_of_outcome(self) -> str:
        value = rf"{_name(self.choices.outcome)}_{{{self.row}}}"
        return {"log": rf"\log {value}", "sqrt": rf"\sqrt{{{value}}}"}.get(
            self.choices.outcome_transform, value
        )

    def error(self) -> Part:
        return Part(rf"\varepsilon_{{{self.row}}}", 3)

    def level_one(self) -> list[str]:
        """The outcome of a row, and the distribution of its error."""
        left, begun = self.outcome()
        sums = [self.times(self.symbol(key, 0), key[0]) for key in self.prefixes(0)]
        return [f"{left} &= {_broken([*sums, *self.dots(), self.error()], begun)}", self.of_error()]

    def level_above(self, stage: int) -> list[str]:
        """What each coefficient of the level below is for a group, and how groups differ."""
        lines = []
        for below in self.prefixes(stage - 1):
            prefix = below[:stage]
            sums = [
                self.times(self.symbol(key, stage), key[stage])
                for key in self.prefixes(stage)
                if key[:stage] == prefix and self.stands(key, stage)
            ]
            sums += [self.times(self.effect(e), e.times) for e in self.at(stage) if e.key[:stage] == prefix]
            left = self.symbol(below, stage - 1)
            lines.append(f"{left} &= {_broken(sums or [Part('0', 1)], 5)}")
        return [*lines, *self.distributions(stage)]

    def stands(self, key: Key, stage: int) -> bool:
        """Whether a coefficient is more than a random effect: fixed, or with a level above it."""
        prefix = key[: stage + 1]
        if any(fixed[: stage + 1] == prefix for fixed in self.found.fixed):
            return True
        return stage + 1 < self.depth and any(
            effect.key[: stage + 1] == prefix
            for later in range(stage + 1, self.depth)
            for effect in self.at(later)
        )

    def at(self, stage: int) -> list[Effect]:
        numbers = self.found.stages[stage - 1]
        return [effect for effects in self.found.random for effect in effects if effect.block in numbers]

    def distributions(self, stage: int) -> list[str]:
        """Of the random effects of a stage, jointly where they may be correlated."""
        lines = []
        for effects in self.found.random:
            if not effects or effects[0].block not in self.found.stages[stage - 1]:
                continue
            symbols = [self.effect(effect) for effect in effects]
            letter = symbols[0][0]
            if len(effects) > 1:
                joint = r",\ ".join(symbols)
                lines.append(rf"({joint}) &{NORMAL}(\mathbf{{0}},\ \Psi_{{{letter}}})")
            else:
                digits = symbols[0].partition("{")[2].rstrip("}").rstrip(INDICES)
                lines.append(rf"{symbols[0]} &{NORMAL}(0,\ \tau^2_{{{letter}{digits}}})")
        return lines

    def of_error(self) -> str:
        return rf"{self.error().latex} &{NORMAL}(0,\ \sigma^2)"

    def dots(self) -> list[Part]:
        return [Part(r"\cdots", 3)] if self.found.more else []

    def combined(self) -> list[str]:
        """All levels in one equation."""
        left, begun = self.outcome()
        last = self.depth - 1
        fixed = [self.times(self.symbol(key, last), _joined(key)) for key in self._fixed_in_order()]
        random = [
            self.times(self.effect(effect), (*_joined(effect.key), *effect.times))
            for effects in self.found.random
            for effect in effects
        ]
        sums = [*(fixed or [Part("0", 1)]), *self.dots(), *random, self.error()]
        lines = [f"{left} &= {_broken(sums, begun)}"]
        for stage in range(1, self.depth):
            lines += self.distributions(stage)
        return [*lines, self.of_error()]

    def _fixed_in_order(self) -> list[Key]:
        known = set(self.found.fixed)
        return [key for key in self.prefixes(self.depth - 1) if key in known]


def _joined(key: Key) -> Product:
    return tuple(factor for part in reversed(key) for factor in part)


def _short(factors: Product) -> str:
    return r"\," + ",".join(_name(factor.column, 6) for factor in factors) + r"\,"


def _name(column: str, longest: int = LONGEST_NAME) -> str:
    return rf"\text{{{latex(shorten(column, longest))}}}"


def _broken(parts: Sequence[Part], begun: int) -> str:
    """The summands joined by plus signs, on as many lines as they need; `begun` characters are used up."""
    text, width = parts[0].latex, begun + parts[0].width
    for part in parts[1:]:
        new_line = width + part.width > LINE
        text += (r" \\ &\quad + " if new_line else " + ") + part.latex
        width = begun + part.width if new_line else width + part.width + 3
    return text


def _aligned(lines: Iterable[str]) -> str:
    return "\\begin{aligned}\n" + " \\\\[4pt]\n".join(lines) + "\n\\end{aligned}"
