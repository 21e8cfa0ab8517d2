"""Types of problems (RFC 9457): for each slug its status, title and page, and the codes of its problems.

`/problems/<slug>` is the page; a program reads `code`. The first code of a type is its general one.
"""

from collections.abc import Mapping
from typing import NamedTuple

PATH = "/problems"


class ProblemType(NamedTuple):
    status: int
    title: str
    explanation: str
    codes: tuple[str, ...]


PROBLEM_TYPES: Mapping[str, ProblemType] = {
    "malformed": ProblemType(
        400,
        "Malformed",
        "The request cannot be read: it is not HTTP, or its body is not JSON in UTF-8. Correct it; a repeat fails too.",
        ("malformed_request", "body_not_json", "body_nested_too_deep"),
    ),
    "incomplete": ProblemType(
        400,
        "Incomplete",
        "The connection closed before the whole body arrived. Send it again.",
        ("upload_interrupted",),
    ),
    "unauthorised": ProblemType(
        401,
        "Not signed in",
        "No credentials were sent, or they are not valid. People send the token of POST /api/v1/sessions, machines an "
        "API key in X-Api-Key or a signature.",
        (
            "credentials_missing",
            "wrong_login_or_password",
            "account_changed",
            "session_ended",
            "token_invalid",
            "token_and_key",
            "api_key_invalid",
            "signature_malformed",
            "signature_expired",
            "signature_invalid",
        ),
    ),
    "forbidden": ProblemType(
        403,
        "Not allowed",
        "The credentials are valid, but the role or the kind of key does not allow this request. An administrator can "
        "change a role.",
        ("role_not_allowed", "parameter_not_allowed"),
    ),
    "forged": ProblemType(
        403,
        "Not allowed",
        "A write with the session cookie must come from the page itself and carry the value of the cookie csrf in the "
        "header X-CSRF-Token.",
        ("csrf_token_wrong", "cross_site_request"),
    ),
    "comment-of-another-author": ProblemType(
        403,
        "Not allowed",
        "A comment is changed by its author, a supervisor or an administrator.",
        ("comment_of_another_author",),
    ),
    "bad-link": ProblemType(
        403,
        "Not allowed",
        "Links to recordings are signed and valid for two minutes. Request a new one from "
        "/api/v1/calls/{id}/recording.",
        ("link_invalid",),
    ),
    "not-found": ProblemType(
        404,
        "Not found",
        "The address or the object does not exist, or it is out of the caller's scope: both look the same.",
        ("not_found",),
    ),
    "method-not-allowed": ProblemType(
        405, "Method not allowed", "The header Allow lists the methods of this address.", ("method_not_allowed",)
    ),
    "timeout": ProblemType(
        408,
        "Too slow",
        "The request did not arrive in time. Send it again, over a faster connection if it is large.",
        ("request_timeout",),
    ),
    "conflict": ProblemType(
        409,
        "Conflict",
        "The request contradicts the present state. Read the object again and decide anew; `code` says what is in "
        "the way.",
        (
            "conflict",
            "login_taken",
            "last_administrator",
            "password_changed",
            "line_taken",
            "contact_exists",
            "comment_changed",
            "recording_exists",
            "recording_deleted",
            "upload_is_incomplete",
            "report_id_used_for_other_content",
            "too_many_reports_of_one_call",
            "too_many_parties_of_one_call",
        ),
    ),
    "tariff-has-no-rates": ProblemType(
        409,
        "Conflict",
        "A tariff without rates prices nothing, so it cannot be activated or tried.",
        ("tariff_has_no_rates",),
    ),
    "tariff-is-active": ProblemType(
        409,
        "Conflict",
        "Prices follow from an activated tariff, so it never changes. Draft another one.",
        ("tariff_is_active",),
    ),
    "tariff-is-discarded": ProblemType(
        409, "Conflict", "The draft was discarded. Draft another one.", ("tariff_is_discarded",)
    ),
    "tariff-is-not-drafted": ProblemType(409, "Conflict", "The tariff was never drafted.", ("tariff_is_not_drafted",)),
    "length-required": ProblemType(
        411, "Length required", "A body needs the header Content-Length; chunks are not accepted.", ("length_required",)
    ),
    "changed": ProblemType(
        412, "Changed", "The object is not the one that If-Match names. Read it again.", ("precondition_failed",)
    ),
    "too-large": ProblemType(
        413,
        "Too large",
        "The body is larger than this address accepts. Send it in parts where the API allows that.",
        ("body_too_large", "body_too_large_for_edge"),
    ),
    "too-long": ProblemType(
        414, "Too long", "The URL is too long. Use fewer or shorter parameters.", ("url_too_long",)
    ),
    "wrong-content": ProblemType(
        415,
        "Wrong content",
        "The body has a Content-Type, or is of a format, that this address does not accept.",
        ("wrong_content_type", "recording_format_unknown"),
    ),
    "no-such-part": ProblemType(
        416,
        "No such part",
        "The range begins after the end; Content-Range says how long it is.",
        ("range_not_satisfiable",),
    ),
    "invalid": ProblemType(
        422,
        "Invalid",
        "`errors` lists what is invalid by path: the name of a field or parameter, nested ones with dots between "
        "(`lines.0.address`); in a file the number of the line comes first (`17.number`), in a list its index. The "
        "empty path is the whole body.",
        ("invalid", "file_has_errors"),
    ),
    "too-many": ProblemType(
        429,
        "Too many requests",
        "A limit is reached. The header Retry-After says after how many seconds to try again.",
        (
            "too_many_requests",
            "too_many_exports",
            "too_many_wrong_passwords",
            "too_many_concurrent_exports",
            "too_many_concurrent_recordings",
            "too_many_connections",
        ),
    ),
    "header-too-large": ProblemType(
        431, "Header too large", "The headers are too large. Send fewer or smaller ones.", ("headers_too_large",)
    ),
    "failed": ProblemType(
        500,
        "Failed",
        "A fault on our side. The logs contain it under `instance`; pass that on with `request_id`.",
        ("failed",),
    ),
    "unavailable": ProblemType(
        503,
        "Try again",
        "A server or service needed for this request does not respond. Nothing is lost: repeat a write with the same "
        "Idempotency-Key after Retry-After seconds.",
        (
            "unavailable",
            "service_unavailable",
            "database_unavailable",
            "broker_unavailable",
            "storage_unavailable",
            "too_many_sign_ins",
        ),
    ),
    "too-many-streams": ProblemType(
        503,
        "Try again",
        "This process serves as many streams as it can. Another attempt may reach another one.",
        ("too_many_streams",),
    ),
    "too-slow": ProblemType(
        503,
        "Took too long",
        "The database needs too long for this query. Choose a shorter period or more filters.",
        ("query_too_slow",),
    ),
    "not-ready": ProblemType(
        503,
        "Not ready",
        "A server that this process needs does not respond; a load balancer should use another process.",
        ("servers_unavailable",),
    ),
    "no-room": ProblemType(
        507, "No room left", "The recording storage is full. Its operator must free space.", ("storage_full",)
    ),
}
SLUG_OF = {code: slug for slug, problem_type in PROBLEM_TYPES.items() for code in problem_type.codes}
"""By code, the type of a problem with this code."""
CODE_OF_STATUS = {problem_type.status: problem_type.codes[0] for problem_type in reversed(list(PROBLEM_TYPES.values()))}
"""The code of a problem that is nothing but its status: of the first type with that status."""


def url(slug: str) -> str:
    """The `type` of a problem: the path of its page."""
    return f"{PATH}/{slug}"
