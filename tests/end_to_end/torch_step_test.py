#!/usr/bin/env python3
"""One step of every benchmark model beside PyTorch: small references that torch_reference.py computes here."""
import pathlib
import subprocess
import sys
import unittest

from harness import GANC, ROOT, TrainerTest, run

MODELS = ("mlp_gan", "vae", "dcgan28", "dcgan32", "dcgan64", "wgan_gp28", "wgan_gp32", "sngan32", "pix2pix256",
          "cyclegan128", "wavegan")
BATCH, WIDTH = 3, 16
NUMERIC = ROOT / "tests/numeric"


class TorchStep(TrainerTest):
    def reference(self, model):
        path = self.folder / f"{model}.safetensors"
        if not path.exists():
            run([sys.executable, NUMERIC / "torch_reference.py", "--model", model, "--batch", BATCH, "--width", WIDTH,
                 "--out", path])
        return path

    def step(self, model, reference, dtype):
        # The limits of float32 are those of IEEE products, on any CPU.
        trainer = self.trainer(model, "--set", f"width={WIDTH}", "--batch", str(BATCH), "--dtype", dtype,
                               "--precision", "exact", "--cpu", "native")
        return run([sys.executable, NUMERIC / "compare_step.py", "--reference", reference, "--trainer", trainer,
                    "--dtype", dtype], expect=None)

    def compare(self, dtype):
        for model in MODELS:
            with self.subTest(model=model, dtype=dtype):
                done = self.step(model, self.reference(model), dtype)
                print(done.stdout.strip().splitlines()[-1] if done.stdout else "")
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_bf16(self):
        """Batch and channels must be wide enough for pairs to be chosen."""
        if "avx512_bf16" not in pathlib.Path("/proc/cpuinfo").read_text():
            self.skipTest("this CPU has no AVX512-BF16")
        for model in ("mlp_gan", "dcgan28", "wgan_gp28"):
            with self.subTest(model=model):
                reference = self.folder / f"{model}_32.safetensors"
                run([sys.executable, NUMERIC / "torch_reference.py", "--model", model, "--batch", 32, "--width", 4,
                     "--out", reference])
                trainer = self.trainer(model, "--set", "width=4", "--batch", "32", "--precision", "bf16",
                                       "--cpu", "avx512-bf16")
                kernels = run([GANC, "emit", "kernels", ROOT / f"models/{model}.gan", "--set", "width=4",
                               "--batch", "32", "--precision", "bf16", "--cpu", "avx512-bf16"]).stdout
                self.assertIn("= pair(", kernels)
                done = run([sys.executable, NUMERIC / "compare_step.py", "--reference", reference, "--trainer",
                            trainer, "--dtype", "bf16"], expect=None)
                print(done.stdout.strip().splitlines()[-1] if done.stdout else "")
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_finds_errors(self):
        """A gradient that is off in the eighth digit does not pass."""
        import safetensors_file
        reference, spoiled = self.reference("mlp_gan"), self.folder / "spoiled.safetensors"
        tensors, metadata = safetensors_file.read(reference)
        tensors["grad.G.last.bias"] = tensors["grad.G.last.bias"] * (1 + 1e-8)
        safetensors_file.write(spoiled, tensors, metadata)
        done = self.step("mlp_gan", spoiled, "f64")
        self.assertEqual(done.returncode, 1)
        self.assertIn("grad/G/G.dense_3.b: relative L2 distance 1e-08, allowed 1e-09", done.stdout)
        self.assertIn("1 off", done.stdout)

    def test_float64(self):
        self.compare("f64")

    def test_float32(self):
        self.compare("f32")


if __name__ == "__main__":
    if subprocess.run([sys.executable, "-c", "import torch"], capture_output=True).returncode != 0:
        print("skipped: python3-torch is not installed")
        sys.exit(77)
    unittest.main(verbosity=2)
