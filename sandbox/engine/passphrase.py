"""Encrypts the secrets of a state: AES-256-GCM, with a key that scrypt derives from passphrase and salt."""

import base64
import hashlib
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_CHECK = "opens"
_NONCE = 12


class WrongPassphrase(Exception):
    """The passphrase does not open this salt, or a ciphertext is not one of this passphrase."""


class Passphrase:
    """Encrypts and decrypts texts; a state file records `salt`, `<salt>:<check>`. Raises WrongPassphrase."""

    def __init__(self, passphrase: str, salt: str | None = None) -> None:
        # An unchanged secret keeps its ciphertext, so that the file is stable.
        self._sealed: dict[str, str] = {}
        encoded, _, check = salt.partition(":") if salt is not None else (secrets.token_hex(16), "", "")
        key = hashlib.scrypt(passphrase.encode(), salt=encoded.encode(), n=2**14, r=8, p=1, dklen=32)
        self._cipher = AESGCM(key)
        if salt is not None:
            self.decrypt(check)
        self.salt = salt or f"{encoded}:{self.encrypt(_CHECK)}"

    def encrypt(self, text: str) -> str:
        """Nonce and ciphertext in base64, with a fresh nonce for a text that is not known yet."""
        if text not in self._sealed:
            nonce = secrets.token_bytes(_NONCE)
            self._sealed[text] = base64.b64encode(
                nonce + self._cipher.encrypt(nonce, text.encode(), None)
            ).decode()
        return self._sealed[text]

    def decrypt(self, text: str) -> str:
        """The plaintext of what `encrypt` wrote."""
        try:
            sealed = base64.b64decode(text, validate=True)
            opened = self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], None).decode()
        except (InvalidTag, ValueError) as error:
            raise WrongPassphrase(
                "the passphrase does not open it; set PULUMI_CONFIG_PASSPHRASE to its own"
            ) from error
        self._sealed.setdefault(opened, text)
        return opened
