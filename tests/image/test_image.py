"""What the image holds, that it is the same each time, and that it runs where little is allowed."""
import functools
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import tarfile
import tempfile
import unittest

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "build/image"
BINARIES = pathlib.Path(os.environ.get("RAPPORT_BINARIES", ROOT / "build/release/bin"))
MOST_BYTES = 60_000_000
PROGRAMS = ("rapport", "rapportctl")
SERVICES = {"scheduling": 1, "assessment": 2, "notes": 3}
STORY = "tools/rapportctl/story/stories/s1-role-dispute.textproto"
# As the chart's pods run: see tests/pods for the chart itself.
CONFINED = ("--read-only", "--read-only-tmpfs=false", "--cap-drop=all",
            "--security-opt=no-new-privileges", "--user=65532:65532")


def run(*words, check=True, **settings):
    ended = subprocess.run([str(word) for word in words], capture_output=True, text=True, cwd=ROOT,
                           timeout=settings.pop("timeout", 300), check=False, **settings)
    if check and ended.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, words))}\n{ended.stdout}\n{ended.stderr}")
    return ended


def make(out, *words, **environment):
    run("deploy/docker/image", "--bin", BINARIES, "--out", out, *words, env={**os.environ, **environment}, timeout=7200)
    lines = (pathlib.Path(out) / "image.txt").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


@functools.cache
def image():
    return make(OUT)


class ImageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.image = image()
        print(f"image {cls.image['name']} {cls.image['digest']}: "
              f"{int(cls.image['unpacked']) / 1e6:.1f} MB, {int(cls.image['packed']) / 1e6:.1f} MB packed")
        cls.name = cls.image["name"]
        cls.root = OUT / "assembled/image"

    def confined(self, *words, check=True):
        return run("podman", "run", "--rm", "--network=none", *CONFINED, self.name, *words, check=check)

    def files(self):
        return [path for path in self.root.rglob("*") if path.is_file() and not path.is_symlink()]

    def test_two_makings_give_the_same_digest(self):
        with tempfile.TemporaryDirectory(dir=ROOT / "build") as other:
            again = make(other, "--tag", "localhost/rapport:again")
            self.assertEqual(again["digest"], self.image["digest"])

    def test_it_is_small(self):
        self.assertLessEqual(int(self.image["unpacked"]), MOST_BYTES)

    def test_nothing_in_it_can_be_a_shell_or_raise_rights(self):
        programs = {path.relative_to(self.root).as_posix() for path in self.files()
                    if path.stat().st_mode & 0o111 and ".so" not in path.name}
        self.assertEqual(programs, {f"usr/bin/{program}" for program in PROGRAMS})
        for path in [*self.files(), *(path for path in self.root.rglob("*") if path.is_dir())]:
            mode = path.stat().st_mode
            self.assertFalse(mode & (stat.S_ISUID | stat.S_ISGID), path)
            if path != self.root / "tmp" and not path.is_symlink():
                self.assertFalse(mode & stat.S_IWOTH, path)
        for shell in ("/bin/sh", "/bin/bash", "sh"):
            self.assertNotEqual(self.confined(shell, "-c", "true", check=False).returncode, 0)

    def test_the_image_is_that_of_an_ordinary_user_and_says_what_it_is(self):
        inspected = json.loads(run("podman", "image", "inspect", self.name).stdout)[0]
        self.assertEqual(inspected["Config"]["User"], "65532:65532")
        labels = inspected["Config"]["Labels"]
        for label in ("title", "description", "licenses", "version", "revision"):
            self.assertTrue(labels[f"org.opencontainers.image.{label}"])
        self.assertRegex(labels["org.opencontainers.image.version"], r"^\d+\.\d+\.\d+$")

    def test_what_is_committed_is_what_was_assembled(self):
        container = run("podman", "create", "--network=none", self.name).stdout.strip()
        try:
            with tempfile.NamedTemporaryFile(dir=ROOT / "build") as exported:
                run("podman", "export", "--output", exported.name, container)
                with tarfile.open(exported.name) as tar:
                    held = {member.name.rstrip("/"): member for member in tar.getmembers()}
        finally:
            run("podman", "rm", container)
        wanted = {path.relative_to(self.root).as_posix(): path for path in self.root.rglob("*")}
        self.assertEqual(sorted(set(wanted) - set(held)), [])
        for name, path in wanted.items():
            if path.is_file() and not path.is_symlink():
                self.assertEqual(held[name].mode & 0o7777, path.stat().st_mode & 0o7777, name)
            if not path.is_symlink():
                self.assertEqual((held[name].uid, held[name].gid), (0, 0), name)
        home = held["var/lib/rapport"]
        self.assertEqual((home.uid, home.gid), (65532, 65532))

    def test_every_program_starts_where_nothing_is_allowed(self):
        for service in SERVICES:
            told = self.confined(f"rapport-{service}", "--helpshort", check=False)
            self.assertIn("Serves the", told.stdout + told.stderr)
            refused = self.confined(f"rapport-{service}", check=False)
            self.assertEqual(refused.returncode, 1)
            self.assertRegex(refused.stderr, rf"^rapport-{service}: --jwks_file is needed.*\n$")
        form = '{"instrument": "phq-9", "answers": [2,2,1,1,2,1,0,1,1]}\n'
        scored = run("podman", "run", "--rm", "--interactive", "--network=none", *CONFINED, self.name,
                     "rapportctl", "score", "--local", input=form)
        self.assertEqual(json.loads(scored.stdout)["total"], 11)

    def test_symbols_are_apart_and_found_by_build_id(self):
        for program in PROGRAMS:
            stripped = self.root / "usr/bin" / program
            sections = run("readelf", "--wide", "--sections", stripped).stdout
            self.assertNotIn(".symtab", sections)
            identity = re.search(r"Build ID: ([0-9a-f]+)", run("readelf", "-n", stripped).stdout)[1]
            symbols = (OUT / "assembled/debug/usr/lib/debug/.build-id" / identity[:2] /
                       f"{identity[2:]}.debug")
            self.assertIn(".symtab", run("readelf", "--wide", "--sections", symbols).stdout, program)
            self.assertEqual(
                re.search(r"Build ID: ([0-9a-f]+)", run("readelf", "-n", symbols).stdout)[1], identity)

    def test_scanners_find_the_package_of_every_library(self):
        status = self.root / "var/lib/dpkg/status.d"
        summed = {}
        for sums in status.glob("*.md5sums"):
            for line in sums.read_text().splitlines():
                summed[(self.root / line.split("  ", 1)[1]).resolve()] = sums.name
        libraries = [path for path in self.files() if ".so" in path.name]
        self.assertGreater(len(libraries), 30)
        for library in libraries:
            self.assertIn(library.resolve(), summed, f"no package in status.d has {library.name}")
        for package in (path for path in status.iterdir() if path.suffix != ".md5sums"):
            text = package.read_text()
            self.assertRegex(text, rf"(?m)^Package: {re.escape(package.name)}$")
            self.assertRegex(text, r"(?m)^Version: \S+$")
            self.assertTrue((self.root / "usr/share/doc" / package.name / "copyright").stat().st_size)
        self.assertIn("ID=debian", (self.root / "etc/os-release").read_text())

    def test_the_bill_of_materials_is_valid_and_complete(self):
        written = self.root / "usr/share/doc/rapport/sbom.spdx.json"
        with tempfile.TemporaryDirectory() as folder:
            document = parse_file(str(shutil.copy(written, pathlib.Path(folder) / "sbom.spdx.json")))
        self.assertEqual([m.validation_message for m in validate_full_spdx_document(document)], [])
        listed = {package.name: package.version for package in document.packages
                  if package.spdx_id.startswith("SPDXRef-Package-")}
        held = {}
        for package in (self.root / "var/lib/dpkg/status.d").iterdir():
            if package.suffix != ".md5sums":
                held[package.name] = re.search(r"(?m)^Version: (\S+)", package.read_text())[1]
        self.assertEqual(listed, held)
        self.assertEqual({file.name for file in document.files},
                         {f"./usr/bin/{program}" for program in PROGRAMS})
        built_with = {package.name for package in document.packages
                      if package.spdx_id.startswith("SPDXRef-Build-")}
        self.assertLessEqual({"g++", "libabsl-dev", "nlohmann-json3-dev"}, built_with)

    def test_zones_and_certificates_are_in_it(self):
        zones = self.root / "usr/share/zoneinfo"
        for zone in ("America/New_York", "Europe/Kyiv", "UTC", "tzdata.zi"):
            self.assertTrue((zones / zone).exists(), zone)
        self.assertFalse((zones / "right").exists())
        self.assertIn("BEGIN CERTIFICATE", (self.root / "etc/ssl/certs/ca-certificates.crt").read_text())

    @unittest.skipUnless(os.environ.get("RAPPORT_LONG") == "true", "builds everything twice: --long")
    def test_two_builds_from_the_source_give_the_same_digest(self):
        run("deploy/docker/base", "--for-build", timeout=3600)
        digests = set()
        for _ in range(2):
            with tempfile.TemporaryDirectory(dir=ROOT / "build") as out:
                built = make(out, "--full", "--fresh", "--tag", "localhost/rapport:full")
                digests.add(built["digest"])
                print(f"full build: {built}")
        self.assertEqual(len(digests), 1)


class SuiteTest(unittest.TestCase):
    """The three services as containers, on the host's loopback, embedded databases in one volume."""

    def test_a_course_of_therapy_plays_through_read_only_containers_that_drain_cleanly(self):
        name = image()["name"]
        with tempfile.TemporaryDirectory(prefix="rapport-image-") as folder:
            home = pathlib.Path(folder)
            run(BINARIES / "rapportctl", "keys", "generate", home / "keys")
            (home / "clock").write_text("2026-01-01T00:00:00Z\n")
            for made in ("data", "anchors"):
                (home / made).mkdir()
            run("chown", "--recursive", "65532:65532", home)
            ports = {service: 17400 + number for service, number in SERVICES.items()}
            targets = [f"--{service}_target=127.0.0.1:{port}" for service, port in ports.items()]
            try:
                for service, number in SERVICES.items():
                    run("podman", "run", "--detach", "--name", f"rapport-image-{service}",
                        "--network=host", *CONFINED, "--tmpfs=/tmp", f"--volume={home}:{home}", name,
                        f"rapport-{service}", f"--listen=127.0.0.1:{ports[service]}",
                        f"--health_listen=127.0.0.1:{17410 + number}",
                        f"--metrics_listen=127.0.0.1:{17420 + number}", f"--data_dir={home}/data",
                        f"--jwks_file={home}/keys/jwks.json", "--token_issuer=rapport-development",
                        f"--service_key_file={home}/keys/service-{service}.pem",
                        f"--integrity_key_file={home}/keys/integrity.key",
                        f"--audit_key_file={home}/keys/audit-{service}.pem",
                        f"--audit_jwks_file={home}/keys/audit-jwks.json",
                        f"--audit_anchor_dir={home}/anchors",
                        f"--key_encryption_key_dir={home}/keys/encryption-{service}",
                        f"--development_clock_file={home}/clock", "--drain_linger=0s", *targets)
                for service, number in SERVICES.items():
                    self.await_serving(service, 17410 + number)
                told = run("podman", "run", "--rm", "--network=host", *CONFINED,
                           f"--volume={home}:{home}", f"--volume={ROOT / STORY}:/story:ro", name,
                           "rapportctl", "story", "play", "/story", f"--keys_dir={home}/keys",
                           f"--clock_file={home}/clock", *targets)
                self.assertIn("PHQ-9", told.stdout)
                for service in SERVICES:
                    run("podman", "stop", "--time=30", f"rapport-image-{service}")
                    state = json.loads(run("podman", "inspect", f"rapport-image-{service}").stdout)[0]
                    self.assertEqual(state["State"]["ExitCode"], 0, service)
            finally:
                for service in SERVICES:
                    run("podman", "rm", "--force", "--ignore", "--time=1", f"rapport-image-{service}",
                        check=False)

    def await_serving(self, service, port):
        options = [("grpc.enable_http_proxy", 0)]
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
            states = health_pb2_grpc.HealthStub(channel).Watch(
                health_pb2.HealthCheckRequest(service=service), wait_for_ready=True, timeout=30)
            try:
                next(state for state in states
                     if state.status == health_pb2.HealthCheckResponse.SERVING)
            except (grpc.RpcError, StopIteration) as error:
                logs = run("podman", "logs", f"rapport-image-{service}", check=False)
                raise AssertionError(f"{service} is not ready: {logs.stdout}{logs.stderr}") from error
            states.cancel()


if __name__ == "__main__":
    unittest.main()
