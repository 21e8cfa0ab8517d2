"""Every error code and its English text, in the order of `docs/api/errors.md`.

A code never changes its meaning. The names in braces are its params: JSON values, a list where several are possible.
`shared.http.problem_types` says which codes a whole answer may have; all others are of one field.
"""

from collections.abc import Mapping
from string import Formatter
from typing import Any

ERROR_CODES: Mapping[str, str] = {
    # The request as a whole
    "malformed_request": "The request is not valid HTTP.",
    "body_not_json": "The body is not valid JSON: {reason}.",
    "body_nested_too_deep": "The body is nested more than {max} levels deep.",
    "upload_interrupted": "The connection closed before the whole body arrived. Send it again.",
    "request_timeout": "The request did not arrive in time.",
    "length_required": "Send a Content-Length header.",
    "body_too_large": "The body is too large: at most {max} bytes are accepted.",
    "body_too_large_for_edge": "The body is larger than this address accepts.",
    "url_too_long": "The URL is longer than {max} bytes.",
    "headers_too_large": "The headers are longer than {max} bytes.",
    "wrong_content_type": "Send the body with Content-Type: {expected}.",
    "recording_format_unknown": "The content is not a WAV, MP3 or Ogg recording, in Opus or Vorbis.",
    "method_not_allowed": "This address does not support the method.",
    "precondition_failed": "The object has changed. Read it again.",
    "range_not_satisfiable": "The range begins after the end: there are {size} bytes.",
    "not_found": "There is nothing here, or you may not see it.",
    # Who asks, and what they may do
    "credentials_missing": "Sign in and send the token: Authorization: Bearer <token>.",
    "wrong_login_or_password": "The login or the password is wrong.",
    "account_changed": "The account has just been changed. Sign in again.",
    "session_ended": "The session has ended. Sign in again.",
    "token_invalid": "The token is not valid.",
    "token_and_key": "Send a token or an API key, not both.",
    "api_key_invalid": "The API key is not valid.",
    "signature_malformed": "Send Authorization: Signature key=<id>, at=<Unix seconds>, hmac=<hexadecimal>.",
    "signature_expired": "The signature is too old, or the sender's clock is wrong.",
    "signature_invalid": "The signature is not valid.",
    "role_not_allowed": "Your role does not allow this.",
    "parameter_not_allowed": "Your role does not allow the parameter {parameter}.",
    "cross_site_request": "A page of another site may not write here.",
    "csrf_token_wrong": "Send the value of the cookie {cookie} in the header {header}.",
    "comment_of_another_author": "Only the author, a supervisor or an administrator may change this comment.",
    "link_invalid": "The link is not valid or has expired. Request a new one.",
    # The state of things
    "conflict": "Another change came first. Read again and repeat.",
    "login_taken": "The login {login} is taken.",
    "last_administrator": "This is the last administrator. Make somebody else an administrator first.",
    "password_changed": "The password has been changed in the meantime.",
    "line_taken": "{address} is held by {name} at that time.",
    "contact_exists": "{number} is in Contacts already, as {name}.",
    "comment_changed": "Somebody else has changed the comment. `current` is the comment now.",
    "recording_exists": "The call already has another recording.",
    "recording_deleted": "The recording of this call was deleted. It cannot be uploaded again.",
    "upload_is_incomplete": "Parts of the upload are missing. Send it again.",
    "tariff_has_no_rates": "The tariff has no rates. Add some first.",
    "tariff_is_active": "An activated tariff cannot be changed. Draft another one.",
    "tariff_is_discarded": "The draft was discarded.",
    "tariff_is_not_drafted": "There is no draft of this tariff.",
    "report_id_used_for_other_content": "The report_id was used for another report.",
    "too_many_reports_of_one_call": "The call has too many reports.",
    "too_many_parties_of_one_call": "The call has too many parties.",
    # Limits, outages and failures
    "too_many_requests": "Too many requests. Try again in {retry_after} s.",
    "too_many_exports": "Too many exports. Try again in {retry_after} s.",
    "too_many_wrong_passwords": "Too many wrong passwords. Try again in {retry_after} s.",
    "too_many_concurrent_exports": "At most {max} exports at once. Try again in {retry_after} s.",
    "too_many_concurrent_recordings": "At most {max} recordings at once. Try again in {retry_after} s.",
    "too_many_connections": "Too many connections from this address. Try again.",
    "too_many_streams": "Too many streams are open. Try again.",
    "too_many_sign_ins": "Too many people are signing in. Try again.",
    "unavailable": "A service needed for this does not respond. Try again.",
    "service_unavailable": "The service {service} does not respond. Try again.",
    "database_unavailable": "The database does not respond. Try again.",
    "broker_unavailable": "The message broker does not respond. Try again.",
    "storage_unavailable": "The recording storage does not respond. Try again.",
    "servers_unavailable": "No response from: {servers}.",
    "query_too_slow": "The query takes too long. Choose a shorter period.",
    "storage_full": "The recording storage is full.",
    "failed": "Something failed. The logs contain more under `instance`.",
    # Fields: invalid input
    "invalid": "Some fields are invalid. `errors` says which.",
    "file_has_errors": "Nothing was imported: some lines are invalid. `errors` says which.",
    "invalid_value": "The value is not valid.",
    "required": "This field is required.",
    "null": "This field must not be null.",
    "unknown_field": "There is no such field.",
    "repeated_parameter": "The parameter may be given only once.",
    "not_text": "Not text.",
    "not_number": "Not a number.",
    "not_integer": "Not an integer.",
    "not_boolean": "Not true or false.",
    "not_uuid": "Not a UUID.",
    "not_object": "Not an object.",
    "not_list": "Not a list.",
    "not_json": "Not valid JSON.",
    "not_base64": "Not valid Base64.",
    "not_instant": "Not an RFC 3339 instant.",
    "instant_without_offset": "The instant needs an offset, for example Z or +02:00.",
    "instant_too_early": "The instant is before 1970.",
    "not_seconds": "Not a number of seconds.",
    "not_a_choice": "Must be one of: {choices}.",
    "too_short": "Must have at least {min} characters or items.",
    "too_long": "Must have at most {max} characters or items.",
    "length_out_of_range": "Must have {min} to {max} characters or items.",
    "wrong_length": "Must have exactly {equal} characters or items.",
    "too_small": "Must be at least {min}.",
    "too_large": "Must be at most {max}.",
    "out_of_range": "Must be from {min} to {max}.",
    "unstorable_character": "Contains a character that cannot be stored.",
    "forbidden_character": "Contains a character that is not allowed in names and numbers.",
    "control_character": "Contains a control character other than a line break.",
    "direction_character": "Contains the invisible character {character}, which reverses the direction of text.",
    "blank": "Is blank.",
    "has_spaces": "Contains spaces.",
    "name_not_searchable": "The name has no letters to search by, or too many.",
    "not_address": "Neither a number, nor an extension, nor a SIP address.",
    "comment_too_long": "The comment has {length} characters; at most {max} are allowed.",
    "unknown_time_zone": "Not an IANA time zone. Example: Europe/Kyiv.",
    "unknown_region": "Not a country code of ISO 3166. Example: UA.",
    "unknown_currency": "Not a currency code of ISO 4217. Example: UAH.",
    "password_is_login": "The password must not be the login.",
    "wrong_password": "The password is wrong.",
    "tenant_required": "The login exists in several companies. Name the tenant.",
    "period_with_dates": "Give either a period, or from and to.",
    "end_before_start": "The end is before the start.",
    "not_after_start": "The end must be after the start.",
    "query_too_broad": "Too many matches to search. Give more of the text, or a shorter period.",
    "cursor_invalid": "Not a cursor of this list.",
    "event_id_invalid": "Not an id of this stream.",
    "idempotency_key_length": "Must have 1 to {max} characters.",
    "idempotency_key_reused": "The key was used for another request.",
    "recording_truncated": "The recording is cut off before its end.",
    "recording_without_sound": "The recording contains no sound.",
    "recording_damaged": "The recording is damaged.",
    # Tariffs and rates
    "unknown_tariff": "There is no such tariff.",
    "dry_run_required": "Only a dry run may use another tariff.",
    "amount_out_of_range": "Must be from 0 to less than {below}.",
    "too_many_decimals": "Must have at most {max} digits after the point.",
    "amount_not_text": 'Send a decimal number as a string: "1.20".',
    "prefix_invalid": "Must be at most {max} digits, with or without a leading +.",
    "line_invalid": "Must be a number or the name of a trunk: at most {max} printable characters.",
    "duplicate_rate": "Has the direction, prefix and line of {of}.",
    "too_many_rates": "A tariff has at most {max} rates.",
    # Files and batches
    "file_empty": "The file is empty. The first line names the columns: {columns}.",
    "file_not_text": "The text is not in any of the encodings {encodings}.",
    "file_not_csv": "Not valid CSV: {reason}.",
    "unknown_column": "There is no such column. Columns: {columns}.",
    "missing_column": "The column is missing.",
    "duplicate_column": "The column is there twice.",
    "wrong_number_of_cells": "The line has {cells} cells, the header {columns}.",
    "cell_without_column": "A cell belongs to no column. Put cells that contain the separator in quotes.",
    "duplicate_number": "The number is already in line {line}.",
    "too_many_contacts": "At most {max} contacts can be imported at once.",
    "wrong_number_of_reports": "Send a list of 1 to {max} reports.",
    "wrong_tenant": "Not the tenant of this API key.",
    "too_far_in_future": "The instant is too far in the future.",
    "record_not_understood": "The record cannot be read: {reason}",
    # Between services
    "unknown_stream": "The stream is of an unknown kind.",
    "unknown_method": "There is no such method: {reason}",
}


def english(code: str, params: Mapping[str, Any]) -> str:
    """The English text of a code; the code itself when it is unknown here, as that of a newer release."""
    return "".join(
        literal + ("" if name is None else _text(params.get(name, "…")))
        for literal, name, _, _ in Formatter().parse(ERROR_CODES.get(code, code))
    )


def param_names(code: str) -> list[str]:
    """The names of the params that the text of a code contains."""
    return [name for _, name, _, _ in Formatter().parse(ERROR_CODES.get(code, "")) if name]


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
