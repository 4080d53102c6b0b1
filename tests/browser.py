"""A headless Chromium that tests and benchmarks ask by its DevTools protocol, over two pipes: no port, no package.

https://chromedevtools.github.io/devtools-protocol/ has the methods. Without the program, tests skip.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS = 60  # that an answer may take on a busy machine


def find_browser() -> str | None:
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class NoBrowserError(Exception):
    """No browser is installed, or it does not start here; the text says which."""


class Browser:
    """A page of a running browser.

    events : list of dict
        What the page reported until now: requests, messages on the console, errors.
    """

    def __init__(self, to: int, back: int):
        self._to, self._back, self._buffer, self._number = to, back, b"", 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        (page,) = [one for one in self.ask("Target.getTargets")["targetInfos"] if one["type"] == "page"]
        self._session = self.ask("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log", "Audits"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method and wait for its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self._number:
            self.events.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def open(self, page: Path) -> None:
        """Open a file, wait until it is loaded, and forget earlier events."""
        self.events.clear()
        self.ask("Page.navigate", url=page.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())

    def run(self, script: str) -> Any:
        """Return the value of an expression in the page."""
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"].get("description", "the script failed"))
        return answer["result"].get("value")

    def look(self, width: int, height: int = 900, *, dark: bool = False, media: str = "") -> None:
        """Set the size of the screen, its colours, and the kind of medium."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", media=media, features=[scheme])

    def picture(self, *, whole: bool = False) -> bytes:
        """Return a PNG of the first screen, or of the whole page."""
        return base64.b64decode(self.ask("Page.captureScreenshot", captureBeyondViewport=whole)["data"])

    def print_pdf(self) -> bytes:
        """Return the page as it is printed on A4."""
        answer = self.ask("Page.printToPDF", paperWidth=8.27, paperHeight=11.69, preferCSSPageSize=True)
        return base64.b64decode(answer["data"])

    def press(self, key: str) -> None:
        """Press a key and let it go: ``"Tab"``, ``"Enter"``."""
        text = {"Enter": "\r"}.get(key, "")
        code = {"Tab": 9, "Enter": 13}[key]
        for kind in ("keyDown", "keyUp"):
            down = {"text": text} if kind == "keyDown" and text else {}
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **down)

    def requests(self) -> list[str]:
        """The addresses that the page asked for, but for those within it and its own file."""
        asked = [event["params"] for event in self.events if event["method"] == "Network.requestWillBeSent"]
        return [one["request"]["url"] for one in asked if not one["request"]["url"].startswith(("data:", "file:"))]

    def complaints(self) -> list[str]:
        """Errors, warnings and messages: of scripts, of the console, of the browser's log."""
        said = []
        for event in self.events:
            parameters = event.get("params", {})
            if event["method"] == "Runtime.exceptionThrown":
                said.append(parameters["exceptionDetails"]["text"])
            elif event["method"] == "Runtime.consoleAPICalled":
                said.append(" ".join(str(one.get("value")) for one in parameters["args"]))
            elif event["method"] == "Log.entryAdded":
                said.append(parameters["entry"]["text"])
            elif event["method"] == "Audits.issueAdded":
                said.append(parameters["issue"]["code"])
        return said

    def _next(self) -> dict[str, Any]:
        until = time.monotonic() + SECONDS
        while b"\0" not in self._buffer:
            if not select.select([self._back], [], [], max(until - time.monotonic(), 0))[0]:
                raise TimeoutError(f"the browser said nothing for {SECONDS} s")
            read = os.read(self._back, 1 << 20)
            if not read:
                raise RuntimeError("the browser ended")
            self._buffer += read
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """Start a browser with a profile of its own in a folder, without a network, and end it."""
    program = find_browser()
    if program is None:
        raise NoBrowserError(f"none of {', '.join(PROGRAMS)} is installed")
    (their_in, to), (back, their_out) = os.pipe(), os.pipe()
    command = [
        program, "--headless", "--remote-debugging-pipe", f"--user-data-dir={folder}", "--no-first-run",
        "--disable-gpu", "--disable-extensions", "--disable-background-networking", "--disable-component-update",
        "--hide-scrollbars", "--disable-dev-shm-usage", "--proxy-server=127.0.0.1:9", "--force-color-profile=srgb",
        *(["--no-sandbox"] if os.geteuid() == 0 else []), "about:blank",
    ]  # fmt: skip
    # The browser reads file descriptor 3 and writes 4. They may be others in this process, so another moves them.
    move = (
        f"import os, sys; os.dup2({their_in}, 93); os.dup2({their_out}, 94); os.dup2(93, 3); os.dup2(94, 4); "
        "os.execvp(sys.argv[1], sys.argv[1:])"
    )
    wrapped = [sys.executable, "-S", "-c", move, *command]
    process = subprocess.Popen(
        wrapped, pass_fds=(their_in, their_out), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(their_in)
    os.close(their_out)
    try:
        try:
            found = Browser(to, back)
        except (RuntimeError, TimeoutError, BrokenPipeError) as error:
            raise NoBrowserError(f"{program} does not start here: {error}") from error
        yield found
        with suppress(RuntimeError, TimeoutError, BrokenPipeError):
            found._session = None
            found.ask("Browser.close")
    finally:
        os.close(to)
        os.close(back)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
