"""Fits to data in chunks equal those to the same rows in memory, whatever the chunks and where they lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import dataset, parquet

from mixedcore import MixedCoreError, mixedlm
from mixedcore.data.passes import Progress
from mixedcore.data.sources import ParquetSource, Piece
from tests.mixedcore.streams import SAME, chunked, classes, same_fit

DATA = classes()
ROOMS = {"room": "0 + C(room)", "slope": "0 + x"}

# formula, further arguments, passes: two, one more for categories, and one a step of a transform
MODELS: dict[str, tuple[str, dict[str, Any], int]] = {
    "intercept": ("y ~ x + (1 | school)", {}, 2),
    "slope": ("y ~ x + (x | school)", {}, 2),
    "uncorrelated": ("y ~ 0 + x + I(x ** 2) + (x || school)", {}, 2),
    "nested": ("y ~ x + (x | school) + (1 | school:room)", {}, 2),
    "crossed": ("y ~ np.exp(abs(x)) + (x | school) + (1 | teacher)", {}, 2),
    "crossed and nested": ("y ~ x + (1 | school/room) + (x | teacher)", {}, 2),
    "categories": ("y ~ x * text + teacher + truth + C(number) + day + (text | school)", {}, 3),
    "slope of a number": ("y ~ C(number) + (C(number) | school)", {}, 3),
    "contrasts": ("y ~ C(text, Sum) + C(number, Helmert) + (1 | school)", {}, 4),
    "transforms": ("y ~ bs(x, df=4) + (center(x) | school)", {}, 4),
    "groups": ("y ~ x", {"groups": "school"}, 2),
    "re_formula": ("y ~ text", {"groups": "school", "re_formula": "~x"}, 3),
    "vc_formula": ("y ~ x", {"groups": "school", "re_formula": "1", "vc_formula": ROOMS}, 2),
    "components": (
        "y ~ x",
        {"groups": "school", "vc_formula": {"n": "0 + C(number)", "t": "0 + text"}},
        2,
    ),
}


@pytest.mark.parametrize("size", [10_000, 613, 100], ids=["one chunk", "several", "many"])
@pytest.mark.parametrize("name", MODELS)
def test_chunks_give_the_fit_of_the_whole(name: str, size: int) -> None:
    formula, how, passes = MODELS[name]
    seen: list[Progress] = []
    found = mixedlm(formula, chunked(DATA, size), progress=seen.append, **how).fit()
    same_fit(found, mixedlm(formula, DATA, **how).fit())
    assert max(each.pass_number for each in seen) == passes


@pytest.mark.parametrize("by", ["school", "text", "day"])
def test_levels_may_come_late(by: str) -> None:
    ordered = DATA.sort_values(by, ascending=False)
    formula = "y ~ x + text + day + C(number) + (1 | school/room)"
    same_fit(mixedlm(formula, chunked(ordered, 200)).fit(), mixedlm(formula, ordered).fit())


def test_chunks_of_a_few_rows() -> None:
    some = DATA.iloc[:400]
    formula = "y ~ x + text + (1 | school)"
    same_fit(mixedlm(formula, chunked(some, 3)).fit(), mixedlm(formula, some).fit())


def test_random_effects_and_their_covariances() -> None:
    for how in ({"groups": "school", "re_formula": "x"}, {}):
        formula = "y ~ x" if how else "y ~ x + (x | school) + (1 | teacher)"
        found, expected = (
            mixedlm(formula, chunked(DATA, 500), **how).fit(),
            mixedlm(formula, DATA, **how).fit(),
        )
        for name in ("random_effects", "random_effects_cov"):
            own, other = getattr(found, name), getattr(expected, name)
            assert list(own) == list(other)
            for key in own:
                np.testing.assert_allclose(_plain(own[key]), _plain(other[key]), atol=SAME)
        assert found.model.n_groups == expected.model.n_groups
        assert found.model.group_labels == expected.model.group_labels


def _plain(value: Any) -> np.ndarray:
    return np.array([v.to_numpy() for v in value.values()]) if isinstance(value, dict) else value.to_numpy()


# -- missing values --------------------------------------------------------------------------------------


def with_gaps() -> pd.DataFrame:
    """Missing values in all kinds of columns, a chunk of them only, and a category whose rows all go."""
    data = DATA.copy()
    data["school"] = data["school"].astype("Int64").mask(data.index % 11 == 0)
    data["x"] = data["x"].mask(data.index % 7 == 0)
    data.loc[data.index % 13 == 0, "x"] = np.inf
    data["text"] = data["text"].mask(data.index % 5 == 0).mask(data["x"].isna(), "gone")
    data.loc[400:799, "y"] = np.nan
    return data


def test_missing_rows_are_dropped_and_counted_as_in_memory(tmp_path: Path) -> None:
    data, formula = with_gaps(), "y ~ x + text + day + C(number) + (1 | school) + (1 | teacher)"
    expected = mixedlm(formula, data, missing="drop").fit()
    assert "rows dropped" in expected.notes[0]
    for size in (400, 333, 10_000):
        same_fit(mixedlm(formula, chunked(data, size), missing="drop").fit(), expected)
    data.to_parquet(tmp_path / "gaps.parquet", row_group_size=300)
    same_fit(mixedlm(formula, tmp_path / "gaps.parquet", missing="drop").fit(), expected)


@pytest.mark.parametrize("missing", ["none", "raise"])
def test_missing_rows_are_refused_with_the_same_count(missing: str) -> None:
    data, formula = with_gaps(), "y ~ x + (1 | school)"
    with pytest.raises(MixedCoreError) as in_memory:
        mixedlm(formula, data, missing=missing)
    with pytest.raises(MixedCoreError) as in_chunks:
        mixedlm(formula, chunked(data, 400), missing=missing)
    assert str(in_chunks.value) == str(in_memory.value)


def test_nothing_is_left() -> None:
    gone = DATA.assign(x=np.nan)
    with pytest.raises(MixedCoreError, match="No rows are left"):
        mixedlm("y ~ x + (1 | school)", chunked(gone, 500), missing="drop")


# -- categories ------------------------------------------------------------------------------------------


def test_declared_order_is_kept_and_unused_categories_are_named() -> None:
    declared = pd.CategoricalDtype(["never", "early", "late", "unheard"])
    data = DATA.assign(text=DATA["text"].astype(declared))
    formula = "y ~ text + (1 | school)"
    found = mixedlm(formula, chunked(data, 300)).fit()
    same_fit(found, mixedlm(formula, data).fit())
    assert "text[T.early]" in found.params.index
    assert "unheard" in found.notes[0]


def test_categories_declared_apart_are_joined() -> None:
    frames = [f.assign(text=f["text"].astype("category")) for f in chunked(DATA.sort_values("text"), 300)]
    assert len({tuple(f["text"].cat.categories) for f in frames}) > 1
    formula = "y ~ text + (1 | school)"
    same_fit(mixedlm(formula, frames).fit(), mixedlm(formula, DATA).fit())


def test_new_data_are_coded_as_in_the_fit() -> None:
    formula = "y ~ x + text + C(number) + truth + day + center(x) + (1 | school)"
    found, expected = mixedlm(formula, chunked(DATA, 400)).fit(), mixedlm(formula, DATA).fit()
    new = DATA.iloc[40:60].drop(columns="y")
    pd.testing.assert_series_equal(found.predict(new), expected.predict(new), rtol=SAME)
    with pytest.raises(MixedCoreError, match="the fit has not seen"):
        found.predict(new.assign(text="elsewhere"))


# -- where the rows come from ----------------------------------------------------------------------------


class Again:
    """A collection that only iterates."""

    def __init__(self, items: list[Any]) -> None:
        self.items = items

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items)


def files(folder: Path) -> Path:
    for k, frame in enumerate(chunked(DATA, 600)):
        frame.to_parquet(folder / f"part-{k}.parquet", row_group_size=250)
    return folder


def one_file(folder: Path) -> Path:
    DATA.to_parquet(folder / "all.parquet", row_group_size=1000)
    return folder / "all.parquet"


def partitioned(folder: Path) -> Path:
    parquet.write_to_dataset(pa.Table.from_pandas(DATA.assign(half=DATA["x"] > 0)), folder, ["half"])
    return folder


SOURCES: dict[str, Callable[[Path], Any]] = {
    "file": one_file,
    "name of a file": lambda folder: str(one_file(folder)),
    "folder": files,
    "partitions": partitioned,
    "dataset": lambda folder: dataset.dataset(files(folder)),
    "filtered dataset": lambda folder: (
        dataset.dataset(files(folder)).filter(dataset.field("x") > -9).to_batches
    ),
    "list": lambda _: chunked(DATA, 600),
    "iterable": lambda _: Again(chunked(DATA, 600)),
    "function": lambda _: lambda: (frame for frame in chunked(DATA, 600)),
    "dicts": lambda _: [{k: f[k].to_numpy() for k in f} for f in chunked(DATA, 600)],
    "polars": lambda _: [pl.from_pandas(f.reset_index(drop=True)) for f in chunked(DATA, 600)],
    "arrow": lambda _: [pa.Table.from_pandas(f) for f in chunked(DATA, 600)],
    "empty frames between": lambda _: [DATA.iloc[:0], *chunked(DATA, 600), DATA.iloc[:0]],
}


@pytest.mark.parametrize("kind", SOURCES)
def test_every_kind_of_source(kind: str, tmp_path: Path) -> None:
    formula = "y ~ x + text + truth + (1 | school) + (1 | teacher)"
    expected = DATA if kind != "partitions" else DATA.sort_values("x")
    same_fit(mixedlm(formula, SOURCES[kind](tmp_path)).fit(), mixedlm(formula, expected).fit())


def test_of_parquet_only_the_columns_in_use_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: set[tuple[str, ...]] = set()
    pieces = ParquetSource.pieces

    def noted(self: ParquetSource, columns: Sequence[str]) -> Iterator[Piece]:
        for piece in pieces(self, columns):
            read.update(table.names or () for table in piece.tables())
            yield piece

    monkeypatch.setattr(ParquetSource, "pieces", noted)
    mixedlm("y ~ Q('x') + (1 | school)", one_file(tmp_path)).fit()
    assert read == {("y", "x", "school")}


def test_a_partition_can_be_a_predictor(tmp_path: Path) -> None:
    found = mixedlm("y ~ half + (1 | school)", partitioned(tmp_path)).fit()
    data = DATA.assign(half=(DATA["x"] > 0).map({True: "true", False: "false"})).sort_values("half")
    assert found.llf == pytest.approx(mixedlm("y ~ half + (1 | school)", data).fit().llf, rel=SAME)


# -- progress --------------------------------------------------------------------------------------------


def test_progress_counts_the_rows_of_every_pass(tmp_path: Path) -> None:
    seen: list[Progress] = []
    model = mixedlm("y ~ x + (1 | school)", chunked(DATA, 1000), progress=seen.append)
    assert seen == [Progress(1, 1000, None), Progress(1, 2000, None), Progress(1, 2500, None)]
    model.fit()
    assert seen[3:] == [Progress(2, 1000, 2500), Progress(2, 2000, 2500), Progress(2, 2500, 2500)]
    model.fit(reml=False)
    assert len(seen) == 6
    seen.clear()
    mixedlm("y ~ x + (1 | school)", one_file(tmp_path), progress=seen.append)
    assert seen[-1] == Progress(1, 2500, 2500)


# -- what cannot be had ----------------------------------------------------------------------------------


NEED_ROWS: dict[str, Callable[[Any], Any]] = {
    "resid": lambda r: r.resid,
    "fittedvalues": lambda r: r.fittedvalues,
    "predict": lambda r: r.predict(),
    "augment": lambda r: r.augment(),
    "endog": lambda r: r.model.endog,
    "weights": lambda r: r.model.weights,
    "offset": lambda r: r.model.offset,
    "exog": lambda r: r.model.exog,
    "exog_re": lambda r: r.model.exog_re,
    "groups": lambda r: r.model.groups,
    "group_codes": lambda r: r.model.group_codes,
    "row_index": lambda r: r.model.row_index,
    "used_columns": lambda r: r.model.used_columns(),
}


@pytest.mark.parametrize("what", NEED_ROWS)
def test_what_needs_every_row_says_so(what: str) -> None:
    beside = {"weights": "number", "offset": "truth"}
    result = mixedlm("y ~ x + (1 | school)", chunked(DATA, 1000), **beside).fit()
    with pytest.raises(MixedCoreError, match=r"not kept.*result\.predict\(chunk\)"):
        NEED_ROWS[what](result)


def test_joint_covariances_of_several_terms_need_the_rows() -> None:
    formula, how, _ = MODELS["vc_formula"]
    with pytest.raises(MixedCoreError, match="not kept"):
        _ = mixedlm(formula, chunked(DATA, 1000), **how).fit().random_effects_cov


def twice(items: list[Any]) -> Callable[[], Any]:
    once = iter(items)
    return lambda: once


CALLED = DATA.rename(columns={"x": "Intercept"})
MANY = pd.DataFrame({"y": np.arange(16_000.0), "x": np.arange(16_000), "school": np.arange(16_000) % 9})
REFUSED: dict[str, tuple[str, Callable[[], Any], dict[str, Any], str]] = {
    "generator": ("y ~ x + (1 | school)", lambda: (f for f in chunked(DATA, 500)), {}, "lambda"),
    "exhausted": ("y ~ x + (1 | school)", lambda: twice(chunked(DATA, 500)), {}, "start anew"),
    "no frames": ("y ~ x + (1 | school)", lambda: lambda: 3, {}, "returned int"),
    "no rows": ("y ~ x + (1 | school)", lambda: lambda: iter(()), {}, "no rows"),
    "no file": ("y ~ x + (1 | school)", lambda: "nowhere.parquet", {}, "no file or folder"),
    "subset": ("y ~ x + (1 | school)", lambda: chunked(DATA, 500), {"subset": [1, 2]}, "subset"),
    "groups": ("y ~ x", lambda: chunked(DATA, 500), {"groups": DATA["school"]}, "name of a column"),
    "weights": ("y ~ x", lambda: chunked(DATA, 500), {"weights": DATA["x"]}, "weights must be the name"),
    "offset": ("y ~ x", lambda: chunked(DATA, 500), {"offset": [1.0]}, "offset must be the name"),
    "missing": ("y ~ x + (1 | school)", lambda: chunked(DATA, 500), {"missing": "ask"}, "not known"),
    "client": ("y ~ x + (1 | school)", lambda: chunked(DATA, 500), {"client": 3}, "Client"),
    "progress": ("y ~ x + (1 | school)", lambda: chunked(DATA, 500), {"progress": 3}, "function"),
    "in memory": ("y ~ x + (1 | school)", lambda: DATA, {"progress": print}, "in memory"),
    "column": ("y ~ z + (1 | school)", lambda: chunked(DATA, 500), {}, "no column 'z'"),
    "key": ("y ~ x + (1 | shool)", lambda: chunked(DATA, 500), {}, "did you mean 'school'"),
    "constant's name": ("y ~ Intercept + (1 | school)", lambda: chunked(CALLED, 500), {}, "rename it"),
    "levels": ("y ~ C(x) + (1 | school)", lambda: [MANY] * 10, {}, "too many for one coefficient"),
    "function": ("y ~ np.cumsum(x) + (1 | school)", lambda: chunked(DATA, 500), {}, "all rows at once"),
    "method": ("y ~ x.rank() + (1 | school)", lambda: chunked(DATA, 500), {}, "all rows at once"),
    "outcome": ("center(y) ~ x + (1 | school)", lambda: chunked(DATA, 500), {}, "outcome"),
    "logarithm": ("y ~ np.log(x) + (1 | school)", lambda: chunked(DATA, 500), {}, "no finite value"),
    "constant": ("I(0 * y) ~ x + (1 | school)", lambda: chunked(DATA, 500), {}, "nothing to explain"),
    "text": ("text ~ x + (1 | school)", lambda: chunked(DATA, 500), {}, "numeric outcome"),
    "one group": ("y ~ x + (1 | g)", lambda: chunked(DATA.assign(g=1), 500), {}, "at least two"),
    "rows": ("y ~ x + (1 | g)", lambda: chunked(DATA.assign(g=range(len(DATA))), 500), {}, "one row"),
    "by group": (
        "y ~ x",
        lambda: chunked(DATA, 500),
        {"groups": "school", "vc_formula": {"v": "C(text)"}},
        "bars",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_done_is_said(case: str) -> None:
    formula, data, how, words = REFUSED[case]
    with pytest.raises(MixedCoreError, match=words):
        mixedlm(formula, data(), **how).fit()


def test_a_folder_without_parquet(tmp_path: Path) -> None:
    with pytest.raises(MixedCoreError, match="Parquet"):
        mixedlm("y ~ x + (1 | school)", tmp_path)
    (tmp_path / "notes.parquet").write_text("no Parquet")
    with pytest.raises(MixedCoreError, match="Parquet"):
        mixedlm("y ~ x + (1 | school)", tmp_path / "notes.parquet")


@pytest.mark.parametrize("kind", ["filter", "csv"])
def test_a_dataset_of_anything_but_whole_parquet_files(kind: str, tmp_path: Path) -> None:
    if kind == "filter":
        given = dataset.dataset(files(tmp_path)).filter(dataset.field("x") > 0)
    else:
        DATA.to_csv(tmp_path / "all.csv")
        given = dataset.dataset(tmp_path, format="csv")
    with pytest.raises(MixedCoreError, match=r"lambda: dataset\.to_batches"):
        mixedlm("y ~ x + (1 | school)", given)


@pytest.mark.parametrize("where", [4, -25_000], ids=["first pages", "last pages"])
def test_a_damaged_file_is_named(where: int, tmp_path: Path) -> None:
    path = one_file(tmp_path)
    content = bytearray(path.read_bytes())
    content[where : where + 9000] = bytes(9000)
    path.write_bytes(content)
    with pytest.raises(MixedCoreError, match=r"all\.parquet cannot be read as Parquet"):
        mixedlm("y ~ x + (x | school) + (1 | room)", path)


def test_parquet_without_rows(tmp_path: Path) -> None:
    DATA.iloc[:0].to_parquet(tmp_path / "none.parquet")
    with pytest.raises(MixedCoreError, match="no rows"):
        mixedlm("y ~ x + (1 | school)", tmp_path / "none.parquet")


def test_files_may_lack_a_column(tmp_path: Path) -> None:
    parts = [DATA.iloc[:1500], DATA.iloc[1500:].drop(columns="x")]
    for k, part in enumerate(parts):
        part.to_parquet(tmp_path / f"part-{k}.parquet")
    joined = pd.concat(parts)
    found = mixedlm("y ~ x + (1 | school)", tmp_path, missing="drop").fit()
    same_fit(found, mixedlm("y ~ x + (1 | school)", joined, missing="drop").fit())


def test_a_variable_is_no_column_of_chunks() -> None:
    extra = DATA["x"].to_numpy()
    assert extra.size
    with pytest.raises(MixedCoreError, match="'extra' is a variable"):
        mixedlm("y ~ extra + (1 | school)", chunked(DATA, 500))
