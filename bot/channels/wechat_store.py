"""WeChat's tokens in the database, where every worker and command finds them."""

from __future__ import annotations

from bot.channels.wechat_tokens import Stored
from storage import wechat
from storage.database import Database, Tx


class TokenTable:
    """The tokens of the account that belongs to a township (`wechat_tokens.Tokens`)."""

    def __init__(self, database: Database, township_id: int) -> None:
        self._database = database
        self._township_id = township_id

    async def get(self, name: str) -> Stored | None:
        """(token, when it ends in ms), or None."""

        async def load(tx: Tx) -> Stored | None:
            row = await wechat.get_token(tx, name)
            return (row["token"], row["expires_ms"]) if row is not None else None

        return await self._database.read(load, township_id=self._township_id)

    async def put(self, name: str, token: str, expires_ms: int) -> None:
        """Replace it; nobody else's work waits for this."""

        async def store(tx: Tx) -> None:
            await wechat.put_token(tx, name, token, expires_ms=expires_ms)

        await self._database.transaction(store, township_id=self._township_id, alone=False)
