#!/usr/bin/env python3
"""Times one training iteration of every model: the trainer's `serve`, beside any peers that speak its protocol.

    tests/bench/iterations.py --ganc build/release/bin/ganc [--models dcgan28,vae] [--rounds 7] [--threads 2]
        [--precisions fast,exact] [--write docs/performance.md] [--note TEXT]
        [--peer "eager=python3 torch_gan.py serve --model {model} --threads {threads}"]

All sides of a model run in turns, a round each, in an order that turns around every round, so that a change of the
machine's speed meets all of them; the numbers are random and in memory on all sides. Of each side: the median of all
iterations of all rounds, peak memory, seconds from the start of the process to its first answer, and the ratio to ours:
the median over the rounds of the peer's time by that of the first precision in the same round; above 1 ours is faster.
Of ours also the build time, and the share of the machine's limit: multiply-adds of an iteration by the direct way a
second, by those that the cores do in registers: the most that any trainer of the run measured (`info --profile`), for on
a shared machine a single measurement may be far too low. --write puts the table
into the file, between the lines that say so.
"""
import argparse
import datetime
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
        self.name, self.rounds, self.ms = name, [], []
        start = time.monotonic()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ready = json.loads(self.process.stdout.readline())
        if not self.ready.get("ready"):
            raise RuntimeError(f"{name}: {self.ready}")
        self.startup = self.ready.get("startup_s", time.monotonic() - start)
        self.build = self.share = None

    def run(self, count):
        self.process.stdin.write(f"run {count}\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "ms" not in answer:
            raise RuntimeError(f"{self.name}: {answer}")
        return answer["ms"]

    def peak_mb(self):
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1000
        return float("nan")

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()


def processor():
    """The class of docs/cost.md, and the name."""
    text = open("/proc/cpuinfo").read()
    name = next((line.split(":")[1].strip() for line in text.splitlines() if line.startswith("model name")), "?")
    flags = text.split("flags", 1)[1].split("\n", 1)[0].split()
    return "B" if "amx_bf16" in flags else "A" if "avx512f" in flags else "C", name


def build(args, model, precision, folder):
    trainer = folder / f"{model}-{precision}"
    start = time.monotonic()
    subprocess.run([args.ganc, "build", ROOT / "models" / f"{model}.gan", "-o", trainer, "--precision", precision],
                   check=True, stderr=subprocess.DEVNULL)
    return trainer, time.monotonic() - start


def direct_rate(args, model, trainer, ms):
    """What an iteration would multiply and add without minimal filtering, a second; and the limit, as now measured."""
    cost = json.loads(subprocess.run([args.ganc, "explain", "cost", ROOT / "models" / f"{model}.gan", "--precision",
                                      "exact", "--format", "json"], check=True, capture_output=True, text=True).stdout)
    flop = next(p["flop"] for name, p in cost["programs"].items() if name.startswith("train"))
    profile = json.loads(subprocess.run([trainer, "info", "--profile", "--threads", str(args.threads), "--format",
                                         "json"], check=True, capture_output=True, text=True).stdout)
    return flop / (ms * 1e-3), profile["limits"]["flops"]


def bench_model(model, args, folder):
    sides, trainers = [], {}
    for precision in args.precisions:
        trainers[precision], seconds = build(args, model, precision, folder)
        sides.append(Side(precision, [str(trainers[precision]), "serve", "--threads", str(args.threads)]))
        sides[-1].build = seconds
    for peer in args.peer:
        name, _, command = peer.partition("=")
        try:
            sides.append(Side(name, shlex.split(command.format(model=model, threads=args.threads))))
        except (RuntimeError, OSError, json.JSONDecodeError) as error:
            print(f"{model:14}{name}: left out: {error}", file=sys.stderr)
    # A round is about a second of the slowest side, at least one iteration; the first ones warm up.
    count = max(1, int(1000 / max(sum(side.run(1)) for side in sides)))
    for number in range(args.rounds + 1):
        for side in sides if number % 2 else reversed(sides):
            ms = side.run(count)
            if number > 0:
                side.ms += ms
                side.rounds.append(statistics.median(ms))
    rows = []
    for side in sides:
        row = {"model": model, "side": side.name, "ms": statistics.median(side.ms), "peak_mb": side.peak_mb(),
               "start_s": side.startup, "build_s": side.build,
               "ratio": statistics.median(a / b for a, b in zip(side.rounds, sides[0].rounds))}
        rows.append(row)
    for side in sides:
        side.end()
    for row in rows:
        if row["side"] in trainers:
            row["rate"], limit = direct_rate(args, model, trainers[row["side"]], row["ms"])
            args.limit = max(args.limit, limit)
    for row in rows:
        share = row["rate"] / args.limit if "rate" in row else 0
        print(f"{model:14}{row['side']:10}{row['ms']:11.2f} ms{row['peak_mb']:9.0f} MB{row['start_s']:8.2f} s"
              f"{row['build_s'] or 0:8.2f} s{100 * share:8.0f} %{row['ratio']:8.2f}",
              flush=True)
    return rows


def markdown(models, args):
    """One line a model: ours, then the peers with their ratios."""
    first, others = args.precisions[0], args.precisions[1:]
    peers = [peer.partition("=")[0] for peer in args.peer]
    kind, name = processor()
    lines = [f"Class {kind} ({name}), {args.threads} threads, {datetime.date.today()}, {args.rounds} rounds."
             + (f" {args.note}" if args.note else ""), ""]
    head = ["model", f"`{first}` ms"] + [f"`{p}` ms" for p in others] + ["of the limit", "MB", "build s", "start s"]
    head += [f"{peer} ms (ratio)" for peer in peers] + (["least ratio", "MB"] if peers else [])
    lines += ["| " + " | ".join(head) + " |", "| --- " * len(head) + "|"]
    for rows in models:
        by = {row["side"]: row for row in rows}
        ours = by[first]
        cells = [ours["model"], f"{ours['ms']:.1f}"] + [f"{by[p]['ms']:.1f}" for p in others]
        cells += [f"{100 * ours['rate'] / args.limit:.0f} %", f"{ours['peak_mb']:.0f}", f"{ours['build_s']:.1f}",
                  f"{ours['start_s']:.2f}"]
        there = [by[p] for p in peers if p in by]
        cells += [f"{by[p]['ms']:.1f} ({by[p]['ratio']:.2f})" if p in by else "-" for p in peers]
        if peers:
            cells += [f"{min(r['ratio'] for r in there):.2f}", f"{min(r['peak_mb'] for r in there):.0f}"] if there else ["-", "-"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write(path, mark, table):
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    text = path.read_text()
    if begin not in text or end not in text:
        sys.exit(f"{path} lacks the lines {begin} and {end}, between which the table goes")
    before, rest = text.split(begin, 1)
    path.write_text(f"{before}{begin}\n{table}\n{end}{rest.split(end, 1)[1]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ganc", default=str(ROOT / "build/release/bin/ganc"))
    parser.add_argument("--models", default="")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--precisions", default="fast,exact")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND")
    parser.add_argument("--write", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--mark", default="bench", help="what the lines around the table in that file are called")
    parser.add_argument("--note", default="")
    args = parser.parse_args()
    args.precisions = args.precisions.split(",")
    args.limit = 0
    models = args.models.split(",") if args.models else sorted(p.stem for p in (ROOT / "models").glob("*.gan"))
    print(f"{'model':14}{'side':10}{'iteration':>14}{'peak':>12}{'start':>10}{'build':>10}{'limit':>10}{'ratio':>8}")
    done = []
    with tempfile.TemporaryDirectory(prefix="ganc-bench-") as folder:
        for model in models:
            try:
                done.append(bench_model(model, args, pathlib.Path(folder)))
            except (RuntimeError, subprocess.CalledProcessError, json.JSONDecodeError) as error:
                print(f"{model:14}failed: {error}", file=sys.stderr)
    if args.write and done:
        write(args.write, args.mark, markdown(done, args))
    return 0 if len(done) == len(models) else 1


if __name__ == "__main__":
    sys.exit(main())
