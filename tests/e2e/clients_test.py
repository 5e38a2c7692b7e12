"""The real binary and clients that are not ours: grpcurl, Python's grpcio, urllib, a shell pipe.

tools/clients brings the first two; where one is absent its tests are skipped, or fail with CI=true.
"""

import json
import pathlib
import re
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))
import clients
import daemon
import results
from clients import CLIENTS, CONFIG, SERVICE, absent, start

clients.become_python()
try:
    import grpc
    import grpc_tools
    import grpc_tools.protoc
except ImportError:
    grpc = None

ran = []


def chat_request(text, model="default", **context):
    return {"model": model, "messages": [{"role": "ROLE_USER", "parts": [{"text": text}]}], "context": context}


class Grpcurl(unittest.TestCase):
    def setUp(self):
        if not (CLIENTS / "grpcurl").exists():
            absent(self, "grpcurl")
        self.gateway = start(self)

    def call(self, *arguments, request=None, address=None, expect=0):
        data = ["-d", json.dumps(request)] if request is not None else []
        run = subprocess.run([CLIENTS / "grpcurl", "-plaintext", *data, *(address or [self.gateway.grpc]), *arguments],
                             capture_output=True, text=True, timeout=daemon.SECONDS)
        self.assertEqual(run.returncode, expect, run.stdout + run.stderr)
        return run.stdout + run.stderr

    def test_reflection_lists_the_services(self):
        self.assertEqual(
            {SERVICE, "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
             "grpc.reflection.v1alpha.ServerReflection"},
            set(self.call("list").split()))
        self.assertIn("rpc StreamChat ( .modelgateway.v1.ChatRequest ) returns ( stream .modelgateway.v1.ChatEvent )",
                      self.call("describe", SERVICE))
        self.assertIn("optional int32 max_output_tokens = 1", self.call("describe", "modelgateway.v1.Sampling"))

    def test_health(self):
        self.assertEqual("SERVING", json.loads(self.call("grpc.health.v1.Health/Check"))["status"])
        self.assertEqual("SERVING", json.loads(
            self.call("grpc.health.v1.Health/Check", request={"service": SERVICE}))["status"])
        self.call("grpc.health.v1.Health/Check", request={"service": "nobody"}, expect=64 + 5)

    def test_chat(self):
        answer = json.loads(self.call(f"{SERVICE}/Chat", request=chat_request("Grüße")))
        choice = answer["choices"][0]
        self.assertEqual([{"text": "Grüße"}], choice["message"]["parts"])
        self.assertEqual("FINISH_REASON_STOP", choice["finish"]["reason"])
        self.assertEqual("fake", answer["report"]["provider"])
        self.assertEqual("echo", answer["report"]["model"])

    def test_chat_over_the_unix_socket(self):
        path = self.gateway.folder / "gateway.sock"
        self.assertEqual(0o660, stat.S_IMODE(path.stat().st_mode))
        answer = json.loads(self.call(f"{SERVICE}/Chat", request=chat_request("Hello"),
                                      address=["-unix", "-authority", "localhost", str(path)]))
        self.assertEqual([{"text": "Hello"}], answer["choices"][0]["message"]["parts"])

    def test_stream_chat(self):
        output = self.call(f"{SERVICE}/StreamChat", request=chat_request("", "fake/poem"))
        decoder, events, at = json.JSONDecoder(), [], 0
        while at < len(output.rstrip()):
            event, at = decoder.raw_decode(output, at)
            events.append(event)
            at += len(output[at:]) - len(output[at:].lstrip())
        self.assertIn("started", events[0])
        self.assertIn("completed", events[-1])
        text = "".join(event["delta"]["part"].get("text", "") for event in events if "delta" in event)
        self.assertEqual("one two three four five six seven eight", text)
        self.assertGreater(sum("delta" in event for event in events), 1)

    def test_an_error_names_what_is_wrong(self):
        output = self.call(f"{SERVICE}/Chat", request=chat_request("Hello", "defautl"), expect=64 + 5)
        self.assertIn("NotFound", output)
        self.assertIn('"default"', output.split("Details:")[0])
        self.assertIn("ERROR_KIND_UNKNOWN_MODEL", output)

    def test_list_models(self):
        models = json.loads(self.call(f"{SERVICE}/ListModels", request={}))["models"]
        self.assertIn("default", [model["name"] for model in models])
        self.assertIn("chat", models[0]["capabilities"])

    def test_embed(self):
        answer = json.loads(self.call(f"{SERVICE}/Embed", request={
            "model": "default", "inputs": [{"text": "one"}, {"text": "two"}]}))
        self.assertEqual(2, len(answer["embeddings"]))
        self.assertEqual(2, answer["usage"]["inputTokens"])

    def test_count_tokens(self):
        answer = json.loads(self.call(f"{SERVICE}/CountTokens", request={
            "chat": {"model": "default"}, "text": "one two three"}))
        self.assertEqual(3, answer["tokens"])

    @classmethod
    def tearDownClass(cls):
        if (CLIENTS / "grpcurl").exists():
            run = subprocess.run([CLIENTS / "grpcurl", "-version"], capture_output=True, text=True)
            ran.append((run.stdout + run.stderr).strip())


class PythonGrpc(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if grpc is None:
            return
        folder = tempfile.TemporaryDirectory(prefix="mg")
        cls.addClassCleanup(folder.cleanup)
        code = grpc_tools.protoc.main([
            "protoc", f"-I{ROOT / 'proto'}", f"-I{pathlib.Path(grpc_tools.__file__).parent / '_proto'}",
            f"--python_out={folder.name}", f"--grpc_python_out={folder.name}", "modelgateway/v1/gateway.proto"])
        assert code == 0
        sys.path.insert(0, folder.name)
        from modelgateway.v1 import gateway_pb2, gateway_pb2_grpc
        cls.proto, cls.services = gateway_pb2, gateway_pb2_grpc
        ran.append(f"Python grpcio {grpc.__version__}")

    def setUp(self):
        if grpc is None:
            absent(self, "Python's grpcio")
        self.gateway = start(self)
        self.stub = self.connect(self.gateway.grpc)

    def connect(self, address):
        channel = grpc.insecure_channel(address)
        self.addCleanup(channel.close)
        return self.services.ModelGatewayStub(channel)

    def request(self, text, model="default"):
        request = self.proto.ChatRequest(model=model)
        request.messages.add(role=self.proto.ROLE_USER).parts.add(text=text)
        return request

    def detail(self, error):
        """ErrorDetail out of grpc-status-details-bin, a google.rpc.Status: its third field holds Any messages."""
        raw = dict(error.trailing_metadata())["grpc-status-details-bin"]
        self.assertLessEqual(len(raw), 4096 + 512)
        name = b"type.googleapis.com/modelgateway.v1.ErrorDetail"
        self.assertIn(name, raw)
        # Any.value stands behind Any.type_url: tag 0x12, its length as a varint, its bytes.
        at = raw.index(name) + len(name)
        self.assertEqual(0x12, raw[at])
        at, shift, length = at + 1, 0, 0
        while True:
            length |= (raw[at] & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if raw[at - 1] < 0x80:
                break
        return self.proto.ErrorDetail.FromString(raw[at:at + length])

    def access_lines(self, correlation):
        return clients.access_lines(self, self.gateway, correlation)

    def test_chat(self):
        answer, call = self.stub.Chat.with_call(self.request("Hello"), metadata=[("x-correlation-id", "abc-1")])
        self.assertEqual("Hello", answer.choices[0].message.parts[0].text)
        self.assertEqual("abc-1", answer.report.correlation_id)
        metadata = dict(call.initial_metadata())
        self.assertEqual("abc-1", metadata["x-correlation-id"])
        self.assertEqual(answer.report.request_id, metadata["x-request-id"])
        lines = self.access_lines("abc-1")
        self.assertEqual(1, len(lines), lines)
        self.assertEqual("fake", lines[0]["provider"])

    def test_stream_chat_folds_to_what_chat_answers(self):
        events = list(self.stub.StreamChat(self.request("", "fake/poem"), metadata=[("x-correlation-id", "abc-2")]))
        self.assertEqual("started", events[0].WhichOneof("kind"))
        self.assertEqual(["finished", "completed"], [event.WhichOneof("kind") for event in events[-2:]])
        text = "".join(event.delta.part.text for event in events if event.WhichOneof("kind") == "delta")
        self.assertEqual(self.stub.Chat(self.request("", "fake/poem")).choices[0].message.parts[0].text, text)
        self.assertEqual(1, len(self.access_lines("abc-2")))

    def test_over_the_unix_socket(self):
        stub = self.connect(f"unix:{self.gateway.folder}/gateway.sock")
        self.assertEqual("Hello", stub.Chat(self.request("Hello")).choices[0].message.parts[0].text)

    def test_errors_carry_their_detail(self):
        with self.assertRaises(grpc.RpcError) as caught:
            self.stub.Chat(self.request("Hello", "defautl"), metadata=[("x-correlation-id", "abc-3")])
        self.assertEqual(grpc.StatusCode.NOT_FOUND, caught.exception.code())
        detail = self.detail(caught.exception)
        self.assertEqual(self.proto.ERROR_KIND_UNKNOWN_MODEL, detail.kind)
        self.assertEqual("caller", detail.fault)
        self.assertEqual("model", detail.field)

        with self.assertRaises(grpc.RpcError) as caught:
            list(self.stub.StreamChat(self.request("Hello", "fake/broken")))
        self.assertEqual(grpc.StatusCode.UNAVAILABLE, caught.exception.code())
        detail = self.detail(caught.exception)
        self.assertEqual("fake", detail.provider)
        self.assertEqual(503, detail.http_status)
        self.assertEqual(["fake/broken"], [attempt.candidate for attempt in detail.report.attempts])
        self.assertEqual(1, len(self.access_lines("abc-3")))

    def test_a_field_of_the_future_is_refused_by_name(self):
        raw = self.request("Hello").SerializeToString() + b"\xf8\x3f\x01"  # field 1023, varint 1
        chat = grpc.insecure_channel(self.gateway.grpc).unary_unary(f"/{SERVICE}/Chat")
        with self.assertRaises(grpc.RpcError) as caught:
            chat(raw)
        self.assertEqual(grpc.StatusCode.INVALID_ARGUMENT, caught.exception.code())
        self.assertIn("1023", caught.exception.details())

    def test_keys_of_a_call_are_written_nowhere(self):
        keys = self.proto.CallCredentials()
        keys.by_provider["fake"].api_key = "canary-4711"
        self.stub.Chat(self.request("Hello"),
                       metadata=[("x-modelgateway-credentials-bin", keys.SerializeToString())])
        with self.assertRaises(grpc.RpcError) as caught:
            self.stub.Chat(self.request("Hello"), metadata=[("x-modelgateway-api-key", "fak=canary-4711")])
        self.assertEqual(self.proto.ERROR_KIND_INVALID_REQUEST, self.detail(caught.exception).kind)
        self.assertIn("x-modelgateway-api-key", caught.exception.details())
        self.assertEqual(0, self.gateway.stop())
        self.assertNotIn("canary-4711", self.gateway.log.read_text() + caught.exception.details())

    def test_a_deadline_ends_the_call(self):
        with self.assertRaises(grpc.RpcError) as caught:
            self.stub.Chat(self.request("Hello", "stuck"), timeout=0.2, metadata=[("x-correlation-id", "abc-4")])
        self.assertEqual(grpc.StatusCode.DEADLINE_EXCEEDED, caught.exception.code())
        # The drain ends at once: nothing waits for the provider, which would take 300 s.
        self.assertEqual(1, len(self.access_lines("abc-4")))

    def test_a_cancelled_call_leaves_its_provider(self):
        call = self.stub.StreamChat(self.request("one two three", "paced/echo"),
                                    metadata=[("x-correlation-id", "abc-5")])
        self.assertEqual("started", next(call).WhichOneof("kind"))
        call.cancel()
        stuck = self.stub.Chat.future(self.request("Hello", "stuck"), metadata=[("x-correlation-id", "abc-6")])
        stuck.cancel()
        self.assertEqual(1, len(self.access_lines("abc-5")))

    def test_sigterm_lets_a_stream_end(self):
        call = self.stub.StreamChat(self.request("one two three four five six", "paced/echo"))
        self.assertEqual("started", next(call).WhichOneof("kind"))
        self.gateway.process.send_signal(signal.SIGTERM)
        rest = [event for event in call]
        self.assertEqual("completed", rest[-1].WhichOneof("kind"))
        self.assertEqual("one two three four five six", "".join(event.delta.part.text for event in rest))
        self.assertEqual(0, self.gateway.process.wait(daemon.SECONDS))
        self.assertFalse(self.gateway.ready_file.exists())
        self.assertFalse((self.gateway.folder / "gateway.sock").exists())

    def test_a_second_sigterm_ends_at_once(self):
        call = self.stub.StreamChat(self.request("one two three", "paced/echo"))
        next(call)
        stuck = self.stub.Chat.future(self.request("Hello", "stuck"))
        self.gateway.process.send_signal(signal.SIGTERM)
        # The drain has begun once a health check says so, or the listener is closed.
        list(call)
        self.gateway.process.send_signal(signal.SIGTERM)
        self.gateway.process.wait(daemon.SECONDS)
        with self.assertRaises(grpc.RpcError):
            stuck.result(daemon.SECONDS)

    def test_sighup_without_a_change_leaves_a_line(self):
        self.gateway.process.send_signal(signal.SIGHUP)
        self.assertEqual("Hello", self.stub.Chat(self.request("Hello")).choices[0].message.parts[0].text)
        self.assertEqual(0, self.gateway.stop())
        self.assertIn("SIGHUP", self.gateway.log.read_text())


class AdminListener(unittest.TestCase):
    def get(self, gateway, path, method="GET"):
        try:
            with urllib.request.urlopen(urllib.request.Request(f"http://{gateway.admin}{path}", method=method),
                                        timeout=daemon.SECONDS) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read().decode()

    def test_health_and_metrics(self):
        gateway = start(self)
        self.assertEqual(200, self.get(gateway, "/healthz")[0])
        self.assertEqual(200, self.get(gateway, "/readyz")[0])
        self.assertEqual(0, daemon.run("chat", "--address", gateway.grpc, "Hello").returncode)
        code, headers, text = self.get(gateway, "/metrics")
        self.assertEqual(200, code)
        self.assertTrue(headers["content-type"].startswith("text/plain"), headers)
        self.assertRegex(text, r'(?m)^modelgateway_requests_total\{[^}]*\} 1$')
        self.assertEqual((200, ""), self.get(gateway, "/metrics", "HEAD")[::2])
        self.assertEqual(404, self.get(gateway, "/nowhere")[0])
        self.assertEqual(405, self.get(gateway, "/metrics", "DELETE")[0])


class Program(unittest.TestCase):
    def folder(self):
        folder = tempfile.TemporaryDirectory(prefix="mg")
        self.addCleanup(folder.cleanup)
        return pathlib.Path(folder.name)

    def serve(self, config, expect, **extra):
        """A `serve` that is to end by itself: what it said."""
        path = self.folder() / "config.yaml"
        path.write_text(config)
        run = daemon.run("serve", "--config", str(path), **extra)
        self.assertEqual(expect, run.returncode, run.stdout + run.stderr)
        return run.stdout + run.stderr

    def test_version(self):
        run = daemon.run("--version")
        self.assertEqual(0, run.returncode)
        version = re.search(r"project\(model_gateway VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text())
        if version:
            self.assertEqual(f"model-gateway {version.group(1)}\n", run.stdout)
        self.assertRegex(run.stdout, r"^model-gateway \d+\.\d+\.\d+\n$")

    def test_help_and_wrong_usage(self):
        self.assertEqual(0, daemon.run("--help").returncode)
        self.assertEqual(0, daemon.run("serve", "--help").returncode)
        self.assertEqual(2, daemon.run().returncode)
        for arguments in (["sreve"], ["serve", "--confgi", "x"], ["serve", "--config"], ["chat", "--nonsense", "x"]):
            run = daemon.run(*arguments)
            self.assertEqual(2, run.returncode, arguments)
            self.assertTrue(run.stderr)

    def test_a_bad_configuration_names_every_problem(self):
        text = self.serve("providers:\n  fake: { mock: {} }\naliasse: { a: fake/x }\nretry:\n  max_attempts: many\n", 2)
        self.assertRegex(text, r"config\.yaml:3\b.*aliasse.*aliases")
        self.assertRegex(text, r"config\.yaml:5\b.*retry\.max_attempts")

    def test_what_never_starts(self):
        self.serve("", 2)
        self.serve("listen: [", 2)
        self.assertRegex(self.serve("access: { keys: [] }\nproviders: { fake: { mock: {} } }\n", 2),
                         r"access.*not in this version")
        self.assertRegex(self.serve('listen: { grpc: ["0.0.0.0:0"] }\nproviders: { fake: { mock: {} } }\n', 2),
                         r"allow_unauthenticated")
        self.assertEqual(2, daemon.run("serve", "--config", "/nowhere/config.yaml").returncode)
        self.assertEqual(2, daemon.run("serve", MODEL_GATEWAY_CONFIG="a: 1",
                                       MODEL_GATEWAY_CONFIG_FILE="/nowhere").returncode)

    def test_an_address_in_use_names_its_key(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            for key, other in (("grpc", "admin"), ("admin", "grpc")):
                text = self.serve(f'listen: {{ {key}: ["{address}"], {other}: ["127.0.0.1:0"] }}\n'
                                  "providers: { fake: { mock: {} } }\n", 1)
                self.assertIn(f"listen.{key}", text)
                self.assertIn(address, text)

    def test_a_live_socket_is_refused_and_a_stale_one_replaced(self):
        gateway = start(self)
        path = gateway.folder / "gateway.sock"
        text = self.serve(f'listen: {{ grpc: ["unix:{path}"], admin: [] }}\nproviders: {{ fake: {{ mock: {{}} }} }}\n', 1)
        self.assertIn("listen.grpc", text)
        gateway.process.kill()
        gateway.process.wait()
        self.assertTrue(path.exists())
        again = daemon.Daemon(gateway.folder, gateway.config.read_text())
        self.addCleanup(again.process.wait)
        self.addCleanup(again.process.kill)
        run = daemon.run("chat", "--address", f"unix:{path}", "Hello")
        self.assertEqual((0, "Hello"), (run.returncode, run.stdout), run.stderr)
        self.assertEqual(0, again.stop())

    def test_check(self):
        good = "providers: { fake: { mock: {} } }\naliases: { default: fake/echo }\n"
        run = daemon.run("check", "-", stdin=good)
        self.assertEqual(0, run.returncode, run.stderr)
        run = daemon.run("check", "-", stdin=good + "observability: { backend: none }\n")
        self.assertEqual(0, run.returncode, run.stderr)
        self.assertIn("observability.backend", run.stdout + run.stderr)
        run = daemon.run("check", "-", stdin="providers: { fake: { mcok: {} } }\n")
        self.assertEqual(2, run.returncode)
        self.assertIn("mock", run.stdout + run.stderr)

    def test_config_docs_prints_the_manual(self):
        run = daemon.run("config", "docs")
        self.assertEqual((0, ""), (run.returncode, run.stderr))
        self.assertIn("\n### `providers.NAME.openai.base_url`\n", run.stdout)
        self.assertIn("Default: `https://api.openai.com/v1`.", run.stdout)
        self.assertLessEqual(max(map(len, run.stdout.splitlines())), 100)
        run = daemon.run("config", "dosc")
        self.assertEqual((2, ""), (run.returncode, run.stdout))
        self.assertIn('config has no "dosc"; it has: docs', run.stderr)
        self.assertEqual(2, daemon.run("config").returncode)
        self.assertEqual(2, daemon.run("config", "docs", "more").returncode)

    def test_chat_reads_a_pipe(self):
        gateway = start(self)
        run = daemon.run("chat", "--address", gateway.grpc, stdin="one\ntwo\n")
        self.assertEqual(0, run.returncode, run.stderr)
        self.assertEqual("one\ntwo", run.stdout.rstrip("\n"))
        run = daemon.run("chat", "--address", gateway.grpc, "--model", "fake/poem", "-", stdin="x")
        self.assertEqual((0, "one two three four five six seven eight"), (run.returncode, run.stdout), run.stderr)
        self.assertNotIn("\x1b", run.stdout + run.stderr)
        run = daemon.run("chat", "--address", gateway.grpc, "--model", "defautl", "Hello")
        self.assertEqual(1, run.returncode)
        self.assertIn("defautl", run.stderr)
        self.assertEqual("", run.stdout)

    def test_the_environment_configures(self):
        text = CONFIG.format(folder=self.folder())
        ready = self.folder() / "ready.json"
        process = subprocess.Popen([daemon.BINARY, "serve", "--ready-file", ready], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env=daemon.environment(MODEL_GATEWAY_CONFIG=text))
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        for _ in range(daemon.SECONDS * 50):
            if ready.exists():
                break
            with self.assertRaises(subprocess.TimeoutExpired):
                process.wait(0.02)
        self.assertTrue(json.loads(ready.read_text())["grpc"])


def tearDownModule():
    print("REPORT: foreign clients that ran:", ", ".join([*ran, "urllib", "a shell pipe"]))


results.main("clients_test")
