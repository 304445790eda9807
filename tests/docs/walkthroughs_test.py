"""The walkthroughs of docs/ are carried out: all edits on one copy of the sources, one build, every command.

The copy lies in the build folder and stays there (WALKTHROUGHS), so that only what changed is compiled again.
"""
import os
import pathlib
import subprocess
import unittest

import blocks
import walkthrough

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENTS = ["add-an-op.md", "add-a-pass.md", "add-a-diagnostic.md"]
COPIED = ["CMakeLists.txt", "CMakePresets.json", "compiler", "runtime", "tests", "models"]


def sources():
    """Path to text of every file that the build reads."""
    files = {}
    for name in COPIED:
        top = ROOT / name
        for path in sorted([top] if top.is_file() else top.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                files[str(path.relative_to(ROOT))] = path.read_text(encoding="latin-1")
    return files


def bring_up_to_date(folder, files):
    """Makes `folder` hold these files (beside build/), and leaves alone what is equal."""
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.is_file() and relative.parts[0] != "build" and str(relative) not in files:
            path.unlink()
    for name, text in files.items():
        path = folder / name
        data = text.encode("latin-1")
        if not path.is_file() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        path.chmod((ROOT / name).stat().st_mode if (ROOT / name).exists() else 0o644)


def build_environment(folder):
    """So that ccache, where it is, takes a copy's unchanged files for the same files."""
    return {**os.environ, "CCACHE_BASEDIR": str(folder), "CCACHE_NOHASHDIR": "1"}


def objects_of(edits):
    """Edited sources that the documents' own commands may not compile."""
    paths = {e.path for e in edits if e.path.startswith("compiler/") and e.path.endswith(".cpp")}
    return [f"CMakeFiles/ganc_{p.split('/')[1]}.dir/{p}.o" for p in sorted(paths)]


class Walkthroughs(unittest.TestCase):
    def test_every_edit_applies_and_every_command_prints_what_it_says(self):
        folder = pathlib.Path(os.environ["WALKTHROUGHS"])
        folder.mkdir(parents=True, exist_ok=True)
        files, edits, commands = sources(), [], []
        for name in DOCUMENTS:
            found = blocks.blocks_of(name, (ROOT / "docs" / name).read_text())
            edits += walkthrough.edits_of(found)
            commands += walkthrough.commands_of(found)
        for edit in edits:
            edit.text = edit.text.encode().decode("latin-1")
            walkthrough.apply(edit, files)
        bring_up_to_date(folder, files)
        environment = build_environment(folder)
        configure = ["cmake", "-S", ".", "-B", "build/release", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=",
                     "-DCMAKE_CXX_FLAGS=-O0"]  # compiling is what takes the time here
        subprocess.run(configure, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
        # No -Werror in the project, but a switch that lacks the new op has to show here.
        done = subprocess.run(["ninja", "-C", "build/release", *objects_of(edits)], cwd=folder, env=environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertNotIn("-Wswitch", done.stdout)
        for command in commands:
            walkthrough.run(command, folder, environment)


class TheReader(unittest.TestCase):
    """What reads the documents finds what is wrong in them."""

    def edit(self, before, text="new\n"):
        document = f"{before}\n\n```cpp\n{text}```\n"
        return walkthrough.edits_of(blocks.blocks_of("a.md", document))[0]

    def test_inserts_lines_beside_the_anchor(self):
        files = {"a.cpp": "one\ntwo\n"}
        walkthrough.apply(self.edit("In `a.cpp`, after `one`:"), files)
        walkthrough.apply(self.edit("In `a.cpp`, before `two`:", "x\n"), files)
        self.assertEqual(files, {"a.cpp": "one\nnew\nx\ntwo\n"})

    def test_an_anchor_that_is_not_there_is_an_error(self):
        with self.assertRaisesRegex(walkthrough.Stale, "a.md:3: 0 lines of a.cpp hold `three`"):
            walkthrough.apply(self.edit("In `a.cpp`, after `three`:"), {"a.cpp": "one\ntwo\n"})

    def test_an_anchor_that_is_there_twice_is_an_error(self):
        with self.assertRaisesRegex(walkthrough.Stale, "2 lines"):
            walkthrough.apply(self.edit("In `a.cpp`, after `one`:"), {"a.cpp": "one\none\n"})

    def test_a_file_that_is_there_or_is_not_is_an_error(self):
        with self.assertRaisesRegex(walkthrough.Stale, "there already"):
            walkthrough.apply(self.edit("New file `a.cpp`:"), {"a.cpp": ""})
        with self.assertRaisesRegex(walkthrough.Stale, "there is no b.cpp"):
            walkthrough.apply(self.edit("In `b.cpp`, after `x`:"), {"a.cpp": ""})

    def test_a_block_without_instruction_is_an_error(self):
        with self.assertRaises(walkthrough.Stale):
            self.edit("Somehow:")

    def test_commands_fail_by_exit_code_and_by_output(self):
        text = "```console\n$ echo one; echo two; echo three\none\nthr...\n$ echo one\n```\n"
        good, also = walkthrough.commands_of(blocks.blocks_of("a.md", text))
        self.assertEqual(also.expected, [])
        walkthrough.run(good, ".")
        for wrong in (["two", "one"], ["four"], ["on"]):
            with self.assertRaises(walkthrough.Stale):
                walkthrough.run(walkthrough.Command("a.md:1", good.text, wrong), ".")
        with self.assertRaises(walkthrough.Stale):
            walkthrough.run(walkthrough.Command("a.md:1", "exit 3", []), ".")

    def test_a_block_may_hold_a_fence_and_must_end(self):
        outer = blocks.blocks_of("a.md", "````markdown\n```gan\nx\n```\n````\n")
        self.assertEqual([b.text for b in outer], ["```gan\nx\n```\n"])
        with self.assertRaises(ValueError):
            blocks.blocks_of("a.md", "```gan\nx\n")


if __name__ == "__main__":
    unittest.main()
