"""Signatures as the `minisign` program makes and checks them: Ed25519, one line of base64 each.

Public key:  "Ed", 8 bytes number, 32 bytes key. Signature: "ED" (over the BLAKE2b-512 of the data)
or the older "Ed" (over the data itself), number, 64 bytes; then a comment that a second signature
covers. Secret key: the same number, the key, a checksum, masked by scrypt of a password.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.common.atomic import write_atomic
from desktop.common.errors import PackError, UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MAX_FILE_BYTES = 8192
_UNTRUSTED = "untrusted comment: "
_TRUSTED = "trusted comment: "
_KEY_BYTES = 2 + 8 + 32
_SIGNATURE_BYTES = 2 + 8 + 64
_SECRET_BYTES = 2 + 2 + 2 + 32 + 8 + 8 + 8 + 64 + 32
_MASKED = slice(54, 158)  # number, key and checksum
# Half a second and 128 MiB of memory for whoever tries passwords.
_OPERATIONS, _MEMORY_BYTES = 1 << 22, 1 << 27
_MOST_MEMORY_BYTES = 2 << 30


@dataclass(frozen=True, slots=True)
class PublicKey:
    """`number` is how minisign names a key: 16 hexadecimal digits."""

    raw: bytes

    @property
    def number(self) -> str:
        return _shown_number(self.raw[2:10])

    @property
    def text(self) -> str:
        """One line to hand on: ``RW...``."""
        return base64.b64encode(self.raw).decode()


@dataclass(frozen=True, slots=True)
class Signature:
    """`comment` is covered by the signature, so it can be believed once that was checked."""

    algorithm: bytes
    number: str
    raw: bytes
    comment: str
    comment_signature: bytes


@dataclass(frozen=True, slots=True)
class SecretKey:
    number_bytes: bytes
    seed: bytes

    @property
    def public(self) -> PublicKey:
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        raw = self._key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return PublicKey(b"Ed" + self.number_bytes + raw)

    def sign(self, data: bytes, comment: str) -> bytes:
        """The signature file for `data`; `comment` is one line."""
        key = self._key()
        signature = key.sign(hashlib.blake2b(data).digest())
        line = " ".join(comment.splitlines())
        lines = [
            f"{_UNTRUSTED}signature of a Hausgeist pack",
            base64.b64encode(b"ED" + self.number_bytes + signature).decode(),
            _TRUSTED + line,
            base64.b64encode(key.sign(signature + line.encode())).decode(),
        ]
        return ("\n".join(lines) + "\n").encode()

    def _key(self) -> Ed25519PrivateKey:
        # 30 ms that only a signature costs
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self.seed)


def new_key() -> SecretKey:
    """A key that nobody has."""
    return SecretKey(secrets.token_bytes(8), secrets.token_bytes(32))


def parse_public_key(text: str) -> PublicKey:
    """From a line ``RW...`` or a ``.pub`` file's text. Raises UsageError("bad_public_key")."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith(_UNTRUSTED)]
    raw = _decoded(lines[0]) if len(lines) == 1 else b""
    if len(raw) != _KEY_BYTES or raw[:2] != b"Ed":
        raise UsageError("bad_public_key", key=text.strip()[:80])
    return PublicKey(raw)


def read_public_key(text_or_file: str) -> PublicKey:
    """A key given as its line or as the name of a file. Raises UsageError("bad_public_key")."""
    try:
        return parse_public_key(text_or_file)
    except UsageError:
        path = Path(text_or_file).expanduser()
        try:
            with path.open("rb") as file:
                return parse_public_key(file.read(MAX_FILE_BYTES).decode("utf-8", "replace"))
        except (OSError, ValueError) as error:
            raise UsageError("bad_public_key", key=text_or_file[:80]) from error


def parse_signature(data: bytes, path: str) -> Signature:
    """`path` is for sentences. Raises PackError("pack_bad_signature")."""
    lines = data[: MAX_FILE_BYTES + 1].decode("utf-8", "replace").split("\n")
    lines = [line.rstrip("\r") for line in lines]
    if len(data) > MAX_FILE_BYTES or len(lines) < 4 or not lines[2].startswith(_TRUSTED):
        raise PackError("pack_bad_signature", path=path, detail="form")
    raw, second = _decoded(lines[1]), _decoded(lines[3])
    if len(raw) != _SIGNATURE_BYTES or raw[:2] not in (b"ED", b"Ed") or len(second) != 64:
        raise PackError("pack_bad_signature", path=path, detail="form")
    return Signature(
        raw[:2], _shown_number(raw[2:10]), raw[10:], lines[2].removeprefix(_TRUSTED), second
    )


def verify(data: bytes, signature: Signature, key: PublicKey) -> bool:
    """Whether the owner of `key` signed `data` and the signature's comment."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if signature.number != key.number:
        return False
    signed = hashlib.blake2b(data).digest() if signature.algorithm == b"ED" else data
    try:
        public = Ed25519PublicKey.from_public_bytes(key.raw[10:])
        public.verify(signature.raw, signed)
        public.verify(signature.comment_signature, signature.raw + signature.comment.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def write_keys(key: SecretKey, path: Path, password: str = "") -> Path:
    """Write the secret key, readable by its owner only, and ``<path>.pub`` beside it.

    Returns the public key's path. Raises UsageError("key_exists"), StorageError.
    """
    public_path = path.with_name(path.name + ".pub")
    for taken in (path, public_path):
        if taken.exists():
            raise UsageError("key_exists", path=str(taken))
    number = key.public.number
    secret = base64.b64encode(_secret_bytes(key, password)).decode()
    words = "encrypted secret key" if password else "secret key"
    # Temporary files are made with 0600, and a rename keeps that.
    write_atomic(path, f"{_UNTRUSTED}minisign {words}\n{secret}\n".encode())
    text = f"{_UNTRUSTED}minisign public key {number}\n{key.public.text}\n"
    write_atomic(public_path, text.encode())
    public_path.chmod(0o644)
    return public_path


def read_secret_key(path: Path, password: str = "") -> SecretKey:
    """Raises UsageError: sign_key_unreadable, sign_key_password (wrong or missing)."""
    try:
        with path.open("rb") as file:
            lines = file.read(MAX_FILE_BYTES).decode("utf-8", "replace").splitlines()
    except OSError as error:
        raise UsageError("sign_key_unreadable", path=str(path), detail=str(error)) from error
    raw = _decoded(lines[1].strip()) if len(lines) > 1 else b""
    if len(raw) != _SECRET_BYTES or raw[:2] != b"Ed" or raw[4:6] != b"B2":
        raise UsageError("sign_key_unreadable", path=str(path), detail="form")
    masked, is_open = raw[_MASKED], raw[2:4] == b"\0\0"
    if raw[2:4] == b"Sc":
        if not password:
            raise UsageError("sign_key_password", path=str(path))
        operations, memory = (int.from_bytes(raw[i : i + 8], "little") for i in (38, 46))
        if memory > _MOST_MEMORY_BYTES:
            raise UsageError("sign_key_unreadable", path=str(path), detail="memory")
        masked = _masked(masked, password, raw[6:38], operations, memory)
    elif not is_open:
        raise UsageError("sign_key_unreadable", path=str(path), detail="kdf")
    number, secret, checksum = masked[:8], masked[8:72], masked[72:]
    if is_open and checksum == bytes(32):  # so minisign writes keys without a password
        return SecretKey(number, secret[:32])
    if not hmac.compare_digest(checksum, _checksum(number, secret)):
        raise UsageError("sign_key_password", path=str(path))
    return SecretKey(number, secret[:32])


def trusted_comment(file_name: str, now: float | None = None) -> str:
    """As minisign writes it where nobody says otherwise."""
    return f"timestamp:{int(time.time() if now is None else now)}\tfile:{file_name}\thashed"


def _secret_bytes(key: SecretKey, password: str) -> bytes:
    secret = key.seed + key.public.raw[10:]
    if not password:
        return b"Ed\0\0B2" + bytes(48) + key.number_bytes + secret + bytes(32)
    plain = key.number_bytes + secret + _checksum(key.number_bytes, secret)
    salt = secrets.token_bytes(32)
    limits = _OPERATIONS.to_bytes(8, "little") + _MEMORY_BYTES.to_bytes(8, "little")
    return b"EdScB2" + salt + limits + _masked(plain, password, salt, _OPERATIONS, _MEMORY_BYTES)


def _masked(data: bytes, password: str, salt: bytes, operations: int, memory: int) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    n, r, p = _scrypt_parameters(operations, memory)
    mask = Scrypt(salt=salt, length=len(data), n=n, r=r, p=p).derive(password.encode())
    return bytes(a ^ b for a, b in zip(data, mask, strict=True))


def _scrypt_parameters(operations: int, memory: int) -> tuple[int, int, int]:
    """libsodium's rule for its limits (crypto_pwhash_scryptsalsa208sha256)."""
    operations, r = max(32768, operations), 8
    if operations < memory // 32:
        return _power_above(operations // (r * 4) // 2), r, 1
    n = _power_above(memory // (r * 128) // 2)
    return n, r, max(1, min(operations // 4 // n, 0x3FFFFFFF) // r)


def _power_above(number: int) -> int:
    """The smallest power of two, from 2 on, that is larger."""
    power = 2
    while power <= number:
        power *= 2
    return power


def _checksum(number: bytes, secret: bytes) -> bytes:
    return hashlib.blake2b(b"Ed" + number + secret, digest_size=32).digest()


def _shown_number(raw: bytes) -> str:
    return f"{int.from_bytes(raw, 'little'):016X}"


def _decoded(line: str) -> bytes:
    try:
        return base64.b64decode(line.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""
