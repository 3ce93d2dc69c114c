"""Accounts with credentials in a file, and connections with TLS, on real servers."""

from __future__ import annotations

import base64
import ipaddress
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nkeys
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from nats_servers import Servers

from timeline.cluster.address import ClusterAddress
from timeline.cluster.jetstream import Jetstream
from timeline.errors import NotWritable, Unreachable

pytestmark = pytest.mark.cluster

UNLIMITED = dict.fromkeys(
    (
        "subs",
        "data",
        "payload",
        "imports",
        "exports",
        "conn",
        "leaf",
        "mem_storage",
        "disk_storage",
        "streams",
        "consumer",
    ),
    -1,
)


class Key:
    """A key of NATS: of an operator, an account or a user."""

    def __init__(self, prefix: int) -> None:
        self.seed = nkeys.encode_seed(os.urandom(32), prefix)
        self._pair = nkeys.from_seed(bytearray(self.seed))
        self.public = self._pair.public_key.decode()

    def signed(self, subject: Key, what: dict[str, object]) -> str:
        """Give a token by which this key says something of another."""
        claims = {
            "jti": subject.public,
            "iat": 1_700_000_000,
            "iss": self.public,
            "name": "test",
            "sub": subject.public,
            "nats": {"version": 2, **what},
        }
        header = {"typ": "JWT", "alg": "ed25519-nkey"}
        text = ".".join(_encoded(json.dumps(part).encode()) for part in (header, claims))
        return f"{text}.{_encoded(self._pair.sign(text.encode()))}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Secured:
    """Three servers with TLS, and the files that a node needs for them."""

    def __init__(self, folder: Path) -> None:
        operator, system, account, self._user = (
            Key(prefix)
            for prefix in (
                nkeys.PREFIX_BYTE_OPERATOR,
                nkeys.PREFIX_BYTE_ACCOUNT,
                nkeys.PREFIX_BYTE_ACCOUNT,
                nkeys.PREFIX_BYTE_USER,
            )
        )
        of_account: dict[str, object] = {"type": "account", "limits": UNLIMITED}
        of_system = {
            "type": "account",
            "limits": {**UNLIMITED, "disk_storage": 0, "mem_storage": 0},
        }
        self.authority = folder / "ca.pem"
        self.creds = folder / "news.creds"
        self.strangers = folder / "strangers.creds"
        self._write(self.creds, account)
        self._write(self.strangers, Key(nkeys.PREFIX_BYTE_ACCOUNT))
        certificate, key = _certificate(folder)
        self.authority.write_bytes(certificate.read_bytes())
        self.settings: dict[str, object] = {
            "operator": operator.signed(operator, {"type": "operator"}),
            "system_account": system.public,
            "resolver": "MEMORY",
            "resolver_preload": {
                account.public: operator.signed(account, of_account),
                system.public: operator.signed(system, of_system),
            },
            "tls": {"cert_file": str(certificate), "key_file": str(key)},
        }

    def _write(self, path: Path, account: Key) -> None:
        token = account.signed(self._user, {"type": "user", **UNLIMITED})
        path.write_text(
            f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
            f"-----BEGIN USER NKEY SEED-----\n{self._user.seed.decode()}\n"
            "------END USER NKEY SEED------\n"
        )


def _certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for loopback that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "servers of tests")])
    now = datetime.now(UTC)
    loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([loopback]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "server.pem", folder / "server.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


@pytest.fixture
def secured(tmp_path: Path) -> Secured:
    return Secured(tmp_path)


@pytest.fixture
def address(secured: Secured) -> Iterator[ClusterAddress]:
    with Servers(settings=secured.settings) as servers:
        yield ClusterAddress.parse(servers.address("log").replace("nats://", "tls://"))


def test_a_node_with_its_files_is_let_in_and_no_other(
    secured: Secured, address: ClusterAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIMELINE_NATS_CREDS", str(secured.creds))
    monkeypatch.setenv("TIMELINE_NATS_CA", str(secured.authority))
    with Jetstream(address) as jetstream:
        jetstream.create_values(address.notes)
        jetstream.put_value(address.notes, "generation", b"1")
    monkeypatch.setenv("TIMELINE_NATS_CREDS", str(secured.strangers))
    with pytest.raises(NotWritable, match="its servers refuse this account"):
        Jetstream(address)
    monkeypatch.delenv("TIMELINE_NATS_CREDS")
    with pytest.raises(NotWritable, match="its servers refuse this account"):
        Jetstream(address)
    monkeypatch.setenv("TIMELINE_NATS_CREDS", str(secured.creds))
    monkeypatch.delenv("TIMELINE_NATS_CA")
    with pytest.raises(Unreachable, match=r"take no connection \(.*certificate"):
        Jetstream(address, patience=1)
    with pytest.raises(Unreachable, match="take no connection"):
        Jetstream(address._replace(tls=False), patience=1)
