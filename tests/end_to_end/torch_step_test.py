#!/usr/bin/env python3
"""One step of every benchmark model beside PyTorch: small references that torch_reference.py computes here."""
import subprocess
import sys
import unittest

from harness import ROOT, TrainerTest, run

MODELS = ("mlp_gan", "vae", "dcgan28", "dcgan32", "dcgan64", "wgan_gp28", "wgan_gp32")
BATCH, WIDTH = 3, 16
NUMERIC = ROOT / "tests/numeric"


class TorchStep(TrainerTest):
    def compare(self, dtype):
        for model in MODELS:
            with self.subTest(model=model, dtype=dtype):
                reference = self.folder / f"{model}.safetensors"
                if not reference.exists():
                    run([sys.executable, NUMERIC / "torch_reference.py", "--model", model, "--batch", BATCH,
                         "--width", WIDTH, "--out", reference])
                trainer = self.trainer(model, "--set", f"width={WIDTH}", "--batch", str(BATCH), "--dtype", dtype)
                done = run([sys.executable, NUMERIC / "compare_step.py", "--reference", reference, "--trainer",
                            trainer, "--dtype", dtype], expect=None)
                print(done.stdout.strip().splitlines()[-1] if done.stdout else "")
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_float64(self):
        self.compare("f64")

    def test_float32(self):
        self.compare("f32")


if __name__ == "__main__":
    if subprocess.run([sys.executable, "-c", "import torch"], capture_output=True).returncode != 0:
        print("skipped: python3-torch is not installed")
        sys.exit(77)
    unittest.main(verbosity=2)
