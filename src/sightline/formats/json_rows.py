"""Lists of JSON objects, column by column: entries of a file as arrays, and arrays as entries."""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import repeat
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from jaxtyping import Float, Int, Shaped

from sightline.errors import FormatError

Where = Callable[[int], str]
"""What to call an entry in a message: ``clip.json: tracks[7]``."""
_BLOCK = 65_536
"""Entries written at a time."""
_MISSING = object()


def document(path: Path) -> Any:
    """What the file says.

    Raises:
        FormatError: it is no JSON; names the line.
        OSError: the file cannot be read.
    """
    data = path.read_bytes()
    try:
        return json.loads(data.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise FormatError(f"{path}: line {error.lineno}: no valid JSON ({error.msg.lower()})") from None
    except UnicodeDecodeError as error:
        line = 1 + data.count(b"\n", 0, error.start)
        raise FormatError(f"{path}: line {line}: no valid JSON (not UTF-8 text)") from None
    except RecursionError:
        raise FormatError(f"{path}: no valid JSON (nested too deeply)") from None
    except ValueError as error:
        raise FormatError(f"{path}: no valid JSON ({str(error).split(';')[0]})") from None


def objects(found: Any, name: str, path: Path) -> list[dict[str, Any]]:
    """``found`` when it is a list of objects.

    Raises:
        FormatError: it is not.
    """
    if not isinstance(found, list):
        raise FormatError(f"{path}: {name!r} is {kind_of(found)}, expected a list of objects")
    if {*map(type, found)} <= {dict}:
        return found
    k, entry = next((k, entry) for k, entry in enumerate(found) if not isinstance(entry, dict))
    raise FormatError(f"{path}: {name}[{k}] is {kind_of(entry)}, expected an object")


def other_keys(entries: Sequence[Mapping[str, Any]], ours: AbstractSet[str]) -> list[str]:
    """The keys that any entry has beside ``ours``, in the order in which they come up."""
    kinds = dict.fromkeys(map(tuple, entries))  # of which there are few, however many entries
    return [key for key in dict.fromkeys(itertools.chain.from_iterable(kinds)) if key not in ours]


def values(entries: Sequence[Mapping[str, Any]], key: str, where: Where) -> list[Any]:
    """What each entry says under ``key``.

    Raises:
        FormatError: an entry does not have it.
    """
    found = [entry.get(key, _MISSING) for entry in entries]
    if _MISSING in found:
        raise FormatError(f"{where(found.index(_MISSING))}: no {key!r}")
    return found


def whole_numbers(found: Sequence[Any], key: str, where: Where) -> Int[np.ndarray, " n"]:
    """The values as whole numbers; 3.0 is one.

    Raises:
        FormatError: one of them is not.
    """
    if {*map(type, found)} == {int} and min(found) > -(2**63) and max(found) < 2**63:
        return np.array(found, np.int64)
    for k, value in enumerate(found):
        fits = type(value) is int or (type(value) is float and value.is_integer())
        if not fits or abs(value) >= 2**63:
            raise FormatError(f"{where(k)}: {key} is {shown(value)}, expected a whole number")
    return np.array([int(value) for value in found], np.int64)


def real_numbers(found: Sequence[Any], key: str, where: Where) -> Float[np.ndarray, " n"]:
    """The values as numbers; null is NaN.

    Raises:
        FormatError: one of them is neither.
    """
    if {*map(type, found)} <= {float}:
        return np.array(found, np.float64)
    for k, value in enumerate(found):
        if not _moderate((value,), {int, float, type(None)}):
            raise FormatError(f"{where(k)}: {key} is {shown(value)}, expected a number")
    return np.array(found, np.float64)


def texts(found: Sequence[Any], key: str, where: Where) -> list[str]:
    """The values as texts.

    Raises:
        FormatError: one of them is not.
    """
    if not {*map(type, found)} <= {str}:
        k, value = next((k, value) for k, value in enumerate(found) if type(value) is not str)
        raise FormatError(f"{where(k)}: {key} is {shown(value)}, expected a text")
    return list(found)


def boxes(found: Sequence[Any], key: str, what: str, where: Where) -> Float[np.ndarray, "n 4"]:
    """The values as four numbers each.

    Raises:
        FormatError: one of them is not.
    """
    if {*map(type, found)} == {list} and {*map(len, found)} == {4}:
        flat = list(itertools.chain.from_iterable(found))
        if {*map(type, flat)} <= {float}:
            return np.array(flat).reshape(len(found), 4)
    for k, value in enumerate(found):
        if type(value) is not list or len(value) != 4 or not _moderate(value, {int, float}):
            raise FormatError(f"{where(k)}: {key} is {shown(value)}, expected four numbers {what}")
    return np.array(found, np.float64).reshape(len(found), 4)


def column(found: Sequence[Any]) -> Shaped[np.ndarray, "n ..."]:
    """Values of any kind as the plainest array that gives them back; one of objects where nothing plainer does.

    Numbers with gaps (None) among fractions become NaN; lists of one shape become further axes.
    """
    kinds = {*map(type, found)}
    if kinds == {list}:
        return _stacked(found)
    if kinds == {bool} or (kinds == {int} and _moderate(found, {int})):
        return np.array(found)
    if float in kinds and _moderate(found, {int, float, type(None)}):
        return np.array(found, np.float64)
    if kinds == {str} and not any(value.endswith("\0") for value in found):
        return np.array(found)
    return _objects(found)


def _objects(found: Sequence[Any]) -> Shaped[np.ndarray, " n"]:
    kept = np.empty(len(found), object)
    kept[:] = found
    return kept


def _stacked(found: Sequence[list[Any]]) -> Shaped[np.ndarray, "n ..."]:
    """Lists of one shape as one array, if they hold numbers only."""
    try:
        array = np.array(found, dtype=object)
    except ValueError:
        return _objects(found)
    leaves = array.ravel().tolist() if array.ndim > 1 else []
    if leaves and _moderate(leaves, {int}):
        return np.array(found)
    if float in {*map(type, leaves)} and _moderate(leaves, {int, float, type(None)}):
        return np.array(found, np.float64)
    return _objects(found)


def _moderate(found: Sequence[Any], kinds: set[type]) -> bool:
    """Whether all values are of those kinds, and whole numbers among them such as 64 bits hold."""
    return {*map(type, found)} <= kinds and all(abs(value) < 2**63 for value in found if type(value) is int)


def write_entries(stream: TextIO, columns: Mapping[str, Any], n: int) -> None:
    """Writes the entries of a list, one per line, without its brackets; a value that is NaN or None is left out.

    Raises:
        ValueError: a column holds what JSON cannot say.
    """
    for start in range(0, n, _BLOCK):
        stop = min(start + _BLOCK, n)
        parts = [_spelled(key, values[start:stop]) for key, values in columns.items()]
        lines = ("{" + "".join(row)[1:] + "}" for row in zip(*parts, strict=True))
        stream.write((",\n" if start else "") + ",\n".join(lines))


def _spelled(key: str, some: Any) -> Iterator[str]:
    """``,"key":value`` for each value, or nothing where there is none."""
    before = f",{json.dumps(key)}:"
    array = np.asarray(some)
    if array.ndim == 1 and array.dtype.kind in "iu":
        return map(before.__add__, map(str, array.tolist()))
    if array.ndim == 1 and array.dtype.kind == "f":
        return (before + repr(v) if v == v else "" for v in _finite(array, key).tolist())  # noqa: PLR0124  NaN is not
    if array.dtype.kind == "U" and array.ndim == 1:
        names, which = np.unique(array, return_inverse=True)
        said = [before + json.dumps(str(name), ensure_ascii=False) for name in names]
        return (said[k] for k in which.tolist())
    if array.ndim > 1 and array.dtype.kind == "f":
        if not np.isnan(_finite(array, key)).any():
            return map(before.__add__, map(str, array.tolist()))  # Python and JSON spell such lists alike
        gaps, array = np.isnan(array), array.astype(object)
        array[gaps] = None
    return map(_with_gaps, repeat(before), array.tolist())


def _finite(array: Shaped[np.ndarray, "..."], key: str) -> Shaped[np.ndarray, "..."]:
    if np.isinf(array).any():
        raise ValueError(f"{key} is infinite")
    return array


def _with_gaps(before: str, value: Any) -> str:
    return "" if value is None else before + json.dumps(value, allow_nan=False, ensure_ascii=False)


def shown(value: Any) -> str:
    """The value as in the file, cut short."""
    text = json.dumps(value)
    return text if len(text) <= 40 else text[:37] + "..."


def kind_of(value: Any) -> str:
    """What a value is, in words."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
