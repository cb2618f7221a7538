"""The exported names are a tested fact: what a user may import, and that each says what it is."""

from __future__ import annotations

import inspect
import types

import pytest

import mixedcore

# The whole planned surface; nothing else may be exported without a decision.
PLANNED = {
    "FormulaError",
    "MixedCoreError",
    "MixedLM",
    "MixedLMParams",
    "MixedLMResults",
    "VCSpec",
    "check_formula",
    "compare",
    "datasets",
    "mixedlm",
    "power",
    "simulate_nested",
}
# What is there for certain.
DELIVERED = {
    "FormulaError",
    "MixedCoreError",
    "MixedLM",
    "MixedLMParams",
    "MixedLMResults",
    "VCSpec",
    "check_formula",
    "compare",
    "datasets",
    "mixedlm",
    "power",
    "simulate_nested",
}


def public_methods(name: str) -> list[str]:
    """'MixedLM.fit' for each public method or property that a class of this library defines itself."""
    value = getattr(mixedcore, name)
    if not inspect.isclass(value):
        return []
    defined = (types.FunctionType, property, classmethod, staticmethod)
    return [
        f"{name}.{attribute}"
        for attribute, member in vars(value).items()
        if not attribute.startswith("_") and isinstance(member, defined)
    ]


METHODS = [method for name in mixedcore.__all__ for method in public_methods(name)]


def test_the_exported_names_are_sorted_planned_and_complete() -> None:
    assert list(mixedcore.__all__) == sorted(mixedcore.__all__)
    assert DELIVERED <= set(mixedcore.__all__) <= PLANNED


def test_dir_shows_no_stray_helpers() -> None:
    """Whatever else the package holds is a module: no NumPy, no helper that a completion would offer."""
    others = {name for name in vars(mixedcore) if not name.startswith("_")} - set(mixedcore.__all__)
    strays = [name for name in others - {"annotations"} if not inspect.ismodule(getattr(mixedcore, name))]
    assert strays == []


@pytest.mark.parametrize("name", mixedcore.__all__)
def test_a_public_name_is_documented(name: str) -> None:
    assert inspect.getdoc(getattr(mixedcore, name))


@pytest.mark.parametrize("path", METHODS)
def test_a_public_method_is_documented_and_typed(path: str) -> None:
    owner, method = path.split(".")
    value = inspect.getattr_static(getattr(mixedcore, owner), method)
    function = getattr(value, "fget", None) or getattr(value, "__func__", None) or value
    assert inspect.getdoc(function), f"{path} has no docstring"
    assert "return" in inspect.get_annotations(function), f"{path} does not say what it returns"


@pytest.mark.parametrize("name", [name for name in mixedcore.__all__ if name.endswith("Error")])
def test_an_error_belongs_to_the_tree(name: str) -> None:
    assert issubclass(getattr(mixedcore, name), mixedcore.MixedCoreError)


def test_programs_that_catch_value_error_still_do() -> None:
    assert issubclass(mixedcore.MixedCoreError, ValueError)
