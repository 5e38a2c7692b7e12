"""The tests of the example application, as their page says to run them: pytest against `serve --ephemeral`."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))
import clients
import daemon
import results

EXAMPLE = ROOT / "examples" / "pytest"


class PytestExample(unittest.TestCase):
    def setUp(self):
        if not (clients.CLIENTS / "python" / "ready").exists():
            clients.absent(self, "python/ready")
        folder = tempfile.TemporaryDirectory(prefix="mg")
        self.addCleanup(folder.cleanup)
        # Beside each other as in the project, so that nothing is written there.
        self.project = pathlib.Path(folder.name)
        self.example = self.project / "examples" / "pytest"
        shutil.copytree(EXAMPLE, self.example, ignore=shutil.ignore_patterns("venv", "stubs", "__pycache__"))
        (self.example / "venv").symlink_to(clients.CLIENTS / "python")
        (self.project / "proto").symlink_to(ROOT / "proto")

    def run_page(self, **extra):
        page = (self.example / "README.md").read_text().split("\n## Run\n")[1]
        script, = re.findall(r"```sh\n(.*?)```", page.split("\n## ")[0], re.DOTALL)
        self.assertIn("../../build/model-gateway", script)
        script = script.replace("../../build/model-gateway", str(daemon.BINARY))
        return subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=self.example, capture_output=True, text=True,
                              timeout=3 * daemon.SECONDS,
                              env=daemon.environment(PATH=os.environ["PATH"], PYTHONDONTWRITEBYTECODE="1", **extra))

    def test_its_tests_pass_and_leave_nothing_behind(self):
        scratch = self.project / "tmp"
        scratch.mkdir()
        # A key and a proxy of the environment must not matter.
        run = self.run_page(TMPDIR=str(scratch), OPENAI_API_KEY="sk-canary", HTTPS_PROXY="http://127.0.0.1:1")
        self.assertEqual(0, run.returncode, run.stdout + run.stderr)
        self.assertRegex(run.stdout, r"\b5 passed")
        self.assertEqual([], [left.name for left in scratch.glob("model-gateway-*")])

    def test_a_test_that_is_wrong_fails(self):
        test = self.example / "test_app.py"
        test.write_text(test.read_text().replace('mock.script("Sunny, as always.")', 'mock.script("Rain.")'))
        run = self.run_page()
        self.assertEqual(1, run.returncode, run.stdout + run.stderr)
        self.assertRegex(run.stdout, r"\b1 failed, 4 passed")


results.main("pytest_example_test")
