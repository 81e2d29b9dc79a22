"""Pulumi's passphrase secrets manager: PBKDF2-SHA256 with 1,000,000 rounds, AES-256-GCM."""

import base64
import functools
import hashlib
import secrets
from concurrent.futures import Future, ThreadPoolExecutor

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_ROUNDS = 1_000_000
_POOL = ThreadPoolExecutor(2)


class WrongPassphrase(Exception):
    """The passphrase does not open this salt, or a ciphertext is not one of this passphrase."""


@functools.cache
def _cipher(passphrase: str, salt: bytes) -> Future[AESGCM]:
    """Begins to derive the key, once per process and salt: while it is derived the program starts."""
    return _POOL.submit(lambda: AESGCM(hashlib.pbkdf2_hmac("sha256", passphrase.encode(), salt, _ROUNDS, 32)))


@functools.cache
def _new_salt(passphrase: str) -> bytes:
    """One for all stacks that this process begins with a passphrase: each salt costs a derivation."""
    del passphrase
    return secrets.token_bytes(8)


class Passphrase:
    """Encrypts and decrypts texts; a state file records `salt`, `v1:<salt>:<check>`. Raises WrongPassphrase."""

    def __init__(self, passphrase: str, salt: str | None = None) -> None:
        # An unchanged secret keeps its ciphertext, so that the file is stable.
        self._sealed: dict[str, str] = {}
        if salt is None:
            self._raw = _new_salt(passphrase)
            self._cipher = _cipher(passphrase, self._raw)
            return
        try:
            _, encoded, check = salt.split(":", 2)
            self._cipher = _cipher(passphrase, base64.b64decode(encoded, validate=True))
        except ValueError:
            raise WrongPassphrase("its salt is malformed") from None
        self.salt = salt
        self.decrypt(check)

    @functools.cached_property
    def salt(self) -> str:
        """What a state file records."""
        return f"v1:{base64.b64encode(self._raw).decode()}:{self.encrypt('pulumi')}"

    def encrypt(self, text: str) -> str:
        """`v1:<nonce>:<ciphertext>`, both base64, with a fresh nonce for a text that is not known yet."""
        if text not in self._sealed:
            nonce = secrets.token_bytes(12)
            sealed = self._cipher.result().encrypt(nonce, text.encode(), None)
            self._sealed[text] = f"v1:{base64.b64encode(nonce).decode()}:{base64.b64encode(sealed).decode()}"
        return self._sealed[text]

    def decrypt(self, text: str) -> str:
        """The plaintext of what `encrypt` or Pulumi wrote; raises WrongPassphrase."""
        try:
            _, nonce, sealed = text.split(":")
            opened = (
                self._cipher.result()
                .decrypt(base64.b64decode(nonce), base64.b64decode(sealed), None)
                .decode()
            )
        except (InvalidTag, ValueError) as error:
            raise WrongPassphrase(
                "the passphrase does not open it; set PULUMI_CONFIG_PASSPHRASE to its own"
            ) from error
        self._sealed.setdefault(opened, text)
        return opened
