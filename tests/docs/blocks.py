"""Reads the fenced blocks of a document, and the line in front of each."""
import dataclasses
import re

FENCE = re.compile(r"^(`{3,})([a-z]*)\s*$")


@dataclasses.dataclass
class Block:
    document: str
    line: int       # of the fence, from 1
    language: str   # "gan", "cpp", "console", ..; empty: none named
    before: str     # the last line above it that is not empty
    heading: str    # the heading that it stands under
    text: str       # with the newline of its last line

    @property
    def place(self):
        return f"{self.document}:{self.line}"


def blocks_of(document, text):
    """Every block in order. A fence ends with as many backticks as it began with, so one may hold another."""
    blocks, fence, before, heading = [], None, "", ""
    for number, line in enumerate(text.split("\n"), 1):
        match = FENCE.match(line)
        if fence is None and match:
            fence = match.group(1)
            blocks.append(Block(document, number, match.group(2), before, heading, ""))
        elif fence is not None and line.rstrip() == fence:
            fence, before = None, ""
        elif fence is not None:
            blocks[-1].text += line + "\n"
        elif line.strip():
            before = line.strip()
            heading = before if before.startswith("#") else heading
    if fence is not None:
        raise ValueError(f"{blocks[-1].place}: the block has no end")
    return blocks
