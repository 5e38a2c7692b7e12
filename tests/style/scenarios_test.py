"""Each scenario of spec/resilience.md §4.3 is a named test.

A test is named by its row: TEST_P(Scenarios, Row09FiveFailuresInARowOpen), or in Python
test_row34_... A row without one fails. Of those of LATER the half over HTTP is still to come, and
its test will say so (Row29Http..., test_row34_http_...); one that has it by now fails too, so that
the list stays true. The other half of such a row waits for nothing.
"""

import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SPEC = ROOT.parent / "shared" / "spec" / "resilience.md"
LAST = 56

# Row: what its half over HTTP waits for.
LATER = {
    29: "half and full close of an HTTP/1 connection: the OpenAI front door",
    34: "a stock openai client makes one call: the OpenAI front door",
}

NAMED = re.compile(r"\bTEST(?:_F|_P)?\(\s*\w+,\s*Row(\d\d)(Http)?|\bdef test_row(\d\d)_(http_)?")


def rows_with_tests():
    """The rows that have a test, and those that have one over HTTP."""
    rows, http = set(), set()
    for path in sorted((ROOT / "tests").rglob("*")):
        if path.suffix not in (".cc", ".h", ".py"):
            continue
        for found in NAMED.finditer(path.read_text(encoding="utf-8")):
            row = int(found.group(1) or found.group(3))
            (http if found.group(2) or found.group(4) else rows).add(row)
    return rows, http


class Scenarios(unittest.TestCase):
    def test_every_row_has_a_test(self):
        rows, http = rows_with_tests()
        missing = [row for row in range(1, LAST + 1) if row not in rows]
        self.assertEqual(missing, [], "rows of spec/resilience.md 4.3 without a test")
        self.assertEqual([row for row in rows | http if row > LAST], [])
        self.assertEqual([row for row in LATER if row in http], [], "no longer to come later")
        for row, why in LATER.items():
            print(f"row {row}: half of it later, {why}", file=sys.stderr)

    @unittest.skipUnless(SPEC.exists(), "the specification is not here")
    def test_the_specification_has_no_more_rows(self):
        text = SPEC.read_text(encoding="utf-8").split("### 4.3 Scenarios")[1].split("\n## ")[0]
        numbers = [int(n) for n in re.findall(r"^\|\s*(\d+)\s*\|", text, re.M)]
        self.assertEqual(max(numbers), LAST)


if __name__ == "__main__":
    unittest.main()
