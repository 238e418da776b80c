"""Every block of the recipes runs, in order, against the real suite, and comes to what it promises."""
import json
import re
import time
import unittest

import rapport_client
from suite import PATIENCE, ROOT, SERVICES, Suite

PAGE = (ROOT / "deploy/clients/RECIPES.md").read_text()
RECIPES = re.findall(r"^## (.*?)$.*?^```python\n(.*?)^```$", PAGE, re.M | re.S)
PROLOGUE = re.search(r"^```python\n(.*?)^```$", PAGE, re.M | re.S).group(1)
ORGANIZATION = "riverside"


class Recipes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.suite = Suite()
        cls.addClassCleanup(cls.stop_cleanly)
        cls.suite.start()
        cls.suite.ctl("keys", "generate", str(cls.suite.home / "new"), connected=False)
        (new_key, *_) = json.loads((cls.suite.home / "new/jwks.json").read_text())["keys"]
        cls.names = {
            "client_as": cls.client_as, "organization_id": ORGANIZATION, "home": cls.suite.home,
            "jwks_file": cls.suite.home / "keys/jwks.json", "new_key": new_key}
        exec(compile(PROLOGUE, "RECIPES.md: prologue", "exec"), cls.names)

    @classmethod
    def stop_cleanly(cls):
        statuses = cls.suite.stop()
        assert statuses == dict.fromkeys(SERVICES, 0), f"the services exited with {statuses}"

    @classmethod
    def client_as(cls, roles, subject, signed_by="keys"):
        organization = "" if roles == "platform_operator" else ORGANIZATION
        return rapport_client.Client(
            **cls.suite.addresses, options=[("grpc.enable_http_proxy", 0)],
            token=lambda: cls.suite.token(organization, roles, subject=subject, keys=signed_by))

    def test_each_comes_to_what_it_promises(self):
        self.assertEqual(len(RECIPES), 9)
        for title, code in RECIPES:
            with self.subTest(title):
                exec(compile(code, f"RECIPES.md: {title}", "exec"), self.names)
                getattr(self, "check_" + re.sub(r"\W+", "_", title.lower()))(self.names)

    def check_onboard_an_organisation(self, got):
        self.assertEqual(got["organization"], f"organizations/{ORGANIZATION}")
        self.assertEqual(got["onboard"](ORGANIZATION, "Riverside network"), got["organization"])

    def check_import_a_directory_of_500_clinicians(self, got):
        self.assertEqual({one[1] for one in got["imported"]}, {"IMPORT_OUTCOME_CREATED"})
        self.assertEqual({one[1] for one in got["imported_again"]}, {"IMPORT_OUTCOME_UNCHANGED"})
        self.assertEqual([one[0] for one in got["imported"]], list(range(1, 501)))
        spoilt = got["directory_pb2"].Clinician()
        spoilt.CopyFrom(got["staff"][0])
        spoilt.clinics[0] = f"{got['organization']}/clinics/absent"
        with self.client_as("organization_admin", "ada") as admin:
            ((_, outcome, why),) = got["import_clinicians"](admin, [spoilt], validate_only=True)
        self.assertEqual(outcome, "IMPORT_OUTCOME_FAILED")
        self.assertIn("UNKNOWN_CLINIC", why)

    def check_book_the_first_available_opening(self, got):
        self.assertEqual(got["booked"].state, got["appointment_pb2"].APPOINTMENT_STATE_BOOKED)
        self.assertEqual(got["booked"].course, got["course"].name)

    def check_record_answers_from_a_patient_app(self, got):
        self.assertEqual(got["shown"], "RESPONDENT_GUIDANCE_SHOW_CRISIS_RESOURCES")
        with self.client_as("integration", "app") as app, self.assertRaises(rapport_client.NotFound):
            got["answer"](app, got["link"], [0] * 9)  # the link is spent

    def check_react_to_risk_alerts_exactly_once(self, got):
        pages = got["pager"].execute("SELECT * FROM pages").fetchall()
        self.assertTrue(pages)
        self.assertEqual({owner for _, owner, _ in pages}, {f"{got['organization']}/clinicians/thea"})
        # The feed is told anew, as after a cursor was lost: what was dealt with is not dealt with again.
        seen = dict(got["pager"].execute("SELECT * FROM seen").fetchall())
        got["pager"].execute("DELETE FROM cursors")
        dealt = []
        with self.client_as("integration", "pager") as integration:
            got["follow"](integration, "assessment", got["assessment_events"].AlertEvent, got["pager"],
                          lambda store, alert, state: dealt.append(alert), until=lambda: True)
        newer = [alert for alert, version in got["pager"].execute("SELECT * FROM seen").fetchall()
                 if version > seen[alert]]
        self.assertEqual(sorted(set(dealt)), sorted(newer))
        self.assertEqual(got["pager"].execute("SELECT * FROM pages").fetchall(), pages)

    def check_mirror_appointments_into_another_calendar(self, got):
        # Beside the booking there may be the time that is held for a patient at risk.
        entries = {name: rest for name, *rest in got["calendar"].execute("SELECT * FROM entries")}
        self.assertEqual(entries[got["booked"].name], [got["booked"].start_time.ToJsonString(), 50])

    def check_pull_outcomes_for_a_dashboard(self, got):
        for cell in got["dashboard"]:
            self.assertTrue(cell["suppressed"], cell)
            self.assertNotIn("courses", cell)

    def check_export_a_case_as_fhir(self, got):
        self.assertEqual(got["bundle"]["resourceType"], "Bundle")
        kinds = {entry["resource"]["resourceType"] for entry in got["bundle"]["entry"]}
        self.assertLessEqual({"Patient", "Appointment"}, kinds)

    def check_rotate_keys(self, got):
        self.assertTrue(got["both"])
        with self.client_as("organization_admin", "ada", signed_by="new") as admin:
            self.assertTrue(got["accepted"](admin))
        deadline = time.monotonic() + PATIENCE
        with self.client_as("organization_admin", "ada") as former:
            stub = former.stub(got["directory_service_pb2_grpc"].DirectoryServiceStub)
            request = got["directory"].ListClinicsRequest(parent=got["organization"])
            while time.monotonic() < deadline:
                try:
                    stub.ListClinics(request)
                except rapport_client.Unauthenticated:
                    return
                time.sleep(0.2)
        self.fail("tokens of the old key are still taken")


if __name__ == "__main__":
    unittest.main()
