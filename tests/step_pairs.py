#!/usr/bin/env python3
"""Compares the training speed of two builds in pairs: a run of each, in turn, on the same cores.

Prints, per number of ranks, the median of NEW's time per step divided by OLD's, and an interval
that has the true median in at least 95 of 100 such measurements (order statistics of the pairs).
For a machine that does nothing else. `uptime` should show a load below 0.5 before the start.

usage: tests/step_pairs.py OLD NEW [--pairs N] [--ranks 1,2,4] [--recipe step4] [--mpirun FILE]
OLD and NEW are programs, for example old/build/mnist-dist and build/mnist-dist. More ranks than
cores share cores. 12 pairs of step 4 take about 3 minutes on 2 cores.
"""

import argparse
import csv
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile


def options():
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=pathlib.Path)
    parser.add_argument("new", type=pathlib.Path)
    parser.add_argument("--pairs", type=int, default=12, help="at least 6")
    parser.add_argument("--ranks", default="1,2,4")
    parser.add_argument("--recipe", default="step4")
    parser.add_argument("--mpirun", default="mpirun")
    parser.add_argument("--rows", type=int, default=8000, help="training rows per epoch")
    chosen = parser.parse_args()
    if chosen.pairs < 6:
        parser.error("--pairs: 5 pairs have no interval of 95 % (expected at least 6)")
    return chosen


def cores_of(ranks, cores):
    """The same cores for both programs: one per rank, or all of them."""
    return cores[:ranks] if ranks <= len(cores) else cores


def seconds_per_image(program, ranks, chosen, folder):
    """Training alone, the median of all epochs but the first one."""
    run = pathlib.Path(tempfile.mkdtemp(dir=folder)) / "run"
    cores = cores_of(ranks, sorted(os.sched_getaffinity(0)))
    command = ["taskset", "-c", ",".join(map(str, cores)), chosen.mpirun, "-np", str(ranks),
               "--oversubscribe", "--bind-to", "core" if ranks <= len(cores) else "none",
               str(program.resolve()), "--config", chosen.recipe, "--threads", "1",
               "--set", f"data.file={folder / 'digits.h5'}",
               "--set", f"data.split=[{chosen.rows},500]", "--set", "train.epochs=4",
               "--run-dir", str(run)]
    environment = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1",
                   "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True)
    if ended.returncode != 0:
        sys.exit(f"{program}: exit code {ended.returncode}\n{ended.stdout}{ended.stderr}")
    with open(run / "metrics.csv", newline="") as table:
        rates = [float(row["images_per_second"]) for row in csv.DictReader(table)]
    return 1 / statistics.median(rates[1:])


def interval(values):
    """The innermost pair of order statistics around the median with 95 % or more."""
    count, ordered = len(values), sorted(values)
    outside, low = 0.0, 0
    while True:
        outside += 2 * math.comb(count, low) / 2**count
        if outside > 0.05:
            return ordered[low - 1], ordered[count - low]
        low += 1


def main():
    chosen = options()
    print(f"load at the start: {os.getloadavg()[0]:.2f}")
    print("ranks  new/old  lowest  highest  pairs")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run([chosen.new.resolve(), "prepare", "--synthetic", "--count",
                        str(chosen.rows + 2000), "--out", folder / "digits.h5"],
                       check=True, capture_output=True)
        for ranks in map(int, chosen.ranks.split(",")):
            ratios = []
            for pair in range(chosen.pairs):
                times = {}
                for which in ["old", "new"] if pair % 2 == 0 else ["new", "old"]:
                    program = getattr(chosen, which)
                    times[which] = seconds_per_image(program, ranks, chosen, folder)
                ratios.append(times["new"] / times["old"])
            low, high = interval(ratios)
            print(f"{ranks:5}  {statistics.median(ratios):7.3f}  {low:6.3f}  {high:7.3f}  "
                  f"{len(ratios):5}", flush=True)


if __name__ == "__main__":
    main()
