"""What the Python client does for its callers, with threads and with asyncio, asked of the real suite and
of the faults before it."""
import asyncio
import importlib
import itertools
import os
import pathlib
import subprocess
import sys
import threading
import unittest

import grpc

import rapport_client
from faults import Faults
from rapport.assessment.v1 import assessment_pb2, scoring_service_pb2, scoring_service_pb2_grpc
from rapport.common.v1 import event_service_pb2, event_service_pb2_grpc
from rapport.scheduling.v1 import (directory_pb2, directory_service_pb2, directory_service_pb2_grpc,
                                   events_pb2)
from rapport_client import _calls, aio
from suite import PATIENCE, SERVICES, Suite

BUILT = pathlib.Path(rapport_client.__file__).parents[2]

suite = None
faults = None


def setUpModule():
    global suite, faults
    suite = Suite()
    unittest.addModuleCleanup(stop_cleanly)
    suite.start()
    faults = Faults(suite.addresses["scheduling"])


def stop_cleanly():
    if faults is not None:
        faults.stop()
    statuses = suite.stop()
    assert statuses == dict.fromkeys(SERVICES, 0), f"the services exited with {statuses}"


class Source:
    """A source of tokens that counts how often it is asked."""

    def __init__(self, *tokens):
        self._tokens = list(tokens)
        self.asked = 0

    def __call__(self):
        self.asked += 1
        return self._tokens.pop(0) if len(self._tokens) > 1 else self._tokens[0]


class ClientTest(unittest.TestCase):
    numbers = itertools.count(1)

    def setUp(self):
        self.organization = suite.bootstrap(f"client-{next(self.numbers)}")
        self.token = suite.token(self.organization, "organization_admin,integration")

    def open(self, at=None, token=None):
        """A client, of the suite or of a fault before scheduling."""
        address = faults.addresses[at] if at else suite.addresses["scheduling"]
        client = rapport_client.Client(
            scheduling=address, assessment=suite.addresses["assessment"],
            token=token or Source(self.token), options=[("grpc.enable_http_proxy", 0)])
        self.addCleanup(client.close)
        return client

    def new_clinic(self, name="Harbour", **named):
        return directory_service_pb2.CreateClinicRequest(
            parent=self.organization, clinic=directory_pb2.Clinic(
                display_name=name, time_zone="Europe/London", jurisdiction="GB-ENG"), **named)

    def directory(self, client):
        return client.stub(directory_service_pb2_grpc.DirectoryServiceStub)

    def list_clinics(self, client, **named):
        return self.directory(client).ListClinics(
            directory_service_pb2.ListClinicsRequest(parent=self.organization), **named).clinics


class Errors(ClientTest):
    def test_a_bad_request_names_each_field(self):
        request = self.new_clinic(name="")
        request.clinic.time_zone = "Mars/Olympus"
        with self.assertRaises(rapport_client.InvalidArgument) as caught:
            self.directory(self.open()).CreateClinic(request)
        error = caught.exception
        self.assertEqual([one.field for one in error.field_violations],
                         ["clinic.display_name", "clinic.time_zone"])
        self.assertEqual(error.reason, "INVALID_FIELD")
        self.assertIn("clinic.time_zone", str(error))
        self.assertIsInstance(error, grpc.RpcError)
        self.assertEqual(error.code(), grpc.StatusCode.INVALID_ARGUMENT)

    def test_each_code_has_its_class_and_reason(self):
        directory = self.directory(self.open())
        with self.assertRaises(rapport_client.NotFound) as caught:
            directory.GetClinic(directory_service_pb2.GetClinicRequest(
                name=f"{self.organization}/clinics/absent"))
        self.assertEqual(caught.exception.reason, "RESOURCE_NOT_FOUND")
        clinic = directory.CreateClinic(self.new_clinic(clinic_id="harbour"))
        with self.assertRaises(rapport_client.AlreadyExists):
            directory.CreateClinic(self.new_clinic(clinic_id="harbour"))
        for name in ("Hill", "Quay"):
            clinic.display_name = name
            try:
                directory.UpdateClinic(directory_service_pb2.UpdateClinicRequest(clinic=clinic))
            except rapport_client.Aborted as error:
                self.assertEqual((name, error.reason), ("Quay", "STALE_ETAG"))
                return
        self.fail("the second of two changes of one version was taken")

    def test_a_role_that_may_not_is_told_so(self):
        client = self.open(token=Source(suite.token(self.organization, "integration")))
        with self.assertRaises(rapport_client.PermissionDenied) as caught:
            self.directory(client).CreateClinic(self.new_clinic())
        self.assertIn("directory.write", caught.exception.metadata.values())

    def test_an_address_of_another_service_is_found_unhealthy(self):
        client = rapport_client.Client(scheduling=suite.addresses["assessment"],
                                       token=Source(self.token))
        self.addCleanup(client.close)
        with self.assertRaises(rapport_client.Unavailable):
            self.list_clinics(client)


class Tokens(ClientTest):
    def test_a_token_that_lasts_is_asked_for_once(self):
        source = Source(self.token)
        client = self.open(token=source)
        for _ in range(3):
            self.list_clinics(client)
        self.assertEqual(source.asked, 1)

    def test_a_token_about_to_end_is_replaced_before_the_server_refuses_it(self):
        short = suite.ctl("token", "--subject=developer", "--roles=organization_admin", "--life=50s",
                          f"--organization={self.organization.removeprefix('organizations/')}")
        source = Source(short, self.token)
        client = self.open(token=source)
        for _ in range(3):
            self.list_clinics(client)
        self.assertEqual(source.asked, 2)

    def test_a_token_that_is_refused_is_replaced_within_the_call(self):
        source = Source(self.token[:-4] + "AAAA", self.token)
        self.assertEqual(list(self.list_clinics(self.open(token=source))), [])
        self.assertEqual(source.asked, 2)

    def test_a_wrong_token_fails_once_another_was_asked_for(self):
        source = Source(self.token[:-4] + "AAAA")
        with self.assertRaises(rapport_client.Unauthenticated) as caught:
            self.list_clinics(self.open(token=source))
        self.assertEqual(caught.exception.reason, "UNAUTHENTICATED")
        self.assertEqual(source.asked, 2)

    def test_a_token_is_read_from_the_file_that_something_keeps_fresh(self):
        file = suite.home / "fresh"
        file.write_text("stale\n")
        client = self.open(token=rapport_client.from_file(file))
        file.write_text(self.token + "\n")
        self.list_clinics(client)


class Deadlines(ClientTest):
    def test_a_call_ends_by_the_callers_deadline(self):
        with self.assertRaises(rapport_client.DeadlineExceeded):
            self.list_clinics(self.open("slow"), timeout=0.2)

    def test_a_call_without_a_deadline_ends_by_the_service_configs(self):
        shortened = (BUILT / "src/rapport_client/scheduling_service_config.json").read_text().replace(
            '"timeout": "10s"', '"timeout": "0.2s"')
        client = rapport_client.Client(
            scheduling=faults.addresses["slow"], token=Source(self.token),
            options=[("grpc.service_config", shortened)])
        self.addCleanup(client.close)
        with self.assertRaises(rapport_client.DeadlineExceeded):
            self.list_clinics(client)


class Repeats(ClientTest):
    def test_a_full_server_that_says_soon_is_asked_again(self):
        client = self.open("busy")
        for _ in range(3):
            self.assertEqual(list(self.list_clinics(client)), [])

    def test_a_full_server_that_says_later_is_the_callers_to_wait_for(self):
        with self.assertRaises(rapport_client.ResourceExhausted) as caught:
            self.list_clinics(self.open("full"))
        self.assertEqual(caught.exception.retry_after, 2.5)
        self.assertEqual(caught.exception.reason, "EXECUTOR_FULL")

    def test_a_change_whose_answer_was_lost_is_done_once(self):
        lossy = self.directory(self.open("lost"))
        request = self.new_clinic()
        made = lossy.CreateClinic(request)
        self.assertEqual(request.request_id, "", "the caller's request was changed")
        self.assertEqual([clinic.name for clinic in self.list_clinics(self.open())], [made.name])

    def test_a_call_that_crossed_the_goaway_of_a_server_that_drains_is_made_again(self):
        crossed = self.open("crossed")
        made = self.directory(crossed).CreateClinic(self.new_clinic())
        self.assertEqual([clinic.name for clinic in self.list_clinics(crossed)], [made.name])

    def test_a_call_that_may_do_harm_twice_is_not_made_again(self):
        events = self.open("crossed").stub(event_service_pb2_grpc.EventServiceStub, "scheduling")
        with self.assertRaises(rapport_client.Cancelled):
            events.RetryParkedEvents(event_service_pb2.RetryParkedEventsRequest())

    def test_a_client_that_is_closed_makes_no_call_again(self):
        client = self.open("slow")

        def close():
            faults.slow_reached.wait(PATIENCE)
            client.close()

        faults.slow_reached.clear()
        closer = threading.Thread(target=close)
        closer.start()
        self.addCleanup(closer.join)
        with self.assertRaises(rapport_client.Cancelled):
            self.list_clinics(client)

    def test_every_request_that_may_have_a_request_id_is_sent_with_one(self):
        filled = 0
        for module in sorted((BUILT / "src/rapport").glob("*/v1/*_service_pb2.py")):
            imported = importlib.import_module(
                ".".join(module.relative_to(BUILT / "src").with_suffix("").parts))
            for service in imported.DESCRIPTOR.services_by_name.values():
                for method in service.methods:
                    request = getattr(imported, method.input_type.name)()
                    sent = _calls.repeatable(request)
                    if "request_id" in method.input_type.fields_by_name:
                        self.assertTrue(sent.request_id, method.full_name)
                        self.assertNotEqual(sent.request_id, _calls.repeatable(request).request_id)
                        filled += 1
                    self.assertFalse(request.ByteSize(), "the caller's request was changed")
        self.assertGreater(filled, 100)

    def test_two_calls_with_one_request_object_are_two_changes(self):
        directory, request = self.directory(self.open()), self.new_clinic()
        self.assertNotEqual(directory.CreateClinic(request).name, directory.CreateClinic(request).name)


class Watching(ClientTest):
    TYPES = (events_pb2.ClinicEvent.DESCRIPTOR.full_name,)

    def test_a_feed_goes_on_over_streams_that_are_cut(self):
        directory = self.directory(self.open())
        feed = self.open("cut").watch("scheduling", rapport_client.WatchOptions(
            types=self.TYPES, first_backoff=0.01))
        made, told = [], []
        for _ in range(4):
            made.append(directory.CreateClinic(self.new_clinic()).name)
            while len(told) < len(made):
                told += [event.resource for event in next(feed).events]
        self.assertEqual(told, made)

    def test_a_feed_goes_on_over_servers_that_drain(self):
        made = self.directory(self.open()).CreateClinic(self.new_clinic()).name
        feed = self.open("crossed").watch("scheduling", rapport_client.WatchOptions(
            types=self.TYPES, first_backoff=0.01))
        told: list[str] = []
        while not told:
            told += [event.resource for event in next(feed).events]
        self.assertEqual(told, [made])

    def test_a_cursor_that_was_kept_goes_on_after_a_restart(self):
        client = self.open()
        directory, cursor, told, made = self.directory(client), "", [], []
        for _ in range(3):
            made.append(directory.CreateClinic(self.new_clinic()).name)
            for response in client.watch("scheduling", rapport_client.WatchOptions(
                    types=self.TYPES, cursor=cursor)):
                told += [event.resource for event in response.events]
                cursor = response.cursor
                if response.events:
                    break
        self.assertEqual(told, made)

    def test_a_snapshot_goes_on_where_it_was_cut(self):
        directory = self.directory(self.open())
        made = {directory.CreateClinic(self.new_clinic()).name for _ in range(3)}
        told = set()
        for response in self.open("cut").watch("scheduling", rapport_client.WatchOptions(
                types=self.TYPES, from_snapshot=True, first_backoff=0.01)):
            told |= {event.resource for event in response.events}
            if told == made and not response.events:
                break
            if told == made:
                made.add(directory.CreateClinic(self.new_clinic()).name)
                if len(made) > 4:
                    break
        self.assertLessEqual(told, made)
        self.assertGreaterEqual(len(told), 4)

    def test_a_cursor_that_is_none_is_not_tried_for_ever(self):
        with self.assertRaises(rapport_client.InvalidArgument) as caught:
            next(self.open().watch("scheduling", rapport_client.WatchOptions(cursor="nonsense")))
        self.assertEqual(caught.exception.field_violations[0].field, "cursor")

    def test_a_feed_survives_a_token_that_was_refused(self):
        source = Source(self.token[:-4] + "AAAA", self.token)
        self.directory(self.open()).CreateClinic(self.new_clinic())
        response = next(self.open(token=source).watch("scheduling"))
        self.assertTrue(response.cursor)


class Stubs(ClientTest):
    def test_a_stub_finds_its_service_and_a_shared_one_must_be_told(self):
        client = self.open()
        scoring = client.stub(scoring_service_pb2_grpc.ScoringServiceStub)
        score = scoring.Score(scoring_service_pb2.ScoreRequest(
            instrument="instruments/phq-9",
            answers=[assessment_pb2.Answer(item=item, value=1) for item in range(1, 10)])).score
        self.assertEqual(score.total, 9)
        with self.assertRaisesRegex(ValueError, "name it"):
            client.stub(event_service_pb2_grpc.EventServiceStub)
        with self.assertRaisesRegex(ValueError, "no address of notes"):
            client.channel("notes")

    def test_a_stream_of_requests_and_answers_goes_through(self):
        rows = [directory_service_pb2.ImportDirectoryRequest(row=row, clinic=directory_pb2.Clinic(
            name=f"{self.organization}/clinics/c-{row}", display_name=f"Clinic {row}",
            time_zone="Europe/London", jurisdiction="GB-ENG")) for row in (1, 2)]
        answers = list(self.directory(self.open()).ImportDirectory(iter(rows)))
        self.assertEqual([answer.outcome for answer in answers],
                         [directory_service_pb2.IMPORT_OUTCOME_CREATED] * 2)


class Asyncio(ClientTest):
    """The same with asyncio, in the cases that have code of their own."""

    def play(self, at, story, token=None):
        async def played():
            address = faults.addresses[at] if at else suite.addresses["scheduling"]
            async with aio.Client(scheduling=address, token=token or Source(self.token),
                                  options=[("grpc.enable_http_proxy", 0)]) as client:
                return await asyncio.wait_for(story(client, client.stub(
                    directory_service_pb2_grpc.DirectoryServiceStub)), PATIENCE)
        return asyncio.run(played())

    async def list(self, _, directory):
        request = directory_service_pb2.ListClinicsRequest(parent=self.organization)
        return (await directory.ListClinics(request)).clinics

    def test_a_bad_request_names_the_field(self):
        async def story(_, directory):
            await directory.CreateClinic(self.new_clinic(name=""))
        with self.assertRaises(rapport_client.InvalidArgument) as caught:
            self.play(None, story)
        self.assertEqual(caught.exception.field_violations[0].field, "clinic.display_name")

    def test_a_token_that_is_refused_is_replaced_within_the_call(self):
        source = Source(self.token[:-4] + "AAAA", self.token)
        self.assertEqual(list(self.play(None, self.list, source)), [])
        self.assertEqual(source.asked, 2)

    def test_a_wrong_token_fails(self):
        with self.assertRaises(rapport_client.Unauthenticated):
            self.play(None, self.list, Source("wrong"))

    def test_a_call_ends_by_its_deadline(self):
        async def story(_, directory):
            await directory.ListClinics(directory_service_pb2.ListClinicsRequest(
                parent=self.organization), timeout=0.2)
        with self.assertRaises(rapport_client.DeadlineExceeded):
            self.play("slow", story)

    def test_a_full_server_is_asked_again_when_it_says_soon(self):
        self.assertEqual(list(self.play("busy", self.list)), [])
        with self.assertRaises(rapport_client.ResourceExhausted) as caught:
            self.play("full", self.list)
        self.assertEqual(caught.exception.retry_after, 2.5)

    def test_a_change_whose_answer_was_lost_is_done_once(self):
        async def story(_, directory):
            return (await directory.CreateClinic(self.new_clinic())).name
        made = self.play("lost", story)
        self.assertEqual([clinic.name for clinic in self.list_clinics(self.open())], [made])

    def test_a_call_that_crossed_a_goaway_is_made_again_unless_it_may_do_harm(self):
        async def story(client, directory):
            made = (await directory.CreateClinic(self.new_clinic())).name
            with self.assertRaises(rapport_client.Cancelled):
                await client.stub(event_service_pb2_grpc.EventServiceStub, "scheduling").RetryParkedEvents(
                    event_service_pb2.RetryParkedEventsRequest())
            return made
        made = self.play("crossed", story)
        self.assertEqual([clinic.name for clinic in self.list_clinics(self.open())], [made])

    def test_a_feed_goes_on_over_streams_that_are_cut(self):
        async def story(client, directory):
            made, told = [], []
            made.append((await directory.CreateClinic(self.new_clinic())).name)
            async for response in client.watch("scheduling", rapport_client.WatchOptions(
                    types=Watching.TYPES, first_backoff=0.01)):
                told += [event.resource for event in response.events]
                if response.events:
                    if len(made) == 4:
                        break
                    made.append((await directory.CreateClinic(self.new_clinic())).name)
            return made, told
        made, told = self.play("cut", story)
        self.assertEqual(told, made)


class Package(unittest.TestCase):
    """It can be installed, and is typed."""

    def test_mypy_finds_nothing_in_the_helper_and_the_quickstarts(self):
        for words in (["-p", "rapport_client"], ["quickstart.py", "quickstart_async.py"]):
            ended = subprocess.run(
                [sys.executable, "-m", "mypy", "--namespace-packages", "--explicit-package-bases",
                 "--config-file", "pyproject.toml", "--cache-dir", str(BUILT.parent / "mypy"), *words],
                cwd=BUILT, env={**os.environ, "MYPYPATH": "src"}, capture_output=True, text=True)
            self.assertEqual(ended.returncode, 0, ended.stdout)

    def test_the_wheel_has_the_helper_the_stubs_and_the_service_configs(self):
        out = suite.home / "wheel"
        ended = subprocess.run(
            [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
             "--disable-pip-version-check", "--wheel-dir", str(out), str(BUILT)],
            capture_output=True, text=True)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        (wheel,) = out.glob("rapport_client-*.whl")
        listed = subprocess.run([sys.executable, "-m", "zipfile", "-l", str(wheel)],
                                capture_output=True, text=True).stdout
        for wanted in ("rapport_client/aio.py", "rapport_client/py.typed",
                       "rapport_client/notes_service_config.json",
                       "rapport/notes/v1/note_service_pb2_grpc.pyi",
                       "rapport/scheduling/v1/course_pb2.py"):
            self.assertIn(wanted, listed)


if __name__ == "__main__":
    unittest.main()
