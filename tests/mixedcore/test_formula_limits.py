"""What a formula may cost, each limit at its bound and one over; and what the refusals say."""

from __future__ import annotations

import pytest

from mixedcore.errors import FormulaError
from mixedcore.formula import check_formula, check_width, limits
from tests.mixedcore.formula_refusals import refusal


def many(separator: str, count: int, piece: str = "x{}") -> str:
    return separator.join(piece.format(i) for i in range(count))


def wide(count: int) -> list[str]:
    return ["y", "x", "z", "g", *(f"x{i}" for i in range(count))]


def _tokens(n: int) -> str:
    """A formula of n tokens: y ~ x, sums of 103 tokens, and minus signs for the rest."""
    sums, rest = divmod(n - 3, 103)
    return "y ~ x" + ("+I(" + "+".join(["x"] * 50) + ")") * sums + "+I(" + "-" * (rest - 5) + "x)"


def _columns(n: int) -> str:
    return f"y ~ bs(x, 20):bs(z, {n // 20})" + "".join(f" + x{i}" for i in range(n % 20))


LIMITS = {
    "characters": (limits.MAX_CHARACTERS, lambda n: "y ~" + " " * (n - 4) + "x", "characters"),
    "tokens": (limits.MAX_TOKENS, _tokens, "words"),
    "nesting": (limits.MAX_NESTING, lambda n: "y ~ " + "(" * n + "x" + ")" * n, "brackets"),
    "chain": (limits.MAX_CHAIN, lambda n: "y ~ " + "+" * (n - 2) + "x", "chain"),
    "height": (limits.MAX_HEIGHT, lambda n: "y ~ I(" + "+".join(["x"] * (n - 2)) + ")", "deep"),
    "terms": (limits.MAX_TERMS, lambda n: "y ~ " + many("+", n), "terms"),
    "order": (limits.MAX_ORDER, lambda n: "y ~ " + many(":", n), "interaction"),
    "power": (limits.MAX_POWER, lambda n: f"y ~ I(x**{n})", "exponent"),
    "negative power": (limits.MAX_POWER, lambda n: f"y ~ I(x**-{n})", "exponent"),
    "nested power": (limits.MAX_POWER // 2, lambda n: f"y ~ I((x**2)**{n})", "exponent"),
    "power of terms": (limits.MAX_POWER, lambda n: f"y ~ (x + z)**{n}", "power"),
    "columns": (limits.MAX_COLUMNS, _columns, "columns"),
    "df": (limits.MAX_DF, lambda n: f"y ~ bs(x, df={n})", "df="),
    "degree": (limits.MAX_DEGREE, lambda n: f"y ~ bs(x, df=20, degree={n})", "degree="),
    "knots": (limits.MAX_KNOTS, lambda n: f"y ~ bs(x, knots={[1] * n})", "knots="),
    "smooths": (limits.MAX_SMOOTHS, lambda n: f"y ~ te({many(', ', n, 'cr(x, df=2)')})", "splines"),
    "smooth columns": (
        limits.MAX_SMOOTH_COLUMNS // 10,
        lambda n: f"y ~ te(cr(x, 10), cr(z, {n}))",
        "columns",
    ),
    "string": (limits.MAX_STRING, lambda n: f"y ~ I(x == '{'a' * n}')", "characters"),
    "list": (limits.MAX_LIST, lambda n: f"y ~ C(x, levels={[1] * n})", "entries"),
    "calls": (limits.MAX_CALLS, lambda n: "y ~ I(" + "+".join(["np.log(x)"] * (n - 1)) + ")", "functions"),
    "transforms": (limits.MAX_TRANSFORMS, lambda n: "y ~ " + many("+", n, "center(x{})"), "splines"),
    "digits": (limits.MAX_DIGITS, lambda n: "y ~ I(x * 0." + "1" * (n - 2) + ")", "number"),
    "integer": (limits.MAX_INTEGER, lambda n: f"y ~ I(x + {n})", "too large"),
    "bars": (limits.MAX_BARS, lambda n: "y ~ " + many("+", n, "(1 | x{})"), "random terms"),
}


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_is_reached_and_not_passed(name: str) -> None:
    bound, build, words = LIMITS[name]
    check_formula(build(bound), wide(300))
    message = refusal(build(bound + 1), wide(300))
    assert words in message, message
    if name not in ("digits", "integer", "nested power"):  # these say how to write the number instead
        shown = {"smooth columns": limits.MAX_SMOOTH_COLUMNS}.get(name, bound)
        assert f"{shown:,}" in message


def test_every_limit_is_tested() -> None:
    named = {value for name, value in vars(limits).items() if name.startswith("MAX_")}
    tested = {bound for bound, _, _ in LIMITS.values()} | {limits.MAX_SMOOTH_COLUMNS}
    assert named <= tested


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("y ~ agee", "There is no column 'agee'. Did you mean age?"),
        ("y ~ AGE", "Did you mean age?"),
        ("y ~ Q('od name')", 'Did you mean Q("odd name")?'),
        ("y ~ (1 | gg)", "There is no column 'gg'"),
        ("y ~ odd name", 'must be written Q("odd name")'),
        ("y ~ a.b", 'must be written Q("a.b")'),
        ("y ~ class", 'must be written Q("class")'),
        ("y ~ µ", 'must be written Q("µ")'),
        ("y ~ log(x)", "Write np.log"),
        ("y ~ cenetr(x)", "Did you mean center()?"),
        ("y ~ np.lgo(x)", "Did you mean np.log()?"),
        ("y ~ x(z)", "is a column, not a function"),
        ("y ~ C", "write C(x)"),
        ("y ~ C(sex, Treatmnt)", "Treatment, Sum"),
        ("y ~ bs(x, dff=3)", "df, knots"),
        ("y ~ x + 2", "I(x + 2)"),
        ("y ~ -x", "I(-x)"),
        ("y ~ x**2.5", "I(x**2)"),
        ("y ~ x\u00a0+ z", "no-break space"),
        ("y ~ I(1 < x < 3)", "(1 < x) * (x < 3)"),
    ],
)
def test_a_message_names_the_piece_and_the_remedy(formula: str, words: str) -> None:
    assert words in refusal(formula)


def test_a_column_that_patsy_takes_for_a_number_must_be_quoted() -> None:
    assert 'must be written Q("nan")' in refusal("y ~ nan", ["y", "nan"])


def test_check_width_counts_levels() -> None:
    levels = {"x": 5_000, "g": 20, "h": 30}
    check_width("x + C(g) + g:x + bs(x, df=4)", levels, numeric={"x"})
    check_width("0 + C(g):I(h)", levels, numeric={"x"})
    for text in ("C(x)", "g:h:I(x > 1)", "C(g):C(h) + x + g*h", "I(h):C(Q('x'))"):
        with pytest.raises(FormulaError, match="at most 1,000"):
            check_width(text, levels, numeric={"x"})
