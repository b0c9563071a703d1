"""A push service with TLS on loopback, and browsers of it: what arrives is checked and decrypted by the RFCs.

The decryption is written here from RFC 8188 and RFC 8291 on plain primitives, not with the library that encrypts.
"""

from __future__ import annotations

import base64
import datetime
import json
import os
import socket
import ssl
import struct
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.x509.oid import NameOID

from bot.push.service import PushService

HOST = "fcm.googleapis.com"
TAG_BYTES = 16


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def unb64(said: str) -> bytes:
    return base64.urlsafe_b64decode(said + "=" * (-len(said) % 4))


def point_of(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def decrypt(body: bytes, private: ec.EllipticCurvePrivateKey, auth: bytes) -> bytes:
    """One aes128gcm record (RFC 8188, 2) under the keys of a message (RFC 8291, 3)."""
    salt, record_bytes, id_bytes = body[:16], struct.unpack(">I", body[16:20])[0], body[20]
    sender = body[21 : 21 + id_bytes]
    record = body[21 + id_bytes :]
    assert 0 < len(record) <= record_bytes and len(body) <= 4_096
    secret = private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))
    info = b"WebPush: info\x00" + point_of(private.public_key()) + sender
    ikm = HKDF(hashes.SHA256(), 32, auth, info).derive(secret)
    key = HKDF(hashes.SHA256(), 16, salt, b"Content-Encoding: aes128gcm\x00").derive(ikm)
    nonce = HKDF(hashes.SHA256(), 12, salt, b"Content-Encoding: nonce\x00").derive(ikm)
    padded = AESGCM(key).decrypt(nonce, record, None).rstrip(b"\x00")
    assert padded.endswith(b"\x02"), "the last record ends with 2"
    return padded[:-1]


def check_signature(authorization: str, public_key: str) -> dict[str, Any]:
    """The claims of a VAPID header (RFC 8292), whose key must be the one that the browser was given."""
    scheme, _, rest = authorization.partition(" ")
    parts = dict(one.strip().split("=", 1) for one in rest.split(","))
    assert scheme == "vapid" and parts["k"] == public_key
    head, claims, signature = parts["t"].split(".")
    assert json.loads(unb64(head)) == {"typ": "JWT", "alg": "ES256"}
    raw = unb64(signature)
    both = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unb64(public_key))
    key.verify(both, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    found: dict[str, Any] = json.loads(unb64(claims))
    return found


@dataclass(slots=True)
class Arrived:
    """A push as its browser gets it."""

    content: dict[str, Any]
    headers: dict[str, str]
    claims: dict[str, Any]


@dataclass
class Browser:
    """One browser: its keys, and what has reached it."""

    name: str
    server_key: str
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = field(default_factory=lambda: os.urandom(16))
    got: list[Arrived] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)  # what is said instead of 201, first first
    asked: int = 0

    @property
    def endpoint(self) -> str:
        return f"https://{HOST}/fcm/send/{self.name}"

    def subscription(self) -> dict[str, Any]:
        """As `PushSubscription.toJSON()` gives it."""
        keys = {"p256dh": b64(point_of(self.private.public_key())), "auth": b64(self.auth)}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}


class Local(AbstractResolver):
    """Every name is this machine's port."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        found: ResolveResult = {
            "hostname": host, "host": "127.0.0.1", "port": self._port, "family": socket.AF_INET, "proto": 0, "flags": 0,
        }  # fmt: skip
        return [found]

    async def close(self) -> None: ...


class FakePush:
    """The service. `async with FakePush() as service: service.carry(app)`."""

    def __init__(self) -> None:
        self.browsers: dict[str, Browser] = {}
        self.strangers = 0
        self.service: PushService | None = None
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> FakePush:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._take)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        self._certificate, served = _certificates()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=served)
        await site.start()
        self.resolver = Local(self._runner.addresses[0][1])
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.service is not None:
            await self.service.stop()
        assert self._runner is not None
        await self._runner.cleanup()

    @property
    def reach(self) -> dict[str, Any]:
        """How a `PushService` finds and trusts this one."""
        trusting = ssl.create_default_context(cadata=self._certificate)
        return {"resolver": self.resolver, "tls": trusting}

    def carry(self, app: Any) -> None:
        """Let a program reach this service and no other."""
        own = app.telling._service
        self.service = PushService(own._key, own._contact, app.clock, own._hosts, **self.reach)
        app.telling._service = self.service

    def browser(self, name: str, server_key: str) -> Browser:
        """A new browser that trusts a key."""
        self.browsers[name] = Browser(name, server_key)
        return self.browsers[name]

    async def _take(self, request: web.Request) -> web.Response:
        browser = self.browsers.get(request.path.rpartition("/")[2])
        body = await request.read()
        if browser is None or request.method != "POST":
            self.strangers += 1
            return web.Response(status=404)
        browser.asked += 1
        if browser.answers:
            status, headers = browser.answers.pop(0)
            return web.Response(status=status, headers=headers)
        claims = check_signature(request.headers["Authorization"], browser.server_key)
        content = json.loads(decrypt(body, browser.private, browser.auth))
        browser.got.append(Arrived(content, dict(request.headers), claims))
        return web.Response(status=201)


def _certificates() -> tuple[str, ssl.SSLContext]:
    """A certificate of the service's name that signs itself, and the context that serves with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "both.pem"
        file.write_bytes(private + pem)
        context.load_cert_chain(file)
    return pem.decode(), context
