"""What stands in the rows for an address at a platform: whoever has them without the key can call and find nobody.

A pseudonym is the address under AES-SIV (RFC 5297): the same address has the same pseudonym, so it is looked up like
any other, and whoever holds the key reads the address back. Channels give pseudonyms to the house and take them back
where they send; between those ends nothing knows an address.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from storage.database import Database, Tx
from storage.vault.sealing import kept_key
from storage.vault.vault import Purpose


class Pseudonyms:
    """The pseudonyms of one township; without a key everything is called what it is."""

    def __init__(self, key: bytes | None, township_id: int) -> None:
        self._cipher = AESSIV(key) if key is not None else None
        self._about = [township_id.to_bytes(8, "big")]

    def of(self, address: str) -> str:
        """What stands for an address (`telegram:123` → `telegram:Xk…`); its channel stays."""
        channel, _, where = address.partition(":")
        return f"{channel}:{self.of_words(where)}"

    def of_words(self, words: str) -> str:
        """What stands for words that may name somebody."""
        if self._cipher is None:
            return words
        return urlsafe_b64encode(self._cipher.encrypt(words.encode(), self._about)).decode("ascii").rstrip("=")

    def behind(self, pseudonym: str) -> str:
        """The address as its platform knows it, without the channel. Raises ValueError for what is no pseudonym."""
        where = pseudonym.partition(":")[2]
        if self._cipher is None:
            return where
        try:
            sealed = urlsafe_b64decode(where + "=" * (-len(where) % 4))
            return self._cipher.decrypt(sealed, self._about).decode()
        except (InvalidTag, ValueError):
            raise ValueError("no pseudonym of this township") from None


PLAIN = Pseudonyms(None, 0)


async def pseudonyms_of(database: Database, township_id: int) -> Pseudonyms:
    """The pseudonyms of a township; their key is made with its first use. Raises Unavailable."""
    return await database.transaction(load, township_id=township_id)


async def load(tx: Tx) -> Pseudonyms:
    """The same in a transaction that writes."""
    key = await kept_key(tx, Purpose.ADDRESSES) if tx.sealing is not None else None
    return Pseudonyms(key, tx.township_id)
