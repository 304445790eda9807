"""The networks of the benchmark models in PyTorch, as functions over named parameters."""
import torch
from torch.nn import functional as F


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

    def spectral(self, draw, name, outputs):
        self.buffers[f"{name}.u"] = F.normalize(draw((outputs,)).double(), dim=0)

    def spectrally_normalised(self, name):
        """The weight over its largest singular value, as one power iteration, which moves u, sees it."""
        weight, u = self.parameters[f"{name}.weight"], self.buffers[f"{name}.u"]
        matrix = weight.flatten(1)
        with torch.no_grad():
            v = F.normalize(matrix.T @ u, dim=0)
            u.copy_(F.normalize(matrix @ v, dim=0))
        return weight / (u @ matrix @ v)

    def conv2d(self, name, x, **more):
        return F.conv2d(x, self.parameters[f"{name}.weight"], self.parameters.get(f"{name}.bias"), **more)

    def deconv(self, name, x, **more):
        convolve = F.conv_transpose2d if x.dim() == 4 else F.conv_transpose1d
        return convolve(x, self.parameters[f"{name}.weight"], self.parameters.get(f"{name}.bias"), **more)

    def apply_dense(self, name, x):
        return F.linear(x, self.parameters[f"{name}.weight"], self.parameters[f"{name}.bias"])


def dcgan_generator(draw, channels, widths, kernels):
    def forward(net, z):
        x = z
        for n in range(len(widths)):
            x = net.deconv(f"deconvs.{n}", x, stride=min(n + 1, 2), padding=min(n, 1))
            x = F.relu(net.normalise(f"norms.{n}", x))
        return torch.tanh(net.deconv("last", x, stride=2, padding=1))

    net, inputs = Net(forward), 100
    for n, (outputs, kernel) in enumerate(zip(widths, kernels)):
        net.conv(draw, f"deconvs.{n}", (inputs, outputs, kernel, kernel), inputs * (1 if n == 0 else 4))
        net.norm(draw, f"norms.{n}", outputs, running=True)
        inputs = outputs
    net.conv(draw, "last", (inputs, channels, 4, 4), inputs * 4, bias=channels)
    return net


def discriminator(draw, channels, widths, last_kernel, norm, last_padding=0, strides=(2, 2, 2, 2)):
    """DCGAN's and, with one more padded pixel behind and a stride of 1 before, the one of patches."""
    def forward(net, x, label=None):
        x = leaky(net.conv2d("first", x, stride=strides[0], padding=1))
        for n in range(len(widths) - 1):
            x = net.conv2d(f"convs.{n}", x, stride=strides[n + 1], padding=1)
            x = leaky(F.instance_norm(x) if norm == "instance" else net.normalise(f"norms.{n}", x))
        return net.conv2d("last", x, padding=last_padding)

    net = Net(forward)
    net.conv(draw, "first", (widths[0], channels, 4, 4), channels * 16, bias=widths[0])
    for n, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
        net.conv(draw, f"convs.{n}", (outputs, inputs, 4, 4), inputs * 16)
        if norm != "instance":
            net.norm(draw, f"norms.{n}", outputs, running=norm == "batch")
    net.conv(draw, "last", (1, widths[-1], last_kernel, last_kernel), widths[-1] * last_kernel ** 2, bias=1)
    return net


def sngan_generator(draw, width):
    channels = 256 // width

    def up(x):
        return F.interpolate(x, scale_factor=2)

    def forward(net, z):
        x = net.apply_dense("dense", z).view(-1, channels, 4, 4)
        for n in range(3):
            h = net.conv2d(f"blocks.{n}.conv1", up(F.relu(net.normalise(f"blocks.{n}.norm1", x))), padding=1)
            h = net.conv2d(f"blocks.{n}.conv2", F.relu(net.normalise(f"blocks.{n}.norm2", h)), padding=1)
            x = h + net.conv2d(f"blocks.{n}.shortcut", up(x))
        return torch.tanh(net.conv2d("last", F.relu(net.normalise("norm", x)), padding=1))

    net = Net(forward)
    net.dense(draw, "dense", 128, 16 * channels)
    for n in range(3):
        for part, kernel, bias in (("conv1", 3, None), ("conv2", 3, channels), ("shortcut", 1, channels)):
            shape = (channels, channels, kernel, kernel)
            net.conv(draw, f"blocks.{n}.{part}", shape, channels * kernel ** 2, bias)
        for part in ("norm1", "norm2"):
            net.norm(draw, f"blocks.{n}.{part}", channels, running=True)
    net.norm(draw, "norm", channels, running=True)
    net.conv(draw, "last", (3, channels, 3, 3), channels * 9, bias=3)
    return net


def sngan_discriminator(draw, width):
    channels = 128 // width

    def conv(net, layer, x, padding=0):
        return F.conv2d(x, net.spectrally_normalised(layer), net.parameters[f"{layer}.bias"], padding=padding)

    def forward(net, x, label=None):
        for n in range(4):
            h = conv(net, f"blocks.{n}.conv1", F.relu(x) if n else x, padding=1)
            h = conv(net, f"blocks.{n}.conv2", F.relu(h), padding=1)
            x = F.avg_pool2d(h + conv(net, f"blocks.{n}.shortcut", x), 2) if n < 2 else h + x
        return F.linear(F.relu(x).sum((2, 3)), net.spectrally_normalised("last"), net.parameters["last.bias"])

    net = Net(forward)
    for n in range(4):
        inputs = channels if n else 3
        for part, ins, kernel in (("conv1", inputs, 3), ("conv2", channels, 3), ("shortcut", inputs, 1))[:3 - n // 2]:
            shape = (channels, ins, kernel, kernel)
            net.conv(draw, f"blocks.{n}.{part}", shape, ins * kernel ** 2, bias=channels)
            net.spectral(draw, f"blocks.{n}.{part}", channels)
    net.dense(draw, "last", channels, 1)
    net.spectral(draw, "last", 1)
    return net


def unet(draw, width, dropout):
    downs = [3] + [min(64 << n, 512) // width for n in range(8)]
    ups = downs[-2:0:-1] + [3]

    def forward(net, x):
        h, skips = net.conv2d("downs.0", x, stride=2, padding=1), []
        for n in range(1, 8):
            skips.append(leaky(h))
            h = net.conv2d(f"downs.{n}", skips[-1], stride=2, padding=1)
            h = net.normalise(f"down_norms.{n - 1}", h) if n < 7 else h
        for n in range(7):
            h = net.normalise(f"up_norms.{n}", net.deconv(f"ups.{n}", F.relu(h), stride=2, padding=1))
            h = torch.cat([skips.pop(), dropout(f"up{n}.keep", h) if 1 <= n <= 3 else h], 1)
        return torch.tanh(net.deconv("ups.7", F.relu(h), stride=2, padding=1))

    net = Net(forward)
    for n, (inputs, outputs) in enumerate(zip(downs, downs[1:])):
        net.conv(draw, f"downs.{n}", (outputs, inputs, 4, 4), inputs * 16, outputs if n in (0, 7) else None)
        if 1 <= n < 7:
            net.norm(draw, f"down_norms.{n - 1}", outputs, running=True)
    for n, outputs in enumerate(ups):
        inputs = (2 if n else 1) * downs[8 - n]
        net.conv(draw, f"ups.{n}", (inputs, outputs, 4, 4), inputs * 4, outputs if n == 7 else None)
        if n < 7:
            net.norm(draw, f"up_norms.{n}", outputs, running=True)
    return net


def resnet(draw, width):
    c = 64 // width

    def reflected(x, size):
        return F.pad(x, (size,) * 4, mode="reflect")

    def forward(net, x):
        x = F.relu(F.instance_norm(net.conv2d("first", reflected(x, 3))))
        for n in range(2):
            x = F.relu(F.instance_norm(net.conv2d(f"downs.{n}", x, stride=2, padding=1)))
        for n in range(6):
            h = F.relu(F.instance_norm(net.conv2d(f"blocks.{n}.conv1", reflected(x, 1))))
            x = x + F.instance_norm(net.conv2d(f"blocks.{n}.conv2", reflected(h, 1)))
        for n in range(2):
            x = F.relu(F.instance_norm(net.deconv(f"ups.{n}", x, stride=2, padding=1, output_padding=1)))
        return torch.tanh(net.conv2d("last", reflected(x, 3)))

    net = Net(forward)
    net.conv(draw, "first", (c, 3, 7, 7), 3 * 49)
    for n in range(2):
        net.conv(draw, f"downs.{n}", (2 * c << n, c << n, 3, 3), (c << n) * 9)
    for n in range(6):
        for part in ("conv1", "conv2"):
            net.conv(draw, f"blocks.{n}.{part}", (4 * c, 4 * c, 3, 3), 4 * c * 9)
    for n in range(2):
        net.conv(draw, f"ups.{n}", (4 * c >> n, 2 * c >> n, 3, 3), (4 * c >> n) * 2)
    net.conv(draw, "last", (3, c, 7, 7), c * 49, bias=3)
    return net


def wave_generator(draw, width):
    sizes = [n // width for n in (512, 256, 128, 64, 32)]

    def forward(net, z):
        x = F.relu(net.apply_dense("dense", z)).view(len(z), -1, 16)
        for n in range(4):
            x = F.relu(net.deconv(f"deconvs.{n}", x, stride=4, padding=11, output_padding=1))
        return torch.tanh(net.deconv("last", x, stride=4, padding=11, output_padding=1))

    net = Net(forward)
    net.dense(draw, "dense", 100, 16 * sizes[0])
    for n, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
        net.conv(draw, f"deconvs.{n}", (inputs, outputs, 25), inputs * 6, bias=outputs)
    net.conv(draw, "last", (sizes[-1], 1, 25), sizes[-1] * 6, bias=1)
    return net


def wave_discriminator(draw, width, shifts):
    sizes = [1] + [(32 << n) // width for n in range(5)]

    def shuffled(x, moved):
        """Each sequence moved to the right by its shift, the gap filled by reflection."""
        wide, length = F.pad(x, (2, 2), mode="reflect"), x.shape[2]
        return torch.stack([row[:, 2 - int(by):2 - int(by) + length] for row, by in zip(wide, moved)])

    def forward(net, x, label="fake"):
        for n in range(5):
            x = shuffled(x, shifts(f"{label}.shift{n}", len(x))) if n else x
            x = leaky(F.conv1d(x, net.parameters[f"convs.{n}.weight"], net.parameters[f"convs.{n}.bias"], 4, 11))
        return net.apply_dense("last", x.flatten(1))

    net = Net(forward)
    for n, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
        net.conv(draw, f"convs.{n}", (outputs, inputs, 25), inputs * 25, bias=outputs)
    net.dense(draw, "last", 16 * sizes[-1], 1)
    return net
