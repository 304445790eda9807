"""What the trainer's tests share: the toy trainer as a process, safetensors files, scratch folders."""
import json
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import unittest

TRAINER = os.environ["TOY_TRAINER"]
SIZES = {"F64": 8, "F32": 4, "I64": 8, "I32": 4, "U32": 4, "BOOL": 1, "U8": 1, "F16": 2}
CODES = {"F64": "d", "F32": "f", "I64": "q", "I32": "i", "U32": "I", "U8": "B"}


def read_tensors(path):
    """Name -> (dtype, shape, list of numbers); metadata under None."""
    data = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    numbers = data[8 + length :]
    tensors = {None: header.pop("__metadata__", {})}
    for name, row in header.items():
        begin, end = row["data_offsets"]
        code = CODES[row["dtype"]]
        count = (end - begin) // SIZES[row["dtype"]]
        tensors[name] = (row["dtype"], row["shape"], list(struct.unpack(f"<{count}{code}", numbers[begin:end])))
    return tensors


def tensor_bytes(tensors, header=None):
    """A safetensors file of name -> (dtype, shape, numbers), as bytes; `header` edits the header before it is written."""
    rows, numbers = {}, b""
    for name, (dtype, shape, values) in tensors.items():
        if name is None:
            continue
        packed = struct.pack(f"<{len(values)}{CODES[dtype]}", *values)
        rows[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(numbers), len(numbers) + len(packed)]}
        numbers += packed
    if header:
        header(rows)
    text = json.dumps(rows).encode()
    return struct.pack("<Q", len(text)) + text + numbers


def npy_bytes(shape, values, dtype="<f4", fortran=False):
    text = f"{{'descr': '{dtype}', 'fortran_order': {fortran}, 'shape': {tuple(shape)}, }}".encode()
    text += b" " * (63 - (10 + len(text)) % 64) + b"\n"
    code = {"f4": "f", "f8": "d", "i4": "i", "i8": "q"}[dtype[1:]]
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + struct.pack(f"<{len(values)}{code}", *values)


class ToyTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ganc-trainer-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def start(self, *arguments, env=None, **more):
        return subprocess.Popen([TRAINER, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, cwd=self.folder, env={**os.environ, **(env or {})}, **more)

    def run_toy(self, *arguments, expect=0, env=None, **more):
        more.setdefault("stdin", subprocess.DEVNULL)
        more.setdefault("cwd", self.folder)
        done = subprocess.run([TRAINER, *map(str, arguments)], capture_output=True, text=True,
                              timeout=120, env={**os.environ, **(env or {})}, **more)
        if done.returncode != expect:
            raise AssertionError(f"{arguments}: exit code {done.returncode}, expected {expect}\n{done.stdout}\n{done.stderr}")
        return done

    def fails(self, code, *arguments, says, **more):
        """Exit code and every text that the message must have."""
        done = self.run_toy(*arguments, expect=code, **more)
        for text in [says] if isinstance(says, str) else says:
            self.assertIn(text, done.stderr)
        self.assertEqual(done.stderr.count("error:"), 1, done.stderr)
        return done

    def bytes(self, *path):
        return self.folder.joinpath(*path).read_bytes()

    def stats(self, run):
        lines = [json.loads(line) for line in (self.folder / run / "stats.jsonl").read_text().splitlines()]
        for line in lines:
            del line["seconds"], line["images_per_second"]
        return lines
