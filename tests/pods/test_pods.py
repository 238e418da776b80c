"""The chart's pods for real: install, drain, node loss, upgrade, rollback, new secrets."""
import functools
import os
import pathlib
import shutil
import tempfile
import unittest

import yaml

from cluster import GATEWAY, NAMESPACE, Cluster, run, until
from stores import SERVICES, Postgres, Redis
from traffic import Traffic, clinics

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARIES = pathlib.Path(os.environ["RAPPORT_BINARIES"])
LONG = os.environ.get("RAPPORT_LONG") == "true"
STORY = ROOT / "tools/rapportctl/story/stories/s1-role-dispute.textproto"
CALLS = 600 if LONG else 60  # that a phase waits for
CLOCK = "/var/lib/rapport-clock"


@functools.cache
def image(tag, binaries):
    run("deploy/docker/image", "--bin", binaries, "--out", ROOT / f"build/pods/{tag}",
        "--tag", f"localhost/rapport:{tag}", cwd=ROOT, timeout=600)
    return f"localhost/rapport:{tag}"


def render(values, *files):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as own:
        yaml.safe_dump(values, own)
        own.flush()
        rendered = run(os.environ["RAPPORT_HELM"], "template", "rapport", "deploy/helm/rapport",
                       "--namespace", NAMESPACE, "--kube-version", "1.34", "--set", "image.registry=localhost",
                       *(f"--values={path}" for path in (*files, own.name)), cwd=ROOT)
    return [item for item in yaml.safe_load_all(rendered.stdout) if item]


def ctl(*words, timeout=300):
    return run(BINARIES / "rapportctl", *words, timeout=timeout).stdout.strip()


def clock_settings():
    """The story's clock is a file; the chart has extra volumes for such things."""
    return {
        "extraEnv": [{"name": "RAPPORT_DEVELOPMENT_CLOCK_FILE", "value": f"{CLOCK}/now"}],
        "extraVolumes": [{"name": "clock", "persistentVolumeClaim": {"claimName": "clock"}}],
        "extraVolumeMounts": [{"name": "clock", "mountPath": CLOCK, "readOnly": True}],
    }


def play(cluster, keys, targets):
    return ctl("story", "play", STORY, f"--keys_dir={keys}",
               f"--clock_file={cluster.claim('clock')}/now", *targets)


class PodsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = pathlib.Path(tempfile.mkdtemp(prefix="rapport-pods-"))
        cls.home.chmod(0o755)
        cls.addClassCleanup(shutil.rmtree, cls.home)
        cls.now = image("now", BINARIES)
        cls.cluster = Cluster(cls.home)
        cls.addClassCleanup(cls.cluster.close)
        (cls.cluster.claim("clock") / "now").write_text("2026-01-01T00:00:00Z\n")

    def confined(self, pod):
        """What the chart asks of the containers is what podman runs."""
        for container in pod.inspect():
            self.assertEqual(container["Config"]["User"], "65532:65532", pod.name)
            self.assertTrue(container["HostConfig"]["ReadonlyRootfs"], pod.name)
            self.assertFalse(container["EffectiveCaps"], pod.name)
            self.assertFalse(container["BoundingCaps"], pod.name)
            self.assertIn("no-new-privileges", str(container["HostConfig"]["SecurityOpt"]), pod.name)


class EmbeddedTest(PodsTest):
    def test_one_pod_on_sqlite_plays_a_course_drains_and_keeps_what_it_knew(self):
        self.cluster.apply(render({"image": {"tag": "now"}, "defaults": clock_settings()},
                                  "deploy/helm/rapport/examples/embedded.yaml"))
        (deployment,) = self.cluster.of_kind("Deployment")
        pod = self.cluster.start(deployment)
        self.cluster.admit(pod)
        self.confined(pod)
        keys = self.cluster.claim("rapport-data") / "keys"
        targets = [f"--{service}_target={self.cluster.addresses(f'rapport-{service}')[0]}"
                   for service in SERVICES]
        self.assertIn("PHQ-9", play(self.cluster, keys, targets))
        self.cluster.stop(pod)

        again = self.cluster.start(deployment)
        self.cluster.admit(again)
        targets = [f"--{service}_target={self.cluster.addresses(f'rapport-{service}')[0]}"
                   for service in SERVICES]
        organization = STORY.stem
        known = ctl("clinic", "list", f"--organization={organization}", f"--keys_dir={keys}",
                    "--roles=organization_admin", "--output=json", *targets)
        self.assertIn(f"organizations/{organization}/clinics/", known)
        self.cluster.stop(again)


class PostgresTest(PodsTest):
    """One release from its installation on; the tests go on from each other, in order."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.postgres = Postgres()
        cls.addClassCleanup(cls.postgres.close)
        cls.redis = Redis()
        cls.addClassCleanup(cls.redis.close)
        cls.keys = cls.home / "keys"
        ctl("keys", "generate", cls.keys)
        cls.acknowledged = []
        cls.make_secrets()
        cls.objects = cls.rendered("now")
        cls.cluster.apply(cls.objects)
        cls.deployments = {name: cls.cluster.objects[("Deployment", f"rapport-{name}")]
                           for name in SERVICES}
        cls.names = {
            service: f"dns://{GATEWAY}:53/rapport-{service}-headless.{NAMESPACE}.svc.cluster.local:"
                     f"{7401 + SERVICES.index(service)}"
            for service in SERVICES}

    @classmethod
    def rendered(cls, tag):
        postgres = {"host": "postgres.stores.svc.cluster.local", "port": cls.postgres.port,
                    "existingSecret": "rapport-database", "connections": 4, "connectionLimit": 180,
                    "sslMode": "disable"}
        return render({
            "image": {"tag": tag},
            "database": {"postgres": postgres},
            "migration": {"mode": "job", "existingSecret": "rapport-database-owner"},
            "keys": {"existingSecret": "rapport-keys"},
            "services": {service: {"keys": {"encryptionSecret": f"rapport-encryption-{service}"}}
                         for service in ("assessment", "notes")},
            "tokens": {"issuers": ["rapport-development"],
                       "jwks": {"existingSecret": "rapport-jwks"}},
            "redis": {"nodes": [f"redis.stores.svc.cluster.local:{cls.redis.port}"],
                      "existingSecret": "rapport-redis"},
            "defaults": {"drain": {"preStopSeconds": 1, "lingerSeconds": 1, "graceSeconds": 10},
                         **clock_settings()},
        })

    @classmethod
    def make_secrets(cls):
        files = {path.name: path.read_bytes() for path in cls.keys.iterdir() if path.is_file()}
        secret = cls.cluster.secret
        secret("rapport-jwks", **{"jwks.json": files.pop("jwks.json")})
        files.pop("user.pem")
        secret("rapport-keys", **files)
        for service in ("assessment", "notes"):
            secret(f"rapport-encryption-{service}", **{
                path.name: path.read_bytes()
                for path in (cls.keys / f"encryption-{service}").iterdir()})
        secret("rapport-database-owner",
               **{"owner-password": cls.postgres.passwords["rapport_owner"]})
        secret("rapport-redis", password=cls.redis.password)
        cls.database_secret()

    @classmethod
    def database_secret(cls):
        cls.cluster.secret("rapport-database",
                           **{"app-password": cls.postgres.passwords["rapport_app"],
                              "feed-password": cls.postgres.passwords["rapport_feed"]})

    # Steps

    def migrate(self, objects):
        for job in (item for item in objects if item["kind"] == "Job"):
            self.cluster.run_job(job)

    def start(self, service, image=None):
        pod = self.cluster.start(self.deployments[service], image)
        self.cluster.admit(pod)
        return pod

    def roll(self, services=SERVICES, image=None):
        """A rolling update with maxSurge 1: the new pod is ready before an old one is asked to end."""
        for service in services:
            for old in self.cluster.pods_of(self.deployments[service]):
                self.start(service, image)
                self.cluster.stop(old)

    def targets(self):
        return [f"--{service}_target=ipv4:" +
                ",".join(self.cluster.addresses(f"rapport-{service}-headless")) for service in SERVICES]

    def token(self, role):
        return ctl("token", f"--keys_dir={self.keys}", "--organization=riverside", f"--roles={role}",
                   "--subject=pods")

    def traffic(self):
        return Traffic(self.names, "organizations/riverside", self.token)

    def hold_to(self, traffic, what):
        """Nothing failed, nothing that was acknowledged is lost, nothing is there twice."""
        print(f"{what}: {traffic.report()}", flush=True)
        self.assertEqual(traffic.failed[:3], [], f"{len(traffic.failed)} calls failed")
        self.assertGreater(len(traffic.acknowledged), 0)
        self.acknowledged.extend(traffic.acknowledged)
        there = clinics(self.names["scheduling"], "organizations/riverside",
                        self.token("organization_admin"))
        self.assertEqual(len(there), len(set(there)))
        self.assertEqual(sorted(set(self.acknowledged) - set(there)), [])

    def versions(self):
        return self.postgres.execute("SELECT version FROM schema_version WHERE component = 'scheduling'",
                                     "rapport_scheduling")

    # In order

    def test_1_pods_wait_alive_for_the_migration_and_then_serve(self):
        early = self.cluster.start(self.deployments["scheduling"])
        until(early.is_alive, lambda: f"alive without a schema: {early.logs()}")
        self.assertFalse(early.is_ready())
        self.confined(early)
        self.migrate(self.objects)
        self.cluster.admit(early)
        self.migrate(self.objects)  # once more changes nothing
        self.start("scheduling")
        for service in ("assessment", "notes"):
            self.start(service)
            self.start(service)
        ctl("organization", "bootstrap", "riverside", "Riverside", f"--keys_dir={self.keys}",
            *self.targets())
        with self.traffic() as traffic:
            traffic.await_calls(CALLS)
        self.hold_to(traffic, "two replicas of each service")

    @unittest.skipUnless(LONG, "the course is played on the single pod, and here with --long")
    def test_2_a_course_plays_through_the_replicas(self):
        self.assertIn("PHQ-9", play(self.cluster, self.keys, self.targets()))

    def test_3_a_rolling_restart_fails_no_call(self):
        with self.traffic() as traffic:
            traffic.await_calls(CALLS)
            self.roll()
            traffic.await_calls(CALLS)
        self.hold_to(traffic, "rolling restart of six pods")

    def test_4_the_loss_of_a_node_loses_nothing_that_was_acknowledged(self):
        with self.traffic() as traffic:
            traffic.await_calls(CALLS)
            lost = [self.cluster.pods_of(self.deployments[service])[0] for service in SERVICES]
            for pod in lost:
                self.cluster.kill(pod)
            traffic.await_calls(CALLS)
            for service, pod in zip(SERVICES, lost):
                self.cluster.forget(pod)
                self.start(service)
            traffic.await_calls(CALLS)
        self.hold_to(traffic, "a pod of each service killed")

    def test_5_an_upgrade_with_a_migration_and_its_rollback_fail_no_call(self):
        before = self.versions()
        folder = ROOT / "build/pods/next-release"
        run("tests/pods/next", folder, cwd=ROOT, timeout=600)
        image("next", folder)
        upgraded = self.rendered("next")
        with self.traffic() as traffic:
            traffic.await_calls(CALLS)
            early = self.cluster.start(self.deployments["scheduling"], "localhost/rapport:next")
            until(early.is_alive, lambda: f"alive before its schema: {early.logs()}")
            self.assertFalse(early.is_ready(), "a pod of the next release waits for its schema")
            self.migrate(upgraded)
            self.cluster.admit(early)
            self.assertEqual(int(self.versions()), int(before) + 1)
            traffic.await_calls(CALLS)  # both releases on the new schema
            services = SERVICES if LONG else ("scheduling",)
            self.roll(services, "localhost/rapport:next")
            self.cluster.stop(self.cluster.pods_of(self.deployments["scheduling"])[0])
            traffic.await_calls(CALLS)
            self.roll(services, "localhost/rapport:now")
            traffic.await_calls(CALLS)
        self.hold_to(traffic, "upgrade and rollback")

    def test_6_new_passwords_are_taken_without_a_restart(self):
        with self.traffic() as traffic:
            traffic.await_calls(CALLS)
            for role in ("rapport_app", "rapport_feed"):
                self.postgres.rotate(role)
            self.database_secret()
            self.cluster.apply([])
            self.assertGreater(self.postgres.hang_up(), 0)
            traffic.await_calls(2 * CALLS)
        self.hold_to(traffic, "database passwords changed, connections cut")
        for service in SERVICES:
            for pod in self.cluster.pods_of(self.deployments[service]):
                pod.await_ready()

    def test_7_the_audit_log_covers_all_of_it(self):
        for service in SERVICES:
            print(ctl("audit", "verify", "--organization=riverside", f"--audit_service={service}",
                      f"--audit_anchor_dir={self.cluster.claim(f'rapport-{service}-anchors')}",
                      f"--audit_jwks_file={self.keys}/audit-jwks.json", f"--keys_dir={self.keys}",
                      *self.targets()), flush=True)


if __name__ == "__main__":
    unittest.main()
