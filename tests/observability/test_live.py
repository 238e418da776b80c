"""The real suite while stories play: scraped by a real Prometheus with the rules loaded, traced by a
collector that is made from OpenTelemetry's published protos."""
import concurrent.futures
import datetime
import itertools
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

import files

BINARIES = pathlib.Path(os.environ.get("RAPPORT_BINARIES", files.ROOT / "build/release/bin"))
OUT = files.ROOT / "build/observability"
STORIES = files.ROOT / "tools/rapportctl/story/stories"
# In the order of their days. With a risk alert, forms, notes and refusals; with a waitlist; with work
# that the suite does by itself.
STORIES_PLAYED = ("s2-adolescent", "waitlist-filled", "group-of-six")
SERVICES = ("scheduling", "assessment", "notes")
PATIENCE = 90  # seconds, for whatever is awaited

# Panels that show nothing in this run, and why.
EMPTY = {
    "Certificates end in": "no TLS here",
    "Calls that fail by own fault": "none does",
    "Refused because full": "nothing is",
    "Refused": "nothing is",
    "Heads not anchored": "all are",
    "Values refused": "none is",
    "Redis faults": "there is none",
    "Reads that may trail, by who answered": "there is no standby",
    "A standby may not hold the last": "there is no standby",
}
# Queries of panels that show others.
EMPTY_QUERIES = {
    "rapport_work_failed_total": "nothing fails",
    "rapport_token_faults_total": "all tokens are good",
}
# Metrics that are served once there is something to tell.
WHEN_IT_HAPPENS = {
    "rapport_rpc_refused_total": "an executor was full",
    "rapport_token_faults_total": "a token was refused",
    "rapport_audit_anchor_failed_total": "a head was not anchored",
    "rapport_work_failed_total": "something due failed",
    "rapport_cache_refused_total": "a value of Redis was refused",
    "rapport_redis_faults_total": "Redis failed",
    "rapport_redis_breaker_state": "there is Redis",
    "rapport_redis_round_trip_seconds": "there is Redis",
    "rapport_tls_certificate_not_after_timestamp_seconds": "there is TLS",
    "rapport_database_standby_reads_total": "there is a standby",
    "rapport_database_standby_lag_seconds": "there is a standby",
    "rapport_retention_dropped_total": "something was kept long enough",
}

_ports = itertools.cycle(range(10000, 30001))
for _ in range(os.getpid() * 37 % 20000):
    next(_ports)


def free_port():
    for port in _ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def await_(what, condition):
    give_up = time.monotonic() + PATIENCE
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > give_up:
            raise AssertionError(f"in vain: {what}")
        time.sleep(0.1)


def get(url):
    with urllib.request.urlopen(url, timeout=10) as response:
        return response.read().decode()


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    def __init__(self):
        self.lock = threading.Lock()
        self.requests = []
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(self, self.server)
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def Export(self, request, context):
        with self.lock:
            self.requests.append(request)
        return trace_service_pb2.ExportTraceServiceResponse()

    def spans(self):
        """(service, span) of all that came."""
        with self.lock:
            requests = list(self.requests)
        for request in requests:
            for made in request.resource_spans:
                service = {a.key: a.value.string_value for a in made.resource.attributes}
                for scope in made.scope_spans:
                    for span in scope.spans:
                        yield service["service.name"], span


def redis():
    """How Redis is started here; None: it is not installed. Debian's redis-tools has the server under
    the name of one of its tools."""
    for name in ("redis-server", "redis-check-rdb"):
        if shutil.which(name):
            return shutil.which(name)
    return None


class LiveTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="rapport-observability-")
        cls.addClassCleanup(scratch.cleanup)
        cls.home = pathlib.Path(scratch.name)
        cls.collector = Collector()
        cls.addClassCleanup(cls.collector.server.stop, None)
        cls.redis_port = None
        if redis():
            cls.redis_port = free_port()
            cls.spawn("redis", ["redis-server", "--port", str(cls.redis_port), "--bind", "127.0.0.1",
                                "--save", "", "--dir", str(cls.home)], executable=redis())
        cls.start_suite()
        cls.start_prometheus()
        cls.play()

    @classmethod
    def spawn(cls, name, arguments, executable=None):
        with open(cls.home / f"{name}.err", "wb") as errors:
            process = subprocess.Popen(arguments, executable=executable, stdin=subprocess.DEVNULL,
                                       stdout=errors, stderr=errors)

        def end():
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        cls.addClassCleanup(end)

    @classmethod
    def start_suite(cls):
        subprocess.run([BINARIES / "rapportctl", "keys", "generate", cls.home / "keys"], check=True,
                       stdout=subprocess.DEVNULL)
        (cls.home / "clock").write_text("2026-01-01T00:00:00Z\n")
        ports = {service: free_port() for service in SERVICES}
        cls.targets = [f"--{service}_target=127.0.0.1:{port}" for service, port in ports.items()]
        cls.metrics = {service: f"127.0.0.1:{free_port()}" for service in SERVICES}
        keys = cls.home / "keys"
        for service in SERVICES:
            cls.spawn(service, [
                str(BINARIES / f"rapport-{service}"), f"--listen=127.0.0.1:{ports[service]}",
                f"--health_listen=127.0.0.1:{free_port()}", f"--metrics_listen={cls.metrics[service]}",
                f"--log_file={cls.home}/{service}.log", f"--data_dir={cls.home}/data",
                f"--jwks_file={keys}/jwks.json", "--token_issuer=rapport-development",
                f"--service_key_file={keys}/service-{service}.pem",
                f"--integrity_key_file={keys}/integrity.key",
                f"--audit_key_file={keys}/audit-{service}.pem",
                f"--audit_jwks_file={keys}/audit-jwks.json", f"--audit_anchor_dir={cls.home}/anchors",
                f"--key_encryption_key_dir={keys}/encryption-{service}",
                f"--development_clock_file={cls.home}/clock", "--drain_linger=0s",
                f"--otlp_target=127.0.0.1:{cls.collector.port}", "--trace_sample_ratio=1",
                *([f"--redis_nodes=127.0.0.1:{cls.redis_port}"] if cls.redis_port else []),
                *cls.targets])
        for service in SERVICES:
            await_(f"{service} is ready", lambda s=service: cls.is_ready(s))

    @classmethod
    def is_ready(cls, service):
        try:
            return re.search(r"^rapport_ready 1$", get(f"http://{cls.metrics[service]}/metrics"), re.M)
        except OSError:
            return None

    @classmethod
    def start_prometheus(cls):
        port = free_port()
        cls.prometheus = f"http://127.0.0.1:{port}"
        (cls.home / "rules").mkdir()
        for path in files.RULES.glob("*.yaml"):
            text = path.read_text().replace("interval: 30s", "interval: 1s")
            (cls.home / "rules" / path.name).write_text(text)
        jobs = "".join(f"  - job_name: {service}\n    static_configs: [{{targets: ['{address}']}}]\n"
                       for service, address in cls.metrics.items())
        (cls.home / "prometheus.yml").write_text(
            "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
            f"rule_files: ['{cls.home}/rules/*.yaml']\nscrape_configs:\n{jobs}")
        cls.spawn("prometheus", [
            "prometheus", f"--config.file={cls.home}/prometheus.yml",
            f"--storage.tsdb.path={cls.home}/tsdb", f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn"])

        def all_up():
            try:
                return len(cls.ask("up == 1")) == len(SERVICES)
            except (OSError, AssertionError):  # not listening, or not ready
                return False
        await_("Prometheus scrapes all three", all_up)

    @classmethod
    def play(cls):
        cls.began = time.time()
        cls.told = ""
        for story in STORIES_PLAYED:
            path = STORIES / f"{story}.textproto"
            cls.told += path.read_text()
            played = subprocess.run(
                [BINARIES / "rapportctl", "story", "play", path, f"--keys_dir={cls.home}/keys",
                 f"--clock_file={cls.home}/clock", *cls.targets],
                capture_output=True, text=True, timeout=300)
            assert played.returncode == 0, played.stdout + played.stderr
            cls.await_scrapes()
        organization = re.search(r'^id: *"([a-z0-9-]*)"', cls.told, re.M).group(1)
        # A search for openings of its own.
        now = datetime.datetime.fromisoformat(
            pathlib.Path(cls.home, "clock").read_text().strip().replace("Z", "+00:00"))
        searched = subprocess.run(
            [BINARIES / "rapportctl", "opening", "search", f"earliest={now.isoformat()}",
             f"latest={(now + datetime.timedelta(days=14)).isoformat()}", "--roles=scheduler",
             f"--organization={organization}", f"--keys_dir={cls.home}/keys", *cls.targets],
            capture_output=True, text=True, timeout=60)
        assert searched.returncode == 0, searched.stderr
        played = time.time()
        await_("all that was due is done", lambda: cls.ask(
            "sum(rapport_work_done_total) > 0 and on () max(rapport_work_due_items) == 0"))
        await_("a look at all organisations after the stories", lambda: cls.ask(
            f"count(timestamp(rapport_survey_age_seconds) - rapport_survey_age_seconds > {played}) == 3"))
        cls.await_scrapes()
        await_("the rules", lambda: cls.ask("count(rapport:calls:slow_ratio_rate1h) == 3"))

    @classmethod
    def await_scrapes(cls):
        """What there is now is in Prometheus, and more than once, as a rate is of two samples."""
        since = time.time()
        await_("three scrapes of each service", lambda: len([
            one for one in cls.ask("rapport_ready[1m]")
            if sum(float(at) > since for at, _ in one["values"]) >= 3]) == len(SERVICES))

    @classmethod
    def ask(cls, query, **over):
        """The answer now, or over the time from `start` to `end`, every `step` seconds."""
        url = f"{cls.prometheus}/api/v1/query{'_range' if over else ''}?" + urllib.parse.urlencode(
            {"query": query, **over})
        try:
            answer = json.loads(get(url))
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{query}: {error.read().decode()}") from error
        return answer["data"]["result"]

    def test_every_panel_has_an_answer(self):
        asked = 0
        shown = []
        drawn = {"start": self.began, "end": time.time(), "step": 1}
        series = {}
        for board, title, queries in files.panels():
            for query in queries:
                with self.subTest(f"{board}: {title}"):
                    asked += 1
                    whole = query.replace("$namespace", ".*").replace("$job", ".+")
                    found = self.ask(whole.replace("$__rate_interval", "2m"))
                    shown.append((board, title, query, found))
                    series[query] = self.ask(whole.replace("$__rate_interval", "15s"), **drawn)
                    may_be_empty = title in EMPTY or any(
                        name in query for name in EMPTY_QUERIES) or (
                            self.redis_port is None and "redis" in query)
                    if not may_be_empty:
                        self.assertTrue(found, f"nothing for {query}")
        self.assertGreater(asked, 70)
        # What each shows, to be looked at: at the end, and over all the time for `pictures`.
        OUT.mkdir(parents=True, exist_ok=True)
        (OUT / "panels.json").write_text(json.dumps({**drawn, "series": series}))
        with open(OUT / "panels.txt", "w") as out:
            for board, title, query, found in shown:
                print(f"{board} / {title}\n  {query}", file=out)
                for one in sorted(found, key=lambda one: json.dumps(one["metric"])):
                    labels = ", ".join(f"{key}={value}" for key, value in sorted(one["metric"].items())
                                       if key not in ("__name__", "instance"))
                    print(f"    {one['value'][1]:>24}  {labels}", file=out)
        print(f"\n{asked} queries of {len(list(files.panels()))} panels answered")

    def test_every_rule_is_reckoned_and_no_fault_is_seen_where_there_is_none(self):
        groups = json.loads(get(f"{self.prometheus}/api/v1/rules"))["data"]["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        self.assertEqual(len(rules), len(list(files.rules())))
        for rule in rules:
            self.assertEqual(rule["health"], "ok", rule)
        # The stories move the clock by weeks; what care waits for is late, but not for long enough.
        firing = {rule["name"] for rule in rules if rule.get("state") == "firing"}
        self.assertEqual(firing, set())

    def test_what_is_served_is_what_is_declared(self):
        served = set()
        for address in self.metrics.values():
            served |= set(re.findall(r"^# TYPE (\w+) ", get(f"http://{address}/metrics"), re.M))
        declared = set(files.declared())
        self.assertEqual(served - declared - files.LEFT_ALONE, set())
        self.assertEqual(declared - served - set(WHEN_IT_HAPPENS), set())
        self.assertEqual(set(WHEN_IT_HAPPENS) - declared, set())
        for address in self.metrics.values():
            text = get(f"http://{address}/metrics")
            for name, labels in re.findall(r"^(rapport_\w+)\{([^}]*)\}", text, re.M):
                name = re.sub(r"_(bucket|count|sum)$", "", name)
                keys = set(re.findall(r'(\w+)="', labels)) - {"le"}
                self.assertEqual(keys, files.declared()[name], name)

    def test_traces_are_trees_over_services_and_transactions(self):
        def whole():
            spans = list(self.collector.spans())
            return spans if {service for service, _ in spans} == {
                f"rapport-{service}" for service in SERVICES} else None
        spans = await_("spans of all three services", whole)
        by_id = {span.span_id: (service, span) for service, span in spans}
        across = 0
        statements = 0
        for service, span in spans:
            self.assertEqual((len(span.trace_id), len(span.span_id)), (16, 8))
            self.assertLessEqual(span.start_time_unix_nano, span.end_time_unix_nano)
            parent = by_id.get(span.parent_span_id)
            if parent:
                self.assertEqual(parent[1].trace_id, span.trace_id)
                across += parent[0] != service
            for attribute in span.attributes:
                if attribute.key == "rapport.statements":
                    statements += len(attribute.value.array_value.values)
        self.assertGreater(len(spans), 100)
        self.assertGreater(across, 0, "no call of a peer")
        self.assertGreater(statements, 100)
        print(f"\n{len(spans)} spans, {across} of them answers to another service")

    def test_no_text_of_patients_is_in_a_metric_a_span_or_a_log(self):
        # Whole sentences of the stories: what people say and write.
        said = {text for text in re.findall(r'"((?:[^"\\]|\\.)*)"', self.told)
                if len(text) > 24 and text.count(" ") > 3}
        self.assertGreater(len(said), 10)
        calls = 0
        places = {"spans": "\n".join(str(request) for request in self.collector.requests)}
        for service, address in self.metrics.items():
            places[f"metrics of {service}"] = get(f"http://{address}/metrics")
            log = (self.home / f"{service}.log").read_text()
            places[f"log of {service}"] = log
            for line in log.splitlines():
                entry = json.loads(line)
                if entry["message"] == "call":
                    calls += 1
                    self.assertRegex(entry["trace_id"], "^[0-9a-f]{32}$")
                    self.assertTrue(entry["method"] and entry["code"])
        self.assertGreaterEqual(calls, len(re.findall("^acts", self.told, re.M)))
        for place, text in places.items():
            for sentence in said:
                self.assertNotIn(sentence, text, place)


if __name__ == "__main__":
    unittest.main()
