"""`captchas doctor`: what is wrong with this installation, and the command that mends it.

It has to work where nothing else does, so only the standard library is imported before a check runs.
"""

import sys
from collections.abc import Mapping, Sequence
from functools import partial

from flows.health import installation, machine, packages, servers
from flows.health.check_results import CheckResult, State, run_checks
from flows.parameters import Name

SLOW = servers.STARTING + 20  # seconds
PATIENT = servers.IMPORTING + 20  # seconds that imports may take on a busy machine


def doctor(*, start: bool = False, cluster: Name | None = None) -> dict[str, object]:
    """Look for what is wrong with this installation, and say which command mends it.

    The exit code is 1 if something is wrong; a warning does not change it.

    Parameters
    ----------
    start
        Also draw a few pictures with all that a command starts, Prefect's server and Dask's workers: some 10 s.
    cluster
        Address of a Dask scheduler that you mean to use, such as tcp://host:8786.

    Raises
    ------
    CaptchasError
        Something is wrong.
    """
    from storage.errors import CaptchasError

    report = examine(start=start, cluster=cluster)
    if ailing := ailments(report):
        error = CaptchasError(ailing)
        error.report = report
        raise error
    return report


def examine(*, start: bool = False, cluster: str | None = None) -> dict[str, object]:
    """Run all checks; return the report, which `show` prints."""
    importing = packages.start_imports()
    try:
        results = run_checks(
            {
                "python": packages.check_python,
                "packages": packages.check_versions,
                "names": packages.check_names,
                "extras": packages.check_extras,
                "fonts": installation.check_fonts,
                "models": installation.check_models,
                "deployments": installation.check_deployments,
                "cores": machine.check_cores,
                "memory": machine.check_memory,
                "disk": _home_disk,
                "temporary folder": machine.check_temporary,
                "clock": machine.check_clock,
                "limits": machine.check_limits,
                "ports": partial(machine.check_ports, _is_up),
                "home": servers.check_home,
                "database": servers.check_database,
                "prefect": servers.check_prefect,
                "dask": partial(servers.check_cluster, cluster),
                "object store": servers.check_store,
            }
        )
        results += run_checks(
            {
                "kernels": installation.check_kernels,
                "settings": servers.check_settings,
                "imports": partial(packages.check_imports, importing),
            },
            PATIENT,
        )
    finally:
        if not isinstance(importing, Exception):
            importing.kill()
            with importing:  # waits, and closes the pipe
                pass
    if start:
        results += run_checks({"start": partial(servers.check_start, cluster)}, SLOW)
    return _report(results)


def ailments(report: Mapping[str, object]) -> str:
    """Return a sentence about what is wrong; empty if nothing is."""
    return f"wrong: {', '.join(names)}; see the lines above" if (names := _wrong(report)) else ""


def say_plainly(arguments: Sequence[str]) -> int:
    """Run the command where the packages that read command lines are missing or broken; return the exit code."""
    import json
    import os

    words = list(arguments)
    for number, word in enumerate(words):
        name, joined, value = word.partition("=")
        if name == "--home":
            os.environ["CAPTCHAS_HOME"] = value if joined else "".join(words[number + 1 : number + 2])
    report = examine()
    if "--json" in words:
        sys.stdout.write(json.dumps({key: value for key, value in report.items() if key != "shown"}, indent=1) + "\n")
    else:
        shown = report["shown"]
        lines = shown.items() if isinstance(shown, dict) else ()
        sys.stdout.writelines(_printable(f"{key}: {value}") + "\n" for key, value in lines if value is not None)
    if ailing := ailments(report):
        sys.stderr.write(f"captchas: {ailing}\n")
    return int(bool(ailing))


def _report(results: list[CheckResult]) -> dict[str, object]:
    counts = {state: sum(result.state is state for result in results) for state in State}
    return {
        "well": not counts[State.WRONG],
        "wrong": counts[State.WRONG],
        "warnings": counts[State.WARNING],
        "checks": [
            {"check": one.check, "state": one.state.value, "found": one.found, "remedy": one.remedy} for one in results
        ],
        "shown": {
            "well": None,
            "wrong": None,
            "warnings": None,
            "checks": None,
            **{result.check: result.told() for result in results},
        },
    }


def _printable(text: str) -> str:
    """Return a text as any terminal can show it: `storage.texts` may be what is broken."""
    return "".join(letter if letter.isprintable() and letter.isascii() else ascii(letter)[1:-1] for letter in text)


def _wrong(report: Mapping[str, object]) -> list[str]:
    rows = report["checks"]
    return [row["check"] for row in rows if row["state"] == State.WRONG] if isinstance(rows, list) else []


def _home_disk() -> CheckResult:
    from flows.home import home

    return machine.check_disk("disk", home())


def _is_up() -> bool:
    from flows.home import served

    return served() is not None


if __name__ == "__main__":  # `python -m flows.doctor`
    from beating_captchas import main as begin

    sys.argv.insert(1, "doctor")
    begin()
