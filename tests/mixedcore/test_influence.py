"""Case deletion: against refits by lme4, against our own fits of the other rows, and at the edges."""

from __future__ import annotations

from threading import Event
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedcore import MixedCoreError, MixedLM, MixedLMResults, datasets, mixedlm
from mixedcore.diagnostics.deletion import Deletion
from mixedcore.diagnostics.influence import MOST_REFITS, sds, separable
from tests.mixedcore.streams import chunked
from tests.reference.deletions import RECORDS, label, order_of, ours

# Both sides are refined to θ within 1e-7, but where the criterion is flat; differences of β keep fewer digits
# than β, so they count in units of its standard error.
REFERENCE_TOL = 2e-5
SAME = 1e-6
FIXED = ["cooks_distance", "mdffits", "covratio"]

REFITS = [(record, deleted) for record in RECORDS for deleted in record["deleted"]]


@pytest.mark.parametrize(("record", "deleted"), REFITS, ids=[f"{label(r)} by {d['by']}" for r, d in REFITS])
def test_equals_refits_by_lme4(record: dict[str, Any], deleted: dict[str, Any]) -> None:
    r, rows = ours(record), deleted["by"] == "row"
    by = {"cask:batch": "batch:cask"}.get(deleted["by"], deleted["by"])
    table = r.influence(by, refit=True)
    table.index = table["row"].add(1).astype(str) if rows else table["level"]
    table = table.loc[[case["level"] for case in deleted["cases"]]]
    assert (table["problem"] == "").all()
    for name in FIXED:
        expected = np.array([case[name] for case in deleted["cases"]])
        # Distances are squares: their roots are known as well as the change of β in standard errors.
        found = table[name].to_numpy()
        assert np.sqrt(found) == pytest.approx(np.sqrt(expected), abs=REFERENCE_TOL), name
    dfbetas = table.filter(regex="^dfbetas").to_numpy()[:, order_of(record)]
    assert dfbetas == pytest.approx(np.array([c["dfbetas"] for c in deleted["cases"]]), abs=REFERENCE_TOL)
    change = np.array([case["change"] for case in deleted["cases"]])
    assert changes(table, record) == pytest.approx(change, abs=1e-4 * r.sigma)


def changes(table: pd.DataFrame, record: dict[str, Any]) -> np.ndarray:
    """The changes of the SDs in lme4's order."""
    names = []
    for name in record["sd_names"]:
        group, term = name.rsplit(" ", 1)
        group = {"cask:batch": "batch:cask"}.get(group, group)
        own = {"(Intercept)": "Intercept"}.get(term, term)
        names.append("change[sigma]" if group == "Residual" else f"change[sd {group} {own}]")
    return table[names].to_numpy()


# -- our own fits of the other rows --------------------------------------------------------------------------

RNG = np.random.default_rng(8)
N = 96
G = np.repeat(np.arange(12), 8)
DATA = pd.DataFrame(
    {
        "x": RNG.normal(size=N),
        "z": RNG.normal(size=N),
        "g": [f"g{i:02d}" for i in G],
        "half": np.tile(np.repeat(["a", "b"], 4), 12),
        "h": np.tile(np.arange(8), 12),
        "w": RNG.uniform(0.5, 2.0, N),
    }
)
DATA["y"] = 1 + DATA["x"] + (1.5 * RNG.normal(size=(12, 2)))[G] @ [1, 0.3] + RNG.normal(size=N)
DATA["y"] += RNG.normal(size=8)[DATA["h"]] + RNG.normal(size=24)[np.arange(N) // 4]
MODELS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "slope": ({"formula": "y ~ x", "groups": "g", "re_formula": "x"}, ("row", "g")),
    "slope in bars": ({"formula": "y ~ x + (x | g)"}, ("g",)),
    "uncorrelated": ({"formula": "y ~ x + (x || g)"}, ("g",)),
    "nested": ({"formula": "y ~ x + (1 | g / half)"}, ("row", "g", "g:half")),
    "crossed": ({"formula": "y ~ x + (1 | g) + (1 | h)"}, ("row", "g", "h")),
    "component": (
        {"formula": "y ~ x", "groups": "g", "re_formula": "1", "vc_formula": {"half": "0 + C(half)"}},
        ("g", "half"),
    ),
    "weights and offset": ({"formula": "y ~ x + (1 | g)", "weights": "w", "offset": "z"}, ("row", "g")),
    "one fixed effect": ({"formula": "y ~ 1 + (1 | g)"}, ("row", "g")),
    "no intercept": ({"formula": "y ~ 0 + x + (1 | g)"}, ("row", "g")),
    "aliased": ({"formula": "y ~ x + I(3 * x) + z + (1 | g)"}, ("row", "g")),
    "collinear": ({"formula": "y ~ x + I(x + 1e-5 * z) + (1 | g)"}, ("row", "g")),
}
PAIRS = [
    (name, by, reml) for name, (_, factors) in MODELS.items() for by in factors for reml in (True, False)
]


def fitted(name: str, data: pd.DataFrame = DATA, reml: bool = True) -> MixedLMResults:
    return mixedlm(data=data, **MODELS[name][0]).fit(reml=reml)


def rows_of(by: str, table: pd.DataFrame, case: int) -> np.ndarray:
    if by == "row":
        return np.arange(N) == table["row"].iloc[case]
    keys = {"g:half": ["g", "half"], "half": ["g", "half"]}.get(by, [by])
    joined = DATA[keys].astype(str).agg(" / ".join, axis=1)
    return (joined == table["level"].iloc[case]).to_numpy()


@pytest.mark.parametrize(("name", "by", "reml"), PAIRS)
def test_equals_a_fit_of_the_other_rows(name: str, by: str, reml: bool) -> None:
    """Every number of a case by fitting the model to the rest of the data, in units of their own."""
    r = fitted(name, reml=reml)
    table, before = r.influence(by, refit=True), sds(r._user)
    for case in (0, len(table) // 2):
        other = fitted(name, DATA[~rows_of(by, table, case)], reml)
        d, V, own = (r.fe_params - other.fe_params).to_numpy(), r._user.cov_beta, other._user.cov_beta
        p, row = d.size, table.iloc[case]
        for measure, C in (("cooks_distance", V), ("mdffits", own)):
            unit = np.sqrt(np.diag(C))
            inner = (d / unit) @ np.linalg.solve(C / np.outer(unit, unit), d / unit)
            assert row[measure] == pytest.approx(inner / p, rel=1e-4)
        ratio = np.linalg.slogdet(own).logabsdet - np.linalg.slogdet(V).logabsdet
        assert np.log(row["covratio"]) == pytest.approx(ratio, abs=1e-5)
        dfbetas = table.filter(regex="^dfbetas").iloc[case].to_numpy(dtype=float)
        assert dfbetas == pytest.approx(d / np.sqrt(np.diag(own)), abs=1e-5)
        moved = table.filter(regex="^change").iloc[case].to_numpy(dtype=float)
        assert moved == pytest.approx(sds(other._user) - before, abs=1e-5)


@pytest.mark.parametrize(("name", "by", "reml"), PAIRS)
def test_closed_forms_equal_the_deletion_at_the_same_variances(name: str, by: str, reml: bool) -> None:
    """`refit=False` by row and by cluster is closed; here from the cross-products without the case."""
    r = fitted(name, reml=reml)
    table = r.influence(by, refit=False)
    _, _, code = r._cases(by)
    deletion = Deletion.of(r._user, r._user.rows, code)  # type: ignore[arg-type]
    for case in (0, len(table) // 2):
        found = deletion.fit(case, refit=False)
        d, row = r._user.beta - found.beta, table.iloc[case]
        dfbetas = table.filter(regex="^dfbetas").iloc[case].to_numpy(dtype=float)
        assert dfbetas == pytest.approx(d / np.sqrt(np.diag(found.cov_beta)), abs=1e-6)
        assert row["change[sigma]"] == pytest.approx(np.sqrt(found.sigma2) - r.sigma, abs=1e-9)
        ratio = np.linalg.slogdet(found.cov_beta).logabsdet - np.linalg.slogdet(r._user.cov_beta).logabsdet
        assert np.log(row["covratio"]) == pytest.approx(ratio, abs=1e-5)
        inner = d @ np.linalg.pinv(found.cov_beta, rcond=1e-18) @ d / d.size
        assert row["mdffits"] == pytest.approx(inner, rel=1e-3)


@pytest.mark.parametrize(("name", "by", "reml"), PAIRS)
def test_both_ways_to_the_cross_products_agree(name: str, by: str, reml: bool) -> None:
    r = fitted(name, reml=reml)
    _, _, code = r._cases(by)
    deletion = Deletion.of(r._user, r._user.rows, code)  # type: ignore[arg-type]
    one, two = deletion.fit(1, refit=True), deletion.anew(1, refit=True)
    unit = r.bse_fe.to_numpy()
    assert one.beta / unit == pytest.approx(two.beta / unit, abs=1e-5)
    assert sds(one) == pytest.approx(sds(two), abs=1e-5)


def test_which_factors_split_the_covariance() -> None:
    nested, crossed = fitted("nested"), fitted("crossed")
    split = {by: separable(nested._estimate, nested._cases(by)[2]) for by in ("g", "g:half")}
    assert split == {"g": True, "g:half": False}
    assert not separable(crossed._estimate, crossed._cases("g")[2])


# -- edges ---------------------------------------------------------------------------------------------------


def test_a_case_that_a_fixed_effect_rests_on() -> None:
    """Without it the coefficient is not known: no numbers, and the reason; other cases are not touched."""
    data = DATA.assign(first=(DATA["g"] == "g00").astype(float))
    r = mixedlm("y ~ x + first + (1 | g:half)", data).fit()
    for refit in (True, False):
        rows = r.influence("row", refit=refit)
        assert (rows["problem"] == "").all()
    wide = mixedlm("y ~ x + first", data, groups="g", vc_formula={"half": "0 + C(half)"}).fit()
    for refit in (True, False):
        table = wide.influence("g", refit=refit).set_index("level")
        assert "fixed effect" in table.loc["g00", "problem"]
        assert table.loc["g00"].drop("problem").isna().all()
        assert table.drop("g00").notna().all(axis=None)
        assert (table.drop("g00")["problem"] == "").all()


def test_a_row_that_a_fixed_effect_rests_on() -> None:
    r = mixedlm("y ~ x + I(1.0 * (z == z.max())) + (1 | g)", DATA).fit()
    own = DATA["z"].idxmax()
    for refit in (True, False):
        table = r.influence(refit=refit).set_index("row")
        assert "fixed effect" in table.loc[own, "problem"]
        assert table.drop(columns="problem").isna().any(axis=1).sum() == 1


def test_a_group_that_is_one_of_two() -> None:
    """With one level left there is no variance to estimate; at the fit's variances there is still a β."""
    two = DATA[DATA["g"].isin(["g00", "g01"])]
    r = mixedlm("y ~ x + (1 | g)", two).fit()
    again = r.influence("g", refit=True)
    assert (again["problem"] == "One level of g is left, so that its variance cannot be estimated.").all()
    assert r.influence("g", refit=False)["cooks_distance"].notna().all()


def test_a_singular_fit() -> None:
    """Dyestuff2 has no variance between batches: a row's Cook's distance is then that of a plain mean."""
    data = datasets.load("Dyestuff2")
    r = mixedlm("Yield ~ 1 + (1 | Batch)", data).fit()
    table = r.influence(refit=False)
    e = data["Yield"] - data["Yield"].mean()
    h = 1 / 30
    expected = e**2 * h / ((1 - h) ** 2 * e.var(ddof=1))
    assert table["cooks_distance"].to_numpy() == pytest.approx(expected.to_numpy())


def test_no_fixed_effects() -> None:
    r = mixedlm("y ~ 0 + (1 | g)", DATA).fit()
    for by, refit in (("row", True), ("row", False), ("g", True), ("g", False)):
        table = r.influence(by, refit=refit)
        assert table[FIXED].isna().all(axis=None)
        assert table["change[sigma]"].notna().all()
        assert not table.filter(regex="dfbetas").size


def test_an_outcome_that_the_effects_explain() -> None:
    """Cross-products lose the residual's digits; the rows of each fit are asked instead."""
    data = DATA.assign(y=DATA["y"] * 1e-2 + 100 * RNG.normal(size=12)[G])
    r = mixedlm("y ~ x + (1 | g)", data).fit()
    table = r.influence("g")
    other = mixedlm("y ~ x + (1 | g)", data[data["g"] != "g03"]).fit()
    moved = table.set_index("level").loc["g03"]
    assert moved["change[sigma]"] == pytest.approx(other.sigma - r.sigma, rel=1e-5)
    change = (r.fe_params - other.fe_params) / other.bse_fe
    assert moved["dfbetas[x]"] == pytest.approx(change["x"], abs=1e-6)


@pytest.mark.parametrize("refit", [True, False])
@pytest.mark.parametrize("by", ["row", "g"])
def test_predictors_far_from_zero(by: str, refit: bool) -> None:
    """The covariance of β̂ is then singular but for rounding; the measures are those near zero."""
    far = mixedlm("y ~ x + (1 | g)", DATA.assign(x=1e3 * DATA["x"] - 1e9)).fit()
    near = mixedlm("y ~ x + (1 | g)", DATA).fit()
    one, two = far.influence(by, refit=refit), near.influence(by, refit=refit)
    for name in (*FIXED, "dfbetas[x]", "change[sigma]"):
        assert one[name].to_numpy() == pytest.approx(two[name].to_numpy(), rel=1e-4, abs=1e-6)


def test_models_from_arrays_know_their_groups_as_group() -> None:
    X = np.column_stack([np.ones(N), DATA["x"]])
    arrays = MixedLM(DATA["y"].to_numpy(), X, DATA["g"].to_numpy()).fit()
    named = mixedlm("y ~ x", DATA, groups="g").fit()
    one, two = arrays.influence("Group"), named.influence("g")
    assert one.to_numpy()[:, 1:-1].astype(float) == pytest.approx(two.to_numpy()[:, 1:-1].astype(float))


def test_crossed_factors_in_one_group() -> None:
    parts: dict[str, Any] = {"g": "0 + C(g)", "h": "0 + C(h)"}
    seed = mixedlm("y ~ x", DATA, vc_formula=parts, groups=np.ones(N)).fit()
    bars = fitted("crossed")
    one, two = seed.influence("h"), bars.influence("h")
    assert list(one["level"]) == list(two["level"])
    assert one["cooks_distance"].to_numpy() == pytest.approx(two["cooks_distance"].to_numpy(), rel=1e-4)
    with pytest.raises(MixedCoreError, match="'g', 'h'"):
        seed.influence("Group")


def test_levels_and_rows_are_called_as_elsewhere() -> None:
    r = fitted("component")
    blups = r.tidy("blups")
    assert list(r.influence("half")["level"]) == list(blups.loc[blups["group"] == "half", "level"])
    labelled = mixedlm("y ~ x", DATA.set_index(DATA.index + 500), groups="g").fit()
    assert list(labelled.influence()["row"]) == list(range(500, 500 + N))


@pytest.mark.parametrize("formula", ["Reaction ~ Days", "Reaction ~ Days + (1 | row)"])
def test_a_factor_may_be_called_row(formula: str) -> None:
    data = datasets.load("sleepstudy").rename(columns={"Subject": "row"})
    groups = None if "|" in formula else "row"
    result = mixedlm(formula, data, groups=groups).fit()
    assert "level" in result.influence("row", refit=False)
    assert list(result.influence(refit=False)["row"]) == list(data.index)


def test_an_unknown_factor_is_named_with_those_there_are() -> None:
    with pytest.raises(
        MixedCoreError, match="by='school' is not known; choose 'row' or one of 'g', 'g:half'"
    ):
        fitted("nested").influence("school")


def test_progress_is_told_and_may_end_the_work() -> None:
    seen: list[tuple[int, int]] = []
    fitted("slope").influence("g", progress=lambda *done: seen.append(done))
    assert seen == [(i + 1, 12) for i in range(12)]

    def stop(done: int, cases: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fitted("slope").influence("g", progress=stop)


def test_the_work_can_be_cancelled_and_what_is_done_is_kept() -> None:
    r, event, seen = fitted("slope"), Event(), []
    whole = r.influence("g")

    def enough(done: int, cases: int) -> None:
        seen.append(done)
        if done == 4:
            event.set()

    part = r.influence("g", progress=enough, cancel=event)
    assert seen == [1, 2, 3, 4]
    pd.testing.assert_frame_equal(part, whole.head(4))
    assert r.influence("g", cancel=lambda: True).empty


def test_many_cases_are_not_refitted_unless_asked() -> None:
    rng = np.random.default_rng(1)
    n = MOST_REFITS + 200
    data = pd.DataFrame({"y": rng.normal(size=n), "g": np.arange(n) // 10})
    r = mixedlm("y ~ 1 + (1 | g)", data).fit()
    assert "change[sd g Intercept]" not in r.influence()
    assert "change[sd g Intercept]" in r.influence("g")


def test_rows_that_were_not_kept() -> None:
    r = mixedlm("y ~ x + (1 | g)", chunked(DATA, 20)).fit()
    with pytest.raises(MixedCoreError, match="not kept"):
        r.influence("g")


def test_the_result_stays_as_it_was() -> None:
    r = fitted("slope")
    before = r.params.copy()
    r.influence("g")
    pd.testing.assert_series_equal(r.params, before)
