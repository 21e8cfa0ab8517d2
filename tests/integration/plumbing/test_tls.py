"""A broker behind TLS is believed only if its certificate is for its host and signed by whom we trust."""

import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shared.plumbing.publisher import BROKER_ERRORS, connect
from tests.support.infrastructure import Services, Stack

ONE_DAY = datetime.timedelta(days=1)
NOW = datetime.datetime.now(datetime.UTC)


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class Authority:
    """Signs certificates for addresses; `file` is what trusts it."""

    def __init__(self, folder: Path) -> None:
        self.file, self._folder, self._key = folder / "ca.pem", folder, ec.generate_private_key(ec.SECP256R1())
        own = self._sign(self._key, "authority", x509.BasicConstraints(ca=True, path_length=None))
        self.file.write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def certify(self, address: str) -> Path:
        """The file with a key and a certificate for `address`."""
        key, made = ec.generate_private_key(ec.SECP256R1()), self._folder / f"{address}.pem"
        certificate = self._sign(
            key, "broker", x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        made.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        return made

    def _sign(self, key: ec.EllipticCurvePrivateKey, name: str, more: x509.ExtensionType) -> x509.Certificate:
        unsigned = x509.CertificateBuilder(
            named("authority"), named(name), key.public_key(), x509.random_serial_number()
        )
        unsigned = unsigned.not_valid_before(NOW - ONE_DAY).not_valid_after(NOW + ONE_DAY)
        return unsigned.add_extension(more, critical=True).sign(self._key, hashes.SHA256())


@dataclass
class Front:
    """A port at which the broker speaks TLS; `heard` once a client has said anything through it."""

    uri: str
    listener: socket.socket
    context: ssl.SSLContext
    broker: tuple[str, int]
    heard: bool = False

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = self.listener.accept()
                threading.Thread(target=self._carry, args=(plain,), daemon=True).start()

    def _carry(self, plain: socket.socket) -> None:
        with (
            contextlib.suppress(OSError),
            plain,
            socket.create_connection(self.broker) as server,
            self.context.wrap_socket(plain, server_side=True) as client,
        ):
            threading.Thread(target=copy, args=(server, client), daemon=True).start()
            while data := client.recv(65536):
                self.heard = True
                server.sendall(data)


def copy(source: socket.socket, to: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            to.sendall(data)


@pytest.fixture
def front(stack: Stack) -> Iterator[Callable[[Path], Front]]:
    """`front(certificate)`: the broker with that certificate."""
    fronts = []

    def make(certificate: Path) -> Front:
        parts, listener = urlsplit(stack.admin_uri), socket.create_server(("127.0.0.1", 0))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        user = parts.netloc.rpartition("@")[0]
        uri = f"amqps://{user}@127.0.0.1:{listener.getsockname()[1]}{parts.path}"
        made = Front(uri, listener, context, (parts.hostname or "", parts.port or 0))
        threading.Thread(target=made.serve, daemon=True).start()
        fronts.append(made)
        return made

    yield make
    for one in fronts:
        with contextlib.suppress(OSError):
            one.listener.shutdown(socket.SHUT_RDWR)
        one.listener.close()


def test_a_service_speaks_tls_with_a_broker_that_it_can_believe(
    front: Callable[[Path], Front], tmp_path: Path, services: Services
) -> None:
    authority = Authority(tmp_path)
    broker = front(authority.certify("127.0.0.1"))
    double = "tests.service.plumbing.doubles:Answers"
    service = services.start(double, of="calls", AMQP_URI=broker.uri, AMQP_CA=str(authority.file))
    assert broker.heard
    assert service.terminate() == 0


def test_a_certificate_for_another_host_is_refused(
    front: Callable[[Path], Front], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("AMQP_CA", str(authority.file))
    connect(front(authority.certify("127.0.0.1")).uri).collect()
    broker = front(authority.certify("127.0.0.2"))
    with pytest.raises(BROKER_ERRORS, match=r"certificate verify failed|IP address mismatch"):
        connect(broker.uri)
    assert not broker.heard


@pytest.mark.parametrize("trusted", ["nobody", "another"])
def test_a_certificate_signed_by_a_stranger_is_refused(
    front: Callable[[Path], Front], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trusted: str
) -> None:
    (tmp_path / "other").mkdir()
    monkeypatch.setenv("AMQP_CA", str(Authority(tmp_path / "other").file) if trusted == "another" else "")
    broker = front(Authority(tmp_path).certify("127.0.0.1"))
    with pytest.raises(BROKER_ERRORS, match="certificate verify failed"):
        connect(broker.uri)
    assert not broker.heard
