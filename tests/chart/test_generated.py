"""What is generated is in step with what it is made from."""

import json
import re
import subprocess
import sys
import unittest

import yaml

from rendered import CHART, EXAMPLES, ROOT, TOOLS


class Generated(unittest.TestCase):
    def check(self, script, *words):
        done = subprocess.run(
            [sys.executable, ROOT / script, "--check", *words], capture_output=True, text=True
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_readme_lists_the_values_as_they_are(self):
        self.check("deploy/helm/readme")

    def test_the_plain_manifests_are_what_the_chart_renders(self):
        self.check("deploy/kubernetes/render", "--helm", str(TOOLS / "bin/helm"))

    def test_routes_know_every_grpc_service(self):
        wanted = {"scheduling": set(), "assessment": set(), "notes": set()}
        for path in (ROOT / "protos/rapport").glob("*/v1/*.proto"):
            text = path.read_text()
            package = re.search(r"^package (\S+);", text, re.M)[1]
            for name in re.findall(r"^service (\w+)", text, re.M):
                owner = package.split(".")[1]
                if name in ("AuditService", "EventService"):
                    continue
                wanted["notes" if owner == "common" else owner].add(f"{package}.{name}")
        named = yaml.safe_load((CHART / "files/grpc-services.yaml").read_text())
        self.assertEqual({service: set(names) for service, names in named.items()}, wanted)

    def test_the_chart_has_the_version_of_the_suite(self):
        version = re.search(r"project\(rapport VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1]
        chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
        self.assertEqual(chart["appVersion"], version)

    def test_the_licence_is_the_suites(self):
        self.assertEqual((CHART / "LICENSE").read_text(), (ROOT / "LICENSE").read_text())

    def test_every_example_is_proven(self):
        here = {path.stem for path in (CHART / "examples").glob("*.yaml")}
        self.assertEqual(here, set(EXAMPLES))


class Schema(unittest.TestCase):
    def setUp(self):
        self.schema = json.loads((CHART / "values.schema.json").read_text())
        self.values = yaml.safe_load((CHART / "values.yaml").read_text())

    def resolve(self, part):
        while "$ref" in part:
            target = self.schema
            for step in part["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            part = target
        return part

    def compare(self, schema, values, path):
        schema = self.resolve(schema)
        known = schema.get("properties")
        if known is None:
            return
        self.assertIs(schema.get("additionalProperties"), False, f"{path} takes anything")
        if path.startswith(".services.") or path.endswith(("Probe", "resources", "csi", "existingSecrets")):
            self.assertLessEqual(set(values), set(known), path)
        else:
            self.assertEqual(set(values), set(known) - {"global"}, path)
        for name, value in values.items():
            if isinstance(value, dict):
                self.compare(known[name], value, f"{path}.{name}")

    def test_values_and_schema_know_the_same(self):
        self.compare(self.schema, self.values, "")


if __name__ == "__main__":
    unittest.main()
