"""Names of coefficients as people read them: clear ones only, and never two alike."""

from __future__ import annotations

import pytest

from mixedcore import datasets, mixedlm
from pages.ui import tables, terms
from tests.pages import fits

READ = {
    "Intercept": "Intercept",
    "Days": "Days",
    "sex[T.Male]": "sex: Male",
    "flag[T.True]": "flag: True",
    "sex[T.Male]:age": "sex: Male × age",
    "age:sex[T.Male]:C(site)[T.3]": "age × sex: Male × site: 3",
    "C(sex, Treatment('Male'))[T.Female]": "sex: Female",
    "Q('my column')": "my column",
    "Q('my column')[T.b c]": "my column: b c",
    "I(age ** 2)": "age²",
    "I(age**3):sex[T.Male]": "age³ × sex: Male",
    "I(Q('my column') ** 2)": "my column²",
    "I((age - 6) ** 2)": "I((age - 6) ** 2)",
    "I(age > 6)[T.True]:sex[T.Male]": "I(age > 6): True × sex: Male",
    "np.log(age):sex[T.Male]": "np.log(age) × sex: Male",
    "group[T.from 6 (to) 8]": "group: from 6 (to) 8",
    "group[T.6(]": "group: 6(",
    "group[T.don't]:age": "group: don't × age",
}
AS_WRITTEN = [
    "C(sex, Sum)[S.Male]",  # against the mean of all levels: a name would hide that
    "C(sex, Diff)[D.b]",
    "C(dose, Poly).Linear",
    "sex[Male]",  # the level itself
    "bs(age, df=4)[0]",
    "sex[T.a: b]",  # open to two readings
    "sex[T.a × b]",
    "sex[T.a]b]",
    "Q('a:b')[T.c]",
    "Q('a: b')",
    "",
]


@pytest.mark.parametrize(("name", "read"), READ.items(), ids=list(READ))
def test_a_clear_name_is_read(name: str, read: str) -> None:
    assert terms.one(name) == read


@pytest.mark.parametrize("name", AS_WRITTEN)
def test_any_other_name_stays_as_it_is(name: str) -> None:
    assert terms.one(name) == name


def test_two_names_never_become_one() -> None:
    assert terms.readable(["x[T.a]", "C(x)[T.a]", "age"]) == {
        "x[T.a]": "x[T.a]",
        "C(x)[T.a]": "C(x)[T.a]",
        "age": "age",
    }
    assert terms.readable(["x[T.a]", "x[T.a]", "x[T.b]"]) == {"x[T.a]": "x: a", "x[T.b]": "x: b"}


@pytest.mark.parametrize("name", [f"Q({name!r})" for name in fits.NAMES])
def test_hostile_names_stay_text(name: str) -> None:
    assert terms.one(name) in (name, name[3:-2])


def test_tables_show_the_name_and_export_that_of_the_model() -> None:
    result = mixedlm("mAch ~ cses * sector + (1 + sx | school)", datasets.load("Hsb82")).fit()
    fixed = tables.fixed_effects(result.tidy(effects="fixed"))
    assert fixed.shown["Term"].tolist() == [
        "Intercept",
        "sector: Catholic",
        "cses",
        "cses × sector: Catholic",
    ]
    assert fixed.raw["term"].tolist() == list(result.fe_params.index)
    random = tables.variance_components(result.tidy(effects="random"))
    assert random.shown["Effect"].tolist() == ["Intercept", "sx: Female", ""]
