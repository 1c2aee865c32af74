"""``python -m benches.peers``: run the comparison and print it."""

from __future__ import annotations

import argparse
import fnmatch
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .datasets import dataset
from .exchange import write_frame
from .measure import Plan, Timing, measure
from .models import ALL_PEERS, MODELS, Model
from .peer import Peer, PeerError
from .report import as_json, rows, table


def main(argv: Sequence[str] | None = None) -> int:
    """Run the comparison; the exit code is 0 also when peers are missing."""
    options = _parse(argv)
    chosen = [
        model
        for model in MODELS
        if any(fnmatch.fnmatchcase(model.name, pattern) for pattern in options.models)
        and (options.large or not model.large)
    ]
    if not chosen:
        print(
            f"no model matches {' '.join(options.models)}; see --list (large ones need --large)",
            file=sys.stderr,
        )
        return 2
    if options.list:
        for model in chosen:
            print(f"{model.name:<20} {model.dataset:<15} {model.criterion:<20} {model.formula}")
        return 0
    names = [name for name in options.peers if not (options.only_peers and name == "ours")]
    baseline = "lme4" if options.only_peers else "ours"
    peers = [Peer(name, _command(name, options), options.timeout) for name in names]
    try:
        present = _start(peers, quiet=options.json)
        results = _run(chosen, present, baseline, options)
        if options.json:
            versions = {peer.name: peer.version or "missing" for peer in peers}
            print(as_json(results, versions, baseline))
    finally:
        for peer in peers:
            peer.stop()
    return 0


def _run(models: Sequence[Model], peers: Sequence[Peer], baseline: str, options: Any) -> list[dict[str, Any]]:
    plan = Plan(options.repeats, options.burst, options.budget)
    results: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="mixedmodels-peers-") as directory:
        for model in models:
            able = [peer for peer in peers if _takes_part(peer.name, model, options.slow)]
            stem = Path(directory) / model.dataset
            if able and not stem.with_name(stem.name + ".schema").exists():
                write_frame(dataset(model.dataset), stem)
            timings: list[Timing] = measure(model, able, stem, plan)
            model_rows = rows(timings, baseline)
            results += model_rows
            if not options.json:
                print(table(model, model_rows), flush=True)
    return results


def _takes_part(peer: str, model: Model, slow: bool) -> bool:
    return peer in model.peers and (slow or peer not in model.slow_peers)


def _start(peers: Sequence[Peer], quiet: bool) -> list[Peer]:
    present = []
    for peer in peers:
        try:
            peer.start()
            present.append(peer)
            message = peer.version
        except PeerError as error:
            message = f"missing: {error}"
        if not quiet:
            print(f"{peer.name:<12} {message}")
    if not quiet:
        print(flush=True)
    return present


def _command(name: str, options: Any) -> list[str]:
    if name == "lme4":
        return [options.rscript, "--vanilla", str(Path(__file__).parent / "runners" / "lme4.R")]
    python = sys.executable if name == "ours" else options.peer_python
    return [python, "-m", "benches.peers.worker", name]


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benches.peers", description=__doc__)
    parser.add_argument(
        "models", nargs="*", default=["*"], help="names or patterns; default all that are not large"
    )
    parser.add_argument("--list", action="store_true", help="list the models and stop")
    parser.add_argument("--peers", nargs="+", choices=ALL_PEERS, default=list(ALL_PEERS), help="default all")
    parser.add_argument(
        "--only-peers", action="store_true", help="leave this package out; ratios refer to lme4"
    )
    parser.add_argument("--large", action="store_true", help="also the models that take minutes")
    parser.add_argument("--slow", action="store_true", help="also the peers that take minutes on a model")
    parser.add_argument("--repeats", type=int, default=5, help="turns of each peer after the warm-up (5)")
    parser.add_argument(
        "--burst", type=float, default=0.05, help="seconds of fits in a turn, one fit at least (0.05)"
    )
    parser.add_argument("--budget", type=float, default=30.0, help="seconds a peer may spend on a model (30)")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds until a peer is given up (300)")
    parser.add_argument("--peer-python", default=sys.executable, help="interpreter that has the Python peers")
    parser.add_argument("--rscript", default=shutil.which("Rscript") or "Rscript", help="R's Rscript")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
