"""Which addresses may be opened for somebody who is not trusted."""

import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import SplitResult, quote, unquote, urlsplit

from sightline.errors import RefusedError, SourceError
from sightline.fetching.hosts import Network, Resolver, ascii_name, is_allowed, resolved

_KNOWN = frozenset({"http", "https", "rtsp", "rtsps", "s3", "file"})
_MOST_LETTERS = 4096
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]")
"""With the underscore, which Amazon allows no more, but others do."""
_USERINFO = "%:!$&'()*+,;=-._~"
"""What may stay as it is in a user and password; an ``@`` among them is written as ``%40``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An address that may be opened."""

    scheme: str
    """One of http, https, rtsp, rtsps, s3 and file."""
    shown: str
    """How to name it in messages and logs: without user, password and query."""
    url: str = field(repr=False)
    """All of it, with what is nobody's business."""
    host: str = ""
    """Name of the host, or of the bucket."""
    port: int | None = None
    """The port, where the address says one."""
    ips: tuple[str, ...] = ()
    """Where the host is; all of them are allowed."""
    pinned_url: str | None = field(default=None, repr=False)
    """For rtsp and rtsps: ``url`` with the checked IP for a host, for those who would look the name up again."""
    path: Path | None = None
    """For file: the file itself, behind all links."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is allowed. As it comes: media from public hosts, and nothing of this machine or its network."""

    schemes: frozenset[str] = _KNOWN
    """Kinds of addresses."""
    private_networks: tuple[Network, ...] = ()
    """Networks that may be reached although they are not public: where the cameras are."""
    media_folders: tuple[Path, ...] = ()
    """Folders whose files may be read by path or ``file:`` address, with all that is in them."""
    hosts: tuple[str, ...] = ()
    """If any: the only hosts, by name or pattern as ``*.example.com``; their addresses must be allowed too."""
    buckets: tuple[str, ...] = ()
    """Buckets of S3, by name or pattern, that may be read with this system's keys."""
    max_bytes: int = 8 << 30
    """Size of the largest file that is fetched."""
    timeout_s: float = 3600.0
    """Time that fetching one may take."""
    max_redirects: int = 5
    """How often a server may send us elsewhere."""

    def check(self, url: str, resolve: Resolver = resolved) -> Address:
        """What ``url``, an address or an absolute path, stands for; the host's name is looked up, once.

        Raises:
            RefusedError: it is not allowed; says which setting would allow it.
            SourceError: it makes no sense, or there is no such host or file.
        """
        if len(url) > _MOST_LETTERS or not url.isprintable() or "\\" in url or not url.strip():
            raise SourceError("address: empty, too long, or with letters that no address has; give a URL or a path")
        if url.startswith("/"):
            return self._local(url)
        scheme = _SCHEME.match(url)
        if scheme is None:
            raise SourceError("address: give a URL as rtsp://host/path, or the whole path of a file, from / on")
        name = scheme[1].lower()
        if name not in _KNOWN:
            raise RefusedError(f"address: {name[:20]}: is never opened; known are {', '.join(sorted(_KNOWN))}")
        if name not in self.schemes:
            raise RefusedError(f"address: {name}: is not allowed here; to allow it, add it to fetching.schemes")
        try:
            return self._parsed(url, name, resolve)
        except ValueError:
            raise SourceError(
                f"address: not a {name}: URL; in user and password write @ : / ? # as %40 %3A %2F %3F %23"
            ) from None

    def _parsed(self, url: str, scheme: str, resolve: Resolver) -> Address:
        """Raises ValueError too, where it makes no sense."""
        if " " in url:
            raise ValueError("a space")
        parts = urlsplit(url)
        if scheme == "file":
            if parts.netloc not in {"", "localhost"} or parts.query or parts.fragment:
                raise SourceError("address: a file URL is file:///PATH, with ? and # in it written as %3F and %23")
            return self._local(unquote(parts.path, errors="strict"))
        if not url[len(scheme) :].startswith("://") or not parts.hostname:
            raise ValueError("no host")
        return self._object(url, parts) if scheme == "s3" else self._remote(url, parts, resolve)

    def _local(self, text: str) -> Address:
        if "file" not in self.schemes:
            raise RefusedError("address: files are not allowed here; to allow them, add file to schemes")
        if not text.isprintable() or not text.startswith("/"):
            raise SourceError("address: not a path; give the whole of it, from / on")
        path = Path(os.path.realpath(text))
        if not any(path.is_relative_to(os.path.realpath(folder)) for folder in self.media_folders):
            # Said before looking whether it is there: that is nobody's business either.
            raise RefusedError(
                f"{text}: is in no folder that may be read; to allow it, add its folder to fetching.media_folders"
            )
        try:
            is_file = stat.S_ISREG(path.stat().st_mode)
        except OSError as error:
            raise SourceError(f"{text}: {(error.strerror or 'cannot be read').lower()}") from None
        if not is_file:
            raise SourceError(f"{text}: not a file")
        return Address(scheme="file", shown=text, url=path.as_uri(), path=path)

    def _object(self, url: str, parts: SplitResult) -> Address:
        bucket, _, key = url.split("://", 1)[1].partition("/")
        if not _BUCKET.fullmatch(bucket) or {"", ".", ".."} & set(key.split("/")) or parts.query or parts.fragment:
            raise ValueError("no key")
        if not any(fnmatchcase(bucket, pattern) for pattern in self.buckets):
            raise RefusedError(f"s3://{bucket}: may not be read; to allow it, add {bucket} to fetching.buckets")
        return Address(scheme="s3", shown=f"s3://{bucket}/{key}", url=f"s3://{bucket}/{key}", host=bucket)

    def _remote(self, url: str, parts: SplitResult, resolve: Resolver) -> Address:
        host, port = ascii_name(parts.hostname or ""), parts.port
        if port == 0 or (parts.netloc.endswith(":")):
            raise ValueError("no port")
        shown = f"{parts.scheme}://{_authority(host, port)}{parts.path}"
        if self.hosts and not any(fnmatchcase(host.rstrip("."), pattern.lower()) for pattern in self.hosts):
            raise RefusedError(f"{shown}: this host is not allowed; to allow it, add {host} to fetching.hosts")
        ips = tuple(resolve(host))
        self._check_ips(ips, shown)
        pinned = None
        if parts.scheme in {"rtsp", "rtsps"}:
            user, at, _ = parts.netloc.rpartition("@")
            rest = quote(parts.path, safe="/%:@!$&'()*+,;=-._~") + (f"?{_query(parts)}" if parts.query else "")
            pinned = f"{parts.scheme}://{quote(user, safe=_USERINFO)}{at}{_authority(ips[0], port)}{rest}"
        return Address(scheme=parts.scheme, shown=shown, url=url, host=host, port=port, ips=ips, pinned_url=pinned)

    def _check_ips(self, ips: Sequence[str], shown: str) -> None:
        if not ips:
            raise SourceError(f"{shown}: no such host; check its name")
        if not all(is_allowed(ip, self.private_networks) for ip in ips):
            raise RefusedError(
                f"{shown}: its host is not on the public internet; "
                "to allow it, add its network to fetching.private_networks"
            )


def _authority(host: str, port: int | None) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port is None else f"{name}:{port}"


def _query(parts: SplitResult) -> str:
    return quote(parts.query, safe="/?%:@!$&'()*+,;=-._~")
