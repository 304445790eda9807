#!/usr/bin/env python3
"""Whether faster products train as well: models at each precision over several seeds, as a table of means and deviations.

    GAN_DATA_DIR=... tests/bench/quality.py --ganc build/release/bin/ganc [--seeds 5] [--write docs/performance.md]

Of the models of digits (real MNIST): the mean of each loss over the last half of the steps. Of ring_gan: modes with at
least 2 % of 10,000 samples within three standard deviations of their centre, and the share of all samples that lie so.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "tests/end_to_end"), str(ROOT / "tests/bench")]

import iterations
import ring_test

PRECISIONS = ("exact", "fast", "bf16")
STEPS = {"mlp_gan": 3000, "vae": 3000, "dcgan28": 400}  # enough for digits to be seen


def run(*arguments):
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, arguments))}\n{done.stdout}{done.stderr}")
    return done.stdout


def losses(folder):
    """The mean of each loss over the last half of a run."""
    lines = [json.loads(line) for line in (folder / "stats.jsonl").read_text().splitlines()]
    late = lines[len(lines) // 2:]
    return {key: numpy.mean([line[key] for line in late]) for key in late[0] if key.startswith("loss/")}


def modes(trainer, folder):
    samples = folder / "samples.npy"
    run(trainer, "sample", folder, "--count", 10000, "-o", samples)
    shares = ring_test.shares(numpy.load(samples))
    return {"modes": int((shares >= 0.02).sum()), "near a mode": shares.sum()}


def measure(ganc, model, precision, seeds, scratch):
    """Of each figure its values by seed."""
    trainer = scratch / f"{model}-{precision}"
    run(ganc, "build", ROOT / "models" / f"{model}.gan", "-o", trainer, "--precision", precision)
    figures = {}
    for seed in range(seeds):
        folder = scratch / f"{model}-{precision}-{seed}"
        steps = ["--steps", STEPS[model]] if model in STEPS else []
        run(trainer, "train", "--out", folder, "--seed", seed, "--log", 10, "--images", 0, "--snapshot", 0, *steps)
        for name, value in (losses(folder) if model in STEPS else modes(trainer, folder)).items():
            figures.setdefault(name, []).append(value)
    return figures


def markdown(rows, seeds):
    lines = [f"{seeds} seeds, mean ± standard deviation.", "",
             "| model | figure | " + " | ".join(f"`{p}`" for p in PRECISIONS) + " |",
             "| --- " * (2 + len(PRECISIONS)) + "|"]
    for (model, figure), cells in rows.items():
        lines.append(f"| {model} | {figure} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ganc", default=str(ROOT / "build/release/bin/ganc"))
    parser.add_argument("--models", default="ring_gan,mlp_gan,vae,dcgan28")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--write", type=pathlib.Path, metavar="FILE")
    args = parser.parse_args()
    rows = {}
    with tempfile.TemporaryDirectory(prefix="ganc-quality-") as scratch:
        for model in args.models.split(","):
            for precision in PRECISIONS:
                for figure, values in measure(args.ganc, model, precision, args.seeds, pathlib.Path(scratch)).items():
                    cell = f"{numpy.mean(values):.3f} ± {numpy.std(values):.3f}"
                    rows.setdefault((model, figure), []).append(cell)
                    print(model, precision, figure, cell, flush=True)
    table = markdown(rows, args.seeds)
    if args.write:
        iterations.write(args.write, "quality", table)
    print(table)


if __name__ == "__main__":
    main()
