"""The first calls of README.md and the examples in Python, as the pages tell to make them, against the real binary.

Commands and configuration are taken out of the pages, block by block: what stands there is what is run.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))
import clients
import daemon
import results

EXAMPLES = ROOT / "examples" / "python"
# What a gateway without configuration serves, on addresses that are free.
CONFIG = """
listen: {{ grpc: ["127.0.0.1:0", "unix:{folder}/gateway.sock"], admin: [] }}
providers: {{ mock: {{ mock: {{}} }} }}
aliases: {{ default: mock/echo }}
"""
README = (ROOT / "README.md").read_text()
EXAMPLES_README = (EXAMPLES / "README.md").read_text()
PROGRAMS = ("chat_blocking.py", "chat_aio.py")


def blocks(page, heading, language="sh"):
    """The blocks of that language under a heading of a page."""
    section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


def commands(heading):
    """The one shell block under a heading of the examples' page."""
    block, = blocks(EXAMPLES_README, heading)
    return block


class Examples(unittest.TestCase):
    def setUp(self):
        for client in ("python/ready", "grpcurl"):
            if not (clients.CLIENTS / client).exists():
                clients.absent(self, client)
        self.gateway = clients.start(self, CONFIG)
        # Beside each other as in the project, so that nothing is written there.
        self.project = self.gateway.folder / "project"
        examples = self.project / "examples" / "python"
        shutil.copytree(EXAMPLES, examples, ignore=shutil.ignore_patterns("venv", "stubs", "__pycache__"))
        (examples / "venv").symlink_to(clients.CLIENTS / "python")
        (self.project / "proto").symlink_to(ROOT / "proto")

    def shell(self, script, folder="examples/python"):
        script = script.replace("127.0.0.1:7411", self.gateway.grpc)
        script = script.replace("/run/model-gateway/gateway.sock", f"{self.gateway.folder}/gateway.sock")
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script], cwd=self.project / folder, capture_output=True, text=True,
            timeout=daemon.SECONDS,
            env=daemon.environment(PATH=f"{clients.CLIENTS}:{clients.PYTHON.parent}:{os.environ['PATH']}",
                                   MODEL_GATEWAY_ADDRESS=self.gateway.grpc, PYTHONDONTWRITEBYTECODE="1"))

    def output_of(self, *arguments):
        run = self.shell(*arguments)
        self.assertEqual((0, ""), (run.returncode, run.stderr), run.stdout)
        return run.stdout

    def run_programs(self):
        output = self.output_of(commands("Run"))
        # Both programs make a whole call, a streamed one and one that is refused; the mock says their texts back.
        self.assertEqual(2, output.count("whole: Say hello.\n  served by mock/"), output)
        self.assertEqual(2, output.count("streamed: Count to three.\n"), output)
        self.assertIn("finish: FINISH_REASON_STOP", output)
        refusals = re.findall(r"refused: NOT_FOUND: .*no-such-model.*\n"
                              r"  ERROR_KIND_UNKNOWN_MODEL, the fault of the caller, at model, request \S+\n", output)
        self.assertEqual(2, len(refusals), output)

    def test_the_first_calls_of_the_readme(self):
        terminal, grpcurl, stubs = blocks(README, "The first call")
        program, = blocks(README, "The first call", "python")
        terminal = terminal.replace("build/model-gateway chat", f"{daemon.BINARY} chat --address {self.gateway.grpc}")
        self.assertEqual("Hello", self.output_of(terminal, "."))
        self.assertIn('"text": "Hello"', self.output_of(grpcurl, "."))
        self.output_of(stubs, ".")
        self.assertEqual("Hello", self.output_of(f"python - <<'END'\n{program}END\n", "."))

    def test_stubs_from_the_proto(self):
        self.output_of(commands("Stubs from the proto"))
        self.run_programs()

    def test_stubs_from_the_running_gateway(self):
        script = commands("Or from the running gateway")
        self.assertNotIn("../../proto", script)
        self.output_of(script)
        self.run_programs()

    def test_a_gateway_that_is_not_there(self):
        self.output_of(commands("Stubs from the proto"))
        self.assertEqual(0, self.gateway.stop())
        for program in PROGRAMS:
            self.assertIn(program, commands("Run"))
            run = self.shell(f"PYTHONPATH=stubs venv/bin/python {program}")
            self.assertEqual(1, run.returncode, run.stdout + run.stderr)
            self.assertIn("UNAVAILABLE", run.stderr)
            self.assertNotIn("Traceback", AIO_NOISE.sub("", run.stderr))


# What grpc.aio lets asyncio log now and then, when a wake-up finds nothing to read.
AIO_NOISE = re.compile(r"Exception in callback PollerCompletionQueue\._handle_events.*?BlockingIOError: [^\n]*\n", re.S)


class Configuration(unittest.TestCase):
    def test_the_one_of_the_readme_is_right(self):
        text, = blocks(README, "Configuration", "yaml")
        run = daemon.run("check", "-", stdin=text, OPENAI_API_KEY="x",
                         ANTHROPIC_API_KEY="x", GEMINI_API_KEY="x")
        self.assertEqual((0, "(standard input): ok\n", ""), (run.returncode, run.stdout, run.stderr))


results.main("examples_test")
