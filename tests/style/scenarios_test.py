"""Each scenario of spec/resilience.md §4.3 is a named test.

A test is named by its row: TEST_P(Scenarios, Row09FiveFailuresInARowOpen), or in Python
test_row34_... A row without one fails, but those of LATER, which come with what they need; one of
these that has its test by now fails too, so that the list stays true.
"""

import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SPEC = ROOT.parent / "shared" / "spec" / "resilience.md"
LAST = 56

# Row: what it waits for.
LATER = {
    29: "HTTP's half and full close: the OpenAI front door",
}

NAMED = re.compile(r"\bTEST(?:_F|_P)?\(\s*\w+,\s*Row(\d\d)|\bdef test_row(\d\d)_")


def rows_with_tests():
    rows = {}
    for path in sorted((ROOT / "tests").rglob("*")):
        if path.suffix not in (".cc", ".h", ".py"):
            continue
        for found in NAMED.finditer(path.read_text(encoding="utf-8")):
            rows.setdefault(int(found.group(1) or found.group(2)), set()).add(path.name)
    return rows


class Scenarios(unittest.TestCase):
    def test_every_row_has_a_test(self):
        rows = rows_with_tests()
        missing = [row for row in range(1, LAST + 1) if row not in rows and row not in LATER]
        self.assertEqual(missing, [], "rows of spec/resilience.md 4.3 without a test")
        self.assertEqual([row for row in rows if row > LAST], [])
        self.assertEqual([row for row in LATER if row in rows], [], "no longer to come later")
        for row, why in LATER.items():
            print(f"row {row}: later, {why}", file=sys.stderr)

    @unittest.skipUnless(SPEC.exists(), "the specification is not here")
    def test_the_specification_has_no_more_rows(self):
        text = SPEC.read_text(encoding="utf-8").split("### 4.3 Scenarios")[1].split("\n## ")[0]
        numbers = [int(n) for n in re.findall(r"^\|\s*(\d+)\s*\|", text, re.M)]
        self.assertEqual(max(numbers), LAST)


if __name__ == "__main__":
    unittest.main()
