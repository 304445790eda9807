"""What a reference file's nets, layers and draws are called in the benchmark models' `.gan` files."""


def numbered(name, index):
    """The name of the index-th call in a body: dense, dense_2, dense_3."""
    return name if index == 0 else f"{name}_{index + 1}"


def row(theirs, ours, count, first=0):
    """theirs.0, theirs.1, ... -> ours, ours_2, ..., the first of them at call `first` of its kind."""
    return {f"{theirs}.{n}": numbered(ours, first + n) for n in range(count)}


def convolutions(kind, norm, levels):
    """The generator of DCGAN, or a discriminator of convolutions: a norm behind all but the outermost."""
    if kind == "deconv":
        return row("deconvs", kind, levels) | row("norms", norm, levels) | {"last": numbered(kind, levels)}
    return ({"first": kind} | row("convs", kind, levels - 1, first=1) | row("norms", norm, levels - 1) |
            {"last": numbered(kind, levels)})


def dcgan(levels, norm):
    return {"G": convolutions("deconv", "batchnorm", levels), "D": convolutions("conv", norm, levels)}


def mlp_gan():
    layers = row("dense", "dense", 2) | {"last": "dense_3"}
    return {"G": layers, "D": layers}


def vae():
    layers = {"dense": "dense", "last": "dense_2"}
    return {"Encoder": layers, "Decoder": layers}


def sngan32():
    generator = {"dense": "dense", "norm": "batchnorm", "last": "conv"}
    for n in range(3):
        block = numbered("up", n)
        parts = {"norm1": "batchnorm", "conv1": "conv", "norm2": "batchnorm_2", "conv2": "conv_2", "shortcut": "conv_3"}
        generator |= {f"blocks.{n}.{theirs}": f"{block}.{ours}" for theirs, ours in parts.items()}
    judge = {"last": "dense"}
    for n, block in enumerate(("down", "down_2", "residual", "residual_2")):
        parts = {"conv1": "conv", "conv2": "conv_2"} | ({"shortcut": "conv_3"} if n < 2 else {})
        judge |= {f"blocks.{n}.{theirs}": f"{block}.{ours}" for theirs, ours in parts.items()}
    return {"G": generator, "D": judge}


def pix2pix256():
    generator = {f"downs.{n}": f"conv[{n}]" for n in range(8)}
    generator |= {f"down_norms.{n}": f"batchnorm[{n + 1}]" for n in range(6)}
    generator |= {f"ups.{n}": f"deconv[{n}]" for n in range(7)} | {"ups.7": "deconv_2"}
    generator |= {f"up_norms.{n}": f"batchnorm_2[{n}]" for n in range(7)}
    return {"G": generator, "D": convolutions("conv", "batchnorm", 4)}


def cyclegan128():
    translate = {"first": "conv", "last": "conv_4"} | row("downs", "conv", 2, first=1) | row("ups", "deconv", 2)
    for n in range(6):
        translate |= {f"blocks.{n}.conv1": f"residual[{n}].conv", f"blocks.{n}.conv2": f"residual[{n}].conv_2"}
    patches = convolutions("conv", "", 4)  # its norms have no weights

    def inside(layer, names):
        return {theirs: f"{layer}.{ours}" for theirs, ours in names.items()}

    return {"G_AB": inside("translate", translate), "G_BA": inside("translate", translate),
            "D_A": inside("patches", patches), "D_B": inside("patches", patches)}


def wavegan():
    generator = {"dense": "dense", "last": "deconv_2"} | {f"deconvs.{n}": f"deconv[{256 >> n}]" for n in range(4)}
    judge = {"convs.0": "conv", "last": "dense"} | {f"convs.{n}": f"conv_2[{32 << n}]" for n in range(1, 5)}
    return {"G": generator, "D": judge}


# Model -> net -> their layer -> ours. Nets are called alike, but for the first letter's case.
LAYERS = {
    "mlp_gan": mlp_gan(), "vae": vae(), "dcgan28": dcgan(3, "batchnorm"), "dcgan32": dcgan(3, "batchnorm"),
    "dcgan64": dcgan(4, "batchnorm"), "wgan_gp28": dcgan(3, "layernorm"), "wgan_gp32": dcgan(3, "layernorm"),
    "sngan32": sngan32(), "pix2pix256": pix2pix256(), "cyclegan128": cyclegan128(), "wavegan": wavegan()}


def net_name(theirs):
    return theirs[0].upper() + theirs[1:]


def variable(model, net, theirs):
    """The language's name of a parameter or buffer `theirs` of their `net`."""
    layer, _, part = theirs.rpartition(".")
    place = f"{net_name(net)}.{LAYERS[model][net_name(net)][layer]}"
    if part == "u":
        return f"{place}.w.spectral_norm.u"
    if "norm" in layer:
        return f"{place}.{'gain' if part == 'weight' else part}"
    return f"{place}.{part[0]}"


def vanishes(model, net, theirs):
    """Whether its gradient is zero in mathematics (a norm behind removes it), so that only rounding is left of it."""
    return model == "sngan32" and net == "G" and theirs.endswith(("conv2.bias", "shortcut.bias"))


def draws(model, update, what, values):
    """The entries of a feed that a recorded draw `what` of an update gives: key -> values."""
    if what == "z":
        return {"draw/eps" if model == "vae" else f"draw/{update}/z": values.reshape(len(values), -1)}
    if what == "real_share":
        return {f"draw/{update}/gradient_penalty.t": 1 - values.reshape(len(values))}
    call, _, draw = what.rpartition(".")
    if model == "pix2pix256":  # up1.keep
        return {f"draw/G.dropout[{call[-1]}].{draw}": values}
    number = int(draw[-1])
    if draw.startswith("keep"):
        place, calls = f"{numbered('dropout', number)}.keep", ("D", "D_2")
    else:  # ours is where the window begins in the padded sequence, theirs how far the sequence moves
        place, calls, values = f"phase_shuffle[{32 << number}].shift", ("D_2", "D"), 2 - values
    if call == "real_fake":  # one batch of theirs, two calls of ours
        half = len(values) // 2
        return {f"draw/{update}/{calls[0]}.{place}": values[:half], f"draw/{update}/{calls[1]}.{place}": values[half:]}
    return {f"draw/{update}/{'gradient_penalty.D' if call == 'between' else 'D'}.{place}": values}
