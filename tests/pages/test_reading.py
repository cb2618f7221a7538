"""Files as bytes → tables of text: encodings, separators, headings, ragged and foreign files, hostile names.

`read` must give the values that were written, or a sentence that names what is wrong and where.
"""

from __future__ import annotations

import csv
import io
import string

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages.ui.data.readers import base, sniffing
from pages.ui.data.readers.base import ReadError, ReadOptions
from pages.ui.data.readers.text import read

PATIENT = settings(deadline=None, max_examples=40)
"""A busy machine may take its time over one example."""
HOSTILE = [
    ":red[x]",
    "$y$",
    "<script>alert(1)</script>",
    "`t`",
    "[a](http://b)",
    "Größe µ",
    "a b",
    'say "hi"',
    "=1+1",
]


def rows(content: bytes, asked: ReadOptions | None = None) -> list[list[str]]:
    result = read(content, asked)
    return [list(result.frame.columns), *result.frame.to_numpy().tolist()]


def table_or_sentence(content: bytes) -> pd.DataFrame | str:
    try:
        return read(content).frame
    except ReadError as err:
        return str(err)


# --- encoding ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252", "latin-1", "utf-16-le", "utf-16-be"]
)
def test_letters_survive_every_encoding_that_can_be_found_out(codec: str) -> None:
    assert rows("Größe,x\nmäßig,1\n".encode(codec)) == [["Größe", "x"], ["mäßig", "1"]]


def test_a_guessed_encoding_is_said_with_the_line() -> None:
    notes = read("a,b\n1,x\n2,ß\n".encode("cp1252")).notes
    assert [note for note in notes if "Windows-1252" in note and "line 3" in note]


def test_bytes_that_windows_leaves_open_fall_back_to_latin_1() -> None:
    result = read(b"a,b\n\x81,1\n")
    assert result.options.encoding == "latin-1"


def test_the_encoding_can_be_set_by_hand() -> None:
    content = "a,b\nš,1\n".encode("iso-8859-2")
    assert rows(content, ReadOptions(encoding="iso-8859-2"))[1] == ["š", "1"]


def test_an_encoding_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ReadError, match="cannot be read as UTF-8"):
        read("a\nß\n".encode("latin-1"), ReadOptions(encoding="utf-8"))


# --- separators and numbers ----------------------------------------------------------------------


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_separator_is_found_out(mark: str) -> None:
    content = f"a{mark}b{mark}c\n1{mark}x y{mark}3\n2{mark}z{mark}4\n".encode()
    assert read(content).options.separator == mark
    assert rows(content)[1] == ["1", "x y", "3"]


@pytest.mark.parametrize(
    "content, separator, decimal",
    [
        ("a;b\n1,5;2\n", ";", ","),
        ("a;b\n1,5;2,25\n3,5;1,0\n", ";", ","),
        ("a\tb\n1,5\t2\n", "\t", ","),
        ("x\n1,5\n2,5\n", ";", ","),
        ("a,b\n1.5,2\n", ",", "."),
        ('a,b\n"1,5",2\n', ",", ","),
        ("a;b\n1.5;x,y\n", ";", "."),
        ("a b c\n1 2 3\n4 5 6\n", " ", "."),
        ("a   b\n  1  2\n 10  3\n", " ", "."),
        ("name\nhello world\nfoo\n", ",", "."),
    ],
)
def test_separator_and_decimal_mark_together(content: str, separator: str, decimal: str) -> None:
    options = read(content.encode()).options
    assert (options.separator, options.decimal) == (separator, decimal)


def test_grouped_digits_are_not_guessed() -> None:
    result = read(b"a;b\n1,234;x\n5,678;y\n")
    assert result.options.decimal == "."
    assert "Nothing was guessed" in " ".join(result.warnings)
    assert not read(b"a;b\n1,234;x\n5,678;y\n", ReadOptions(thousands=",")).warnings


def test_points_and_commas_together_are_said() -> None:
    result = read(b"a;b\n1.5;2,5\n3.5;4,5\n5.5;6.5\n")
    assert result.options.decimal == "."
    assert "“2,5”" in " ".join(result.warnings)


def test_a_heading_longer_than_the_sample_keeps_leading_zeros() -> None:
    names = [f"{'v' * 400}{i}" for i in range(900)]
    content = (",".join(names) + "\n" + ",".join(["007"] * 900) + "\n").encode()
    frame = read(content).frame
    assert list(frame.columns) == names
    assert set(frame.iloc[0]) == {"007"}


def test_the_line_that_spreadsheets_write_declares_the_separator() -> None:
    assert rows(b"sep=;\na;b\n1,2;3\n") == [["a", "b"], ["1,2", "3"]]


def test_quoted_values_hold_separators_line_breaks_and_quotation_marks() -> None:
    content = b'a,b\n"x, y","line 1\nline 2"\n"say ""hi""",2\n'
    assert rows(content) == [["a", "b"], ["x, y", "line 1\nline 2"], ['say "hi"', "2"]]


def test_a_stray_quotation_mark_is_a_letter() -> None:
    assert rows(b'a,b\n5" pipe,2\n') == [["a", "b"], ['5" pipe', "2"]]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system(end: str) -> None:
    assert rows(f"a,b{end}1,2{end}3,4".encode()) == [["a", "b"], ["1", "2"], ["3", "4"]]


def test_letters_that_some_readers_take_for_line_ends_do_not_end_a_line() -> None:
    assert rows("a,b\nx\u2028y,\x0b1\x85z\n".encode())[1][0] == "x\u2028y"


# --- blank lines, comments, ragged rows ----------------------------------------------------------


def test_blank_lines_and_comments_before_the_table() -> None:
    result = read(b"# made by hand\n\n# twice\na,b\n\n1,2\n")
    assert result.frame.to_dict("list") == {"a": ["1"], "b": ["2"]}
    assert "2 comment lines before the table were left out." in result.notes


def test_comments_after_the_table() -> None:
    result = read(b"a,b\n1,2\n# the end\n")
    assert len(result.frame) == 1
    assert "1 comment line was left out." in result.notes


@pytest.mark.parametrize("content", [b"a,b,\n1,2,\n3,4,\n", b"a,b\n1,2,\n3,4,\n"])
def test_separators_at_line_ends_make_no_column(content: bytes) -> None:
    result = read(content)
    assert list(result.frame.columns) == ["a", "b"]
    assert "ends with a separator" in " ".join(result.notes)


def test_row_names_without_a_heading() -> None:
    assert rows(b"a b\n1 2 3\n2 3 4\n") == [["row", "a", "b"], ["1", "2", "3"], ["2", "3", "4"]]


def test_a_row_with_too_many_values_is_named_by_its_line() -> None:
    with pytest.raises(ReadError, match="Line 5 has 3 values where the table has 2 columns"):
        read(b'# c\na,b\n"1\n2",2\n4,5,6\n')


def test_a_row_with_too_few_values_is_filled_and_said() -> None:
    result = read(b"a,b,c\n1,2,3\n4\n5,6\n")
    assert result.frame["c"].tolist() == ["3", "", ""]
    assert "line 3, 4" in " ".join(result.warnings)


def test_an_open_quotation_mark_is_named_by_its_line() -> None:
    with pytest.raises(ReadError, match="opened on line 3 and never closed"):
        read(b'a,b\n1,2\n"x,2\n3,4\n')


def test_a_value_too_long_to_be_one() -> None:
    with pytest.raises(ReadError, match="Line 2 cannot be read"):
        read(b'a,b\n"' + b"x," * 200_000 + b"\n")


# --- headings ------------------------------------------------------------------------------------


def test_hostile_names_stay_as_they_are() -> None:
    text = io.StringIO()
    csv.writer(text).writerows([HOSTILE, ["1"] * len(HOSTILE)])
    assert list(read(text.getvalue().encode()).frame.columns) == HOSTILE


@pytest.mark.parametrize(
    "heading, expected",
    [
        ("x,x,y", ["x", "x (2)", "y"]),
        ("x,x,x", ["x", "x (2)", "x (3)"]),
        ("x,x,x (2)", ["x", "x (3)", "x (2)"]),
        ("a,,b", ["a", "column 2", "b"]),
        ("column 2,,b", ["column 2", "column 2 (2)", "b"]),
        (" a , b,c", ["a", "b", "c"]),
    ],
)
def test_names_become_unique_and_not_empty(heading: str, expected: list[str]) -> None:
    assert list(read(f"{heading}\n1,2,3\n".encode()).frame.columns) == expected


@PATIENT
@given(st.lists(st.sampled_from(["a", "a (2)", "a (3)", "", "column 2", "b"]), min_size=2, max_size=8))
def test_names_are_unique_whatever_the_heading(names: list[str]) -> None:
    content = ",".join(names) + "\n" + ",".join("1" for _ in names) + "\n"
    columns = list(read(content.encode()).frame.columns)
    assert len(set(columns)) == len(columns) == len(names)
    assert all(columns)


def test_a_first_row_of_numbers_is_doubted_and_can_be_data() -> None:
    assert "holds only numbers" in " ".join(read(b"1,2.5\n3,4\n").warnings)
    assert rows(b"1,2.5\n3,4\n", ReadOptions(header=False)) == [
        ["column 1", "column 2"],
        ["1", "2.5"],
        ["3", "4"],
    ]


def test_one_line_is_a_heading_without_rows_or_one_row() -> None:
    with pytest.raises(ReadError, match="column names but no rows"):
        read(b"a,b")
    assert rows(b"a,b", ReadOptions(header=False))[1] == ["a", "b"]


def test_spaces_around_values_are_removed_and_said() -> None:
    result = read(b"a, b\n1, x\n")
    assert result.frame["b"].tolist() == ["x"]
    assert "Spaces around values were removed in “b”." in result.notes


# --- what is not a table -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content, sentence",
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"\xef\xbb\xbf", "nothing but blanks"),
        (b"# only\n# comments\n", "only comments"),
        (b"a,b,c\n", "no rows"),
        (b"%PDF-1.7 \xe2\xe3", "a PDF document"),
        (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
        (b"\xff\xd8\xff\xe0", "a JPEG picture"),
        (b"\x80\x04\x95\x10", "never opened here"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"a,b\n1,\x002\n", "null bytes (first on line 2)"),
    ],
)
def test_what_is_not_a_table_is_called_by_its_name(content: bytes, sentence: str) -> None:
    with pytest.raises(ReadError) as caught:
        read(content)
    assert sentence in str(caught.value)


@pytest.mark.parametrize("name", ["MZ", "RDX", "BZh", "GIF8"])
def test_a_heading_may_begin_like_another_kind_of_file(name: str) -> None:
    assert rows(f"{name},b\n1,2\n".encode())[0] == [name, "b"]


def test_too_many_columns_rows_cells_and_bytes_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ReadError, match="3,000 columns; the limit is 1,000"):
        read((",".join(f"v{i}" for i in range(3000)) + "\n").encode() * 3)
    monkeypatch.setattr(base, "MAX_ROWS", 3)
    with pytest.raises(ReadError, match="4 rows and 1 columns; the limits are 3 rows"):
        read(b"a\n1\n2\n3\n4\n")
    monkeypatch.setattr(base, "MAX_BYTES", 10)
    with pytest.raises(ReadError, match="the limit is"):
        read(b"a\n1\n2\n3\n4\n5\n6\n")


def test_a_thousand_columns_are_read() -> None:
    content = (",".join(f"v{i}" for i in range(1000)) + "\n").encode() + b",".join([b"1"] * 1000) + b"\n"
    assert read(content).frame.shape == (1, 1000)


@PATIENT
@given(st.binary(max_size=200))
def test_no_bytes_at_all_lead_to_anything_but_a_table_or_a_sentence(content: bytes) -> None:
    found = table_or_sentence(content)
    assert found.endswith(".") if isinstance(found, str) else found.shape[0] > 0


@PATIENT
@given(st.text(alphabet='ab1,;\t|" \n\r#.', max_size=60))
def test_no_text_leads_to_anything_but_a_table_or_a_sentence(content: str) -> None:
    found = table_or_sentence(content.encode())
    assert found.endswith(".") if isinstance(found, str) else found.columns.is_unique


# --- round trips ---------------------------------------------------------------------------------

CELLS = st.text(
    alphabet=string.ascii_letters + string.digits + " ,;|\"\n'äµΩ$[]`<>:-_.", min_size=1, max_size=12
).filter(lambda cell: cell == cell.strip() and not cell.startswith("#"))
NAMES = st.lists(
    st.text(alphabet=string.ascii_letters + "äΩ$[` ", min_size=1, max_size=8).filter(
        lambda name: name == name.strip()
    ),
    min_size=2,
    max_size=4,
    unique=True,
)


@PATIENT
@given(
    st.data(),
    NAMES,
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_a_frame_comes_back_from_its_csv(
    data: st.DataObject, names: list[str], separator: str, codec: str
) -> None:
    """Quoted, so that the separator cannot be in doubt; everything else is found out."""
    n = data.draw(st.integers(1, 6))
    frame = pd.DataFrame({name: data.draw(st.lists(CELLS, min_size=n, max_size=n)) for name in names})
    content = frame.to_csv(index=False, sep=separator, quoting=csv.QUOTE_ALL).encode(codec)
    back = read(content, ReadOptions(separator=separator)).frame
    assert list(back.columns) == names
    assert back.to_numpy().tolist() == frame.to_numpy().tolist()


@PATIENT
@given(
    st.lists(
        st.tuples(st.floats(-1e6, 1e6), st.integers(-9, 9), st.sampled_from("xyz")), min_size=2, max_size=20
    ),
    st.sampled_from([(",", "."), (";", ","), ("\t", ","), ("|", "."), (";", ".")]),
)
def test_numbers_come_back_from_every_dialect(
    values: list[tuple[float, int, str]], dialect: tuple[str, str]
) -> None:
    separator, decimal = dialect
    frame = pd.DataFrame(values, columns=["value", "count", "label"])
    frame.loc[0, "value"] = 0.5  # at least one number shows its decimal mark beyond doubt
    result = read(frame.to_csv(index=False, sep=separator, decimal=decimal).encode())
    assert (result.options.separator, result.options.decimal) == dialect
    back = result.frame["value"].str.replace(decimal, ".", regex=False).astype(float)
    np.testing.assert_array_equal(back, frame["value"])


def test_sniffing_looks_at_the_beginning_only() -> None:
    text = "a;b\n" + "1,5;2\n" * 100_000
    assert len(sniffing.sample(text, ";")) <= sniffing.SAMPLE_LINES
