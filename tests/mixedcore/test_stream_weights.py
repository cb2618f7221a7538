"""Prior weights and an offset of data in chunks: the fit and the words are those in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedcore import MixedCoreError, mixedlm
from mixedcore.data.passes import Progress
from tests.mixedcore.streams import SAME, chunked, classes, same_fit

DATA = classes()
# formula, further arguments, passes
MODELS: dict[str, tuple[str, dict[str, Any], int]] = {
    "slope": ("y ~ x + (x | school)", {}, 2),
    "crossed and nested": ("y ~ x + (1 | school/room) + (x | teacher)", {}, 2),
    "categories": ("y ~ x * text + truth + C(number) + day + (text | school)", {}, 3),
    "components": ("y ~ x", {"groups": "school", "vc_formula": {"r": "0 + C(room)", "s": "0 + x"}}, 2),
}
BESIDE: dict[str, dict[str, Any]] = {
    "weights": {"weights": "w"},
    "offset": {"offset": "o"},
    "both": {"weights": "w", "offset": "o"},
    "in the formula too": {"weights": "number", "offset": "x"},
}


def with_beside() -> pd.DataFrame:
    """Prior weights a few of which are heavy, and an offset far from zero; some missing, infinite or both."""
    rng = np.random.default_rng(8)
    data = DATA.assign(w=np.exp(2 * rng.normal(size=len(DATA))), o=1e6 + 3 * rng.normal(size=len(DATA)))
    data["y"] += data["o"]
    data.loc[data.index % 17 == 0, "w"] = np.nan
    data.loc[data.index % 19 == 0, "o"] = np.inf
    data.loc[1000:1499, "x"] = np.nan
    return data


@pytest.mark.parametrize("beside", BESIDE.values(), ids=BESIDE)
@pytest.mark.parametrize("name", MODELS)
def test_weights_and_offset_as_in_memory(name: str, beside: dict[str, Any]) -> None:
    formula, how, passes = MODELS[name]
    data = with_beside()
    seen: list[Progress] = []
    how = how | beside | {"missing": "drop"}
    expected = mixedlm(formula, data, **how).fit()
    found = mixedlm(formula, chunked(data, 500), progress=seen.append, **how).fit()
    same_fit(found, expected)
    assert max(each.pass_number for each in seen) == passes
    new = DATA.iloc[:20].assign(w=2.0, o=np.arange(20.0))
    pd.testing.assert_series_equal(found.predict(new), expected.predict(new), rtol=SAME, atol=SAME)


def test_shares_with_weights_of_nearly_collinear_columns() -> None:
    noise = np.random.default_rng(3).normal(size=len(DATA))
    data = with_beside().assign(z=lambda d: d["x"] + 1e-5 * noise, y=DATA["y"])
    found, expected = (
        mixedlm("y ~ x + z + (1 | school)", given, weights="w", missing="drop").fit().glance()
        for given in (chunked(data, 700), data)
    )
    pd.testing.assert_frame_equal(found, expected, rtol=1e-8)


def test_weights_of_one_and_no_offset() -> None:
    data = DATA.assign(one=1, none=0.0)
    found = mixedlm("y ~ x + (x | school)", chunked(data, 500), weights="one", offset="none").fit()
    same_fit(found, mixedlm("y ~ x + (x | school)", data, weights="one", offset="none").fit())


@pytest.mark.parametrize(
    "beside",
    [
        {"weights": "heavy"},
        {"offset": "o", "weights": "y"},
        {"weights": "x"},
        {"weights": "far"},
        {"weights": "huge"},
        {"weights": "text"},
        {"offset": "text"},
        {"offset": "day"},
        {"offset": "y"},
        {"weights": "w"},
    ],
    ids=str,
)
def test_weights_and_offsets_are_refused_in_the_same_words(beside: dict[str, str]) -> None:
    data = with_beside().assign(y=DATA["y"], x=DATA["x"], far=10.0 ** (DATA["number"] * 6), huge=1e200)
    with pytest.raises(MixedCoreError) as in_memory:
        mixedlm("y ~ text + (1 | school)", data, **beside)
    with pytest.raises(MixedCoreError) as in_chunks:
        mixedlm("y ~ text + (1 | school)", chunked(data, 500), **beside)
    assert str(in_chunks.value) == str(in_memory.value)
