"""Prints `module.Class` of every test class beside this file that has tests, its own or a base's, one a line: CTest's
cases."""

import importlib
import inspect
import pathlib
import sys
import unittest


def main():
    here = pathlib.Path(__file__).parent
    sys.path.insert(0, str(here.parent))
    for file in sorted(here.glob("test_*.py")):
        module = importlib.import_module(f"{here.name}.{file.stem}")
        cases = [c for _, c in inspect.getmembers(module, inspect.isclass)
                 if issubclass(c, unittest.TestCase) and c.__module__ == module.__name__]
        for case in sorted(cases, key=lambda c: inspect.getsourcelines(c)[1]):
            if unittest.defaultTestLoader.getTestCaseNames(case):
                print(f"{file.stem}.{case.__name__}")


if __name__ == "__main__":
    main()
