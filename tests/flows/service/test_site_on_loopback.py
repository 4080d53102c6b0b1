"""The site of docs/containers/compose.yaml without containers: each service with its own command, on loopback.

PostgreSQL comes from its programs where they are installed (Debian: postgresql); elsewhere the test skips.
"""

import asyncio
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "docs" / "containers"
PASSWORD = "the-password-of-the-site"
BIN = Path(sys.executable).parent
SECONDS = 240  # that a service may take to answer on a busy machine
PORTS = {"server": 4200, "database": 5432, "scheduler": 8786, "store": 5000}  # in the compose file
PROGRAMS = {"prefect": [sys.executable, "-m", "prefect"], "dask": [sys.executable, "-m", "dask"]}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def postgres_programs() -> Path | None:
    """The folder of PostgreSQL's programs; Debian keeps it off PATH."""
    found = [folder for folder in Path("/usr/lib/postgresql").glob("*/bin") if (folder / "initdb").exists()]
    named = shutil.which("initdb")
    return max(found, default=Path(named).resolve().parent if named else None)


class Site:
    """The services of the compose file with what stands for their hosts and ports here."""

    def __init__(self, home: Path):
        text = (FOLDER / "compose.yaml").read_text().replace("${PASSWORD:?choose a password}", PASSWORD)
        self.ports = {name: free_port() for name in PORTS}
        for name, port in PORTS.items():
            text = re.sub(rf"(?<=[/@]){name}:{port}", self.at(name), text).replace(f'"{port}"', f'"{self.ports[name]}"')
        text = text.replace("127.0.0.1:4200", self.at("server")).replace("0.0.0.0", "127.0.0.1")
        content = yaml.safe_load(text.replace("/opt/captchas/deployment", str(ROOT / "flows" / "deployment")))
        self.services, self.configs, self.home = content["services"], content["configs"], home

    def at(self, name: str) -> str:
        return f"127.0.0.1:{self.ports[name]}"

    def environment(self, name: str) -> dict[str, str]:
        """The variables of a service: the image's and its own, and none that this machine has for Prefect."""
        image = (FOLDER / "Containerfile").read_text().rpartition("FROM ")[2].replace("\\\n", " ")
        (line,) = re.findall(r"^ENV (.*)$", image, re.MULTILINE)
        set_by_image = dict(pair.split("=", 1) for pair in line.split() if not pair.startswith("PATH="))
        own = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "CAPTCHAS_", "AWS_"))}
        kept = {"PYTHONPATH": str(ROOT), "PREFECT_HOME": str(self.home / "of" / name), "CAPTCHAS_HOME": str(self.home)}
        return own | set_by_image | self.services[name]["environment"] | kept

    def command(self, name: str, *arguments: str) -> list[str]:
        """The command of a service, with the program that its image runs."""
        service = self.services[name]
        (entry,) = service.get("entrypoint", ["captchas"])
        return [*PROGRAMS.get(entry, [str(BIN / entry)]), *(arguments or service["command"])]


@contextmanager
def running(command: list, log: Path, **options) -> Iterator[subprocess.Popen]:
    """Run a service in a group of its own, which is ended with all that it has started."""
    with log.open("w") as told:
        process = subprocess.Popen(command, stdout=told, stderr=told, start_new_session=True, **options)
    try:
        yield process
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(process.pid, number)
                process.wait(15)
        process.wait()


def until(holds: Callable[[], object], log: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.3)


def answers(url: str) -> bool:
    with suppress(OSError):
        urllib.request.urlopen(url, timeout=2).close()
        return True
    return False


@pytest.fixture
def database(tmp_path) -> Iterator[Callable[[Site], str]]:
    """`database(site)`: start PostgreSQL as the site does, by a user without rights, and return its URL."""
    programs = postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="postgres-of-tests-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        root = os.geteuid() == 0  # as which PostgreSQL refuses to run
        user = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []} if root else {}

        def start(site: Site) -> str:
            asked = site.services["database"]["environment"]
            (folder / "password").write_text(asked["POSTGRES_PASSWORD"])
            if root:
                for path in (folder, folder / "password"):
                    shutil.chown(path, "nobody")
            data, log = folder / "data", tmp_path / "database.log"
            making = [programs / "initdb", "-D", data, "-U", asked["POSTGRES_USER"], "--auth", "scram-sha-256",
                      "--pwfile", folder / "password", "--no-sync"]  # fmt: skip
            subprocess.run(making, check=True, capture_output=True, cwd=folder, **user)
            serving = [programs / "postgres", "-D", data, "-p", str(site.ports["database"]), "-k", folder,
                       "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]  # fmt: skip
            stack.enter_context(running(serving, log, cwd=folder, **user))
            ready = [programs / "pg_isready", "-h", "127.0.0.1", "-p", str(site.ports["database"]), "-q"]
            until(lambda: subprocess.run(ready, check=False).returncode == 0, log)
            url = f"postgresql://{asked['POSTGRES_USER']}:{asked['POSTGRES_PASSWORD']}@{site.at('database')}"
            ask(f"{url}/postgres", f"CREATE DATABASE {asked['POSTGRES_DB']}")
            ask(f"{url}/{asked['POSTGRES_DB']}", site.configs["extension"]["content"])
            return f"{url}/{asked['POSTGRES_DB']}"

        yield start


def ask(url: str, query: str) -> list:
    asyncpg = pytest.importorskip("asyncpg")

    async def asked() -> list:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetch(query)
        finally:
            await connection.close()

    return asyncio.run(asked())


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore")
def test_the_site_runs_on_loopback(database, tmp_path):
    """A dataset on the site's disk and in its store by two Dask workers, and a run of a deployment, in PostgreSQL."""
    home = tmp_path / "home"
    site = Site(home)
    url = database(site)
    with ExitStack() as stack:

        def start(name: str, number: int = 0) -> Path:
            log = tmp_path / f"{name}-{number}.log"
            place = site.services[name].get("working_dir", tmp_path)
            stack.enter_context(running(site.command(name), log, env=site.environment(name), cwd=place))
            return log

        moto = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(site.ports["store"])]
        log = tmp_path / "store.log"
        stack.enter_context(running(moto, log))  # the image of the site runs the same program
        until(lambda: answers(f"http://{site.at('store')}/moto-api/"), log)
        log = start("server")
        start("scheduler")
        for number in range(site.services["dask-worker"]["deploy"]["replicas"]):
            start("dask-worker", number)
        until(lambda: answers(f"http://{site.at('server')}/api/health"), log)

        def captchas(*arguments: object, service: str = "shell", codes: tuple[int, ...] = (0,)) -> dict:
            command = site.command(service, *map(str, arguments), "--json")
            done = subprocess.run(
                command, env=site.environment(service), capture_output=True, text=True, cwd=tmp_path, timeout=600
            )
            assert done.returncode in codes, done.stderr
            return json.loads(done.stdout)

        deployed = captchas(*site.services["deploy"]["command"], service="deploy")
        assert "generate" in " ".join(deployed["deployments"])
        start("worker")
        doctor = captchas(*site.services["shell"]["command"], codes=(0, 1))  # of a clone it may say more
        checks = {line["check"]: line for line in doctor["checks"]}
        assert [checks[name]["state"] for name in ("prefect", "dask", "object store")] == ["fine"] * 3, checks

        cluster = ("--cluster", f"tcp://{site.at('scheduler')}")
        drawn = captchas("generate", "book", "--count", 20_000, *cluster)
        assert (drawn["drawn"], drawn["dataset"]) == (20_000, str(home / "datasets" / "book"))
        bucket = f"http://{site.at('store')}/captchas"
        urllib.request.urlopen(urllib.request.Request(bucket, method="PUT")).close()
        stored = captchas("generate", "book", "--count", 20_000, *cluster, "--out", "s3://captchas/datasets/book")
        assert stored["content"] == drawn["content"]
        assert captchas("verify", "s3://captchas/datasets/book", *cluster)["findings"] == []

        run = [*PROGRAMS["prefect"], "deployment", "run", "verify/verify", "--param", 'dataset="book"', "--watch"]
        done = subprocess.run(run, env=site.environment("shell"), capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr + (tmp_path / "worker-0.log").read_text()[-3000:]
        states = [row["state_type"] for row in ask(url, "SELECT state_type FROM flow_run")]
        begun = [state for state in states if state != "SCHEDULED"]  # the schedules of deployments have runs that wait
        assert begun == ["COMPLETED"] * 4, states
