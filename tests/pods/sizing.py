"""What a replica carries: called by tests/pods/sizing."""
import argparse
import concurrent.futures
import contextlib
import datetime
import os
import pathlib
import platform
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request

import grpc
from google.protobuf import descriptor_pool, message_factory, text_format

from cluster import run, until
from stores import SERVICES, Postgres, Redis

# Makes their services known to the pool of descriptors.
from rapport.assessment.v1 import assessment_service_pb2, progress_service_pb2, scoring_service_pb2
from rapport.notes.v1 import case_service_pb2
from rapport.scheduling.v1 import (appointment_service_pb2, course_service_pb2, directory_service_pb2,
                                   opening_service_pb2, organization_service_pb2)

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARIES = pathlib.Path(os.environ.get("RAPPORT_BINARIES", ROOT / "build/release/bin"))
OUT = ROOT / "build/sizing"
HOST = "127.0.0.1"
THREADS = 8  # that call
CASELOAD = 25  # courses of a clinician: five days of five sessions
HOURS = (9, 10, 11, 14, 15)
ORGANIZATION = "organizations/network"
POSTGRES_CONNECTIONS = 16  # the chart's default; 3 more are for the feed
TICKS = os.sysconf("SC_CLK_TCK")


class Client:
    """Calls methods by name, with requests in text format."""

    def __init__(self, targets):
        self._channels = {service: grpc.insecure_channel(target, [("grpc.enable_http_proxy", 0)])
                          for service, target in targets.items()}
        self._methods = {}

    def method(self, name):
        if name not in self._methods:
            service, method = name.split("/")
            described = descriptor_pool.Default().FindServiceByName(service).methods_by_name[method]
            request = message_factory.GetMessageClass(described.input_type)
            response = message_factory.GetMessageClass(described.output_type)
            call = self._channels[service.split(".")[1]].unary_unary(
                f"/{name}", request_serializer=request.SerializeToString,
                response_deserializer=response.FromString)
            self._methods[name] = (request, call)
        return self._methods[name]

    def call(self, name, text, token):
        request, call = self.method(name)
        return call(text_format.Parse(text, request()), timeout=30,
                    metadata=[("authorization", f"Bearer {token}")])


class Suite:
    """One replica of each service, with the chart's defaults."""

    def __init__(self, stack, home):
        self.home = home
        self.postgres = Postgres(HOST, f"{HOST}/32")
        stack.callback(self.postgres.close)
        self.redis = Redis(HOST)
        stack.callback(self.redis.close)
        self.keys = home / "keys"
        self.ctl("keys", "generate", self.keys)
        for role, password in self.postgres.passwords.items():
            (home / role).write_text(password)
        (home / "redis").write_text(self.redis.password)
        ports = iter(self.ports(2 * len(SERVICES) + len(SERVICES)))
        self.targets = {service: f"{HOST}:{next(ports)}" for service in SERVICES}
        self.metrics = {service: f"{HOST}:{next(ports)}" for service in SERVICES}
        self.processes = {}
        for service in SERVICES:
            self.ctl("migrate", service, f"--postgres_host={HOST}", f"--postgres_port={self.postgres.port}",
                     f"--postgres_name=rapport_{service}", "--postgres_user=rapport_owner",
                     f"--postgres_password_file={home}/rapport_owner")
        for service in SERVICES:
            self.start(stack, service, next(ports))
        for service in SERVICES:
            until(lambda s=service: self.figure(s, "rapport_ready") == 1, f"{service} is ready")

    @staticmethod
    def ports(count):
        with contextlib.ExitStack() as held:
            sockets = [held.enter_context(socket.socket()) for _ in range(count)]
            for each in sockets:
                each.bind((HOST, 0))
            return [each.getsockname()[1] for each in sockets]

    @staticmethod
    def ctl(*words):
        return run(BINARIES / "rapportctl", *words, timeout=120).stdout.strip()

    def start(self, stack, service, health):
        keys, home = self.keys, self.home
        process = subprocess.Popen([str(word) for word in (
            BINARIES / f"rapport-{service}", f"--listen={self.targets[service]}",
            f"--health_listen={HOST}:{health}", f"--metrics_listen={self.metrics[service]}",
            f"--log_file={home}/{service}.log", "--database=postgres", f"--postgres_host={HOST}",
            f"--postgres_port={self.postgres.port}", f"--postgres_connections={POSTGRES_CONNECTIONS}",
            f"--postgres_password_file={home}/rapport_app",
            f"--postgres_feed_password_file={home}/rapport_feed",
            f"--jwks_file={keys}/jwks.json", "--token_issuer=rapport-development",
            f"--service_key_file={keys}/service-{service}.pem",
            f"--integrity_key_file={keys}/integrity.key", f"--audit_key_file={keys}/audit-{service}.pem",
            f"--audit_jwks_file={keys}/audit-jwks.json", f"--audit_anchor_dir={home}/anchors",
            f"--key_encryption_key_dir={keys}/encryption-{service}", "--drain_linger=0s",
            f"--redis_nodes={HOST}:{self.redis.port}", f"--redis_password_file={home}/redis",
            *(f"--{peer}_target={target}" for peer, target in self.targets.items()))],
            stdin=subprocess.DEVNULL)
        self.processes[service] = process
        stack.callback(process.wait, 30)
        stack.callback(process.terminate)

    def token(self, role, subject="sizing"):
        return self.ctl("token", f"--keys_dir={self.keys}", "--organization=network",
                        f"--roles={role}", f"--subject={subject}")

    # What is used

    def figure(self, service, name):
        try:
            with urllib.request.urlopen(f"http://{self.metrics[service]}/metrics", timeout=10) as answer:
                text = answer.read().decode()
        except OSError:
            return None
        found = re.search(rf"^{name} (\S+)$", text, re.M)
        return float(found[1]) if found else None

    def processor(self, service):
        """Seconds of processor so far."""
        return ticks(self.processes[service].pid) / TICKS

    def processor_of_postgres(self):
        postmaster = int((self.postgres.folder / "data/postmaster.pid").read_text().split()[0])
        spent = ticks(postmaster, ended=True)
        for each in pathlib.Path("/proc").iterdir():
            if each.name.isdigit() and parent(each.name) == postmaster:
                spent += ticks(each.name)
        return spent / TICKS

    def memory(self, service):
        return self.figure(service, "process_resident_memory_bytes") / 2**20

    def connections(self):
        """By service, as PostgreSQL counts them."""
        rows = self.postgres.execute("SELECT datname, count(*) FROM pg_stat_activity "
                                     "WHERE datname LIKE 'rapport_%' GROUP BY 1")
        return {name.removeprefix("rapport_"): int(count)
                for name, count in (row.split("|") for row in rows.splitlines())}

    def redis_figures(self):
        """(bytes that are used, keys)."""
        used = int(re.search(r"used_memory:(\d+)", self.redis.ask("info", "memory"))[1])
        return used, int(self.redis.ask("dbsize").split()[-1])


def stat(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def parent(pid):
    fields = stat(pid)
    return int(fields[1]) if fields else None


def ticks(pid, ended=False):
    """Of the process; with `ended`, also of its children that have ended."""
    fields = stat(pid)
    return sum(int(each) for each in fields[11:15 if ended else 13]) if fields else 0


class Run:
    """Fills the network and measures."""

    def __init__(self, suite, clinicians, treating):
        self.suite = suite
        self.client = Client(suite.targets)
        self.clinicians = clinicians
        self.treating = treating
        self.pool = concurrent.futures.ThreadPoolExecutor(THREADS)
        self.monday = datetime.date.today()
        self.monday += datetime.timedelta(days=7 - self.monday.weekday())
        self.rows = []
        self.load = os.getloadavg()[0]
        self.most = dict.fromkeys(SERVICES, 0)  # connections

    def all(self, name, requests):
        """Makes the calls (text, token); the responses, in order, and the seconds of each."""
        def one(request):
            begun = time.monotonic()
            response = self.client.call(name, *request)
            return response, time.monotonic() - begun
        return list(self.pool.map(one, requests))

    def fill(self):
        suite, call = self.suite, self.client.call
        admin, desk = suite.token("organization_admin"), suite.token("scheduler")
        self.admin, self.desk, self.app = admin, desk, suite.token("integration")
        call("rapport.scheduling.v1.OrganizationService/CreateOrganization",
             "organization_id: 'network' organization { display_name: 'Network' }",
             suite.token("platform_operator"))
        call("rapport.scheduling.v1.DirectoryService/CreateClinic",
             f"parent: '{ORGANIZATION}' clinic_id: 'london' clinic {{ display_name: 'London' "
             "time_zone: 'Europe/London' jurisdiction: 'GB-ENG' }", admin)
        hours = " ".join(
            f"weekly_hours {{ clinic: '{ORGANIZATION}/clinics/london' day_of_week: {day} "
            "start_time { hours: 8 } end_time { hours: 18 } }"
            for day in ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"))
        year = self.monday.year
        self.all("rapport.scheduling.v1.DirectoryService/CreateClinician", [
            (f"parent: '{ORGANIZATION}' clinician_id: 'c{number}' clinician {{ display_name: "
             f"'Clinician {number}' subject: 'c{number}' profession: PROFESSION_PSYCHOLOGIST "
             f"licence_number: '{number}' licence_expire_date {{ year: {year + 5} month: 1 day: 1 }} "
             f"clinics: '{ORGANIZATION}/clinics/london' certified_protocols: 'classic' languages: 'en' "
             f"{hours} }}", admin) for number in range(self.clinicians)])
        call("rapport.scheduling.v1.OrganizationService/UpdateOrganization",
             f"organization {{ name: '{ORGANIZATION}' settings {{ duty_list: '{ORGANIZATION}/clinicians/c0' "
             "crisis_resources { jurisdiction: 'GB' label: 'Samaritans' contact: '116 123' } } } "
             "update_mask { paths: 'settings.duty_list' paths: 'settings.crisis_resources' }", admin)
        tokens = list(self.pool.map(lambda number: suite.token("therapist", f"c{number}"),
                                    range(self.treating)))
        created = self.all("rapport.scheduling.v1.CourseService/CreateCourse", [
            (f"parent: '{ORGANIZATION}' course {{ patient: '{ORGANIZATION}/patients/p{number}' clinician: "
             f"'{ORGANIZATION}/clinicians/c{number // CASELOAD}' clinic: '{ORGANIZATION}/clinics/london' "
             "protocol: 'protocols/classic/revisions/1' patient_particulars { birth_year: 1980 "
             "birth_month: 5 jurisdiction: 'GB-ENG' time_zone: 'Europe/London' } }",
             tokens[number // CASELOAD]) for number in range(self.treating * CASELOAD)])
        self.courses = [(course.name, tokens[number // CASELOAD], number % CASELOAD)
                        for number, (course, _) in enumerate(created)]
        self.all("rapport.scheduling.v1.CourseService/BeginAssessment",
                 [(f"name: '{name}'", token) for name, token, _ in self.courses])
        for method, named in (("rapport.notes.v1.CaseService/GetCase", lambda name: f"name: '{case_of(name)}'"),
                              ("rapport.assessment.v1.ProgressService/GetProgress",
                               lambda name: f"course: '{name}'")):
            until(lambda m=method, n=named: self.is_known(m, n), f"{method} knows the last course", 120)

    def is_known(self, method, named):
        name, token, _ = self.courses[-1]
        try:
            self.client.call(method, named(name), token)
        except grpc.RpcError:
            return False
        return True

    def day(self, slot, week):
        """The date and time of the slot of a caseload, in text format."""
        date = self.monday + datetime.timedelta(days=slot // len(HOURS) + 7 * week)
        return (f"{{ year: {date.year} month: {date.month} day: {date.day} }} local_time "
                f"{{ hours: {HOURS[slot % len(HOURS)]} }}")

    def measure(self, service, name, what, requests):
        """A row: the calls made, and what one costs."""
        suite = self.suite
        over = threading.Event()

        def watch():
            while not over.wait(1):
                for each, count in suite.connections().items():
                    self.most[each] = max(self.most[each], count)
        watcher = threading.Thread(target=watch)
        self.settle()
        before = self.spent()
        watcher.start()
        begun = time.monotonic()
        took = sorted(seconds for _, seconds in self.all(name, requests))
        wall = time.monotonic() - begun
        after = self.spent()
        over.set()
        watcher.join()
        calls = len(requests)
        own, store = ((after[who] - before[who]) / calls for who in (service, "postgres"))
        self.rows.append(
            f"| {service} | {what} | {1e3 * own:.2f} ms | {1 / own:,.0f} | {1e3 * store:.2f} ms | "
            f"{calls / wall:,.0f} | {1e3 * took[calls // 2]:.0f} ms | {1e3 * took[calls * 99 // 100]:.0f} ms |")
        print(self.rows[-1], flush=True)

    def spent(self):
        """Seconds of processor so far."""
        return {"postgres": self.suite.processor_of_postgres(),
                **{service: self.suite.processor(service) for service in SERVICES}}

    def rates(self, seconds):
        """Seconds of processor a second."""
        before, begun = self.spent(), time.monotonic()
        until(lambda: time.monotonic() - begun > seconds, "time goes by")
        took = time.monotonic() - begun
        return {who: (now - before[who]) / took for who, now in self.spent().items()}

    def rest(self):
        """What they spend without anything to do."""
        self.idle = self.rates(5)

    def settle(self):
        """Until what was done before is followed everywhere."""
        until(lambda: all(rate < self.idle[who] + 0.04 for who, rate in self.rates(1).items()),
              "the services rest", patience=180)

    def measure_all(self):
        courses = self.courses
        thrice = courses * 3
        series = "rapport.scheduling.v1.AppointmentService"
        self.measure("scheduling", f"{series}/BookSeries", "BookSeries, of four", [
            (f"course: '{name}' first_date {self.day(slot, 0)} count: 4", token)
            for name, token, slot in courses])
        self.measure("scheduling", f"{series}/BookAppointment", "BookAppointment", [
            (f"course: '{name}' local_date {self.day(slot, 4)}", token)
            for name, token, slot in courses])
        self.before_redis = self.suite.redis_figures()
        self.measure("scheduling", "rapport.scheduling.v1.CourseService/GetCourse", "GetCourse",
                     [(f"name: '{name}'", token) for name, token, _ in thrice])
        self.after_redis = self.suite.redis_figures()
        self.measure("scheduling", f"{series}/ListAppointments", "ListAppointments of a course", [
            (f"parent: '{ORGANIZATION}' course: '{name}'", token) for name, token, _ in thrice])
        self.measure("scheduling", "rapport.scheduling.v1.OpeningService/SearchOpenings",
                     "SearchOpenings, of all clinicians", [
                         (f"parent: '{ORGANIZATION}' filter {{ protocol_id: 'classic' }}", self.desk)
                         for _ in courses])
        answers = " ".join(f"answers {{ item: {item} value: {item % 3} }}" for item in range(1, 9))
        answers += " answers { item: 9 value: 0 }"
        self.measure("assessment", "rapport.assessment.v1.ScoringService/Score", "Score",
                     [(f"instrument: 'instruments/phq-9' {answers}", self.app) for _ in thrice])
        self.measure("assessment", "rapport.assessment.v1.AssessmentService/RecordAssessment",
                     "RecordAssessment", [
                         (f"parent: '{ORGANIZATION}' assessment {{ course: '{name}' instrument: "
                          f"'instruments/phq-9' administration: ADMINISTRATION_CLINICIAN {answers} }}",
                          self.app) for name, _, _ in courses])
        self.measure("assessment", "rapport.assessment.v1.ProgressService/GetProgress", "GetProgress",
                     [(f"course: '{name}'", token) for name, token, _ in thrice])
        self.measure("notes", "rapport.notes.v1.CaseService/CreateRiskAssessment",
                     "CreateRiskAssessment, sealed", [
                         (f"parent: '{case_of(name)}' risk_assessment {{ ideation: 'None.' intent: "
                          "'None.' plan: 'None.' means: 'None.' behaviour: 'None.' protective_factors: "
                          "'Friends.' formulation: 'Low.' }", token) for name, token, _ in courses])
        self.measure("notes", "rapport.notes.v1.CaseService/GetCase", "GetCase",
                     [(f"name: '{case_of(name)}'", token) for name, token, _ in thrice])

    def report(self, rested):
        suite = self.suite
        processor = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
        keys = self.after_redis[1] - self.before_redis[1]
        each = (self.after_redis[0] - self.before_redis[0]) / max(keys, 1)
        yield (f"{self.clinicians} clinicians, {len(self.courses)} courses, {5 * len(self.courses)} "
               f"appointments; {os.cpu_count()} × {processor[1] if processor else platform.machine()}, on which "
               f"{THREADS} callers, the services, PostgreSQL and Redis share: \"here\" is that machine, not one of "
               "each. Processor is what the service itself spends, its own background work included. The load average "
               f"was {self.load:.0f} when it began: more than 1, and other work has made all of it slower.")
        yield ""
        yield ("| service | call | processor a call | calls a second and core | PostgreSQL's a call | "
               "calls a second here | p50 | p99 |")
        yield "|---|---|---|---|---|---|---|---|"
        yield from self.rows
        yield ""
        yield "| service | memory at rest | after all of it | processor at rest | connections at most |"
        yield "|---|---|---|---|---|"
        for service in SERVICES:
            yield (f"| {service} | {rested[service]:.0f} MiB | {suite.memory(service):.0f} MiB | "
                   f"{1e3 * self.idle[service]:.0f} m | {self.most[service]} of "
                   f"{POSTGRES_CONNECTIONS + 3} |")
        yield ""
        yield (f"Redis: {each:.0f} bytes a course that was read within five minutes ({keys} keys); with "
               f"{CASELOAD} courses a clinician at most {1000 * CASELOAD * each / 2**20:.0f} MiB a thousand "
               "clinicians.")


def case_of(course):
    return f"{ORGANIZATION}/cases/{course.rsplit('/', 1)[1]}"


def main():
    parser = argparse.ArgumentParser(prog="tests/pods/sizing")
    parser.add_argument("--clinicians", type=int, default=1000, help="in the directory, with hours")
    parser.add_argument("--treating", type=int, default=24, help=f"of them, {CASELOAD} courses each")
    parser.add_argument("--record", action="store_true", help="keeps it for the chart's README")
    words = parser.parse_args()
    home = pathlib.Path(tempfile.mkdtemp(prefix="rapport-sizing-"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, home)
        suite = Suite(stack, home)
        rested = {service: suite.memory(service) for service in SERVICES}
        measured = Run(suite, words.clinicians, words.treating)
        measured.rest()
        measured.fill()
        measured.settle()
        measured.measure_all()
        text = "\n".join(measured.report(rested)) + "\n"
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "sizing.md").write_text(text)
    if words.record:
        (ROOT / "deploy/helm/sizing.md").write_text(text)
    print(f"\n{text}")


if __name__ == "__main__":
    main()
