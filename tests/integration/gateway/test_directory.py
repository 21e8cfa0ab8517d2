"""The directory keeps people, lines, contacts and keys apart by company, and says who is who at any instant."""

import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import errors

from services.gateway.directory import passwords, repository
from services.gateway.domain.keys import KeyKind
from shared.contracts.errors import Conflict, Invalid, NotFound
from shared.contracts.values import Role
from shared.plumbing.database import Connection, Postgres

NOW = datetime(2026, 11, 22, 8, 15, tzinfo=UTC)
YEAR = timedelta(days=365)
SECRET = "соловейко"


@pytest.fixture
def conn(gateway_db: Postgres):
    with gateway_db.connection() as conn:
        repository.ensure_tenant(conn, "oselia", "Оселя")
        repository.ensure_tenant(conn, "krynytsia", "Криниця")
        yield conn


def employ(conn: Connection, login: str = "olha", tenant: str = "oselia", role: str = "operator") -> UUID:
    return repository.ensure_account(conn, tenant, login, SECRET, login.title(), role)


def sign_in(conn: Connection, login: str = "olha", at: datetime = NOW) -> tuple[UUID, UUID]:
    shown = repository.credentials(conn, None, login)
    assert shown is not None
    return shown.account_id, repository.begin_session(conn, shown, at, at + timedelta(hours=12))


def hold(conn: Connection, account: UUID, address: str, since: datetime | None, until: datetime | None) -> None:
    repository.ensure_line(conn, account, address, since)
    conn.execute(
        "update lines set held_until = %s where account_id = %s and address = %s and held_from is not distinct from %s",
        (until, account, address, since),
    )


class TestCredentials:
    def test_a_login_of_one_company_needs_no_company(self, conn):
        account = employ(conn)
        shown = repository.credentials(conn, None, "olha")
        assert (shown.account_id, shown.tenant) == (account, "oselia")
        assert passwords.is_right(SECRET, shown.password_hash)

    def test_a_login_of_two_companies_needs_the_company(self, conn):
        employ(conn)
        there = employ(conn, tenant="krynytsia")
        with pytest.raises(Invalid) as refused:
            repository.credentials(conn, None, "olha")
        assert list(refused.value.errors) == ["tenant"]
        assert repository.credentials(conn, "krynytsia", "olha").account_id == there

    def test_a_disabled_account_neither_signs_in_nor_makes_a_login_ambiguous(self, conn):
        here = employ(conn)
        conn.execute("update accounts set disabled_at = now() where id = %s", (employ(conn, tenant="krynytsia"),))
        assert repository.credentials(conn, "krynytsia", "olha") is None
        assert repository.credentials(conn, None, "olha").account_id == here

    @pytest.mark.parametrize(("tenant", "login"), [(None, "Olha"), (None, "%"), ("krynytsia", "olha"), ("", "olha")])
    def test_an_unknown_login_has_no_credentials(self, conn, tenant, login):
        employ(conn)
        assert repository.credentials(conn, tenant, login) is None

    def test_a_hash_is_replaced_only_if_it_is_unchanged(self, conn):
        account = employ(conn)
        old = repository.credentials(conn, None, "olha").password_hash
        repository.ensure_account(conn, "oselia", "olha", "новий", "Olha", "operator")
        repository.replace_hash(conn, account, old, passwords.hash_of(SECRET))
        assert passwords.is_right("новий", repository.credentials(conn, None, "olha").password_hash)


class TestSessions:
    def test_a_session_is_the_account_with_its_role_lines_zone_and_region(self, conn):
        account = employ(conn, role="supervisor")
        repository.ensure_line(conn, account, "101", NOW - YEAR)
        conn.execute("update tenants set time_zone = 'Europe/Warsaw', region = 'PL' where key = 'oselia'")
        who = repository.account_of(conn, *sign_in(conn), NOW)
        assert (who.id, who.tenant, who.login, who.name) == (account, "oselia", "olha", "Olha")
        assert (who.role, who.time_zone, who.region) == (Role.SUPERVISOR, "Europe/Warsaw", "PL")
        assert [(line.address, line.held_from, line.held_until) for line in who.lines] == [("101", NOW - YEAR, None)]

    def test_a_session_expires(self, conn):
        employ(conn)
        session = sign_in(conn)
        ends = NOW + timedelta(hours=12)
        assert repository.account_of(conn, *session, ends - timedelta(microseconds=1)) is not None
        assert repository.account_of(conn, *session, ends) is None

    def test_an_ended_session_has_no_account(self, conn):
        employ(conn)
        account, session = sign_in(conn)
        assert repository.end_session(conn, session, NOW)
        assert repository.account_of(conn, account, session, NOW) is None

    def test_a_session_is_ended_once(self, conn):
        employ(conn)
        _, session = sign_in(conn)
        assert repository.end_session(conn, session, NOW)
        assert not repository.end_session(conn, session, NOW)

    def test_a_session_is_only_its_own_accounts(self, conn):
        employ(conn)
        _, session = sign_in(conn)
        assert repository.account_of(conn, employ(conn, "petro"), session, NOW) is None
        assert repository.account_of(conn, uuid4(), session, NOW) is None

    @pytest.mark.parametrize(("password", "role"), [("новий", "operator"), (SECRET, "supervisor")])
    def test_a_new_password_or_role_ends_every_session(self, conn, password, role):
        employ(conn)
        before = sign_in(conn)
        repository.ensure_account(conn, "oselia", "olha", password, "Olha", role)
        assert repository.account_of(conn, *before, NOW) is None
        assert repository.account_of(conn, *sign_in(conn), NOW) is not None

    def test_an_unchanged_account_keeps_its_sessions(self, conn):
        employ(conn)
        session = sign_in(conn)
        employ(conn)
        assert repository.account_of(conn, *session, NOW) is not None

    def test_a_session_from_a_replaced_password_is_invalid(self, conn):
        account = employ(conn)
        shown = repository.credentials(conn, None, "olha")
        repository.ensure_account(conn, "oselia", "olha", "новий", "Olha", "operator")
        session = repository.begin_session(conn, shown, NOW, NOW + YEAR)
        assert repository.account_of(conn, account, session, NOW) is None

    def test_expired_sessions_are_deleted_at_the_next_sign_in(self, conn):
        employ(conn)
        sign_in(conn)
        sign_in(conn, at=NOW + YEAR)
        assert conn.execute("select count(*) from sessions").fetchone() == (1,)


class TestLines:
    def test_a_line_that_gets_another_holder_keeps_its_history(self, conn):
        olha, petro = employ(conn), employ(conn, "petro")
        hold(conn, olha, "101", None, NOW)
        hold(conn, petro, "101", NOW, None)
        names = repository.names(conn, "oselia", ["101"])
        assert names.employee("101", NOW - YEAR) == (olha, "Olha")
        assert names.employee("101", NOW - timedelta(microseconds=1)) == (olha, "Olha")
        assert names.employee("101", NOW) == (petro, "Petro")

    def test_between_two_tenures_a_line_has_no_holder(self, conn):
        olha = employ(conn)
        hold(conn, olha, "101", NOW - YEAR, NOW)
        names = repository.names(conn, "oselia", ["101"])
        assert names.employee("101", NOW - 2 * YEAR) is None
        assert names.employee("101", NOW) is None
        assert names.employee("102", NOW) is None

    def test_two_accounts_cannot_hold_a_line_at_once(self, conn):
        employed = employ(conn)
        hold(conn, employed, "101", NOW - YEAR, NOW)
        with pytest.raises(Conflict):
            repository.ensure_line(conn, employ(conn, "petro"), "101", NOW - timedelta(microseconds=1))
        assert [line.address for line in repository.account_lines(conn, "oselia", employed)] == ["101"]

    def test_the_same_extension_of_two_companies_is_two_lines(self, conn):
        olha, hanna = employ(conn), employ(conn, "hanna", "krynytsia")
        repository.ensure_line(conn, olha, "101", None)
        repository.ensure_line(conn, hanna, "101", None)
        assert repository.names(conn, "oselia", ["101"]).employee("101", NOW) == (olha, "Olha")
        assert repository.names(conn, "krynytsia", ["101"]).employee("101", NOW) == (hanna, "Hanna")

    def test_the_same_line_twice_is_one(self, conn):
        olha = employ(conn)
        for since in (None, None, NOW):
            hold(conn, olha, "101", since, NOW if since is None else None)
        repository.ensure_line(conn, olha, "101", NOW)
        assert [line.held_from for line in repository.account_lines(conn, "oselia", olha)] == [None, NOW]

    def test_of_two_concurrent_holders_of_a_line_one_succeeds(self, gateway_db):
        with gateway_db.connection() as conn:
            repository.ensure_tenant(conn, "oselia", "Оселя")
            both = employ(conn), employ(conn, "petro")
        outcomes = []

        def reach(account: UUID) -> None:
            try:
                with gateway_db.connection() as conn:
                    repository.ensure_line(conn, account, "101", NOW)
                outcomes.append("held")
            except Conflict:
                outcomes.append("refused")

        reaching = [threading.Thread(target=reach, args=(account,)) for account in both]
        for thread in reaching:
            thread.start()
        for thread in reaching:
            thread.join()
        assert sorted(outcomes) == ["held", "refused"]

    def test_a_tenure_ends_after_it_begins(self, conn):
        olha = employ(conn)
        repository.ensure_line(conn, olha, "101", NOW)
        with pytest.raises(errors.CheckViolation), conn.transaction():
            conn.execute("update lines set held_until = %s", (NOW,))

    def test_a_line_without_an_account_is_refused(self, conn):
        with pytest.raises(NotFound):
            repository.ensure_line(conn, uuid4(), "101", None)

    def test_a_line_that_is_a_number_is_normalised(self, conn):
        olha = employ(conn)
        repository.ensure_line(conn, olha, "050 123 45 67", None)
        assert repository.names(conn, "oselia", ["+380501234567"]).employee("+380501234567", NOW) == (olha, "Olha")

    def test_lines_of_another_company_are_not_shown(self, conn):
        olha = employ(conn)
        repository.ensure_line(conn, olha, "101", None)
        assert repository.account_lines(conn, "krynytsia", olha) == ()

    def test_a_line_cannot_be_of_another_company_than_its_account(self, conn):
        with pytest.raises(errors.ForeignKeyViolation), conn.transaction():
            conn.execute(
                "insert into lines (tenant, account_id, address) values ('krynytsia', %s, '101')", (employ(conn),)
            )


class TestContacts:
    @pytest.mark.parametrize("written", ["0501234567", "80501234567", "380501234567", "+380501234567"])
    def test_a_contact_is_found_however_its_number_was_written(self, conn, written):
        repository.ensure_contact(conn, "oselia", written, "Катерина Власова")
        assert repository.names(conn, "oselia", ["+380501234567"]).contact("+380501234567") == "Катерина Власова"

    def test_a_number_has_one_name_the_last_one_given(self, conn):
        repository.ensure_contact(conn, "oselia", "0501234567", "Катерина")
        repository.ensure_contact(conn, "oselia", "+380501234567", "Катерина Власова", "після обіду")
        row = conn.execute("select name, folded_name, note from contacts").fetchall()
        assert row == [("Катерина Власова", "катерина власова", "після обіду")]

    def test_contacts_do_not_cross_companies(self, conn):
        repository.ensure_contact(conn, "oselia", "0501234567", "Катерина")
        assert repository.names(conn, "krynytsia", ["+380501234567"]).contact("+380501234567") is None

    def test_no_addresses_have_no_names(self, conn):
        names = repository.names(conn, "oselia", [])
        assert (names.employee("101", NOW), names.contact("101")) == (None, None)


class TestApiKeys:
    def test_a_key_has_its_company_kind_and_region(self, conn):
        repository.ensure_api_key(conn, "oselia", "ingest", "exchange", "секрет")
        key = repository.api_key(conn, repository.digest_of("секрет"))
        assert (key.tenant, key.kind, key.region, key.time_zone) == ("oselia", KeyKind.INGEST, "UA", "Europe/Kyiv")

    def test_only_the_hash_of_a_key_is_stored(self, conn):
        repository.ensure_api_key(conn, "oselia", "ingest", "exchange", "secret-key")
        [row] = conn.execute("select api_keys::text from api_keys").fetchall()
        assert "secret-key" not in row[0]

    def test_the_same_key_twice_is_one(self, conn):
        for _ in range(2):
            repository.ensure_api_key(conn, "oselia", "ingest", "exchange", "secret")
        assert conn.execute("select count(*), count(revoked_at) from api_keys").fetchone() == (1, 0)

    def test_another_key_of_the_same_name_revokes_the_first(self, conn):
        for secret in ("first", "second"):
            repository.ensure_api_key(conn, "oselia", "ingest", "exchange", secret)
        repository.ensure_api_key(conn, "oselia", "export", "exchange", "third")
        known = {
            secret: repository.api_key(conn, repository.digest_of(secret)) for secret in ("first", "second", "third")
        }
        assert [secret for secret, key in known.items() if key] == ["second", "third"]

    def test_a_use_is_recorded_if_none_was_recorded_recently(self, conn):
        repository.ensure_api_key(conn, "oselia", "ingest", "exchange", "secret")
        key = repository.api_key(conn, repository.digest_of("secret"))
        minute = timedelta(minutes=1)
        noted = []
        for at in (NOW, NOW + minute / 2, NOW + minute * 2):
            repository.use_api_key(conn, key.id, at, unless_since=at - minute)
            noted += conn.execute("select last_used_at from api_keys").fetchone()
        assert noted == [NOW, NOW, NOW + minute * 2]


class TestRoles:
    def test_an_unknown_role_is_refused(self, conn):
        with pytest.raises(errors.CheckViolation), conn.transaction():
            employ(conn, role="president")

    def test_the_read_only_role_cannot_write(self, stack, gateway_db):
        with psycopg.connect(stack.env("gateway")["RO_DATABASE_URL"]) as looking:
            looking.execute("select * from accounts")
            with pytest.raises(errors.ReadOnlySqlTransaction):
                looking.execute("update accounts set role = 'administrator'")
