"""Prints `module.Class` of every test class beside this file that has tests of its own, one a line: CTest's cases."""

import ast
import pathlib


def main():
    for file in sorted(pathlib.Path(__file__).parent.glob("test_*.py")):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ClassDef) and any(getattr(f, "name", "").startswith("test_") for f in node.body):
                print(f"{file.stem}.{node.name}")


if __name__ == "__main__":
    main()
