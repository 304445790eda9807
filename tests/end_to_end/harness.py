"""What the end-to-end tests share: the compiler, trainers built from models, runs in scratch folders."""
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
GANC = os.environ.get("GANC", str(ROOT / "build/release/bin/ganc"))
sys.path.insert(0, str(ROOT / "tests/numeric"))


def run(arguments, expect=0, **more):
    """Runs a command to its end; another exit code than expected fails the test with all that it printed."""
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, timeout=600,
                          stdin=subprocess.DEVNULL, **more)
    if expect is not None and done.returncode != expect:
        raise AssertionError(f"{' '.join(map(str, arguments))}\nexit code {done.returncode}, expected {expect}\n"
                             f"{done.stdout}\n{done.stderr}")
    return done


class TrainerTest(unittest.TestCase):
    """A scratch folder for each class; trainers are built once a class."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="ganc-test-"))
        cls.trainers = {}

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def trainer(cls, model, *options):
        key = (model,) + options
        if key not in cls.trainers:
            source = ROOT / "models" / f"{model}.gan" if "/" not in model else pathlib.Path(model)
            path = cls.folder / f"{source.stem}-{len(cls.trainers)}"
            run([GANC, "build", source, "-o", path, *options])
            cls.trainers[key] = path
        return cls.trainers[key]

    def program(self, name, text):
        """A `.gan` file of its own for a test."""
        path = self.folder / f"{name}.gan"
        path.write_text(text)
        return str(path)

    def train(self, trainer, out, *options, expect=0):
        return run([trainer, "train", "--out", self.folder / out, *options], expect=expect)

    def checkpoint(self, out, step):
        return (self.folder / out / f"checkpoint_{step:06}.safetensors").read_bytes()

    def digest(self, out, step):
        return hashlib.sha256(self.checkpoint(out, step)).hexdigest()

    def stats(self, out):
        lines = (self.folder / out / "stats.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]
