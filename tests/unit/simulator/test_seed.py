"""The seed tells the same story every time, in a file a script can source."""

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from stat import S_IMODE
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest

from tools import demonstration
from tools.seed import LINES_HELD_FROM, OTHER_TENANT, TENANT, demo_values, seed
from tools.simulator.demo_company import demo_company

COMPANY = demo_company()
PROMISED = [
    "BASE_URL", "TENANT", "ADMIN_LOGIN", "ADMIN_PASSWORD", "SUPERVISOR_LOGIN", "SUPERVISOR_PASSWORD",
    "OPERATOR_LOGIN", "OPERATOR_PASSWORD", "OPERATOR2_LOGIN", "OPERATOR2_PASSWORD", "ACCOUNTANT_LOGIN",
    "ACCOUNTANT_PASSWORD", "OPERATOR_LINE", "OPERATOR2_LINE", "ACCOUNTANT_LINE", "INGEST_KEY", "OTHER_TENANT",
    "OTHER_ADMIN_LOGIN", "OTHER_ADMIN_PASSWORD", "OTHER_INGEST_KEY",
]  # fmt: skip


class Directory:
    """Remembers what it was asked to make sure of."""

    def __init__(self) -> None:
        self.calls: dict[str, list[tuple]] = {}

    def __getattr__(self, name: str) -> Callable[..., UUID]:
        def ensure(conn: None, *given: object) -> UUID:
            self.calls.setdefault(name, []).append(given)
            return uuid5(NAMESPACE_URL, repr(given))

        return ensure


@pytest.fixture
def directory(monkeypatch: pytest.MonkeyPatch) -> Directory:
    remembered = Directory()
    monkeypatch.setattr("tools.seed.repository", remembered)
    return remembered


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "stack" / "demo.env"


def test_the_file_has_exactly_the_documented_values():
    assert list(demo_values(COMPANY, "http://127.0.0.1:8000", {})) == PROMISED


def test_passwords_and_keys_are_generated_once():
    first = demo_values(COMPANY, "http://127.0.0.1:8000", {})
    second = demo_values(COMPANY, "http://127.0.0.1:9000", first)
    assert second == {**first, "BASE_URL": "http://127.0.0.1:9000"}


def test_secrets_are_unique():
    values = demo_values(COMPANY, "http://127.0.0.1:8000", {})
    secrets = [value for name, value in values.items() if name.endswith(("PASSWORD", "KEY"))]
    assert len(set(secrets)) == len(secrets) == 8


def test_the_file_can_be_read_by_python_and_by_a_shell(path):
    values = {"PLAIN": "101", "ODD": 'it\'s $HOME; "quoted" `так`'}
    demonstration.write(path, values)
    assert demonstration.read(path) == values
    shell = subprocess.run(["sh", "-c", f'. {path}; printf %s "$ODD"'], capture_output=True, text=True, check=True)
    assert shell.stdout == values["ODD"]


def test_only_the_owner_can_read_the_file(path):
    demonstration.write(path, {"A": "1"})
    assert S_IMODE(path.stat().st_mode) == 0o600


def test_writing_leaves_no_temporary_file(path):
    demonstration.write(path, {"A": "1"})
    demonstration.write(path, {"A": "2"})
    assert [file.name for file in path.parent.iterdir()] == ["demo.env"]


def test_a_missing_file_has_no_values(path):
    assert demonstration.read(path) == {}


def test_the_file_is_in_the_stack_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("STACK_DIR", str(tmp_path))
    assert demonstration.demo_env() == tmp_path / "demo.env"
    monkeypatch.delenv("STACK_DIR")
    assert demonstration.demo_env() == Path(".stack/demo.env")


def test_every_employee_has_an_account_and_a_line_since_2020(directory):
    seed(None, COMPANY, demo_values(COMPANY, "http://127.0.0.1:8000", {}))
    assert len(directory.calls["ensure_account"]) == len(directory.calls["ensure_line"]) == len(COMPANY.staff) + 1
    assert {held_from for _, _, held_from in directory.calls["ensure_line"]} == {LINES_HELD_FROM}
    assert LINES_HELD_FROM.astimezone(UTC) <= datetime(2020, 1, 1, tzinfo=UTC)


def test_the_accounts_have_the_passwords_of_the_file(directory):
    demo = demo_values(COMPANY, "http://127.0.0.1:8000", {})
    seed(None, COMPANY, demo)
    passwords = {(tenant, login): password for tenant, login, password, _, _ in directory.calls["ensure_account"]}
    for name in ("ADMIN", "SUPERVISOR", "OPERATOR", "OPERATOR2", "ACCOUNTANT"):
        assert passwords[TENANT, demo[f"{name}_LOGIN"]] == demo[f"{name}_PASSWORD"]
    assert passwords[OTHER_TENANT, demo["OTHER_ADMIN_LOGIN"]] == demo["OTHER_ADMIN_PASSWORD"]
    assert len(set(passwords.values())) == len(passwords)


def test_logins_are_unique_in_the_system(directory):
    seed(None, COMPANY, demo_values(COMPANY, "http://127.0.0.1:8000", {}))
    logins = [login for _, login, *_ in directory.calls["ensure_account"]]
    assert len(set(logins)) == len(logins)


def test_the_known_customers_are_contacts(directory):
    seed(None, COMPANY, demo_values(COMPANY, "http://127.0.0.1:8000", {}))
    contacts = {(number, name) for _, number, name in directory.calls["ensure_contact"]}
    assert contacts == {(customer.number, customer.name) for customer in COMPANY.contacts}


def test_each_company_has_its_own_ingest_key(directory):
    demo = demo_values(COMPANY, "http://127.0.0.1:8000", {})
    seed(None, COMPANY, demo)
    keys = {(tenant, kind): key for tenant, kind, _, key in directory.calls["ensure_api_key"]}
    assert keys == {(TENANT, "ingest"): demo["INGEST_KEY"], (OTHER_TENANT, "ingest"): demo["OTHER_INGEST_KEY"]}


def test_seeding_again_makes_the_same_calls(directory):
    demo = demo_values(COMPANY, "http://127.0.0.1:8000", {})
    seed(None, COMPANY, demo)
    once = {name: list(given) for name, given in directory.calls.items()}
    seed(None, COMPANY, demo_values(COMPANY, "http://127.0.0.1:8000", demo))
    assert directory.calls == {name: given * 2 for name, given in once.items()}
