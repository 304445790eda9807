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
import torch_nets
from torch_nets import Net, leaky


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
        self.fields = {field: self.samples() for field in self.data_fields}
        self.data = self.fields.get("real")

    data_low, data_fields, batches, numbered = -1.0, ("real",), 1, False

    def samples(self):
        shape = (self.batch * self.batches,) + self.data_shape
        return (self.data_low + (1 - self.data_low) * torch.rand(shape, generator=self.generator)).double()

    def normal(self, shape):
        return torch.randn(shape, generator=self.generator)

    def noise(self, name, values):
        self.tensors[f"noise.{self.noises:03}.{self.label}.{name}"] = values
        self.noises += 1
        return values

    def latent(self, *size):
        return self.noise("z", self.normal((self.batch,) + size).double())

    def dropout(self, name, x, rate):
        keep = torch.rand(x.shape, generator=self.generator) >= rate
        return x * self.noise(name, keep.double()) / (1 - rate)

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
        self.tensors |= {f"data.{field}": values for field, values in self.fields.items()}
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
                x = self.dropout(f"{label}.keep{n}", leaky(net.apply_dense(f"dense.{n}", x)), 0.3)
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
    norm = "batch"

    def networks(self):
        widths = (512, 256, 128, 64) if self.size == 64 else (256, 128, 64)
        widths = tuple(w // self.width for w in widths)
        kernels = (4, 3, 4) if self.size == 28 else (4,) * len(widths)
        channels = self.data_shape[0]
        return {"G": torch_nets.dcgan_generator(self.normal, channels, widths, kernels),
                "D": torch_nets.discriminator(self.normal, channels, widths[::-1], 3 if self.size == 28 else 4, self.norm)}


class KStepGan(Gan):
    """Five updates of D, each on its own batch, then one of G."""

    batches, numbered = 5, True

    def run(self):
        for number, real in enumerate(self.data.split(self.batch)):
            self.update(f"d{number}", "d", self.d_loss, real)
        self.update("g", "g", self.g_loss)

    def scores_of_both(self, real):
        with torch.no_grad():
            fake = self.nets["G"](self.latent(*self.latent_size))
        return fake, *self.nets["D"](torch.cat([real, fake]), "real_fake").chunk(2)

    def g_loss(self):
        return -self.nets["D"](self.nets["G"](self.latent(*self.latent_size)), "fake").mean()


class WganGp(KStepGan, Dcgan):
    norm = "layer"

    def optimizers(self):
        return {"d": (["D"], 1e-4, (0.0, 0.9)), "g": (["G"], 1e-4, (0.0, 0.9))}

    def d_loss(self, real):
        fake, real_scores, fake_scores = self.scores_of_both(real)
        share = torch.rand((self.batch,) + (1,) * (real.dim() - 1), generator=self.generator).double()
        share = self.noise("real_share", share)
        between = (share * real + (1 - share) * fake).requires_grad_()
        slope, = torch.autograd.grad(self.nets["D"](between, "between").sum(), between, create_graph=True)
        penalty = (slope.square().flatten(1).sum(1).sqrt() - 1).square().mean()
        return fake_scores.mean() - real_scores.mean() + 10 * penalty


class WaveGan(WganGp):
    latent_size, data_shape = (100,), (1, 16384)

    def optimizers(self):
        return {"d": (["D"], 1e-4, (0.5, 0.9)), "g": (["G"], 1e-4, (0.5, 0.9))}

    def networks(self):
        def shifts(name, count):
            return self.noise(name, torch.randint(-2, 3, (count,), generator=self.generator))

        return {"G": torch_nets.wave_generator(self.normal, self.width),
                "D": torch_nets.wave_discriminator(self.normal, self.width, shifts)}


class Sngan(KStepGan):
    latent_size, data_shape = (128,), (3, 32, 32)

    def optimizers(self):
        return {"d": (["D"], 2e-4, (0.0, 0.9)), "g": (["G"], 2e-4, (0.0, 0.9))}

    def networks(self):
        return {"G": torch_nets.sngan_generator(self.normal, self.width),
                "D": torch_nets.sngan_discriminator(self.normal, self.width)}

    def d_loss(self, real):
        _, real_scores, fake_scores = self.scores_of_both(real)
        return F.relu(1 - real_scores).mean() + F.relu(1 + fake_scores).mean()


class Pix2pix(Iteration):
    """One pass of G, which both updates share."""

    data_fields, data_shape = ("a", "b"), (3, 256, 256)

    def optimizers(self):
        return {"d": (["D"], 2e-4, (0.5, 0.999)), "g": (["G"], 2e-4, (0.5, 0.999))}

    def networks(self):
        widths = [n // self.width for n in (64, 128, 256, 512)]
        return {"G": torch_nets.unet(self.normal, self.width, lambda name, x: self.dropout(name, x, 0.5)),
                "D": torch_nets.discriminator(self.normal, 6, widths, 4, "batch", 1, (2, 2, 2, 1))}

    def d_loss(self, fake):
        a, b = self.fields.values()
        real, fake = (self.nets["D"](torch.cat([a, other], 1)) for other in (b, fake.detach()))
        return (F.softplus(-real).mean() + F.softplus(fake).mean()) / 2

    def g_loss(self, fake):
        a, b = self.fields.values()
        return F.softplus(-self.nets["D"](torch.cat([a, fake], 1))).mean() + 100 * (fake - b).abs().mean()

    def run(self):
        self.label = "shared"
        fake = self.nets["G"](self.fields["a"])
        self.update("d", "d", self.d_loss, fake)
        self.update("g", "g", self.g_loss, fake)


class Cyclegan(Iteration):
    data_fields, data_shape = ("a", "b"), (3, 128, 128)

    def optimizers(self):
        return {"g": (["G_AB", "G_BA"], 2e-4, (0.5, 0.999)), "d_a": (["D_A"], 2e-4, (0.5, 0.999)),
                "d_b": (["D_B"], 2e-4, (0.5, 0.999))}

    def networks(self):
        widths = [n // self.width for n in (64, 128, 256, 512)]
        return ({net: torch_nets.resnet(self.normal, self.width) for net in ("G_AB", "G_BA")} |
                {net: torch_nets.discriminator(self.normal, 3, widths, 4, "instance", 1, (2, 2, 2, 1))
                 for net in ("D_A", "D_B")})

    def g_loss(self, fake_a, fake_b):
        a, b = self.fields.values()
        to_a, to_b = self.nets["G_BA"], self.nets["G_AB"]
        judged = (self.nets["D_A"](fake_a) - 1).square().mean() + (self.nets["D_B"](fake_b) - 1).square().mean()
        cycle = (to_a(fake_b) - a).abs().mean() + (to_b(fake_a) - b).abs().mean()
        identity = (to_a(a) - a).abs().mean() + (to_b(b) - b).abs().mean()
        return judged + 10 * cycle + 5 * identity

    def d_loss(self, judge, real, fake):
        return ((self.nets[judge](real) - 1).square().mean() + self.nets[judge](fake.detach()).square().mean()) / 2

    def run(self):
        a, b = self.fields.values()
        fake_a, fake_b = self.nets["G_BA"](b), self.nets["G_AB"](a)
        self.update("g", "g", self.g_loss, fake_a, fake_b)
        self.update("d_a", "d_a", self.d_loss, "D_A", a, fake_a)
        self.update("d_b", "d_b", self.d_loss, "D_B", b, fake_b)


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
          "wgan_gp32": type("WganGp32", (WganGp,), {"size": 32, "data_shape": (3, 32, 32)}),
          "sngan32": Sngan, "pix2pix256": Pix2pix, "cyclegan128": Cyclegan, "wavegan": WaveGan}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=MODELS, required=True)
    parser.add_argument("--batch", type=int, default=3)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    iteration = MODELS[options.model](options)
    tensors = {key: value.detach().numpy() for key, value in iteration.dump().items()}
    players = {player: {"networks": names} for player, (names, _) in iteration.players.items()}
    metadata = {"players": json.dumps(players), "model": options.model, "batch": str(options.batch), "width": str(options.width),
                "dtype": "float64", "seed": str(options.seed), "torch": torch.__version__}
    safetensors_file.write(options.out, tensors, metadata)
    print(options.out, json.dumps({key: float(numpy.asarray(value)) for key, value in tensors.items()
                                   if key.startswith("loss.")}))


if __name__ == "__main__":
    main()
