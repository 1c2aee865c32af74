"""``python -m benches.instructions``: count, and write ``counts.csv`` or compare with it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence

from .count import Counts, ToolError, build_driver, count, structures
from .table import TABLE, read_table, show, write_table


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code is 1 when a count has drifted further than allowed, 2 when nothing could be counted."""
    options = _parse(argv)
    known = read_table() if options.check else {}
    counted: dict[str, Counts] = {}
    try:
        driver = build_driver()
        for structure in structures(driver):
            counted[structure] = count(driver, structure)
            print(show(structure, counted[structure], known.get(structure)), flush=True)
    except ToolError as error:
        print(error, file=sys.stderr)
        return 2
    if options.check:
        return int(_drifted(counted, known, options.allow))
    write_table(counted)
    return 0


def _drifted(counted: Mapping[str, Counts], known: Mapping[str, Counts], percent: float) -> bool:
    if counted.keys() != known.keys():
        print(f"{TABLE.name} is about other structures; run without --check", file=sys.stderr)
        return True
    return any(abs(drift) > percent for name in counted for drift in counted[name].drift(known[name]))


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benches.instructions", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with counts.csv instead of writing it")
    parser.add_argument(
        "--allow", type=float, default=2.0, help="drift in percent that --check lets pass (2)"
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
