"""Formulas from strangers: what must be refused without being evaluated, and what must pass and run."""

from __future__ import annotations

import time
import warnings
from contextlib import suppress

import numpy as np
import pandas as pd
import patsy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixedcore.errors import FormulaError
from mixedcore.formula import check_formula, numeric_columns, safe_environment, split
from mixedcore.formula.parts import read
from tests.mixedcore.formula_refusals import COLUMNS, nothing_runs, refusal

# Far above what any formula takes, for a busy machine; a runaway one takes minutes.
SLOW = 5.0


def test_the_audit_hook_sees_what_is_evaluated() -> None:
    with pytest.raises(AssertionError), nothing_runs():
        eval("1 + 1")  # noqa: S307 - the hook must notice


HOSTILE = [
    # Reaching for the interpreter
    "y ~ __import__('os').system('true')", "y ~ eval('1')", "y ~ exec('1')", "y ~ open('f')",
    "y ~ print(x)", "y ~ getattr(x, 'a')", "y ~ globals()", "y ~ breakpoint()", "y ~ type(x)", "y ~ vars()",
    "y ~ abs(x)", "y ~ x.__class__", "y ~ x.__class__.__mro__[1].__subclasses__()", "y ~ ().__class__",
    "y ~ ''.join(x)", "y ~ x.to_pickle('f')", "y ~ np.load('f')", "y ~ np.save('f', x)",
    "y ~ np.lib.npyio.load('f')", "y ~ np.fromfile('f')", "y ~ np.log.__self__", "y ~ np.log.reduce(x)",
    "y ~ np", "y ~ np.log", "y ~ np.ones(9)", "y ~ np.random.normal(x)", "y ~ np.vectorize(x)(z)",
    "y ~ np.power(x, 9)", "y ~ np['log'](x)", "y ~ np.log(x, out=x)", "y ~ np.log(x, where=z)",
    "y ~ np.log(*x)", "y ~ np.log(**x)", "y ~ np.log()", "y ~ Q('__builtins__')", "y ~ Q('np')", "y ~ Q(x)",
    "y ~ Q('o' + 's')", "y ~ Q()", "y ~ Q('x', 'z')", "y ~ Q(b'x')", "y ~ Q(f'x')", "y ~ Q(r'x')",
    "y ~ Q('x').values", "y ~ Q('x')('z')", "y ~ Q(*['x'])", "y ~ I(Q)", "y ~ I(C)", "y ~ I(np.log)",
    "y ~ ContrastMatrix(x, 'a')", "y ~ C(x, ContrastMatrix)", "y ~ C(x, np.ones)", "y ~ C(x, eval)",
    "y ~ C(x, [[1, 2]])", "y ~ C(x, levels=z)", "y ~ C(x, levels=[z])", "y ~ C(x, Treatment(z))",
    "y ~ C(x, Treatment(eval('1')))", "y ~ Treatment(x)", "y ~ C(x, Poly(scores=z))",
    "y ~ C(x, contrast=Treatment, contrast=Sum)", "y ~ C(x, Treatment, contrast=Sum)", "y ~ C(x, nope=1)",
    "y ~ _patsy_stobj0__center__.transform(x)", "y ~ EvalEnvironment", "y ~ __builtins__", "y ~ _",
    "y ~ __debug__",
    # Python that is no formula
    "y ~ (lambda: x)()", "y ~ [v for v in x]", "y ~ I([v for v in x])", "y ~ {v for v in x}", "y ~ {1: x}",
    "y ~ (v for v in x)", "y ~ I((v := x))", "y ~ (v := x)", "y ~ x if z else w", "y ~ I(x if z else w)",
    "y ~ f'{x}'", "y ~ I(f'{x}' == 'a')", "y ~ x[0]", "y ~ x[0:9]", "y ~ I(x[0])", "y ~ [x]",
    "y ~ I((x, z))", "y ~ await x", "y ~ (yield x)", "y ~ I(yield)", "y ~ not x", "y ~ I(x and z)",
    "y ~ I(x or z)", "y ~ x in z", "y ~ I(x is z)", "y ~ I(~x)", "y ~ I(x | z)", "y ~ I(x & z)",
    "y ~ I(x ^ z)", "y ~ I(x << 9)", "y ~ I(x >> 9)", "y ~ I(x @ z)", "y ~ I(1 < x < 3)", "y ~ ...",
    "y ~ I(...)", "y ~ .", "y ~ x.", "y ~ I(None)", "y ~ b'x'", "y ~ I(b'x' == x)", "y ~ 1j",
    "y ~ I(x * 1j)", "y ~ I(x * 0x10)", "y ~ I(x * 1_000)", "y ~ x; z", "y ~ x = z", "y ~ x -> z",
    "y ~ x # comment", "y ~ `odd name`", "y ~ x!", "y ~ x ? z", "y ~ $x", "y ~ x \\ z", "y ~ @x",
    "import os", "y ~ import os", "del x", "y ~ print", "y ~ x x", "y ~ 'x'", "y ~ I('x')", "y ~ 'a' 'b'",
    "y ~ Q('od' 'd name')", "y ~ Q('''x''')", 'y ~ Q("""x""")', r"y ~ Q('\N{BULLET}')", r"y ~ Q('\d')",
    "y ~ Q('\\0')",
    # Text and bytes that look like something else
    "y ~ x\x00", "\x00", "y ~ x\nz", "y ~ x\r+ z", "y ~ x\t+ z", "y ~ x\x0c", "y ~ x\u2028z",
    "y ~ x\u00a0+ z", "y ~ \u202ex", "y ~ x\u200b", "\ufeffy ~ x", "y ~ \ud800", "y ~ ｘ", "y ~ ｅｖａｌ(x)",
    "y ~ ｎｐ.log(x)", "y ~ np.ｌｏｇ(x)", "y ~ 𝐱", "y ~ µ", "y ~ x ∼ z", "y ～ x", "y ~ x＋z",
    "y ~ (x＋z)**２", "y ~ I(x**２)", "y ~ ª",
    # Memory and time
    "y ~ I(9**9**9)", "y ~ I(x**9**9)", "y ~ I((x**9)**9)", "y ~ I(2**x)", "y ~ I(x**z)", "y ~ I(x**-99)",
    "y ~ I('a' * 9999999999)", "y ~ I([0] * 9999999999 == x)", "y ~ I(x + '%999999999d' % 1)",
    "y ~ I(x * 1e999)", "y ~ I(x * 99999999999999999999)", "y ~ x**999999999", "y ~ (x + z)**" + "9" * 5000,
    "y ~ bs(x, df=999999999)", "y ~ bs(x, 999999999)", "y ~ bs(x, df=z)", "y ~ bs(x, df=9*9)",
    "y ~ bs(x, df=-1)", "y ~ bs(x, df=4, degree=99)", "y ~ bs(x, knots=z)", "y ~ bs(x, df=True)",
    "y ~ cr(x, df=5, constraints=z)", "y ~ cr(x, df=5, constraints=[[1, 2]])",
    "y ~ te(cr(x, df=50), cr(z, df=50))", "y ~ te(x, z)", "y ~ te()", "y ~ te(te(cr(x, df=3)))",
    "y ~ te(cr(x, df=3), levels=[1])", "y ~ te(*x)", "y ~ I(bs(x, df=4) * x)", "y ~ center(bs(x, df=4))",
    "y ~ np.exp(C(x))", "y ~ bs(x, df=50):bs(z, df=50)", "y ~ standardize(x, ddof=z)", "y ~ " + "(" * 5000,
    "y ~ " + "(" * 5000 + "x" + ")" * 5000, "y ~ I(" + "-" * 1500 + "x)", "~" * 3000,
    "y ~ " + "-" * 1500 + "1", "y ~ " + "+".join(["x"] * 900), "y ~ I(" + "+".join(["x"] * 900) + ")",
    "y ~ " + "*".join(["(x + z + w + g)"] * 30), "y ~ " + ":".join(["(x + z)"] * 30),
    "y ~ " + "x" * 100_000, "y ~ " + "np.exp(" * 18 + "x" + ")" * 18, "y ~ " + "[" * 100,
    "y ~ '" + "a" * 9_000 + "' == x",
    # The same inside random terms, outcomes and one-sided formulas
    "y ~ (eval('1') | g)", "y ~ (1 | eval('g'))", "y ~ (x.a | g)", "y ~ (1 | g[0])", "y ~ (1 | nope)",
    "y ~ (1 | Q(g))", "y ~ (1 | g/(h + x))", "y ~ (bs(x, df=99) || g)", "eval('1') ~ x", "y.a ~ x",
    "x + z ~ y", "1 ~ x", "~ eval('1')", "0 + eval('1')", "y ~ (x ~ z)", "y ~ I(x ~ z)", "(y ~ x)",
]  # fmt: skip


@pytest.mark.parametrize("formula", HOSTILE, ids=lambda f: ascii(f)[:40])
def test_a_hostile_formula_is_refused_unevaluated_and_at_once(formula: str) -> None:
    start = time.perf_counter()
    refusal(formula)
    assert time.perf_counter() - start < SLOW


LEGITIMATE = [
    "y ~ x", "y~x", "y ~ 1", "y ~ 0 + x", "y ~ x - 1", "y ~ -1 + x", "y ~ x*z + w", "y ~ (x + z + w)**2",
    "y ~ x/z - x:z", "y ~ sex/x", "np.log(y) ~ x", "I(y / 2) ~ x", 'Q("odd name") ~ x', "(y) ~ (x)", "~ x",
    "x + z", "0 + C(g)", "1", "~ 1", "y ~ Größe", 'y ~ Q("a.b") + Q("class") + Q("µ")',
    "y ~ I(x**2) + I((x + 1)**-2)", "y ~ I(x**0.5) + I((x - 3.5) / 2 * z // 2 % 3)", "y ~ I(1e-3 * x + .5)",
    "y ~ x > 3", 'y ~ I(sex == "f")', "y ~ I((x > 1) * (x <= 3))", 'y ~ C(sex, Treatment("m"))',
    "y ~ C(sex, Treatment(reference='m'))", "y ~ C(sex, Treatment)", "y ~ C(sex, Sum)",
    "y ~ C(sex, Sum(omit='f'))", "y ~ C(sex, Helmert)", "y ~ C(g, Diff)",
    "y ~ C(g, contrast=Poly(scores=[1, 2, 4]))", "y ~ C(sex, levels=['m', 'f'])",
    "y ~ C(x, levels=(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, -2.5), contrast=None)", "y ~ C(C(sex))",
    "y ~ center(x) + standardize(z, rescale=False)", "y ~ scale(x, center=True, ddof=1)", "y ~ bs(x, df=4)",
    "y ~ bs(x, 4, degree=2, include_intercept=True)",
    "y ~ bs(x, knots=[2, 3], lower_bound=-1, upper_bound=99)", "y ~ cr(x, df=4, constraints='center')",
    "y ~ cc(x, df=4)", "y ~ te(cr(x, df=3), cr(z, df=4), constraints='center')", "y ~ bs(np.log(x), df=4)",
    "y ~ np.log(x) + np.log1p(x) + np.log2(x) + np.log10(x) + np.exp(x / 9) + np.sqrt(x) + np.abs(x)",
    "y ~ np.sin(2 * np.pi * x) + np.cos(2 * np.pi * x)", "y ~ np.where(x > 3, x - 3, 0)",
    "y ~ np.maximum(x, 3)", "y ~ I(np.minimum(x, z))", "y ~ center(np.log(x)):z", "y ~ x + (1 | g)",
    "y ~ (1 + x | g)", "y ~ (x || g)", "y ~ (0 + x | g) + (1 | g:h)", "y ~ (1 | g/h)",
    'y ~ (np.log(x) | Q("odd name"))', "y ~ (1 | g) + (1 | h) - 1", "y ~ np.log (x)", "y ~ np . log(x)",
    "y ~ x + (((z)))", "y ~ C( sex ,  Treatment( 'm' ) )",
]  # fmt: skip


def frame(rows: int = 24) -> pd.DataFrame:
    """A frame with all COLUMNS: numbers from 1 up, two of text."""
    steps = np.arange(rows)
    data = {name: 1.0 + (steps * (i + 3)) % 11 for i, name in enumerate(COLUMNS)}
    return pd.DataFrame(
        data | {"g": np.array(list("abc"))[steps % 3], "sex": np.array(list("fm"))[steps % 2]}
    )


DATA = frame()


def evaluate(formula: str) -> None:
    """Evaluate each part of a checked formula where the app does."""
    parts = read(formula)
    texts = [parts.fixed, *(bar.covariates for bar in parts.bars)]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for text in texts if parts.response is None else [f"0 + {parts.response}", *texts]:
            patsy.dmatrix(text, DATA, eval_env=safe_environment())


@pytest.mark.parametrize("formula", LEGITIMATE)
def test_a_legitimate_formula_passes_unevaluated_and_then_runs(formula: str) -> None:
    with nothing_runs():
        check_formula(formula, COLUMNS)
    evaluate(formula)


TOKENS = [
    *COLUMNS, "np", "log", "exp", "where", "C", "Q", "I", "bs", "cr", "te", "center", "standardize",
    "Treatment", "Sum", "levels", "df", "knots", "constraints", "~", "+", "-", "*", "/", ":", "**", "(",
    ")", "[", "]", ",", "=", "==", "<", "|", "||", ".", "//", "%", "0", "1", "2", "3", "20", "1.5", "'a'",
    '"odd name"', "'center'", "[1, 2]", "True", "None", "lambda", "if", "eval", "__class__", "&", "@", "{",
    "\\", "#", "'", " ", "np.log(", "I(", "Q('x')", "(1 | g)", "C(sex)", "bs(x, df=4)", "df=4", "center(x)",
    "x + z", "y ~ x", "y ~ ",
]  # fmt: skip

# What a formula in the language may still run into on particular data: patsy's own error (which wraps
# whatever an expression raises), and the errors of its transforms when they settle their knots.
KNOWN_ERRORS = (patsy.PatsyError, ValueError, TypeError, NotImplementedError)


def fuzz(formula: str) -> None:
    start = time.perf_counter()
    try:
        with nothing_runs():
            check_formula(formula, COLUMNS)
            numeric = numeric_columns(formula, COLUMNS)
    except FormulaError:
        return
    finally:
        assert time.perf_counter() - start < SLOW
    if numeric & {"g", "sex"}:
        return  # arithmetic on text: refused where the data are known
    with suppress(*KNOWN_ERRORS):
        evaluate(formula)
    assert time.perf_counter() - start < SLOW


@given(st.text(max_size=60))
@settings(max_examples=400, deadline=None)
def test_any_text_passes_or_is_a_formula_error(text: str) -> None:
    fuzz(text)


@given(st.lists(st.sampled_from(TOKENS), max_size=14), st.sampled_from(["", " ", "y ~ ", "y ~ x + "]))
@settings(max_examples=1500, deadline=None)
def test_any_tokens_pass_or_are_a_formula_error(tokens: list[str], start: str) -> None:
    fuzz(start + " ".join(tokens))
    fuzz(start + "".join(tokens))


EXPRESSIONS = st.recursive(
    st.sampled_from(["x", "z", 'Q("odd name")', "2", "0.5"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "<", "=="]), inner).map(
            lambda t: f"({' '.join(t)})"
        ),
        inner.map("np.log({})".format),
        inner.map("center({})".format),
        inner.map("I({})".format),
        inner.map("-{}".format),
        inner.map("({})**2".format),
        st.tuples(inner, inner, inner).map(lambda t: f"np.where({', '.join(t)})"),
    ),
    max_leaves=8,
)
TERMS = st.one_of(
    EXPRESSIONS.map("I({})".format), EXPRESSIONS.map("C({})".format), EXPRESSIONS.map("bs({}, 4)".format)
)


@given(st.lists(TERMS, min_size=1, max_size=3), st.sampled_from([" + ", ":", "*", "/"]))
@settings(max_examples=300, deadline=None)
def test_formulas_of_the_language_run_or_fail_in_known_ways(terms: list[str], joint: str) -> None:
    fuzz("y ~ " + joint.join(terms))


@pytest.mark.parametrize("name", ["np", "C", "Q", "I", "center", "te", "Treatment"])
def test_a_column_that_hides_a_function_is_refused_only_where_it_would_be_called(name: str) -> None:
    calls = {"np": "np.log(x)", "Q": "Q('x')", "te": "te(cr(x, df=3))", "Treatment": "C(x, Treatment)"}
    assert "hides the function" in refusal(f"y ~ {calls.get(name, f'{name}(x)')}", ["y", "x", name])
    check_formula(f"y ~ {name}", ["y", "x", name])


def test_a_column_cannot_stand_in_for_a_transform() -> None:
    """patsy looks its transform objects up by name, behind the data."""
    reserved = "_patsy_stobj0__center__"
    assert "Rename the column" in refusal("y ~ center(x)", ["y", "x", reserved])
    check_formula(f'y ~ Q("{reserved}")', ["y", reserved])


def test_numeric_columns_are_those_calculated_with() -> None:
    formula = 'y ~ sex + C(g) + I(x + 1) + np.log(z) + center(Q(name="odd name")) + I(h == "a") + (I(-w) | g)'
    assert numeric_columns(formula, COLUMNS) == {"x", "z", "odd name", "w"}


def test_only_text_is_a_formula_and_only_names_are_columns() -> None:
    with pytest.raises(FormulaError, match="type NoneType"):
        check_formula(None, COLUMNS)  # type: ignore[arg-type]
    check_formula("y ~ x", ["y", "x", 3, None])  # type: ignore[list-item]


def test_what_is_checked_is_what_is_split() -> None:
    """The check reads the same texts that the layers above hand to patsy."""
    parts = split("y ~ x + (1 + z | g)")
    for text in (parts.response, parts.fixed, *(bar.covariates for bar in parts.bars)):
        assert text is not None
        check_formula(text, COLUMNS)
