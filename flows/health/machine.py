"""Checks of the machine: cores, memory, disks, clock, limits of this process."""

import os
import resource
import shutil
import socket
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from flows.health.check_results import CheckResult, fine, warning, wrong

MEMORY_EACH = 512 << 20  # bytes that a local worker takes while it draws or reads, with what it imports
LEAST_MEMORY = 384 << 20  # below this not even a single worker works
LEAST_ADDRESS = 2 << 30  # bytes of addresses, most of which are never used; 1 GB is too little
LEAST_DISK, ENOUGH_DISK = 200 << 20, 2 << 30  # bytes
LEAST_FILES = 200  # that a home and its database take, with a dataset
BUILT = 1_760_000_000  # seconds since 1970: a clock before October 2025 is wrong, and certificates fail with it
SKEW = 2.0  # seconds between the clock of this process and that of a disk
UP_PORT = 4200  # of `captchas up`
CGROUP = Path("/sys/fs/cgroup")
MEMORY_INFORMATION = Path("/proc/meminfo")


def check_cores() -> CheckResult:
    """Tell how many cores this process may use, and whether a container gives it less of their time."""
    there, mine, share = os.cpu_count() or 1, len(os.sched_getaffinity(0)), cgroup_cores()
    said = f"{mine} of {there}"
    if share is not None and share < mine:
        return warning(
            "cores", f"{said}, but its control group gives this process the time of {share:g}",
            f"give commands --workers {max(1, int(share))}",
        )  # fmt: skip
    return fine("cores", said)


def cgroup_cores() -> float | None:
    """Return how many cores' time the control group gives; None for no limit."""
    limits = []
    for folder in _own_groups():
        quota = _word(folder / "cpu.max") or _word(folder / "cpu/cpu.cfs_quota_us")
        period = _word(folder / "cpu.max", 1) or _word(folder / "cpu/cpu.cfs_period_us")
        if quota.isdecimal() and period.isdecimal() and int(period):
            limits.append(int(quota) / int(period))
    return min(limits, default=None)


def check_memory() -> CheckResult:
    """Tell how much memory is free, for this process and its control group."""
    address = resource.getrlimit(resource.RLIMIT_AS)[0]
    if address != resource.RLIM_INFINITY and address < LEAST_ADDRESS:
        return wrong("memory", f"each process may address {_size(address)}; a job takes {_size(LEAST_ADDRESS)}",
                     "raise the limit: ulimit -v unlimited",
                     )  # fmt: skip
    free, said = _available(), ""
    for folder in _own_groups():
        most = _word(folder / "memory.max") or _word(folder / "memory/memory.limit_in_bytes")
        used = _word(folder / "memory.current") or _word(folder / "memory/memory.usage_in_bytes")
        if most.isdecimal() and used.isdecimal() and (free is None or int(most) - int(used) < free):
            free, said = max(0, int(most) - int(used)), " in its control group"
    if free is None:
        return warning("memory", "this system does not tell how much is free", "run with few workers: --workers 1")
    found = f"{_size(free)} free{said}"
    workers = len(os.sched_getaffinity(0))
    if free < LEAST_MEMORY:
        return wrong(
            "memory", f"{found}; a worker takes {_size(MEMORY_EACH)}", "end other programs, or raise the limit"
        )
    if free < workers * MEMORY_EACH:
        few = max(1, free // MEMORY_EACH)
        return warning("memory", f"{found}; {workers} workers take {_size(workers * MEMORY_EACH)}", f"--workers {few}")
    return fine("memory", found)


def check_disk(name: str, folder: Path) -> CheckResult:
    """Tell how much space is free where `folder` is, or will be."""
    place = existing(folder)
    free = shutil.disk_usage(place).free
    found = f"{_size(free)} free at {place}"
    files = os.statvfs(place)
    if files.f_files and files.f_favail < LEAST_FILES:  # some file systems have no limit, and tell 0
        return wrong(name, f"{found}, but room for {files.f_favail} more files only (df -i)",
                     "remove files that nobody needs, or name a folder on another disk (--home, TMPDIR)",
                     )  # fmt: skip
    if free < LEAST_DISK:
        return wrong(name, found, "free some space, or name a folder on another disk (--home, TMPDIR)")
    if free < ENOUGH_DISK:
        return warning(
            name, f"{found}; a million pictures take about a gigabyte", "free some space before large datasets"
        )
    return fine(name, found)


def check_temporary() -> CheckResult:
    """Write into the folder of temporary files."""
    name = "temporary folder"
    try:
        folder = Path(tempfile.gettempdir())
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(1 << 16))
            file.flush()
    except OSError as error:
        return wrong(name, f"nothing can be written there ({error})", "export TMPDIR=FOLDER that you may write to")
    return check_disk(name, folder)


def check_clock() -> CheckResult:
    """Compare the clock with the age of this version, and with the clock of the disk of temporary files."""
    now = time.time()
    said = time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(now))
    if now < BUILT:
        return wrong(
            "clock", f"{said}, before this version was made; certificates fail", "set the clock of the machine"
        )
    with tempfile.TemporaryFile() as file:
        ahead = os.fstat(file.fileno()).st_mtime - time.time()
    if abs(ahead) > SKEW:
        return warning(
            "clock", f"{said}, but new files are dated {ahead:+.0f} s away",
            f"set both clocks, or give solve --settle {abs(ahead) + 1:.0f}",
        )  # fmt: skip
    return fine("clock", said)


def check_limits() -> CheckResult:
    """Try the limits of open files and of their size as a job does."""
    from flows.environment import require_files

    require_files()
    return fine("limits", "enough open files, and files may be large enough")


def check_ports(ours: Callable[[], bool]) -> CheckResult:
    """Open a port of this machine, and see whether the port of `captchas up` is free or ours."""
    try:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
    except OSError as error:
        return wrong("ports", f"no port of 127.0.0.1 can be opened ({error})", "bring the loopback interface up")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", UP_PORT))
        except OSError:
            if not ours():
                return warning("ports", f"{UP_PORT} is taken by another program", "captchas up --port 0")
            return fine("ports", f"{UP_PORT} is that of `captchas up` on this home")
    return fine("ports", f"{UP_PORT} is free for `captchas up`")


def existing(folder: Path) -> Path:
    """Return the folder, or else the nearest folder above it that is there."""
    absolute = Path(os.path.abspath(folder))  # noqa: PTH100 - resolve() asks each part, of which some may be unreadable
    return next((path for path in (absolute, *absolute.parents) if path.is_dir()), Path("/"))


def _own_groups() -> list[Path]:
    """Return the folders of this process's control group and of those above it, as far as they can be seen."""
    lines = (
        Path("/proc/self/cgroup").read_text("utf-8", "replace").splitlines()
        if Path("/proc/self/cgroup").exists()
        else []
    )
    own = next((line.removeprefix("0::").strip("/") for line in lines if line.startswith("0::")), "")
    inner = [CGROUP / own, *(CGROUP / own).parents]
    return [folder for folder in inner if folder.is_relative_to(CGROUP) and folder.is_dir()]


def _word(path: Path, number: int = 0) -> str:
    """Return a word of a small file of the kernel's; empty if it is not there."""
    try:
        words = path.read_text("utf-8", "replace").split()
    except OSError:
        return ""
    return words[number] if number < len(words) else ""


def _available() -> int | None:
    try:
        lines = dict(
            line.split(":", 1) for line in MEMORY_INFORMATION.read_text("utf-8", "replace").splitlines() if ":" in line
        )
        return int(lines["MemAvailable"].split()[0]) << 10
    except (OSError, KeyError, ValueError, IndexError):
        return None


def _size(count: int) -> str:
    """Write bytes as people do: `1.5 GB`."""
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.0f} MB"
