#!/usr/bin/env python3
"""The peak that `ganc check` reports is what the process shows."""
import json
import unittest

from harness import GANC, ROOT, TrainerTest, run

MIB = 1 << 20


class Memory(TrainerTest):
    def compare(self, model, *options):
        # A small set, so that its pages, which the report leaves aside, are few.
        text = (ROOT / "models" / f"{model}.gan").read_text()
        text = text.replace("digits()", "digits(samples = 256)")
        source = self.program(model, text)
        reported = json.loads(run([GANC, "check", source, "--format", "json", *options]).stdout)
        reported = reported["files"][0]["peak_bytes"]
        done = self.train(self.trainer(source, *options), "-".join((model, *options)), "--steps", 2,
                          "--threads", 2, "--format", "json")
        shown = json.loads(done.stdout.splitlines()[-1])["peak_bytes"]
        off = abs(shown - reported)
        self.assertLessEqual(off, max(4 * MIB, 0.02 * shown),
                             f"{model}: {reported / MIB:.1f} MiB reported, {shown / MIB:.1f} shown")

    def test_small(self):
        self.compare("ring_gan")

    def test_weights(self):
        self.compare("mlp_gan")

    def test_images(self):
        self.compare("dcgan32", "--precision", "exact")

    def test_penalty(self):
        self.compare("wgan_gp28")

    def test_pairs(self):
        """Where this CPU multiplies pairs it follows another plan."""
        self.compare("dcgan32", "--precision", "bf16")


if __name__ == "__main__":
    unittest.main()
