"""Builds a fuzz target whose sources a patch has changed: `fuzz_plant.py TARGET COPY PROGRAM SOURCE...`.

Compiles each SOURCE of the tree's COPY as build/fuzz compiles its own, and links PROGRAM with them in the place of those.
"""
import json
import shlex
import subprocess
import sys
from pathlib import Path

BUILD = Path("build/fuzz").resolve()


def compiled(source, copy):
    """The object of the copy's source."""
    here = str(Path(source).resolve())
    entry = next(e for e in json.loads((BUILD / "compile_commands.json").read_text()) if e["file"] == here)
    words = shlex.split(entry["command"])
    output = str(copy / (source.replace("/", "_") + ".o"))
    words[words.index("-o") + 1] = output
    root = f"-I{Path.cwd()}"
    words = [f"-I{copy}" if w == root else str(copy / source) if w == here else w for w in words]
    subprocess.run(words, cwd=entry["directory"], check=True)
    return output


def main():
    target, copy, program, sources = sys.argv[1], Path(sys.argv[2]).resolve(), sys.argv[3], sys.argv[4:]
    objects = [compiled(s, copy) for s in sources]
    steps = subprocess.run(["ninja", "-C", str(BUILD), "-t", "commands", f"bin/fuzz_{target}"], check=True,
                           capture_output=True, text=True).stdout.strip().split("\n")
    link = next(w for w in reversed(steps) if f"-o bin/fuzz_{target} " in w)
    words = shlex.split(link.replace(": && ", "").replace(" && :", ""))
    at = words.index("-o")
    words[at + 1] = str(Path(program).resolve())
    # Objects before the archives: what they define is not taken from there.
    subprocess.run(words[:at] + objects + words[at:], cwd=BUILD, check=True)


if __name__ == "__main__":
    main()
