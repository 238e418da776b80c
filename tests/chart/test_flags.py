"""The chart sets only flags that the programs have, and knows of all that they have."""

import re
import subprocess
import unittest

from rendered import BINARIES, EXAMPLES, SERVICES, render
from test_manifests import VARIANTS

# Flags that the chart leaves as they are, and why.
LEFT = {
    "log_file": "logs go to standard error",
    "reflection": "extraEnv turns it on",
    "development_clock_file": "for tests and stories",
    "openings_index_bound": "scheduling's own; extraEnv sets it",
    "peer_tls_server_name": "certificates are for the names that peers are called by",
}


def flags(program):
    """Name → default of the flags of ours."""
    done = subprocess.run([BINARIES / program, "--helpfull"], capture_output=True, text=True)
    found, file = {}, ""
    for line in done.stdout.splitlines():
        if match := re.match(r"  Flags from (\S+):", line):
            file = match[1]
        elif (match := re.match(r"    --(\w+) \(", line)) and not re.search(r"absl/|external/|^/", file):
            found[match[1]] = file
    return found


class Flags(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rendered = [render(example) for example in EXAMPLES]
        cls.rendered += [render(values=values) for values in VARIANTS.values()]

    def test_services_have_every_flag_that_is_set(self):
        for service in SERVICES:
            known = flags(f"rapport-{service}")
            self.assertIn("jwks_file", known)
            for objects in self.rendered:
                for each in objects.kind("ConfigMap"):
                    if each["metadata"]["name"] == f"rapport-{service}":
                        for name in each["data"]:
                            self.assertIn(name.removeprefix("RAPPORT_").lower(), known, service)

    def test_every_flag_is_set_somewhere_or_left_for_a_reason(self):
        used = {
            name.removeprefix("RAPPORT_").lower()
            for objects in self.rendered
            for each in objects.kind("ConfigMap")
            for name in each.get("data", {})
            if name.startswith("RAPPORT_")
        }
        known = {name for service in SERVICES for name in flags(f"rapport-{service}")}
        self.assertEqual(known - used, set(LEFT))

    def test_rapportctl_has_the_flags_and_commands_that_are_given(self):
        known = flags("rapportctl")
        usage = subprocess.run([BINARIES / "rapportctl"], capture_output=True, text=True).stderr
        commands = re.findall(r"^  ([a-z-]+(?: [a-z-]+)*)", usage, re.M)
        seen = set()
        for objects in self.rendered:
            for _, spec in objects.pods():
                for container in spec["containers"] + spec.get("initContainers", []):
                    if container["command"] == ["rapportctl"]:
                        words = [each for each in container["args"] if not each.startswith("--")]
                        seen.add(words[0])
                        self.assertTrue(
                            any(" ".join(words).startswith(command) for command in commands), words
                        )
                        for flag in set(container["args"]) - set(words):
                            self.assertIn(flag[2:].partition("=")[0], known)
        self.assertEqual(seen, {"migrate", "wait-for-schema", "keys", "health"})

    def test_the_services_take_what_is_given(self):
        """Each starts far enough to miss its files, not its flags."""
        for objects in self.rendered:
            for each in objects.kind("ConfigMap"):
                service = each["metadata"]["name"].removeprefix("rapport-")
                if service not in SERVICES:
                    continue
                environment = dict(each["data"])
                for name, value in environment.items():
                    if name.endswith(("_FILE", "_DIR")):
                        environment[name] = f"/nonexistent{value}"
                done = subprocess.run(
                    [BINARIES / f"rapport-{service}"], env=environment, capture_output=True, text=True, timeout=20
                )
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertNotIn("has no value for", done.stderr)
                self.assertIn("/nonexistent", done.stderr)


if __name__ == "__main__":
    unittest.main()
