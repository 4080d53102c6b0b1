"""Who may use the workers of a run: nobody without its certificate, and no other user's files."""

import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import cloudpickle
import dask
import pytest
from cryptography import x509
from distributed import LocalCluster
from distributed.security import Security

from flows.workers.certificate import temporary_security
from flows.workers.cluster import crew
from storage.errors import BadInput
from storage.files.private import scratch_folder

pytestmark = pytest.mark.filterwarnings("ignore")  # distributed's own, for refused connections
cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import a test module


def double(number: int) -> int:
    return 2 * number


INTRUDER = """
import asyncio, os, sys
from distributed.core import rpc
from distributed.protocol.pickle import dumps
from distributed.security import Security
target, *addresses = sys.argv[1:]
temporary = Security.temporary().get_connection_args("client")
unsigned = Security(require_encryption=False).get_connection_args("client")
if os.geteuid() == 0:
    import msgpack, tornado.iostream, tornado.tcpclient  # another user may be unable to read these files
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)

async def tried(address, name, arguments):
    code = dumps(eval(f"lambda *_, **__: open({target!r}, 'w').close()"))
    async with rpc(address, connection_args=arguments, timeout=30) as remote:
        return await getattr(remote, name)(function=code, args=dumps(()), kwargs=dumps({}))

for address in addresses:
    for kind, arguments in (("tcp", unsigned), ("tls", unsigned), ("tls", temporary)):
        said = "refused"
        for name in ("run", "run_function"):  # a worker's, a scheduler's
            try:
                said = asyncio.run(asyncio.wait_for(tried(f"{kind}://{address}", name, arguments), 5))["status"]
            except Exception:
                pass
        print(said)
"""


def intrude(target: Path, *addresses: str) -> list[str]:
    """Try to write a file through Dask's ports, as another user where the tests may become one; return the results.

    For each address without a certificate, over plain and encrypted connections, and with a certificate of one's own.
    """
    program = [sys.executable, "-c", INTRUDER, str(target), *(address.partition("://")[2] for address in addresses)]
    tried = subprocess.run(program, capture_output=True, text=True, timeout=60)
    said = tried.stdout.split()
    assert len(said) == 3 * len(addresses), tried.stderr
    return said


def test_who_has_no_certificate_of_the_run_runs_nothing_in_it(tmp_path):
    with LocalCluster(n_workers=1, processes=False, protocol="tcp", dashboard_address=None) as unguarded:
        for address in (unguarded.scheduler_address, unguarded.workers[0].address):
            assert intrude(tmp_path / "target", address)[0] == "OK"
            (tmp_path / "target").unlink()
    with crew(1) as client:
        assert client.submit(double, 21).result() == 42
        ((worker, known),) = client.scheduler_info()["workers"].items()
        addresses = (client.scheduler.address, worker, known["nanny"])
        assert intrude(tmp_path / "target", *addresses) == ["refused"] * 9
    assert not (tmp_path / "target").exists()


def test_python_imports_nothing_from_folders_that_other_users_may_write_to():
    def writable() -> list[str]:
        there = [Path(folder) for entry in sys.path if entry for folder in (Path(entry), *Path(entry).parents)]
        return [
            str(folder)
            for folder in there
            if folder.is_dir() and folder.stat().st_mode & 0o002 and not folder.stat().st_mode & 0o1000
        ]

    with crew(1) as client:
        assert writable() == [] and client.submit(writable).result() == []
        for folder in (*client.run(lambda dask_worker: dask_worker.local_directory).values(), sys.path[0]):
            assert scratch_folder() in Path(folder).parents


def test_a_certificate_is_of_one_run_and_good_whatever_the_clock_says():
    """A worker that starts after the clock was set back would refuse a certificate that begins later."""
    first, second = (temporary_security().tls_ca_file.encode() for _ in range(2))
    assert first != second
    found = x509.load_pem_x509_certificate(first)
    assert found.not_valid_before_utc.timestamp() == 0
    assert found.not_valid_after_utc.year == 9999


@pytest.fixture
def certificates(tmp_path) -> Security:
    """Certificates of a cluster as files, as an administrator makes them."""
    made = Security.temporary()
    for name, text in (("ca", made.tls_ca_file), ("cert", made.tls_client_cert), ("key", made.tls_client_key)):
        (tmp_path / f"{name}.pem").write_text(text)
    return made


def settings(folder: Path) -> dict[str, str]:
    tls = "distributed.comm.tls"
    return {
        f"{tls}.ca-file": str(folder / "ca.pem"), f"{tls}.client.cert": str(folder / "cert.pem"),
        f"{tls}.client.key": str(folder / "key.pem"),
    }  # fmt: skip


def test_a_cluster_with_certificates_is_used_with_dask_s_own_configuration(certificates, tmp_path):
    with LocalCluster(
        n_workers=1,
        processes=False,
        dashboard_address=None,
        security=certificates,
        scheduler_kwargs={"dashboard": False},
    ) as guarded:
        address = guarded.scheduler_address
        assert address.startswith("tls://")
        with dask.config.set(settings(tmp_path)), crew(cluster=address) as client:
            assert client.submit(double, 21).result() == 42
        wrong = tmp_path / "wrong"
        wrong.mkdir()
        other = Security.temporary()
        for name, text in (("ca", other.tls_ca_file), ("cert", other.tls_client_cert), ("key", other.tls_client_key)):
            (wrong / f"{name}.pem").write_text(text)
        for given in ({}, settings(wrong), settings(tmp_path / "nowhere")):
            expected = pytest.raises(BadInput, match="certificates in DASK_DISTRIBUTED")
            with dask.config.set(given), expected, crew(cluster=address):
                pass


def test_the_pages_of_dask_show_nothing():
    with crew(1) as client:
        port = client.run_on_scheduler(lambda dask_scheduler: dask_scheduler.http_server.port)
        for page in ("", "status", "info/main/workers.html", "json/counts.json", "metrics"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/{page}")
