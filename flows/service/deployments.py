"""Deployments on a Prefect server: the pool, the deployments, the worker, and runs that were cut off."""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows.service.prefect_api import Api, Unanswered
from flows.service.processes import Child
from storage.errors import CaptchasError
from storage.files import atomic

POOL = "captchas"
DEPLOYED = "deployed.sha256"  # under PREFECT_HOME; the checksum of the file that was deployed last
PAGE = 200  # runs in one answer of the server
BUSY = 20.0  # seconds that a server has to answer a look: a machine full of work delays it
LIVING = 90.0  # seconds since a worker's last heartbeat, which comes every 30
# Credentials before a host, a query or a fragment of a URL, and in s3: anything but a bucket; a scheduler's
# tcp://host:8786 is none. For the server and, in the forms, for the browser: Python and JavaScript read it alike.
NO_SECRET = r"^(?!(?!file:)[A-Za-z][A-Za-z0-9+.:-]+:/+([^/]*@|.*[?#]))(?![sS]3:/+[^/]*:)"
# What a run may not choose: it would run any command as the user whose worker it is.
FIXED = ("command", "env", "working_dir")
# Prefect's own template for a pool of processes, without the variables in `FIXED`.
TEMPLATE = {
    "job_configuration": {name: f"{{{{ {name} }}}}" for name in ("labels", "name", "stream_output")},
    "variables": {
        "type": "object",
        "properties": {
            "name": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None, "title": "Name"},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}, "title": "Labels"},
            "stream_output": {"type": "boolean", "default": True, "title": "Stream Output"},
        },
        "additionalProperties": False,
    },
}
_NAME = re.compile(r"^  - name: *['\"]?([\w-]+)", re.M)
UNDERWAY, WAITING = ["RUNNING", "PENDING", "CANCELLING"], ["SCHEDULED"]


class NotUp(CaptchasError, RuntimeError):
    """Something that the deployments need does not run."""


def names_in(file: Path) -> set[str]:
    """Read the names of the deployments in a prefect.yaml."""
    return set(_NAME.findall(file.read_text(encoding="utf-8").partition("\ndeployments:")[2]))


def make_pool(api: Api) -> None:
    """Make the work pool; of a pool that exists, take from the runs what they may not choose.

    Its other settings stay: somebody may have changed them.
    """
    pool = api.get(f"work_pools/{POOL}")
    if pool is None:
        described = {"name": POOL, "type": "process", "description": "Runs of captchas, as processes"}
        api.post("work_pools/", described | {"base_job_template": TEMPLATE})
    elif (fixed := without_choice(pool.get("base_job_template") or TEMPLATE)) != pool.get("base_job_template"):
        api.patch(f"work_pools/{POOL}", {"base_job_template": fixed})


def without_choice(template: dict[str, Any]) -> dict[str, Any]:
    """Return a pool's template in which the command, environment and folder of a run are the pool's own defaults."""
    variables, job = template.get("variables", {}), dict(template.get("job_configuration", {}))
    properties = dict(variables.get("properties", {}))
    for name in FIXED:
        default = properties.pop(name, {}).get("default")
        value = job.pop(name, None)
        if isinstance(value, str) and "{{" in value:  # a placeholder, which a run fills
            value = default
        if value:
            job[name] = value
    required = [name for name in variables.get("required", []) if name not in FIXED]
    changed = {"properties": properties, "additionalProperties": False} | ({"required": required} if required else {})
    kept = {name: value for name, value in variables.items() if name != "required"}
    return template | {"job_configuration": job, "variables": kept | changed}


def changed(api: Api, file: Path) -> bool:
    """Return whether the file has to be deployed: it has changed since last time, or the server lacks a deployment.

    A change that somebody made in the UI, such as a paused schedule, stays until the file changes.
    """
    place = _mark()
    same = place.is_file() and place.read_text("utf-8", "replace") == _digest(file)
    return not same or bool(names_in(file) - {deployment["name"] for deployment in _deployments(api)})


def require_deployed(api: Api, file: Path, deploying: Child) -> None:
    """Remember the file as deployed if all of it is on the server, and have the server refuse unknown parameters.

    Prefect's own schema of a flow's parameters lets any name pass, and the run would fail when it starts; and it
    lets a URL with a secret pass, which would be refused then, but be in Prefect's database by that time.

    Raises
    ------
    NotUp
        With the last words of what deployed it.
    """
    lacking = names_in(file) - {deployment["name"] for deployment in _deployments(api)}
    if lacking or deploying.code:
        raise NotUp(
            f"{file}: could not be deployed (missing: {', '.join(sorted(lacking)) or '-'}); mend it and start again. "
            f"See {deploying.log}, which ends: {deploying.last_words()}"
        )
    for deployment in _deployments(api):
        schema = without_secrets(deployment["parameter_openapi_schema"]) | {"additionalProperties": False}
        api.patch(f"deployments/{deployment['id']}", {"parameter_openapi_schema": schema})
    atomic.replace(_mark(), _digest(file).encode())


def without_secrets(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema in which no text may be a URL with a secret; choices, in its `definitions`, have none."""
    if schema.get("type") == "string":
        return schema | {"pattern": NO_SECRET}
    return {
        name: [without_secrets(choice) for choice in inner] if name == "anyOf"
        else without_secrets(inner) if name == "items"
        else {field: without_secrets(its) for field, its in inner.items()} if name == "properties"
        else inner
        for name, inner in schema.items()
    }  # fmt: skip


def _mark() -> Path:
    return Path(os.environ.get("PREFECT_HOME") or Path.home() / ".prefect", DEPLOYED)


def _digest(file: Path) -> str:
    return hashlib.sha256(f"{file}\n".encode() + file.read_bytes()).hexdigest()


def _deployments(api: Api) -> list[dict[str, Any]]:
    return api.find("deployments/filter", {"work_pools": {"name": {"any_": [POOL]}}, "limit": PAGE})


def settle(api: Api, alive: Collection[str] = ()) -> None:
    """Close runs whose process is gone; of each deployment's missed runs keep the newest.

    Call it while no worker runs; the runs that are `alive` have outlived their worker. A run that a killed process
    left "Running" or "Pending" would hold its deployment's only slot. After a day without a worker, 24 runs of the
    inbox would do nothing in turn. Slots that no run holds are freed too: a killed server remembers how
    many slots are held, but not by which runs.
    """
    ours = {"work_pools": {"name": {"any_": [POOL]}}}
    closed = {
        "type": "CRASHED",
        "name": "Crashed",
        "message": "Its process was ended; the next run goes on from there.",
    }
    underway = _runs(api, ours | {"flow_runs": {"state": {"type": {"any_": UNDERWAY}}}})
    ended = [run["id"] for run in underway if run["id"] not in alive]
    while ended:
        for run in ended:
            api.post(f"flow_runs/{run}/set_state", {"state": closed})
        inner = {"parent_flow_run_id": {"any_": ended}, "state": {"type": {"any_": UNDERWAY}}}
        ended = [run["id"] for run in _runs(api, {"flow_runs": inner})]
    held = Counter(run["deployment_id"] for run in underway if run["id"] in alive)
    for deployment in _deployments(api):
        limit, slots = deployment.get("global_concurrency_limit"), held[deployment["id"]]
        if limit and limit["active_slots"] > slots:
            api.patch(f"v2/concurrency_limits/{limit['id']}", {"active_slots": slots})
    missed = {"state": {"type": {"any_": WAITING}}, "expected_start_time": {"before_": datetime.now(UTC).isoformat()}}
    seen = set()
    for run in _runs(api, ours | {"flow_runs": missed, "sort": "EXPECTED_START_TIME_DESC"}):
        if run["deployment_id"] in seen and run["auto_scheduled"]:
            why = "Missed while no worker ran; a later run of this deployment takes its place."
            late = {"type": "CANCELLED", "name": "Missed", "message": why}
            api.post(f"flow_runs/{run['id']}/set_state", {"state": late})
        seen.add(run["deployment_id"])


def _runs(api: Api, wanted: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    offset = 0
    while page := api.find("flow_runs/filter", wanted | {"limit": PAGE, "offset": offset}):
        found += page
        offset += PAGE
    return found


def report_status(url: str | None, file: Path | None, password: str | None = None) -> dict[str, Any]:
    """Report which parts run: the server, the pool, the deployments, the worker.

    The server is asked with the password, by default with that of the environment.

    Raises
    ------
    NotUp
        Something is missing; the error's `report` says what runs.
    """
    api = Api(url, timeout=BUSY, password=password) if url else None
    report: dict[str, Any] = {"server": url, "server_answers": False, "pool": False}
    report |= {"deployments": 0, "deployments_missing": [], "worker": None, "worker_last_seen_seconds": None}
    if api and api.healthy(BUSY):
        report["server_answers"] = True
        try:
            wrong = _look_inside(api, file, report)
        except Unanswered as error:
            wrong = [str(error)]
    else:
        wrong = [f"no server answers{f' at {url}' if url else ''}"]
    if wrong:
        failure = NotUp(f"not all is up: {'; '.join(wrong)}. `captchas up` starts what one machine needs")
        failure.report = report
        raise failure
    return report


def newest_worker(api: Api) -> dict[str, Any] | None:
    """Find the pool's worker with the newest heartbeat; None if there never was a worker."""
    workers = api.find(f"work_pools/{POOL}/workers/filter")
    return max(
        (worker for worker in workers if worker["last_heartbeat_time"]),
        key=lambda worker: worker["last_heartbeat_time"],
        default=None,
    )


def _look_inside(api: Api, file: Path | None, report: dict[str, Any]) -> list[str]:
    """Fill the report, and list the faults."""
    if api.get(f"work_pools/{POOL}") is None:
        return [f"there is no work pool {POOL}"]
    names = {deployment["name"] for deployment in _deployments(api)}
    lacking = sorted(names_in(file) - names) if file else []
    report |= {"pool": True, "deployments": len(names), "deployments_missing": lacking}
    wrong = [f"deployments are missing: {', '.join(lacking)}"] if lacking else []
    newest = newest_worker(api)
    if newest is None:
        return [*wrong, "no worker has ever been there"]
    seen = datetime.fromisoformat(newest["last_heartbeat_time"].replace("Z", "+00:00"))
    age = (datetime.now(UTC) - seen).total_seconds()
    report |= {"worker": newest["name"], "worker_last_seen_seconds": round(age, 1)}
    return wrong if age <= LIVING else [*wrong, f"the worker {newest['name']} was last seen {age:,.0f} s ago"]
