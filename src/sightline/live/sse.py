"""Text of Server-Sent Events, as browsers' EventSource reads it.

Source: WHATWG HTML, 9.2.5 "Parsing an event stream". To be sent in UTF-8 as ``text/event-stream``.
"""

import re

_LINE_END = re.compile(r"\r\n|\r|\n")
_UNFIT = re.compile(r"[\r\n\0]")


def event(data: str, *, name: str | None = None, number: str | None = None) -> str:
    """One event. ``name`` says which listeners get it (none: those of "message"), ``number`` what to resume after.

    Every kind of line end in ``data`` arrives as a line feed. An event without data would be passed over by
    browsers, so empty data is sent as an empty line.

    Raises:
        ValueError: a name or number with a line end or a zero in it, which would be read as something else.
    """
    fields = [("event", name), ("id", number)]
    for field, value in fields:
        if value is not None and _UNFIT.search(value):
            raise ValueError(f"{field} {value!r} of an event must be one line")
    lines = [f"{field}: {value}\n" for field, value in fields if value is not None]
    lines += [f"data: {line}\n" for line in _LINE_END.split(data)]
    return "".join(lines) + "\n"


def comment(text: str = "") -> str:
    """A line that readers pass over: sent now and then, it keeps what lies between from closing a silent connection."""
    return "".join(f": {line}\n" for line in _LINE_END.split(text)) + "\n"


def retry(after_s: float) -> str:
    """Tells readers how long to wait before they connect again."""
    return f"retry: {round(1000 * after_s)}\n\n"
