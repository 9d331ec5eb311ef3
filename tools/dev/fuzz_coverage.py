"""Prints the lines of a target's parsers that its corpus covers: `fuzz_coverage.py TARGET MIN SOURCE...`.

Reads what `llvm-cov export -summary-only` wrote; ends with 1 if a parser is not covered by MIN percent of its lines.
"""
import json
import sys
from pathlib import Path


def main():
    target, least, sources = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
    measured = {Path(f["filename"]).resolve(): f["summary"]["lines"] for f in json.load(sys.stdin)["data"][0]["files"]}
    covered = total = 0
    low = []
    for source in sources:
        lines = measured.get(Path(source).resolve())
        if lines is None:
            print(f"{target:6} {source} was not built into the target")
            return 1
        covered += lines["covered"]
        total += lines["count"]
        percent = 100 * lines["covered"] / lines["count"]
        print(f"{target:6}   {percent:5.1f} %  {lines['covered']:4} of {lines['count']:4} lines  {source}")
        if percent < least:
            low.append(source)
    print(f"{target:6} = {100 * covered / total:5.1f} %  {covered:4} of {total:4} lines")
    for source in low:
        print(f"{target:6} {source}: under {least:g} %")
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
