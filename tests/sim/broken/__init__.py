"""Laws of the design, each broken on purpose. The simulator must notice every one of them."""

from tests.sim.broken import machine, wechat, workers
from tests.sim.broken.ways import Laws

LAWS: Laws = {**machine.LAWS, **workers.LAWS, **wechat.LAWS}
AMONG_WORKERS, IN_WECHAT = frozenset(workers.LAWS), frozenset(wechat.LAWS)
