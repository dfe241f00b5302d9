"""What a certificate says, for a person who is to believe it or not."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.common.errors import NetworkError

_MOST_NAME = 120


@dataclass(frozen=True, slots=True)
class CertificateWords:
    """Whose it is, who signed it, until when it holds (``2027-01-31``), and its SHA-256."""

    subject: str
    issuer: str
    not_before: str
    not_after: str
    fingerprint: str


def certificate_words(der: bytes, host: str) -> CertificateWords:
    """Of what `host` showed. Raises NetworkError("tls_failed") for what is no certificate."""
    from cryptography import x509  # 50 ms that only an unknown certificate needs
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        certificate = x509.load_der_x509_certificate(der)
        return CertificateWords(
            subject=name_words(certificate.subject),
            issuer=name_words(certificate.issuer),
            not_before=f"{certificate.not_valid_before_utc:%Y-%m-%d}",
            not_after=f"{certificate.not_valid_after_utc:%Y-%m-%d}",
            fingerprint=certificate.fingerprint(SHA256()).hex(":").upper(),
        )
    except ValueError as error:
        raise NetworkError("tls_failed", host=host, detail=str(error)) from error


def name_words(name: object) -> str:
    """ "Company Firewall (Company Ltd)": whom a person would ask."""
    from cryptography.x509 import Name
    from cryptography.x509.oid import NameOID

    if not isinstance(name, Name):
        return ""

    def first(oid: object) -> str:
        values = [str(a.value) for a in name if a.oid == oid]
        return "".join(c for c in values[0] if c.isprintable()) if values else ""

    common, organisation = first(NameOID.COMMON_NAME), first(NameOID.ORGANIZATION_NAME)
    if common and organisation and organisation != common:
        return f"{common} ({organisation})"[:_MOST_NAME]
    return (common or organisation or name.rfc4514_string())[:_MOST_NAME]
