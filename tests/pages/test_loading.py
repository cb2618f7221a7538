"""A script loads the very table that the Data page shows, from every kind of file, whatever was decided."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pages.ui.data import columns, loading
from pages.ui.data.dataset import Dataset
from pages.ui.data.parsing import Marks
from pages.ui.data.readers.base import ReadOptions
from pages.ui.data.reading import read
from pages.ui.data.sources import USUAL_MISSING, Choices, Opened, Source
from pages.ui.model import scripts
from pages.ui.model.modelcall import ModelCall
from tests.pages import files

DAY = dt.date(2021, 1, 1)
TYPED = pd.DataFrame(
    {
        "g": pd.Categorical(["b", "a", "b"], categories=["b", "a"]),
        "n": pd.array([1, None, 3], dtype="Int16"),
        "x": pd.array([1.5, 2.5, 3.5], dtype="float32"),
        "t": pd.to_datetime(["2020-01-01", None, "2020-01-03"]).tz_localize("Europe/Berlin"),
        "d": [dt.date(2020, 1, 1), None, dt.date(2020, 1, 3)],
        "lag": pd.to_timedelta([1, 2, None], unit="s"),
        "yes": pd.array([True, None, False], dtype="boolean"),
        "id": ["1", "2", "3"],
        "list": [[1], [2], [3]],
        "code": pd.Categorical([1, 2, 1]),
    },
    index=pd.Index([7, 8, 9], name="row"),
)
BOOK: list[list[object]] = [
    ["Title"],
    ["g", None, "y", "when", "ok", "id", "n", 2019],
    ["a", None, 1.5, dt.date(2024, 1, 1), True, "007", 1, "x"],
    [],
    ["b", None, "NA", dt.datetime(2024, 1, 2, 10, 5), None, "012", None, 3],
    [None, None, 2, None, False, "013", 4, "-99"],
]

AROUND: list[list[object]] = [
    ["By us"],
    [None, "x", None],
    ["g", "a", "b"],
    ["label", "m", "cm"],
    ["u", 1, 2],
    [],
    ["v", 3, 4.5],
    ["w", 5, 6],
    ["Total", 9, 12.5],
]


def merge(book: Any) -> None:
    book["Data"].merge_cells("A5:A6")


FILES: dict[str, tuple[str, bytes]] = {
    "simple csv": ("d.csv", b"g,y\na,1.5\nb,2\n"),
    "european": ("d.csv", "größe;y\n1,5;2\n2,5;3\n".encode("cp1252")),
    "tabs": ("d.tsv", b"a\tb\n1\t2\n3\t4\n"),
    "spaces": ("d.txt", b"a   b\n 1  2\n10  3\n"),
    "zeros, dates, truth": (
        "d.csv",
        b"id,when,ok,maybe,day\n007,2024-01-02,true,true,31.12.2020\n012,2024-02-29,FALSE,,1.1.2021\n",
    ),
    "own codes for missing": ("d.csv", b"g,y,z\nNone,1,.\nb,.,2\nc,3,4\n"),
    "comments and blank lines": ("d.csv", b"# by us\n\n# twice\na,b\n1,2\n\n3,4\n"),
    "repeated and missing names": ("d.csv", b"a,a,\n1,2,3\n4,5,6\n"),
    "separators at line ends": ("d.csv", b"a,b,\n1,2,\n3,4,\n"),
    "spaces around values": ("d.csv", b"g, y\na , 1\nb , 2\n"),
    "long numbers": ("d.csv", b"id,y\n12345678901234567,1\n12345678901234568,2\n"),
    "hostile names": ("d.csv", b'"a""b",\'c\',\\d\n1,x,3\n2,y,4\n'),
    "an empty column": ("d.csv", b"a,b\n1,\n2,\n"),
    "quoted line breaks": ("d.csv", b'a,b\n"x\ny",1\nz,2\n'),
    "money, shares and a printed minus": (
        "d.csv",
        'g,x,y,z\na,"$1,234.50",95%,\u22125.5\nb,$2.00,7.5 %,1.5\nc,,NA,\u22121\n'.encode(),
    ),
    "thousands in German": ("d.csv", "g;x;y\na;1.234,5 €;1.000\nb;20,25 €;2.500\n".encode()),
    "titles": ("d.csv", b"By us\n2024; again\n\ng,x,y\na,1,2\nb,3,4\nc,5,6\n"),
    "explained, with totals": (
        "d.csv",
        b'By us\n\ng,x,y\n"a\nlabel",m,cm\na,1,2\nb,3,4\n,,\nc,5,6\nSum,9,12\n,,\nSource: the four of us\n',
    ),
    "headings": ("d.csv", b",x,,y,\ng,a,b,a,b\n1,2,3,4,5\n1,2,3,4,5\n1,2,3,4,9\n"),
    "blank rows and truth": ("d.csv", b"g,ok,n\na,true,1\n,,\nb,false,2\n"),
    "gzip": ("d.csv.gz", files.gzipped(b"a,b\n1,2\n3,4\n")),
    "zip": ("d.zip", files.zipped({"d.csv": b"a,b\n1,2\n3,4\n"})),
    "workbook": ("d.xlsx", files.xlsx(("Cover", []), ("Data", BOOK))),
    "a sheet with rows around": ("d.xlsx", files.xlsx(("Notes", [["Ask"]]), ("Data", AROUND))),
    "merged cells": ("d.xlsx", files.xlsx(("Data", BOOK), change=merge)),
    "old workbook": (
        "d.xls",
        files.xls([["g", "when"], ["a", dt.date(2020, 1, 1)], ["b", dt.date(2021, 1, 1)]]),
    ),
    "opendocument": ("d.ods", files.ods([["g", "y"], ["a", 1], ["b", 2.5]])),
    "parquet": ("d.parquet", files.parquet(TYPED)),
    "spss": ("d.sav", files.pupils_sav()),
    "compressed spss": ("d.zsav", files.sav(suffix=".zsav", compress=True)),
    "portable spss": ("d.por", files.portable(files.PUPILS.rename(columns=str.upper))),
    "times": ("d.sav", files.sav(pd.DataFrame({"t": [1e5, None]}), variable_format={"t": "TIME8"})),
    "text codes": (
        "d.sav",
        files.sav(
            pd.DataFrame({"s": ["m", "f", ""]}), variable_value_labels={"s": {"m": "male", "f": "female"}}
        ),
    ),
    "stata": ("d.dta", files.stata(variable_value_labels={"sex": files.SEX})),
    "sas transport": ("d.xpt", files.transport(files.PUPILS)),
}
CHOICES: dict[str, Choices] = {
    "as found": Choices(),
    "other codes": Choices(missing=(*USUAL_MISSING, "-99", "2", "x", "b", "female")),
    "categories": Choices(
        kinds=tuple((n, "category") for n in ("y", "a", "b", "n", "x", "mood", "sex", "income"))
    ),
    "ordered": Choices(kinds=tuple((n, "ordered") for n in ("g", "y", "a", "id", "mood", "sex", "school"))),
    "numbers": Choices(kinds=tuple((n, "number") for n in ("g", "y", "id", "sex", "2019", "größe", "z"))),
    "days": Choices(kinds=tuple((n, "days") for n in ("when", "day", "born", "d", "t"))),
    "dates and truth": Choices(kinds=(("day", "date"), ("ok", "yes_no"), ("id", "yes_no"), ("a", "yes_no"))),
}


def loaded(name: str, content: bytes, choices: Choices, asked: ReadOptions | None = None) -> Dataset:
    """What the Data page makes of a file."""
    result = read(name, content, asked)
    opened = Opened(name, content, asked or ReadOptions(), kind=result.kind)
    source = Source.upload(opened, result)
    marks = Marks(result.options.decimal or ".", result.options.thousands)
    found = columns.settle(result.frame, choices, marks, result.labels, by_codes=result.options.codes)
    reader = loading.lines(source, found, choices)
    return Dataset.of(name, found.frame, source.origin, (), (), reader)


def run(reader: tuple[str, ...]) -> pd.DataFrame:
    names: dict[str, Any] = {}
    exec("\n".join(reader), names)  # noqa: S102 - our own program is what is tested
    frame = names["data"]
    assert isinstance(frame, pd.DataFrame)
    return frame


@pytest.mark.parametrize("choices", CHOICES.values(), ids=CHOICES)
@pytest.mark.parametrize("name, content", FILES.values(), ids=FILES)
def test_a_script_loads_the_table_that_is_shown(
    name: str, content: bytes, choices: Choices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    shown = loaded(name, content, choices)
    pd.testing.assert_frame_equal(run(shown.reader), shown.frame, check_categorical=True)


def test_codes_asked_for_are_codes_in_the_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "d.sav").write_bytes(files.pupils_sav())
    monkeypatch.chdir(tmp_path)
    shown = loaded("d.sav", files.pupils_sav(), Choices(), ReadOptions(codes=True))
    assert run(shown.reader)["sex"].tolist() == shown.frame["sex"].tolist() == [1, 2, 2, 1, 2, 1]


def test_a_simple_file_needs_one_line() -> None:
    reader = loaded("my file.csv", b"g,y\na,1\nNA,2\n", Choices()).reader
    assert reader == ("import pandas as pd", 'data = pd.read_csv("my file.csv")')


def test_the_whole_script_holds_the_lines_of_the_reader() -> None:
    script = scripts.mixedcore(ModelCall("y ~ sex", "school"), loaded("d.sav", files.pupils_sav(), Choices()))
    assert script.startswith(
        "import pandas as pd\nimport pyreadstat\nfrom mixedcore import mixedlm\n\ndata, meta = "
    )


def test_pasted_cells_name_the_file_to_save_them_in() -> None:
    content = b"a\tb\n1\t2\n"
    result = read("Pasted cells", content)
    source = Source.upload(Opened("Pasted cells", content, ReadOptions(), by="paste"), result)
    lines = loading.lines(source, columns.settle(result.frame, Choices()), Choices())
    assert lines[1:] == (
        "# The pasted cells, saved as pasted.txt.",
        r'data = pd.read_csv("pasted.txt", sep="\t")',
    )
