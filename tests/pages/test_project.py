"""The project file: a session comes back whole, or not at all and with a sentence."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from pages.ui import state
from pages.ui.data import columns, examples, making
from pages.ui.data.dataset import Dataset, digest_of
from pages.ui.data.exclusions import Exclusion, without
from pages.ui.data.making import Made
from pages.ui.data.parsing import Marks
from pages.ui.data.readers import apart
from pages.ui.data.readers.base import ReadOptions
from pages.ui.data.reading import read
from pages.ui.data.recipe import steps as recipe
from pages.ui.data.recipe.transforms import Transform
from pages.ui.data.sources import Choices, Opened, Source
from pages.ui.model import scripts
from pages.ui.model.kept import Kept
from pages.ui.model.modelcall import ModelCall
from pages.ui.project import archive, frames, session
from pages.ui.project.problem import ProjectError
from pages.ui.project.session import Session
from pages.ui.report.choices import ReportChoices
from tests.pages import fits

VERSION_1 = Path(__file__).parent / "projects" / "version-1.zip"
VERSION_2 = VERSION_1.with_name("version-2.zip")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
INTS = st.integers(-(2**53), 2**53)
HOSTILE = [*fits.NAMES, "Intercept", "C(x)", "a b", "\x00\u202e", "Ä ö", "x" * 200]


def of_dtype(values: list[Any], dtype: str) -> pd.Series:
    return pd.Series(pd.array(values, dtype=dtype))


def a_column(rows: int) -> st.SearchStrategy[pd.Series]:
    def lists(of: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
        return st.lists(of, min_size=rows, max_size=rows)

    times = st.datetimes(
        min_value=pd.Timestamp("1900").to_pydatetime(), max_value=pd.Timestamp("2100").to_pydatetime()
    )
    levels = st.sampled_from(["b", "a", "=1"]) | st.none()
    return st.one_of(
        lists(INTS).map(lambda v: pd.Series(v, dtype="int64")),
        lists(st.floats()).map(lambda v: pd.Series(v, dtype="float64")),
        lists(st.booleans()).map(lambda v: pd.Series(v, dtype="bool")),
        lists(INTS | st.none()).map(lambda v: of_dtype(v, "Int64")),
        lists(st.booleans() | st.none()).map(lambda v: of_dtype(v, "boolean")),
        lists(TEXT | st.none()).map(lambda v: pd.Series(v, dtype="str")),
        lists(times | st.none()).map(lambda v: pd.Series(v, dtype="datetime64[us]")),
        lists(levels).map(lambda v: pd.Series(pd.Categorical(v, ["b", "c", "a", "=1"], ordered=True))),
        lists(st.booleans() | st.none()).map(lambda v: pd.Series(pd.Categorical(v, [False, True]))),
        lists(st.integers(0, 2)).map(lambda v: pd.Series(pd.Categorical(v, [2, 0, 1]))),
    )


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(1, 6))
    names = draw(st.lists(st.sampled_from(HOSTILE) | TEXT, min_size=1, max_size=4, unique=True))
    frame = pd.DataFrame({name: draw(a_column(rows)) for name in names})
    labels = st.lists(INTS, min_size=rows, max_size=rows, unique=True) | st.lists(
        TEXT, min_size=rows, max_size=rows, unique=True
    )
    return frame.set_axis(draw(labels), axis=0) if draw(st.booleans()) else frame


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables())
def test_a_table_comes_back_to_the_last_bit(frame: pd.DataFrame) -> None:
    content, description = frames.write(frame)
    back = frames.read(content, json.loads(json.dumps(description)))
    pd.testing.assert_frame_equal(back, frame)
    assert digest_of(back) == digest_of(frame)


def a_session() -> Session:
    content = "school;score;age;when\n" + "".join(
        f"{group:03d};{4 + group + row / 3};{row};2020-01-{row + 1:02d}\n"
        for group in range(6)
        for row in range(9)
    )
    opened = Opened("<b>Ä</b>.csv", content.encode(), ReadOptions())
    source = Source.upload(opened, read(opened.name, opened.content, opened.asked))
    choices = Choices(kinds=(("school", "ordered"),))
    settled = columns.settle(source.frame, choices, Marks(source.options.decimal or ".", ""))
    steps = (Transform("age", "root of age", "sqrt"),)
    data = Dataset.of(source.name, recipe.run(settled.frame, steps).frame, source.origin)
    excluded = (Exclusion(3, "=typed wrong, [x](y)"), Exclusion(7, "a"))
    kept = (
        Kept("one", ModelCall("score ~ age", "school"), data),
        Kept("two", ModelCall("score ~ age", "school", "1 + age", reml=False), without(data, excluded)),
    )
    report = ReportChoices("Title", "Notes <script>", ("data", "fixed"), 0.9)
    typed = ModelCall("np.log(score) ~", "school")
    return Session(source, choices, steps, excluded, typed, kept, "004", "school", report)


def same(one: Session, other: Session) -> None:
    pd.testing.assert_frame_equal(one.source.frame, other.source.frame)
    for name in ("name", "origin", "notes", "warnings", "content", "options", "asked"):
        assert getattr(one.source, name) == getattr(other.source, name)
    for name in ("choices", "steps", "exclusions", "call", "group", "grouping", "report"):
        assert getattr(one, name) == getattr(other, name)
    assert [(each.name, each.call, each.data.digest) for each in one.kept] == [
        (each.name, each.call, each.data.digest) for each in other.kept
    ]


def test_a_session_comes_back_whole() -> None:
    saved = a_session()
    same(archive.load(archive.save(saved)), saved)


def prepared_otherwise(saved: Session) -> Session:
    """With two models kept, of data prepared in other ways than the session's are now."""
    made = Made(Choices(), (Transform("age", "age, rooted", "sqrt"),), (Exclusion(5, "a"),), ("score",), (8,))
    kept = Kept(
        "otherwise", ModelCall("score ~ Q('age, rooted')", "school"), making.again(saved.source, made), made
    )
    plain = Made(saved.choices)
    common = Kept("plain", ModelCall("score ~ age", "school"), making.again(saved.source, plain), plain)
    return replace(saved, kept=(kept, common))


def test_kept_models_come_back_with_how_their_data_were_made() -> None:
    saved = prepared_otherwise(a_session())
    back = archive.load(archive.save(saved))
    assert [each.made for each in back.kept] == [each.made for each in saved.kept]
    assert back.kept[0].data.code == ()  # lines are never taken from a file
    app = opened(archive.save(saved))
    for kept, restored in zip(saved.kept, app.session_state[state._KEPT], strict=True):
        assert restored.data.digest == kept.data.digest
        assert restored.data.code == kept.data.code
        assert restored.data.reader == kept.data.reader != ()
    assert "data.drop(index=[8])" in scripts.mixedcore(restored.call, app.session_state[state._KEPT][0].data)


def test_kept_data_that_come_out_differently_keep_what_is_stored() -> None:
    saved = prepared_otherwise(a_session())
    wrong = replace(saved.kept[0], made=replace(saved.kept[0].made or Made(), dropped=()))
    app = opened(archive.save(replace(saved, kept=(wrong,))))
    (restored,) = app.session_state[state._KEPT]
    assert restored.data.digest == saved.kept[0].data.digest
    assert restored.data.code == restored.data.reader == ()


def opened(content: bytes) -> AppTest:
    app = AppTest.from_file(fits.APP, default_timeout=fits.TIMEOUT).run()
    app.get("file_uploader")[1].upload("p.zip", content, "application/zip").run()
    assert not app.exception
    return app


@pytest.mark.parametrize(
    "wrong", [{"made": 1}, {"made": {}}, {"made": {"choices": {}, "steps": [], "exclusions": []}}]
)
def test_how_data_were_made_is_checked(wrong: dict[str, Any]) -> None:
    with pytest.raises(ProjectError):
        session._kept(
            [{"name": "a", "call": {"formula": "score ~ age", "groups": "school"}, "table": 0, **wrong}],
            [a_session().kept[0].data],
        )


def test_an_example_comes_back_by_its_name() -> None:
    data = examples.dataset("sleepstudy")
    content = archive.save(Session(Source.example(data), call=examples.suggested("sleepstudy")))
    assert set(zipfile.ZipFile(io.BytesIO(content)).namelist()) == {"manifest.json", "session.json"}
    back = archive.load(content)
    assert back.source.origin == "example:sleepstudy"
    assert back.call == examples.suggested("sleepstudy")


def test_a_project_of_the_first_version_is_read() -> None:
    same(archive.load(VERSION_1.read_bytes()), a_session())


def test_a_project_of_the_second_version_is_read() -> None:
    back, saved = archive.load(VERSION_2.read_bytes()), prepared_otherwise(a_session())
    same(back, saved)
    assert [each.made for each in back.kept] == [each.made for each in saved.kept]


# --- files that are not opened --------------------------------------------------------------------


def changed(content: bytes, **parts: bytes | None) -> bytes:
    """The project with some of its parts replaced, or taken out."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        files: dict[str, bytes | None] = {name: packed.read(name) for name in packed.namelist()}
    files |= {name.replace("_", ".", 1) if name[0] != "k" else name: part for name, part in parts.items()}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, part in files.items():
            if part is not None:
                packed.writestr(name, part)
    return file.getvalue()


def edited(change: dict[str, Any]) -> bytes:
    """A project whose description says something else."""
    saved = archive.save(a_session())
    with zipfile.ZipFile(io.BytesIO(saved)) as packed:
        content = json.loads(packed.read("session.json"))
    return changed(saved, session_json=json.dumps(content | change).encode())


def a_kept(formula: str, table: int = 0) -> dict[str, Any]:
    return {"name": "a", "call": {"formula": formula, "groups": "school"}, "table": table}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "not a project file"),
        (b"%PDF-1.7", "not a project file"),
        (VERSION_1.read_bytes()[:900], "not a project file"),
        (changed(VERSION_1.read_bytes(), manifest_json=None), "not a project file"),
        (changed(VERSION_1.read_bytes(), manifest_json=b"{"), "manifest.json cannot be read"),
        (changed(VERSION_1.read_bytes(), manifest_json=b"[" * 100_000), "manifest.json cannot be read"),
        (changed(VERSION_1.read_bytes(), manifest_json=b'{"format": "docx"}'), "not a project file"),
        (
            changed(
                VERSION_1.read_bytes(), manifest_json=b'{"format": "mixed-models-project", "version": 99}'
            ),
            "newer version of the app",
        ),
        (changed(VERSION_1.read_bytes(), session_json=None), "session is missing"),
        (changed(VERSION_1.read_bytes(), session_json=b"{}"), "not complete"),
        (changed(VERSION_1.read_bytes(), source_parquet=b"PAR1"), "cannot be read"),
        (changed(VERSION_1.read_bytes(), source_parquet=None), "holds no data"),
        (edited({"more": 1}), "not complete"),
        (edited({"call": {"formula": "y ~ x"}}), "no 'groups'"),
        (edited({"call": []}), "not complete"),
        (edited({"exclusions": [{"row": [1], "reason": ""}]}), "no label"),
        (edited({"exclusions": 3}), "not a list"),
        (edited({"group": 4}), "chosen group"),
        (edited({"choices": {"missing": [], "kinds": [["a", "pickle"]]}}), "not known"),
        (edited({"report": {"title": "", "notes": "", "parts": ["x"], "level": 0.95}}), "not known"),
        (edited({"kept": [a_kept("score ~ __import__('os')")]}), "cannot be fitted"),
        (edited({"kept": [a_kept("score ~ pretest")]}), "cannot be fitted"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_no_sound_project_gets_a_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(ProjectError, match=sentence):
        archive.load(content)


def test_every_damaged_byte_gets_a_sentence_or_nothing_changed() -> None:
    """Bits flipped all over the file: refused in words, or so harmless that the session is the same."""
    whole = VERSION_1.read_bytes()
    for place in np.random.default_rng(0).integers(len(whole), size=150):
        broken = bytearray(whole)
        broken[place] ^= 0x55
        try:
            back = archive.load(bytes(broken))
        except ProjectError:
            continue
        same(back, a_session())


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_UNPACKED", 2**20)
    with pytest.raises(ProjectError, match="more than 1 GB"):
        archive.load(changed(VERSION_1.read_bytes(), original_bin=b"0" * 2**22))


def test_a_table_that_declares_less_than_it_unpacks_to_is_refused() -> None:
    table = pa.table({"c0": ["a" * 1000] * 1000, "index": range(1000)})
    file = io.BytesIO()
    pq.write_table(table, file, use_dictionary=True)
    what = {"rows": 1000, "index": "int64", "columns": [{"name": "a", "dtype": "str"}]}
    with pytest.raises(ProjectError, match="not stored as this app"):
        frames.read(file.getvalue(), what)


def test_a_table_that_lies_about_how_it_is_stored_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The footer calls a column with a dictionary plain: one byte of it, changed."""
    table = pa.table({"c0": ["a" * 1000] * 1000, "index": range(1000)})
    file = io.BytesIO()
    pq.write_table(table, file, use_dictionary=["c0"], write_statistics=False)
    plain, kept_in_dictionary = bytes.fromhex("35000600"), bytes.fromhex("35000610")
    forged = file.getvalue().replace(kept_in_dictionary, plain)
    assert pq.ParquetFile(io.BytesIO(forged)).metadata.row_group(0).column(0).encodings[-1] == "PLAIN"
    monkeypatch.setattr(frames, "MOST_BYTES", 2**19)
    with pytest.raises(ProjectError, match="too large to open"):
        frames.read(forged, {"rows": 1000, "index": "int64", "columns": [{"name": "a", "dtype": "str"}]})


def test_a_table_that_ends_its_reader_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken_off(*_: object) -> None:
        raise apart.BrokenOffError

    monkeypatch.setattr(apart, "run", broken_off)
    with pytest.raises(ProjectError, match="a table in it cannot be read"):
        archive.load(VERSION_1.read_bytes())


def test_what_parquet_says_of_pandas_is_not_read() -> None:
    frame = pd.DataFrame({"a": [1, 2]})
    content, what = frames.write(frame)
    table = pq.read_table(io.BytesIO(content)).replace_schema_metadata(
        {"pandas": '{"columns": [{"name": "os"}]}'}
    )
    file = io.BytesIO()
    pq.write_table(table, file, use_dictionary=False)
    pd.testing.assert_frame_equal(frames.read(file.getvalue(), what), frame)


def test_program_lines_are_not_taken_from_a_file() -> None:
    saved = a_session()
    kept = Kept(
        "one",
        ModelCall("score ~ age", "school"),
        Dataset.of("d", saved.source.frame, "s", code=("import os",)),
    )
    back = archive.load(archive.save(Session(saved.source, kept=(kept,))))
    assert back.kept[0].data.code == ()


def test_a_type_without_a_place_is_named() -> None:
    frame = pd.DataFrame({"t": pd.to_datetime(["2020"]).tz_localize("UTC"), "x": [1]})
    assert frames.unsupported(frame) == ["t"]
    with pytest.raises(ProjectError, match="'t'"):
        frames.write(frame)
    assert session.MOST_KEPT > 10


# --- in the app -----------------------------------------------------------------------------------


def test_a_project_opened_in_another_session_shows_the_same() -> None:
    app = AppTest.from_file(fits.APP, default_timeout=fits.TIMEOUT).run()
    app.get("file_uploader")[1].upload("p.zip", VERSION_1.read_bytes(), "application/zip").run()
    assert not app.exception
    assert "52 rows and 2 kept models" in app.success[0].value.replace("\\", "")
    assert "52 rows (2 left out) × 5 columns" in app.get("page_link")[0].proto.label.replace("\\", "")
    found = app.session_state[state._DATASET]
    assert digest_of(found.frame) == a_session().kept[1].data.digest
    assert app.session_state[state._CALL] == a_session().call
    assert [each.name for each in app.session_state[state._KEPT]] == ["one", "two"]


def test_a_damaged_project_leaves_the_session_as_it_was() -> None:
    app = fits.opened("data", "sleepstudy")
    before = {key: app.session_state[key] for key in (state._DATASET, state._CALL, state._SOURCE)}
    app.get("file_uploader")[1].upload("p.zip", VERSION_1.read_bytes()[:-300], "application/zip").run()
    assert not app.exception
    assert "Nothing was changed" in app.error[0].value.replace("\\", "")
    for key, value in before.items():
        assert app.session_state[key] is value
