"""The example data: the tables are whole and typed, the descriptions complete, the suggestions usable.

LEVELS has `nobs` and `ngrps` of fits by lme4 1.1-31 on R 4.2.2 to the data as they are in the R packages
lme4 1.1-31, nlme 3.1-162 and mlmRev 1.0-8; CONTENT has R's `min`, `max` and `mean` of the same columns.
"""

from __future__ import annotations

import gzip
import re

import pandas as pd
import patsy
import pytest

from mixedcore import datasets
from mixedcore.datasets import catalogue, simulate_classrooms
from mixedcore.errors import DataError

# name: (rows, {columns joined by ':' : levels})
LEVELS = {
    "sleepstudy": (180, {"Subject": 18}),
    "Dyestuff": (30, {"Batch": 6}),
    "Dyestuff2": (30, {"Batch": 6}),
    "Penicillin": (144, {"plate": 24, "sample": 6}),
    "Pastes": (60, {"sample": 30, "cask:batch": 30, "batch": 10}),
    "cake": (270, {"recipe:replicate": 45}),
    "Orthodont": (108, {"Subject": 27}),
    "Machines": (54, {"Worker": 6}),
    "Oats": (72, {"Variety:Block": 18, "Block": 6}),
    "Rail": (18, {"Rail": 6}),
    "Oxide": (72, {"Wafer:Lot": 24, "Lot": 8}),
    "Assay": (60, {"Block:sample": 12, "Block:dilut": 10, "Block": 2}),
    "BodyWeight": (176, {"Rat": 16}),
    "Hsb82": (7185, {"school": 160}),
    "Exam": (4059, {"school": 65}),
    "ScotsSec": (3435, {"primary": 148, "second": 19}),
    "egsingle": (7230, {"childid:schoolid": 1721, "childid": 1721, "schoolid": 60}),
    "Chem97": (31022, {"school": 2410, "lea": 131}),
    "Early": (309, {"id": 103}),
    "InstEval": (73421, {"s": 2972, "d": 1128, "dept": 14}),
    "classrooms": (949, {"school": 20, "school:classroom": 58}),  # our own, as simulated
}

# name: (outcome, smallest, largest, mean)
CONTENT = {
    "sleepstudy": ("Reaction", 194.3322, 466.3535, 298.507891666667),
    "Dyestuff": ("Yield", 1440, 1635, 1527.5),
    "Dyestuff2": ("Yield", -0.892, 13.434, 5.6656),
    "Penicillin": ("diameter", 18, 27, 22.9722222222222),
    "Pastes": ("strength", 54.2, 66, 60.0533333333333),
    "cake": ("angle", 18, 63, 32.1222222222222),
    "Orthodont": ("distance", 16.5, 31.5, 24.0231481481481),
    "Machines": ("score", 43, 72.1, 59.65),
    "Oats": ("yield", 53, 174, 103.972222222222),
    "Rail": ("travel", 26, 100, 66.5),
    "Oxide": ("Thickness", 1980, 2036, 2000.15277777778),
    "Assay": ("logDens", -0.23319389, 0.67549225, 0.272999014833333),
    "BodyWeight": ("weight", 225, 628, 384.482954545455),
    "Hsb82": ("mAch", -2.832, 24.993, 12.7478526096033),
    "Exam": ("normexam", -3.666072, 3.6660912, -0.00011380542005421),
    "ScotsSec": ("attain", 1, 10, 5.67860262008734),
    "egsingle": ("math", -5.219, 5.766, -0.536924343015214),
    "Chem97": ("score", 0, 10, 5.81258461736832),
    "Early": ("cog", 57, 137, 102.618122977346),
    "InstEval": ("y", 1, 5, 3.2057449503548),
}

NAMES = list(LEVELS)
LEVELS_OF_TAGS = ("first steps", "intermediate", "advanced")


@pytest.mark.parametrize("name", NAMES)
def test_rows_and_levels_are_those_of_the_source(name: str) -> None:
    rows, levels = LEVELS[name]
    data = datasets.load(name)
    assert len(data) == rows == datasets.describe(name).rows
    assert list(data.index) == list(range(rows))
    for factors, expected in levels.items():
        assert data.groupby(factors.split(":"), observed=True).ngroups == expected, factors


@pytest.mark.parametrize("name", CONTENT)
def test_the_outcome_has_the_values_of_the_source(name: str) -> None:
    outcome, smallest, largest, mean = CONTENT[name]
    values = datasets.load(name)[outcome]
    assert datasets.describe(name).outcome == outcome
    assert (values.min(), values.max()) == pytest.approx((smallest, largest), rel=1e-12)
    assert values.mean() == pytest.approx(mean, rel=1e-9)


def test_the_gallery_has_exactly_the_files_and_the_names_tested_here() -> None:
    assert sorted(catalogue.NAMES) == sorted(NAMES)
    stored = {path.name for path in catalogue.FOLDER.iterdir()}
    assert stored == {f"{name.lower()}{end}" for name in NAMES for end in (".csv.gz", ".toml")}


@pytest.mark.parametrize("name", NAMES)
def test_every_column_is_described_and_typed_as_described(name: str) -> None:
    data, about = datasets.load(name), datasets.describe(name)
    assert [column.name for column in about.columns] == list(data.columns)
    header = pd.read_csv(catalogue.FOLDER / f"{name.lower()}.csv.gz", nrows=0)
    assert list(header.columns) == list(data.columns)
    for column in about.columns:
        values = data[column.name]
        assert not values.isna().any(), column.name
        assert isinstance(values.dtype, pd.CategoricalDtype) == (column.kind != "number"), column.name
        if column.kind == "number":
            assert values.dtype in ("int64", "float64"), column.name
        else:
            assert values.cat.ordered == (column.kind == "ordered")
            assert set(values) == set(values.cat.categories), "a level without rows"
            assert all(isinstance(level, str) for level in values.cat.categories)


@pytest.mark.parametrize("name", NAMES)
def test_the_description_is_complete(name: str) -> None:
    about = datasets.describe(name)
    assert about.name == name
    assert 10 < len(about.title) < 80
    assert 3 <= len(re.findall(r"[.?!](?= |$)", about.story)) <= 6
    assert re.search(r"\b(1[89]|20)\d\d\b", about.source) or "Simulated" in about.source
    assert about.licence.startswith(("GPL-2.0-or-later", "CC0-1.0"))
    assert about.tags[0] in LEVELS_OF_TAGS
    assert len(set(about.tags)) == len(about.tags) > 2
    assert [column.role for column in about.columns].count("outcome") == 1
    for column in about.columns:
        assert column.role in ("outcome", "predictor", "group", "identifier")
        assert column.unit
        assert column.meaning.endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_the_suggested_model_can_be_built(name: str) -> None:
    """Every formula is readable with the data's own columns, and every grouping factor groups rows."""
    data, about = datasets.load(name), datasets.describe(name)
    assert about.re_formula is not None or about.components
    assert set(about.grouping) <= set(data.columns)
    assert {column.name for column in about.columns if column.role == "group"} <= set(about.grouping)
    assert all(data[factor].nunique() > 1 for factor in about.grouping)
    outcome, fixed = patsy.dmatrices(about.formula, data, NA_action="raise")
    assert outcome.shape == (len(data), 1)
    assert (outcome[:, 0] == data[about.outcome]).all()
    few = data.head(18)
    for formula in filter(None, (about.re_formula, *about.vc_formula.values())):
        assert patsy.dmatrix(formula, few).shape[0] == 18
    assert fixed.shape[1] < len(data)


def test_the_suggested_model_is_python() -> None:
    for name in NAMES:
        compile(datasets.describe(name).suggested_model, name, "eval")
    assert datasets.describe("Penicillin").suggested_model == (
        'mixedlm("diameter ~ 1", data, groups=np.ones(len(data)), '
        'vc_formula={"plate": "0 + C(plate)", "sample": "0 + C(sample)"})'
    )


def test_nested_and_crossed_factors_are_as_the_descriptions_say() -> None:
    """A factor nested with unique labels has one parent a level; a crossed one has many."""

    def most_parents(name: str, child: str, parent: str) -> int:
        return int(datasets.load(name).groupby(child, observed=True)[parent].nunique().max())

    assert most_parents("Chem97", "school", "lea") == 1
    assert most_parents("egsingle", "childid", "schoolid") == 1
    assert most_parents("InstEval", "d", "dept") == 1
    assert most_parents("InstEval", "s", "d") > 50
    assert most_parents("ScotsSec", "primary", "second") == 6
    assert most_parents("classrooms", "classroom", "school") == 20  # labels re-used


def test_the_reference_levels_are_those_of_the_packages() -> None:
    """The first level is the one that treatment contrasts leave out, in R and in patsy."""
    firsts = {("Orthodont", "Sex"): "Male", ("Hsb82", "sector"): "Public", ("ScotsSec", "sex"): "M"}
    for (name, column), level in firsts.items():
        assert datasets.load(name)[column].cat.categories[0] == level


def test_numeric_labels_are_in_the_order_of_the_numbers() -> None:
    assert list(datasets.load("BodyWeight")["Rat"].cat.categories) == [str(k) for k in range(1, 17)]


def test_list_has_one_row_a_data_set_and_the_promised_columns() -> None:
    table = datasets.list()
    promised = ["name", "title", "n_rows", "story", "source", "licence", "suggested_model", "tags"]
    assert list(table.columns) == promised
    assert tuple(table["name"]) == catalogue.NAMES
    assert (table.astype(str) != "").all(axis=None)


@pytest.mark.parametrize("spelling", ["SleepStudy", " sleepstudy ", "SLEEPSTUDY"])
def test_names_are_found_in_any_case(spelling: str) -> None:
    assert datasets.describe(spelling).name == "sleepstudy"
    assert len(datasets.load(spelling)) == 180


@pytest.mark.parametrize(
    ("wrong", "nearest"), [("sleepstdy", "sleepstudy"), ("penicilin", "Penicillin"), ("Chem", "Chem97")]
)
def test_an_unknown_name_is_an_error_with_the_nearest_name(wrong: str, nearest: str) -> None:
    for ask in (datasets.load, datasets.describe):
        with pytest.raises(DataError, match=f'no example data set "{wrong}". Did you mean "{nearest}"'):
            ask(wrong)


@pytest.mark.parametrize("wrong", ["", "zzzzzz", "../data/sleepstudy"])
def test_a_name_like_no_other_lists_them_all(wrong: str) -> None:
    with pytest.raises(DataError, match=r"no example data set|Did you mean"):
        datasets.load(wrong)


def test_changing_a_loaded_frame_changes_no_later_one() -> None:
    spoilt = datasets.load("sleepstudy")
    memory = spoilt["Reaction"].to_numpy()
    memory.flags.writeable = True  # past pandas' own protection: no memory may be shared
    memory[:] = 0.0
    spoilt.loc[:, "Days"] = -1
    spoilt["Subject"] = "nobody"
    spoilt["new"] = 1
    fresh = datasets.load("sleepstudy")
    assert list(fresh.columns) == ["Reaction", "Days", "Subject"]
    assert fresh["Reaction"].mean() == pytest.approx(298.507891666667)
    assert sorted(fresh["Days"].unique()) == list(range(10))
    assert fresh["Subject"].nunique() == 18


def test_changing_the_components_changes_no_description() -> None:
    datasets.describe("Pastes").vc_formula["cask"] = "spoilt"
    assert datasets.describe("Pastes").vc_formula == {"cask": "0 + C(cask)"}


def test_the_script_makes_the_classrooms_that_are_stored() -> None:
    stored = gzip.decompress((catalogue.FOLDER / "classrooms.csv.gz").read_bytes()).decode()
    assert simulate_classrooms.csv_text() == stored


def test_the_classrooms_show_what_was_put_into_them() -> None:
    """Class labels are re-used, and least squares inside each class finds about the true slope."""
    data, truth = datasets.load("classrooms"), dict(datasets.describe("classrooms").truth)
    assert set(data["classroom"]) == {"7A", "7B", "7C", "7D"}
    assert data["student"].is_unique
    sizes = data.groupby(["school", "classroom"], observed=True).size()
    assert (sizes.min(), sizes.max()) == simulate_classrooms.PUPILS
    within = data.groupby(["school", "classroom"], observed=True)[["pretest", "test_score"]]
    centred = data[["pretest", "test_score"]] - within.transform("mean")
    slope = (centred["pretest"] * centred["test_score"]).sum() / (centred["pretest"] ** 2).sum()
    # its standard error is about 0.06: 20 schools with slopes of standard deviation 0.25
    assert slope == pytest.approx(truth["pretest"], abs=0.18)


def test_every_data_set_has_its_licence_listed() -> None:
    listed = (catalogue.FOLDER.parent / "LICENCES.md").read_text(encoding="utf-8")
    missing = [name for name in NAMES if f"| {name} |" not in listed]
    assert missing == []
