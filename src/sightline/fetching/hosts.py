"""Hosts: how their names are written, where they are, and which of those places are public."""

import re
import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from sightline.errors import SourceError

Ip = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolver = Callable[[str], Sequence[str]]
"""The addresses of a host, as text, the best one first; a ``SourceError`` or nothing where it has none."""

_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?|[0-9a-f:.]*:[0-9a-f:.]*")
_LONGEST = 253
_GLOBAL = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")
_NEVER = frozenset(map(ip_address, ("169.254.169.254", "169.254.170.2", "100.100.100.200", "fd00:ec2::254")))
"""Where clouds give their machines' passwords to whoever asks. No camera is there, whatever network is allowed."""


def ascii_name(host: str) -> str:
    """The host in the letters of the network, in lower case.

    Raises:
        ValueError: no host is written like that.
    """
    if len(host) <= _LONGEST:
        name = host if host.isascii() else host.encode("idna").decode("ascii")  # UnicodeError is a ValueError
        if len(name) <= _LONGEST and _NAME.fullmatch(name.lower()):
            return name.lower()
    raise ValueError("not a name of a host")


def resolved(host: str) -> list[str]:
    """The addresses of ``host`` by this machine's own means, which also read spellings as ``0x7f.1``.

    Raises:
        SourceError: it has none.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise SourceError(f"{host}: no such host; check its name") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_allowed(text: str, networks: Sequence[Network]) -> bool:
    """Whether one may connect to the address ``text``: it is public, or in one of ``networks``."""
    try:
        ip = ip_address(text)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and ip.scope_id is not None:
        return False
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    return _is_allowed(mapped or ip, networks)


def _is_allowed(ip: Ip, networks: Sequence[Network]) -> bool:
    if ip in _NEVER or ip.is_multicast or ip.is_unspecified or ip == IPv4Address("255.255.255.255"):
        return False
    inner = _inner(ip)
    if inner is not None and not _is_allowed(inner, networks):
        return False  # a gateway would pass it on to there
    return any(ip in network for network in networks) or _is_public(ip)


def _is_public(ip: Ip) -> bool:
    if isinstance(ip, IPv4Address):
        return ip.is_global and not ip.is_reserved
    return ip in _NAT64 or (ip in _GLOBAL and ip.is_global)


def _inner(ip: Ip) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for, where it does."""
    if isinstance(ip, IPv4Address):
        return None
    if ip in _NAT64 or (ip in _COMPATIBLE and int(ip) > 1):
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
