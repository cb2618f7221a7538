"""A call as a value: hashable, through JSON and back, and as programs that run and cannot be hijacked."""

from __future__ import annotations

import ast
import json
from dataclasses import FrozenInstanceError, dataclass, replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mixedcore.errors import ModelError
from pages.ui.model.modelcall import ModelCall

calls = st.builds(
    ModelCall,
    formula=st.text(),
    groups=st.text(),
    re_formula=st.none() | st.text(),
    vc_formula=st.lists(st.tuples(st.text(), st.text()), max_size=3).map(tuple),
    reml=st.booleans(),
    missing=st.sampled_from(["drop", "raise"]),
    weights=st.text(max_size=4),
    offset=st.text(max_size=4),
    subset=st.text(max_size=9),
)
FULL = ModelCall("y ~ x", "g", "1 + x", (("class", "0 + C(class)"),), reml=False, missing="raise")


@dataclass(frozen=True, slots=True)
class Data:
    """The part of a Dataset that a script needs."""

    source: str
    notes: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    reader: tuple[str, ...] = ()


@settings(deadline=None)
@given(calls)
def test_json_gives_the_same_call_back(call: ModelCall) -> None:
    back = ModelCall.from_json(call.to_json())
    assert back == call
    assert hash(back) == hash(call)


@settings(deadline=None)
@given(calls, st.text(), st.lists(st.text(), max_size=2).map(tuple))
@example(FULL, "f", ("\x00\rimport os\u2028",))
@example(ModelCall("y ~ x + (1 | g)", "", weights="w"), "f", ())
def test_a_script_is_python_whatever_the_text(call: ModelCall, name: str, notes: tuple[str, ...]) -> None:
    for source in (Data(f"example:{name}"), Data(f"upload:{name}", notes)):
        for script in (call.script(source), call.statsmodels_script(source)):
            statements = ast.parse(script).body
            if call.not_in_statsmodels and not statements:
                continue  # a comment
            assigned = [s.targets[0].id for s in statements if isinstance(s, ast.Assign)]  # type: ignore[attr-defined]
            assert assigned == ["data", "model", "result"]
            assert sum(isinstance(s, ast.Expr) for s in statements) == 1


def test_a_script_says_every_argument() -> None:
    assert FULL.script(Data("upload:my file.csv", ("Dates in when\nimport os",))) == (
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
    ours, theirs = FULL.script(Data("example:x")), FULL.statsmodels_script(Data("example:x"))
    changed = [
        pair for pair in zip(ours.splitlines(), theirs.splitlines(), strict=True) if len(set(pair)) > 1
    ]
    assert changed == [
        ("from mixedcore import mixedlm", "from statsmodels.formula.api import mixedlm"),
    ]


def test_bars_weights_offset_and_a_condition_are_said() -> None:
    call = ModelCall("y ~ x + (1 | g)", "", weights="w", offset="o", subset='x > 1 and Q("a b") == "f"')
    assert call.in_bars
    assert not call.one_group
    assert call.script(Data("example:x")).splitlines()[4:12] == [
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
    assert call.not_in_statsmodels
    assert call.statsmodels_script(Data("example:x")).startswith("# statsmodels has no")


@pytest.mark.parametrize(
    ("formula", "bars"),
    [("y ~ (1 | g)", True), ("y ~ Q('a|b')", False), ("y ~ (1 | g", True), ("y ~ x", False), ("|", True)],
)
def test_bars_are_told_from_names(formula: str, bars: bool) -> None:
    assert ModelCall(formula, "").in_bars == bars


def test_a_model_saved_before_it_had_weights_still_reads() -> None:
    assert ModelCall.from_json('{"formula": "y ~ x", "groups": "g"}') == ModelCall("y ~ x", "g")


def test_one_group_is_an_array_of_ones() -> None:
    script = ModelCall("y ~ 1", "", None, (("a", "0 + C(a)"),)).script(Data("example:Penicillin"))
    assert "import numpy as np" in script
    assert "groups=np.ones(len(data))" in script


def test_the_script_of_an_example_gives_its_fit(capsys: pytest.CaptureFixture[str]) -> None:
    call = ModelCall("Reaction ~ Days", "Subject", "1 + Days")
    names: dict[str, object] = {}
    exec(call.script(Data("example:sleepstudy")), names)  # noqa: S102 - our own program is what is tested
    assert "Days" in capsys.readouterr().out
    # lme4 1.1, REML criterion of the first fit in its vignette.
    assert -2 * names["result"].llf == pytest.approx(1743.6283, abs=1e-3)  # type: ignore[attr-defined]


def test_parts_name_their_fields() -> None:
    assert dict(FULL.parts()) == {"formula": "y ~ x", "re_formula": "1 + x", "vc_formula.0": "0 + C(class)"}
    assert dict(ModelCall("y ~ x", "g").parts()) == {"formula": "y ~ x"}


def test_a_call_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        FULL.reml = True  # type: ignore[misc]


def test_components_may_come_as_a_mapping() -> None:
    content = {"formula": "y ~ x", "groups": "g", "vc_formula": {"class": "0 + C(class)"}}
    assert ModelCall.from_mapping(content).vc_formula == (("class", "0 + C(class)"),)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "table of named parts"),
        ({}, "no 'formula'"),
        ({"formula": "y ~ x"}, "no 'groups'"),
        ({"formula": 1, "groups": "g"}, "'formula' must be text"),
        ({"formula": "y ~ x", "groups": None}, "'groups' must be text"),
        ({"formula": "y ~ x", "groups": "g", "re_formula": 1}, "'re_formula' must be text"),
        ({"formula": "y ~ x", "groups": "g", "reml": "yes"}, "'reml' must be true or false"),
        ({"formula": "y ~ x", "groups": "g", "missing": "none"}, "'missing' must be one of"),
        ({"formula": "y ~ x", "groups": "g", "missing": ["drop"]}, "'missing' must be one of"),
        ({"formula": "y ~ x", "groups": "g", "weights": 1}, "'weights' must be text"),
        ({"formula": "y ~ x", "groups": "g", "subset": None}, "'subset' must be text"),
        ({"formula": "y ~ x", "groups": "g", "vc_formula": 3}, "pairs of a name and a formula"),
        ({"formula": "y ~ x", "groups": "g", "vc_formula": [["a"]]}, "pairs of a name and a formula"),
        ({"formula": "y ~ x", "groups": "g", "vc_formula": {"a": 1}}, "both text"),
        ({"formula": "y ~ x", "groups": "g", "eval_env": 0}, "no part named 'eval_env'"),
    ],
)
def test_what_is_no_model_is_refused_in_words(content: object, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        ModelCall.from_json(json.dumps(content))


def test_text_that_is_not_json_is_refused_in_words() -> None:
    with pytest.raises(ModelError, match="not valid JSON"):
        ModelCall.from_json("{")
