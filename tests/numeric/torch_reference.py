#!/usr/bin/env python3
"""One iteration of a benchmark model in PyTorch, in float64, as a file to compare a trainer's `step` with.

    torch_reference.py --model dcgan28 --batch 3 --width 16 --seed 1 --out reference.safetensors

Keys: weight.<net>.<param>, state.<net>.<buffer> before the iteration; data.<field>; noise.<k>.<update>.<what> in the
order drawn; loss.<update>; grad.[<u>.]<net>.<param>; new_weight, new_state, adam_m, adam_v after it. Runs on Debian's
python3-torch (1.13).
"""
import argparse
import json

import numpy
import torch
from torch.nn import functional as F

import safetensors_file


def leaky(x):
    return F.leaky_relu(x, 0.2)


class Net:
    """Parameters and buffers by name; the forward pass is a function over them."""

    def __init__(self, forward):
        self.parameters, self.buffers, self.forward = {}, {}, forward

    def __call__(self, *inputs):
        return self.forward(self, *inputs)

    def add(self, draw, name, shape, scale, offset=0.0):
        self.parameters[name] = (offset + scale * draw(shape)).double().requires_grad_()

    def dense(self, draw, name, inputs, outputs):
        self.add(draw, f"{name}.weight", (outputs, inputs), inputs ** -0.5)
        self.add(draw, f"{name}.bias", (outputs,), 0.02)

    def conv(self, draw, name, shape, fan_in, bias=None):
        self.add(draw, f"{name}.weight", shape, fan_in ** -0.5)
        if bias:
            self.add(draw, f"{name}.bias", (bias,), 0.02)

    def norm(self, draw, name, channels, running):
        self.add(draw, f"{name}.weight", (channels,), 0.02, 1.0)
        self.add(draw, f"{name}.bias", (channels,), 0.02)
        if running:
            self.buffers[f"{name}.running_mean"] = torch.zeros(channels, dtype=torch.float64)
            self.buffers[f"{name}.running_var"] = torch.ones(channels, dtype=torch.float64)

    def normalise(self, name, x):
        gain, bias = self.parameters[f"{name}.weight"], self.parameters[f"{name}.bias"]
        if f"{name}.running_mean" in self.buffers:
            return F.batch_norm(x, self.buffers[f"{name}.running_mean"], self.buffers[f"{name}.running_var"],
                                gain, bias, training=True, momentum=0.1, eps=1e-5)
        return F.group_norm(x, 1, gain, bias, eps=1e-5)

    def apply_dense(self, name, x):
        return F.linear(x, self.parameters[f"{name}.weight"], self.parameters[f"{name}.bias"])


def dcgan_generator(draw, channels, widths, kernels):
    def forward(net, z):
        x = z
        for n in range(len(widths)):
            x = F.conv_transpose2d(x, net.parameters[f"deconvs.{n}.weight"], stride=min(n + 1, 2),
                                   padding=min(n, 1))
            x = F.relu(net.normalise(f"norms.{n}", x))
        return torch.tanh(F.conv_transpose2d(x, net.parameters["last.weight"], net.parameters["last.bias"],
                                             stride=2, padding=1))

    net, inputs = Net(forward), 100
    for n, (outputs, kernel) in enumerate(zip(widths, kernels)):
        net.conv(draw, f"deconvs.{n}", (inputs, outputs, kernel, kernel), inputs * (1 if n == 0 else 4))
        net.norm(draw, f"norms.{n}", outputs, running=True)
        inputs = outputs
    net.conv(draw, "last", (inputs, channels, 4, 4), inputs * 4, bias=channels)
    return net


def dcgan_discriminator(draw, channels, widths, last_kernel, running):
    def forward(net, x, label=None):
        x = leaky(F.conv2d(x, net.parameters["first.weight"], net.parameters["first.bias"], stride=2, padding=1))
        for n in range(len(widths) - 1):
            x = F.conv2d(x, net.parameters[f"convs.{n}.weight"], stride=2, padding=1)
            x = leaky(net.normalise(f"norms.{n}", x))
        return F.conv2d(x, net.parameters["last.weight"], net.parameters["last.bias"]).flatten(1)

    net = Net(forward)
    net.conv(draw, "first", (widths[0], channels, 4, 4), channels * 16, bias=widths[0])
    for n, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
        net.conv(draw, f"convs.{n}", (outputs, inputs, 4, 4), inputs * 16)
        net.norm(draw, f"norms.{n}", outputs, running)
    net.conv(draw, "last", (1, widths[-1], last_kernel, last_kernel), widths[-1] * last_kernel ** 2, bias=1)
    return net


class Iteration:
    """What all models share: numbers of one generator, and updates that are written down."""

    def __init__(self, options):
        self.batch, self.width = options.batch, options.width
        self.generator = torch.Generator().manual_seed(options.seed)
        self.tensors, self.noises, self.updates, self.label = {}, 0, 0, ""
        self.nets, self.players = self.networks(), {}
        for player, (names, rate, betas) in self.optimizers().items():
            parameters = [p for name in names for p in self.nets[name].parameters.values()]
            self.players[player] = names, torch.optim.Adam(parameters, lr=rate, betas=betas)
        low = self.data_low
        self.data = low + (1 - low) * torch.rand((self.batch * self.batches,) + self.data_shape,
                                                 generator=self.generator)
        self.data = self.data.double()

    data_low, batches, numbered = -1.0, 1, False

    def normal(self, shape):
        return torch.randn(shape, generator=self.generator)

    def noise(self, name, values):
        values = values.double()
        self.tensors[f"noise.{self.noises:03}.{self.label}.{name}"] = values
        self.noises += 1
        return values

    def latent(self, *size):
        return self.noise("z", self.normal((self.batch,) + size))

    def update(self, label, player, objective, *inputs):
        self.label = label
        names, optimizer = self.players[player]
        loss = objective(*inputs)
        parameters = [(net, key, p) for net in names for key, p in self.nets[net].parameters.items()]
        gradients = torch.autograd.grad(loss, [p for _, _, p in parameters])
        number = f"{self.updates}." if self.numbered else ""
        self.tensors[f"loss.{label}"] = loss.detach()
        for (net, key, parameter), gradient in zip(parameters, gradients):
            parameter.grad = gradient
            self.tensors[f"grad.{number}{net}.{key}"] = gradient.clone()
        optimizer.step()
        self.updates += 1

    def snapshot(self, weights, states):
        for name, net in self.nets.items():
            for key, value in net.parameters.items():
                self.tensors[f"{weights}.{name}.{key}"] = value.detach().clone()
            for key, value in net.buffers.items():
                self.tensors[f"{states}.{name}.{key}"] = value.clone()

    def dump(self):
        self.tensors["data.real"] = self.data
        self.snapshot("weight", "state")
        self.run()
        self.snapshot("new_weight", "new_state")
        for names, optimizer in self.players.values():
            for name in names:
                for key, parameter in self.nets[name].parameters.items():
                    slots = optimizer.state[parameter]
                    self.tensors[f"adam_m.{name}.{key}"] = slots["exp_avg"]
                    self.tensors[f"adam_v.{name}.{key}"] = slots["exp_avg_sq"]
        return self.tensors


class Gan(Iteration):
    latent_size = (100, 1, 1)

    def optimizers(self):
        return {"d": (["D"], 2e-4, (0.5, 0.999)), "g": (["G"], 2e-4, (0.5, 0.999))}

    def d_loss(self):
        with torch.no_grad():
            fake = self.nets["G"](self.latent(*self.latent_size))
        real, fake = self.nets["D"](self.data), self.nets["D"](fake)
        return F.softplus(-real).mean() + F.softplus(fake).mean()

    def g_loss(self):
        fake = self.nets["G"](self.latent(*self.latent_size))
        return F.softplus(-self.nets["D"](fake, "fake")).mean()

    def run(self):
        self.update("d", "d", self.d_loss)
        self.update("g", "g", self.g_loss)


class MlpGan(Gan):
    latent_size, data_shape = (64,), (784,)

    def networks(self):
        def generate(net, z):
            z = leaky(net.apply_dense("dense.1", leaky(net.apply_dense("dense.0", z))))
            return torch.tanh(net.apply_dense("last", z))

        def judge(net, x, label="real_fake"):
            for n in range(2):
                x = leaky(net.apply_dense(f"dense.{n}", x))
                keep = torch.rand(x.shape, generator=self.generator) >= 0.3
                x = x * self.noise(f"{label}.keep{n}", keep) / 0.7
            return net.apply_dense("last", x)

        big, small = 512 // self.width, 256 // self.width
        nets = {"G": Net(generate), "D": Net(judge)}
        for name, sizes in (("G", (64, small, big, 784)), ("D", (784, big, small, 1))):
            for n, layer in enumerate(("dense.0", "dense.1", "last")):
                nets[name].dense(self.normal, layer, sizes[n], sizes[n + 1])
        return nets

    def d_loss(self):
        with torch.no_grad():
            fake = self.nets["G"](self.latent(64))
        real, fake = self.nets["D"](torch.cat([self.data, fake])).chunk(2)
        return F.softplus(-real).mean() + F.softplus(fake).mean()


class Dcgan(Gan):
    running = True

    def networks(self):
        widths = (512, 256, 128, 64) if self.size == 64 else (256, 128, 64)
        widths = tuple(w // self.width for w in widths)
        kernels = (4, 3, 4) if self.size == 28 else (4,) * len(widths)
        channels = self.data_shape[0]
        return {"G": dcgan_generator(self.normal, channels, widths, kernels),
                "D": dcgan_discriminator(self.normal, channels, widths[::-1], 3 if self.size == 28 else 4,
                                         self.running)}


class WganGp(Dcgan):
    running, batches, numbered = False, 5, True

    def optimizers(self):
        return {"d": (["D"], 1e-4, (0.0, 0.9)), "g": (["G"], 1e-4, (0.0, 0.9))}

    def d_loss(self, real):
        with torch.no_grad():
            fake = self.nets["G"](self.latent(100, 1, 1))
        judge = self.nets["D"]
        value = judge(fake).mean() - judge(real).mean()
        share = self.noise("real_share", torch.rand((self.batch, 1, 1, 1), generator=self.generator))
        between = (share * real + (1 - share) * fake).requires_grad_()
        slope, = torch.autograd.grad(judge(between).sum(), between, create_graph=True)
        return value + 10 * (slope.square().flatten(1).sum(1).sqrt() - 1).square().mean()

    def g_loss(self):
        return -self.nets["D"](self.nets["G"](self.latent(100, 1, 1))).mean()

    def run(self):
        for number, real in enumerate(self.data.split(self.batch)):
            self.update(f"d{number}", "d", self.d_loss, real)
        self.update("g", "g", self.g_loss)


class Vae(Iteration):
    data_low, data_shape = 0.0, (784,)

    def optimizers(self):
        return {"vae": (["encoder", "decoder"], 1e-3, (0.9, 0.999))}

    def networks(self):
        def forward(net, x):
            return net.apply_dense("last", F.relu(net.apply_dense("dense", x)))

        hidden = 400 // self.width
        nets = {"encoder": Net(forward), "decoder": Net(forward)}
        for name, sizes in (("encoder", (784, hidden, 40)), ("decoder", (20, hidden, 784))):
            nets[name].dense(self.normal, "dense", sizes[0], sizes[1])
            nets[name].dense(self.normal, "last", sizes[1], sizes[2])
        return nets

    def loss(self):
        mean, log_variance = self.nets["encoder"](self.data).chunk(2, 1)
        code = mean + self.latent(20) * (log_variance / 2).exp()
        rebuilt = F.binary_cross_entropy_with_logits(self.nets["decoder"](code), self.data, reduction="sum")
        divergence = (mean.square() + log_variance.exp() - 1 - log_variance).sum() / 2
        return (rebuilt + divergence) / self.batch

    def run(self):
        self.update("vae", "vae", self.loss)


MODELS = {"mlp_gan": MlpGan, "vae": Vae,
          "dcgan28": type("Dcgan28", (Dcgan,), {"size": 28, "data_shape": (1, 28, 28)}),
          "dcgan32": type("Dcgan32", (Dcgan,), {"size": 32, "data_shape": (3, 32, 32)}),
          "dcgan64": type("Dcgan64", (Dcgan,), {"size": 64, "data_shape": (3, 64, 64)}),
          "wgan_gp28": type("WganGp28", (WganGp,), {"size": 28, "data_shape": (1, 28, 28)}),
          "wgan_gp32": type("WganGp32", (WganGp,), {"size": 32, "data_shape": (3, 32, 32)})}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=MODELS, required=True)
    parser.add_argument("--batch", type=int, default=3)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    tensors = {key: value.detach().numpy() for key, value in MODELS[options.model](options).dump().items()}
    metadata = {"model": options.model, "batch": str(options.batch), "width": str(options.width),
                "dtype": "float64", "seed": str(options.seed), "torch": torch.__version__}
    safetensors_file.write(options.out, tensors, metadata)
    print(options.out, json.dumps({key: float(numpy.asarray(value)) for key, value in tensors.items()
                                   if key.startswith("loss.")}))


if __name__ == "__main__":
    main()
