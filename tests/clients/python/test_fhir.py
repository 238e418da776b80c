"""Every story is played, every patient's record of it is exported, and each bundle is judged by the HAPI FHIR
validator with the published R4 definitions. Where the validator was not built, this is skipped."""
import json
import os
import pathlib
import re
import subprocess
import unittest

from suite import BINARIES, ROOT, Suite

STORIES = sorted((ROOT / "tools/rapportctl/story/stories").glob("*.textproto"))
BUNDLES = ROOT / "build/clients/fhir/bundles"
VALIDATOR = os.environ.get("RAPPORT_FHIR_CLASSPATH")
PATIENCE = 300  # seconds, for a story or the validator


class Told:
    """A story that was played on a suite of its own."""

    def __init__(self, story):
        self.story = story
        text = story.read_text()
        self.id = re.search(r'^id: *"([a-z0-9-]+)"', text, re.MULTILINE).group(1)
        self.clinicians = re.findall(r'^clinicians *\{\s*id: *"([a-z0-9-]+)"', text, re.MULTILINE)

    def __enter__(self):
        self.suite = Suite(clock="2026-01-01T00:00:00Z")
        self.suite.start()
        return self

    def __exit__(self, *_):
        self.suite.stop()

    def run(self, *words, patience=30):
        return subprocess.run(
            [str(BINARIES / "rapportctl"), *words, f"--keys_dir={self.suite.home / 'keys'}",
             *self.suite.targets],
            capture_output=True, text=True, timeout=patience)

    def play(self):
        ended = self.run("story", "play", str(self.story),
                         f"--clock_file={self.suite.clock_file}", patience=PATIENCE)
        assert ended.returncode == 0, f"{self.id}: {ended.stderr[-2000:]}"

    def as_clinician(self, clinician):
        return [f"--subject={clinician}@{self.id}", f"--organization={self.id}",
                "--roles=therapist"]

    def cases(self):
        """Each case with a clinician who reaches it."""
        found = {}
        for clinician in self.clinicians:
            listed = self.run("call", "rapport.notes.v1.CaseService/ListCases",
                              json.dumps({"parent": f"organizations/{self.id}"}),
                              *self.as_clinician(clinician))
            assert listed.returncode == 0, listed.stderr
            for case in json.loads(listed.stdout or "{}").get("cases", []):
                found.setdefault(case["name"], (clinician, case))
        return found.values()

    def export(self, clinician, case, *flags):
        """Bundles of each patient of the case, by the patient's id."""
        for person in filter(None, (case["patient"], case.get("partner"))):
            patient = person.rpartition("/")[2]
            ended = self.run("case", "fhir", case["name"], f"--patient={patient}", *flags,
                             *self.as_clinician(clinician))
            assert ended.returncode == 0, f"{self.id} {case['name']}: {ended.stderr}"
            yield patient, ended.stdout

    def audit_events(self, service):
        """The bundles of who saw or changed what at a service."""
        ended = self.run("audit", "fhir", f"--organization={self.id}", f"--audit_service={service}")
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.splitlines()


@unittest.skipUnless(VALIDATOR, "the HAPI FHIR validator was not built")
class FhirTest(unittest.TestCase):
    def test_every_storys_bundles_are_valid_r4(self):
        BUNDLES.mkdir(parents=True, exist_ok=True)
        for old in BUNDLES.glob("*.json"):
            old.unlink()
        for story in STORIES:
            with self.subTest(story=story.stem), Told(story) as told:
                told.play()
                exported = 0
                for clinician, case in told.cases():
                    for flags in ([], ["--inventory"]):
                        for patient, bundle in told.export(clinician, case, *flags):
                            name = "-".join([story.stem, case["name"].rpartition("/")[2][-6:],
                                             patient, *(flag.strip("-") for flag in flags)])
                            (BUNDLES / f"{name}.json").write_text(bundle)
                            exported += 1
                self.assertGreater(exported, 0, "no case was exported")
                if story == STORIES[0]:
                    self.assertLessEqual({"C", "R", "U"}, self.keep_audit_events(story, told))
        verdict = self.judge(sorted(BUNDLES.glob("*.json")))
        print(verdict.stdout)
        self.assertEqual(verdict.returncode, 0, verdict.stdout + verdict.stderr[-2000:])

    def test_the_validator_refuses_what_is_not_valid(self):
        BUNDLES.mkdir(parents=True, exist_ok=True)
        spoilt = BUNDLES.parent / "spoilt.json"
        spoilt.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [
            {"fullUrl": "https://rapport.invalid/fhir/x/Observation/1",
             "resource": {"resourceType": "Observation", "id": "1", "status": "finished"}}]}))
        verdict = self.judge([spoilt])
        self.assertEqual(verdict.returncode, 1, verdict.stdout)
        self.assertIn("INVALID", verdict.stdout)

    @staticmethod
    def keep_audit_events(story, told):
        """Puts who saw or changed what beside the record; returns what was done."""
        done = set()
        for service in ("scheduling", "assessment", "notes"):
            for number, bundle in enumerate(told.audit_events(service)):
                (BUNDLES / f"{story.stem}-audit-{service}-{number}.json").write_text(bundle)
                done |= {event["resource"]["action"] for event in json.loads(bundle)["entry"]}
        return done

    @staticmethod
    def judge(files: list[pathlib.Path]):
        return subprocess.run(["java", "-cp", VALIDATOR, "validate.Validate", *map(str, files)],
                              capture_output=True, text=True, timeout=PATIENCE)
