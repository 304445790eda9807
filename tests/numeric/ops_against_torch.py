#!/usr/bin/env python3
"""Every op's value and derivatives, first and second order, against PyTorch's in float64.

    ops_against_torch.py [--spoil] DUMP_OPS [SEED]

Runs DUMP_OPS (tests/numeric/dump_ops.cpp) and computes each of its lines anew with torch's own operations and
torch.autograd. Exits with 0 where all agree to 1e-9, 1 where one does not, 77 (a skip) where torch is missing.
With --spoil one number of each line is changed by a millionth, and 0 says that each change was found.
"""
import json
import subprocess
import sys

try:
    import torch
    from torch.nn import functional as F
except ImportError:
    print("python3-torch is not installed: skipped")
    sys.exit(77)

TOLERANCE = 1e-9
DTYPES = {"f32": torch.float64, "f64": torch.float64, "i32": torch.int64, "u32": torch.int64, "pred": torch.bool}
WORD = 0xFFFFFFFF
NO_TORCH_OP = {"random_bits": "Philox4x32 by counter: known answers in tests/unit/ops"}


def tensor(value):
    flat = torch.tensor(value["data"], dtype=torch.float64).to(DTYPES[value["dtype"]])
    return flat.reshape(value["shape"])


def wrapped(x, dtype):
    """Integers wrap around as 32 bits do."""
    if dtype == "u32":
        return x & WORD
    if dtype == "i32":
        return ((x + 2**31) & WORD) - 2**31
    return x


def real(dtype):
    return dtype in ("f32", "f64")


def convert(x, dtype, to):
    if to["dtype"] == "pred":
        return x != 0
    if real(to["dtype"]):
        return x.double()
    return wrapped((x.trunc() if real(dtype) else x).long(), to["dtype"])


def quotient(a, b, dtype):
    if real(dtype):
        return a / b
    safe = torch.where(b == 0, torch.ones_like(b), b)
    return wrapped(torch.where(b == 0, torch.zeros_like(a), torch.div(a, safe, rounding_mode="trunc")), dtype)


def modulo(a, b, dtype):
    if real(dtype):
        return torch.remainder(a, b)
    return torch.where(b == 0, a, torch.remainder(a, torch.where(b == 0, torch.ones_like(b), b)))


def broadcast_in_dim(x, axes, shape):
    order = sorted(range(len(axes)), key=lambda i: axes[i])
    x = x.permute(order)
    view = [1] * len(shape)
    for i in order:
        view[axes[i]] = x.shape[order.index(i)]
    return x.reshape(view).expand(shape)


def sliced(x, a):
    return x[tuple(slice(s, l, d) for s, l, d in zip(a["start"], a["limit"], a["stride"]))]


def dilated(x, interior):
    """`interior` zeros between neighbours, axis by axis."""
    for axis, zeros in enumerate(interior):
        if zeros and x.shape[axis] > 1:
            x = x.unsqueeze(axis + 1)
            pads = [0, 0] * (x.dim() - axis - 2) + [0, zeros]
            x = F.pad(x, pads).flatten(axis, axis + 1)
            x = x.narrow(axis, 0, x.shape[axis] - zeros)
    return x


def ends(x, low, high):
    if x.dim() == 0:
        return x
    pads = [n for pair in reversed(list(zip(low, high))) for n in pair]
    if x.numel() == 0 or min(pads) < 0:  # torch refuses to cut more than there is: pad first, then narrow
        x = F.pad(x, [max(n, 0) for n in pads])
        for axis, (l, h) in enumerate(zip(low, high)):
            start = max(-l, 0)
            x = x.narrow(axis, start, x.shape[axis] - start - max(-h, 0))
        return x
    return F.pad(x, pads)


def pad(x, value, a):
    grow = lambda t: ends(dilated(t, a["interior"]), a["low"], a["high"])
    inside = grow(torch.ones_like(x))
    return grow(x) + value * (1 - inside)


def dot_general(x, y, a):
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    left, right = [next(letters) for _ in x.shape], [next(letters) for _ in y.shape]
    for l, r in zip(a["lhs_batch"] + a["lhs_contract"], a["rhs_batch"] + a["rhs_contract"]):
        right[r] = left[l]
    free = lambda names, gone: [n for i, n in enumerate(names) if i not in gone]
    out = [left[i] for i in a["lhs_batch"]]
    out += free(left, a["lhs_batch"] + a["lhs_contract"]) + free(right, a["rhs_batch"] + a["rhs_contract"])
    return torch.einsum(f"{''.join(left)},{''.join(right)}->{''.join(out)}", x, y)


def convolution(x, w, a, shape):
    windows = a["windows"]
    if not windows:
        return x @ w.t()
    if 0 in shape or x.numel() == 0:  # nothing to sum, or nowhere; keeps both in the graph
        return torch.zeros(shape, dtype=torch.float64) + 0 * x.sum() + 0 * w.sum()
    x = dilated(x, [0, 0] + [d[3] - 1 for d in windows])
    x = ends(x, [0, 0] + [d[1] for d in windows], [0, 0] + [d[2] for d in windows])
    op = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[len(windows)]
    return op(x, w, stride=[d[0] for d in windows], dilation=[d[4] for d in windows], groups=a["groups"])


def clamped(indices, size):
    return indices.clamp(0, max(size - 1, 0))


def per_batch(op, batch, x, indices):
    if batch == 0:
        return op(x, indices)
    return torch.stack([per_batch(op, batch - 1, p, i) for p, i in zip(x, indices)])


def gather(x, indices, a):
    axis = a["axes"][0] - a["batch"]

    def one(x, i):
        picked = x.index_select(axis, clamped(i, x.shape[axis]).flatten())
        return picked.reshape(x.shape[:axis] + i.shape + x.shape[axis + 1:])

    return per_batch(one, a["batch"], x, indices)


def scatter_add(updates, indices, a):
    axis, size = a["axes"][0] - a["batch"], a["size"]

    def one(u, i):
        rest = u.shape[axis + i.dim():]
        flat = u.reshape(u.shape[:axis] + (i.numel(),) + rest)
        zeros = torch.zeros(u.shape[:axis] + (size,) + rest, dtype=u.dtype)
        return zeros.index_add(axis, clamped(i, size).flatten(), flat)

    return per_batch(one, a["batch"], updates, indices)


def constant(values, to):
    count = torch.Size(to["shape"]).numel()
    return tensor({**to, "data": values * count if len(values) == 1 else values})


def iota(a, to):
    axis, shape = a["axes"][0], to["shape"]
    view = [-1 if i == axis else 1 for i in range(len(shape))]
    return torch.arange(shape[axis]).reshape(view).expand(shape).to(DTYPES[to["dtype"]])


COMPARISONS = {"equal": torch.eq, "not_equal": torch.ne, "less": torch.lt, "less_equal": torch.le,
               "greater": torch.gt, "greater_equal": torch.ge}

# op: f(operands, attributes, dtype of the first operand, the result's type)
OPS = {
    "constant": lambda x, a, d, to: constant(a["values"], to),
    "iota": lambda x, a, d, to: iota(a, to),
    "negate": lambda x, a, d, to: wrapped(-x[0], d),
    "abs": lambda x, a, d, to: x[0].abs(),
    "sign": lambda x, a, d, to: x[0].sign(),
    "exponential": lambda x, a, d, to: x[0].exp(),
    "log": lambda x, a, d, to: x[0].log(),
    "log_plus_one": lambda x, a, d, to: x[0].log1p(),
    "exponential_minus_one": lambda x, a, d, to: x[0].expm1(),
    "logistic": lambda x, a, d, to: x[0].sigmoid(),
    "tanh": lambda x, a, d, to: x[0].tanh(),
    "sqrt": lambda x, a, d, to: x[0].sqrt(),
    "rsqrt": lambda x, a, d, to: x[0].rsqrt(),
    "softplus": lambda x, a, d, to: x[0].relu() + (-x[0].abs()).exp().log1p(),
    "sine": lambda x, a, d, to: x[0].sin(),
    "cosine": lambda x, a, d, to: x[0].cos(),
    "erf": lambda x, a, d, to: x[0].erf(),
    "floor": lambda x, a, d, to: x[0].floor(),
    "round_nearest_even": lambda x, a, d, to: x[0].round(),
    "logical_not": lambda x, a, d, to: ~x[0] if d == "pred" else ~x[0] & WORD,
    "convert": lambda x, a, d, to: convert(x[0], d, to),
    "stop": lambda x, a, d, to: x[0].detach(),
    "draw": lambda x, a, d, to: x[0].detach(),
    "add": lambda x, a, d, to: wrapped(x[0] + x[1], d),
    "subtract": lambda x, a, d, to: wrapped(x[0] - x[1], d),
    "multiply": lambda x, a, d, to: wrapped(x[0] * x[1], d),
    "divide": lambda x, a, d, to: quotient(x[0], x[1], d),
    "maximum": lambda x, a, d, to: torch.maximum(x[0], x[1]),
    "minimum": lambda x, a, d, to: torch.minimum(x[0], x[1]),
    "power": lambda x, a, d, to: x[0].pow(x[1]),
    "modulo": lambda x, a, d, to: modulo(x[0], x[1], d),
    "logical_and": lambda x, a, d, to: x[0] & x[1],
    "logical_or": lambda x, a, d, to: x[0] | x[1],
    "shift_right_logical": lambda x, a, d, to: torch.where(
        x[1] < 32, torch.bitwise_right_shift(x[0], x[1].clamp(max=32)), torch.zeros_like(x[0])),
    "compare": lambda x, a, d, to: COMPARISONS[a["comparison"]](x[0], x[1]),
    "select": lambda x, a, d, to: torch.where(x[0], x[1], x[2]),
    "broadcast_in_dim": lambda x, a, d, to: broadcast_in_dim(x[0], a["axes"], to["shape"]),
    "reshape": lambda x, a, d, to: x[0].reshape(to["shape"]),
    "transpose": lambda x, a, d, to: x[0].permute(a["axes"]),
    "slice": lambda x, a, d, to: sliced(x[0], a),
    "pad": lambda x, a, d, to: pad(x[0], x[1], a),
    "concatenate": lambda x, a, d, to: torch.cat(x, a["axes"][0]),
    "reverse": lambda x, a, d, to: x[0].flip(a["axes"]),
    "reduce_sum": lambda x, a, d, to: wrapped(x[0].sum(a["axes"]), d),
    "reduce_max": lambda x, a, d, to: x[0].amax(a["axes"]),
    "dot_general": lambda x, a, d, to: dot_general(x[0], x[1], a),
    "convolution": lambda x, a, d, to: convolution(x[0], x[1], a, to["shape"]),
    "gather": lambda x, a, d, to: gather(x[0], x[1], a),
    "scatter_add": lambda x, a, d, to: scatter_add(x[0], x[1], a),
}


def gradients(f, xs, create_graph=False):
    if not f.requires_grad:
        return [torch.zeros_like(x) for x in xs]
    found = torch.autograd.grad(f, xs, create_graph=create_graph, allow_unused=True)
    return [torch.zeros_like(x) if g is None else g for x, g in zip(xs, found)]


class Comparison:
    def __init__(self):
        self.count, self.worst, self.failures = 0, 0.0, []

    def compare(self, what, got, expected):
        expected = expected.detach().double()
        if list(expected.shape) != got["shape"]:
            self.failures.append(f"{what}: shape {got['shape']}, torch {list(expected.shape)}")
            return
        got = torch.tensor(got["data"], dtype=torch.float64).reshape(got["shape"])
        self.count += 1
        same = torch.isclose(got, expected, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
        if not bool(same.all()):
            worst = (got - expected).abs().max().item()
            self.failures.append(f"{what}: differs by {worst:g}")
        elif got.numel():
            error = ((got - expected).abs() / (1 + expected.abs())).nan_to_num().max().item()
            self.worst = max(self.worst, error)


def check(line, comparison):
    op, attributes, results = line["op"], line["attributes"], line["results"]
    shown = {name: value for name, value in attributes.items() if value}
    inputs = {name: tensor(value) for name, value in (line["second"] or line)["inputs"].items()}
    xs = [inputs[f"x{i}"] for i in range(sum(name.startswith("x") for name in inputs))]
    dtype = line["inputs"]["x0"]["dtype"] if xs else None
    reals = [x.requires_grad_() for x in xs if x.is_floating_point()]
    y = OPS[op](xs, attributes, dtype, results["y"])
    comparison.compare(f"{op} {shown}", results["y"], y)
    names = [f"x{i}" for i, x in enumerate(xs) if x.is_floating_point()]
    if line["second"] is None:
        return
    first = gradients((y * inputs["weights"]).sum(), reals, create_graph=True)
    for name, dx in zip(names, first):
        comparison.compare(f"d {op} by {name} {shown}", results[f"d {name}"], dx)
    f = sum((dx * inputs[f"v {name}"]).sum() for name, dx in zip(names, first))
    for name, dx in zip(names, gradients(f, reals)):
        comparison.compare(f"second d {op} by {name} {shown}", line["second"]["results"][f"d {name}"], dx)


def spoil(line):
    """Changes one number that is compared, of the highest order there is; false where there is none."""
    orders = [line["results"]] if line["second"] is None else [line["second"]["results"], line["results"]]
    derivatives = [v for results in orders for name, v in results.items() if name.startswith("d ")]
    for value in derivatives + [line["results"]["y"]]:
        finite = [i for i, x in enumerate(value["data"]) if abs(x) < float("inf")]
        if finite:
            value["data"][finite[0]] += 1e-6 * (1 + abs(value["data"][finite[0]]))
            return True
    return False


def main():
    arguments = [a for a in sys.argv[1:] if a != "--spoil"]
    text = subprocess.run(arguments, check=True, capture_output=True, text=True).stdout
    lines = [json.loads(line) for line in text.splitlines()]
    for op in sorted({line["op"] for line in lines} & set(NO_TORCH_OP)):
        print(f"{op} is not compared: {NO_TORCH_OP[op]}")
    lines = [line for line in lines if line["op"] not in NO_TORCH_OP]
    if len(arguments) < len(sys.argv) - 1:
        lines = [line for line in lines if spoil(line)]
        missed = 0
        for line in lines:
            comparison = Comparison()
            check(line, comparison)
            missed += not comparison.failures
        print(f"{len(lines)} spoiled samples, {missed} not noticed")
        return 1 if missed or not lines else 0
    comparison = Comparison()
    for line in lines:
        check(line, comparison)
    print(f"{len(lines)} samples, {comparison.count} tensors compared, largest error {comparison.worst:.1e}")
    for failure in comparison.failures:
        print(failure)
    return 1 if comparison.failures else 0


if __name__ == "__main__":
    sys.exit(main())
