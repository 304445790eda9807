#!/usr/bin/env python3
"""Equal bits: for any number of threads, in repeated runs, and after any stop and resume."""
import os
import pathlib
import random
import signal
import subprocess
import time
import unittest

from harness import TrainerTest, run

TIMES = ("seconds", "images_per_second", "step_seconds")


class SameBits(TrainerTest):
    def models(self):
        yield self.trainer("mlp_gan", "--set", "width=8", "--batch", "32"), 24
        yield self.trainer("dcgan28", "--set", "width=16", "--batch", "16"), 6
        yield self.trainer("wgan_gp28", "--set", "width=16", "--batch", "16"), 3

    def test_threads_and_repeats(self):
        for trainer, steps in self.models():
            with self.subTest(trainer=trainer.name):
                digests = set()
                for number, threads in enumerate((1, 2, 3, 5, 2)):
                    out = f"{trainer.name}-threads-{number}"
                    self.train(trainer, out, "--steps", steps, "--threads", threads)
                    digests.add(self.digest(out, steps))
                self.assertEqual(len(digests), 1)

    def test_seeds_differ(self):
        trainer = self.trainer("mlp_gan", "--set", "width=8", "--batch", "32")
        self.train(trainer, "seed-0", "--steps", 2, "--seed", 0)
        self.train(trainer, "seed-1", "--steps", 2, "--seed", 1)
        self.assertNotEqual(self.digest("seed-0", 2), self.digest("seed-1", 2))

    def test_resume_after_steps(self):
        for trainer, steps in self.models():
            with self.subTest(trainer=trainer.name):
                whole, parts = f"{trainer.name}-whole", f"{trainer.name}-parts"
                self.train(trainer, whole, "--steps", steps, "--log", 1)
                self.train(trainer, parts, "--steps", steps // 3, "--log", 1)
                run([trainer, "train", "--resume", self.folder / parts, "--steps", steps, "--threads", 1])
                self.assertEqual(self.checkpoint(whole, steps), self.checkpoint(parts, steps))
                for left, right in zip(self.stats(whole), self.stats(parts), strict=True):
                    for key in TIMES:
                        left.pop(key, None), right.pop(key, None)
                    self.assertEqual(left, right)

    def stopped_run(self, trainer, out, signal_number, code, steps):
        """Starts a run, stops it at a random moment, resumes it to `steps`."""
        process = subprocess.Popen([trainer, "train", "--out", self.folder / out, "--steps", str(steps),
                                    "--snapshot", "5", "--log", "1"], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        stats = self.folder / out / "stats.jsonl"
        while process.poll() is None and not (stats.exists() and stats.read_text().count("\n") >= 7):
            time.sleep(0.001)
        time.sleep(random.random() * 0.02)
        process.send_signal(signal_number)
        process.wait(60)
        if process.returncode != 0:  # else it was done before the signal came
            self.assertEqual(process.returncode, code)
        run([trainer, "train", "--resume", self.folder / out, "--steps", steps])

    def test_stopped_by_signals(self):
        steps = 300
        trainer = self.trainer("mlp_gan", "--set", "width=8", "--batch", "32")
        self.train(trainer, "uninterrupted", "--steps", steps)
        cases = [(signal.SIGINT, 130), (signal.SIGTERM, 143)] + [(signal.SIGKILL, -signal.SIGKILL)] * 3
        for number, (signal_number, code) in enumerate(cases):
            with self.subTest(signal=signal_number):
                out = f"stopped-{number}"
                self.stopped_run(trainer, out, signal_number, code, steps)
                self.assertEqual(self.checkpoint("uninterrupted", steps), self.checkpoint(out, steps))

    def test_variants_agree(self):
        """v3 and v4 and -O0: the same numbers up to rounding, after one step."""
        import numpy
        import safetensors_file
        plain = self.trainer("dcgan28", "--set", "width=16", "--batch", "16")
        slow = self.trainer("dcgan28", "--set", "width=16", "--batch", "16", "-O0")
        runs = [(plain, "x86-64-v3"), (slow, "x86-64-v3")]
        if "avx512f" in pathlib.Path("/proc/cpuinfo").read_text():
            runs.append((plain, "x86-64-v4"))
        states = []
        for number, (trainer, cpu) in enumerate(runs):
            self.train(trainer, f"variant-{number}", "--steps", 1, "--cpu", cpu)
            states.append(safetensors_file.read(self.folder / f"variant-{number}" / "checkpoint_000001.safetensors")[0])
        for other in states[1:]:
            for name, values in states[0].items():
                if name.endswith("/m"):  # the gradient times 1 - beta1
                    distance = numpy.linalg.norm(values - other[name])
                    self.assertLessEqual(distance, 2e-5 * numpy.linalg.norm(values) + 1e-12, name)


if __name__ == "__main__":
    random.seed(os.environ.get("GANC_FUZZ_SEED", "1"))
    unittest.main(verbosity=2)
