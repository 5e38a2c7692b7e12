"""What the tree promises about itself: who includes whom, which library is used where, and a few habits.

The arrows are those of the design; a wrong one fails with file and line.
"""

import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))
import results

# Folder → the folders it may include beside itself and `proto`, which all may.
ARROWS = {
    "proto": [],
    "base": [],
    "resilience": ["base"],
    "adapters": ["base"],
    "routing": ["base", "resilience"],
    "telemetry": ["base"],
    "daemon/runtime": ["base"],
    "daemon/config": ["base", "resilience", "routing"],
    "daemon": ["base", "resilience", "adapters", "routing", "telemetry", "daemon/runtime", "daemon/config"],
}
# These may include everything.
FREE = ["main", "tests", "cmake"]

# Library → the headers that are its own, and the only files that may include them (tests may, but for JSON).
LIBRARIES = {
    "gRPC": (r"grpc(pp|\+\+)?/|.*\.grpc\.pb\.h", r"daemon/(grpc|rpc)_\w+\.(cc|h)|main/(admin|chat|health)\.cc"),
    "libcurl": (r"curl/", r"daemon/runtime/curl_\w+\.(cc|h)"),
    "epoll": (r"sys/(epoll|eventfd|timerfd)\.h", r"daemon/runtime/(epoll_loop|fd_watcher|curl_multi)\.cc|main/serve\.cc"),
    "Beast": (r"boost/", r"daemon/runtime/(http_server\w*|response_parser)\.(cc|h)"),
    "yaml-cpp": (r"yaml-cpp/", r"daemon/config/yaml\w*\.cc"),
    "prometheus-cpp": (r"prometheus/", r"telemetry/metrics\w*\.cc"),
    "OpenSSL": (r"openssl/", r"base/\w+\.cc|adapters/.*\.cc|daemon/runtime/tls\w*\.(cc|h)"),
    "RE2": (r"re2/", r"adapters/.*\.cc|telemetry/\w+\.cc|daemon/mock\w*\.(cc|h)|daemon/config/validate\w*\.cc"),
    "xxHash": (r"xxhash\.h", r"base/hash\.cc"),
}

# Their functions get time, randomness and bytes as arguments; but for ids that a provider left out, whose only promise
# is that no two are the same.
PURE = ["resilience", "adapters", "routing"]
MAKES_IDS = ["adapters/dialects/anthropic_answer.h", "adapters/dialects/bedrock_answer.h",
             "adapters/dialects/cohere_answer.h", "adapters/dialects/gemini_answer.h",
             "adapters/dialects/openai_answer.h"]

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def tracked_files():
    run = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                         capture_output=True, text=True, check=True)
    return [name for name in run.stdout.splitlines() if (ROOT / name).is_file()]


FILES = tracked_files()
SOURCES = [name for name in FILES if name.endswith((".cc", ".h"))]


def lines_of(name):
    return (ROOT / name).read_text(encoding="utf-8", errors="replace").splitlines()


def folder_of(name):
    """The folder of the table that holds the file; None for a generated or foreign one."""
    folders = [folder for folder in [*ARROWS, *FREE] if name.startswith(folder + "/")]
    return max(folders, key=len, default=None)


def includes(name):
    """(line, file) of every include."""
    for number, line in enumerate(lines_of(name), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(2)


def offending(pattern, files, allowed=()):
    found = []
    for name in files:
        if name in allowed:
            continue
        for number, line in enumerate(lines_of(name), 1):
            if re.search(pattern, line):
                found.append(f"{name}:{number}: {line.strip()}")
    return found


def wrong_arrows(name, included):
    """What is wrong with the includes [(line, file)] of a file."""
    source = folder_of(name)
    if source in FREE:
        return []
    if source is None:
        return [f"{name}: in no folder of the design's table"]
    return [f"{name}:{number}: {source} may not include {file}"
            for number, file in included
            for target in [folder_of(file)]
            if target not in (None, "proto", source, *ARROWS[source])]


def wrong_libraries(name, included):
    found = []
    for library, (headers, users) in LIBRARIES.items():
        if name.startswith("tests/") or re.fullmatch(users, name):
            continue
        for number, file in included:
            # grpc.health.v1 is a message of the contract's folder, not gRPC itself.
            if re.match(headers, file) and not re.fullmatch(r"grpc/[\w/]+(?<!\.grpc)\.pb\.h", file):
                found.append(f"{name}:{number}: {file}: {library} is used in {users} alone")
    return found


class Style(unittest.TestCase):
    def none(self, found):
        if found:
            self.fail("\n" + "\n".join(found))

    def test_the_checks_see_what_is_wrong(self):
        self.assertTrue(wrong_arrows("base/x.cc", [(1, "daemon/call.h")]))
        self.assertTrue(wrong_arrows("routing/x.cc", [(1, "daemon/config/load.h")]))
        self.assertTrue(wrong_arrows("daemon/runtime/x.cc", [(1, "daemon/call.h")]))
        self.assertTrue(wrong_arrows("elsewhere/x.cc", []))
        self.assertFalse(wrong_arrows("daemon/x.cc", [(1, "daemon/runtime/task.h"), (2, "routing/route.h")]))
        self.assertTrue(wrong_libraries("daemon/call.cc", [(1, "grpcpp/server.h")]))
        self.assertTrue(wrong_libraries("base/x.cc", [(1, "modelgateway/v1/gateway.grpc.pb.h")]))
        self.assertFalse(wrong_libraries("daemon/x.cc", [(1, "grpc/health/v1/health.pb.h")]))
        self.assertTrue(wrong_libraries("daemon/call.cc", [(1, "curl/curl.h")]))

    def test_include_arrows(self):
        self.none([fault for name in SOURCES for fault in wrong_arrows(name, includes(name))])

    def test_libraries_stay_in_their_files(self):
        self.none([fault for name in SOURCES for fault in wrong_libraries(name, list(includes(name)))])

    def test_json_enters_by_one_door(self):
        self.none(offending(r"(\.|->)Parse(Insitu|Stream)?\s*(<[^>]*>)?\s*\(|rapidjson::Reader|GenericReader",
                            [name for name in SOURCES if "rapidjson" in (ROOT / name).read_text()
                             or "JsonDocument" in (ROOT / name).read_text()], allowed=["base/json.cc"]))

    def test_pure_folders_ask_no_clock_and_start_no_thread(self):
        files = [name for name in SOURCES if folder_of(name) in PURE]
        self.none(offending(r"absl::Now\(|GetCurrentTimeNanos|_clock::now|clock_gettime|std::(j?thread|random_device)\b"
                            r"|absl::(Mutex|BitGen|InsecureBitGen)\b|sys/socket\.h", files, allowed=MAKES_IDS))

    def test_no_sleep_in_tests(self):
        files = [name for name in FILES if name.startswith("tests/") and name.endswith((".cc", ".h", ".py", ".sh"))]
        self.none(offending(r"sleep_for|sleep_until|usleep|time\.sleep|SleepFor\(",
                            files, allowed=["tests/style/style_test.py"]))

    def test_no_file_is_long(self):
        files = [*SOURCES, *(name for name in FILES if name.endswith((".py", ".cmake", "CMakeLists.txt")))]
        self.none([f"{name}: {count} lines, over 600" for name in files
                   for count in [len(lines_of(name))] if count > 600])

    def test_own_headers_open_with_what_they_are(self):
        self.none([f"{name}:1: the first line is to say what the file is" for name in SOURCES
                   if name.endswith(".h") and not (lines_of(name) or [""])[0].startswith("// ")])
        self.none([f"{name}: no #pragma once" for name in SOURCES
                   if name.endswith(".h") and "#pragma once" not in lines_of(name)])

    def test_nothing_is_left_open(self):
        self.none(offending(r"\b(TODO|FIXME|XXX|HACK)\b", SOURCES))

    def test_nothing_names_a_machine(self):
        text = [name for name in FILES if name.endswith((
            ".cc", ".h", ".py", ".sh", ".md", ".txt", ".proto", ".cmake", ".yaml", ".json")) or "." not in name]
        self.none(offending(r"(?<![\w.])/(work|root)/|/home/[a-z]+/|/tmp/(b|bash)[-_]",
                            text, allowed=["tests/style/style_test.py", "LICENSE"]))

    def test_format(self):
        run = subprocess.run(["clang-format-19", "--dry-run", "-Werror", *SOURCES], cwd=ROOT, capture_output=True,
                             text=True)
        wrong = dict.fromkeys(re.findall(r"^(.+?):\d+:\d+: error:", run.stderr, re.M))
        self.assertFalse(wrong, "clang-format-19 -i " + " ".join(wrong))
        self.assertEqual(run.returncode, 0, run.stderr)

    def test_shell_scripts_parse(self):
        scripts = [name for name in FILES if (lines_of(name) or [""])[0].startswith("#!/usr/bin/env bash")]
        self.assertIn("run", scripts)
        for name in scripts:
            run = subprocess.run(["bash", "-n", name], cwd=ROOT, capture_output=True, text=True)
            self.assertEqual(run.returncode, 0, f"{name}: {run.stderr}")


results.main("style_test")
