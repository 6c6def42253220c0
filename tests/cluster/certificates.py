"""The certificates and keys of a control plane that lives for one test run."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# Either side of now, so that a clock that is a little off does not matter.
_VALID = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files: the authority, what the API server shows, and the keys that sign service account tokens."""

    ca: Path
    serving: Path
    serving_key: Path
    account_public: Path
    account_key: Path


class Authority:
    """Signs certificates, for as long as it is held; its own key is kept nowhere."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = _authority(self._key)

    def write(self, path: Path) -> None:
        """Write what to trust it by."""
        path.write_bytes(self._certificate.public_bytes(Encoding.PEM))

    def sign_server(self, certificate: Path, key: Path) -> None:
        """Write a certificate for 127.0.0.1, and its key."""
        names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
        self._sign("kube-apiserver", ExtendedKeyUsageOID.SERVER_AUTH, names, certificate, key)

    def sign_client(self, name: str, certificate: Path, key: Path) -> None:
        """Write a certificate of the client `name`, and its key."""
        self._sign(name, ExtendedKeyUsageOID.CLIENT_AUTH, [x509.DNSName(name)], certificate, key)

    def _sign(
        self, name: str, usage: x509.ObjectIdentifier, names: list[x509.GeneralName], path: Path, key: Path
    ) -> None:
        private = ec.generate_private_key(ec.SECP256R1())
        # Python 3.13 and newer refuse a certificate that lacks its issuer's key identifier or its usages.
        issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        signed = (
            _builder(name, self._certificate.subject, private.public_key())
            .add_extension(issuer_key, critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        path.write_bytes(signed.public_bytes(Encoding.PEM))
        key.write_bytes(_private_pem(private))


def write_certificates(folder: Path) -> Certificates:
    """Make, in `folder`, an authority, a certificate for 127.0.0.1 and a key pair for service accounts."""
    files = Certificates(
        *(folder / name for name in ("ca.crt", "serving.crt", "serving.key", "accounts.pub", "accounts.key"))
    )
    authority = Authority()
    authority.write(files.ca)
    authority.sign_server(files.serving, files.serving_key)
    account_key = rsa.generate_private_key(65537, 2048)
    files.account_key.write_bytes(_private_pem(account_key))
    files.account_public.write_bytes(
        account_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    return files


def _private_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(subject: str, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _VALID)
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = "test authority"
    return (
        _builder(name, _name(name), key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
