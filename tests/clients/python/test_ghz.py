"""ghz, which load-tests by reflection, gets an answer to each of thousands of calls. Figures that count are
those of tests/bench; these say what a user of ghz sees."""
import json
import os
import shutil
import subprocess
import unittest

import rapport_client
from google.type import date_pb2
from rapport.scheduling.v1 import (course_pb2, course_service_pb2, course_service_pb2_grpc, directory_pb2,
                                   directory_service_pb2, directory_service_pb2_grpc)
from suite import SERVICES, Suite

CALLS = 5_000
PATIENCE = 120


@unittest.skipUnless(os.environ.get("RAPPORT_LONG") == "true", "it is run with --long")
@unittest.skipUnless(shutil.which("ghz"), "there is no ghz; the head of the run says why")
class Ghz(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.suite = Suite()
        cls.addClassCleanup(cls.stop_cleanly)
        cls.suite.start()
        cls.organization = cls.suite.bootstrap("loaded")
        cls.token = cls.suite.token(cls.organization, "organization_admin,therapist,integration",
                                    subject="thea")

    @classmethod
    def stop_cleanly(cls):
        statuses = cls.suite.stop()
        assert statuses == dict.fromkeys(SERVICES, 0), f"the services exited with {statuses}"

    def load(self, service, call, request):
        words = ["ghz", "--insecure", "--call", call, "--data", json.dumps(request), "--metadata",
                 json.dumps({"authorization": f"Bearer {self.token}"}), "--total", str(CALLS),
                 "--concurrency", "16", "--connections", "4"]
        address = self.suite.addresses[service]
        for form in ("summary", "json"):
            ended = subprocess.run([*words, "--format", form, address], capture_output=True, text=True,
                                   timeout=PATIENCE)
            self.assertEqual(ended.returncode, 0, ended.stderr)
            if form == "summary":
                print(f"\n$ ghz --insecure --call {call} … {address}\n{ended.stdout.strip()}", flush=True)
        told = json.loads(ended.stdout)
        self.assertEqual(told["statusCodeDistribution"], {"OK": CALLS})

    def test_every_score_is_answered(self):
        self.load("assessment", "rapport.assessment.v1.ScoringService/Score", {
            "instrument": "instruments/phq-9",
            "answers": [{"item": item, "value": 1} for item in range(1, 10)]})

    def test_every_course_is_got(self):
        with rapport_client.Client(**self.suite.addresses, token=lambda: self.token,
                                   options=[("grpc.enable_http_proxy", 0)]) as client:
            directory = client.stub(directory_service_pb2_grpc.DirectoryServiceStub)
            clinic = directory.CreateClinic(directory_service_pb2.CreateClinicRequest(
                parent=self.organization, clinic=directory_pb2.Clinic(
                    display_name="Harbour", time_zone="Europe/London", jurisdiction="GB-ENG")))
            thea = directory.CreateClinician(directory_service_pb2.CreateClinicianRequest(
                parent=self.organization, clinician_id="thea", clinician=directory_pb2.Clinician(
                    display_name="Thea", subject="thea", licence_number="1", clinics=[clinic.name],
                    profession=directory_pb2.PROFESSION_PSYCHOLOGIST, certified_protocols=["classic"],
                    licence_expire_date=date_pb2.Date(year=2040, month=1, day=1))))
            course = client.stub(course_service_pb2_grpc.CourseServiceStub).CreateCourse(
                course_service_pb2.CreateCourseRequest(parent=self.organization, course=course_pb2.Course(
                    patient=f"{self.organization}/patients/4711", clinic=clinic.name,
                    clinician=thea.name, protocol="protocols/classic/revisions/1",
                    patient_particulars=course_pb2.PatientParticulars(
                        birth_year=1980, birth_month=5, jurisdiction="GB-ENG",
                        time_zone="Europe/London"))))
        self.load("scheduling", "rapport.scheduling.v1.CourseService/GetCourse", {"name": course.name})


if __name__ == "__main__":
    unittest.main()
