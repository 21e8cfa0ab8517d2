"""Two companies, everybody who may ask about them, and things to ask about, for the tests of all doors at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import requests

from services.gateway.endpoints.endpoint import EndpointSpec
from tests.service.gateway import samples
from tests.service.gateway.callers import Caller, Callers
from tests.service.gateway.factories import Company, Gateway
from tests.service.gateway.samples import Homes

MALFORMED = ("abc", "7", "00000000-0000-0000-0000-00000000000g")


@dataclass(frozen=True)
class Thing:
    """What a request is about; `tenant` is whose it is, None is nobody's."""

    kind: str
    ids: dict[str, Any]
    tenant: str | None
    for_all: bool = True

    def seen_by(self, caller: Caller) -> bool:
        return self.tenant == caller.tenant and (self.for_all or caller.sees_all)


@dataclass(frozen=True)
class World:
    """Two companies with the same logins but for a prefix, and the services that answer for them."""

    gateway: Gateway
    callers: Callers
    homes: Homes
    company: Company
    other: Company

    def things(self, spec: EndpointSpec) -> Iterator[Thing]:
        """Fresh ones, one of each kind for each id in the door's path."""
        own = samples.ids_of(spec, self.homes, self.company)
        yield Thing("own", own, self.company.tenant)
        for name in own:
            foreign = samples.ids_of(spec, self.homes, self.other)[name]
            alone = len(own) == 1
            yield Thing(f"foreign {name}", own | {name: foreign}, self.other.tenant if alone else None)
            yield Thing(f"missing {name}", own | {name: uuid4()}, None)
            yield from (Thing(f"malformed {name} {text}", own | {name: text}, None) for text in MALFORMED)
            if name in samples.COLLEAGUES:
                colleagues = samples.COLLEAGUES[name](self.homes, self.company)
                others = own | {name: colleagues}
                samples.complete(spec, self.homes, self.company, others)
                yield Thing(f"colleague's {name}", others, self.company.tenant, for_all=False)

    def knock(self, spec: EndpointSpec, caller: Caller, thing: Thing, **how: Any) -> requests.Response:
        """The answer to a request with nothing wrong in it but what is said in `how`."""
        sent = samples.sent(spec, self.company if caller.tenant == self.company.tenant else self.other) | how
        headers = {**caller.headers, **sent.pop("headers", {})}
        params = samples.asked(spec) | sent.pop("params", {})
        where = samples.path(spec, thing.ids)
        with self.gateway(
            spec.method, where, headers=headers, params=params, stream=True, allow_redirects=False, **sent
        ) as answer:
            if not answer.headers.get("Content-Type", "").startswith("text/event-stream"):
                answer.content  # noqa: B018  (read while it is open)
            return answer
