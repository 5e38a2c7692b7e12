"""The real binary and a caller in Go (go_client/), whose stubs are made from gateway.proto alone."""

import json
import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))
import clients
import daemon
import results

PROGRAM = clients.CLIENTS / "go_client"


class Go(unittest.TestCase):
    def setUp(self):
        if not PROGRAM.exists():
            clients.absent(self, "the caller in Go")
        self.gateway = clients.start(self)

    def call(self, command, model="default", text="Hello"):
        run = subprocess.run([PROGRAM, self.gateway.grpc, command, model, text], capture_output=True, text=True,
                             timeout=daemon.SECONDS)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        return json.loads(run.stdout)

    def answer(self, *arguments):
        outcome = self.call(*arguments)
        self.assertEqual("OK", outcome["code"], outcome)
        return outcome["answer"]

    def access_lines(self, command):
        return clients.access_lines(self, self.gateway, f"go-{command}")

    def test_chat(self):
        answer = self.answer("chat", "default", "Grüße")
        choice = answer["choices"][0]
        self.assertEqual([{"text": "Grüße"}], choice["message"]["parts"])
        self.assertEqual("FINISH_REASON_STOP", choice["finish"]["reason"])
        self.assertEqual("go-chat", answer["report"]["correlationId"])
        self.assertEqual(1, len(self.access_lines("chat")))

    def test_a_folded_stream_is_the_whole_answer(self):
        streamed = self.call("stream", "fake/poem")
        self.assertEqual(["started", "delta"], streamed["events"][:2])
        self.assertEqual(["finished", "completed"], streamed["events"][-2:])
        self.assertGreater(streamed["events"].count("delta"), 1)
        whole = self.answer("chat", "fake/poem")
        self.assertEqual([{"text": "one two three four five six seven eight"}], whole["choices"][0]["message"]["parts"])
        for key in ("choices", "model", "usage"):
            self.assertEqual(whole[key], streamed["answer"][key])
        self.assertEqual(whole["report"]["provider"], streamed["answer"]["report"]["provider"])

    def test_embed(self):
        answer = self.answer("embed", "default", "one two")
        self.assertEqual(1, len(answer["embeddings"]))
        self.assertTrue(answer["embeddings"][0]["values"])
        self.assertEqual(2, answer["usage"]["inputTokens"])

    def test_count_tokens(self):
        self.assertEqual(3, self.answer("count_tokens", "default", "one two three")["tokens"])

    def test_list_models(self):
        models = self.answer("list_models")["models"]
        self.assertEqual(("default", "KIND_ALIAS"), (models[0]["name"], models[0]["kind"]))
        self.assertIn("chat", models[0]["capabilities"])

    def test_errors_carry_their_detail(self):
        refused = self.call("chat", "defautl")
        self.assertEqual("NotFound", refused["code"])
        self.assertIn('"default"', refused["message"])
        detail = refused["detail"]
        self.assertEqual(("ERROR_KIND_UNKNOWN_MODEL", "caller", "model"),
                         (detail["kind"], detail["fault"], detail["field"]))

        broken = self.call("stream", "fake/broken")
        self.assertEqual("Unavailable", broken["code"])
        self.assertEqual(("fake", 503), (broken["detail"]["provider"], broken["detail"]["httpStatus"]))
        self.assertEqual(["fake/broken"], [attempt["candidate"] for attempt in broken["detail"]["report"]["attempts"]])
        self.assertEqual(1, len(self.access_lines("stream")))

    def test_a_deadline_ends_the_call(self):
        self.assertEqual("DeadlineExceeded", self.call("deadline", "stuck")["code"])
        # The drain ends at once: nothing waits for the provider, which would take 300 s.
        self.assertEqual(1, len(self.access_lines("deadline")))

    def test_a_cancelled_call_leaves_its_provider(self):
        outcome = self.call("cancel", "paced/echo", "word " * 600)  # a minute of them
        self.assertEqual("Canceled", outcome["code"])
        self.assertEqual("started", outcome["events"][0])
        self.assertNotIn("completed", outcome["events"])
        self.assertEqual(1, len(self.access_lines("cancel")))


def tearDownModule():
    if PROGRAM.exists():
        print("REPORT: foreign clients that ran: a caller in Go")


results.main("go_test")
