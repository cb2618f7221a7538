"""The chosen model in mathematics, level by level and in one: LaTeX with names from data made inert. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pages.ui.model import levels, lines
from pages.ui.model.choices import Block, Choices
from pages.ui.model.levels import Effect, Facts, Key, Levels, Product
from pages.ui.model.lines import Equation
from pages.ui.model.shape import Factor
from pages.ui.text import latex, shorten

LONGEST_NAME, LEAST_NAME = 18, 6
INDICES = "jklmnopq"
NORMAL = r"\mathcal{N}"
MOST_JOINT = 6
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


def equations(choices: Choices, blocks: Sequence[Block], facts: Facts) -> Equations:
    """The model of `choices`, its random part as `blocks`."""
    writer = _Writer(choices, levels.of(choices, blocks, facts), facts.categories)
    titles = ["Level 1: rows", *(f"Level {n}: {name}" for n, name in writer.stage_names())]
    bodies = [writer.level_one(), *(writer.level_above(stage) for stage in range(1, writer.depth))]
    return Equations(
        tuple((title, lines.aligned(body)) for title, body in zip(titles, bodies, strict=True)),
        lines.aligned(writer.combined()),
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

    def factor(self, factor: Factor, longest: int) -> str:
        """The values of a column as they enter, its name no longer than that."""
        name = _name(factor.column, longest)
        value = rf"{name}_{{{self.column_index(factor.column)}}}"
        base = {
            "none": value,
            "log": rf"\log {value}",
            "sqrt": rf"\sqrt{{{value}}}",
            "centre": rf"({value} - \overline{{{name}}})",
            "standardise": rf"z({value})",
        }[factor.transform]
        if factor.power == 1:
            return base
        simple = factor.transform in ("none", "centre", "standardise", "sqrt")
        return rf"{base}^{{{factor.power}}}" if simple else rf"({base})^{{{factor.power}}}"

    def times(self, symbol: str, factors: Product) -> str:
        """A coefficient times a product, its names as long as a line has room for."""
        for longest in range(LONGEST_NAME, LEAST_NAME, -1):
            found = self._times(symbol, factors, longest)
            if lines.width(found) <= lines.ROOM:
                return found
        return self._times(symbol, factors, LEAST_NAME)

    def _times(self, symbol: str, factors: Product, longest: int) -> str:
        """One coefficient a level of a category, a curve for a spline."""
        levels_, values = [], []
        for factor in factors:
            if factor.column in self.categories:
                levels_.append(self.factor(factor, longest))
            elif factor.spline != "none":
                values.append(rf"s({self.factor(factor, longest)})")
            else:
                values.append(self.factor(factor, longest))
        inside = f"[{', '.join(levels_)}]" if levels_ else ""
        return symbol + inside + "".join(rf"\,{value}" for value in values)

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

    def outcome(self) -> str:
        """The left side of the equation of a row."""
        value = rf"{_name(self.choices.outcome)}_{{{self.row}}}"
        return {"log": rf"\log {value}", "sqrt": rf"\sqrt{{{value}}}"}.get(
            self.choices.outcome_transform, value
        )

    def error(self) -> str:
        return rf"\varepsilon_{{{self.row}}}"

    def level_one(self) -> list[Equation]:
        """The outcome of a row, and the distribution of its error."""
        sums = [self.times(self.symbol(key, 0), key[0]) for key in self.prefixes(0)]
        return [_equal(self.outcome(), [*sums, *self.dots(), self.error()]), self.of_error()]

    def level_above(self, stage: int) -> list[Equation]:
        """What each coefficient of the level below is for a group, and how groups differ."""
        found = []
        for below in self.prefixes(stage - 1):
            prefix = below[:stage]
            sums = [
                self.times(self.symbol(key, stage), key[stage])
                for key in self.prefixes(stage)
                if key[:stage] == prefix and self.stands(key, stage)
            ]
            sums += [self.times(self.effect(e), e.times) for e in self.at(stage) if e.key[:stage] == prefix]
            found.append(_equal(self.symbol(below, stage - 1), sums))
        return [*found, *self.distributions(stage)]

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

    def distributions(self, stage: int) -> list[Equation]:
        """Of the random effects of a stage, jointly where they may be correlated."""
        found = []
        for effects in self.found.random:
            if not effects or effects[0].block not in self.found.stages[stage - 1]:
                continue
            symbols = [self.effect(effect) for effect in effects]
            letter = symbols[0][0]
            if len(effects) > 1:
                first, *middle, last = lines.several(symbols, MOST_JOINT)
                joint = rf"{NORMAL}(\mathbf{{0}},\ \Psi_{{{letter}}})"
                found.append(Equation((f"({first}", *middle, f"{last})"), r"\sim", (joint,)))
            else:
                digits = symbols[0].partition("{")[2].rstrip("}").rstrip(INDICES)
                alone = rf"{NORMAL}(0,\ \tau^2_{{{letter}{digits}}})"
                found.append(Equation((symbols[0],), r"\sim", (alone,)))
        return found

    def of_error(self) -> Equation:
        return Equation((self.error(),), r"\sim", (rf"{NORMAL}(0,\ \sigma^2)",))

    def dots(self) -> list[str]:
        return [r"\cdots"] if self.found.more else []

    def combined(self) -> list[Equation]:
        """All levels in one equation."""
        last = self.depth - 1
        fixed = [self.times(self.symbol(key, last), _joined(key)) for key in self._fixed_in_order()]
        random = [
            self.times(self.effect(effect), (*_joined(effect.key), *effect.times))
            for effects in self.found.random
            for effect in effects
        ]
        found = [_equal(self.outcome(), [*(fixed or ["0"]), *self.dots(), *random, self.error()])]
        for stage in range(1, self.depth):
            found += self.distributions(stage)
        return [*found, self.of_error()]

    def _fixed_in_order(self) -> list[Key]:
        known = set(self.found.fixed)
        return [key for key in self.prefixes(self.depth - 1) if key in known]


def _equal(left: str, sums: Sequence[str]) -> Equation:
    """An equation; a sum of nothing is 0."""
    return Equation((left,), "=", tuple(sums) or ("0",))


def _joined(key: Key) -> Product:
    return tuple(factor for part in reversed(key) for factor in part)


def _short(factors: Product) -> str:
    return r"\," + ",".join(_name(factor.column, 6) for factor in factors) + r"\,"


def _name(column: str, longest: int = LONGEST_NAME) -> str:
    return rf"\text{{{latex(shorten(column, longest))}}}"
