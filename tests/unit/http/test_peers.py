"""The client's address: what our proxies say of it, and nothing that anybody else says."""

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from shared.http.client_address import Proxies


def client(peer: str, forwarded: str | None = None, trusted: str = "127.0.0.1,::1,10.0.0.0/8") -> str:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    environ = EnvironBuilder(headers=headers, environ_base={"REMOTE_ADDR": peer}).get_environ()
    return Proxies(trusted).client(Request(environ))


def test_who_asks_us_is_the_client():
    assert client("192.0.2.1") == "192.0.2.1"


def test_what_a_stranger_says_of_others_is_not_believed():
    assert client("192.0.2.1", "198.51.100.7") == "192.0.2.1"


def test_what_our_proxy_says_is():
    assert client("127.0.0.1", "198.51.100.7") == "198.51.100.7"


def test_what_a_client_told_our_proxy_is_not():
    assert client("127.0.0.1", "1.1.1.1, 198.51.100.7") == "198.51.100.7"


def test_proxies_may_stand_in_a_row():
    assert client("127.0.0.1", "1.1.1.1, 198.51.100.7, 10.1.2.3") == "198.51.100.7"


@pytest.mark.parametrize("forwarded", [None, "", ",", "nonsense", "1.1.1.1, nonsense", "127.0.0.1"])
def test_a_proxy_that_says_nothing_usable_is_the_client_itself(forwarded):
    assert client("127.0.0.1", forwarded) == "127.0.0.1"


def test_an_address_of_the_new_kind_counts_with_its_household():
    assert client("2001:db8:1:2:3:4:5:6") == client("2001:db8:1:2:ffff::1") == "2001:db8:1:2::/64"
    assert client("2001:db8:1:3::1") != client("2001:db8:1:2::1")


def test_an_old_address_in_the_new_notation_is_the_old_one():
    assert client("::ffff:127.0.0.1", "::ffff:198.51.100.7") == "198.51.100.7"


def test_a_socket_without_a_name_is_unknown():
    assert client("") == "unknown"


def test_what_is_no_address_cannot_be_trusted():
    with pytest.raises(ValueError, match="proxy"):
        Proxies("127.0.0.1, proxy")
