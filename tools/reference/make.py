#!/usr/bin/env python3
"""Regenerate the reference data of the tests (tests/data/) from diffusers, transformers and torch.

usage: make.py [TOPIC ...]        all topics by default; a topic is a file of topics/

A development tool: neither building nor testing SDXL Lab needs it. A topic is a module with a
docstring that says what it computes and a function make(out: pathlib.Path) that fills the folder.
"""
import importlib
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parent.parent / "tests" / "data"


def main():
    known = sorted(p.stem for p in (HERE / "topics").glob("*.py"))
    wanted = sys.argv[1:] or known
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        sys.exit(f"make.py: no topic {', '.join(unknown)}; there are: {', '.join(known)}")
    sys.path.insert(0, str(HERE / "topics"))
    for name in wanted:
        out = DATA / name
        out.mkdir(parents=True, exist_ok=True)
        importlib.import_module(name).make(out)
        print(f"{name}: {sum(f.stat().st_size for f in out.rglob('*') if f.is_file())} bytes")
    if wanted == known:
        import diffusers, torch, transformers
        (DATA / "VERSIONS").write_text(
            f"torch {torch.__version__}\ndiffusers {diffusers.__version__}\n"
            f"transformers {transformers.__version__}\n")


if __name__ == "__main__":
    main()
