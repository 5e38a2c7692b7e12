"""What the tests share that run foreign clients against the real binary.

tools/clients brings the clients; where one is absent its tests are skipped, or fail with CI=true.
"""

import os
import pathlib
import sys
import tempfile

import daemon

CLIENTS = pathlib.Path(os.environ.get("MG_CLIENTS", daemon.ROOT / "build" / "clients"))
PYTHON = CLIENTS / "python" / "bin" / "python"
SERVICE = "modelgateway.v1.ModelGateway"
CONFIG = """
listen:
  grpc: ["127.0.0.1:0", "unix:{folder}/gateway.sock"]
  http: []
  admin: ["127.0.0.1:0"]
  admin_grpc: []
providers:
  fake:
    mock:
      rules:
        - {{ model: broken, reply: {{ echo: true }}, fault: {{ status: 503 }} }}
        - {{ model: poem, reply: {{ text: "one two three four five six seven eight" }} }}
  paced:
    mock: {{ latency: {{ first: 10ms, token: 100ms }} }}
  stuck:
    mock: {{ latency: {{ first: 300s, token: 0s }} }}
aliases: {{ default: fake/echo, stuck: stuck/echo }}
retry: {{ max_attempts: 1 }}
observability:
  backend: none
  logs: {{ format: json }}
"""


def become_python():
    """Goes on in the Python that tools/clients brought, if it is there."""
    if (CLIENTS / "python" / "ready").exists() and pathlib.Path(sys.prefix) != CLIENTS / "python":
        os.execv(PYTHON, [str(PYTHON), *sys.argv])


def start(case, config=CONFIG, **extra):
    folder = tempfile.TemporaryDirectory(prefix="mg")
    case.addCleanup(folder.cleanup)
    gateway = daemon.Daemon(folder.name, config.format(folder=folder.name), **extra)
    case.addCleanup(gateway.process.wait)
    case.addCleanup(gateway.process.kill)
    return gateway


def absent(case, client):
    if os.environ.get("CI") == "true":
        case.fail(f"{client} is not in {CLIENTS}, and CI is to run it")
    case.skipTest(f"{client} is not in {CLIENTS} (tools/clients brings it where there is a network)")


def access_lines(case, gateway, correlation):
    """The lines about the call, once the daemon has ended (and so written all of them)."""
    case.assertEqual(0, gateway.stop())
    return [line for line in gateway.log_lines()
            if line.get("correlation_id") == correlation and line.get("level", "").lower() == "info"]
