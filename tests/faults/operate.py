"""A home with the `captchas up` that runs on it, and all the harm that test_operations.py does to both."""

import json
import os
import random
import secrets
import signal
import sqlite3
import struct
import subprocess
import sys
import time
import zlib
from collections import Counter
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from flows.service import processes
from flows.service.prefect_api import Api, Unanswered
from storage.ledger.ledger import ANSWER, LEDGER, PictureFile, digest_of, path_of
from storage.shards.manifest import MANIFEST
from tasks import readers
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.lowlevel.png_encoder import png
from tasks.profiles.built_in import find_profile
from tasks.reading.ranking import Ranking
from tasks.shipped import SHIPPED
from tasks.solving import batches

MARK = "CAPTCHAS_SOAK"  # in the environment of all that is started, and of what that starts
COMMAND = [sys.executable, "-m", "flows"]
COUNT = 40_000  # pictures of a dataset: three shards, a tenth of a second
SMALL = """
alphabet = "ABC"
words = ""
length = [1, 2]
width = 54
shear = {start = 0, stop = 200, step = 100}
scale = {start = 50, stop = 100, step = 25}
"""
# The clock is faster than the runs: what cannot start at once is left out, for the next is due in a moment.
DEPLOYMENT = """
  - name: %s
    entrypoint: %s
    parameters: %s
    schedules: [{interval: %d, active: true}]
    concurrency_limit: {limit: 1, collision_strategy: CANCEL_NEW}
    work_pool: {name: captchas, work_queue_name: default, job_variables: {}}
"""
KINDS = ("up", "server", "worker", "flow", "dask")
BROKEN = ("truncated", "text", "empty", "bomb")
WHOLE = ("picture", "picture", "picture", "same", "slow")
DAMAGE = ("flip", "cut", "lose", "foreign", "manifest")


class Site:
    """A home, the `captchas up` that runs on it, what is done to both, and what was seen meanwhile."""

    def __init__(self, folder: Path, seed: int):
        self.home, self.folder, self.rng = folder / "home", folder, random.Random(seed)
        self.inbox = self.home / "inbox"
        self.inbox.mkdir(parents=True)
        (folder / "tmp").mkdir()
        (folder / "small.toml").write_text(SMALL)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "CAPTCHAS_"))}
        self.mark = secrets.token_hex(8)
        self.environment = kept | {
            MARK: self.mark, "TMPDIR": str(folder / "tmp"), "PREFECT_WORKER_QUERY_SECONDS": "2",
            "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "5",
            # The place of a run whose worker was never told that it has it: Prefect frees it after 300 s.
            "PREFECT_SERVER_CONCURRENCY_INITIAL_DEPLOYMENT_LEASE_DURATION": "60",
        }  # fmt: skip
        self.process, self.starts = None, 0
        self.dropped: dict[str, str] = {}  # path: kind
        self.pieces: list[tuple[float, Path, bytes]] = []  # still to be written
        self.answered: dict[tuple, set] = {}  # (path, size, mtime): {(run, when)} as seen
        self.kills, self.damaged, self.foreign = Counter(), Counter(), []
        self.memory: dict[tuple[str, int], list[tuple[float, float]]] = {}
        block = renderer_of(make_recipe(find_profile("book"), 5)).block(5, 0)
        self.images = [png(image) for image in block.images]
        self.began = time.monotonic()

    # What runs.

    def deploy(self, seconds: dict[str, int], workers: int) -> None:
        """Write the file of the deployments, each with the seconds between two of its runs, and its Dask workers."""
        chosen = {
            "solve-inbox": ("flows.solve.solve", {"path": "inbox", "workers": workers}),
            "verify-and-repair": ("flows.verify.verify", {"repair": True, "workers": workers}),
            "generate": (
                "flows.generate.generate",
                {"profile": str(self.folder / "small.toml"), "count": COUNT, "seed": 7, "workers": workers},
            ),
        }
        blocks = [DEPLOYMENT % (name, *map(json.dumps, chosen[name]), every) for name, every in seconds.items()]
        head = "name: soak\nprefect-version: 3.8.8\n\ndeployments:"
        (self.folder / "prefect.yaml").write_text(head + "".join(blocks))

    def watch(self) -> None:
        """Start `captchas up`, unless it runs."""
        if self.process and self.process.poll() is None:
            return
        said = self.folder / f"up-{self.starts}"
        assert not self.process or self.process.returncode == -signal.SIGKILL, said.read_text()
        self.starts += 1
        command = [*COMMAND, "up", "--port", "0", "--deployments", self.folder / "prefect.yaml", "--home", self.home]
        with (self.folder / f"up-{self.starts}").open("w") as errors:
            self.process = subprocess.Popen(
                command, env=self.environment, cwd=self.folder, stdout=errors, stderr=errors, start_new_session=True
            )

    def api(self) -> Api | None:
        """The server, once all of `up` is there."""
        try:
            record = json.loads((self.home / "prefect" / "up.json").read_bytes())
        except (OSError, ValueError):
            return None
        ready = record["pid"] == self.process.pid and " up: the UI " in (self.folder / f"up-{self.starts}").read_text()
        return Api(record["api"], timeout=20, password=record["password"]) if ready else None

    def living(self) -> dict[str, list[int]]:
        """The processes that descend from any `up` of this site, by kind."""
        found: dict[str, list[int]] = {kind: [] for kind in (*KINDS, "other")}
        for place in Path("/proc").glob("[0-9]*"):
            try:
                lines = (place / "environ").read_text(errors="replace").split("\0")
                command = (place / "cmdline").read_bytes()
            except OSError:
                continue  # gone meanwhile
            if f"{MARK}={self.mark}" in lines and processes.started(int(place.name)):
                runs = any(line.startswith(f"{processes.RUN}=") for line in lines)
                kind = (
                    "server" if b"uvicorn" in command
                    else "dask" if b"spawn_main" in command and runs
                    else "flow" if b"prefect" in command and runs
                    else "worker" if b"worker\0start" in command
                    else "up" if b"flows\0up" in command else "other"
                )  # fmt: skip
                found[kind].append(int(place.name))
        return found

    def kill(self, kind: str) -> bool:
        """SIGKILL a process of that kind; False if there is none."""
        there = self.living()[kind]
        if not there or (kind not in ("flow", "dask") and self.api() is None):
            return False
        with suppress(ProcessLookupError):
            os.kill(self.rng.choice(sorted(there)), signal.SIGKILL)
            self.kills[kind] += 1
        return True

    # What comes in.

    def drop(self, kind: str) -> None:
        """Put something into the inbox, or begin to."""
        number = len(self.dropped)
        name = f"{number % 5}/{number:05d}-{kind}.png"
        path, image = self.inbox / name, self.images[number % len(self.images)]
        path.parent.mkdir(exist_ok=True)
        self.dropped[name] = kind
        if kind == "slow":
            size, now = len(image) // 6 + 1, time.monotonic()
            self.pieces += [(now + 0.4 * k, path, image[k * size : (k + 1) * size]) for k in range(6)]
            return
        header = struct.pack(">2I5B", 60_000, 60_000, 8, 0, 0, 0, 0)
        bomb = image[:8] + b"".join(
            struct.pack(">I", len(data)) + what + data + struct.pack(">I", zlib.crc32(what + data))
            for what, data in ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(60_000))), (b"IEND", b""))
        )
        contents = {
            "same": self.images[number % 3], "truncated": image[: len(image) // 2], "text": b"no picture %d" % number,
            "empty": b"", "bomb": bomb,
        }  # fmt: skip
        path.write_bytes(contents.get(kind, image))

    def write_pieces(self) -> None:
        """Those of slow pictures whose time has come."""
        now = time.monotonic()
        for _, path, data in [piece for piece in self.pieces if piece[0] <= now]:
            with path.open("ab") as file:
                file.write(data)
        self.pieces = [piece for piece in self.pieces if piece[0] > now]

    def damage(self, kind: str) -> None:
        """Do harm to a dataset, if it is there."""
        # Without its manifest and its last shards a dataset is a smaller one; `small` is asked for again and again.
        folder = self.home / "datasets" / ("small" if kind == "manifest" else self.rng.choice(("small", "other")))
        shards = sorted(folder.glob("shard-*"))
        with suppress(FileNotFoundError):  # a repair was faster
            if kind == "foreign":
                (folder / (name := f"note-{len(self.foreign)}.txt")).write_text("mine")
                self.foreign.append(name)
            elif kind == "manifest":
                (folder / MANIFEST).unlink()
            elif not shards:
                return
            else:
                shard = self.rng.choice(shards)
                if kind == "lose":
                    shard.unlink()
                else:
                    with shard.open("r+b") as file:
                        size = shard.stat().st_size
                        if kind == "cut":
                            file.truncate(self.rng.randrange(size))
                        else:
                            file.seek(place := self.rng.randrange(size))
                            byte = file.read(1)[0]
                            file.seek(place)
                            file.write(bytes([byte ^ 1 << self.rng.randrange(8)]))
            self.damaged[kind] += 1

    # What is seen.

    def look(self) -> None:
        """Note what the ledger holds and how much memory the lasting processes have."""
        for path, size, mtime, run, when, *_ in self.ledger():
            self.answered.setdefault((path, size, mtime), set()).add((run, when))
        now = time.monotonic() - self.began
        for kind, pids in self.living().items():
            for pid in pids:
                with suppress(OSError, IndexError):
                    pages = int(Path("/proc", str(pid), "statm").read_text().split()[1])
                    self.memory.setdefault((kind, pid), []).append((now, pages * os.sysconf("SC_PAGESIZE") / 1e6))

    def ledger(self) -> list[tuple]:
        """(path, size, mtime, run, answered, passing, digest, *answer) of every row."""
        path = self.home / "answers" / LEDGER
        if not path.exists():
            return []
        with closing(sqlite3.connect(path, timeout=1)) as base, suppress(sqlite3.OperationalError):
            rows = base.execute(
                f"SELECT path, size, mtime, run, answered, passing, digest, {', '.join(ANSWER)} FROM pictures"
            )
            return [(path_of(row[0]), *row[1:]) for row in rows]
        return []

    def answers_wanted(self) -> dict[str, tuple]:
        """What this process answers, undisturbed."""
        texts = readers.expect_texts(SHIPPED)
        ranking = Ranking.PROBABILITY if texts.words else Ranking.NONE
        plan = batches.make_plan(SHIPPED, texts.words, ranking, 0.0, texts.alphabet, texts.length)
        files = []
        for path in sorted(self.dropped):
            stat = (self.inbox / path).stat()
            digest = digest_of((self.inbox / path).read_bytes())
            files.append(PictureFile(path, stat.st_size, stat.st_mtime_ns, digest))
        receipt = batches.solve_batch(batches.SolveJob(str(self.inbox), tuple(files), plan))
        return {one.path: answer for one, answer in zip(receipt.files, receipt.answers, strict=True)}

    def completed_since(self, when: datetime) -> set[str]:
        """The flows of which a run that began after `when` completed."""
        if (api := self.api()) is None:
            return set()
        state = {"type": {"any_": ["COMPLETED"]}}
        wanted = {"flow_runs": {"state": state, "start_time": {"after_": when.isoformat()}}}
        try:
            names = {one["id"]: one["name"] for one in api.post("flows/filter")}
            return {names[run["flow_id"]] for run in api.post("flow_runs/filter", wanted) if run["deployment_id"]}
        except Unanswered:
            return set()

    def failures(self) -> dict[str, int]:
        """What runs said that failed, with how many did."""
        state = {"type": {"any_": ["FAILED"]}}
        found = self.api().post("flow_runs/filter", {"flow_runs": {"state": state}})
        return dict(Counter(run["state"]["message"] or "-" for run in found))

    def said(self) -> str:
        """The last words of the last `up`, and of what it started."""
        logs = [self.folder / f"up-{self.starts}", *(self.home / "prefect" / "logs").glob("*.log")]
        return "\n".join(f"{log.name}: {log.read_text(errors='replace')[-3000:]}" for log in logs if log.exists())

    def run(self, *arguments) -> subprocess.CompletedProcess:
        """`captchas ARGUMENTS` on this home."""
        command = [*COMMAND, *arguments, "--json", "--home", self.home]
        environment = self.environment | {"PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "400"}
        return subprocess.run(command, env=environment, cwd=self.folder, capture_output=True, text=True, timeout=600)

    def leftovers(self) -> list[str]:
        """Files that nobody has a use for, of ours or in the temporary folder."""
        answers = self.home / "answers"
        known = {answers / LEDGER, answers / "inbox" / "answers.csv", answers / "inbox" / ".folder"}
        datasets = self.home / "datasets"
        ours = [
            path
            for folder in (self.home / "answers", datasets, self.home / "inbox")
            for path in folder.rglob("*")
            if path.is_file() and path not in known and path.suffix != ".lock"
            and not path.match("datasets/*.foreign/*")
            and path.parent not in (datasets / "small", datasets / "other")
            and str(path.relative_to(self.home)).removeprefix("inbox/") not in self.dropped
        ]  # fmt: skip
        temporary = [
            path for path in (self.folder / "tmp").rglob("*")
            # Dask's own, always there.
            if path.name not in (f"captchas-{os.getuid()}", "dask-scratch-space", "global.lock", "purge.lock")
        ]  # fmt: skip
        return sorted(str(path.relative_to(self.folder)) for path in [*ours, *temporary])
