#!/usr/bin/env python3
"""`sample`, `step`, `forward`, `grad`, `info`, `serve` and the command line."""
import json
import math
import os
import pathlib
import resource
import signal
import struct
import subprocess
import time
import unittest

from harness import ToyTest, npy_bytes, read_tensors, tensor_bytes


def read_npy(path):
    data = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<H", data[8:10])
    header = eval(data[10 : 10 + length])  # pylint: disable=eval-used
    count = math.prod(header["shape"])
    return header["shape"], list(struct.unpack(f"<{count}f", data[10 + length :]))


class AfterARun(ToyTest):
    def setUp(self):
        super().setUp()
        self.run_toy("train", "--out", "a", "--steps", 3)
        self.checkpoint = self.folder / "a" / "checkpoint_000003.safetensors"
        self.tensors = read_tensors(self.checkpoint)

    def weights(self, name):
        return self.tensors[name][2]

    def write(self, name, tensors, header=None):
        (self.folder / name).write_bytes(tensor_bytes(tensors, header))


class Sample(AfterARun):
    def test_sample_i_is_the_same_whatever_the_count(self):
        for count in (1, 16, 17, 40):
            self.run_toy("sample", "a", "--count", count, "-o", f"{count}.npy")
        shape, most = read_npy(self.folder / "40.npy")
        self.assertEqual(shape, (40, 2))
        for count in (1, 16, 17):
            self.assertEqual(read_npy(self.folder / f"{count}.npy")[1], most[: 2 * count])
        self.assertNotEqual(most[:2], most[32:34])
        self.run_toy("sample", "a", "--seed", 9, "-o", "other.npy")
        self.assertNotEqual(read_npy(self.folder / "other.npy")[1], most[:32])

    def test_latents_of_a_file_and_of_a_value(self):
        w, b = self.weights("G.w"), self.weights("G.b")
        (self.folder / "z.npy").write_bytes(npy_bytes((3, 2), [1, 2, 3, 4, 5, 6]))
        self.run_toy("sample", "a", "--input", "z=z.npy", "-o", "out.npy")
        shape, values = read_npy(self.folder / "out.npy")
        self.assertEqual(shape, (3, 2))
        for i, value in enumerate(values):
            self.assertAlmostEqual(value, w[i % 2] * (i + 1) + b[i % 2], places=5)
        self.run_toy("sample", "a", "--input", "z=0", "--count", 2, "-o", "out.npy")
        for i, value in enumerate(read_npy(self.folder / "out.npy")[1]):
            self.assertAlmostEqual(value, b[i % 2], places=6)

    def test_default_output_and_json(self):
        done = self.run_toy("sample", "a/checkpoint_000003.safetensors")
        self.assertEqual(done.stdout, "samples.png\n")
        self.assertEqual(self.bytes("samples.png")[:4], b"\x89PNG")
        done = self.run_toy("sample", "a", "--format", "json", "-o", "b.npy")
        self.assertEqual(json.loads(done.stdout), {"output": "samples", "count": 16, "step": 3, "files": ["b.npy"]})

    def test_mistakes(self):
        self.fails(2, "sample", says="sample needs RUN|CHECKPOINT")
        self.fails(1, "sample", "nowhere", says="cannot read nowhere: No such file or directory")
        (self.folder / "empty").mkdir()
        self.fails(1, "sample", "empty", says="empty has no checkpoint")
        self.fails(2, "sample", "a", "--output", "x", says=["`--output x`", "there are: samples"])
        self.fails(2, "sample", "a", "-o", "x.gif", says="the ending is none of .png, .npy")
        self.fails(2, "sample", "a", "-o", "x/", says="has no single pictures")
        self.fails(2, "sample", "a", "--count", 0, says="asks for no sample")
        self.fails(2, "sample", "a", "--input", "z", says="is not NAME=VALUE")
        self.fails(2, "sample", "a", "--input", "y=1", says=["no input `y`", "it has z"])
        self.fails(2, "sample", "a", "--input", "z=one", says="one is neither a number nor an array")
        self.fails(1, "sample", "a", "--input", "z=no.npy", says="cannot read no.npy")
        (self.folder / "z.npy").write_bytes(npy_bytes((3, 3), range(9)))
        self.fails(1, "sample", "a", "--input", "z=z.npy", says="the array is [3, 3], and samples of [2] are needed: [2] or [n, 2]")
        (self.folder / "z.npy").write_bytes(npy_bytes((3, 2), range(6), fortran=True))
        self.fails(1, "sample", "a", "--input", "z=z.npy", says="Fortran order; save numpy.ascontiguousarray(a)")
        self.fails(1, "sample", "a", "-o", "no/such/folder/x.npy", says="No such file or directory")

    def test_more_samples_than_there_is_memory_for(self):
        for count in (99999999999999, 2**63 - 1):
            done = self.fails(1, "sample", "a", "--count", count, "-o", "x.npy", "--format", "json",
                              says=[f"{count} samples of output samples take", "--count"])
            self.assertEqual(json.loads(done.stdout)["exit_code"], 1)

    def test_memory_that_the_system_does_not_give(self):
        limit = 1 << 26  # enough for the samples, not for their picture too
        done = self.fails(1, "sample", "a", "--threads", 1, "--count", 6_000_000, "--format", "json", says="cannot get the memory that this takes",
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
        self.assertEqual(json.loads(done.stdout)["exit_code"], 1)

    def test_fields_that_are_given_need_no_data(self):
        env, z = {"TOY_OUTPUT_OF_DATA": "1"}, [float(i) for i in range(32)]
        self.run_toy("sample", "a", "-o", "x.npy", env=env)
        self.fails(1, "sample", "a", "--data", "gone.npy", "-o", "x.npy", env=env, says="no such file or folder")
        (self.folder / "x0.npy").write_bytes(npy_bytes((16, 2), z))
        self.run_toy("sample", "a", "--data", "gone.npy", "--input", "x=x0.npy", "-o", "x.npy", env=env)
        w, b = self.weights("G.w"), self.weights("G.b")
        for i, value in enumerate(read_npy(self.folder / "x.npy")[1]):
            self.assertAlmostEqual(value, w[i % 2] * z[i] + b[i % 2], places=4)

    def test_classes_of_a_draw(self):
        env = {"TOY_CLASSES": "3"}
        for value in (3, -1, 99):
            self.fails(2, "sample", "a", "--input", f"z={value}", env=env, says=f"`--input z={value}`: {value} is no class from 0 to 2")
        self.run_toy("sample", "a", "--input", "z=2", env=env)

    def test_plain_weights(self):
        self.write("w", {"G.w": ("F32", [2], [0, 0]), "G.b": ("F32", [2], [7, 8]), "D.v": ("F32", [2], [0, 0])})
        self.run_toy("sample", "w", "--count", 1, "-o", "x.npy")
        self.assertEqual(read_npy(self.folder / "x.npy")[1], [7, 8])
        self.write("w", {"G.w": ("F32", [2], [0, 0])})
        self.fails(1, "sample", "w", says=["it lacks the weights G.b, D.v", "train --init"])
        self.write("w", {"G.w": ("F32", [3], [0, 0, 0])})
        self.fails(1, "sample", "w", says="`G.w` is [3] there, and [2] in the program")

    def test_another_program(self):
        self.fails(1, "sample", "a", env={"TOY_HASH": "other"}, says="was made by another program than this trainer")


class Step(AfterARun):
    def feed(self):
        keys = {"data/x": 0, "data/D#1/x": 1, "draw/D#0/z": 2, "draw/D#1/z": 3, "draw/G/z": 4}
        return {key: ("F32", [8, 2], [math.sin(16 * n + i) for i in range(16)]) for key, n in keys.items()}

    def step(self, *more, feed="feed", **options):
        return self.run_toy("step", "--from", self.checkpoint, "--feed", feed, "--to", "out", *more, **options)

    def reference(self, feed):
        """One iteration in double precision."""
        w, b, v = self.weights("G.w"), self.weights("G.b"), self.weights("D.v")
        m_v, m_w = self.weights("slot/D/D.v/m"), self.weights("slot/G/G.w/m")
        losses, gradients = {}, {}
        for repeat, field in ((0, "data/x"), (1, "data/D#1/x")):
            z, x = feed[f"draw/D#{repeat}/z"][2], feed[field][2]
            difference = [sum(w[k] * z[2 * i + k] + b[k] - x[2 * i + k] for i in range(8)) / 8 for k in range(2)]
            losses[f"loss/D#{repeat}"] = sum(v[k] * difference[k] + v[k] ** 2 / 2 for k in range(2))
            gradient = [difference[k] + v[k] for k in range(2)]
            gradients[f"grad/D#{repeat}/D.v"] = gradient
            m_v = [0.5 * m_v[k] + gradient[k] for k in range(2)]
            v = [v[k] - 0.1 * m_v[k] for k in range(2)]
        z = feed["draw/G/z"][2]
        mean_z = [sum(z[2 * i + k] for i in range(8)) / 8 for k in range(2)]
        losses["loss/G"] = -sum(v[k] * (w[k] * mean_z[k] + b[k]) for k in range(2))
        gradients["grad/G/G.w"] = [-v[k] * mean_z[k] for k in range(2)]
        gradients["grad/G/G.b"] = [-v[k] for k in range(2)]
        m_w = [0.5 * m_w[k] + gradients["grad/G/G.w"][k] for k in range(2)]
        b = [b[k] + 0.1 * v[k] for k in range(2)]
        losses["loss/R"] = sum(c * c for c in v)  # step 3 is one of every 3
        v = [0.9 * c for c in v]
        return losses, gradients, {"G.w": [w[k] - 0.1 * m_w[k] for k in range(2)], "G.b": b, "D.v": v}

    def test_agrees_with_the_mathematics(self):
        feed = self.feed()
        self.write("feed", feed)
        self.step()
        out = read_tensors(self.folder / "out")
        losses, gradients, weights = self.reference(feed)
        for name, value in losses.items():
            self.assertAlmostEqual(out[name][2][0], value, places=5, msg=name)
        for name, values in {**gradients, **weights}.items():
            for mine, theirs in zip(out[name][2], values, strict=True):
                self.assertAlmostEqual(mine, theirs, places=5, msg=name)
        counters = json.loads(out[None]["ganc"])
        self.assertEqual((counters["step"], counters["sources"][0]["position"]), (4, 64))
        # The result is a checkpoint: the next step takes it, and what no condition allowed is not there.
        self.run_toy("step", "--from", "out", "--feed", "feed", "--to", "out2")
        self.assertNotIn("loss/R", read_tensors(self.folder / "out2"))
        # Equal states are equal files.
        self.step("--threads", 1)
        self.assertEqual(read_tensors(self.folder / "out"), out)

    def test_a_fed_step_equals_a_training_step(self):
        """The checkpoint of a step on the run's own draws is the run's next but for results."""
        self.write("feed", self.feed())
        self.step()
        stepped = json.loads(read_tensors(self.folder / "out")[None]["ganc"])
        self.run_toy("train", "--resume", "a", "--steps", 4)
        trained = json.loads(read_tensors(self.folder / "a" / "checkpoint_000004.safetensors")[None]["ganc"])
        for key in ("step", "block", "block_step", "sources", "seed", "isa"):
            self.assertEqual(stepped[key], trained[key], key)

    def test_double_precision_feeds_are_rounded(self):
        self.write("feed", self.feed())
        self.step()
        first = read_tensors(self.folder / "out")
        self.write("feed", {k: ("F64", s, [struct.unpack("<f", struct.pack("<f", v))[0] for v in n])
                            for k, (_, s, n) in self.feed().items()})
        self.step()
        self.assertEqual(read_tensors(self.folder / "out")["G.w"], first["G.w"])

    def test_keys_that_are_wrong(self):
        feed = self.feed()
        del feed["data/x"], feed["draw/G/z"]
        feed["draw/H/z"] = feed["draw/D#0/z"]
        feed["draw/D#0/z"] = ("F32", [4, 4], [0] * 16)
        self.write("feed", feed)
        self.step_fails(["it lacks `data/x` f32 [8, 2], `draw/G/z` f32 [8, 2]", "`draw/D#0/z` is [4, 4] and must be [8, 2]",
                         "nothing reads its `draw/H/z`", "info --feed"])
        self.step_fails(["cannot read nowhere"], feed="nowhere")

    def step_fails(self, says, feed="feed"):
        self.fails(1, "step", "--from", self.checkpoint, "--feed", feed, "--to", "out", says=says)
        self.assertFalse((self.folder / "out").exists())

    def test_plain_weights_and_the_end_of_the_schedule(self):
        self.write("feed", self.feed())
        self.write("w", {"G.w": ("F32", [2], [1, 1]), "G.b": ("F32", [2], [0, 0]), "D.v": ("F32", [2], [1, 0])})
        self.run_toy("step", "--from", "w", "--feed", "feed", "--to", "out")
        self.assertEqual(json.loads(read_tensors(self.folder / "out")[None]["ganc"])["step"], 1)
        self.run_toy("train", "--resume", "a", "--epochs", 3)
        self.fails(1, "step", "--from", "a/checkpoint_000012.safetensors", "--feed", "feed", "--to", "out",
                   says="stands at the end of the schedule")

    def test_the_options_it_needs(self):
        for left_out in ("--from", "--feed", "--to"):
            arguments = [a for o in ("--from", "--feed", "--to") if o != left_out for a in (o, "x")]
            self.fails(2, "step", *arguments, says=f"step needs {left_out}")

    def test_forward(self):
        z = [float(i) for i in range(16)]
        self.write("feed", {"arg/z": ("F32", [8, 2], z)})
        self.run_toy("forward", "--net", "G", "--from", "a/latest.safetensors", "--feed", "feed", "--to", "out")
        out = read_tensors(self.folder / "out")["out"]
        self.assertEqual(out[:2], ("F32", [8, 2]))
        w, b = self.weights("G.w"), self.weights("G.b")
        for i in range(16):
            self.assertAlmostEqual(out[2][i], w[i % 2] * z[i] + b[i % 2], places=4)
        self.fails(2, "forward", "--net", "X", "--from", "a/latest.safetensors", "--feed", "feed", "--to", "out",
                   says=["`--net X`", "there are: G"])
        self.fails(2, "forward", "--from", "x", "--feed", "x", "--to", "x", says="forward needs --net")

    def test_grad(self):
        feed = self.feed()
        self.write("feed", {"data/x": feed["data/x"], "draw/D/z": feed["draw/D#0/z"]})
        done = self.run_toy("grad", "--of", "D", "--from", self.checkpoint, "--feed", "feed", "--to", "out", "--format", "json")
        self.assertEqual(json.loads(done.stdout), {"file": "out"})
        losses, gradients, _ = self.reference(feed)
        out = read_tensors(self.folder / "out")
        self.assertAlmostEqual(out["loss/D"][2][0], losses["loss/D#0"], places=5)
        for mine, theirs in zip(out["grad/D/D.v"][2], gradients["grad/D#0/D.v"], strict=True):
            self.assertAlmostEqual(mine, theirs, places=5)
        self.fails(2, "grad", "--of", "Q", "--from", self.checkpoint, "--feed", "feed", "--to", "out", says="there are: D")


class Info(AfterARun):
    def test_text(self):
        text = self.run_toy("info", "a").stdout
        for part in ("toy", "6 parameters", "G.w", "D.seen", "Optimizers", "3 epochs, batch 8", "iteration", "Memory",
                     "toy-hash", "step 3, seed 0", "is right"):
            self.assertIn(part, text)

    def test_json(self):
        info = json.loads(self.run_toy("info", "--format", "json", self.checkpoint).stdout)
        self.assertEqual(info["parameters"], 6)
        self.assertEqual([v["name"] for v in info["variables"] if v["kind"] == "state"], ["D.seen"])
        self.assertEqual(info["checkpoint"]["step"], 3)
        self.assertEqual(info["optimizers"], [{"update": "D", "numbers": 2}, {"update": "G", "numbers": 2}])

    def test_feed(self):
        keys = json.loads(self.run_toy("info", "--feed", "--format", "json").stdout)
        self.assertEqual([k["key"] for k in keys], ["data/x", "data/D#1/x", "draw/D#0/z", "draw/D#1/z", "draw/G/z"])
        self.assertEqual(keys[-1], {"train": "", "key": "draw/G/z", "type": "f32 [8, 2]", "distribution": "normal",
                                    "line": "toy.gan:2"})
        self.assertIn("draw/D#0/z", self.run_toy("info", "--feed").stdout)

    def test_profile(self):
        profile = json.loads(self.run_toy("info", "--profile", "--format", "json").stdout)
        self.assertEqual(len(profile["calls"]), 15)
        self.assertGreater(profile["limits"]["flops"], 1e9)
        times = [call["ms"] for call in profile["calls"]]
        self.assertEqual(times, sorted(times, reverse=True))
        self.assertAlmostEqual(profile["calls_ms"], sum(times), places=6)
        self.assertIn("an iteration", self.run_toy("info", "--profile").stdout)

    def test_foreign_and_plain_files(self):
        self.assertIn("of another program", self.run_toy("info", "a", env={"TOY_HASH": "other"}).stdout)
        self.write("w", {"x": ("F32", [1], [0])})
        self.assertIn("plain weights", self.run_toy("info", "w").stdout)
        self.fails(1, "info", "nowhere", says="cannot read nowhere")


class HostileFiles(AfterARun):
    """safetensors files that lie: each ends with a message, none with a crash or a hang."""

    def check(self, data, says):
        (self.folder / "w").write_bytes(data)
        self.fails(1, "info", "w", says=["cannot read w", says, "damaged or no safetensors file"])

    def header(self, text, numbers=b""):
        return struct.pack("<Q", len(text)) + text + numbers

    def test_headers(self):
        good = b'{"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}'
        self.check(b"", "too short for a header")
        self.check(struct.pack("<Q", 1 << 60), "its header claims")
        self.check(struct.pack("<Q", 99) + b"{}", "its header claims 99 bytes, and the file has 10")
        self.check(self.header(b"[" * 1000), "nested deeper than 8 levels")
        self.check(self.header(b"[1]"), "no JSON object")
        self.check(self.header(b"{'x'}"), "a key is missing")
        self.check(self.header(b'{"__metadata__": 3}'), "its metadata are no JSON object")
        self.check(self.header(b'{"__metadata__": {"a": 3}}'), "its metadata `a` is no text")
        self.check(self.header(good, b"123"), "its tensors need 4 bytes of numbers, and 3 follow")
        self.check(self.header(good, b"12345"), "and 5 follow the header")
        self.check(self.header(good[:-1] + b"," + good[1:], b"1234"), 'the key "x" is given twice')

    def test_tensors(self):
        def of(row):
            return self.header(b'{"x": ' + row + b"}", b"1234")

        self.check(of(b"3"), "lacks dtype, shape or data_offsets")
        self.check(of(b'{"dtype": "F32", "shape": [1], "data_offsets": [0, 4], "more": 1}'), "has an unknown key")
        self.check(of(b'{"dtype": "F7", "shape": [1], "data_offsets": [0, 4]}'), "unknown dtype `F7`")
        self.check(of(b'{"dtype": "F32", "shape": [1.0], "data_offsets": [0, 4]}'), "no list of whole numbers")
        self.check(of(b'{"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}'), "no list of whole numbers")
        self.check(of(b'{"dtype": "F32", "shape": [1e0], "data_offsets": [0, 4]}'), "no list of whole numbers")
        self.check(of(b'{"dtype": "F32", "shape": [99999999999999999999], "data_offsets": [0, 4]}'), "beyond 64 bits")
        self.check(of(b'{"dtype": "F32", "shape": [4611686018427387904, 4611686018427387904], "data_offsets": [0, 4]}'), "too large")
        self.check(of(b'{"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}'), "needs 8 bytes, but its data_offsets hold 4")
        self.check(of(b'{"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}'), "wrong data_offsets")
        self.check(of(b'{"dtype": "F32", "shape": [0], "data_offsets": [2, 2]}'), "begins at byte 2, and the one before ends at 0")

    def test_overlapping_tensors(self):
        row = b'{"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}'
        self.check(self.header(b'{"x": ' + row + b', "y": ' + row + b"}", b"1234"), "begins at byte 0, and the one before ends at 4")


class Signals(AfterARun):
    def test_end_every_verb_but_train_at_once(self):
        def defaults():
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)

        env = {"TOY_SLOW_US": "20000000"}  # of an iteration
        for verb in (("info", "--profile"), ("serve",)):
            for number in (signal.SIGINT, signal.SIGTERM):
                with self.subTest(verb=verb, signal=number):
                    process = self.start(*verb, env=env, stdin=subprocess.PIPE, preexec_fn=defaults)
                    self.addCleanup(process.kill)
                    time.sleep(0.5)
                    process.send_signal(number)
                    process.communicate(timeout=10)
                    self.assertEqual(process.returncode, -number)  # a shell shows 130 and 143


class Serve(ToyTest):
    def test_protocol(self):
        done = subprocess.run([os.environ["TOY_TRAINER"], "serve"], input="run 3\nwalk\nrun 0\n\nrun 1\n", capture_output=True,
                              text=True, cwd=self.folder, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        ready, times, error, zero, last = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertIs(ready["ready"], True)
        self.assertGreater(ready["startup_s"], 0)
        self.assertEqual(len(times["ms"]), 3)
        self.assertIn("walk", error["error"])
        self.assertIn("run 0", zero["error"])
        self.assertEqual(len(last["ms"]), 1)
        self.assertEqual(os.listdir(self.folder), [])


class CommandLine(ToyTest):
    def test_help_and_version(self):
        self.assertIn("Example:", self.run_toy("--help").stdout)
        for verb in ("train", "sample", "step", "forward", "grad", "info", "serve"):
            for option in ("-h", "--help"):
                text = self.run_toy(verb, option).stdout
                self.assertIn(f"Usage: toy_trainer {verb}", text)
                self.assertIn("Example:\n  toy_trainer " + verb, text)
        self.assertIn("ganc 0.1.0", self.run_toy("--version").stdout)

    def test_mistakes(self):
        self.fails(2, says="a verb is missing")
        self.fails(2, "trian", says=["unknown verb `trian`", "did you mean `train`?"])
        self.fails(2, "train", "--stepps", "3", says=["unknown option `--stepps` of train", "did you mean `--steps`?"])
        self.fails(2, "train", "-x", says="unknown option `-x`")
        self.fails(2, "train", "--steps", says="`--steps` needs a value: --steps N")
        self.fails(2, "train", "--steps", "x", says="`--steps x` is no whole number of 0 or more")
        self.fails(2, "train", "--steps=-1", says="is no whole number of 0 or more")
        self.fails(2, "train", "--epochs", "0", says="is no number above 0")
        self.fails(2, "train", "--seconds", "inf", says="is no number above 0")
        self.fails(2, "train", "--out=", says="is empty")
        self.fails(2, "train", "--log", "0", says="no distance between lines")
        self.fails(2, "train", "--threads", "0", says="is not from 1 to 4096")
        self.fails(2, "train", "--device", "cuda:1", says="was built for the CPU alone")
        self.fails(2, "train", "--device", "tpu", says="is none of auto, cpu")
        self.fails(2, "train", "--format", "xml", says="is none of text, json")
        self.fails(2, "train", "--data", "x=", says="has no path")
        self.fails(2, "train", "--weights", "G", says="is not NET=PATH")
        self.fails(2, "train", "a", says="`a` is one argument too many")
        self.fails(2, "info", "--profile=1", says="`--profile` takes no value")
        self.fails(2, "sample", "a", "b", says="`b` is one argument too many")

    def test_mistakes_as_json(self):
        done = self.run_toy("train", "--stepps", "--format", "json", expect=2)
        document = json.loads(done.stdout)
        self.assertEqual((document["exit_code"], document["diagnostics"][0]["severity"]), (2, "error"))

    def test_a_damaged_program(self):
        self.fails(70, "info", env={"TOY_DAMAGE": "1"}, says=["the program inside this trainer is damaged", "report it as a bug"])


if __name__ == "__main__":
    unittest.main(verbosity=1)
