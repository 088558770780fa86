import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.live.sse import comment, event, retry

LINE = st.text(st.characters(blacklist_characters="\r\n\0", blacklist_categories=["Cs"]))


def dispatched(stream):
    """What a browser makes of ``stream``: WHATWG HTML 9.2.6, step by step."""
    events, data, kind, last_id, wait_ms = [], "", "", "", None
    *lines, rest = re.split(r"\r\n|\r|\n", stream)
    assert rest == "", "an event must be finished"
    for line in lines:
        if not line:
            if data:
                events.append((kind or "message", data.removesuffix("\n"), last_id))
            data, kind = "", ""
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            kind = value
        elif field == "data":
            data += value + "\n"
        elif field == "id" and "\0" not in value:
            last_id = value
        elif field == "retry" and value.isdecimal():
            wait_ms = int(value)
    return events, wait_ms


@given(st.text(), LINE, LINE)
def test_a_browser_reads_what_was_said(data, name, number):
    as_read = re.sub(r"\r\n|\r", "\n", data)
    stream = comment("still here") + event(data, name=name, number=number) + comment(data)
    assert dispatched(stream) == ([(name or "message", as_read, number)], None)


@given(st.lists(st.text(), max_size=5))
def test_events_end_where_they_should(texts):
    events, _ = dispatched("".join(event(text) for text in texts))
    assert [data for _, data, _ in events] == [re.sub(r"\r\n|\r", "\n", text) for text in texts]


def test_an_event_reads_as_in_the_standard():
    assert event('{"a": 1}', name="job", number="7") == 'event: job\nid: 7\ndata: {"a": 1}\n\n'
    assert event("a\nb") == "data: a\ndata: b\n\n"
    assert comment("x") == ": x\n\n"


def test_line_ends_that_only_python_knows_are_left_alone():
    assert event("a\u2028b\x0bc") == "data: a\u2028b\x0bc\n\n"


@pytest.mark.parametrize("unfit", ["a\nb", "a\rdata: b", "\0"])
@pytest.mark.parametrize("field", ["name", "number"])
def test_a_name_or_number_that_would_smuggle_lines_is_refused(field, unfit):
    with pytest.raises(ValueError, match="must be one line"):
        event("x", **{field: unfit})


def test_readers_are_told_when_to_come_back():
    assert dispatched(retry(2.5)) == ([], 2500)
