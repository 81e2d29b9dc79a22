"""Pulumi's passphrase secrets manager: PBKDF2-SHA256 with 1,000,000 rounds, AES-256-GCM.

The key is derived once per process and salt, in a thread, in parallel with the program's start.
"""

import base64
import hashlib
import secrets
import threading
from concurrent.futures import Future

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_ROUNDS = 1_000_000
_keys: dict[bytes, "Future[bytes]"] = {}
_lock = threading.Lock()


class WrongPassphrase(Exception):
    """The passphrase does not open this salt, or a ciphertext is not one of this passphrase."""


def _derive(passphrase: str, salt: bytes) -> "Future[bytes]":
    name = hashlib.sha256(salt + b"\0" + passphrase.encode()).digest()
    with _lock:
        if name in _keys:
            return _keys[name]
        future: Future[bytes] = Future()
        _keys[name] = future

    def work() -> None:
        future.set_result(hashlib.pbkdf2_hmac("sha256", passphrase.encode(), salt, _ROUNDS, 32))

    threading.Thread(target=work, daemon=True).start()
    return future


class Passphrase:
    """Encrypts and decrypts texts; `salt()` is what a state file records, `v1:<salt>:<check>`."""

    def __init__(self, passphrase: str, salt: str | None = None) -> None:
        if salt is None:
            self._raw, self._salt = secrets.token_bytes(8), ""
        else:
            parts = salt.split(":", 2)
            if len(parts) != 3 or parts[0] != "v1":
                raise WrongPassphrase("its salt is malformed; it is not of the passphrase secrets manager")
            try:
                self._raw, self._salt = base64.b64decode(parts[1], validate=True), salt
            except ValueError:
                raise WrongPassphrase("its salt is malformed") from None
        self._key = _derive(passphrase, self._raw)
        self._sealed: dict[
            str, str
        ] = {}  # an unchanged secret keeps its ciphertext, so that the file is stable
        self._checked = salt is None

    def _cipher(self) -> AESGCM:
        cipher = AESGCM(self._key.result())
        if not self._checked:
            self._checked = _open(cipher, self._salt.split(":", 2)[2]) == "pulumi"
        return cipher

    def check(self) -> None:
        """Raises WrongPassphrase unless the passphrase opens the salt's check value."""
        self._cipher()

    def salt(self) -> str:
        """The salt with its check value, as Pulumi records it."""
        if not self._salt:
            self._salt = f"v1:{base64.b64encode(self._raw).decode()}:{self.encrypt('pulumi')}"
        return self._salt

    def encrypt(self, text: str) -> str:
        """`v1:<nonce>:<ciphertext>`, both base64, with a fresh nonce for a text that is not known yet."""
        if text not in self._sealed:
            nonce = secrets.token_bytes(12)
            sealed = self._cipher().encrypt(nonce, text.encode(), None)
            self._sealed[text] = f"v1:{base64.b64encode(nonce).decode()}:{base64.b64encode(sealed).decode()}"
        return self._sealed[text]

    def decrypt(self, text: str) -> str:
        """The plaintext of what `encrypt` or Pulumi wrote; raises WrongPassphrase."""
        opened = _open(self._cipher(), text)
        self._sealed.setdefault(opened, text)
        return opened


def _open(cipher: AESGCM, text: str) -> str:
    try:
        version, nonce, sealed = text.split(":")
        if version != "v1":
            raise WrongPassphrase(f"a ciphertext has the unknown version {version}")
        return cipher.decrypt(base64.b64decode(nonce), base64.b64decode(sealed), None).decode()
    except (InvalidTag, ValueError) as error:
        raise WrongPassphrase(
            "the passphrase does not open it; set PULUMI_CONFIG_PASSPHRASE to its own"
        ) from error
