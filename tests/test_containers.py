"""The image and the site of containers: read, since an engine that builds them is seldom at hand."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from flows.command_line import app
from flows.service.deployments import POOL

pytestmark = pytest.mark.filterwarnings("ignore")  # Prefect's, while the commands are imported

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "containers"
INSTRUCTIONS = {
    "FROM", "WORKDIR", "RUN", "ENV", "COPY", "USER", "VOLUME", "STOPSIGNAL", "ENTRYPOINT", "CMD",
}  # fmt: skip


def instructions() -> list[tuple[str, str]]:
    """The instructions of the image with their words, in order."""
    text = re.sub(r"^#.*\n", "", (FOLDER / "Containerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [tuple(line.split(" ", 1)) for line in lines if line.strip()]


@pytest.fixture(scope="module")
def site() -> dict:
    return yaml.safe_load((FOLDER / "compose.yaml").read_text())


def test_the_image_is_slim_and_its_user_has_no_rights():
    found = instructions()
    assert {name for name, _ in found} <= INSTRUCTIONS
    bases = [words.split()[0] for name, words in found if name == "FROM"]
    assert bases == ["python:3.11-slim"] * 2 and found[0][0] == "FROM"
    last = [k for k, (name, _) in enumerate(found) if name == "FROM"][-1]
    final = dict(found[last:])
    assert final["USER"] == "10001:10001" and final["VOLUME"] == "/data" and "CAPTCHAS_HOME=/data" in final["ENV"]
    assert json.loads(final["ENTRYPOINT"]) == ["captchas"] and json.loads(final["CMD"])
    order = [name for name, _ in found[last:]]
    assert order.index("RUN") < order.index("USER") < order.index("ENTRYPOINT")  # nothing is installed as that user


def test_all_that_the_image_copies_is_there():
    copied = [shlex.split(words) for name, words in instructions() if name == "COPY"]
    sources = [word for words in copied if not words[0].startswith("--from") for word in words[:-1]]
    assert {"flows", "tasks", "storage", "fonts", "beating_captchas.py", "constraints.txt"} <= set(sources)
    assert [source for source in sources if not (ROOT / source).exists()] == []
    for _, words in instructions():
        for module in re.findall(r"python -m ((?:flows|tasks)[\w.]*)", words):
            assert (ROOT / f"{module.replace('.', '/')}.py").is_file()


def test_the_site_has_its_services_and_nothing_hangs_in_the_air(site):
    services = site["services"]
    assert {"database", "server", "worker", "scheduler", "dask-worker", "store"} <= set(services)
    assert services["dask-worker"]["deploy"]["replicas"] == 2
    for name, service in services.items():
        assert set(service.get("depends_on", ())) <= set(services), name
        volumes = [volume.partition(":")[0] for volume in service.get("volumes", ())]
        assert set(volumes) <= set(site["volumes"]), name
        assert {one["source"] for one in service.get("configs", ())} <= set(site["configs"]), name
        assert not service["image"].endswith(":latest") and "privileged" not in service
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
        waited = service.get("depends_on", {})
        for other, how in waited.items() if isinstance(waited, dict) else ():
            assert how["condition"] != "service_healthy" or "healthcheck" in services[other]
    built = FOLDER / site["x-captchas"]["build"]["context"]
    assert built.resolve() == ROOT and (built / site["x-captchas"]["build"]["dockerfile"]).is_file()


def test_the_site_keeps_no_password(site):
    text = (FOLDER / "compose.yaml").read_text()
    secrets = re.findall(r"(?:PASSWORD|SECRET\w*|AUTH_STRING): (.+)", text) + re.findall(r"//prefect:(\S.*?)@", text)
    assert len(secrets) == 5
    assert all("${PASSWORD:?choose a password}" in secret for secret in secrets)
    server = site["services"]["server"]["environment"]
    assert server["PREFECT_SERVER_API_AUTH_STRING"] == server["PREFECT_API_AUTH_STRING"]


def test_the_commands_of_the_site_are_ours(site):
    ours = [one for one in site["services"].values() if one["image"] == "beating-captchas"]
    for service in ours:
        if "entrypoint" not in service:
            app.parse_args(service["command"], exit_on_error=False, print_error=False)
    assert site["services"]["worker"]["command"][:4] == ["worker", "start", "--pool", POOL]
    assert "deployment" in site["services"]["worker"]["working_dir"]


@pytest.mark.soak
def test_the_image_can_be_built_and_works():
    engine = next((name for name in ("podman", "docker") if shutil.which(name)), None)
    if engine is None or subprocess.run([engine, "info"], capture_output=True, check=False).returncode:
        pytest.skip("no container engine is at hand")
    build = [engine, "build", "-q", "-f", str(FOLDER / "Containerfile"), "-t", "beating-captchas-test", str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    run = [engine, "run", "--rm", "beating-captchas-test", "doctor", "--json"]
    done = subprocess.run(run, check=True, capture_output=True, text=True)
    assert json.loads(done.stdout)["wrong"] == 0
