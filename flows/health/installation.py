"""Checks of what the packages bring with them: fonts, models, compiled kernels, deployments."""

from flows.health.check_results import CheckResult, fine, is_clone, reinstall, root, warning, wrong


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
    from flows.service.starting import compiling
    from tasks.compiled import kernels_missing

    if kernels_missing(every=True):
        (python, *words), paths = compiling()
        command = "make setup" if is_clone() else f"PYTHONPATH={paths['PYTHONPATH']} {python} {' '.join(words)}"
        return warning("kernels", "not compiled; the first command does it, which takes a minute or more", command)
    from tasks.compiled import kernels_work

    if not kernels_work():
        return wrong("kernels", "bytes that were compressed do not come back", reinstall())
    return fine("kernels", "compiled, and they run on this processor")


def check_deployments() -> CheckResult:
    """Look for the file that `captchas up` deploys."""
    file = root() / "flows" / "deployment" / "prefect.yaml"
    if not file.is_file():
        return wrong("deployments", f"{file} is missing", reinstall())
    return fine("deployments", str(file))
