"""Wake a worker, without ever waiting for the broker.

A request sets a flag and goes on; a thread of the process publishes. So a broker that accepts and never
answers, a name that does not resolve or a full network costs the request nothing. The publishing itself is
not retried, has short time-outs, and pauses after a failure. A nudge that is lost delays until the next round
of beat; it loses nothing, for the promise is a row.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Callable

from celery import current_app

log = logging.getLogger(__name__)

# Connecting and reading, each. The request waits for neither.
TIMEOUT = 0.1
# Many commits in a moment need one nudge: the drain it starts goes on until nothing is due.
SPACING = 0.25
# The breaker: after a failure the broker is left alone for this long.
PAUSE_AFTER_FAILURE = 5.0
EXIT_PATIENCE = 0.2


def publish() -> None:
    """Tell the workers to drain, with short time-outs and without a second try; raises where that fails."""
    options = {
        "socket_connect_timeout": TIMEOUT,
        "socket_timeout": TIMEOUT,
        "read_timeout": TIMEOUT,
        "write_timeout": TIMEOUT,
    }
    # A connection of its own: the workers' must not inherit these time-outs.
    with current_app.connection_for_write(connect_timeout=TIMEOUT, transport_options=options) as broker:
        current_app.send_task("outbox.tasks.drain", connection=broker, retry=False, expires=60, ignore_result=True)


class Herald:
    """A thread that publishes once for any number of wishes. Started by the first one."""

    def __init__(self, publish: Callable[[], None]) -> None:
        self._publish = publish
        self.reset()

    def reset(self) -> None:
        """Start afresh, as in a forked child, which has the fields of its parent but not the thread."""
        self._changed = threading.Condition()
        self._wished = self._tried = 0
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Wish for a nudge and return at once."""
        with self._changed:
            self._wished += 1
            self._changed.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="outbox-nudge", daemon=True)
                self._thread.start()

    def settle(self, seconds: float) -> bool:
        """Wait until all wishes so far have been tried, at most this long; return whether they were."""
        with self._changed:
            wished = self._wished
            return self._changed.wait_for(lambda: self._tried >= wished, seconds)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wished > self._tried)
                heard = self._wished
            ok = self._try()
            with self._changed:
                self._tried = heard
                self._changed.notify_all()
            time.sleep(SPACING if ok else PAUSE_AFTER_FAILURE)

    def _try(self) -> bool:
        try:
            self._publish()
        except Exception as error:
            # Nobody's business but the log's: the next round of beat finds the entry.
            log.warning("The broker did not take a nudge (%s: %s).", type(error).__name__, error)
            return False
        return True


_herald = Herald(publish)
# A forked child has no threads: it starts its own when it needs one.
os.register_at_fork(after_in_child=_herald.reset)
# A command that ends right after its commit gives its nudge a moment to leave.
atexit.register(_herald.settle, EXIT_PATIENCE)


def wake() -> None:
    """Ask a worker to look at the outbox now. Returns at once, whatever the broker does."""
    _herald.wake()
