"""Processes side by side, in one terminal: Honcho, and what it lacks to leave no process behind.

Honcho falls over when it cannot write to a terminal that was closed, and when it is told to stop before it has
heard from each of its processes; those would then live on, for each has a session of its own.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from typing import Any

from honcho.manager import Manager
from honcho.printer import Printer

LOOK_AGAIN_SECONDS = 0.1


class DeafPrinter(Printer):  # type: ignore[misc]  # its package has no types
    """Write to the terminal while there is one."""

    def write(self, message: Any) -> None:
        """Write a line, and do not mind that nobody is there to read it."""
        with suppress(OSError, ValueError):
            super().write(message)


class Processes(Manager):  # type: ignore[misc]  # its package has no types
    """Run processes until one of them stops, or a signal comes: Ctrl-C, SIGTERM, or the terminal being closed."""

    def __init__(self) -> None:
        super().__init__(DeafPrinter(sys.stdout))
        self._pid = os.getpid()

    def loop(self) -> None:
        """Start the processes, and return when all of them have ended."""
        signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
        super().loop()

    def terminate(self) -> None:
        """Stop all processes. Those that are starting right now are waited for, or they would be missed."""
        if os.getpid() != self._pid:
            return  # a process that is being forked, and still has its parent's signals
        if self._all_started():
            super().terminate()
        else:
            again = threading.Timer(LOOK_AGAIN_SECONDS, self.terminate)
            again.daemon = True
            again.start()
