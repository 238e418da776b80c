"""What an integrator relies on, asked of the real suite with today's grpcio and grpcurl."""
import importlib
import importlib.resources
import itertools
import re
import shutil
import subprocess
import tempfile
import unittest

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status
from grpc_tools import protoc

from rapport.assessment.v1 import assessment_pb2, scoring_service_pb2, scoring_service_pb2_grpc
from rapport.common.v1 import event_service_pb2, event_service_pb2_grpc
from rapport.scheduling.v1 import (course_service_pb2, directory_pb2, directory_service_pb2,
                                   directory_service_pb2_grpc, events_pb2)
from suite import PATIENCE, ROOT, SERVICES, Suite, open_channel

suite = None


def setUpModule():
    global suite
    suite = Suite()
    unittest.addModuleCleanup(stop_cleanly)
    suite.start()


def stop_cleanly():
    statuses = suite.stop()
    assert statuses == dict.fromkeys(SERVICES, 0), f"the services exited with {statuses}"


def as_bearer(token):
    return [("authorization", f"Bearer {token}")]


def details_of(error, kind):
    """The details of that kind which the error carries."""
    found = []
    for detail in rpc_status.from_call(error).details:
        message = kind()
        if detail.Unpack(message):
            found.append(message)
    return found


def reason_of(error):
    (info,) = details_of(error, error_details_pb2.ErrorInfo)
    assert info.domain == "rapport", info
    return info.reason


def raw_status(error):
    """All that a caller can tell one error from another by."""
    return (error.code(), error.details(),
            [value for key, value in error.trailing_metadata() if key == "grpc-status-details-bin"])


class SuiteTest(unittest.TestCase):
    """Each test has an organisation of its own."""

    numbers = itertools.count(1)

    def setUp(self):
        self.organization = suite.bootstrap(f"network-{next(self.numbers)}")
        self.admin = as_bearer(suite.token(self.organization, "organization_admin"))
        self.integration = as_bearer(suite.token(self.organization, "integration"))
        self.directory = directory_service_pb2_grpc.DirectoryServiceStub(
            suite.channels["scheduling"])
        self.scoring = scoring_service_pb2_grpc.ScoringServiceStub(suite.channels["assessment"])
        self.events = event_service_pb2_grpc.EventServiceStub(suite.channels["scheduling"])

    def new_clinic(self, clinic_id, request_id="", display_name="Harbour"):
        return directory_service_pb2.CreateClinicRequest(
            parent=self.organization, clinic_id=clinic_id, request_id=request_id,
            clinic=directory_pb2.Clinic(
                display_name=display_name, time_zone="Europe/London", jurisdiction="GB-ENG"))

    def create_clinic(self, clinic_id):
        return self.directory.CreateClinic(
            self.new_clinic(clinic_id), metadata=self.admin, timeout=PATIENCE).name

    def refused(self, method, request, metadata):
        with self.assertRaises(grpc.RpcError) as caught:
            method(request, metadata=metadata, timeout=PATIENCE)
        return caught.exception


def form(*values):
    return scoring_service_pb2.ScoreRequest(
        instrument="instruments/phq-9",
        answers=[assessment_pb2.Answer(item=item, value=value)
                 for item, value in enumerate(values, start=1)])


class Scoring(SuiteTest):
    def test_a_form_gets_its_total_and_severity(self):
        score = self.scoring.Score(
            form(2, 3, 1, 2, 1, 1, 0, 1, 0), metadata=self.integration, timeout=PATIENCE).score
        self.assertEqual(score.total, 11)
        self.assertTrue(score.complete)
        self.assertEqual(score.severity, "moderate")

    def test_a_form_with_too_much_missing_gets_no_total(self):
        score = self.scoring.Score(
            form(2, 3, 1), metadata=self.integration, timeout=PATIENCE).score
        self.assertFalse(score.HasField("total"))
        self.assertEqual(list(score.missing_items), [4, 5, 6, 7, 8, 9])
        self.assertEqual(list(score.unanswered_critical_items), [9])


class Errors(SuiteTest):
    def test_a_bad_field_is_named_by_its_path(self):
        error = self.refused(self.scoring.Score, form(2, 3, 1, 7), self.integration)
        self.assertEqual(error.code(), grpc.StatusCode.INVALID_ARGUMENT)
        self.assertEqual(reason_of(error), "INVALID_FIELD")
        (bad,) = details_of(error, error_details_pb2.BadRequest)
        self.assertEqual([violation.field for violation in bad.field_violations],
                         ["answers[3].value"])
        self.assertTrue(bad.field_violations[0].description)

    def test_every_bad_field_is_named_at_once(self):
        request = self.new_clinic("north")
        request.clinic.display_name = ""
        request.clinic.time_zone = "Mars/Olympus"
        error = self.refused(self.directory.CreateClinic, request, self.admin)
        self.assertEqual(error.code(), grpc.StatusCode.INVALID_ARGUMENT)
        (bad,) = details_of(error, error_details_pb2.BadRequest)
        self.assertEqual([violation.field for violation in bad.field_violations],
                         ["clinic.display_name", "clinic.time_zone"])

    def test_every_wrong_token_gets_the_same_answer(self):
        suite.ctl("keys", "generate", str(suite.home / "others"), connected=False)
        forged = suite.token(self.organization, "integration", keys="others")
        good = suite.token(self.organization, "integration")
        wrong = [[], as_bearer(""), as_bearer("nonsense"), as_bearer(forged), as_bearer(good[:-4]),
                 [("authorization", f"Basic {good}")]]
        errors = [self.refused(self.scoring.Score, form(1), metadata) for metadata in wrong]
        self.assertEqual(errors[0].code(), grpc.StatusCode.UNAUTHENTICATED)
        self.assertEqual(reason_of(errors[0]), "UNAUTHENTICATED")
        for error in errors:
            self.assertEqual(raw_status(error), raw_status(errors[0]))

    def test_a_role_without_the_permission_is_told_which(self):
        error = self.refused(self.directory.CreateClinic, self.new_clinic("n"), self.integration)
        self.assertEqual(error.code(), grpc.StatusCode.PERMISSION_DENIED)
        (info,) = details_of(error, error_details_pb2.ErrorInfo)
        self.assertIn("directory.write", info.metadata.values())

    def test_what_is_of_another_organisation_looks_absent(self):
        ours = self.create_clinic("harbour")
        stranger = suite.bootstrap("stranger")
        asked_by_stranger = as_bearer(suite.token(stranger, "organization_admin"))

        def get(name):
            request = directory_service_pb2.GetClinicRequest(name=name)
            return self.refused(self.directory.GetClinic, request, asked_by_stranger)

        of_another = get(ours)
        self.assertEqual(of_another.code(), grpc.StatusCode.NOT_FOUND)
        self.assertEqual(reason_of(of_another), "RESOURCE_NOT_FOUND")
        self.assertEqual(len(raw_status(of_another)[2]), 1)
        for absent in (f"{stranger}/clinics/harbour", f"{self.organization}/clinics/absent",
                       "organizations/nobody/clinics/harbour"):
            self.assertEqual(raw_status(get(absent)), raw_status(of_another), absent)


class Repeats(SuiteTest):
    def create(self, request):
        return self.directory.CreateClinic.with_call(
            request, metadata=self.admin, timeout=PATIENCE)

    def test_a_repeated_request_id_returns_the_first_result_and_says_so(self):
        first, first_call = self.create(self.new_clinic("", request_id="once"))
        again, again_call = self.create(self.new_clinic("", request_id="once"))
        self.assertEqual(first, again)
        self.assertNotIn("rapport-replayed", dict(first_call.trailing_metadata()))
        self.assertEqual(dict(again_call.trailing_metadata())["rapport-replayed"], "true")
        listed = self.directory.ListClinics(
            directory_service_pb2.ListClinicsRequest(parent=self.organization),
            metadata=self.admin, timeout=PATIENCE)
        self.assertEqual([clinic.name for clinic in listed.clinics], [first.name])

    def test_a_request_id_with_another_request_is_refused(self):
        self.create(self.new_clinic("", request_id="twice"))
        other = self.new_clinic("", request_id="twice", display_name="Hill")
        error = self.refused(self.directory.CreateClinic, other, self.admin)
        self.assertEqual(error.code(), grpc.StatusCode.FAILED_PRECONDITION)
        self.assertEqual(reason_of(error), "REQUEST_ID_REUSED")


class Paging(SuiteTest):
    def test_pages_of_two_show_each_clinic_once(self):
        clinics = [self.create_clinic(f"clinic-{letter}") for letter in "ebdac"]
        request = directory_service_pb2.ListClinicsRequest(parent=self.organization, page_size=2)
        pages = []
        while not pages or request.page_token:
            page = self.directory.ListClinics(request, metadata=self.admin, timeout=PATIENCE)
            pages.append([clinic.name for clinic in page.clinics])
            request.page_token = page.next_page_token
        self.assertEqual([len(page) for page in pages], [2, 2, 1])
        self.assertEqual(sum(pages, []), sorted(clinics))

    def test_a_page_token_of_another_query_is_refused(self):
        for letter in "xyz":
            self.create_clinic(f"clinic-{letter}")
        page = self.directory.ListClinics(
            directory_service_pb2.ListClinicsRequest(parent=self.organization, page_size=1),
            metadata=self.admin, timeout=PATIENCE)
        error = self.refused(
            self.directory.ListClinicians,
            directory_service_pb2.ListCliniciansRequest(
                parent=self.organization, page_token=page.next_page_token), self.admin)
        self.assertEqual(error.code(), grpc.StatusCode.INVALID_ARGUMENT)
        (bad,) = details_of(error, error_details_pb2.BadRequest)
        self.assertEqual(bad.field_violations[0].field, "page_token")


class Watching(SuiteTest):
    def watch(self, cursor, types):
        return self.events.Watch(
            event_service_pb2.WatchRequest(cursor=cursor, types=types),
            metadata=self.integration, timeout=PATIENCE)

    def next_events(self, cursor, types):
        """The events of the next response that has any, and the cursor to go on from."""
        stream = self.watch(cursor, types)
        for response in stream:
            if response.events:
                stream.cancel()
                return list(response.events), response.cursor
        self.fail("the stream ended")

    def test_a_cursor_resumes_without_missing_or_repeating_an_event(self):
        types = [events_pb2.ClinicEvent.DESCRIPTOR.full_name]
        told, cursor, created = [], "", []
        for round_ in range(4):
            # Some while nobody listens; each round on a stream of its own.
            created += [self.create_clinic(f"clinic-{round_}-{i}") for i in range(3)]
            while len(told) < len(created):
                events, cursor = self.next_events(cursor, types)
                told += events
        self.assertEqual([event.resource for event in told], created)
        self.assertEqual(len({event.event_id for event in told}), len(told))
        positions = [event.position for event in told]
        self.assertEqual(positions, sorted(set(positions)))
        self.assertEqual({event.organization for event in told}, {self.organization})
        clinic = events_pb2.ClinicEvent()
        self.assertTrue(told[0].payload.Unpack(clinic))
        self.assertEqual(clinic.time_zone, "Europe/London")

    def test_an_open_stream_tells_what_happens_next(self):
        stream = self.watch("", [])
        next(stream)  # it is heard
        created = self.create_clinic("later")
        for response in stream:
            if created in [event.resource for event in response.events]:
                stream.cancel()
                return
        self.fail("the stream ended")

    def test_a_cursor_of_other_types_is_refused(self):
        stream = self.watch("", [])
        cursor = next(stream).cursor
        stream.cancel()
        with self.assertRaises(grpc.RpcError) as caught:
            next(self.watch(cursor, [events_pb2.ClinicEvent.DESCRIPTOR.full_name]))
        self.assertEqual(caught.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
        (bad,) = details_of(caught.exception, error_details_pb2.BadRequest)
        self.assertEqual(bad.field_violations[0].field, "cursor")


class Health(unittest.TestCase):
    def test_each_service_is_serving_on_its_health_port(self):
        for service, address in suite.health_addresses.items():
            with open_channel(address) as channel:
                health = health_pb2_grpc.HealthStub(channel)
                for name in ("", service):
                    answer = health.Check(
                        health_pb2.HealthCheckRequest(service=name), timeout=PATIENCE)
                    self.assertEqual(
                        answer.status, health_pb2.HealthCheckResponse.SERVING, (service, name))
                with self.assertRaises(grpc.RpcError) as caught:
                    health.Check(health_pb2.HealthCheckRequest(service="other"), timeout=PATIENCE)
                self.assertEqual(caught.exception.code(), grpc.StatusCode.NOT_FOUND)


@unittest.skipUnless(shutil.which("grpcurl"), "there is no grpcurl; the head of the run says why")
class Grpcurl(SuiteTest):
    def run_line(self, line):
        ended = subprocess.run(["bash", "-c", line], capture_output=True, text=True,
                               timeout=PATIENCE)
        self.assertEqual(ended.returncode, 0, f"{line}\n{ended.stderr}")
        return ended.stdout

    def test_reflection_describes_a_method_and_its_request(self):
        address = suite.addresses["assessment"]
        method = self.run_line(
            f"grpcurl -plaintext {address} describe rapport.assessment.v1.ScoringService.Score")
        self.assertIn("rpc Score ( .rapport.assessment.v1.ScoreRequest )", method)
        request = self.run_line(
            f"grpcurl -plaintext {address} describe rapport.assessment.v1.ScoreRequest")
        self.assertIn("repeated .rapport.assessment.v1.Answer answers = 2", request)

    def test_the_calls_that_the_local_run_prints_work(self):
        script = (ROOT / "deploy/local/run").read_text()
        printed = re.search(r"^Try:\n(.*?)^MESSAGE$", script, re.S | re.M).group(1)
        roles = re.search(r"--roles=(\S+)\)", script).group(1)
        ports = " ".join(f"[{service}]={address.rpartition(':')[2]}"
                         for service, address in suite.addresses.items())
        lines = self.run_line(
            f"declare -A grpc=({ports})\n"
            f"organization={self.organization.removeprefix('organizations/')}\n"
            f"cat <<MESSAGE\n{printed}MESSAGE\n")
        calls = re.split(r"^(?=  grpcurl )", lines, flags=re.M)[1:]
        self.assertEqual(len(calls), 3, calls)
        token = suite.token(self.organization, roles)
        listed, courses, scored = [self.run_line(f"TOKEN={token}\n{call}") for call in calls]
        self.assertIn("rapport.scheduling.v1.CourseService", listed.splitlines())
        self.assertIn("grpc.reflection.v1alpha.ServerReflection", listed.splitlines())
        self.assertEqual(
            json_format.Parse(courses, course_service_pb2.ListCoursesResponse()),
            course_service_pb2.ListCoursesResponse())
        score = json_format.Parse(scored, scoring_service_pb2.ScoreResponse()).score
        self.assertFalse(score.complete)
        self.assertFalse(score.HasField("total"))
        self.assertEqual(list(score.missing_items), [4, 5, 6, 7, 8, 9])


class GoogleFiles(unittest.TestCase):
    """Ours hold no more than we use; clients use those that are published."""

    def test_ours_are_part_of_the_published(self):
        published = descriptor_pool.Default()
        ours = [str(path.relative_to(ROOT / "protos"))
                for path in sorted((ROOT / "protos/google").rglob("*.proto"))]
        for path in ours:
            importlib.import_module(path.replace("/", ".").replace(".proto", "_pb2"))
        with tempfile.NamedTemporaryFile() as out:
            well_known = str(importlib.resources.files("grpc_tools") / "_proto")
            self.assertEqual(protoc.main(["protoc", f"-I{ROOT / 'protos'}", f"-I{well_known}",
                                          f"--descriptor_set_out={out.name}", *ours]), 0)
            files = descriptor_pb2.FileDescriptorSet.FromString(out.read()).file
        self.assertEqual(len(files), len(ours))
        for file in files:
            theirs = descriptor_pb2.FileDescriptorProto()
            published.FindFileByName(file.name).CopyToProto(theirs)
            self.assertEqual(file.package, theirs.package)
            self.check(file.message_type, theirs.message_type, file.name)
            self.check(file.enum_type, theirs.enum_type, file.name)
            self.check(file.extension, theirs.extension, file.name)

    def check(self, ours, theirs, path):
        """Each of ours is among theirs, with the same number and type."""
        by_name = {one.name: one for one in theirs}
        for one in ours:
            where = f"{path} {one.name}"
            self.assertIn(one.name, by_name, where)
            their = by_name[one.name]
            if isinstance(one, descriptor_pb2.FieldDescriptorProto):
                for part in ("number", "type", "label", "type_name", "extendee"):
                    self.assertEqual(getattr(one, part), getattr(their, part), where)
            elif isinstance(one, descriptor_pb2.EnumValueDescriptorProto):
                self.assertEqual(one.number, their.number, where)
            elif isinstance(one, descriptor_pb2.EnumDescriptorProto):
                self.check(one.value, their.value, where)
            else:
                self.check(one.field, their.field, where)
                self.check(one.nested_type, their.nested_type, where)
                self.check(one.enum_type, their.enum_type, where)


if __name__ == "__main__":
    unittest.main()
