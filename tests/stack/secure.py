"""A Trino that speaks TLS and believes nobody: the demo's configuration with what production adds."""

import hashlib
import hmac
import json
import secrets
import shutil
import time
from base64 import b64encode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from docker.packages.layout import ETC, HOST

ADDED = """
http-server.https.enabled=true
http-server.https.port={port}
http-server.https.keystore.path={etc}/server.pem
http-server.https.truststore.path={etc}/ca.pem
http-server.authentication.type=CERTIFICATE,JWT,PASSWORD
http-server.authentication.certificate.user-mapping.pattern=CN=(.*)
http-server.authentication.jwt.key-file={etc}/jwt.key
internal-communication.shared-secret={shared}
"""


class SecureServer(msgspec.Struct, frozen=True):
    """Where the server is, whom to trust, and what proves each user to it."""

    port: int
    ca: Path
    passwords: dict[str, str]
    jwt_key: bytes
    certificate: Path
    key: Path

    def make_token(self, user: str, *, lifetime: float = 600.0) -> str:
        """Return a JWT the server accepts for a user; already over when ``lifetime`` is negative."""
        claims = {"sub": user, "exp": int(time.time() + lifetime)}
        parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
        body = b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in parts)
        signature = hmac.new(self.jwt_key, body, hashlib.sha256).digest()
        return (body + b"." + urlsafe_b64encode(signature).rstrip(b"=")).decode()


def write_secure_configuration(etc: Path, port: int) -> SecureServer:
    """Copy the demo's configuration to ``etc`` and add TLS, passwords, tokens and certificates made for this once."""
    shutil.copytree(ETC, etc)
    authority, authority_key = make_certificate("test authority", None)
    write_pem(etc / "ca.pem", authority)
    server, server_key = make_certificate("localhost", (authority, authority_key))
    write_pem(etc / "server.pem", server, server_key)
    client, client_key = make_certificate("admin", (authority, authority_key))
    write_pem(etc / "client.pem", client)
    write_pem(etc / "client.key", key=client_key)
    passwords = {name: secrets.token_urlsafe(12) for name in ("admin", "analyst", "masked_analyst")}
    (etc / "password.db").write_text(
        "".join(f"{user}:{hash_password(password)}\n" for user, password in passwords.items()), encoding="utf-8"
    )
    (etc / "password-authenticator.properties").write_text(
        f"password-authenticator.name=file\nfile.password-file={etc}/password.db\n", encoding="utf-8"
    )
    jwt_key = secrets.token_bytes(32)
    (etc / "jwt.key").write_text(b64encode(jwt_key).decode(), encoding="utf-8")
    with (etc / "config.properties").open("a", encoding="utf-8") as stream:
        stream.write(ADDED.format(port=port, etc=etc, shared=secrets.token_hex(32)))
    return SecureServer(port, etc / "ca.pem", passwords, jwt_key, etc / "client.pem", etc / "client.key")


def hash_password(password: str) -> str:
    """Return a password as Trino's file authenticator keeps it: rounds, salt and PBKDF2 with SHA-1, 512 bits."""
    salt = secrets.token_bytes(16)
    made = hashlib.pbkdf2_hmac("sha1", password.encode(), salt, 1000, 64)
    return f"1000:{salt.hex()}:{made.hex()}"


def make_certificate(
    name: str, issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Return a certificate of a day and its key: an authority's own, or one it signed for loopback or a user."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    uses = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(IPv4Address(HOST))])
    signer = issuer[1] if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if issuer:
        builder = builder.add_extension(uses, critical=False).add_extension(names, critical=False)
    else:
        builder = builder.add_extension(make_key_usage(), critical=True)
    return builder.sign(signer, hashes.SHA256()), key


def make_key_usage() -> x509.KeyUsage:
    """Return what an authority's key is for."""
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def write_pem(
    file: Path, certificate: x509.Certificate | None = None, key: ec.EllipticCurvePrivateKey | None = None
) -> None:
    """Write a certificate, a key, or both."""
    blocks = []
    if certificate is not None:
        blocks.append(certificate.public_bytes(serialization.Encoding.PEM))
    if key is not None:
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        blocks.append(key.private_bytes(*form))
    file.write_bytes(b"".join(blocks))
