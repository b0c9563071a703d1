"""What one more newcomer owes: nothing while few come, some work of their browser when many do, patience above that.

Newcomers are addresses from which nobody has ever written; nobody else is counted, and nobody else waits. Where they
come from is a network (an IPv4 /24, an IPv6 /64; "" when it is not known, as behind a proxy that does not say), so
that a crowd in one of them costs the others nothing until it fills the township's measure. Pure but for its memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log2

from bot.web.server import source_of
from bot.web.visitors.buckets import Buckets

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
FREE_SHARE = 4  # a quarter of what a township takes in a minute comes for nothing
FREE_PER_NETWORK = 10  # in a minute
FEWEST_BITS, MOST_BITS = 9, 11  # of `work.PARTS` searches each: 8,000 to 33,000 hashes, 2 s of a slow phone at most
REMEMBERED = 8  # times what is free: for so many minutes the work goes on when the crowd is gone


@dataclass(frozen=True, slots=True)
class Toll:
    """What one more newcomer owes: bits of work (0: none), or to come again in `wait_ms` (0: now)."""

    bits: int = 0
    wait_ms: int = 0


class Crowd:
    """How many newcomers have come. At most `per_minute` over a township (0: nobody counts), and `per_network_hour`
    from one network.
    """

    def __init__(self, per_minute: int, per_network_hour: int) -> None:
        self._counts = per_minute > 0
        per_minute = max(1, per_minute)
        self._all = Buckets(per_minute, MINUTE_MS)
        self._network = Buckets(per_network_hour, HOUR_MS)
        self._all_free = Buckets(max(1, per_minute // FREE_SHARE), MINUTE_MS, most=REMEMBERED)
        self._network_free = Buckets(FREE_PER_NETWORK, MINUTE_MS, most=REMEMBERED)

    def asks(self, township_id: int, network: str, now_ms: int) -> Toll:
        """What the next one owes."""
        if not self._counts:
            return Toll()
        town = str(township_id)
        waits_ms = [self._all.wait_ms(town, now_ms)]
        fullness = [self._all_free.fullness(town, now_ms)]
        if network:
            waits_ms.append(self._network.wait_ms(network, now_ms))
            fullness.append(self._network_free.fullness(network, now_ms))
        if wait_ms := max(waits_ms):
            return Toll(wait_ms=wait_ms)
        return Toll(bits_for(max(fullness)))

    def add(self, township_id: int, network: str, now_ms: int) -> None:
        """One has come."""
        town = str(township_id)
        self._all.add(town, now_ms)
        self._all_free.add(town, now_ms)
        if network:
            self._network.add(network, now_ms)
            self._network_free.add(network, now_ms)


def bits_for(fullness: float) -> int:
    """How much work one more is to do, by how many times what is free they are; each doubling doubles it, to an end."""
    return 0 if fullness <= 1 else min(MOST_BITS, FEWEST_BITS + int(log2(fullness)))


def network_of(host: str) -> str:
    """The network that an address belongs to; "" for this computer itself."""
    source = source_of(host)
    return source.rpartition(".")[0] or source
