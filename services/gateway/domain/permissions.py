"""Who may come through which door. What they then see is the scope's business."""

from collections.abc import Mapping

from services.gateway.domain.keys import ApiKey, KeyKind
from services.gateway.domain.people import Account
from shared.contracts.values import Role

Caller = Account | ApiKey
ANONYMOUS = "anonymous"
Allowed = frozenset[Role | KeyKind | str]

ANYBODY: Allowed = frozenset({ANONYMOUS})
PEOPLE: Allowed = frozenset(Role)
READERS: Allowed = PEOPLE | {KeyKind.EXPORT}
ADMINISTRATORS: Allowed = frozenset({Role.ADMINISTRATOR})
LEADERS: Allowed = frozenset({Role.ADMINISTRATOR, Role.SUPERVISOR})

ACCOUNTING: Allowed = frozenset({Role.ADMINISTRATOR, Role.ACCOUNTANT})

PERMISSIONS: Mapping[str, Allowed] = {
    "show_openapi": ANYBODY,
    "show_docs": ANYBODY,
    "begin_session": ANYBODY,
    "end_session": PEOPLE,
    "show_me": PEOPLE,
    "take_reports": frozenset({KeyKind.INGEST}),
    "take_freeswitch_record": frozenset({KeyKind.INGEST}),
    "show_journal": READERS,
    "show_journal_of_account": LEADERS | {KeyKind.EXPORT},
    "show_summary": READERS,
    "export_journal": READERS,
    "stream_journal": READERS,
    "show_call": READERS,
    "show_timeline": READERS,
    "write_comment": PEOPLE,
    "delete_comment": PEOPLE,
    "show_comment_history": READERS,
    "show_recording": READERS,
    "show_recording_peaks": READERS,
    "take_recording": frozenset({KeyKind.INGEST}),
    "delete_recording": ADMINISTRATORS,
    "show_price": READERS,
    "list_tariffs": ACCOUNTING,
    "draft_tariff": ACCOUNTING,
    "import_tariff": ACCOUNTING,
    "show_tariff": ACCOUNTING,
    "redraft_tariff": ACCOUNTING,
    "discard_tariff": ACCOUNTING,
    "activate_tariff": ACCOUNTING,
    "list_charges": ACCOUNTING,
    "retry_charges": ACCOUNTING,
    "begin_rerating": ACCOUNTING,
    "show_rerating": ACCOUNTING,
    "show_billing_report": ACCOUNTING,
    "list_accounts": ADMINISTRATORS,
    "add_account": ADMINISTRATORS,
    "show_account": ADMINISTRATORS,
    "change_account": ADMINISTRATORS,
    "list_lines": ADMINISTRATORS,
    "add_line": ADMINISTRATORS,
    "change_line": ADMINISTRATORS,
    "change_password": PEOPLE,
    "list_contacts": READERS,
    "show_contact": READERS,
    "export_contacts": READERS,
    "add_contact": PEOPLE,
    "change_contact": PEOPLE,
    "delete_contact": LEADERS,
    "import_contacts": LEADERS,
    "list_api_keys": ADMINISTRATORS,
    "add_api_key": ADMINISTRATORS,
    "revoke_api_key": ADMINISTRATORS,
    "show_settings": ADMINISTRATORS,
    "change_settings": ADMINISTRATORS,
}
"""By the name of a door, or of a subject and a parameter that fewer may use: `show_journal_of_account`."""


def may(caller: Caller, door: str) -> bool:
    return (caller.kind if isinstance(caller, ApiKey) else caller.role) in PERMISSIONS[door]
