"""Calls to all three services that may be repeated, and a log of what was acknowledged."""
import itertools
import json
import threading
import time

import grpc

from rapport.assessment.v1 import assessment_pb2, scoring_service_pb2, scoring_service_pb2_grpc
from rapport.notes.v1 import case_service_pb2, case_service_pb2_grpc
from rapport.scheduling.v1 import directory_pb2, directory_service_pb2, directory_service_pb2_grpc

ATTEMPT = 5  # seconds
PATIENCE = 15  # seconds that a call is repeated
# A gRPC server in C++ answers CANCELLED, where nobody has cancelled, to a call that crosses its
# GOAWAY: https://github.com/grpc/grpc/issues/41785.
WORTH_REPEATING = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED,
                   grpc.StatusCode.ABORTED, grpc.StatusCode.CANCELLED}
# As the documentation advises: the headless name, and every replica behind it in turn.
OPTIONS = [
    ("grpc.enable_http_proxy", 0),
    ("grpc.dns_min_time_between_resolutions_ms", 100),
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 2000),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.service_config", json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})),
]


def connect(target):
    return grpc.insecure_channel(target, options=OPTIONS)


class Traffic:
    """Until its end, calls the services at `targets`. Every write has a request_id."""

    runs = itertools.count(1)

    def __init__(self, targets, organization, token, threads=3):
        self._channels = {service: connect(target) for service, target in targets.items()}
        self._directory = directory_service_pb2_grpc.DirectoryServiceStub(
            self._channels["scheduling"])
        self._scoring = scoring_service_pb2_grpc.ScoringServiceStub(self._channels["assessment"])
        self._cases = case_service_pb2_grpc.CaseServiceStub(self._channels["notes"])
        self._organization = organization
        self._token = token  # of a role, for 15 minutes
        self._run = next(self.runs)
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self.acknowledged = []
        self.failed = []
        self.repeated = 0
        self.calls = 0
        self.slowest = 0.0
        self._threads = [threading.Thread(target=self._work, args=(number,), daemon=True)
                         for number in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception):
        self._ended.set()
        for thread in self._threads:
            thread.join(PATIENCE + 2 * ATTEMPT)
        for channel in self._channels.values():
            channel.close()

    def await_calls(self, count):
        """Waits until that many more calls have ended."""
        aim = self.calls + count
        give_up = time.monotonic() + 60
        while self.calls < aim:
            assert not self.failed, self.failed[:3]
            assert time.monotonic() < give_up, f"{self.calls} calls, not {aim}"
            time.sleep(0.01)

    def report(self):
        return (f"{self.calls} calls, {len(self.acknowledged)} writes acknowledged, "
                f"{self.repeated} repeated, {len(self.failed)} failed, slowest {self.slowest:.2f} s")

    def _work(self, thread):
        admin = [("authorization", f"Bearer {self._token('organization_admin')}")]
        integration = [("authorization", f"Bearer {self._token('integration')}")]
        therapist = [("authorization", f"Bearer {self._token('therapist')}")]
        for number in itertools.count():
            if self._ended.is_set():
                return
            name = f"clinic-{self._run}-{thread}-{number}"
            request = directory_service_pb2.CreateClinicRequest(
                parent=self._organization, clinic_id=name, request_id=f"request-{name}",
                clinic=directory_pb2.Clinic(display_name=name, time_zone="Europe/London",
                                            jurisdiction="GB-ENG"))
            if self._call(self._directory.CreateClinic, request, admin):
                with self._lock:
                    self.acknowledged.append(f"{self._organization}/clinics/{name}")
            self._call(self._scoring.Score, scoring_service_pb2.ScoreRequest(
                instrument="instruments/phq-9",
                answers=[assessment_pb2.Answer(item=item, value=1) for item in range(1, 10)]),
                integration)
            self._call(self._cases.ListCases,
                       case_service_pb2.ListCasesRequest(parent=self._organization), therapist)

    def _call(self, method, request, metadata):
        begun = time.monotonic()
        pause = 0.02
        while True:
            try:
                method(request, metadata=metadata, timeout=ATTEMPT)
                break
            except grpc.RpcError as error:
                late = time.monotonic() - begun > PATIENCE
                if late or error.code() not in WORTH_REPEATING:
                    with self._lock:
                        self.failed.append(f"{error.code()}: {error.details()}")
                        self.calls += 1
                    return False
            with self._lock:
                self.repeated += 1
            time.sleep(pause)  # as clients back off
            pause = min(2 * pause, 0.5)
        with self._lock:
            self.calls += 1
            self.slowest = max(self.slowest, time.monotonic() - begun)
        return True


def clinics(target, organization, token):
    """The names of all clinics there are, as they are listed."""
    found = []
    with connect(target) as channel:
        directory = directory_service_pb2_grpc.DirectoryServiceStub(channel)
        page = ""
        while True:
            answer = directory.ListClinics(
                directory_service_pb2.ListClinicsRequest(
                    parent=organization, page_size=500, page_token=page),
                metadata=[("authorization", f"Bearer {token}")], timeout=ATTEMPT, wait_for_ready=True)
            found += [clinic.name for clinic in answer.clinics]
            page = answer.next_page_token
            if not page:
                return found
