"""Fixtures for the tests of an application that asks the model gateway: no network, no key, no port to choose.

`model_gateway` is a real gateway with nothing but its mock, for the whole run. `mock` is the mock as one test sees it:
what the test scripts is answered to its own calls alone, so that tests may run side by side.

Copy this file beside your own tests. It needs pytest and the gateway's binary: MODEL_GATEWAY_BINARY, else
`model-gateway` on the PATH.
"""

import json
import os
import subprocess
import urllib.error
import urllib.request
import uuid

import pytest

BINARY = os.environ.get("MODEL_GATEWAY_BINARY", "model-gateway")
START_SECONDS = 30


class Gateway:
    """Where a gateway listens, and the way to its services of administration."""

    def __init__(self, listens):
        self.address = next(address for address in listens["grpc"] if not address.startswith("unix:"))
        self.admin = listens["admin"][0]
        with open(listens["admin_token_file"]) as token:
            self.token = token.read().strip()
        # Nothing of this goes through a proxy of the environment.
        self.http = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def control(self, method, request):
        """Asks a method of MockControl (proto/modelgateway/v1/mock.proto): messages as protobuf JSON."""
        call = urllib.request.Request(
            f"http://{self.admin}/api/v1/MockControl/{method}", data=json.dumps(request).encode(),
            headers={"content-type": "application/json", "authorization": f"Bearer {self.token}"})
        try:
            with self.http.open(call, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method}: {error.read().decode()}") from None


class Mock:
    """The mock as one test sees it. `metadata` is what the application under test must send with its calls."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.session = uuid.uuid4().hex
        self.metadata = [("x-modelgateway-mock-session", self.session)]
        self.target = {"provider": "mock", "session": self.session}

    def script(self, *answers, repeat_last=False):
        """The answers to the next calls, in order: a text, or a ScriptedAnswer ({"fault": {"status": 503}}, {"chat": …})."""
        answers = [{"text": answer} if isinstance(answer, str) else answer for answer in answers]
        self.gateway.control("Script", {"target": self.target, "answers": answers, "repeatLast": repeat_last})

    def rules(self, *rules):
        """What is answered where no script is left, as in the configuration: {"lastUser": "(?i)rain", "reply": {…}}."""
        self.gateway.control("PutMock", {"target": self.target, "rules": rules})

    def calls(self):
        """What the mock was asked so far, oldest first: a MockCall each."""
        return self.gateway.control("ListCalls", {"target": self.target}).get("calls", [])


def listens_of(process, ready_file, log):
    """What the ready file says, as soon as it is there."""
    for _ in range(START_SECONDS * 50):
        if ready_file.exists():
            return json.loads(ready_file.read_text())
        try:
            process.wait(0.02)
        except subprocess.TimeoutExpired:
            continue
        raise RuntimeError(f"model-gateway ended with {process.returncode}:\n{log.read_text()}")
    raise RuntimeError(f"model-gateway was not ready after {START_SECONDS} s:\n{log.read_text()}")


@pytest.fixture(scope="session")
def model_gateway(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model-gateway")
    ready_file, log = folder / "ready.json", folder / "log"
    # A configuration of the machine is none of the tests'.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MODEL_GATEWAY_CONFIG")}
    with open(log, "w") as out:
        process = subprocess.Popen([BINARY, "serve", "--ephemeral", "--ready-file", ready_file],
                                   stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=environment)
    try:
        yield Gateway(listens_of(process, ready_file, log))
    finally:
        process.terminate()
        process.wait(START_SECONDS)


@pytest.fixture
def mock(model_gateway):
    mock = Mock(model_gateway)
    yield mock
    model_gateway.control("Reset", {"session": mock.session})
