"""Results on file, pickled, copied, and without their data: the same fit, and nothing that a file can do."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import pickle
import re
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from patsy import ModelDesc
from scipy import special

from mixedcore import MixedLM, MixedLMResults, VCSpec, datasets, mixedlm
from mixedcore.errors import DataError
from tests.mixedcore.streams import chunked, classes, same_fit

DATA = classes(600)
NEW = DATA.head(7)
X = np.column_stack([np.ones(len(DATA)), DATA["x"]])
TRANSFORMS = "bs(x, df=4) + center(number) + standardize(x):truth + C(text, Sum) + np.exp(x)"


def twice(values: Any) -> Any:
    return 2 * values


def arrays() -> MixedLM:
    codes = DATA["school"].to_numpy()
    labels = np.unique(codes)
    rooms = [pd.get_dummies(DATA["room"][codes == g], dtype=float) for g in labels]
    spec = VCSpec(["room"], [[list(r.columns) for r in rooms]], [[r.to_numpy() for r in rooms]])
    return MixedLM(DATA["y"].to_numpy(), X, codes, exog_re=X, exog_vc=spec)


def offset_and_weights() -> MixedLM:
    data = DATA.assign(w=np.linspace(0.5, 2, len(DATA)), o=DATA["x"] / 3)
    return mixedlm("y ~ number", data, groups="school", re_formula="x", weights="w", offset="o")


def one_variable_of_mine() -> MixedLM:
    tenth = 0.1
    assert tenth
    return mixedlm("y ~ I(x * tenth)", DATA, groups="school")


MODELS: dict[str, Callable[[], MixedLM]] = {
    "slope": lambda: mixedlm("y ~ x + C(number)", DATA, groups="school", re_formula="x"),
    "components": lambda: mixedlm(
        "y ~ x", DATA, groups="school", re_formula="1", vc_formula={"room": "0 + room", "x": "0 + x"}
    ),
    "bars": lambda: mixedlm("y ~ text * x + (x || school) + (1 | teacher)", DATA),
    "transforms": lambda: mixedlm(f"y ~ {TRANSFORMS}", DATA, groups="school"),
    "terms of patsy": lambda: mixedlm(
        ModelDesc.from_formula("y ~ x"),
        DATA,
        groups="school",
        re_formula=ModelDesc.from_formula("~ 1 + x"),
        vc_formula={"room": ModelDesc.from_formula("~ 0 + C(room)")},
    ),
    "dates and truths": lambda: mixedlm("y ~ day + truth", DATA, groups="school"),
    "groups as array": lambda: mixedlm("y ~ x", DATA, groups=DATA["teacher"].to_numpy()),
    "labels of rows": lambda: mixedlm("y ~ x", DATA.set_index("day"), groups="school"),
    "nullable columns": lambda: mixedlm(
        "y ~ number + text", DATA.convert_dtypes().assign(y=DATA["y"]), groups="school"
    ),
    "matrix column": lambda: mixedlm(
        "y ~ m", {"y": DATA["y"].to_numpy(), "m": X[:, 1:] ** [1, 2], "g": DATA["school"].array}, groups="g"
    ),
    "dropped rows": lambda: mixedlm(
        "y ~ x", DATA.assign(x=DATA["x"].where(DATA["x"] < 1)), groups="school", missing="drop"
    ),
    "variable of the caller": one_variable_of_mine,
    "weights and offset": offset_and_weights,
    "weights beside": lambda: mixedlm("y ~ x", DATA, groups="school", weights=np.linspace(1, 2, len(DATA))),
    "arrays": arrays,
    "arrays without components": lambda: MixedLM(DATA["y"], X, DATA["school"]),
    "aliased": lambda: mixedlm("y ~ x + I(2 * x)", DATA, groups="school"),
    "no fixed effects": lambda: mixedlm("y ~ 0", DATA, groups="school"),
    "singular": lambda: mixedlm("Yield ~ 1", datasets.load("Dyestuff2"), groups="Batch"),
}  # fmt: skip
every_model = pytest.mark.parametrize("name", MODELS)


@cache
def fitted(name: str) -> MixedLMResults:
    return MODELS[name]().fit()


def new_data(name: str) -> Any:
    """Rows that the model's `predict` takes."""
    if name.startswith("arrays"):
        return X[:7]
    if name == "weights and offset":
        return NEW.assign(o=1.0)
    if name == "matrix column":
        return {"m": X[:7, 1:] ** [1, 2]}
    return datasets.load("Dyestuff2").head(4) if name == "singular" else NEW


def on_file(result: MixedLMResults, **options: Any) -> MixedLMResults:
    file = io.BytesIO()
    result.save(file, **options)
    loaded = MixedLMResults.load(file)
    assert isinstance(loaded, MixedLMResults)
    return loaded


def same_rows(found: MixedLMResults, expected: MixedLMResults) -> None:
    """What has an entry a row is the same to the last digit."""
    pd.testing.assert_frame_equal(found.augment(), expected.augment(), check_exact=True)
    assert np.array_equal(found.resid, expected.resid)
    assert found.model.row_index.equals(expected.model.row_index)
    assert list(found.random_effects) == list(expected.random_effects)
    for label, cov in found.random_effects_cov.items():
        other = expected.random_effects_cov[label]
        for own, theirs in ((cov[k], other[k]) for k in cov) if isinstance(cov, dict) else ((cov, other),):
            pd.testing.assert_frame_equal(own, theirs, check_exact=True)


def same_estimates(found: MixedLMResults, expected: MixedLMResults, new: Any) -> None:
    """What needs no rows: tables, the summary, predictions for new rows, tests."""
    assert np.array_equal(found.params, expected.params)
    assert (found.llf, found.scale, found.method) == (expected.llf, expected.scale, expected.method)
    for effects in ("fixed", "random", "blups"):
        pd.testing.assert_frame_equal(found.tidy(effects), expected.tidy(effects))
    assert str(found.summary()) == str(expected.summary())
    assert found.diagnose() == expected.diagnose()
    assert found.notes == expected.notes
    assert np.array_equal(found.predict(new), expected.predict(new))
    assert str(found.wald_test_terms()) == str(expected.wald_test_terms())
    assert found.model.exog_names == expected.model.exog_names
    assert found.model.group_labels == expected.model.group_labels
    assert found.optimisation.path.equals(expected.optimisation.path)


COPIES: dict[str, Callable[[MixedLMResults], MixedLMResults]] = {
    "file": on_file,
    "pickle": lambda result: pickle.loads(pickle.dumps(result)),  # noqa: S301
    "deepcopy": copy.deepcopy,
}


@every_model
@pytest.mark.parametrize("way", COPIES)
def test_a_copy_is_the_same_fit(name: str, way: str) -> None:
    found = COPIES[way](fitted(name))
    assert found is not fitted(name)
    same_estimates(found, fitted(name), new_data(name))
    same_rows(found, fitted(name))


@every_model
def test_a_copy_can_be_fitted_again(name: str) -> None:
    again = on_file(fitted(name)).model.fit()
    assert again.llf == pytest.approx(fitted(name).llf, abs=1e-9)


@every_model
@pytest.mark.parametrize("way", ["remove_data", "file"])
def test_without_data_all_else_stays(name: str, way: str) -> None:
    expected = fitted(name)
    found = on_file(expected, remove_data=True) if way == "file" else copy.deepcopy(expected)
    if way == "remove_data":
        found.remove_data()
    same_estimates(found, expected, new_data(name))
    for ask in (lambda: found.resid, lambda: found.fittedvalues, found.augment, found.predict):
        with pytest.raises(DataError, match="not kept"):
            ask()
    for ask in (lambda: found.model.endog, lambda: found.model.exog, lambda: found.model.groups):
        with pytest.raises(DataError, match="not kept"):
            ask()
    assert found.model.fit().llf == pytest.approx(expected.llf, abs=1e-9)
    assert found.model.fit(reml=False).llf == pytest.approx(expected.model.fit(reml=False).llf, abs=1e-9)
    found.remove_data()
    same_estimates(found, expected, new_data(name))


def test_removing_data_of_one_result_leaves_the_other() -> None:
    model = MODELS["slope"]()
    one, other = model.fit(), model.fit(reml=False)
    resid = one.resid
    other.remove_data()
    assert one.resid is resid
    assert one.model is model
    assert model.fit().llf == one.llf
    small, whole = len(pickle.dumps(other)), len(pickle.dumps(one))
    assert small < whole / 2


def test_saving_changes_nothing() -> None:
    result = MODELS["slope"]().fit()
    on_file(result, remove_data=True)
    assert len(result.resid) == len(DATA)


def test_a_path_a_string_and_an_open_file(tmp_path: Path) -> None:
    result = fitted("slope")
    for target in (tmp_path / "a.fit", str(tmp_path / "b.fit")):
        result.save(target)
        assert MixedLMResults.load(target).llf == result.llf
    with (tmp_path / "c.fit").open("wb") as stream:
        result.save(stream)
    with (tmp_path / "c.fit").open("rb") as stream:
        assert MixedLMResults.load(stream).llf == result.llf


def test_joblib(tmp_path: Path) -> None:
    joblib.dump(fitted("bars"), tmp_path / "a.joblib")
    same_estimates(joblib.load(tmp_path / "a.joblib"), fitted("bars"), NEW)


def test_rows_in_chunks_are_saved_without_them() -> None:
    streamed = mixedlm("y ~ x + text + (x | school)", chunked(DATA, 200)).fit()
    found = on_file(streamed)
    same_fit(found, streamed)
    assert np.array_equal(found.predict(NEW), streamed.predict(NEW))
    removed = mixedlm("y ~ x + text + (x | school)", chunked(DATA, 200)).fit()
    removed.remove_data()
    same_fit(removed, streamed)


def test_rows_read_by_a_function_need_not_be_pickled() -> None:
    """A closure cannot be pickled, nor patsy's state of `center`."""
    streamed = mixedlm("y ~ center(x) + (x | school)", lambda: iter(chunked(DATA, 200))).fit()
    found = pickle.loads(pickle.dumps(streamed))  # noqa: S301
    same_fit(found, streamed)
    assert np.array_equal(found.predict(NEW), streamed.predict(NEW))
    assert found.model.fit(reml=False).llf == pytest.approx(streamed.model.fit(reml=False).llf)


# -- files that are none, and files that mean harm -----------------------------------------------------------

ROWS = "mixedcore.engine.rows:Rows"


@cache
def saved(name: str) -> bytes:
    file = io.BytesIO()
    fitted(name).save(file)
    return file.getvalue()


def rewritten(change: Callable[[str], str], name: str = "value.json", fit: str = "transforms") -> io.BytesIO:
    """A saved result with one member of its zip changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved(fit))) as old, zipfile.ZipFile(out, "w") as new:
        for member in old.namelist():
            content = old.read(member)
            new.writestr(member, change(content.decode()).encode() if member == name else content)
    return out


def coded(code: str) -> io.BytesIO:
    """A saved result in which a factor's code is another."""
    return rewritten(lambda text: text.replace(json.dumps("np.exp(x)"), json.dumps(code)))


HARM: dict[str, Callable[[], io.BytesIO]] = {
    "code of another kind": lambda: coded("__import__('os').getcwd()"),
    "code with an attribute": lambda: coded("x.__class__"),
    "another module": lambda: rewritten(lambda t: t.replace('"numpy"', '"os"')),
    "a class of another package": lambda: rewritten(lambda t: t.replace(ROWS, "subprocess:Popen")),
    "a function of this package": lambda: rewritten(
        lambda t: t.replace(ROWS, "mixedcore.engine.rows:gather")
    ),
    "a module's import": lambda: rewritten(lambda t: t.replace(ROWS, "mixedcore.archive:zipfile")),
    "other fields": lambda: rewritten(lambda t: t.replace('"layout"', '"lay_out"')),
    "a number that is none": lambda: rewritten(lambda t: re.sub('"again": [0-9]+', '"again": 100000', t)),
    "another format": lambda: rewritten(lambda t: t.replace('"format": 1', '"format": 99'), "header.json"),
    "another program": lambda: rewritten(lambda t: t.replace('"mixedcore"', '"other"'), "header.json"),
    "text for JSON": lambda: rewritten(lambda t: t[: len(t) // 2]),
    "nothing": lambda: io.BytesIO(b""),
    "no zip": lambda: io.BytesIO(b"hello"),
    "a pickle": lambda: io.BytesIO(pickle.dumps(fitted("slope"))),
    "a model": lambda: rewritten(lambda t: json.dumps({"list": [1, 2]})),
}  # fmt: skip


@pytest.mark.parametrize("name", HARM)
def test_a_file_that_is_no_saved_result_is_refused(name: str) -> None:
    with pytest.raises(DataError):
        MixedLMResults.load(HARM[name]())


def tampered(at: int, value: str) -> io.BytesIO:
    """A saved result in which another value stands for one array or shared object."""
    places = iter(range(10_000))
    reference = re.compile(r'\{"(array|again)": [0-9]+\}')
    return rewritten(
        lambda text: reference.sub(lambda old: value if next(places) == at else old.group(), text)
    )


def test_whatever_is_wrong_is_an_error_of_this_library() -> None:
    """Bytes changed at random, and values replaced: read all the same, or refused; nothing else is raised."""
    rng = np.random.default_rng(3)
    for _ in range(60):
        damaged = np.frombuffer(saved("slope"), dtype=np.uint8).copy()
        damaged[rng.integers(damaged.size, size=3)] = rng.integers(256, size=3)
        with contextlib.suppress(DataError):
            MixedLMResults.load(io.BytesIO(damaged.tobytes()))
    odd = ("null", "{}", "[]", '"x"', "1e30", "-1", '{"again": 0}', '{"array": 0}', '{"list": [null]}')
    for value in odd:
        for at in rng.integers(200, size=6):
            with contextlib.suppress(DataError):
                MixedLMResults.load(tampered(int(at), value))


def test_arrays_of_python_objects_are_refused() -> None:
    """They are pickles inside; the header alone must not make NumPy open one."""
    file, out = io.BytesIO(), io.BytesIO()
    fitted("slope").save(file)
    harm = io.BytesIO()
    np.save(harm, np.array([{}], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(out, "w") as new:
        for member in old.namelist():
            new.writestr(member, harm.getvalue() if member == "arrays/0.npy" else old.read(member))
    with pytest.raises(DataError, match="cannot be read"):
        MixedLMResults.load(out)


def test_no_file_is_explained(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no file"):
        MixedLMResults.load(tmp_path / "absent.fit")


def test_a_function_of_the_program_is_pickled_but_not_saved(tmp_path: Path) -> None:
    result = mixedlm("y ~ twice(x)", DATA, groups="school").fit()
    with pytest.raises(DataError, match="calls twice"):
        result.save(tmp_path / "a.fit")
    assert not (tmp_path / "a.fit").exists()
    found = pickle.loads(pickle.dumps(result))  # noqa: S301
    assert np.array_equal(found.predict(NEW), result.predict(NEW))


def test_what_a_label_may_be() -> None:
    """Numbers, text, truths, dates and times; anything else is named in a sentence."""
    for groups in (
        DATA["day"],
        DATA["day"].dt.date,
        DATA["truth"],
        DATA["x"].round(0),
        DATA["day"].dt.tz_localize("Europe/Rome"),
    ):
        result = mixedlm("y ~ x", DATA, groups=groups.to_numpy()).fit()
        assert list(on_file(result).random_effects) == list(result.random_effects)
    odd = mixedlm("y ~ x", DATA, groups=[complex(s, 1) for s in DATA["school"]])
    with pytest.raises(DataError, match="complex"):
        on_file(odd.fit())


def test_another_module_is_pickled_but_not_saved() -> None:
    assert special.expit(0) == 0.5
    result = mixedlm("y ~ special.expit(x)", DATA, groups="school").fit()
    with pytest.raises(DataError, match=r"scipy\.special"):
        on_file(result)
    found = pickle.loads(pickle.dumps(result))  # noqa: S301
    assert np.array_equal(found.predict(NEW), result.predict(NEW))
