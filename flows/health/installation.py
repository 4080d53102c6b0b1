"""Checks of what the packages bring with them: fonts, models, compiled kernels, deployments."""

import os
import subprocess
import sys

from flows.health.check_results import CheckResult, fine, reinstall, root, warning, wrong

WARM = f"{sys.executable or 'python3'} -m tasks.warm"
RUNNING = 60.0  # seconds that a process may take to run two kernels


def check_fonts() -> CheckResult:
    """Read every bundled font and compare it with its digest."""
    from tasks.profiles.fonts import bundled

    return fine("fonts", f"{len(bundled())} faces, each as its digest says")


def check_models() -> CheckResult:
    """Load the shipped models as a reader does."""
    from storage.deep_models import load_deep_model
    from storage.models import load_model
    from tasks.shipped import SHIPPED, STRANGERS

    for file, load in ((SHIPPED, load_model), (STRANGERS, load_deep_model)):
        if not file.is_file():
            return wrong("models", f"{file.name} is missing in {file.parent}", reinstall())
        try:
            load(file)
        except (OSError, ValueError) as error:
            return wrong("models", f"{file.name} cannot be read ({error})", reinstall())
    return fine("models", f"{SHIPPED.name} and {STRANGERS.name} can be read")


def check_kernels() -> CheckResult:
    """Tell whether the kernels are compiled; if so, run two of them on this processor."""
    from tasks.compiled import kernels_missing

    if kernels_missing(every=True):
        return warning("kernels", "not compiled; the first command does it, which takes a minute or more", WARM)
    # In a process of its own, which instructions that this processor lacks would end.
    line = "from tasks.compiled import kernels_work; print(kernels_work())"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", line], capture_output=True, text=True, errors="replace", check=False,
            timeout=RUNNING, env=environment,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return warning("kernels", f"they did not run within {RUNNING:g} s; some may have to be compiled", WARM)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"Python ended with code {done.returncode}"])[-1]
        return wrong("kernels", f"they cannot run here ({last})", WARM)
    if done.stdout.strip() != "True":
        return wrong("kernels", "bytes that were compressed do not come back", reinstall())
    return fine("kernels", "compiled, and they run on this processor")


def check_deployments() -> CheckResult:
    """Look for the file that `captchas up` deploys."""
    file = root() / "flows" / "deployment" / "prefect.yaml"
    if not file.is_file():
        return wrong("deployments", f"{file} is missing", reinstall())
    return fine("deployments", str(file))
