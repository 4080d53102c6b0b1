"""What stands on a server: judged from its answers, here those of a server of our own making."""

import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from prefect.workers.process import ProcessWorker

from flows.service import deployments, prefect_api
from flows.service.prefect_api import Api, Unanswered

FILE = """name: beating-captchas
definitions:
  - name: not-one
deployments:
  - name: one
    entrypoint: a.b
  - name: "two"
  # - name: three
"""


class Server:
    """Answers as told, and remembers what it was asked."""

    def __init__(self):
        self.answers: dict[str, object] = {"health": True}
        self.asked: list[tuple[str, dict]] = []
        self.credentials: list[str | None] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self._answer({})

            def do_POST(self):
                self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            do_PATCH = do_POST  # noqa: N815 - so the standard library calls it

            def _answer(self, content):
                path = self.path.removeprefix("/api/")
                outer.asked.append((path, content))
                outer.credentials.append(self.headers["Authorization"])
                answer = outer.answers.get(path)
                answer = answer(content) if callable(answer) else answer
                code = answer if type(answer) is int else 404 if answer is None else 200
                data = json.dumps(answer).encode()
                self.send_response(code)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/api"
        threading.Thread(target=self._server.serve_forever, args=(0.01,)).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server():
    one = Server()
    yield one
    one.close()


@pytest.fixture
def file(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    path = tmp_path / "prefect.yaml"
    path.write_text(FILE)
    return path


def ago(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def one_of(name: str) -> dict:
    return {"name": name, "id": name, "parameter_openapi_schema": {"type": "object"}}


def whole(server):
    server.answers |= {
        "work_pools/captchas": {"name": "captchas"},
        "deployments/filter": [one_of("one"), one_of("two")],
        "deployments/one": {}, "deployments/two": {},
        "work_pools/captchas/workers/filter": [
            {"name": "old", "last_heartbeat_time": ago(9000)}, {"name": "new", "last_heartbeat_time": ago(10)},
            {"name": "never", "last_heartbeat_time": None},
        ],
    }  # fmt: skip


def test_a_database_that_is_locked_for_a_moment_is_asked_again(server):
    answers = iter([503, 503, {"name": "captchas"}])
    server.answers["work_pools/captchas"] = lambda _: next(answers)
    assert Api(server.url).get("work_pools/captchas") == {"name": "captchas"}
    assert len(server.asked) == 3


def test_all_is_up(server, file):
    whole(server)
    report = deployments.report_status(server.url, file)
    assert 9 < report.pop("worker_last_seen_seconds") < 20
    assert report == {
        "server": server.url, "server_answers": True, "pool": True, "deployments": 2, "deployments_missing": [],
        "worker": "new",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "answer", "said"),
    [
        ("health", 500, "no server answers at http"),
        ("work_pools/captchas", None, "there is no work pool captchas"),
        ("deployments/filter", [{"name": "two"}], "deployments are missing: one"),
        ("work_pools/captchas/workers/filter", [], "no worker has ever been there"),
        (
            "work_pools/captchas/workers/filter", [{"name": "w", "last_heartbeat_time": ago(5_000_000)}],
            "the worker w was last seen 5,0",
        ),
        ("deployments/filter", 500, "refused (500"),
    ],
)  # fmt: skip
def test_what_is_not_up_is_named(server, file, path, answer, said):
    whole(server)
    server.answers[path] = answer
    with pytest.raises(deployments.NotUp) as raised:
        deployments.report_status(server.url, file)
    assert said in str(raised.value) and "`captchas up` starts" in str(raised.value)
    assert raised.value.report["server"] == server.url
    assert raised.value.exit_code == 1


def test_without_an_address_no_server_is_asked():
    with pytest.raises(deployments.NotUp, match=r"not all is up: no server answers\."):
        deployments.report_status(None, None)


def test_a_file_is_deployed_again_only_when_it_or_the_server_changed(server, file):
    whole(server)
    api = Api(server.url)
    deploying = type("Deploying", (), {"code": 0, "log": "log", "last_words": lambda self: "its end"})()
    assert deployments.changed(api, file)
    deployments.require_deployed(api, file, deploying)
    assert not deployments.changed(api, file)
    closed = [content["parameter_openapi_schema"] for path, content in server.asked if path == "deployments/one"]
    assert closed == [{"type": "object", "additionalProperties": False}]  # an unknown name is refused
    server.answers["deployments/filter"] = [one_of("one")]
    assert deployments.changed(api, file)
    with pytest.raises(deployments.NotUp, match=r"missing: two.*which ends: its end"):
        deployments.require_deployed(api, file, deploying)
    whole(server)
    file.write_text(FILE + "# another\n")
    assert deployments.changed(api, file)
    deploying.code = 1
    with pytest.raises(deployments.NotUp, match="could not be deployed"):
        deployments.require_deployed(api, file, deploying)


def test_a_new_pool_lets_a_run_choose_no_command(server):
    server.answers["work_pools/"] = {}
    deployments.make_pool(Api(server.url))
    assert [path for path, _ in server.asked] == ["work_pools/captchas", "work_pools/"]
    made = server.asked[1][1]
    assert made["type"] == "process"
    assert made["base_job_template"] == deployments.without_choice(made["base_job_template"]) == deployments.TEMPLATE
    server.answers["work_pools/captchas"] = made
    deployments.make_pool(Api(server.url))
    assert len(server.asked) == 3  # it is as it shall be


@pytest.mark.parametrize(
    ("changes", "fixed"),
    [
        ({}, {}),
        ({"env": {"type": "object", "default": {"A": "1"}}}, {"env": {"A": "1"}}),
        ({"working_dir": {"type": "string", "default": "/srv"}, "command": {"default": "nice python"}},
         {"working_dir": "/srv", "command": "nice python"}),
    ],
)  # fmt: skip
def test_of_an_old_pool_the_defaults_stay_and_the_choice_goes(server, changes, fixed):
    template = ProcessWorker.get_default_base_job_template()
    template["variables"]["properties"] |= changes | {"mine": {"type": "string"}}
    template["job_configuration"]["mine"] = "{{ mine }}"
    server.answers["work_pools/captchas"] = {"base_job_template": template}
    deployments.make_pool(Api(server.url))
    path, patch = server.asked[-1]
    assert path == "work_pools/captchas"
    kept = {name: f"{{{{ {name} }}}}" for name in ("labels", "name", "stream_output", "mine")}
    assert patch["base_job_template"]["job_configuration"] == kept | fixed
    variables = patch["base_job_template"]["variables"]
    assert set(variables["properties"]) == set(kept) and variables["additionalProperties"] is False
    assert "command" in template["variables"]["properties"]  # nothing is changed in place


def test_a_command_that_names_a_placeholder_is_not_left_to_a_run():
    template = ProcessWorker.get_default_base_job_template()
    template["job_configuration"] |= {"command": "nice {{ command }}", "env": {"A": "1"}, "working_dir": "/srv"}
    template["variables"]["required"] = ["command"]
    fixed = deployments.without_choice(template)
    assert {"command", "env", "working_dir"} & set(fixed["job_configuration"]) == {"env", "working_dir"}
    assert "required" not in fixed["variables"]


@pytest.mark.parametrize(
    ("variables", "sent"),
    [
        ({"PREFECT_API_AUTH_STRING": "admin:word"}, "Basic YWRtaW46d29yZA=="),
        ({"PREFECT_API_KEY": "pnu_1"}, "Bearer pnu_1"),
        ({"PREFECT_API_AUTH_STRING": "admin:word", "PREFECT_API_KEY": "pnu_1"}, "Basic YWRtaW46d29yZA=="),
        ({}, None),
    ],
)
def test_every_request_carries_what_prefect_s_clients_send(server, monkeypatch, variables, sent):
    for name in ("PREFECT_API_AUTH_STRING", "PREFECT_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    api = Api(server.url)
    assert api.healthy(30)
    api.get("x")
    api.post("x", {})
    api.find("x")
    api.patch("x", {})
    assert server.credentials == [sent] * 5
    Api(server.url, password="admin:word").get("x")
    assert server.credentials[-1] == "Basic YWRtaW46d29yZA=="


def test_a_server_that_wants_a_password_names_the_variable(server):
    server.answers["work_pools/captchas"] = 401
    with pytest.raises(deployments.NotUp, match=r"refused \(401\); give its password in PREFECT_API_AUTH_STRING"):
        deployments.report_status(server.url, None)


def test_runs_that_were_cut_off_are_closed_and_of_missed_ones_the_newest_is_kept(server):
    late = [
        {"id": "a3", "deployment_id": "a", "auto_scheduled": True},
        {"id": "b9", "deployment_id": "b", "auto_scheduled": True},
        {"id": "a2", "deployment_id": "a", "auto_scheduled": True},
        {"id": "by-hand", "deployment_id": "a", "auto_scheduled": False},
    ]

    def runs(content):
        wanted = content["flow_runs"]
        if content["offset"]:
            return []
        if "expected_start_time" in wanted:
            assert content["sort"] == "EXPECTED_START_TIME_DESC"
            return late
        parent = wanted.get("parent_flow_run_id", {}).get("any_")
        return {None: [{"id": "cut"}], "cut": [{"id": "inner"}], "inner": []}[parent[0] if parent else None]

    server.answers["flow_runs/filter"] = runs
    for run in ("cut", "inner", "a2"):
        server.answers[f"flow_runs/{run}/set_state"] = {}
    deployments.settle(Api(server.url))
    states = {path.split("/")[1]: content["state"]["name"] for path, content in server.asked if "set_state" in path}
    assert states == {"cut": "Crashed", "inner": "Crashed", "a2": "Missed"}


def test_runs_that_outlived_their_worker_go_on_and_keep_their_places_alone(server):
    """A server that was killed has forgotten whose the places are: those of nobody are freed, by their number."""
    underway = [{"id": name, "deployment_id": deployment} for name, deployment in (("alive", "a"), ("cut", "b"))]

    def runs(content):
        mine = content["flow_runs"].get("state", {}).get("type", {}).get("any_") == deployments.UNDERWAY
        return underway if mine and "work_pools" in content and not content["offset"] else []

    server.answers["flow_runs/filter"] = runs
    server.answers["flow_runs/cut/set_state"] = {}
    places = (("a", 1), ("b", 1), ("c", 2), ("d", 0))
    server.answers["deployments/filter"] = [
        {"id": name, "global_concurrency_limit": {"id": f"of-{name}", "active_slots": slots}} for name, slots in places
    ] + [{"id": "e", "global_concurrency_limit": None}]
    server.answers |= {f"v2/concurrency_limits/of-{name}": {} for name, _ in places}
    deployments.settle(Api(server.url), {"alive"})
    assert [path for path, _ in server.asked if "set_state" in path] == ["flow_runs/cut/set_state"]
    freed = {path: content for path, content in server.asked if "concurrency_limits" in path}
    assert freed == {f"v2/concurrency_limits/of-{name}": {"active_slots": 0} for name in "bc"}


def test_what_does_not_answer_is_told(server, monkeypatch):
    monkeypatch.setattr(prefect_api, "_LOCKED", 0.0)
    api = Api(server.url, timeout=30)
    assert api.healthy(30) and api.wait(30)
    assert api.get("nothing") is None
    server.answers["bad"] = 409
    with pytest.raises(Unanswered, match="refused"):
        api.post("bad")
    gone = Api("http://127.0.0.1:9/api", timeout=1)
    assert not gone.healthy() and not gone.wait(0)
    with pytest.raises(Unanswered, match=r"no Prefect server answers there.*captchas up"):
        gone.get("health")
