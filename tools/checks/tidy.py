#!/usr/bin/env python3
"""Style as a test: layers, lengths, banned calls, traps, dead files, links, format.

Prints one line a violation, `path:line: rule: what is wrong`, and ends with 1 if there was any.
"""
import argparse
import re
import subprocess
import sys
from pathlib import Path

FILE_LINES_MAX = 800
FUNCTION_LINES_MAX = 70
BLOB_BYTES_MAX = 256 * 1024
SOURCE = (".cpp", ".hpp")

BANNED = [
    (re.compile(r"\bsleep_(for|until)\b|\busleep\s*\(|\bnanosleep\s*\("), "sleep", "nothing sleeps: wait for an event with a deadline", ()),
    (re.compile(r"\bsystem_clock::now\b"), "clock", "time is a parameter: take it from actors/ports/clock.hpp",
     ("actors/ports/", "tests/conformance/", "tests/e2e/", "tools/bench/")),
    (re.compile(r"\bnew\s+[A-Za-z_]"), "new", "raw new: use make_unique or make_shared", ()),
    (re.compile(r"(?<![\w.])(std::)?(rand|srand)\s*\("), "rand", "chance is a parameter: take it from actors/ports/clock.hpp", ()),
    (re.compile(r"#include\s+<(format|print)>"), "std", "g++ 12 has no <format> and no <print>", ()),
    (re.compile(r"(?<![\w.:])(std::)?_?exit\s*\("), "exit", "return from main instead", ("tests/",)),
]
# The range of a for keeps its own temporary alive, but not (before C++23 as later compilers have it) what that is part of.
RANGE_TEMPORARY = re.compile(r"\bfor \([^;{}]*?:[^;{}]*\)\s*\.value\(\)\)")
# An aggregate temporary inside an awaited expression is destroyed wrongly by g++ 12.
AWAIT = re.compile(r"\bco_(await|yield)\b(?P<rest>[^;]*)", re.S)
AGGREGATE = re.compile(r"(?<!milliseconds)(?<!seconds)(?<=[\w>])\s*\{")
LEFT_OVER = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
# Kept inputs of the fuzz targets are bytes of any kind, not text of the project.
CORPUS = "tests/fuzz/corpus/"
# What cannot stand in committed text: the project speaks of itself alone.
STRANGE = re.compile(r"\b(repo\d?\.maven\.apache\.org|pypi\.org|registry\.npmjs\.org|proxy\.golang\.org|deb\.debian\.org|crates\.io)\b")


def tracked(root):
    try:
        out = subprocess.run(["git", "-C", str(root), "ls-files", "-co", "--exclude-standard"], check=True,
                             capture_output=True, text=True).stdout.split("\n")
        files = [Path(f) for f in out if f and (root / f).is_file()]
    except (subprocess.CalledProcessError, FileNotFoundError):
        files = []
    files = files or [p.relative_to(root) for p in root.rglob("*") if p.is_file() and ".git" not in p.parts]
    return [f for f in files if not str(f).startswith(CORPUS)]


def read_rules(root):
    layers, libraries = {}, []
    for line in (root / "tools/checks/layers.txt").read_text().splitlines():
        line = line.split("#")[0].strip()
        if not line:
            continue
        left, right = (s.strip() for s in line.split(":", 1))
        if left.startswith("library "):
            libraries.append((left.split(None, 1)[1], tuple(right.split())))
        else:
            layers[left] = set(right.split())
    exceptions = set()
    for line in (root / "tools/checks/exceptions.txt").read_text().splitlines():
        line = line.split("#")[0].split(":")[0].strip()
        if line:
            exceptions.add(line)
    return layers, libraries, exceptions


def strip_code(text):
    """The text without comments and the contents of strings, line numbers kept."""
    def blank(m):
        s = m.group(0)
        if s.startswith(("//", "/*")):
            return re.sub(r"[^\n]", " ", s)
        return s[0] + re.sub(r"[^\n]", " ", s[1:-1]) + s[-1]
    pattern = r'//[^\n]*|/\*.*?\*/|R"(?P<d>[^()\s]*)\(.*?\)(?P=d)"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\''
    return re.sub(pattern, blank, text, flags=re.S)


def functions(code):
    """Yields (name, first line, lines) of every function body, found by its braces."""
    stack, line, head_start, last = [], 1, 0, 0
    for i, c in enumerate(code):
        if c == "\n":
            line += 1
        elif c == "{":
            head = code[last:i]
            m = re.search(r"([\w:~]+)\s*\([^;{}]*\)\s*(const|noexcept|override|final|mutable|->[^;{}]*|:[^;{}]*|requires[^;{}]*|\s)*$", head, re.S)
            keyword = m and m.group(1) in ("if", "for", "while", "switch", "catch", "return", "TEST_CASE", "SUBCASE", "TEST_CASE_TEMPLATE")
            lambda_ = re.search(r"\]\s*(\([^()]*\))?[^;{}()]*$", head)
            stack.append((m.group(1) if m and not keyword and not lambda_ else None, line))
            last = i + 1
        elif c == "}":
            if stack:
                name, first = stack.pop()
                if name and line - first + 1 > 2:
                    yield name, first, line - first + 1
            last = i + 1
        elif c == ";":
            last = i + 1


class Tidy:
    def __init__(self, root, use_format=True):
        self.root, self.use_format, self.found = root, use_format, []
        self.files = tracked(root)
        self.layers, self.libraries, self.exceptions = read_rules(root)

    def report(self, path, line, rule, what):
        self.found.append(f"{path}:{line}: {rule}: {what}")

    def run(self):
        for path in self.files:
            full = self.root / path
            data = full.read_bytes()
            if b"\0" in data[:8192] or len(data) > BLOB_BYTES_MAX:
                self.report(path, 1, "blob", "binary or larger than 256 KiB: it does not belong here")
                continue
            text = data.decode("utf-8", "replace")
            if path.suffix in SOURCE:
                self.source(path, text)
            if str(path) not in ("tools/checks/tidy.py", "tools/checks/tidy_test.py"):
                for n, l in enumerate(text.split("\n"), 1):
                    if LEFT_OVER.search(l) and "mktemp" not in l:
                        self.report(path, n, "left-over", "finish it or write an issue")
                    if STRANGE.search(l):
                        self.report(path, n, "registry", "name no registry's host")
        self.dead_headers()
        self.unlinked_docs()
        if self.use_format:
            self.format()
        return self.found

    def source(self, path, text):
        name = str(path)
        code = strip_code(text)
        lines = text.count("\n")
        if lines > FILE_LINES_MAX and f"file {name}" not in self.exceptions:
            self.report(path, lines, "file-length", f"{lines} lines, {FILE_LINES_MAX} at most: split it")
        for function, first, length in functions(code):
            if length > FUNCTION_LINES_MAX and f"function {name} {function}" not in self.exceptions:
                self.report(path, first, "function-length", f"{function} has {length} lines, {FUNCTION_LINES_MAX} at most")
        self.includes(path, text)
        for n, l in enumerate(code.split("\n"), 1):
            for pattern, rule, cure, allowed in BANNED:
                if pattern.search(l) and not name.startswith(allowed or ("\0",)):
                    self.report(path, n, rule, cure)
        for m in AWAIT.finditer(code):
            rest = m.group("rest")
            body = rest.find("[")  # a lambda's body is no temporary
            if AGGREGATE.search(rest if body < 0 else rest[:body]):
                self.report(path, code.count("\n", 0, m.start()) + 1, "await-temporary",
                            "an aggregate temporary in an awaited expression: build it in a named local first")
        for m in RANGE_TEMPORARY.finditer(code):
            self.report(path, code.count("\n", 0, m.start()) + 1, "range-temporary",
                        "a for over .value() of a temporary, which g++ 12 has ended by then: name it first")
        if name.endswith(".hpp") and not name.endswith(".test.hpp") and "/detail/" not in name and not name.startswith("tests/"):
            self.documented(path, text)

    def includes(self, path, text):
        name = str(path)
        layer = path.parts[0]
        for n, l in enumerate(text.split("\n"), 1):
            m = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', l)
            if not m:
                continue
            included = m.group(2)
            target = included.split("/")[0]
            if m.group(1) == '"' and target in self.layers and layer in self.layers and target not in self.layers[layer]:
                self.report(path, n, "layer", f"{layer}/ may not include {included}")
            for prefix, allowed in self.libraries:
                if included.startswith(prefix) and not name.startswith(allowed):
                    self.report(path, n, "library", f"<{included}> may be included in {', '.join(allowed)} only")

    def documented(self, path, text):
        lines = text.split("\n")
        for n, l in enumerate(lines):
            if re.match(r"(class|struct|enum class|enum)\s+\w+(?!::)[^;:]*(:[^:;][^;]*)?$", l) and not l.rstrip().endswith(";"):
                k = n - 1
                while k >= 0 and (lines[k].startswith("template") or lines[k].startswith("[[")):
                    k -= 1
                if k < 0 or not lines[k].lstrip().startswith("///"):
                    self.report(path, n + 1, "undocumented", "a public item needs a /// sentence")

    def dead_headers(self):
        included = set()
        for path in self.files:
            if path.suffix in SOURCE:
                for m in re.finditer(r'#\s*include\s+"([^"]+)"', (self.root / path).read_text(errors="replace")):
                    included.add(m.group(1))
                    included.add(str(path.parent / m.group(1)))
        for path in self.files:
            if path.suffix == ".hpp" and str(path) not in included and not any(i.endswith("/" + path.name) and str(path).endswith(i) for i in included):
                self.report(path, 1, "dead-file", "no file includes it")

    def unlinked_docs(self):
        pages = [p for p in self.files if p.suffix == ".md"]
        linked = set()
        for page in pages:
            for m in re.finditer(r"\]\(([^)#\s]+)", (self.root / page).read_text(errors="replace")):
                if "://" in m.group(1):
                    continue
                target = (self.root / page.parent / m.group(1)).resolve()
                linked.add(target)
                if not target.exists():
                    self.report(page, 1, "broken-link", f"{m.group(1)} does not exist")
        for page in pages:
            if page.parts[0] == "docs" and (self.root / page).resolve() not in linked:
                self.report(page, 1, "unlinked-doc", "no page links to it")

    def format(self):
        sources = [str(self.root / p) for p in self.files if p.suffix in SOURCE]
        tool = next((t for t in ("clang-format-19",) if subprocess.run(["which", t], capture_output=True).returncode == 0), None)
        if not tool:
            self.report(Path(".clang-format"), 1, "format", "clang-format-19 is not installed")
            return
        for start in range(0, len(sources), 50):
            out = subprocess.run([tool, "--dry-run", "-Werror", "--ferror-limit=1", *sources[start:start + 50]],
                                 capture_output=True, text=True).stderr
            for m in re.finditer(r"^([^\n:]+):(\d+):\d+: error", out, re.M):
                self.report(Path(m.group(1)).relative_to(self.root), int(m.group(2)), "format", "run ./dev fmt")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--root", type=Path, default=Path("."))
    arguments.add_argument("--no-format", action="store_true")
    given = arguments.parse_args()
    tidy = Tidy(given.root.resolve(), not given.no_format)
    found = tidy.run()
    print("\n".join(found) if found else f"{len(tidy.files)} files hold every rule")
    print(f"{0 if found else 1} passed, {1 if found else 0} failed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
