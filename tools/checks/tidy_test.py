#!/usr/bin/env python3
"""Plants one violation of each rule in a small tree and demands that tidy finds it, and nothing else."""
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from tidy import Tidy  # noqa: E402

HERE = Path(__file__).parent
CLEAN = {
    "actors/clean.cpp": '#include "actors/clean.hpp"\n\nint twice(int n) { return 2 * n; }\n',
    "actors/clean.hpp": "#pragma once\n\n/// Twice the number.\nint twice(int n);\n",
    "README.md": "# A tree\n",
}
LONG = "int f() {\n" + "  g();\n" * 75 + "  return 1;\n}\n"

# rule, path, content: each must be found under its rule.
PLANTED = [
    ("layer", "protocols/up.cpp", '#include "actors/clean.hpp"\n'),
    ("layer", "persistence/up.cpp", '#include "gateway/http.hpp"\n'),
    ("library", "cells/control_plane/a.cpp", "#include <caf/all.hpp>\n"),
    ("library", "cells/control_plane/b.cpp", "#include <libpq-fe.h>\n"),
    ("library", "actors/c.cpp", "#include <boost/beast/http.hpp>\n"),
    ("await-temporary", "gateway/d.cpp", "task<int> f() { co_return co_await ask(query{1, 2}); }\n"),
    ("range-temporary", "gateway/r.cpp", "void f() {\n  for (auto& x : read(1, 2).value())\n    use(x);\n}\n"),
    ("await-temporary", "gateway/e.cpp", "task<int> f() {\n  auto r = co_await client.send(\n      call{name});\n  co_return r;\n}\n"),
    ("sleep", "actors/f.cpp", "void f() { std::this_thread::sleep_for(1s); }\n"),
    ("clock", "cells/g.cpp", "auto t = std::chrono::system_clock::now();\n"),
    ("new", "cells/h.cpp", "int* f() { return new int(1); }\n"),
    ("rand", "cells/i.cpp", "int f() { return rand(); }\n"),
    ("std", "cells/j.cpp", "#include <format>\n"),
    ("exit", "cells/k.cpp", "void f() { std::exit(1); }\n"),
    ("file-length", "cells/l.cpp", "int x;\n" * 801),
    ("function-length", "cells/m.cpp", LONG),
    ("left-over", "cells/n.cpp", "// TODO later\n"),
    ("registry", "README.md", "# A tree\nget it from repo.maven.apache.org\n"),
    ("undocumented", "actors/clean.hpp", "#pragma once\n\nstruct bare {\n  int x;\n};\n"),
    ("dead-file", "actors/dead.hpp", "#pragma once\n"),
    ("unlinked-doc", "docs/lost.md", "# Lost\n"),
    ("broken-link", "README.md", "# A tree\n[gone](docs/gone.md)\n"),
    ("blob", "cells/blob.bin", "\0" * 10),
    ("format", "cells/o.cpp", "int   f( ){return 1;}\n"),
]
# What looks like a violation and is none.
ALLOWED = {
    "gateway/range.cpp": "void f() {\n  const auto all = read(1, 2);\n  for (auto& x : all.value())\n    use(x);\n}\n",
    "gateway/ok.cpp": "task<int> f() {\n  query q{1, 2};\n  co_return co_await ask(std::move(q));\n}\n",
    "tests/fuzz/corpus/json/kept": "\0 // TODO\n",
    "cells/ok.cpp": "// sleep_for in a comment, \"new thing\" too\nconst char* s = \"std::exit(1) new int\";\n",
}


def tree(files):
    root = Path(tempfile.mkdtemp(prefix="fondaco-tidy-"))
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "tools/checks").mkdir(parents=True)
    for name in ("layers.txt", "exceptions.txt"):
        shutil.copy(HERE / name, root / "tools/checks" / name)
    shutil.copy(HERE.parent.parent / ".clang-format", root / ".clang-format")
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return root


def main():
    passed, failed = 0, 0

    def judge(promise, holds, found):
        nonlocal passed, failed
        passed, failed = passed + holds, failed + (not holds)
        if not holds:
            print(f"FAILED: {promise}; found: {found}")

    root = tree({**CLEAN, **ALLOWED})
    found = Tidy(root).run()
    judge("a tree without a violation is clean", not found, found)
    shutil.rmtree(root)
    for rule, path, text in PLANTED:
        root = tree({**CLEAN, path: text})
        found = Tidy(root, use_format=rule == "format").run()
        judge(f"{rule} is found in {path}", any(f.startswith(f"{path}:") and f": {rule}: " in f for f in found), found)
        shutil.rmtree(root)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
