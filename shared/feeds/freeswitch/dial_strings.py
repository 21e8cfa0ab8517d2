"""FreeSWITCH's dial strings: `{call_timeout=20}user/101@pbx,sofia/gateway/provider/380501112233|user/102@pbx`."""

import re
from typing import NamedTuple

from shared.feeds.asterisk.channels import clean, is_outside

_VARIABLES = re.compile(r"\{[^}]*\}|\[[^\]]*\]|<[^>]*>")
_SEPARATOR = re.compile(r":_:|[,|]")
_GATEWAY = "gateway"
VIRTUAL_TECHNOLOGIES = {"error", "loopback", "group", "null", "pickup", "sofia_contact"}


class Target(NamedTuple):
    """A target of a dial string. `gateway` is the outside line, "" for an internal phone."""

    number: str
    gateway: str = ""

    @property
    def outside(self) -> bool:
        return bool(self.gateway) or is_outside(self.number)


def targets_of(dial: str) -> list[Target]:
    """The targets in their order, without those that name no single phone or number."""
    parts = _SEPARATOR.split(_VARIABLES.sub("", dial))
    return [target for part in parts if (target := _target(part.strip()))]


def _target(part: str) -> Target | None:
    technology, _, rest = part.partition("/")
    if not rest or technology.lower() in VIRTUAL_TECHNOLOGIES:
        return None
    if technology.lower() == "sofia":
        profile, _, rest = rest.partition("/")
        if profile.lower() == _GATEWAY:
            gateway, _, number = rest.partition("/")
            return Target(_user(number), clean(gateway.rpartition("::")[2])) if number else None
    number = _user(rest.rpartition("/")[2])
    return Target(number) if number else None


def _user(text: str) -> str:
    """`101` of `sip:101@pbx:5060;transport=tcp`."""
    return clean(text.removeprefix("sip:").partition("@")[0].partition(";")[0].partition("^")[0])
