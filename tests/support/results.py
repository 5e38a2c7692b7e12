"""Runs a module's unittest cases and leaves NAME.xml where ./test gathers its results (MG_RESULTS)."""

import os
import pathlib
import sys
import unittest
import xml.etree.ElementTree as xml


class _Recorder(unittest.TextTestResult):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.started = []

    def startTest(self, test):
        self.started.append(test.id())
        super().startTest(test)


def main(name):
    """The last line of a test module: runs its cases and ends the process."""
    runner = unittest.TextTestRunner(verbosity=2, resultclass=_Recorder, stream=sys.stdout)
    result = unittest.main("__main__", testRunner=runner, exit=False).result
    folder = os.environ.get("MG_RESULTS")
    if folder:
        notes = {}  # a sub-test that failed makes its test a failed one; a fixture that failed is a case of its own
        for tag, entries in (("skipped", result.skipped), ("failure", result.failures + result.errors)):
            for test, text in entries:
                notes[getattr(test, "test_case", test).id()] = (tag, text)
        root = xml.Element("testsuites")
        for case in dict.fromkeys([*result.started, *notes]):
            element = xml.SubElement(root, "testcase", classname=name, name=case.removeprefix("__main__."))
            if case in notes:
                xml.SubElement(element, notes[case][0], message=notes[case][1])
        xml.ElementTree(root).write(pathlib.Path(folder, name + ".xml"))
    sys.exit(0 if result.wasSuccessful() else 1)
