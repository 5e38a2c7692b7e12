"""The real binary as a child of a test: started with a configuration of the test's own, stopped by signals."""

import json
import os
import pathlib
import signal
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = os.environ.get("MG_BINARY", str(ROOT / "build" / "model-gateway"))
SECONDS = 20  # for what takes a moment; reached only where something hangs


def environment(**extra):
    """This process's environment without what would configure the daemon."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("MODEL_GATEWAY_") and not name.endswith(("_API_KEY", "_proxy", "_PROXY"))}
    return {**kept, **extra}


def run(*arguments, stdin="", **extra):
    """A sub-command that ends by itself."""
    return subprocess.run([BINARY, *arguments], input=stdin, capture_output=True, text=True, timeout=SECONDS,
                          env=environment(**extra))


class Daemon:
    def __init__(self, folder, config, **extra):
        """Starts and waits until all listeners answer. `folder` is the daemon's own, `config` YAML."""
        self.folder = pathlib.Path(folder)
        self.config = self.folder / "config.yaml"
        self.config.write_text(config)
        self.ready_file = self.folder / "ready.json"
        self.log = self.folder / "log"
        self.ready_file.unlink(missing_ok=True)
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [BINARY, "serve", "--config", self.config, "--ready-file", self.ready_file],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environment(**extra))
        for _ in range(SECONDS * 50):
            if self.ready_file.exists():
                break
            try:
                self.process.wait(0.02)
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError(f"serve ended with {self.process.returncode}:\n{self.log.read_text()}")
        else:
            self.process.kill()
            raise AssertionError(f"not ready after {SECONDS} s:\n{self.log.read_text()}")
        self.listens = json.loads(self.ready_file.read_text())

    @property
    def grpc(self):
        return next(address for address in self.listens["grpc"] if not address.startswith("unix:"))

    @property
    def admin(self):
        return self.listens["admin"][0]

    def stop(self):
        """SIGTERM; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def log_lines(self):
        """The JSON lines of the log; of a daemon that still runs perhaps not yet the last ones."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
