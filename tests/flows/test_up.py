"""`captchas up`, a real server and a real worker: the deployments from end to end, once for all tests of this file.

In the order in which they stand: each goes on from what the one before left.
"""

import csv
import html
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from base64 import b64encode
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from flows.service import processes
from flows.service.deployments import NotUp, report_status
from storage.dataset import Dataset
from storage.shards.manifest import Manifest
from storage.shards.shard import BLOCK, combined, read_record
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.datasets.samples import SampleJob, write_samples
from tasks.profiles.built_in import find_profile

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs Linux's /proc"),
]
ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "flows"]
SCHEDULED = {
    "verify/verify-and-repair": "0 1 * * *",
    "regenerate/regenerate": "0 3 * * 0",
    "solve/solve-inbox": "5 * * * *",
}
ON_DEMAND = {
    "generate/generate", "verify/verify", "export/export", "ingest/import", "train/train", "evaluate/evaluate",
    "audit/audit", "solve/solve", "reproduce/reproduce", "demo/demo",
}  # fmt: skip
# Whoever starts it; what is killed must not leave it running. Under `nohup` or `&` the tests' own processes ignore some
# signals, and what they start would outlive its parent.
PARENT = [
    sys.executable, "-c", "import signal, subprocess, sys; "
    "[signal.signal(number, signal.SIG_DFL) for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)]; "
    "sys.exit(subprocess.call(sys.argv[1:]))",
]  # fmt: skip
COUNT = 32_768  # pictures of `book`: two shards, in a second
MANY = 10_000_000  # a run that would take minutes


class Site:
    """A home, the `captchas up` that runs on it, and what people do with both."""

    def __init__(self, home: Path):
        self.home = home
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "CAPTCHAS_"))}
        self.environment = kept | {
            "PREFECT_WORKER_QUERY_SECONDS": "1", "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "3",
        }  # fmt: skip
        self.process = self.pid = None

    def start(self) -> None:
        """Start it, and wait until it says that all is up."""
        self.errors = (self.home / "up.err").open("a+")
        self.errors.truncate(0)
        self.process = subprocess.Popen(
            [*PARENT, *COMMAND, "up", "--port", "0", "--json", "--home", self.home], env=self.environment,
            cwd=self.home, stdout=subprocess.PIPE, stderr=self.errors, text=True, start_new_session=True,
        )  # fmt: skip
        self.until(lambda: " up: the UI is at " in self.said() or self.process.poll() is not None, 240)
        assert self.process.poll() is None, self.said()
        self.record = json.loads((self.home / "prefect" / "up.json").read_bytes())
        self.pid = self.record["pid"]

    def said(self) -> str:
        """What it told people."""
        return (self.home / "up.err").read_text()

    def end(self, sent: signal.Signals) -> tuple[int, dict | None]:
        """End it; the exit code and the report."""
        os.kill(self.pid, sent)
        out, _ = self.process.communicate(timeout=120)
        self.errors.close()
        return self.process.returncode, json.loads(out) if out else None

    def run(self, *arguments) -> SimpleNamespace:
        """`captchas ARGUMENTS` on this home, as a process of its own."""
        command = [*COMMAND, *map(str, arguments), "--json", "--home", self.home]
        done = subprocess.run(command, env=self.environment, cwd=self.home, capture_output=True, text=True, timeout=240)
        report = json.loads(done.stdout) if done.stdout else None
        return SimpleNamespace(code=done.returncode, report=report, said=done.stderr)

    def ask(self, path: str, content: dict | None = None):
        """What the server answers; an `HTTPError` where it refuses."""
        data = None if content is None else json.dumps(content).encode()
        for _ in range(100):
            try:
                return json.loads(self.send(path, data, self.own()) or b"null")
            except urllib.error.HTTPError as error:
                if error.code != 503:  # its database is locked, for a moment
                    raise
            time.sleep(0.3)
        raise TimeoutError(path)

    def own(self) -> dict[str, str]:
        """The headers that Prefect's clients send."""
        password = b64encode(self.record["password"].encode()).decode()
        return {"Content-Type": "application/json", "Authorization": f"Basic {password}"}

    def send(self, path: str, data: bytes | None, headers: dict[str, str]) -> bytes:
        """What the server answers to a request with just these headers."""
        request = urllib.request.Request(f"{self.record['api']}/{path}", data, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read()

    def refusal(self, path: str, data: bytes | None, headers: dict[str, str]) -> urllib.error.HTTPError:
        """The refusal of such a request."""
        with pytest.raises(urllib.error.HTTPError) as refused:
            self.send(path, data, headers)
        refused.value.close()
        return refused.value

    def begin(self, name: str, **parameters) -> str:
        """Start a deployment's run; its id."""
        deployment = self.ask(f"deployments/name/{name}")["id"]
        return self.ask(f"deployments/{deployment}/create_flow_run", {"parameters": parameters})["id"]

    def ended(self, run: str, seconds: float = 120) -> dict:
        """The run, once it ended."""
        # Not more often: each question takes the server some hundredths of a second.
        self.until(lambda: self.ask(f"flow_runs/{run}")["state"]["type"] not in UNDERWAY, seconds, every=0.5)
        return self.ask(f"flow_runs/{run}")

    def artifacts(self, run: str) -> dict[str, dict]:
        """By key, with those of runs within it."""
        content = {"artifacts": {"flow_run_id": {"any_": [run]}}}
        return {one["key"]: one for one in self.ask("artifacts/filter", content)}

    def left(self) -> list[int]:
        """Processes that anybody started on this home, and that live."""
        return processes.started_by(lambda variables, _: variables.get("CAPTCHAS_HOME") == str(self.home.resolve()))

    @staticmethod
    def until(reached, seconds: float, every: float = 0.1) -> None:
        """Wait until it is so; look again after `every` seconds."""
        deadline = time.monotonic() + seconds
        while not reached():
            assert time.monotonic() < deadline
            time.sleep(every)


UNDERWAY = ("SCHEDULED", "PENDING", "RUNNING", "CANCELLING")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """One `captchas up` for all tests; whatever becomes of it, nothing of it stays."""
    one = Site(tmp_path_factory.mktemp("site"))
    try:
        one.start()
        yield one
    finally:
        if one.process:
            one.process.kill()
            one.process.communicate()  # which closes the pipe too
        one.errors.close()
        processes.end([*([one.pid] if one.pid else []), *one.left()], patience=10)


def test_everything_is_up_and_the_check_says_so(site):
    result = site.run("up", "--check")
    assert result.code == 0, result.said
    assert result.report["server"] == site.record["api"]
    assert result.report["deployments"] == len(SCHEDULED) + len(ON_DEMAND)
    assert result.report["deployments_missing"] == []
    assert result.report["worker_last_seen_seconds"] < 60
    assert (site.home / "inbox").is_dir()
    with urllib.request.urlopen(site.record["ui"], timeout=10) as answer:
        assert b"<title>Prefect" in answer.read()


def test_only_who_has_the_password_may_ask(site):
    for name in ("up.json", "password"):
        assert (site.home / "prefect" / name).stat().st_mode & 0o777 == 0o600
    own = site.own()
    wrong = own | {"Authorization": f"Basic {b64encode(b'captchas:').decode()}"}
    for headers in ({"Content-Type": "application/json"}, wrong):
        assert site.refusal("flow_runs/count", b"{}", headers).code == 401
    assert int(site.send("flow_runs/count", b"{}", own)) >= 0
    assert site.record["password"] not in site.said()


@pytest.mark.parametrize(
    "foreign",
    [
        {"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"}, {"Sec-Fetch-Site": "same-site"}, {"Content-Type": "text/plain"},
    ],
)  # fmt: skip
def test_a_foreign_request_is_refused_even_with_the_password(site, foreign):
    for path, data in (("flow_runs/count", b"{}"), ("health", None)):
        refused = site.refusal(path, data, site.own() | foreign)
        assert refused.code == 403
        assert "Access-Control-Allow-Origin" not in refused.headers


@pytest.mark.parametrize("variables", [{"command": "true"}, {"env": {"A": "1"}}, {"env.A": "1"}, {"working_dir": "/"}])
def test_no_run_chooses_its_command_environment_or_folder(site, variables):
    deployment = site.ask("deployments/name/verify/verify")["id"]
    content = json.dumps({"job_variables": variables}).encode()
    assert site.refusal(f"deployments/{deployment}/create_flow_run", content, site.own()).code == 422
    job = site.ask("work_pools/captchas")["base_job_template"]["job_configuration"]
    assert not {"command", "env", "working_dir"} & set(job)


@pytest.mark.parametrize("arguments", [["--deploy"], pytest.param(["--check"], marks=pytest.mark.soak)])
def test_a_server_that_is_named_is_asked_with_the_password_of_the_environment(site, tmp_path, monkeypatch, arguments):
    """As on a site, where the operator sets both."""
    named = {"PREFECT_API_URL": site.record["api"], "PREFECT_API_AUTH_STRING": site.record["password"]}
    elsewhere = Site(tmp_path)
    elsewhere.environment |= named
    result = elsewhere.run("up", *arguments)
    assert result.code == 0, result.said
    assert len(site.ask("deployments/filter", {})) == len(SCHEDULED) + len(ON_DEMAND)
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "of another server")
    with pytest.raises(NotUp, match=r"refused \(401\); give its password in PREFECT_API_AUTH_STRING"):
        report_status(site.record["api"], None)


CHROMIUM = Path("/usr/bin/chromium")
# What a page of another origin can try; each name is a victim. `told` is the page's own server.
PAGE = """<!doctype html><title>a page</title><body><script>
const run = JSON.stringify({parameters: {dataset: "book"}}), found = {};
const tries = {
  plain: {method: "POST", mode: "no-cors", body: run, headers: {"Content-Type": "text/plain"}},
  json: {method: "POST", body: run, headers: {"Content-Type": "application/json"}},
  password: {method: "POST", body: run, headers: {"Content-Type": "application/json", "Authorization": "PASSWORD"}},
  read: {}, blind: {mode: "no-cors"},
};
function submitted(url) {
  const frame = document.createElement("iframe"), form = document.createElement("form");
  frame.name = url;
  Object.assign(form, {method: "POST", enctype: "text/plain", action: url, target: url});
  const field = document.createElement("input");  // plain text that is JSON
  [field.name, field.value] = [run.slice(0, -1) + ', "tags": ["', '"]}'];
  form.append(field);
  document.body.append(frame, form);
  form.submit();
  return new Promise(done => frame.onload = done);
}
function socket(url) {
  return new Promise(done => {
    const opened = new WebSocket(url.replace("http", "ws"), ["prefect"]);
    opened.onopen = () => done("opened");
    opened.onerror = () => done("refused");
  });
}
(async () => {
  for (const [victim, urls] of Object.entries(VICTIMS)) {
    found[victim] = {};
    for (const [name, how] of Object.entries(tries)) {
      const url = how.method ? urls.start : urls.read;
      found[victim][name] = await fetch(url, how).then(answer => answer.text(), error => "failed");
    }
    await submitted(urls.start);
    found[victim].socket = await socket(urls.socket);
  }
  await fetch("/told", {method: "POST", body: JSON.stringify(found)});
})();
</script>"""


class Web(ThreadingHTTPServer):
    """A web server on this machine, as any user or program may have: pages, and what was sent to it."""

    def __init__(self):
        self.page, self.posted = b"", []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self._answer(outer.page)

            def do_POST(self):
                outer.posted.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
                self._answer(b"done")

            def do_OPTIONS(self):
                self._answer(b"")

            def _answer(self, body):
                self.send_response(200)
                for name in ("Origin", "Headers"):
                    self.send_header(f"Access-Control-Allow-{name}", "*" if name == "Origin" else "*, Authorization")
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.05,)).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()


def browse(url: str, folder: Path, *options: str, until=None) -> str:
    """Open an address in a browser; the page as it then is, or nothing if it is closed `until` something is so."""
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
        "--disable-dev-shm-usage", f"--user-data-dir={folder}", *options,
    ]  # fmt: skip
    if until is None:
        done = subprocess.run([*command, "--dump-dom", url], capture_output=True, text=True, timeout=90)
        return html.unescape(done.stdout)
    with subprocess.Popen([*command, "--remote-debugging-port=0", url], stdout=-3, stderr=-3) as browser:
        try:
            Site.until(until, 90)
        finally:
            browser.terminate()
    return ""


@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"needs a browser, {CHROMIUM}")
def test_a_page_in_a_browser_on_this_machine_reads_and_starts_nothing(site, tmp_path):
    """The same page does all of it to a server without a guard, so the page knows how."""
    deployment = site.ask("deployments/name/verify/verify")["id"]
    before = site.ask("flow_runs/filter", {"deployments": {"id": {"any_": [deployment]}}})
    with closing(Web()) as attacker, closing(Web()) as unguarded:
        unguarded.page = b"a secret"
        urls = {
            name: {
                "start": f"{url}/deployments/{deployment}/create_flow_run",
                "read": f"{url}/health",
                "socket": f"{url}/events/in",
            }
            for name, url in {"up": site.record["api"], "unguarded": unguarded.url}.items()
        }
        page = PAGE.replace("VICTIMS", json.dumps(urls)).replace("PASSWORD", site.own()["Authorization"])
        attacker.page = page.encode()
        browse(attacker.url, tmp_path / "attack", until=lambda: attacker.posted)
        found = json.loads(attacker.posted[0][1])
        assert found["unguarded"] == {
            "plain": "", "json": "done", "password": "done", "read": "a secret", "blind": "", "socket": "refused",
        }  # fmt: skip
        assert len(unguarded.posted) == 4  # with the form
    assert found["up"] == {
        "plain": "", "json": "failed", "password": "failed", "read": "failed", "blind": "", "socket": "refused",
    }  # fmt: skip
    assert site.ask("flow_runs/filter", {"deployments": {"id": {"any_": [deployment]}}}) == before


@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"needs a browser, {CHROMIUM}")
def test_a_private_file_opens_the_ui_without_the_password(site, tmp_path):
    entry = site.home / "prefect" / "open-ui.html"
    assert entry.stat().st_mode & 0o777 == 0o600
    assert "Flow Runs" in browse(entry.as_uri(), tmp_path / "entry", "--virtual-time-budget=20000")
    wrong = entry.read_text().replace("#", "#x")
    (tmp_path / "wrong.html").write_text(wrong)
    told = browse((tmp_path / "wrong.html").as_uri(), tmp_path / "wrong", "--virtual-time-budget=20000")
    assert "The server refuses this password" in told


@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"needs a browser, {CHROMIUM}")
def test_a_name_that_is_pointed_at_this_machine_opens_nothing(site, tmp_path):
    port = site.record["ui"].rpartition(":")[2]
    rebound = "--host-resolver-rules=MAP evil.example 127.0.0.1"
    assert "true" in browse(f"http://127.0.0.1:{port}/api/health", tmp_path / "own", rebound)
    told = browse(f"http://evil.example:{port}/api/health", tmp_path / "rebound", rebound)
    assert "captchas: refused: Host must be" in told


def test_all_deployments_are_there_with_schedules_and_limits(site):
    flows = {one["id"]: one["name"] for one in site.ask("flows/filter", {})}
    listed = {f"{flows[one['flow_id']]}/{one['name']}": one for one in site.ask("deployments/filter", {})}
    assert set(listed) == set(SCHEDULED) | ON_DEMAND
    for name, one in listed.items():
        crons = [row["schedule"]["cron"] for row in one["schedules"] if row["active"]]
        assert crons == ([SCHEDULED[name]] if name in SCHEDULED else [])
        assert one["global_concurrency_limit"]["limit"] == 1
        assert one["enforce_parameter_schema"] is True
        assert one["description"] and "captchas" in one["tags"]
        for parameter in one["parameter_openapi_schema"]["properties"].values():
            assert parameter.get("description"), (name, parameter)  # what the form shows


def test_runs_are_planned_by_the_clock(site):
    """Libraries that do not fit each other once made the server's scheduler fail, in its log and nowhere else."""

    def planned():
        runs = site.ask("flow_runs/filter", {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}})
        flows = {run["deployment_id"] for run in runs if run["auto_scheduled"]}
        return len(flows) == len(SCHEDULED)

    site.until(planned, 60, every=0.5)


@pytest.mark.parametrize(
    ("name", "parameters", "said"),
    [
        ("generate/generate", {"count": 0}, "0 is less than the minimum of 1"),
        ("generate/generate", {"conut": 5}, "conut"),
        ("generate/generate", {"count": "many"}, "many"),
        ("train/train", {"pictures": [5, 0]}, "0 is less than the minimum of 1"),
        ("ingest/import", {}, "folder"),
        ("export/export", {"format": "gif"}, "gif"),
    ],
)
def test_a_bad_parameter_is_refused_before_a_run_exists(site, name, parameters, said):
    before = site.ask("flow_runs/count", {})
    with pytest.raises(urllib.error.HTTPError) as refused:
        site.begin(name, **parameters)
    assert refused.value.code == 409
    assert said in refused.value.read().decode()
    assert site.ask("flow_runs/count", {}) == before


def test_a_second_one_is_refused(site):
    result = site.run("up", "--port", "0")
    assert result.code == 2
    assert f"`captchas up` runs on this home already (process {site.pid}" in result.said
    assert result.report["exit_code"] == 2
    assert site.process.poll() is None


def test_a_run_that_cannot_be_says_what_to_do_without_a_traceback(site):
    run = site.ended(site.begin("verify/verify", dataset="nothing"))
    assert run["name"].startswith("verify-nothing-20")
    assert run["state"]["type"] == "FAILED"
    assert re.fullmatch(
        r"\S*nothing: no dataset there; `captchas datasets` lists those under the home", run["state"]["message"]
    )

    def logs():
        return site.ask("logs/filter", {"logs": {"flow_run_id": {"any_": [run["id"]]}}})

    def told():
        return [line for line in logs() if line["level"] >= 40]

    site.until(told, 30, every=0.5)  # they are sent a little later
    assert not [line for line in logs() if "Traceback" in line["message"]]


def test_cancel_stops_the_work_and_the_next_run_completes(site):
    """A run that would take minutes is cancelled; a shell on the same home finishes it, over the same server."""
    folder = site.home / "datasets" / "book"
    run = site.begin("generate/generate", profile="book", count=MANY, workers=1)
    site.until(lambda: len(list(folder.glob("shard-*.h5"))) >= 1, 120)
    workers = [pid for pid in site.left() if b"spawn_main" in Path("/proc", str(pid), "cmdline").read_bytes()]
    assert workers
    began = time.monotonic()
    site.ask(f"flow_runs/{run}/set_state", {"state": {"type": "CANCELLING", "name": "Cancelling"}})
    site.until(lambda: not any(Path("/proc", str(pid)).exists() for pid in workers), 60)
    assert time.monotonic() - began < 20
    assert site.ended(run)["state"]["type"] == "CANCELLED"
    sealed = sorted(path.name for path in folder.glob("shard-*.h5"))
    assert sealed and not (folder / "manifest.json").exists()
    for name in sealed[1:]:
        (folder / name).unlink()  # there is something left to draw
    result = site.run("generate", "book", "--count", COUNT, "--workers", 1)
    assert result.code == 0, result.said
    assert (result.report["kept"], result.report["drawn"]) == (COUNT - 16_384, 16_384)
    undisturbed = renderer_of(make_recipe(find_profile("book"), 1))
    assert (
        combined(undisturbed.block(1, number).digest() for number in range(COUNT // BLOCK)) == result.report["content"]
    )
    assert sorted(path.name for path in folder.iterdir()) == [
        "manifest.json", *(f"shard-{index:06d}-16384.h5" for index in range(COUNT // 16_384)),
    ]  # fmt: skip


def test_the_story_of_a_run_that_drew(site):
    """The run of the shell, just before."""
    (run,) = site.ask("flow_runs/filter", {"flow_runs": {"name": {"like_": f"generate-book-{COUNT}-"}}})
    assert run["state"]["type"] == "COMPLETED"  # on the server of `up`
    assert re.fullmatch(rf"generate-book-{COUNT}-\d{{4}}-\d\d-\d\d-\d\d:\d\d:\d\d", run["name"])
    told = site.artifacts(run["id"])
    assert set(told) == {"drawing", "generate-book", "generate-book-report"}
    assert re.search(rf"{COUNT:,} of {COUNT:,} pictures, [\d,]+/s, \d+ s in all", told["drawing"]["description"])
    table = json.loads(told["generate-book"]["data"])
    assert [(row["shard"], row["state"]) for row in table] == [
        ("shard-000000-16384.h5", "skipped"), ("shard-000001-16384.h5", "made"),
    ]  # fmt: skip
    report = told["generate-book-report"]["data"]
    assert "1 made, 1 skipped, 0 repaired" in report
    assert "](data:image/png;base64,iVBOR" in report
    assert 10_000 < len(report) < 300_000


def test_the_nightly_run_mends_a_shard_and_tells_of_it(site):
    folder = site.home / "datasets" / "book"
    content, shard = Manifest.read(folder).content, folder / "shard-000001-16384.h5"
    whole, record = shard.read_bytes(), read_record(shard)
    shard.write_bytes(whole[:50_000] + bytes([whole[50_000] ^ 1]) + whole[50_001:])
    run = site.ended(site.begin("verify/verify-and-repair"))
    assert run["state"]["type"] == "COMPLETED", run["state"]["message"]
    # Equal contents; isal has been seen to pack equal labels into other bytes, a time in some thousands.
    assert read_record(shard).blocks == record.blocks
    assert Manifest.read(folder).content == content
    assert f"| book | repaired | {COUNT} | 2 | 1 | 1 |" in site.artifacts(run["id"])["verify-all"]["data"]
    (inner,) = site.ask("flow_runs/filter", {"flow_runs": {"parent_flow_run_id": {"any_": [run["id"]]}}})
    table = json.loads(site.artifacts(inner["id"])["verify-book"]["data"])
    assert [(row["what"], row["state"]) for row in table] == [(shard.name, "damaged")]


def test_a_schedule_fires_and_pictures_in_the_inbox_are_answered(site):
    recipe = make_recipe(find_profile("book"), 2)
    write_samples(SampleJob(recipe, str(site.home / "inbox"), 5, "run"))
    soon = {"interval": 86_400, "anchor_date": (datetime.now(UTC) + timedelta(seconds=5)).isoformat()}
    deployment = site.ask("deployments/name/solve/solve-inbox")["id"]
    site.ask(f"deployments/{deployment}/schedules", [{"schedule": soon, "active": True}])
    due = {"deployments": {"id": {"any_": [deployment]}}, "sort": "EXPECTED_START_TIME_ASC"}
    fired = {"flow_runs": {"expected_start_time": {"before_": (datetime.now(UTC) + timedelta(seconds=30)).isoformat()}}}
    answers = site.home / "answers" / "inbox" / "answers.csv"

    def rows() -> dict[str, str]:
        with answers.open(newline="") as file:
            return {row["path"]: row["word"] for row in csv.DictReader(file) if row["path"].endswith(".png")}

    def answered() -> bool:
        """By a run that the clock began; the hour's own may come first and find pictures that still settle."""
        runs = [run for run in site.ask("flow_runs/filter", due | fired) if run["auto_scheduled"]]
        failed = [run["state"] for run in runs if run["state"]["type"] in ("FAILED", "CRASHED")]
        assert not failed, failed
        return any(run["state"]["type"] == "COMPLETED" for run in runs) and answers.exists() and len(rows()) == 5

    site.until(answered, 90, every=0.5)
    assert all(path.rpartition("_")[2] == f"{word}.png" for path, word in rows().items())


@pytest.mark.soak
def test_a_killed_up_is_taken_over_and_its_runs_are_closed(site):
    run = site.begin("generate/generate", profile="book", count=MANY, workers=2)
    site.until(lambda: site.ask(f"flow_runs/{run}")["state"]["type"] == "RUNNING", 60)
    os.kill(site.pid, signal.SIGKILL)
    site.process.communicate()
    site.errors.close()
    site.until(lambda: not site.left(), 15)
    site.start()
    assert site.ask(f"flow_runs/{run}")["state"]["type"] == "CRASHED"
    assert "deployment" not in [path.stem for path in (site.home / "prefect" / "logs").iterdir()]


@pytest.mark.parametrize(
    "ends",
    [
        {signal.SIGTERM: 0, signal.SIGKILL: -signal.SIGKILL},
        pytest.param({signal.SIGHUP: 0}, marks=pytest.mark.soak),
    ],
    ids=["terminated-and-killed", "hang-up"],
)
def test_however_it_ends_while_it_starts_all_that_it_started_ends(tmp_path, ends):
    started = {}
    try:
        for number in ends:
            command = [*COMMAND, "up", "--port", "0", "--home", tmp_path / number.name]
            started[number] = subprocess.Popen(
                command, env=Site(tmp_path).environment, stdout=-3, stderr=-3, start_new_session=True
            )
        for number, process in started.items():
            Site.until(lambda process=process: processes.all_of(process.pid) or process.poll() is not None, 60)
            process.send_signal(number)
        for process in started.values():
            Site.until(lambda process=process: process.poll() is not None and not processes.all_of(process.pid), 20)
        assert {number: process.returncode for number, process in started.items()} == ends
    finally:
        for process in started.values():
            processes.end([*processes.all_of(process.pid), process.pid], patience=5)
            process.wait()


@pytest.mark.soak
@pytest.mark.parametrize("number", [signal.SIGHUP, pytest.param(signal.SIGTERM, marks=pytest.mark.soak)])
def test_it_ends_cleanly_with_runs_underway(site, number):
    if site.process.poll() is not None:
        site.start()
    assert site.run("generate", "book", "--count", COUNT).code == 0
    run = site.begin("generate/generate", profile="book", count=MANY, workers=2)
    folder = site.home / "datasets" / "book"
    sealed = len(list(folder.glob("shard-*.h5")))
    site.until(lambda: len(list(folder.glob("shard-*.h5"))) > sealed, 120)
    began = time.monotonic()
    code, report = site.end(number)
    assert time.monotonic() - began < 15
    assert (code, report["ended_by"]) == (0, number.name)
    assert site.left() == []
    assert not (site.home / "prefect" / "up.json").exists()
    assert len(Dataset(folder)) == COUNT  # whole as it was, with some shards more for the next run
    assert run
    result = site.run("up", "--check")
    assert result.code == 1
    assert "no server answers" in result.said
    assert result.report["server_answers"] is False


def test_it_ends_with_its_parent(site):
    """The last test, since it ends what the others need."""
    if site.process.poll() is not None:
        site.start()
    assert len(site.left()) >= 2  # the server, the worker
    site.process.kill()
    site.until(lambda: processes.started(site.pid) is None and not site.left(), 20)
    assert not (site.home / "prefect" / "up.json").exists()
