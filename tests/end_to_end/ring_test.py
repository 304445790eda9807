#!/usr/bin/env python3
"""ring_gan covers all eight modes: each has 2 % of 10,000 samples within three standard deviations of its centre."""
import math
import unittest

import numpy

from harness import TrainerTest, run

RADIUS, STD = 2, 0.1


def shares(points):
    """The share of the points near each of the eight centres."""
    angles = numpy.arange(8) * 2 * math.pi / 8
    centres = RADIUS * numpy.stack([numpy.cos(angles), numpy.sin(angles)], 1)
    distances = numpy.linalg.norm(points[:, None] - centres[None], axis=2)
    return (distances < 3 * STD).mean(0)


class Ring(TrainerTest):
    def test_covers_all_modes(self):
        trainer = self.trainer("ring_gan")
        self.train(trainer, "ring")
        samples = self.folder / "samples.npy"
        run([trainer, "sample", self.folder / "ring", "--count", 10000, "-o", samples])
        points = numpy.load(samples)
        self.assertEqual(points.shape, (10000, 2))
        print("share of each mode:", numpy.round(shares(points), 3))
        self.assertTrue((shares(points) >= 0.02).all())

    def test_untrained_does_not(self):
        trainer = self.trainer("ring_gan")
        self.train(trainer, "untrained", "--steps", 0)
        samples = self.folder / "untrained.npy"
        run([trainer, "sample", self.folder / "untrained", "--count", 10000, "-o", samples])
        self.assertFalse((shares(numpy.load(samples)) >= 0.02).all())


if __name__ == "__main__":
    unittest.main(verbosity=2)
