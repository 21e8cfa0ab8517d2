"""Who is at the other end of a request, when proxies of ours stand between."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from werkzeug.wrappers import Request

NOBODY_KNOWS = "unknown"
A_HOUSEHOLD = 64
"""Bits of an IPv6 address that tell one customer of a provider from another; the rest they choose themselves."""


class Proxies:
    """The peers whose X-Forwarded-For is believed."""

    def __init__(self, trusted: str) -> None:
        """`trusted`: addresses and networks, separated by commas. Raises ValueError."""
        self._trusted = [ip_network(part.strip()) for part in trusted.split(",") if part.strip()]

    def client(self, request: Request) -> str:
        """The address that the request comes from: the last one that none of our proxies wrote of another of them."""
        said = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
        peer = _read(request.remote_addr or "")
        while said and peer and self._trusts(peer):
            behind = _read(said.pop())
            if behind is None:
                break
            peer = behind
        return _household(peer) if peer else NOBODY_KNOWS

    def _trusts(self, peer: IPv4Address | IPv6Address) -> bool:
        return any(peer in network for network in self._trusted)


def _read(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _household(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(ip_network((address, A_HOUSEHOLD), strict=False))
