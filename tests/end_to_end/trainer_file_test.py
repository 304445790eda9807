#!/usr/bin/env python3
"""What a trainer is as a file: linked with everything it needs, and small."""
import pathlib
import struct
import sys
import unittest

from harness import TrainerTest

INTERPRETER, DYNAMIC = 3, 2  # PT_INTERP, PT_DYNAMIC
MOST_BYTES = 5_000_000


def program_headers(path):
    """The types of an ELF file's segments."""
    data = pathlib.Path(path).read_bytes()
    (offset,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    return [struct.unpack_from("<I", data, offset + size * i)[0] for i in range(count)]


class TrainerFile(TrainerTest):
    def test_dcgan64_is_static_and_under_5_mb(self):
        path = self.trainer("dcgan64")
        self.assertNotIn(INTERPRETER, program_headers(path))
        self.assertNotIn(DYNAMIC, program_headers(path))
        self.assertLess(pathlib.Path(path).stat().st_size, MOST_BYTES)

    def test_a_dynamic_program_is_told(self):
        self.assertIn(INTERPRETER, program_headers(pathlib.Path(sys.executable).resolve()))


if __name__ == "__main__":
    unittest.main()
