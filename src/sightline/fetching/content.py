"""Telling media from what only points to media elsewhere, or is a page about it."""

from sightline.errors import SourceError

HEAD = 4096
"""How many of the first bytes are enough to tell."""
_LISTS = (b"#EXTM3U", b"ffconcat", b"v=0", b"[playlist]", b"# VobSub", b"[Reference]")
_INSIDE = (b"<MPD", b"c=IN IP", b"<SmoothStreamingMedia", b"<CompositionPlaylist", b"#EXTM3U", b"ffconcat version")
_PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml"})
_LIST_TYPES = frozenset(
    {
        "application/vnd.apple.mpegurl",
        "application/x-mpegurl",
        "audio/mpegurl",
        "audio/x-mpegurl",
        "application/dash+xml",
        "application/vnd.ms-sstr+xml",
        "application/sdp",
        "application/xspf+xml",
        "audio/x-scpls",
        "video/x-ms-asx",
    }
)
_CONTROL = frozenset(range(32)) - frozenset(b"\t\n\r\f\x1b")


def check_type(media_type: str, shown: str) -> None:
    """Makes sure that what a server calls ``media_type`` may be media; servers are often wrong, so most is let by.

    Raises:
        SourceError: it is a page or a playlist.
    """
    name = media_type.partition(";")[0].strip().lower()
    if name in _PAGE_TYPES:
        raise SourceError(f"{shown}: a web page, not a video; give the address of the file itself")
    if name in _LIST_TYPES:
        raise SourceError(_only_a_list(shown))


def check_media(head: bytes, shown: str) -> None:
    """Makes sure that a file which begins with ``head``, its first ``HEAD`` bytes, may be media.

    Decoders open whatever a playlist names, so none may come near one.

    Raises:
        SourceError: it is empty, a playlist, or text.
    """
    if not head:
        raise SourceError(f"{shown}: the file is empty")
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(_LISTS) or any(mark in head for mark in _INSIDE):
        raise SourceError(_only_a_list(shown))
    if start[:9] != b"YUV4MPEG2" and _is_text(head[:512]):
        raise SourceError(f"{shown}: text, not a video; give the address of the file itself")


def _only_a_list(shown: str) -> str:
    return f"{shown}: a playlist, which would open further addresses; give the address of one video file"


def _is_text(start: bytes) -> bool:
    """Whether people could read it; a letter of several bytes may be cut off at the end."""
    if _CONTROL & set(start):
        return False
    try:
        start.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.end == len(start) and len(start) - error.start < 4
    return True
