"""One registry of error codes: raised, documented, answered with a page and translated."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.contracts.error_codes import ERROR_CODES, param_names
from shared.contracts.validation import FIELD_MESSAGES, VALIDATOR_MESSAGES
from shared.http.problem_types import CODE_OF_STATUS, PROBLEM_TYPES, SLUG_OF
from tools import error_reference

ROOT = Path(__file__).parents[2]
RAISES = frozenset(
    {"Problem", "Invalid", "Rejected", "Conflict", "NotFound", "Unavailable", "ServiceError", "coded", "CodedMessage"}
    | {"field_error", "too_many", "unauthorised", "_unreadable", "Damaged", "AtOnce"}
)
FOR_PROGRAMS = frozenset(
    {"upload_interrupted", "length_required", "range_not_satisfiable", "token_and_key", "api_key_invalid"}
    | {"signature_malformed", "signature_expired", "signature_invalid", "report_id_used_for_other_content"}
    | {"too_many_reports_of_one_call", "too_many_parties_of_one_call", "servers_unavailable", "storage_full"}
    | {"not_base64", "idempotency_key_length", "idempotency_key_reused", "wrong_number_of_reports", "wrong_tenant"}
    | {"too_far_in_future", "record_not_understood", "unknown_stream", "unknown_method"}
)
"""Codes that only programs receive: exchanges, uploads and other services. Nobody meets them on the page."""
CODE = re.compile(r"[a-z][a-z0-9_]+")


def raised() -> Iterator[tuple[str, str]]:
    """(The place, the code) of every error that is made in the code with a code in plain text."""
    for path in sorted([*ROOT.glob("services/**/*.py"), *ROOT.glob("shared/**/*.py"), *ROOT.glob("tools/**/*.py")]):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in RAISES:
                continue
            texts = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            for text in texts:
                if CODE.fullmatch(text) or node.func.id != "_unreadable":
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", text


def test_every_code_that_is_raised_is_in_the_registry() -> None:
    assert [(place, code) for place, code in raised() if code not in ERROR_CODES] == []


def test_every_code_of_the_registry_is_used() -> None:
    """A code is raised in plain text, comes from marshmallow, belongs to a status, or is built from a state."""
    by_marshmallow = {
        code for group in (FIELD_MESSAGES, VALIDATOR_MESSAGES) for codes in group.values() for code in codes.values()
    }
    edge = set(CODE.findall((ROOT / "ops/stack/nginx.conf").read_text()))
    text = "\n".join(path.read_text() for folder in ("services", "shared") for path in (ROOT / folder).rglob("*.py"))
    # Besides its own line in the registry, and that of its type.
    used = {code for code in ERROR_CODES if text.count(f'"{code}"') > 1 + (code in SLUG_OF)}
    used |= by_marshmallow | set(CODE_OF_STATUS.values()) | edge
    used |= {"tariff_is_active", "tariff_is_discarded", "too_many_exports"}
    assert sorted(set(ERROR_CODES) - used) == []


def test_every_code_of_a_type_is_in_the_registry_once() -> None:
    codes = [code for problem_type in PROBLEM_TYPES.values() for code in problem_type.codes]
    assert (set(codes) - ERROR_CODES.keys(), len(codes)) == (set(), len(set(codes)))


def test_the_documentation_is_that_of_the_registry() -> None:
    """Run `python -m tools.error_reference` after a change."""
    assert error_reference.FILE.read_text(encoding="utf-8") == error_reference.reference()


@pytest.mark.parametrize("language", ["uk", "en"])
def test_every_code_that_a_person_can_meet_is_translated(language: str) -> None:
    text = (ROOT / f"web/messages/{language}.js").read_text(encoding="utf-8")
    messages = dict(re.findall(r"^  problem_(\w+):\s+\"(.*)\",$", text, re.MULTILINE))
    assert sorted(set(ERROR_CODES) - FOR_PROGRAMS - messages.keys()) == []
    assert sorted(messages.keys() - ERROR_CODES.keys()) == []
    unknown_params = {
        code: names - set(param_names(code))
        for code, message in messages.items()
        if (names := set(re.findall(r"\{(\w+)\}", message))) - set(param_names(code))
    }
    assert unknown_params == {}
