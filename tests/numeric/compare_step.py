#!/usr/bin/env python3
"""One `step` of a trainer beside the same iteration in PyTorch, from the same weights, data and draws.

    compare_step.py --reference dcgan28.safetensors --trainer ./dcgan28 [--dtype f32]

The reference is a float64 file of torch_reference.py (or of any program that writes the same keys). The trainer was
built with the reference's batch and width. float64: every tensor to 1e-9 relative L2. float32, beside the same
float64 numbers: 1e-5 a tensor; new weights and second moments 1e-4, since Adam's first step magnifies rounding. bf16
(`--precision bf16`): losses and gradients alone, and these as far as products of eight bits allow. What
torch_names.vanishes names is not compared.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy

import safetensors_file
import torch_names


class Mapping:
    """How one reference reads in the language."""

    def __init__(self, reference, metadata):
        self.reference, self.model = reference, metadata["model"]
        self.players = {player: entry["networks"] for player, entry in json.loads(metadata["players"]).items()}
        labels = [key[len("loss."):] for key in sorted(reference) if key.startswith("loss.")]
        self.updates = {label: self.update_name(label) for label in labels}  # in the order of `grad.<u>`

    def update_name(self, label):
        """`d3` is the fourth repeat of player `d`."""
        player = label if label in self.players else label.rstrip("0123456789")
        nets = "+".join(map(torch_names.net_name, self.players[player]))
        return nets + ("" if label == player else f"#{label[len(player):]}")

    def label_of(self, net):
        """The one update of a net, in an iteration without repeats."""
        return next(label for label in self.updates if net in self.players[label])

    def tensor(self, values):
        """A parameter in the declared layout: dense weights are [inputs, outputs]."""
        return values.T if values.ndim == 2 else values

    def group(self, group):
        """Net, their name, ours and values of all that the reference has under `group`."""
        for key, values in self.reference.items():
            if key.startswith(group + "."):
                net, theirs = key[len(group) + 1:].split(".", 1)
                yield net, theirs, torch_names.variable(self.model, net, theirs), self.tensor(values)

    def checkpoint(self):
        return {ours: values for group in ("weight", "state") for _, _, ours, values in self.group(group)}

    def feed(self):
        feed = {}
        repeats = [label for label, ours in self.updates.items() if "#" in ours]
        for key, values in self.reference.items():
            if not key.startswith("data."):
                continue
            field = "x" if key == "data.real" else key[len("data."):]
            if self.model == "mlp_gan":
                values = values.reshape(-1, 1, 28, 28)
            for label, rows in zip(repeats, numpy.split(values, len(repeats) or 1)):
                feed[f"data/{self.updates[label]}/{field}"] = rows
            if not repeats:
                feed[f"data/{field}"] = values
        for key, values in self.reference.items():
            if key.startswith("noise."):
                _, _, label, what = key.split(".", 3)
                feed |= torch_names.draws(self.model, self.updates.get(label), what, values)
        return feed

    def expected(self):
        """Ours -> (values, the class of tolerance)."""
        expected = {f"loss/{ours}": (self.reference[f"loss.{label}"], "loss")
                    for label, ours in self.updates.items()}
        numbered = any("#" in ours for ours in self.updates.values())
        groups = {f"grad.{n}": label for n, label in enumerate(self.updates)} if numbered else {"grad": None}
        for group, update in groups.items():
            for net, theirs, ours, values in self.group(group):
                label = update or self.label_of(net)
                if not torch_names.vanishes(self.model, net, theirs):
                    expected[f"grad/{self.updates[label]}/{ours}"] = values, "gradient"
        for group in ("new_weight", "new_state", "adam_m", "adam_v"):
            for net, theirs, ours, values in self.group(group):
                player = next(nets for nets in self.players.values() if net in nets)
                slot = f"slot/{'+'.join(map(torch_names.net_name, player))}/{ours}/{group[-1]}"
                if not torch_names.vanishes(self.model, net, theirs):
                    expected[ours if group.startswith("new") else slot] = values, group
        return expected


# float32's limits, and by what a model's are wider where PyTorch's own float32 is off by more. sngan32, wavegan: losses near
# zero. pix2pix256 and cyclegan128: a picture element whose L1 term, or a unit whose ReLU, changes side by rounding
# changes the gradient by a whole term; one element of cyclegan128's cycle is 1 % of it.
SINGLE = {"loss": 1e-5, "gradient": 1e-5, "new_state": 1e-5, "adam_m": 1e-5, "new_weight": 1e-4, "adam_v": 1e-4}
WIDER = {"sngan32": {"loss": 5}, "wavegan": {"loss": 5},
         "pix2pix256": {"gradient": 20, "adam_m": 20, "adam_v": 4, "new_weight": 2},
         "cyclegan128": {"gradient": 2000, "adam_m": 2000, "adam_v": 400, "new_weight": 20}}


# Products of numbers rounded to eight bits, through all layers and back.
HALVES = {"loss": 4e-2, "gradient": 0.3}


def limit_of(dtype, model, group):
    if dtype == "bf16":
        return HALVES.get(group)
    return 1e-9 if dtype == "f64" else SINGLE[group] * WIDER.get(model, {}).get(group, 1)


def distance(ours, theirs):
    """Relative L2 distance; where theirs are zeros, the absolute one."""
    norm = numpy.linalg.norm(theirs.astype(numpy.float64))
    return numpy.linalg.norm(ours.astype(numpy.float64) - theirs) / (norm if norm > 0 else 1)


def compare(options, folder):
    reference, metadata = safetensors_file.read(options.reference)
    mapping = Mapping(reference, metadata)
    dtype = numpy.float64 if options.dtype == "f64" else numpy.float32
    files = {name: str(folder / f"{name}.safetensors") for name in ("from", "feed", "to")}
    for name, tensors in (("from", mapping.checkpoint()), ("feed", mapping.feed())):
        safetensors_file.write(files[name], {key: v.astype(numpy.int32 if v.dtype.kind == "i" else dtype)
                                             for key, v in tensors.items()})
    subprocess.run([options.trainer, "step", "--from", files["from"], "--feed", files["feed"], "--to", files["to"]]
                   + (["--cpu", options.cpu] if options.cpu else []), check=True)
    ours, _ = safetensors_file.read(files["to"])

    worst, failed = {}, 0
    for name, (theirs, group) in mapping.expected().items():
        limit = limit_of(options.dtype, mapping.model, group)
        if limit is None:
            continue
        if name not in ours:
            print(f"missing: {name}")
            failed += 1
            continue
        if ours[name].size != theirs.size:
            print(f"{name}: shape {ours[name].shape}, expected {theirs.shape}")
            failed += 1
            continue
        error = distance(ours[name].reshape(theirs.shape), theirs)
        worst[group] = max(worst.get(group, (0, "")), (error, name))
        if not error <= limit:
            print(f"{name}: relative L2 distance {error:.3g}, allowed {limit:g}")
            failed += 1
    summary = ", ".join(f"{group} {error:.2g}" for group, (error, _) in worst.items())
    print(f"{mapping.model} {options.dtype}: {len(mapping.expected())} tensors, {failed} off; worst: {summary}")
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", required=True)
    parser.add_argument("--trainer", required=True)
    parser.add_argument("--dtype", choices=["f32", "f64", "bf16"], default="f64")
    parser.add_argument("--cpu", help="the kernel variant")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(1 if compare(options, pathlib.Path(folder)) else 0)


if __name__ == "__main__":
    main()
