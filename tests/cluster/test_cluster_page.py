"""docs/cluster.md: its configuration is safe, and its accounts may do what the page says."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import json
import os
import re
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import nats
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from examples import blocks
from nats_servers import COUNT, PROGRAM, Servers, persist
from running import CHECKOUT, done, environment, one_line, run
from small_files import png

from timeline.cluster.address import ClusterAddress
from timeline.cluster.answers import Unanswered
from timeline.cluster.jetstream import Jetstream
from timeline.cluster.message import Part
from timeline.errors import NotWritable, Unreachable

pytestmark = pytest.mark.cluster

PAGE = (CHECKOUT / "docs" / "cluster.md").read_text(encoding="utf-8")
FILES = {block.name: block.body for block in blocks(PAGE) if block.name}
PASSWORDS = {
    "KEEPER_PASSWORD": "of-the-keeper",
    "ODESA_PASSWORD": "of-odesa",
    "KYIV_PASSWORD": "of-kyiv",
    "READERS_PASSWORD": "of-readers",
    "NATS_STORE_KEY": "a-key-of-32-random-characters-00",
}
USERS = {"keeper": "KEEPER", "odesa": "ODESA", "kyiv": "KYIV", "readers": "READERS"}


class SafeServers(Servers):
    """Three servers with the configuration of the page, but for addresses and folders."""

    def configuration(self, number: int) -> str:
        text = FILES["server.conf"]
        if number == 0:
            (self.folder / "accounts.conf").write_text(FILES["accounts.conf"])
            certificates(self.folder)
        routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in self.route_ports)
        before, _, rest = text.partition("routes: [")
        text = f"{before}routes: [{routes}{rest[rest.index(']') :]}"
        for shown, used in (
            ("server_name: odesa", f"server_name: s{number}"),
            ('listen: "0.0.0.0:4222"', f'listen: "127.0.0.1:{self.ports[number]}"'),
            ('http: "10.0.0.1:8222"', f'http: "127.0.0.1:{self.monitor_ports[number]}"'),
            ('listen: "0.0.0.0:6222"', f'listen: "127.0.0.1:{self.route_ports[number]}"'),
            ("/var/lib/nats", str(self.store(number))),
            ("/etc/nats", str(self.folder)),
        ):
            assert shown in text
            text = text.replace(shown, used)
        return text

    def address(self, name: str, *numbers: int) -> str:
        return super().address(name, *numbers).replace("nats://", "tls://")


class LaptopServers(Servers):
    """Three servers with the configuration that the page has for a laptop."""

    def configuration(self, number: int) -> str:
        text = FILES["laptop.conf"]
        for shown, used in (
            ("$NAME", f"s{number}"),
            ("$STORE", f'"{self.store(number)}"'),
            ("$CLIENTS", f'"127.0.0.1:{self.ports[number]}"'),
            ("$MONITOR", f'"127.0.0.1:{self.monitor_ports[number]}"'),
            ("$ROUTES", f'"127.0.0.1:{self.route_ports[number]}"'),
            *((f":{6221 + other}", f":{self.route_ports[other]}") for other in range(COUNT)),
        ):
            assert shown in text
            text = text.replace(shown, used)
        return text


def certificates(folder: Path) -> None:
    """Make a certificate authority, and a certificate of this machine."""
    now = datetime.datetime.now(datetime.UTC)
    authority, key = (
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP256R1()),
    )
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority")])
    known = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())
    usage = {
        use: use in ("digital_signature", "key_cert_sign", "crl_sign")
        for use in (
            *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
            *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
        )
    }
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    for name, owner, extension in (
        ("ca", authority, x509.BasicConstraints(ca=True, path_length=None)),
        ("server", key, names),
    ):
        builder = (
            x509.CertificateBuilder()
            .subject_name(issuer if name == "ca" else x509.Name([]))
            .issuer_name(issuer)
            .public_key(owner.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(extension, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(owner.public_key()), False)
            .add_extension(known, critical=False)
        )
        if name == "ca":
            builder = builder.add_extension(x509.KeyUsage(**usage), critical=True)
        certificate = builder.sign(authority, hashes.SHA256())
        (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


@pytest.fixture(scope="module")
def safe() -> Iterator[SafeServers]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in PASSWORDS.items():
            patch.setenv(name, value)
        with SafeServers() as servers:
            patch.setenv("TIMELINE_NATS_CA", str(servers.folder / "ca.pem"))
            yield servers


def sign_in(monkeypatch: pytest.MonkeyPatch, user: str) -> None:
    monkeypatch.setenv("TIMELINE_NATS_USER", user)
    monkeypatch.setenv("TIMELINE_NATS_PASSWORD", PASSWORDS[f"{USERS[user]}_PASSWORD"])


def test_a_writer_may_write_and_a_reader_may_only_follow(
    safe: SafeServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = ClusterAddress.parse(safe.address("ukraine"))
    stream, subject = address.stream(1), address.subject(1)
    sign_in(monkeypatch, "keeper")
    with Jetstream(address) as keeper:
        keeper.create_values(address.notes)
        keeper.create_log(stream, subject, "example.org/ukraine")
        keeper.create_turn()
        keeper.create_objects(address.texts(1))
        keeper.create_objects(address.media(1))
        keeper.put_value(address.notes, "generation", b"1")
    sign_in(monkeypatch, "odesa")
    with Jetstream(address) as writer:
        one = partial(writer.publish, subject, [Part({}, b"an append")], stream=stream)
        assert persist(one, Unanswered) == 1  # a new stream may have no leader yet
        several = [Part({}, b"x" * 900_000)] * 3
        assert writer.publish(subject, several, stream=stream) == 4
        persist(partial(writer.put_record, address.turn_subject, b"{}", 0), Unanswered)
        writer.put_value(address.notes, "node.odesa", b"{}")
        writer.put_object(address.texts(1), "aa", b"a text", {})
        writer.put_object(address.texts(1), "bb", b"a text", {})
        writer.put_object(address.media(1), "cc", b"a picture", {})
        writer.delete_object(address.texts(1), "bb")
        assert writer.object(address.texts(1), "aa") == (b"a text", {})
        assert writer.values(address.notes) == {"generation": b"1", "node.odesa": b"{}"}
        refused: list[Callable[[], object]] = [
            lambda: writer.delete_stream(stream),
            lambda: writer.seal(stream, 2),
            lambda: writer.create_log(address.stream(2), address.subject(2), "elsewhere.org"),
        ]
        for forbidden in refused:
            with pytest.raises(NotWritable):
                forbidden()
    sign_in(monkeypatch, "readers")
    with Jetstream(address) as reader:
        until = time.monotonic() + 30
        while len(reader.read(stream, 1)) < 4:  # a replica may be behind
            assert time.monotonic() < until
        assert (found := reader.at_leader(stream, 1))
        assert found.body == b"an append"
        assert reader.value(address.notes, "generation") == (b"1", 1)
        assert "node.odesa" in reader.values(address.notes)
        reader.put_value(address.notes, "node.site", b"{}")
        assert reader.object(address.media(1), "cc") == (b"a picture", {})
        reader.listen(subject).close()
        assert reader.stream(address.stream(2)) is None
        refused = [
            lambda: reader.publish(subject, [Part({}, b"forged")], stream=stream),
            lambda: reader.put_record(address.turn_subject, b"{}", None),
            lambda: reader.put_value(address.notes, "generation", b"2"),
            lambda: reader.put_object(address.media(1), "dd", b"a picture", {}),
            lambda: reader.object(address.texts(1), "aa"),
            lambda: reader.select(f"OBJ_{address.texts(1)}", {"seq": 1, "batch": 9}),
            lambda: reader.delete_stream(stream),
        ]
        for forbidden in refused:
            with pytest.raises(NotWritable):
                forbidden()
        assert (state := reader.stream(stream))
        assert state.last == 4
    sign_in(monkeypatch, "keeper")
    with Jetstream(address) as keeper:
        for name in (stream, address.turn_stream, f"KV_{address.notes}"):
            keeper.delete_stream(name)
        keeper.delete_objects(address.texts(1))
        keeper.delete_objects(address.media(1))


def test_nodes_need_no_more_rights_than_their_accounts_have(
    safe: SafeServers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = safe.address("ukraine")
    first, second, site = (tmp_path / f"{name}.db" for name in ("first", "second", "site"))
    done("-d", first, "init", "--title", "A story")
    sign_in(monkeypatch, "keeper")
    done("cluster", "init", address, first, "--node", "first")

    sign_in(monkeypatch, "odesa")
    done("cluster", "join", address, second, "--node", "second")
    done("-d", second, "append", "--title", "Talks in Odesa", "--occurred", "2025", "--id", "talks")
    (tmp_path / "report.txt").write_text("They talked for two hours.")
    done("-d", second, "capture", tmp_path / "report.txt", "--title", "A report", "--id", "report")
    (tmp_path / "photo.png").write_bytes(png())
    done("-d", second, "attach", tmp_path / "photo.png", "--event", "talks", "--alt", "A table")
    done("-d", second, "cluster", "follow", "--once")

    sign_in(monkeypatch, "readers")
    done("cluster", "join", address, site, "--node", "site", "--read-only")
    done("-d", site, "cluster", "follow", "--once")
    assert json.loads(done("-d", site, "show", "talks", "--json"))["title"] == "Talks in Odesa"
    report = json.loads(done("-d", site, "verify", "--json"))
    assert report["holds"]
    assert (report["texts"], report["texts_absent"]) == (0, 1)
    assert (report["media"], report["media_absent"]) == (1, 0)
    refused = run("-d", site, "append", "--title", "A forgery", "--occurred", "2025")
    assert "only reads" in one_line(refused)
    forged = tmp_path / "forged.db"
    done("cluster", "join", address, forged, "--node", "forged")
    refused = run("-d", forged, "append", "--title", "A forgery", "--occurred", "2025")
    assert one_line(refused).endswith("this account may read ukraine, not write")
    assert json.loads(done("-d", forged, "verify", "--json"))["size"] == report["size"]

    sign_in(monkeypatch, "odesa")
    done("-d", second, "cluster", "forget", "forged")
    one_line(run("-d", second, "cluster", "rewrite"))
    sign_in(monkeypatch, "keeper")
    done("-d", first, "cluster", "rewrite")
    for user, node in (("odesa", second), ("readers", site)):
        sign_in(monkeypatch, user)
        done("-d", node, "cluster", "follow", "--once")
    sign_in(monkeypatch, "keeper")
    done("-d", first, "cluster", "rewrite")
    assert "in generation 2" in done("-d", first, "cluster", "status")
    cluster = ClusterAddress.parse(address)
    with Jetstream(cluster) as keeper:
        assert keeper.stream(cluster.stream(1)) is None


def test_a_reader_hears_no_answers_to_others(safe: SafeServers) -> None:
    async def refusals(user: str, expected: int) -> set[str]:
        heard: set[str] = set()

        async def note(error: Exception) -> None:
            heard.update(re.findall("permissions violation for subscription.*", str(error).lower()))

        client = await nats.connect(
            ClusterAddress.parse(safe.address("ukraine")).urls,
            user=user,
            password=PASSWORDS[f"{USERS[user]}_PASSWORD"],
            tls=ssl.create_default_context(cafile=safe.folder / "ca.pem"),
            error_cb=note,
        )
        for subject in ("_INBOX.odesa.>", "_INBOX.>", ">", "_INBOX.readers.*"):
            await client.subscribe(subject)
        await client.flush()
        until = time.monotonic() + 30
        while len(heard) < expected and time.monotonic() < until:
            await asyncio.sleep(0.02)
        await client.close()
        return heard

    assert len(asyncio.run(refusals("readers", 3))) == 3
    assert len(asyncio.run(refusals("keeper", 0))) == 0


def test_nobody_comes_in_without_a_password_or_without_tls(
    safe: SafeServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotWritable, match="refuse this account"):
        Jetstream(ClusterAddress.parse(safe.address("ukraine")))
    sign_in(monkeypatch, "odesa")
    monkeypatch.delenv("TIMELINE_NATS_CA")
    with pytest.raises(Unreachable, match="certificate verify failed"):
        Jetstream(ClusterAddress.parse(safe.address("ukraine")), patience=1)
    unsafe = safe.address("ukraine").replace("tls://", "nats://")
    with pytest.raises(Unreachable):
        Jetstream(ClusterAddress.parse(unsafe), patience=1)


def test_what_the_servers_keep_is_on_disk_at_once_and_encrypted(
    safe: SafeServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = ClusterAddress.parse(safe.address("secret"))
    sign_in(monkeypatch, "keeper")
    with Jetstream(address) as keeper:
        keeper.create_log(address.stream(1), address.subject(1), "example.org/secret")
        parts = [Part({"Timeline-Node": "odesa"}, b"words of the log")]
        for _ in range(20):
            one = partial(keeper.publish, address.subject(1), parts, stream=address.stream(1))
            persist(one, Unanswered)
    for number in range(COUNT):
        assert safe.told(number, "/varz")["jetstream"]["config"]["sync_always"] is True
        files = [path for path in safe.store(number).rglob("*") if path.is_file()]
        assert any(path.suffix == ".blk" and path.stat().st_size > 100 for path in files)
        assert [path for path in files if b"words of the log" in path.read_bytes()] == []


def test_the_configuration_for_a_laptop_is_valid(tmp_path: Path) -> None:
    (tmp_path / "laptop.conf").write_text(FILES["laptop.conf"])
    places = {"CLIENTS": "127.0.0.1:4221", "MONITOR": "127.0.0.1:8221", "ROUTES": "127.0.0.1:6221"}
    subprocess.run(
        [PROGRAM, "-t", "-c", "laptop.conf"],
        cwd=tmp_path,
        env={**os.environ, **places, "NAME": "server1", "STORE": "store1"},
        capture_output=True,
        check=True,
    )


def test_the_commands_for_a_laptop_work(tmp_path: Path) -> None:
    commands = FILES["nodes.sh"]
    with LaptopServers() as servers:
        for number in range(COUNT):
            for shown, used in (
                (f"127.0.0.1:{4221 + number}", f"127.0.0.1:{servers.ports[number]}"),
                (f"http://127.0.0.1:{8221 + number}", servers.monitors[number]),
            ):
                assert shown in commands
                commands = commands.replace(shown, used)
        done = subprocess.run(
            ["bash", "-e", "-c", commands],
            cwd=tmp_path,
            env={**environment(), "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}"},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    listed = done.stdout.partition("the log has 3")[2]
    assert "Talks in Odesa" in listed
    assert "Strike on Sumy" in listed


def test_the_three_servers_of_a_laptop_are_started_with_names_that_the_page_sets() -> None:
    assert set(re.findall(r"\$([A-Z]+)", FILES["laptop.conf"])) == set(
        re.findall(r"\b([A-Z]+)=", FILES["servers.sh"])
    )
