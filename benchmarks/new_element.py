"""Another element from few structures: W into potentials of Mo, Nb and Ta, six ways, and without any structure.

    GEOEMBED_DATA=FOLDER python benchmarks/new_element.py --work FOLDER [--peers PYTHON] [--arms copy row_lora …]
        [--frames 25 100] [--seeds 3] [--seconds 60] [--rate RATE] [--rows row_lora:25:0 copy:100:0 …]
        [--only before zero-shot geoembed mace-torch untouched] [--until HH:MM] [--quick] [--again]

Two potentials of one architecture, with a table of weights for each element and with element vectors, are trained
once on Mo, Nb, Ta and their binaries, and kept in the work folder. A run then adds W from k structures: (a) scratch,
(b) random: a random row of the tables, everything trains, (c) copy: the same with the row of Mo, (d) row: the vector of
W alone, from the properties of the elements, (e) row_lora: the same with a change of low rank of everything else,
(f) replay: (e) with structures of the training before. Each run has as many CPU seconds for its training, compilation
not counted, the same structures, and the same E0 by least squares. mace-torch does (a) to (c) in a process of its own
from the same weights; PYTHON is an interpreter with geoembed[mace]. Settings: experiments/new_element/config.toml.

Rows are added to benchmarks/results/new_element.jsonl; those that are there are not measured again. No row is begun
after --until. The last line printed is one JSON object: force errors on W_Test, meV/Å.
"""

import argparse
import datetime
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rows import RESULTS, commit, row

HERE = Path(__file__).resolve().parent
FILE = RESULTS / "new_element.jsonl"
PARTS = ("before", "zero-shot", "geoembed", "mace-torch", "untouched")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="where the potentials are kept")
    parser.add_argument("--peers", help="interpreter of an environment with geoembed[mace]")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument(
        "--arms", nargs="+", default=["copy", "row_lora", "row", "random", "scratch", "replay"]
    )
    parser.add_argument("--frames", nargs="+", type=int, default=[25, 100, 10, 50, 5])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--rows", nargs="+", metavar="ARM:FRAMES:SEED", help="these rows, in this order")
    parser.add_argument("--seconds", type=float, default=40.0, help="CPU seconds of training of each run")
    parser.add_argument("--rate", type=float, help="another learning rate than that of the configuration")
    parser.add_argument("--until", help="begin no row after this time of day, HH:MM")
    parser.add_argument("--quick", action="store_true", help="two seconds each, one seed, five structures")
    parser.add_argument("--again", action="store_true", help="measure even what is in the results")
    options = parser.parse_args()
    if options.quick:
        options.seconds, options.seeds, options.frames = 2.0, [0], [5]
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:])
    summary = Queue(options).all()
    print(json.dumps(summary))


class Queue:
    """The rows, one after the other.

    Args:
        options: The command line.
    """

    def __init__(self, options: argparse.Namespace):
        import jax
        from new_element_data import CONFIG

        options.work.mkdir(parents=True, exist_ok=True)
        jax.config.update("jax_compilation_cache_dir", str(options.work / "programs"))
        self.options, self.config = options, CONFIG
        parts = {name: value for name, value in CONFIG.items() if name != "rates"}
        self.stamp = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]
        self.summary: dict[str, Any] = {}

    def all(self) -> dict[str, Any]:
        """What was measured or is known."""
        for family in ("vectors", "tables") if "before" in self.options.only else ():
            self.row({"case": "before", "family": family}, lambda f=family: self.before(f))
        if "zero-shot" in self.options.only:
            self.without_training("zero-shot")
        for case in ("geoembed", "mace-torch") if self.options.peers else ("geoembed",):
            if case in self.options.only:
                self.arms(case)
        if "untouched" in self.options.only:
            self.without_training("untouched")
        return self.summary

    def row(self, identity: dict[str, Any], measure: Any) -> None:
        """One row; nothing after the time that was set."""
        known = FILE.exists() and any(
            json.loads(line).items() >= (identity | {"config": self.stamp}).items()
            for line in FILE.read_text().splitlines()
        )
        if self.late() and not known:
            return
        found = row(
            FILE,
            identity | {"config": self.stamp},
            lambda: {"commit": commit(), "load": round(os.getloadavg()[0], 1)} | measure(),
            again=self.options.again,
        )
        name = "/".join(str(value) for value in identity.values())
        self.summary[name] = found.get("errors", {}).get("W_Test", {}).get("forces")
        print(name, self.summary[name], file=sys.stderr, flush=True)

    def late(self) -> bool:
        """Whether no row may be begun any more."""
        until = self.options.until
        return until is not None and datetime.datetime.now().strftime("%H:%M") >= until

    def potential(self, family: str) -> Any:
        from new_element_models import pretrained

        return pretrained(
            family, self.options.work, lambda record: print(record, file=sys.stderr, flush=True)
        )

    def before(self, family: str) -> dict[str, Any]:
        """The training without W."""
        from new_element_arms import errors

        potential = self.potential(family)
        log = self.options.work / f"{family}-run" / "log.jsonl"
        last = json.loads(log.read_text().splitlines()[-1])
        figures = {key: last[key] for key in ("epoch", "step", "score", "energy_rmse", "forces_rmse")}
        return figures | {"errors": errors(potential)}

    def without_training(self, case: str) -> None:
        """W without any structure, and what the addition does to the others."""
        from new_element_arms import ZERO_SHOT, untouched, without_structures

        measure = {"zero-shot": without_structures, "untouched": untouched}[case]
        for name, arm in ZERO_SHOT.items():
            self.row({"case": case, "arm": name}, lambda a=arm: measure(a, self.potential(a.family)))

    def arms(self, case: str) -> None:
        """Every arm with every number of structures."""
        from new_element_arms import ARMS

        options = self.options
        wanted = [(n, k, s) for s in options.seeds for k in options.frames for n in options.arms]
        if options.rows:
            wanted = [(n, int(k), int(s)) for n, k, s in (text.split(":") for text in options.rows)]
        for name, count, seed in wanted:
            if case == "mace-torch" and ARMS[name].letter not in "abc":
                continue
            rate = options.rate or self.config["rates"][name]
            identity = {"case": case, "arm": name, "frames": count, "seed": seed}
            identity |= {"seconds": options.seconds, "rate": rate}
            measure = self.ours if case == "geoembed" else self.theirs
            self.row(identity, lambda m=measure, n=name, k=count, s=seed, r=rate: m(n, k, s, r))

    def ours(self, name: str, count: int, seed: int, rate: float) -> dict[str, Any]:
        from new_element_arms import ARMS, run

        return run(ARMS[name], self.potential(ARMS[name].family), count, seed, self.options.seconds, rate)

    def theirs(self, name: str, count: int, seed: int, rate: float) -> dict[str, Any]:
        """The same weights and structures in mace-torch."""
        from new_element_arms import ARMS
        from new_element_hand_over import hand_over

        with tempfile.TemporaryDirectory() as folder:
            hand_over(Path(folder), ARMS[name], self.potential(ARMS[name].family), count, seed)
            command = [self.options.peers, str(HERE / "new_element_torch.py"), folder]
            done = subprocess.run(
                [*command, str(self.options.seconds), str(rate), str(seed)],
                capture_output=True,
                text=True,
                env=os.environ | {"PYTHONPATH": str(HERE.parent)},
            )
        if done.returncode:
            raise SystemExit(f"mace-torch, {name}:\n{done.stderr[-3000:]}")
        return json.loads(done.stdout.strip().splitlines()[-1])


if __name__ == "__main__":
    main()
