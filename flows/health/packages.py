"""Checks of Python and the installed packages: versions, imports, and foreign packages that bear our names."""

import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata

from flows.health.check_results import DISTRIBUTION, CheckResult, fine, is_clone, pip, reinstall, root, warning, wrong

# What is imported of each required package. A test compares the table with pyproject.toml.
MODULES = {
    "prefect": "prefect", "fastapi": "fastapi", "sqlalchemy": "sqlalchemy", "dask": "distributed",
    "cryptography": "cryptography.x509", "cyclopts": "cyclopts", "rich": "rich.console", "packaging": "packaging",
    "numpy": "numpy", "pillow": "PIL.ImageFont", "fonttools": "fontTools.ttLib", "english-words": "english_words",
    "scikit-image": "skimage.measure", "scikit-learn": "sklearn.neural_network", "scipy": "scipy.optimize",
    "threadpoolctl": "threadpoolctl", "numba": "numba", "rapidfuzz": "rapidfuzz", "matplotlib": "matplotlib.figure",
    "pyyaml": "yaml", "onnxruntime": "onnxruntime", "h5py": "h5py", "isal": "isal", "zlib-ng": "zlib_ng",
    "blake3": "blake3", "onnx": "onnx", "skops": "skops", "filelock": "filelock", "fsspec": "fsspec",
}  # fmt: skip
EXTRAS = {  # what each extra is for
    "deep": "captchas train --reader deep", "export": "--format parquet", "s3": "s3:// URLs",
}  # fmt: skip
BACKEND = "MPLBACKEND"  # of matplotlib's windows, which nothing here opens
LEAST_PYTHON = (3, 11)
_IMPORTING = """
import sys, warnings
warnings.simplefilter("ignore")
for name in sys.argv[1:]:
    print(">", name, flush=True)
    try:
        __import__(name)
    except BaseException as error:
        print("!", type(error).__name__ + ": " + " ".join(str(error).split()), flush=True)
"""


def check_python() -> CheckResult:
    """Compare the version of Python with the oldest that works."""
    said = f"{sys.version.split()[0]} at {sys.executable}"
    if sys.version_info < LEAST_PYTHON:
        return wrong("python", f"{said}; 3.11 or newer is needed", "make a new environment: python3.11 -m venv .venv")
    encoding = sys.getfilesystemencoding().lower()
    if encoding != "utf-8":
        return warning("python", f"{said}, which takes names of files for {encoding}", "export PYTHONUTF8=1")
    return fine("python", said)


def check_versions() -> CheckResult:
    """Compare the installed packages with what this project requires, and in a clone with what it is tested with."""
    required = _requirements("")
    missing = [text for name, text in required.items() if _version(name) is None]
    unfit = [text for name, text in required.items() if (found := _version(name)) and not _fits(text, found)]
    if missing or unfit:
        told = [f"{name} is missing" for name in map(_name, missing)]
        told += [f"{_name(text)} is {_version(_name(text))}, must be {_rule(text)}" for text in unfit]
        return wrong("packages", "; ".join(told), reinstall([_plain(text) for text in (*missing, *unfit)]))
    pins = root() / "constraints.txt"
    tested = (
        dict(line.split("==") for line in pins.read_text("utf-8").splitlines() if "==" in line) if is_clone() else {}
    )
    installed = {name: (_version(name) or "").partition("+")[0] for name in tested}  # a build may have a label
    others = [f"{name} {found}" for name, found in installed.items() if found not in ("", tested[name])]
    if others:
        named = ", ".join(others[:3]) + (f" and {len(others) - 3} more" if len(others) > 3 else "")
        return warning(
            "packages", f"{len(required)} as required; not as tested: {named}", f"{pip()} -c {pins} -e '{root()}[test]'"
        )
    return fine("packages", f"{DISTRIBUTION} {_version(DISTRIBUTION)}; {len(required)} packages as required")


def start_imports() -> "subprocess.Popen[str] | Exception":
    """Start to import each installed package in a process of its own, which a broken package may end.

    Where no process can be started, return why: `check_imports` tells it, and the other checks go on.
    """
    try:
        installed = [module for name, module in MODULES.items() if _version(name) is not None]
        command = [sys.executable, "-P", "-c", _IMPORTING, *installed]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    except Exception as error:  # noqa: BLE001 - limits, rights, damaged packages: each is for the report
        return error


def check_imports(importing: "subprocess.Popen[str] | Exception") -> CheckResult:
    """Wait for the process that imports, and tell which package could not be."""
    if isinstance(importing, OSError):
        return wrong("imports", f"no other process of {sys.executable} can be started ({importing.strerror})",
                     f"see whether it may be run, and how many processes you may have: ulimit -u; {pip()} --version",
                     )  # fmt: skip
    if isinstance(importing, Exception):
        raise importing
    printed, _ = importing.communicate()
    broken: dict[str, str] = {}
    last, tried = "", 0
    for line in printed.splitlines():
        mark, _, said = line.partition(" ")
        if mark == ">":
            last, tried = said, tried + 1
        elif mark == "!":
            broken[last] = said
    if importing.returncode:
        broken[last] = f"ends Python with code {importing.returncode}"
    if not broken:
        return fine("imports", f"all {tried} packages that are installed")
    if set(broken) == {"matplotlib.figure"} and BACKEND in os.environ and "backend" in broken["matplotlib.figure"]:
        return wrong("imports", f"{BACKEND} is {os.environ[BACKEND]!r}, which matplotlib refuses", f"unset {BACKEND}")
    if "distributed" in broken:
        from flows.environment import require_processes

        require_processes()
    names = [name for name, module in MODULES.items() if module in broken]
    told = "; ".join(f"{module}: {said}" for module, said in broken.items())
    return wrong("imports", told, f"{pip()} --force-reinstall {' '.join(names)}")


def check_names() -> CheckResult:
    """Look for other packages with the names of ours, beside them or in their place."""
    from beating_captchas import OWN, clash

    if said := clash():
        return wrong("names", *said)
    claimed = [
        f"{distribution.metadata['Name']} ({file})"
        for distribution in metadata.distributions()
        if _canonical(distribution.metadata["Name"] or "") != DISTRIBUTION
        for file in _installed(distribution, [f"{name}/__init__.py" for name in OWN])
    ]
    if claimed:
        return wrong(
            "names", f"other packages install files over ours: {', '.join(sorted(claimed))}",
            f"take an environment of its own: python3 -m venv FOLDER; FOLDER/bin/pip install {DISTRIBUTION}",
        )  # fmt: skip
    return fine("names", f"{', '.join(OWN)} are ours")


def _installed(distribution: metadata.Distribution, wanted: list[str]) -> list[str]:
    """Return those of some files that a package has installed.

    Its record is searched as text: an object for each of the 60,000 files of all packages takes seconds.
    """
    record = distribution.read_text("RECORD")
    if record is None:
        return [file for file in wanted if file in {str(part) for part in distribution.files or ()}]
    return [file for file in wanted if f"\n{file}," in f"\n{record}"]


def check_extras() -> CheckResult:
    """Tell which extras are installed, and what the others are for; none has to be."""
    there: list[str] = []
    told: list[str] = []
    for extra, purpose in EXTRAS.items():
        lacking = [text for name, text in _requirements(extra).items() if _version(name) is None]
        (told if lacking else there).append(f"{extra} ({purpose})" if lacking else extra)
    said = f"{', '.join(there) or 'none'} installed"
    return fine("extras", f"{said}; not installed: {', '.join(told)}" if told else said)


def _requirements(extra: str) -> dict[str, str]:
    """Return the requirements of this project by package, or those of an extra."""
    from packaging.requirements import Requirement

    if is_clone():  # what is installed may tell of an earlier version
        project = tomllib.loads((root() / "pyproject.toml").read_text("utf-8"))["project"]
        texts = project["optional-dependencies"].get(extra, ()) if extra else project["dependencies"]
        return {_canonical(Requirement(text).name): text for text in texts}
    parsed = [(text, Requirement(text)) for text in metadata.requires(DISTRIBUTION) or ()]
    return {
        _canonical(one.name): text
        for text, one in parsed
        if (one.marker is None and not extra) or (extra and one.marker and one.marker.evaluate({"extra": extra}))
    }


def _fits(text: str, version: str) -> bool:
    from packaging.requirements import Requirement

    return Requirement(text).specifier.contains(version, prereleases=True)


def _rule(text: str) -> str:
    from packaging.requirements import Requirement

    return str(Requirement(text).specifier)


def _plain(text: str) -> str:
    """Return a requirement without its marker."""
    return text.partition(";")[0].strip()


def _name(text: str) -> str:
    return _canonical(re.split(r"[^\w.-]", text, maxsplit=1)[0])


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
