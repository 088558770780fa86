"""Columns of numbers as columns of text, and those put together to lines: no step per row."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO
from xml.sax.saxutils import escape

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Float, Int, Shaped

from sightline.formats.places.rows import AT_ONCE, Rows

Texts = Any
"""``pa.StringArray``: one text per row, null where nothing is known."""
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def fixed(values: Float[np.ndarray, " n"], decimals: int) -> Texts:
    """Always that many decimals and never an exponent; null for what is not finite."""
    known = np.isfinite(values)
    scaled = np.rint(np.where(known, np.abs(values), 0.0) * 10**decimals).astype(np.int64)
    whole, part = np.divmod(scaled, 10**decimals)
    sign = pa.array(["", "-"]).take(pa.array(((values < 0) & (scaled > 0)).astype(np.int8)))
    part_text = pc.utf8_lpad(pa.array(part).cast(pa.string()), width=decimals, padding="0")
    return _null(_joined(sign, pa.array(whole).cast(pa.string()), ".", part_text), ~known)


def short(values: Float[np.ndarray, " n"], decimals: int) -> Texts:
    """At most that many decimals, up to six; null for what is not finite."""
    known = np.isfinite(values)
    rounded = np.round(np.where(known, values, 0.0), decimals) + 0.0  # so that -0.0 is 0
    return _null(pa.array(rounded).cast(pa.string()), ~known)


def whole(values: Int[np.ndarray, " n"]) -> Texts:
    """Whole numbers."""
    return pa.array(values).cast(pa.string())


def moments(utc: Shaped[np.ndarray, " n"]) -> Texts:
    """``2026-05-17T09:19:31.701Z``; null for what is not known."""
    text = pa.array(utc).cast(pa.timestamp("ms")).cast(pa.string())
    return pc.binary_join_element_wise(pc.binary_replace_slice(text, 10, 11, "T"), "Z", "")


def chosen(texts: Sequence[str], which: Int[np.ndarray, " n"]) -> Texts:
    """For each row one of a few texts."""
    return pa.array(texts, pa.string()).take(pa.array(which))


def either(texts: Texts, otherwise: str) -> Texts:
    """The texts, and ``otherwise`` where there is none."""
    return pc.fill_null(texts, otherwise)


def optional(before: str, texts: Texts, after: str) -> Texts:
    """The texts between two others, and nothing at all where there is none."""
    return either(_joined(before, texts, after), "")


def lines(*pieces: str | Texts) -> Texts:
    """Row by row put together; every piece must be there."""
    return _joined(*pieces)


def put(stream: BinaryIO, texts: Texts) -> None:
    """Writes the texts one after the other."""
    offsets = _offsets(texts)
    stream.write(memoryview(texts.buffers()[2])[offsets[0] : offsets[-1]] if len(texts) else b"")


def runs_of(texts: Texts, edges: Int[np.ndarray, " k1"]) -> Iterator[bytes]:
    """The texts from each edge to the next, one after the other."""
    at = _offsets(texts)[edges] if len(texts) else np.zeros(1, np.int64)
    data = memoryview(texts.buffers()[2] or b"") if len(texts) else memoryview(b"")
    for first, after in zip(at[:-1].tolist(), at[1:].tolist(), strict=True):
        yield bytes(data[first:after])


def parts(rows: Rows) -> Iterator[Rows]:
    """The rows, some at a time."""
    for first in range(0, len(rows), AT_ONCE):
        yield rows.rows(slice(first, first + AT_ONCE))


def xml(text: str) -> str:
    """A text as XML has it, in attributes too; what XML has no way to say is left out."""
    return escape(_NOT_XML.sub("", text), {'"': "&quot;", "\t": " ", "\n": " ", "\r": " "})


def _offsets(texts: Texts) -> Int[np.ndarray, " n1"]:
    """Where each text begins in the common buffer, and the end of the last."""
    offsets = np.frombuffer(texts.buffers()[1], np.int32)
    return offsets[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)


def _joined(*pieces: str | Texts) -> Texts:
    return pc.binary_join_element_wise(*pieces, "")


def _null(texts: Texts, where: Shaped[np.ndarray, " n"]) -> Texts:
    return pc.if_else(pa.array(where), pa.scalar(None, pa.string()), texts)
