"""What README.md and docs/ show is true: every program passes `ganc check`, every command of the tutorial runs.

A `gan` block whose first line is indented is a fragment: statements of a `train` block. A fragment has to parse; every
other block is a whole program. A program that is saved has "Save this as `NAME.gan`" in the line in front.
"""
import pathlib
import re
import tempfile
import unittest

import blocks
import program
import walkthrough

DOCUMENTS = ["README.md", "docs/tutorial.md", "docs/language.md"]
SAVED = re.compile(r"[Ss]ave this as `([a-z_]+\.gan)`")


def blocks_of(document):
    return blocks.blocks_of(document, (program.ROOT / document).read_text())


def is_fragment(block):
    return block.text.startswith((" ", "\t"))


def wrong_in(block):
    """What the compiler says against a block; empty: nothing."""
    if is_fragment(block):
        done = program.ganc("fmt", "-", text="train for 1 steps, batch 1 {\n" + block.text + "}\n")
    else:
        done = program.ganc("check", "--deny", "warnings", "-", text=block.text)
    return "" if done.returncode == 0 else f"{block.place}\n{done.stderr}{block.text}"


def commands_in(document):
    """The commands of the shell blocks but those of ./gan, which set up and build."""
    for block in blocks_of(document):
        if block.language != "sh":
            continue
        for line in block.text.splitlines():
            line = re.sub(r"\s+#.*", "", line).replace("build/release/bin/ganc", "ganc")
            if line and not line.startswith(("./gan ", "export PATH")):
                yield walkthrough.Command(block.place, line, [])


def shortened(command, steps, images):
    """Two steps, then two more, in place of a training."""
    text = command.text.replace("/path/to/faces", str(images))
    if " train" in text and "--steps" not in text:
        text += f" --steps {steps}"
    return walkthrough.Command(command.place, text, command.expected)


class Programs(unittest.TestCase):
    def test_every_block_is_right(self):
        for document in DOCUMENTS:
            shown = [b for b in blocks_of(document) if b.language == "gan"]
            self.assertTrue(shown, document)
            for block in shown:
                with self.subTest(block.place):
                    self.assertEqual(wrong_in(block), "")

    def test_a_wrong_block_is_found(self):
        for text in ("net G(z: [4]) -> [2] { dense(z, 3) }\nnoise z: [4] ~ normal\noutput o = G(z)\n", "  D minimize by\n"):
            self.assertNotEqual(wrong_in(blocks.Block("a.md", 1, "gan", "", "", text)), "")

    def test_the_mistakes_of_the_tutorial_are_reported_as_it_says(self):
        first = next(b.text for b in blocks_of("docs/tutorial.md") if SAVED.search(b.before))
        done = program.ganc("check", "-", text=first.replace("dense(2) }", "dense(3) }"))
        self.assertRegex(done.stderr, r"error\[E0121\].*\[2\].*\[3\]")
        done = program.ganc("check", "-", text=first.replace("adam", "addam"))
        self.assertRegex(done.stderr, "`adam`")

    def test_the_list_of_the_prelude_is_the_prelude(self):
        text = (program.ROOT / "docs/language.md").read_text()
        listed = set(re.findall(r"[a-z_][a-z0-9_]*", text[text.index("\n## Prelude"):text.index("\n## Promises")]))
        rows = [("compiler/prelude/*.gan", r"(?m)^(?:fn|layer|optimizer) (\w+)"),
                ("compiler/elaborate/natives_*.cpp", r'\{"(\w+)\(')]
        for files, pattern in rows:
            names = [n for p in sorted(program.ROOT.glob(files)) for n in re.findall(pattern, p.read_text())]
            self.assertGreater(len(names), 50)
            self.assertEqual([n for n in names if n not in listed], [], f"{files} has them, docs/language.md not")


class Commands(unittest.TestCase):
    def run_all(self, document, programs=()):
        with tempfile.TemporaryDirectory(prefix="ganc-docs-") as scratch:
            folder = pathlib.Path(scratch)
            images = folder / "images"
            program.write_images(images)
            for name, text in dict(programs).items():
                (folder / name).write_text(text)
            for block in blocks_of(document):
                if saved := SAVED.search(block.before):
                    (folder / saved.group(1)).write_text(block.text)
            commands = list(commands_in(document))
            self.assertGreater(len(commands), 2)
            for at, command in enumerate(commands):
                walkthrough.run(shortened(command, 2 + at, images), folder, program.environment(folder), timeout=600)

    def test_the_tutorial_runs(self):
        self.run_all("docs/tutorial.md")

    def test_the_readme_runs(self):
        mine = next(b.text for b in blocks_of("README.md") if b.language == "gan")
        self.run_all("README.md", {"mine.gan": mine})


if __name__ == "__main__":
    unittest.main()
