"""Every folder of examples/ is a whole use: a text, a program in the one layout, and a script that runs."""
import pathlib
import subprocess
import tempfile
import unittest

import program

EXAMPLES = sorted(p for p in (program.ROOT / "examples").iterdir() if p.is_dir())
ARGUMENTS = {"own_images": ["IMAGES"]}
SETTINGS = {"own_images": {"SET": "width=16"}}


class Examples(unittest.TestCase):
    def test_each_has_its_files_and_passes_check(self):
        self.assertGreaterEqual(len(EXAMPLES), 3)
        for folder in EXAMPLES:
            with self.subTest(folder.name):
                self.assertTrue((folder / "README.md").is_file())
                source = str(folder / f"{folder.name}.gan")
                for verb in (["check", "--deny", "warnings"], ["fmt", "--check"]):
                    done = program.ganc(*verb, source)
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_each_script_trains_and_draws(self):
        for example in EXAMPLES:
            with self.subTest(example.name), tempfile.TemporaryDirectory(prefix="ganc-examples-") as scratch:
                folder = pathlib.Path(scratch)
                program.write_images(folder / "images")
                arguments = [a.replace("IMAGES", str(folder / "images")) for a in ARGUMENTS.get(example.name, [])]
                environment = program.environment(folder) | SETTINGS.get(example.name, {})
                done = subprocess.run([str(example / "run.sh"), *arguments, "--steps", "2"], cwd=folder, text=True, timeout=600,
                                      env=environment, stdin=subprocess.DEVNULL, capture_output=True)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertTrue((folder / "runs" / example.name / "grid.png").is_file())


if __name__ == "__main__":
    unittest.main()
