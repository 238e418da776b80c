"""The clients of all languages, each against the same running suite: its quickstart twice, then its tests.

A language is tests/clients/LANGUAGE/run, which tells by `run quickstart` and `run test` what it plays; it
was built by `run build`. It finds in its environment
  RAPPORT_SCHEDULING, _ASSESSMENT, _NOTES             addresses of the services
  RAPPORT_BUSY, _FULL, _LOST, _CUT, _SLOW, _CROSSED   addresses of faults before scheduling (faults.py)
  RAPPORT_ORGANIZATION                                an organisation of its own
  RAPPORT_TOKEN_FILE                                  a token of subject thea, who may all that the stories need
"""
import os
import pathlib
import subprocess
import unittest

from faults import Faults
from suite import ROOT, SERVICES, Suite

LANGUAGES = sorted(path.parent.name for path in (ROOT / "tests/clients").glob("*/run"))

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


class Languages(unittest.TestCase):
    def environment(self, name):
        organization = suite.bootstrap(name)
        token = suite.home / f"{name}.token"
        token.write_text(suite.token(organization, "organization_admin,therapist,integration",
                                     subject="thea"))
        return {**os.environ, "RAPPORT_ORGANIZATION": organization, "RAPPORT_TOKEN_FILE": str(token),
                **{f"RAPPORT_{service.upper()}": address
                   for service, address in suite.addresses.items()},
                **{f"RAPPORT_{kind.upper()}": address for kind, address in faults.addresses.items()}}

    def run_script(self, language, word, environment):
        ended = subprocess.run([str(ROOT / "tests/clients" / language / "run"), word],
                               env=environment, capture_output=True, text=True, timeout=120)
        self.assertEqual(ended.returncode, 0, f"{language} {word}:\n{ended.stdout}\n{ended.stderr}")
        return ended.stdout


def add(language):
    def quickstart(self):
        environment = self.environment(f"quick-{language}")
        first = self.run_script(language, "quickstart", environment)
        again = self.run_script(language, "quickstart", environment)
        print(f"\n{language} says:\n{first}", end="", flush=True)
        self.assertEqual(first, again)
        for line in ("grpc ", "clinic ", "clinician ", "course COURSE_STATE_ASSESSING of ",
                     "appointment ", "score 11 moderate", "told of version 1"):
            self.assertEqual(len([one for one in first.splitlines() if one.startswith(line)]), 1, line)

    def helper(self):
        print(self.run_script(language, "test", self.environment(f"test-{language}")), flush=True)

    def skipped(self):
        self.skipTest(why)

    why = pathlib.Path(ROOT / "build/clients" / f"{language}.skipped")
    why = why.read_text().strip() if why.exists() else ""
    setattr(Languages, f"test_{language}_quickstart_does_nothing_twice", skipped if why else quickstart)
    setattr(Languages, f"test_{language}_helper_does_what_every_caller_needs",
            skipped if why else helper)


for one in LANGUAGES:
    add(one)

if __name__ == "__main__":
    unittest.main()
