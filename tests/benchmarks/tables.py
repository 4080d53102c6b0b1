"""Tables of results: name, n, rate on so many processes, and the ratio to a reference, core for core."""

import time
from collections.abc import Callable

SEED = 1


def best(work: Callable, rounds: int = 3) -> float:
    """Return the seconds of the fastest of some rounds."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


class Table:
    """Lines of results, printed as they come."""

    def __init__(self):
        self.lines = []

    def add(self, what: str, n: int, rate: float, processes: int = 1, reference: float | None = None) -> None:
        """Add a result; `reference` is a rate of one process, None for the reference itself, 0 without a reference."""
        ratio = rate / processes / reference if reference else reference
        self.lines.append({"what": what, "n": n, "per_second": rate, "processes": processes, "ratio": ratio})
        print(f"{what:<62} n = {n:>10,} {rate:>12,.0f}/s on {processes} {_times(ratio):>11}", flush=True)

    def markdown(self) -> str:
        """Return all lines as a table."""
        rows = ["| what | n | a second | processes | times the reference, core for core |", "|---|---|---|---|---|"]
        for line in self.lines:
            if "unit" in line:
                rows.append(
                    f"| {line['what']} | | {line['value']:,.1f} {line['unit']} | | {_times(line.get('ratio', 0))} |"
                )
            else:
                rows.append(
                    f"| {line['what']} | {line['n']:,} | {line['per_second']:,.0f} | {line['processes']} "
                    f"| {_times(line['ratio'])} |"
                )
        return "\n".join(rows) + "\n"

    def note(self, what: str, value: float, unit: str, reference: float | None = 0) -> None:
        """Add a figure that is not a rate: memory, seconds; `reference` as in `add`, in the same unit."""
        ratio = value / reference if reference else reference
        self.lines.append({"what": what, "value": value, "unit": unit, "ratio": ratio})
        print(f"{what:<62}     {'':>10} {value:>12,.1f} {unit} {_times(ratio):>14}", flush=True)


def _times(ratio: float | None) -> str:
    return "reference" if ratio is None else f"{ratio:.1f}" if ratio else ""
