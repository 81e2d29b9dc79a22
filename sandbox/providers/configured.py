"""Provider settings by connection: an engine opens one connection per explicit provider to the same server."""

from collections import OrderedDict
from threading import Lock
from typing import Final, Generic

from sandbox.providers.errors import ProviderError
from sandbox.providers.resource import S

_REMEMBERED: Final = 128  # connections kept; an engine opens a handful per run


class Configurations(Generic[S]):
    """The configured provider of each connection, the latest one for connections that never configured any."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._by_peer: OrderedDict[str, S] = OrderedDict()
        self._lock = Lock()

    def put(self, peer: str, session: S) -> None:
        """Remember what `peer` was configured with."""
        with self._lock:
            self._by_peer[peer] = session
            self._by_peer.move_to_end(peer)
            while len(self._by_peer) > _REMEMBERED:
                self._by_peer.popitem(last=False)

    def get(self, peer: str) -> S:
        """The configured provider for `peer`; raises ProviderError before any Configure."""
        with self._lock:
            if peer in self._by_peer:
                return self._by_peer[peer]
            if self._by_peer:
                return next(reversed(self._by_peer.values()))
        raise ProviderError(f"provider {self._provider} has not been configured: Configure comes first")
