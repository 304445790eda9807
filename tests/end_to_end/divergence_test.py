#!/usr/bin/env python3
"""A run that diverges says where: the objective, the operation, its line, whatever the kernels compute together."""
import struct
import unittest

from harness import TrainerTest

PROGRAM = """data x: [2] from {source}
noise z: [4] ~ normal
net G(z: [4]) -> [2] {{ z -> dense(8) -> relu -> dense(2) }}
net D(x: [2]) -> [1] {{ x -> dense(8) -> relu -> dense(1) }}
train for 20 steps, batch 16 {{
    D minimizes E[softplus(D(G(z)))] + E[softplus(-D(x))] by adam(lr = 1e-3)
    G minimizes {loss} by adam(lr = 1e-3)
}}
output samples = G(z)
"""


def npy(rows):
    header = str({"descr": "<f4", "fortran_order": False, "shape": (len(rows), 2)}).encode()
    header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + b"".join(struct.pack("<2f", *r) for r in rows)


class Divergence(TrainerTest):
    def diverges(self, name, loss, source="ring()", *options):
        trainer = self.trainer(self.program(name, PROGRAM.format(loss=loss, source=source)))
        done = self.train(trainer, name, *options, expect=3)
        self.assertIn("training diverged in step 1:", done.stderr)
        return done.stderr

    def test_names_what_a_fused_kernel_computes(self):
        # -1 - D^2 is negative: its logarithm is NaN, and nothing between dense layer and mean is left in memory.
        text = self.diverges("fused", "E[0.5 * exp(log(-1 - D(G(z))^2))]")
        self.assertRegex(text, r"loss/G is nan \(objective of G, \S*fused.gan:7\)")
        self.assertRegex(text, r"kernel with it: .*, `log`, `exponential`[^()]* \(\S*fused.gan:7\) \(the same run")
        self.assertNotIn("softplus", text)

    def test_names_at_most_sixteen(self):
        chain = "log(-1 - D(G(z))^2)"
        for i in range(20):
            chain = f"relu({chain})"  # each has a path of its own: train.relu_2
        text = self.diverges("many", f"E[softplus(-D(G(z)))] * E[stop({chain})]")
        self.assertEqual(text[text.index("kernel with it: "):text.index(" and ")].count("`"), 2 * 16)
        self.assertRegex(text, r" and \d+ more \(the same run")

    def test_names_the_one_operation_without_fusion(self):
        loss = "E[0.5 * exp(log(3.5 - step - 0 * D(G(z))))]"  # the 5th step is step 4
        path = self.program("alone", PROGRAM.format(loss=loss, source="ring()"))
        done = self.train(self.trainer(path), "alone-fused", expect=3)
        self.assertIn("training diverged in step 5:", done.stderr)
        self.assertIn("the same run by a trainer from `ganc build -O0` names the one", done.stderr)
        done = self.train(self.trainer(path, "-O0"), "alone", expect=3)
        self.assertIn("training diverged in step 5:", done.stderr)
        self.assertRegex(done.stderr, r"not finite came from `log` \(\S*alone.gan:7\); ")

    def test_names_the_data(self):
        (self.folder / "bad.npy").write_bytes(npy([(0, 1), (2, float("nan"))] * 8))
        text = self.diverges("data", "E[softplus(-D(G(z)))]", 'npy("bad.npy")',
                             "--data", self.folder / "bad.npy")
        self.assertIn("loss/D is nan", text)
        self.assertRegex(text, r"the data: `x` of sample \d*[13579] \(from 0\) is nan")

    def test_keeps_the_last_checkpoint(self):
        loss = "E[softplus(-D(G(z)))] * log(4.5 - step)"  # the 6th step is step 5
        path = self.trainer(self.program("late", PROGRAM.format(loss=loss, source="ring()")))
        done = self.train(path, "late", "--snapshot", 2, expect=3)
        self.assertIn("training diverged in step 6:", done.stderr)
        self.assertIn("the last good checkpoint is", done.stderr)
        self.assertIn("checkpoint_000004.safetensors", done.stderr)
        self.assertIn("late.gan:7", done.stderr)


if __name__ == "__main__":
    unittest.main()
