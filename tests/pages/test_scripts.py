"""A model as programs: they run, give the numbers of the fit, and cannot be hijacked by names."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pages.ui.data import examples
from pages.ui.model import rwords, scripts
from pages.ui.model.lme4 import UntranslatableError
from pages.ui.model.modelcall import ModelCall
from tests.pages.test_modelcall import FULL, calls
from tests.reference import r_scripts


@dataclass(frozen=True, slots=True)
class Data:
    """The part of a Dataset that a script needs."""

    source: str
    notes: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    reader: tuple[str, ...] = ()


@settings(deadline=None)
@given(calls, st.text(), st.lists(st.text(), max_size=2).map(tuple))
@example(FULL, "f", ("\x00\rimport os\u2028",))
@example(ModelCall("y ~ x + (1 | g)", "", weights="w"), "f", ())
def test_a_script_is_python_whatever_the_text(call: ModelCall, name: str, notes: tuple[str, ...]) -> None:
    for source in (Data(f"example:{name}"), Data(f"upload:{name}", notes)):
        for script in (scripts.mixedcore(call, source), scripts.statsmodels(call, source)):
            statements = ast.parse(script).body
            if scripts.not_in_statsmodels(call) and not statements:
                continue  # a comment
            assigned = [s.targets[0].id for s in statements if isinstance(s, ast.Assign)]  # type: ignore[attr-defined]
            assert [*dict.fromkeys(assigned)] == ["data", "model", "result"]
            assert sum(isinstance(s, ast.Expr) for s in statements) == 1


def test_a_script_says_every_argument() -> None:
    assert scripts.mixedcore(FULL, Data("upload:my file.csv", ("Dates in when\nimport os",))) == (
        "import pandas as pd\n"
        "from mixedcore import mixedlm\n"
        "\n"
        'data = pd.read_csv("my file.csv")\n'
        "# Dates in when import os\n"
        "model = mixedlm(\n"
        '    "y ~ x",\n'
        "    data,\n"
        '    groups="g",\n'
        '    re_formula="1 + x",\n'
        '    vc_formula={"class": "0 + C(class)"},\n'
        '    missing="raise",\n'
        ")\n"
        "result = model.fit(reml=False)\n"
        "print(result.summary())\n"
    )


def test_the_statsmodels_script_differs_in_its_import_only() -> None:
    ours, theirs = scripts.mixedcore(FULL, Data("example:x")), scripts.statsmodels(FULL, Data("example:x"))
    changed = [
        pair for pair in zip(ours.splitlines(), theirs.splitlines(), strict=True) if len(set(pair)) > 1
    ]
    assert changed == [
        ("from mixedcore import mixedlm", "from statsmodels.formula.api import mixedlm"),
    ]


def test_the_statsmodels_script_chooses_the_rows_that_it_would_get_wrong() -> None:
    call = ModelCall('Q("a b") ~ x', "g", subset="x > 1")
    script = scripts.statsmodels(call, Data("example:x"))
    assert script.splitlines()[4:12] == [
        "data = data[(data['x'] > 1)]",
        'data = data.dropna(subset=["a b", "g", "x"])',
        'for name in data.select_dtypes("category"):',
        "    data[name] = data[name].cat.remove_unused_categories()",
        "model = mixedlm(",
        "    'Q(\"a b\") ~ x',",
        "    data,",
        '    groups="g",',
    ]
    assert "subset=(" not in script.partition("model = ")[2]
    assert 'missing="none"' in script
    assert "subset=" not in scripts.statsmodels(replace(call, formula="y ~ x", subset=""), Data("example:x"))


@pytest.mark.parametrize("formula", ["np.log(y) ~ x", "y ~ x + I(np .sqrt(x))"])
def test_a_script_imports_what_its_formula_calls(formula: str) -> None:
    script = scripts.mixedcore(ModelCall(formula, "g"), Data("example:x"))
    assert script.startswith("import numpy as np\n")
    assert "numpy" not in scripts.mixedcore(ModelCall("np_x ~ x", "g"), Data("example:x"))


def test_bars_weights_offset_and_a_condition_are_said() -> None:
    call = ModelCall("y ~ x + (1 | g)", "", weights="w", offset="o", subset='x > 1 and Q("a b") == "f"')
    assert call.in_bars
    assert not call.one_group
    assert scripts.mixedcore(call, Data("example:x")).splitlines()[4:12] == [
        "model = mixedlm(",
        '    "y ~ x + (1 | g)",',
        "    data,",
        "    subset=(data['x'] > 1) & (data['a b'] == 'f'),",
        '    missing="drop",',
        '    weights="w",',
        '    offset="o",',
        ")",
    ]


@pytest.mark.parametrize("change", [{"formula": "y ~ x + (1 | g)"}, {"weights": "w"}, {"offset": "o"}])
def test_what_statsmodels_lacks_is_a_comment(change: dict[str, str]) -> None:
    call = replace(FULL, **change)  # type: ignore[arg-type]
    assert scripts.not_in_statsmodels(call)
    assert scripts.statsmodels(call, Data("example:x")).startswith("# statsmodels has no")


def test_r_takes_weights_offset_and_a_condition() -> None:
    call = ModelCall("y ~ x + (1 | g)", "", weights="w", offset="o", subset='x > 1 and Q("a b") == "f"')
    frame = pd.DataFrame({"y": [1.0], "x": [2.0], "g": ["a"], "w": [1.0], "o": [0.0], "a b": ["f"]})
    script = scripts.lme4(call, frame)
    assert 'data <- subset(data, (x > 1) & (`a b` == "f"))' in script
    assert "REML = TRUE, weights = w, offset = o" in script


def test_one_group_is_an_array_of_ones() -> None:
    call = ModelCall("y ~ 1", "", None, (("a", "0 + C(a)"),))
    script = scripts.mixedcore(call, Data("example:Penicillin"))
    assert "import numpy as np" in script
    assert "groups=np.ones(len(data))" in script


def test_the_script_of_an_example_gives_its_fit(capsys: pytest.CaptureFixture[str]) -> None:
    call = ModelCall("Reaction ~ Days", "Subject", "1 + Days")
    names: dict[str, object] = {}
    exec(scripts.mixedcore(call, Data("example:sleepstudy")), names)  # noqa: S102 - our own program is what is tested
    assert "Days" in capsys.readouterr().out
    # lme4 1.1, REML criterion of the first fit in its vignette.
    assert -2 * names["result"].llf == pytest.approx(1743.6283, abs=1e-3)  # type: ignore[attr-defined]


# --- every example ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", examples.names())
def test_the_script_of_every_example_gives_the_fit_of_the_app(name: str) -> None:
    dataset, call = examples.dataset(name), examples.suggested(name)
    if len(dataset.frame) > 10_000:
        call = ModelCall(call.formula, call.groups or "s", "1")
    names: dict[str, Any] = {"print": lambda *_: None}
    program = scripts.mixedcore(call, dataset).replace("print(result.summary())", "")
    exec(program, names)  # noqa: S102 - our own program is what is tested
    assert names["result"].llf == pytest.approx(r_scripts.fitted(dataset.frame, call).llf, rel=1e-9)


# --- R, against what lme4 found when it ran the very same script ----------------------------------

STORED = json.loads((Path(r_scripts.__file__).with_suffix(".json")).read_text(encoding="utf-8"))["fits"]


@pytest.mark.parametrize("case", r_scripts.CASES)
def test_the_r_script_is_the_one_that_lme4_ran(case: str) -> None:
    frame, call = r_scripts.CASES[case]()
    assert scripts.lme4(call, frame) == STORED[case]["script"]


@pytest.mark.parametrize("case", r_scripts.CASES)
def test_lme4_found_the_same_numbers(case: str) -> None:
    """lmer stops its search at about 1e-6 of the criterion, so its estimates have four to six digits."""
    frame, call = r_scripts.CASES[case]()
    found, stored = r_scripts.fitted(frame, call), STORED[case]
    assert found.llf == pytest.approx(stored["logLik"], abs=1e-4)
    assert np.sort(found.fe_params) == pytest.approx(
        np.sort(np.atleast_1d(stored["beta"])), rel=1e-3, abs=1e-5
    )
    assert np.sqrt(found.scale) == pytest.approx(stored["sigma"], rel=1e-3)


@pytest.mark.parametrize(
    ("written", "in_r"),
    [
        ("y ~ x + C(g)", "y ~ x + factor(g)"),
        ("y ~ C(g, Sum) * x", "y ~ C(factor(g), contr.sum) * x"),
        ("y ~ C(g, Treatment('b'))", 'y ~ relevel(factor(g), ref = "b")'),
        ('np.log(y) ~ Q("a b") + I(x**2)', "log(y) ~ `a b` + I(x ^ 2)"),
        ("y ~ bs(x, df=4) + center(x)", "y ~ splines::bs(x, df = 4) + scale(x, scale = FALSE)"),
        ('y ~ Q("a`b") + (1 + x | Q("g h"))', "y ~ `a\\`b` + (1 + x | `g h`)"),
        ("y ~ (a + b)**2 + a:b", "y ~ (a + b)^2 + a:b"),
        ('y ~ Q("a ( b : c ^ d")', "y ~ `a ( b : c ^ d`"),
        ('y ~ Q("=x") + TRUE', "y ~ `'=x` + `TRUE`"),
    ],
)
def test_a_formula_in_r_s_words(written: str, in_r: str) -> None:
    assert rwords.formula(written) == in_r


@pytest.mark.parametrize(
    "written", ["y ~ standardize(x)", "y ~ cr(x, df=3)", "y ~ C(g, levels=['a'])", "y ~ (x"]
)
def test_what_r_would_read_differently_is_refused_with_the_reason(written: str) -> None:
    with pytest.raises(UntranslatableError):
        rwords.formula(written)
    frame = pd.DataFrame({"y": [1.0], "x": [1.0], "g": ["a"]})
    script = scripts.lme4(ModelCall(written, "g"), frame)
    assert script.startswith("# lme4 cannot fit this model")
    assert script.count("\n") == 1


@given(st.text())
def test_no_text_ends_its_string_or_name_in_r(value: str) -> None:
    for quoted in (rwords.text(value), rwords.name(f"{value} ")):
        quote = quoted[0]
        inside = re.sub(r"\\.", "", quoted[1:-1])
        assert quoted[-1] == quote
        assert quote not in inside
        assert "\n" not in quoted
