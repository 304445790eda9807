#!/usr/bin/env python3
"""Times one training iteration of every model: the trainer's `serve`, beside any peers that speak its protocol.

    tests/bench/iterations.py --ganc build/release/bin/ganc [--models dcgan28,vae] [--rounds 5] [--threads 2]
        [--peer "torch=python3 torch_gan.py serve --model {model} --threads {threads}"]

All sides of a model run in turns, a round each, so that a change of the machine's speed meets all of them. A line of the
table: model, milliseconds (median over all iterations of all rounds), peak memory, seconds from start to the first
answer; a ratio above 1 says how many times faster ours is.
"""
import argparse
import json
import os
import pathlib
import shlex
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Side:
    """A process that answers `run K`."""

    def __init__(self, name, command):
        self.name, self.ms = name, []
        start = time.monotonic()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ready = json.loads(self.process.stdout.readline())
        if not self.ready.get("ready"):
            raise RuntimeError(f"{name}: {self.ready}")
        self.startup = self.ready.get("startup_s", time.monotonic() - start)

    def run(self, count, keep=True):
        self.process.stdin.write(f"run {count}\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "ms" not in answer:
            raise RuntimeError(f"{self.name}: {answer}")
        if keep:
            self.ms += answer["ms"]
        return sum(answer["ms"])

    def peak_mb(self):
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1000
        return float("nan")

    def end(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)


def bench_model(model, args, folder):
    trainer = folder / model
    start = time.monotonic()
    subprocess.run([args.ganc, "build", ROOT / "models" / f"{model}.gan", "-o", trainer], check=True,
                   stderr=subprocess.DEVNULL)
    build = time.monotonic() - start
    commands = {"ganc": [str(trainer), "serve", "--threads", str(args.threads)]}
    for peer in args.peer:
        name, _, command = peer.partition("=")
        commands[name] = shlex.split(command.format(model=model, threads=args.threads))
    sides = [Side(name, command) for name, command in commands.items()]
    # A round is about a second of the slowest side, at least one iteration.
    count = max(1, int(1000 / max(side.run(1, keep=False) for side in sides)))
    for _ in range(args.rounds):
        for side in sides:
            side.run(count)
    ours = statistics.median(sides[0].ms)
    for side in sides:
        median = statistics.median(side.ms)
        ratio = "" if side is sides[0] else f"{median / ours:8.2f}"
        print(f"{model:14}{side.name:10}{median:11.2f} ms{side.peak_mb():9.0f} MB{side.startup:8.2f} s"
              f"{build if side is sides[0] else 0:8.2f} s{ratio}", flush=True)
    for side in sides:
        side.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ganc", default=str(ROOT / "build/release/bin/ganc"))
    parser.add_argument("--models", default="")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND")
    args = parser.parse_args()
    models = args.models.split(",") if args.models else sorted(p.stem for p in (ROOT / "models").glob("*.gan"))
    print(f"{'model':14}{'side':10}{'iteration':>14}{'peak':>12}{'start':>10}{'build':>10}{'ratio':>8}")
    with tempfile.TemporaryDirectory(prefix="ganc-bench-") as folder:
        for model in models:
            try:
                bench_model(model, args, pathlib.Path(folder))
            except (RuntimeError, subprocess.CalledProcessError, json.JSONDecodeError) as error:
                print(f"{model:14}failed: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
