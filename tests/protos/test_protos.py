"""The contracts as a product: clean, compatible, conforming, documented, in step."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from google.protobuf import descriptor_pb2

import protodoc

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROTOS = ROOT / "protos"
OUT = pathlib.Path(os.environ["RAPPORT_PROTOS_OUT"])
BASELINE = PROTOS / "baseline/rapport.binpb"
SERVICES = ("scheduling", "assessment", "notes")

contracts = protodoc.Contracts((OUT / "rapport.binpb").read_bytes())


def run(*words, cwd=PROTOS):
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=300,
                          env={**os.environ, "BUF_CACHE_DIR": str(OUT / "buf-cache")})


def methods():
    """(full name, file, path of its comment, service, method)."""
    for file, i, service in contracts.services():
        for m, method in enumerate(service.method):
            yield (f"{file.package}.{service.name}/{method.name}", file, (6, i, 2, m), service,
                   method)


def fields_of(type_name):
    return contracts.message(type_name).fields_by_name


with_buf = unittest.skipUnless(shutil.which("buf"), "there is no buf; the head of the run says why")


@with_buf
class Buf(unittest.TestCase):
    def test_lint_finds_nothing(self):
        ended = run("buf", "lint")
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)

    def test_lint_finds_a_message_without_a_comment(self):
        found = self.on_a_copy("rapport/common/v1/event.proto", r"(?:// [^\n]*\n)+(message Event )",
                               r"\1", "lint")
        self.assertIn('Message "Event" should have a non-empty comment', found)

    def test_nothing_breaks_the_last_release(self):
        ended = run("buf", "breaking", "--against", str(BASELINE))
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)

    def test_a_field_that_is_gone_is_found(self):
        self.assertIn("Previously present field \"3\" with name \"organization\" on message",
                      self.broken("rapport/common/v1/event.proto",
                                  r"\n[^\n]*\bstring organization = 3\b[^\n]*", ""))

    def test_a_field_that_is_retyped_is_found(self):
        self.assertIn('changed type from "int64" to "string"',
                      self.broken("rapport/common/v1/event.proto", r"int64 version", "string version"))

    def test_a_method_that_is_gone_is_found(self):
        self.assertIn('Previously present RPC "GetSignedHead"',
                      self.broken("rapport/common/v1/audit_service.proto",
                                  r"  rpc GetSignedHead.*?\n  }\n", ""))

    def test_an_enum_value_that_is_renumbered_is_found(self):
        self.assertIn('Previously present enum value "4" on enum "AuditKind"',
                      self.broken("rapport/common/v1/audit.proto", r"AUDIT_KIND_ERASURE = 4",
                                  "AUDIT_KIND_ERASURE = 5"))

    def test_what_is_added_breaks_nothing(self):
        self.assertEqual("", self.broken("rapport/common/v1/event.proto", r"(message Event \{\n)",
                                         r"\1  // More.\n  string more = 900;\n"))

    def broken(self, *words):
        return self.on_a_copy(*words, "breaking", "--against", str(BASELINE))

    def on_a_copy(self, path, pattern, replacement, *words):
        with tempfile.TemporaryDirectory() as scratch:
            copy = pathlib.Path(scratch) / "protos"
            shutil.copytree(PROTOS, copy)
            text = (copy / path).read_text()
            changed, count = re.subn(pattern, replacement, text, count=1, flags=re.S)
            self.assertEqual(count, 1, pattern)
            (copy / path).write_text(changed)
            return run("buf", *words, cwd=copy).stdout


@unittest.skipUnless(os.environ.get("RAPPORT_LONG") == "true", "it is run with --long")
@unittest.skipUnless(shutil.which("api-linter"), "there is no api-linter; the head of the run says why")
class ApiLinter(unittest.TestCase):
    """Google's own linter of AIPs, without the rules that api-linter/config.yaml gives reasons against."""

    CONFIG = ROOT / "tests/protos/api-linter/config.yaml"

    def lint(self, *words):
        files = sorted(str(path.relative_to(PROTOS)) for path in (PROTOS / "rapport").rglob("*.proto"))
        return run("api-linter", "--proto-path", ".", "--output-format", "json", *words, *files)

    def test_nothing_is_found_but_what_we_do_otherwise(self):
        ended = self.lint("--config", str(self.CONFIG), "--set-exit-status")
        self.assertEqual(ended.returncode, 0, ended.stdout[-4000:] + ended.stderr)

    def test_every_rule_that_is_left_out_would_find_something(self):
        found = {problem["rule_id"] for file in json.loads(self.lint().stdout)
                 for problem in file.get("problems") or []}
        left_out = set(re.findall(r"- (core::\S+)", self.CONFIG.read_text()))
        self.assertEqual(left_out - found, set())


class Descriptors(unittest.TestCase):
    """What the AIPs ask of services, and what our own rules do. The AIPs' own linter is no package that can be
    had everywhere; these look at the same descriptors."""

    def test_every_service_method_message_field_and_value_has_a_comment(self):
        bare = []

        def look(file, path, name):
            if not "".join(contracts.comment(file, *path)).strip():
                bare.append(f"{file.name} {name}")

        def enum(file, one, path, prefix):
            look(file, path, prefix + one.name)
            for i, value in enumerate(one.value):
                look(file, (*path, 2, i), f"{prefix}{one.name}.{value.name}")

        def message(file, one, path, prefix):
            look(file, path, prefix + one.name)
            for i, field in enumerate(one.field):
                look(file, (*path, 2, i), f"{prefix}{one.name}.{field.name}")
            for i, nested in enumerate(one.nested_type):
                if not nested.options.map_entry:
                    message(file, nested, (*path, 3, i), f"{prefix}{one.name}.")
            for i, nested in enumerate(one.enum_type):
                enum(file, nested, (*path, 4, i), f"{prefix}{one.name}.")

        for file in contracts.own:
            for i, one in enumerate(file.message_type):
                message(file, one, (4, i), "")
            for i, one in enumerate(file.enum_type):
                enum(file, one, (5, i), "")
            for i, one in enumerate(file.service):
                look(file, (6, i), one.name)
                for m, method in enumerate(one.method):
                    look(file, (6, i, 2, m), f"{one.name}.{method.name}")
        self.assertEqual(bare, [])

    def test_errors_are_documented_where_a_method_can_fail_in_its_own_way(self):
        """A change says what refuses it, at the method or once for its service."""
        silent = []
        for name, file, path, service, method in methods():
            of_service = contracts.comment(file, *path[:2])
            errors = protodoc.split_errors(contracts.comment(file, *path))[1]
            if (contracts.policy(method).executor in (3, 4) and not errors
                    and not protodoc.split_errors(of_service)[1]
                    and not re.search(r"[A-Z_]{7,}", " ".join(of_service))
                    # Nothing but what any call may answer refuses these.
                    and method.name not in ("RebuildOutcomes", "RetryParkedEvents", "CheckPrefill")):
                silent.append(name)
        self.assertEqual(silent, [])

    def test_an_etag_that_can_be_given_is_documented_as_stale(self):
        silent = []
        for name, file, path, _, method in methods():
            if "etag" in fields_of(method.input_type):
                said = " ".join(contracts.comment(file, *path) + contracts.comment(file, *path[:2]))
                if "STALE_ETAG" not in said:
                    silent.append(name)
        self.assertEqual(silent, [])

    def test_lists_are_paged_and_page_fields_have_their_types(self):
        for name, _, _, _, method in methods():
            if not method.name.startswith(("List", "Search")):
                continue
            asked, answered = fields_of(method.input_type), fields_of(method.output_type)
            self.assertEqual(asked["page_size"].type, descriptor_pb2.FieldDescriptorProto.TYPE_INT32,
                             name)
            self.assertEqual(asked["page_token"].type,
                             descriptor_pb2.FieldDescriptorProto.TYPE_STRING, name)
            self.assertEqual(answered["next_page_token"].type,
                             descriptor_pb2.FieldDescriptorProto.TYPE_STRING, name)

    def test_standard_methods_ask_and_answer_as_the_aips_say(self):
        for name, _, _, _, method in methods():
            asked = fields_of(method.input_type)
            verb, noun = re.match(r"([A-Z][a-z]+)(.*)", method.name).groups()
            resource = re.sub(r"(?<!^)(?=[A-Z])", "_", noun).lower()
            answer = method.output_type.rsplit(".", 1)[1]
            if verb == "Create" and answer == noun and resource in asked:
                self.assertIn("request_id", asked, name)
            if (verb == "Update" and answer == noun and resource in asked
                    and "name" not in asked):
                # What is one decision is replaced as a whole.
                if not noun.endswith(("Plan", "Policy")):
                    self.assertIn("update_mask", asked, name)
                self.assertIn("request_id", asked, name)
            if verb == "Delete" and not noun.startswith("Parked"):
                self.assertIn("name", asked, name)
                self.assertIn("request_id", asked, name)

    def test_a_request_id_is_documented_and_checked_everywhere_alike(self):
        for name, _, _, _, method in methods():
            field = fields_of(method.input_type).get("request_id")
            if field is not None:
                rules = contracts.option(field.GetOptions(), "rapport.common.v1.rules")
                self.assertEqual(rules.format, 2, name)

    def test_names_of_methods_are_unique_within_a_service_and_requests_are_named_after_them(self):
        for name, _, _, _, method in methods():
            self.assertEqual(method.input_type.rsplit(".", 1)[1], f"{method.name}Request", name)


class ServiceConfigs(unittest.TestCase):
    """What channels are opened with, by service."""

    def configs(self):
        for service in SERVICES:
            path = PROTOS / f"rapport/{service}/v1/{service}_service_config.json"
            yield service, json.loads(path.read_text())

    def of_service(self, service):
        """The methods that a service serves, by full name."""
        for name, file, _, one, method in methods():
            package = file.package.split(".")[1]
            if package == service or (package == "common" and (
                    service == "notes" or one.name != "PrivacyService")):
                yield name, one, method

    def matching(self, config, name):
        """The entries that speak of a method, the one that holds first."""
        service, method = name.split("/")
        for wanted in ({"service": service, "method": method}, {"service": service}, {}):
            found = [entry for entry in config["methodConfig"]
                     if wanted in [{k: v for k, v in one.items() if v} for one in entry["name"]]]
            self.assertLessEqual(len(found), 1, f"{name} is named twice")
            if found:
                return found[0]
        return None

    def test_every_name_is_of_a_method_or_service_that_there_is(self):
        for service, config in self.configs():
            names = {name for name, _, _ in self.of_service(service)}
            for entry in config["methodConfig"]:
                for one in entry["name"]:
                    if one.get("method"):
                        self.assertIn(f"{one['service']}/{one['method']}", names, service)
                    elif one.get("service") and one["service"].startswith("rapport."):
                        self.assertTrue([name for name in names
                                         if name.startswith(one["service"] + "/")], one)

    def test_every_method_has_a_time_out_and_streams_that_last_have_none_that_ends_them(self):
        for service, config in self.configs():
            for name, _, method in self.of_service(service):
                entry = self.matching(config, name)
                self.assertIsNotNone(entry, f"{service} says nothing of {name}")
                self.assertRegex(entry.get("timeout", ""), r"^\d+(\.\d+)?s$", name)
                seconds = float(entry["timeout"][:-1])
                self.assertLessEqual(seconds, 600, name)
                if method.name.startswith("Watch"):
                    self.assertGreater(seconds, 240, f"{name}: the server ends it after 4 min")

    def test_only_what_does_no_harm_twice_is_retried(self):
        for service, config in self.configs():
            retried = []
            for name, _, method in self.of_service(service):
                policy = (self.matching(config, name) or {}).get("retryPolicy")
                if not policy:
                    continue
                retried.append(name)
                self.assertNotEqual(protodoc.repeatable(contracts, method), "see there", name)
                self.assertLessEqual(
                    set(policy["retryableStatusCodes"]),
                    {"UNAVAILABLE", "RESOURCE_EXHAUSTED"}, name)
                self.assertLessEqual(policy["maxAttempts"], 5, name)
            self.assertTrue(retried, f"{service} retries nothing")

    def test_a_channel_spreads_its_calls_and_throttles_its_retries(self):
        for service, config in self.configs():
            self.assertIn({"round_robin": {}}, config["loadBalancingConfig"], service)
            self.assertIn("retryThrottling", config, service)


class Documents(unittest.TestCase):
    def test_the_reference_is_in_step_with_the_protos(self):
        stale = [path for path, text in protodoc.render(contracts).items()
                 if not (PROTOS / path).exists() or (PROTOS / path).read_text() != text]
        self.assertEqual(stale, [], "write them anew with tests/protos/run --write")

    def test_the_reference_has_no_dead_link(self):
        pages = protodoc.render(contracts)
        anchors = {path: {re.sub(r"[^a-z0-9_ -]", "", line.lstrip("# ").lower()).replace(" ", "-")
                          for line in text.split("\n") if line.startswith("#")}
                   for path, text in pages.items()}
        for path, text in pages.items():
            for target in re.findall(r"\]\(([^)]+)\)", text):
                file, _, part = target.partition("#")
                where = os.path.normpath(os.path.join(os.path.dirname(path), file)) if file else path
                if where in anchors:
                    if part:
                        self.assertIn(part, anchors[where], f"{path}: {target}")
                else:
                    self.assertTrue((PROTOS / where).exists(), f"{path}: {target}")

    def test_the_package_is_the_same_bytes_twice_and_stands_alone(self):
        with tempfile.TemporaryDirectory() as scratch:
            one, two = pathlib.Path(scratch) / "one", pathlib.Path(scratch) / "two"
            for out in (one, two):
                ended = run(str(ROOT / "deploy/protos/package"), str(out), cwd=ROOT)
                self.assertEqual(ended.returncode, 0, ended.stderr)
            self.assertEqual((one / "SHA256SUMS").read_text(), (two / "SHA256SUMS").read_text())
            (tarball,) = one.glob("*.tar.gz")
            run("tar", "xzf", str(tarball), cwd=one)
            (root,) = [path for path in one.iterdir() if path.is_dir()]
            ended = run("protoc", "-I", str(root), f"--descriptor_set_out={one}/again",
                        "--include_imports", "--include_source_info",
                        *sorted(str(path.relative_to(root))
                                for path in (root / "rapport").rglob("*.proto")), cwd=root)
            self.assertEqual(ended.returncode, 0, ended.stderr)
            (binpb,) = one.glob("*.binpb")
            self.assertEqual((one / "again").read_bytes(), binpb.read_bytes())
            for service in SERVICES:
                self.assertTrue(
                    (root / f"rapport/{service}/v1/{service}_service_config.json").exists(), service)


if __name__ == "__main__":
    unittest.main()
