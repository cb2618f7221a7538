"""A call as a value: hashable, through JSON and back, and as programs that run and cannot be hijacked."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, dataclass

import pytest
from hypothesis import given, settings
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


@pytest.mark.parametrize(
    ("formula", "bars"),
    [("y ~ (1 | g)", True), ("y ~ Q('a|b')", False), ("y ~ (1 | g", True), ("y ~ x", False), ("|", True)],
)
def test_bars_are_told_from_names(formula: str, bars: bool) -> None:
    assert ModelCall(formula, "").in_bars == bars


def test_a_model_saved_before_it_had_weights_still_reads() -> None:
    assert ModelCall.from_json('{"formula": "y ~ x", "groups": "g"}') == ModelCall("y ~ x", "g")


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
