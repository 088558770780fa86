"""Tables for other programs: they come back as they were, and nothing in them is ever calculated."""

import csv
import json
import math

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sightline.errors import FormatError
from sightline.formats import xlsx
from sightline.formats.tabular import write

ODD = ["=1+1", "+49 30", "-2", "@SUM(A1)", "\tx", 'a,"b" & <c>', "plain", None, "", "ünï\u0007"]
TABLE = pa.table(
    {
        "name": pa.array(ODD, pa.string()),
        "n": pa.array([1, -2, 3, None, 5, 6, 7, 8, 9, 10]),
        "x": pa.array([0.1, -2.5, math.nan, math.inf, None, 1e-9, 1e20, 0.0, 1.0, 2.0]),
        "is_in": pa.array([True, False] * 5),
        "more": pa.array(['{"k":1}'] * 10),
    }
)


def test_what_a_spreadsheet_would_calculate_is_text_in_csv(tmp_path):
    write(TABLE, tmp_path / "t.csv", "csv")
    with (tmp_path / "t.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows[:5]] == ["'=1+1", "'+49 30", "'-2", "'@SUM(A1)", "'\tx"]
    assert rows[5]["name"] == ODD[5]
    assert (rows[1]["n"], rows[1]["x"]) == ("-2", "-2.5")


def test_a_spreadsheet_holds_texts_as_texts_and_numbers_as_numbers(tmp_path):
    write(TABLE, tmp_path / "t.xlsx", "xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "t.xlsx").active
    rows = list(sheet.rows)
    assert [cell.value for cell in rows[0]] == TABLE.column_names
    assert [row[0].value for row in rows[1:8]] == ODD[:7]
    assert {row[0].data_type for row in rows[1:8]} == {"s"}
    assert rows[8][0].value is None
    assert rows[10][0].value == "ünï"
    assert [row[1].value for row in rows[1:5]] == [1, -2, 3, None]
    assert [row[2].value for row in rows[1:7]] == [0.1, -2.5, None, None, None, 1e-9]
    assert [row[3].value for row in rows[1:3]] == [True, False]


def test_several_sheets_have_their_names(tmp_path):
    xlsx.write({"a/b": TABLE, "second": TABLE.slice(0, 0), "x" * 40: TABLE.slice(0, 1)}, tmp_path / "t.xlsx")
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    assert book.sheetnames == ["a b", "second", "x" * 31]
    assert (book["second"].max_row, book["x" * 31].max_row) == (1, 2)


def test_more_rows_than_a_sheet_holds_are_refused(tmp_path):
    many = pa.table({"n": pa.nulls(xlsx.MOST_ROWS + 1, pa.int8())})
    with pytest.raises(FormatError, match="take csv or parquet"):
        write(many, tmp_path / "t.xlsx", "xlsx")
    assert not list(tmp_path.iterdir())


def test_json_is_an_array_of_objects_with_json_in_it(tmp_path):
    write(TABLE, tmp_path / "t.json", "json", ("more",))
    rows = json.loads((tmp_path / "t.json").read_text())
    assert (len(rows), rows[0]["name"], rows[0]["more"], rows[2]["x"]) == (10, "=1+1", {"k": 1}, None)
    write(TABLE.slice(0, 0), tmp_path / "t.json", "json")
    assert json.loads((tmp_path / "t.json").read_text()) == []


def test_parquet_is_the_table_itself(tmp_path):
    write(TABLE.drop_columns("x"), tmp_path / "t.parquet", "parquet")
    assert pq.read_table(tmp_path / "t.parquet").equals(TABLE.drop_columns("x"))
