"""Carries out what a walkthrough's blocks say: edits of files, commands and what they print.

The line in front of a block says what the block is:

    New file `PATH`:
    In `PATH`, after `ANCHOR`:       whole lines, below the one line that holds ANCHOR
    In `PATH`, before `ANCHOR`:      ... above it

A `console` block holds commands, each behind `$ `, and below each the lines that it prints, in this order; `...` stands
for any text, and further lines may stand between. Blocks with any other line in front are for the reader alone.
"""
import dataclasses
import re
import subprocess

INSTRUCTION = re.compile(
    r"^(?:New file `(?P<new>[^`]+)`|In `(?P<path>[^`]+)`, (?P<side>after|before) `(?P<anchor>.+)`):$")


class Stale(Exception):
    """A block that does not fit the sources any more."""


@dataclasses.dataclass
class Edit:
    place: str
    path: str
    side: str     # "new", "after" or "before"
    anchor: str
    text: str


@dataclasses.dataclass
class Command:
    place: str
    text: str
    expected: list


def edits_of(blocks):
    edits = []
    for block in blocks:
        match = INSTRUCTION.match(block.before)
        if match is None:
            if block.language not in ("console", ""):
                raise Stale(f"{block.place}: no line in front says what to do with this block")
        elif match["new"]:
            edits.append(Edit(block.place, match["new"], "new", "", block.text))
        else:
            edits.append(Edit(block.place, match["path"], match["side"], match["anchor"], block.text))
    return edits


def commands_of(blocks):
    commands = []
    for block in blocks:
        if block.language != "console":
            continue
        for line in block.text.splitlines():
            if line.startswith("$ "):
                commands.append(Command(block.place, line[2:], []))
            elif commands:
                commands[-1].expected.append(line)
    return commands


def apply(edit, files):
    """Edits `files`, a dictionary from path to text."""
    if edit.side == "new":
        if edit.path in files:
            raise Stale(f"{edit.place}: {edit.path} is there already")
        files[edit.path] = edit.text
        return
    if edit.path not in files:
        raise Stale(f"{edit.place}: there is no {edit.path}")
    lines = files[edit.path].splitlines(keepends=True)
    found = [i for i, line in enumerate(lines) if edit.anchor in line]
    if len(found) != 1:
        raise Stale(f"{edit.place}: {len(found)} lines of {edit.path} hold `{edit.anchor}`, not one")
    at = found[0] + (edit.side == "after")
    files[edit.path] = "".join(lines[:at]) + edit.text + "".join(lines[at:])


def fits(expected, printed):
    """Whether the expected lines are among the printed ones, in order."""
    rest = iter(printed)
    for line in expected:
        pattern = re.compile(".*".join(re.escape(part) for part in line.rstrip().split("...")) + r"\s*")
        if not any(pattern.fullmatch(other) for other in rest):
            return False
    return True


def run(command, folder, environment=None, timeout=1500):
    done = subprocess.run(["sh", "-c", command.text], cwd=folder, env=environment, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0 or not fits(command.expected, done.stdout.splitlines()):
        expected = "\n".join(command.expected)
        raise Stale(f"{command.place}: $ {command.text}\nexit code {done.returncode}; expected:\n{expected}\n"
                    f"printed:\n{done.stdout[-4000:]}")
    return done.stdout
