"""The end of a command: by a signal, with what is still to be written, and with a defect."""

import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

from storage.texts import plain_lines

GRACE = 3.5  # seconds for a clean end after a signal: with the time that a busy machine adds, under five in all


def flushed() -> bool:
    """Write out what is buffered; what cannot be written is dropped, else Python would try again at its end."""
    whole = True
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            whole = False
    return whole


def print_defect(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print the traceback of an error that nobody expected; its message may hold foreign text."""
    sys.stderr.write(plain_lines("".join(traceback.format_exception(kind, error, trace))))


class Ended:
    """The end by a signal; the first one counts, since a closed terminal may send several."""

    code = 128 + signal.SIGINT

    def __init__(self) -> None:
        self.begun = self._over = False
        self._timer: threading.Timer | None = None

    def over(self, code: int) -> None:
        """Let a signal that still comes end the process at once: all is told, and an exception would be a traceback."""
        self.code, self._over = code, True

    def by(self, number: int, _frame: FrameType | None) -> None:
        """End cleanly, but within `GRACE` seconds: Dask and Prefect may take longer than people wait."""
        if self._over:
            self._now()
        if self.begun:
            return
        self.begun, self.code = True, 128 + number
        self._within_grace()
        raise KeyboardInterrupt

    def watch(self) -> None:
        """Let `GRACE` begin when a signal comes: Python answers it after what the main thread calls in a library."""
        come, told = os.pipe()
        os.set_blocking(told, False)
        signal.set_wakeup_fd(told, warn_on_full_buffer=False)
        os.register_at_fork(after_in_child=lambda: signal.set_wakeup_fd(-1))  # a child's signals are not ours
        threading.Thread(target=self._look, args=(come,), name="captchas-signals", daemon=True).start()

    @contextmanager
    def told(self) -> Iterator[None]:
        """Raise `KeyboardInterrupt` in place of the error that a library made of it."""
        try:
            yield
        except Exception as error:
            if self.begun:
                raise KeyboardInterrupt from error
            raise

    def _look(self, come: int) -> None:
        while numbers := os.read(come, 64):
            for number in numbers:
                if signal.getsignal(number) == self.by and not (self.begun or self._over):
                    self.code = 128 + number
                    self._within_grace()

    def _within_grace(self) -> None:
        if self._timer is None:
            self._timer = threading.Timer(GRACE, self._now)
            self._timer.daemon = True
            self._timer.start()

    def _now(self) -> None:
        try:
            server = sys.modules.get("flows.service.embedded_server")  # nothing else starts one
            if server is not None:
                server.end()
        finally:
            os._exit(self.code)
