"""XLSX: tables for spreadsheets, one sheet each (ECMA-376, part 1, sections 18.2 to 18.4)."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pyarrow as pa
import pyarrow.compute as pc

from sightline.errors import FormatError
from sightline.files import whole

MOST_ROWS = 1_048_575
"""Of one sheet, below its head."""
_AT_ONCE = 20_000
_LONGEST = 32_767
"""Characters in a cell."""
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_FROZEN = (
    '<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft"'
    ' state="frozen"/></sheetView></sheetViews>'
)
_UNSAYABLE = "[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]"
"""What XML has no way to say."""
_NO_NAME = re.compile(r"[\[\]:*?/\\']")


def write(sheets: Mapping[str, pa.Table], path: Path) -> None:
    """Puts tables into a file, one sheet each, in their order.

    Texts are texts, whatever they begin with: nothing in them is ever calculated. What is unknown is empty.

    Raises:
        FormatError: a table has more rows than a sheet can hold.
        OSError: the file cannot be written; nothing is left under its name then.
    """
    names = [_NO_NAME.sub(" ", name)[:31] for name in sheets]
    for name, table in zip(names, sheets.values(), strict=True):
        if len(table) > MOST_ROWS:
            raise FormatError(f"{path.name}: {len(table):,} rows of {name} do not fit a sheet; take csv or parquet")
    with whole(path) as partial, ZipFile(partial, "w", ZIP_DEFLATED, compresslevel=4) as archive:
        for part, text in _frame(names):
            archive.writestr(part, _HEAD + text)
        for number, table in enumerate(sheets.values(), start=1):
            with archive.open(f"xl/worksheets/sheet{number}.xml", "w", force_zip64=True) as sheet:
                sheet.write(f'{_HEAD}<worksheet xmlns="{_MAIN}">{_FROZEN}<sheetData>'.encode())
                for rows in _rows(table):
                    sheet.write(rows.encode())
                sheet.write(b"</sheetData></worksheet>")


def _frame(names: list[str]) -> Iterator[tuple[str, str]]:
    """All parts but the sheets."""
    numbers = range(1, len(names) + 1)
    kinds = "".join(
        f'<Override PartName="/xl/worksheets/sheet{k}.xml" ContentType="{_TYPE}.worksheet+xml"/>' for k in numbers
    )
    links = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    book = f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    yield "[Content_Types].xml", f'<Types xmlns="{_PACKAGE}/content-types">{links}{book}{kinds}</Types>'
    book = f'<Relationship Id="rId1" Type="{_LINKS}/officeDocument" Target="xl/workbook.xml"/>'
    yield "_rels/.rels", f'<Relationships xmlns="{_PACKAGE}/relationships">{book}</Relationships>'
    links = "".join(
        f'<Relationship Id="rId{k}" Type="{_LINKS}/worksheet" Target="worksheets/sheet{k}.xml"/>' for k in numbers
    )
    yield "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>'
    sheets = "".join(
        f'<sheet name="{_escaped(pa.array([name]))[0].as_py()}" sheetId="{k}" r:id="rId{k}"/>'
        for k, name in zip(numbers, names, strict=True)
    )
    yield "xl/workbook.xml", f'<workbook xmlns="{_MAIN}" xmlns:r="{_LINKS}"><sheets>{sheets}</sheets></workbook>'


def _rows(table: pa.Table) -> Iterator[str]:
    """The head, then all rows, some at a time."""
    yield _lines([_text(pa.array([name])) for name in table.column_names])
    for first in range(0, len(table), _AT_ONCE):
        some = table.slice(first, _AT_ONCE)
        yield _lines([_cells(column.combine_chunks()) for column in some.columns])


def _lines(cells: list[pa.Array]) -> str:
    rows = pc.binary_join_element_wise(*cells, "") if cells else pa.array([], pa.string())
    return "".join(f"<row>{row}</row>" for row in rows.to_pylist())


def _cells(column: pa.Array) -> pa.Array:
    """Numbers as numbers, all else as text."""
    kind = column.type
    if pa.types.is_boolean(kind):
        return _around("<c t='b'><v>", pc.cast(pc.cast(column, pa.int8()), pa.string()), "</v></c>")
    if pa.types.is_floating(kind):
        finite = pc.if_else(pc.is_finite(column), column, pa.scalar(None, kind))
        return _around("<c><v>", pc.cast(finite, pa.string()), "</v></c>")
    if pa.types.is_integer(kind):
        return _around("<c><v>", pc.cast(column, pa.string()), "</v></c>")
    return _text(pc.cast(column, pa.string()))


def _text(column: pa.Array) -> pa.Array:
    return _around('<c t="inlineStr"><is><t xml:space="preserve">', _escaped(column), "</t></is></c>")


def _around(before: str, values: pa.Array, after: str) -> pa.Array:
    return pc.fill_null(pc.binary_join_element_wise(before, values, after, ""), "<c/>")


def _escaped(column: pa.Array) -> pa.Array:
    text = pc.replace_substring_regex(pc.utf8_slice_codeunits(column, 0, _LONGEST), _UNSAYABLE, "")
    for plain, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = pc.replace_substring(text, plain, entity)
    return text
