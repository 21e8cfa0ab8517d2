"""One function per command or heard message. Each is one transaction, which the caller opens."""

from base64 import b64decode
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.billing import projections, queries, rates
from services.billing.domain import tariff as domain
from services.billing.domain.tariff import ActivateTariff, Command, DiscardTariff, DraftTariff
from shared.contracts.billing.events import Rate, Rounding, Tariff
from shared.contracts.billing.schemas import TariffSchema
from shared.contracts.errors import Invalid, NotFound
from shared.contracts.gateway import schemas as settings
from shared.contracts.wire import Json
from shared.plumbing import clock, commands, decider, logs, store
from shared.plumbing.database import Connection
from shared.plumbing.decider import CommandEnvelope

TAKE_SLICE = """
    insert into uploads (upload_id, number, tenant, content, taken_at)
    values (%(upload_id)s, %(number)s, %(tenant)s, %(content)s, %(taken_at)s)
        on conflict do nothing
"""
FORGET_UPLOADS = "delete from uploads where taken_at < %(before)s"
KEPT_UPLOADS = timedelta(days=1)
STATE = TariffSchema()


def take_slice(conn: Connection, upload_id: UUID, tenant: str, number: int, content: str) -> None:
    """Keep a part of a file until all are there. Raises Invalid for what is not Base64."""
    try:
        part = b64decode(content, validate=True)
    except ValueError as error:
        raise Invalid("not_base64", field="content") from error
    words = {"upload_id": upload_id, "number": number, "tenant": tenant, "content": part, "taken_at": clock.now()}
    conn.execute(TAKE_SLICE, words)


def delete_expired_uploads(conn: Connection) -> None:
    """Drop what was uploaded a day ago and more."""
    conn.execute(FORGET_UPLOADS, {"before": clock.now() - KEPT_UPLOADS})


def draft_tariff(
    conn: Connection,
    command_id: UUID,
    tenant: str,
    tariff_id: UUID,
    name: str,
    currency: str,
    rounding: Rounding,
    drafted: Sequence[Rate],
    by: UUID | None,
) -> Json:
    """Write a draft, or write it anew. Raises Rejected for one that is a draft no more, NotFound for another's."""

    def draft() -> Json:
        command = DraftTariff(
            tariff_id=tariff_id,
            name=name,
            currency=currency,
            rounding=rounding,
            rates=rates.keep(conn, drafted),
            count=len(drafted),
            by=by,
            at=clock.now(),
        )
        return _carry_out(conn, tenant, tariff_id, command, new=True)

    return commands.once(conn, command_id, draft)


def activate_tariff(
    conn: Connection, command_id: UUID, tenant: str, tariff_id: UUID, valid_from: datetime, by: UUID | None
) -> Json:
    """Let a draft rule from that instant on. Raises NotFound, and Rejected for what is no draft or has no rates."""
    command = ActivateTariff(tariff_id=tariff_id, valid_from=valid_from, by=by, at=clock.now())
    return commands.once(conn, command_id, lambda: _carry_out(conn, tenant, tariff_id, command))


def discard_tariff(conn: Connection, command_id: UUID, tenant: str, tariff_id: UUID, by: UUID | None) -> Json:
    """Throw a draft away. Raises NotFound, and Rejected for what is no draft."""
    command = DiscardTariff(tariff_id=tariff_id, by=by, at=clock.now())
    return commands.once(conn, command_id, lambda: _carry_out(conn, tenant, tariff_id, command))


def _carry_out(conn: Connection, tenant: str, tariff_id: UUID, command: Command, *, new: bool = False) -> Json:
    stream = f"tariff-{tariff_id}"
    store.lock(conn, [stream])
    if queries.tariff(conn, tenant, tariff_id) is None and not new:
        raise NotFound
    order = CommandEnvelope(tenant=tenant, stream=stream, command=command, correlation_id=logs.correlation_id())
    changes = decider.execute(conn, domain, [order], describe)
    projections.keep_tariffs(conn, changes, command.at)
    return queries.show_tariff(conn, tenant, tariff_id)


def describe(stream: str, tariff: Tariff) -> Json:
    """What is published of a tariff."""
    described: Json = STATE.dump(tariff)
    return described


def save_settings(conn: Connection, heard: Sequence[Any]) -> None:
    """Remember what companies have set, in any order, any number of times; it counts for calls heard of from now on."""
    projections.keep_terms(conn, settings.newest(heard))
