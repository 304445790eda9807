#!/usr/bin/env python3
"""One `step` of a trainer beside the same iteration in PyTorch, from the same weights, data and draws.

    compare_step.py --reference dcgan28.safetensors --trainer ./dcgan28 [--dtype f32]

The reference is a float64 file of torch_reference.py (or of any program that writes the same keys). The trainer was
built with the reference's batch and width. float64: every tensor to 1e-9 relative L2. float32, beside the same
float64 numbers: 1e-5 a tensor; new weights and second moments 1e-4, since Adam's first step magnifies rounding.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy

import safetensors_file


def numbered(name, index):
    return name if index == 0 else f"{name}_{index + 1}"


def convolutional_names(reference, net, kind, norm):
    """PyTorch's key of every parameter and buffer of `net` -> the language's name of it."""
    prefix, names = f"weight.{net}.", {}
    layers = sorted({key[len(prefix):].rpartition(".")[0] for key in reference if key.startswith(prefix)})
    groups = [l for l in layers if l.startswith(("deconvs.", "convs."))]
    order = (["first"] if "first" in layers else []) + sorted(groups, key=lambda l: int(l.split(".")[1])) + ["last"]
    for index, layer in enumerate(order):
        names[f"{layer}.weight"] = f"{net}.{numbered(kind, index)}.w"
        names[f"{layer}.bias"] = f"{net}.{numbered(kind, index)}.b"
    for index in range(len([l for l in layers if l.startswith("norms.")])):
        place = f"{net}.{numbered(norm, index)}"
        for theirs, ours in (("weight", "gain"), ("bias", "bias"), ("running_mean", "running_mean"),
                             ("running_var", "running_var")):
            names[f"norms.{index}.{theirs}"] = f"{place}.{ours}"
    return names


def dense_names(reference, net, ours, layers):
    names = {}
    for index, layer in enumerate(layers):
        names[f"{layer}.weight"] = f"{ours}.{numbered('dense', index)}.w"
        names[f"{layer}.bias"] = f"{ours}.{numbered('dense', index)}.b"
    return names


class Mapping:
    """How one model's reference keys read in the language."""

    def __init__(self, reference, model):
        self.reference, self.model = reference, model
        conv = model.startswith(("dcgan", "wgan"))
        norm = "batchnorm" if model.startswith("dcgan") else "layernorm"
        if conv:
            self.names = {"G": convolutional_names(reference, "G", "deconv", "batchnorm"),
                          "D": convolutional_names(reference, "D", "conv", norm)}
        elif model == "mlp_gan":
            self.names = {net: dense_names(reference, net, net, ("dense.0", "dense.1", "last")) for net in "GD"}
        else:
            self.names = {net: dense_names(reference, net, net.capitalize(), ("dense", "last"))
                          for net in ("encoder", "decoder")}
        labels = [key[len("loss."):] for key in reference if key.startswith("loss.")]
        self.updates = {label: self.update_name(label) for label in labels}

    def update_name(self, label):
        if label == "vae":
            return "Encoder+Decoder"
        return "D#" + label[1:] if len(label) > 1 else label.upper()

    def tensor(self, values):
        """A parameter in the declared layout: dense weights are [inputs, outputs]."""
        return values.T if values.ndim == 2 else values

    def checkpoint(self):
        tensors = {}
        for net, names in self.names.items():
            for theirs, ours in names.items():
                for group in ("weight", "state"):
                    key = f"{group}.{net}.{theirs}"
                    if key in self.reference:
                        tensors[ours] = self.tensor(self.reference[key])
        return tensors

    def image(self, values):
        shape = {"28": (1, 28, 28), "32": (3, 32, 32), "64": (3, 64, 64)}.get(self.model[-2:])
        if self.model == "mlp_gan":
            shape = (1, 28, 28)
        return values if shape is None else values.reshape((len(values),) + shape)

    def feed(self):
        real, feed = self.reference["data.real"], {}
        repeats = [label for label in self.updates if len(label) > 1 and label[0] == "d"]
        if repeats:
            for label, rows in zip(repeats, numpy.split(real, len(repeats))):
                feed[f"data/{self.updates[label]}/x"] = self.image(rows)
        else:
            feed["data/x"] = self.image(real)
        for key in sorted(key for key in self.reference if key.startswith("noise.")):
            _, _, label, what = key.split(".", 3)
            self.feed_noise(feed, self.updates[label], what, self.reference[key])
        return feed

    def feed_noise(self, feed, update, what, values):
        if what == "z":
            flat = values.reshape(len(values), -1)
            feed["draw/eps" if self.model == "vae" else f"draw/{update}/z"] = flat
        elif what == "real_share":
            feed[f"draw/{update}/gradient_penalty.t"] = 1 - values.reshape(len(values))
        elif what.startswith("real_fake.keep"):  # D(x) is the first call, D(G(z)) the second
            layer = numbered("dropout", int(what[-1]))
            for call, rows in zip(("D", "D_2"), numpy.split(values, 2)):
                feed[f"draw/{update}/{call}.{layer}.keep"] = rows
        elif what.startswith("fake.keep"):
            feed[f"draw/{update}/D.{numbered('dropout', int(what[-1]))}.keep"] = values
        else:
            sys.exit(f"a draw `{what}` that this script does not know")

    def expected(self):
        """Ours -> (values, the class of tolerance)."""
        expected = {f"loss/{ours}": (self.reference[f"loss.{label}"], "loss")
                    for label, ours in self.updates.items()}
        for key, values in self.reference.items():
            group, _, rest = key.partition(".")
            if group == "grad":
                net, _, theirs = rest.partition(".")
                label = next(iter(self.updates)) if net in self.names and len(self.updates) == 1 else None
                if net.isdigit():
                    label = list(self.updates)[int(net)]
                    net, _, theirs = theirs.partition(".")
                elif label is None:
                    label = net.lower()
                expected[f"grad/{self.updates[label]}/{self.names[net][theirs]}"] = self.tensor(values), "gradient"
            elif group in ("new_weight", "new_state", "adam_m", "adam_v"):
                net, _, theirs = rest.partition(".")
                ours = self.names[net][theirs]
                player = "Encoder+Decoder" if self.model == "vae" else net
                name = ours if group.startswith("new") else f"slot/{player}/{ours}/{group[-1]}"
                expected[name] = self.tensor(values), group
        return expected


def distance(ours, theirs):
    """Relative L2 distance; where theirs are zeros, the absolute one."""
    norm = numpy.linalg.norm(theirs.astype(numpy.float64))
    return numpy.linalg.norm(ours.astype(numpy.float64) - theirs) / (norm if norm > 0 else 1)


def compare(options, folder):
    reference, metadata = safetensors_file.read(options.reference)
    mapping = Mapping(reference, options.model or metadata["model"])
    dtype = numpy.float64 if options.dtype == "f64" else numpy.float32
    files = {name: str(folder / f"{name}.safetensors") for name in ("from", "feed", "to")}
    safetensors_file.write(files["from"], {k: v.astype(dtype) for k, v in mapping.checkpoint().items()})
    safetensors_file.write(files["feed"], {k: v.astype(dtype) for k, v in mapping.feed().items()})
    subprocess.run([options.trainer, "step", "--from", files["from"], "--feed", files["feed"], "--to", files["to"]]
                   + (["--cpu", options.cpu] if options.cpu else []), check=True)
    ours, _ = safetensors_file.read(files["to"])

    loose = {"new_weight": 1e-4, "adam_v": 1e-4}
    worst, failed = {}, 0
    for name, (theirs, group) in mapping.expected().items():
        limit = 1e-9 if options.dtype == "f64" else loose.get(group, 1e-5)
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
    parser.add_argument("--model", help="default: the reference's")
    parser.add_argument("--dtype", choices=["f32", "f64"], default="f64")
    parser.add_argument("--cpu", help="the kernel variant")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(1 if compare(options, pathlib.Path(folder)) else 0)


if __name__ == "__main__":
    main()
