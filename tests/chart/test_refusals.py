"""Wrong values are refused, each with a sentence that says what is right."""

import re
import unittest

from rendered import CHART, template

# (example, values beside it, what must be said)
SENTENCES = [
    ("small-clinic", {"services": {each: {"enabled": False} for each in ("scheduling", "assessment", "notes")}},
     "No service is enabled: set services.scheduling.enabled"),
    ("embedded", {"database": {"type": "postgres", "postgres": {"host": "db", "existingSecret": "db", "connectionLimit": 500}},
                  "migration": {"mode": "none"}}, "singlePod is for evaluation on SQLite: set database.type to sqlite"),
    ("embedded", {"services": {"notes": {"enabled": False, "target": "x:1"}}}, "singlePod runs all three services: enable each"),
    ("embedded", {"tls": {"enabled": True}}, "singlePod speaks no TLS"),
    ("embedded", {"defaults": {"replicas": 2}}, "scheduling: SQLite serves one pod: set replicas to 1 without autoscaling"),
    ("small-clinic", {"developmentKeys": True}, "developmentKeys are made on the volume of a single pod"),
    ("embedded", {"keys": {"existingSecret": "keys"}}, "developmentKeys replace all others"),
    ("small-clinic", {"tokens": {"issuers": []}}, "tokens.issuers is needed: who issues the users' tokens"),
    ("small-clinic", {"tokens": {"jwks": {"existingConfigMap": ""}}}, "tokens.jwks is needed: name the Secret or the ConfigMap"),
    ("small-clinic", {"tokens": {"jwks": {"existingSecret": "jwks"}}}, "tokens.jwks names a Secret and a ConfigMap: keep one"),
    ("small-clinic", {"keys": {"existingSecret": ""}},
     "keys.existingSecret is needed for notes: the Secret with integrity.key, audit-jwks.json, service-notes.pem and audit-notes.pem"),
    ("small-clinic", {"services": {"notes": {"keys": {"encryptionSecret": ""}}}}, "services.notes.keys.encryptionSecret is needed"),
    ("small-clinic", {"services": {"notes": {"enabled": False}}},
     "services.notes.enabled is false, and scheduling asks it: say in services.notes.target where it is"),
    ("small-clinic", {"defaults": {"drain": {"terminationGracePeriodSeconds": 30}}},
     "terminationGracePeriodSeconds 30 is too short: 5 s before SIGTERM, 3 s of lingering, 20 s of grace and 5 s to close make 33"),
    ("small-clinic", {"defaults": {"autoscaling": {"enabled": True, "external": True}}},
     "autoscaling.enabled and autoscaling.external are both true: one of them sets the number of pods"),
    ("small-clinic", {"defaults": {"replicas": 3, "autoscaling": {"enabled": True}}},
     "notes: replicas is 3 while autoscaling sets the number of pods: leave replicas empty"),
    ("argocd", {"services": {"notes": {"replicas": 3}}}, "notes: replicas is 3 while autoscaling sets the number of pods"),
    ("small-clinic", {"defaults": {"autoscaling": {"enabled": True, "minReplicas": 9}}},
     "autoscaling.minReplicas 9 is more than maxReplicas 6: raise maxReplicas"),
    ("small-clinic", {"defaults": {"autoscaling": {"enabled": True, "targetCPUUtilizationPercentage": 0}}},
     "autoscaling has nothing to go by: give targetCPUUtilizationPercentage or metrics"),
    ("small-clinic", {"defaults": {"autoscaling": {"enabled": True}, "resources": {"requests": {"cpu": None}}}},
     "autoscaling goes by a share of the CPU request, and there is none: give resources.requests.cpu"),
    ("small-clinic", {"database": {"type": "sqlite"}, "defaults": {"replicas": 2}},
     "notes: SQLite serves one pod: set replicas to 1 without autoscaling, or database.type to postgres"),
    ("small-clinic", {"database": {"type": "sqlite"}, "defaults": {"autoscaling": {"external": True}}}, "SQLite serves one pod"),
    ("small-clinic", {"audit": {"anchors": {"accessModes": ["ReadWriteOnce"]}}},
     "notes: several pods can't share an audit anchor of ReadWriteOnce: give audit.anchors.accessModes ReadWriteMany"),
    ("small-clinic", {"defaults": {"rollout": {"maxSurge": 0}}},
     "rollout.maxSurge and rollout.maxUnavailable are both 0, so that no rollout can move: set maxSurge to 1"),
    ("small-clinic", {"defaults": {"podDisruptionBudget": {"maxUnavailable": "0%"}}},
     "podDisruptionBudget.maxUnavailable 0 lets no node be drained: set it to 1"),
    ("small-clinic", {"services": {"notes": {"cacheBytes": 300000000}}},
     "notes: cacheBytes 300000000 is more than half of the memory limit 512Mi: lower it, or raise resources.limits.memory"),
    ("small-clinic", {"database": {"postgres": {"host": ""}}}, "database.postgres.host is needed: the PostgreSQL server"),
    ("small-clinic", {"database": {"postgres": {"existingSecret": ""}}},
     "database.postgres.existingSecret is needed: the Secret with app-password and feed-password"),
    ("small-clinic", {"database": {"postgres": {"sslRootCertSecret": ""}}},
     "sslMode verify-full checks the server's certificate: name the Secret with its ca.crt"),
    ("small-clinic", {"database": {"postgres": {"allowUnsafeDurability": True, "requireSynchronousStandby": True}}},
     "allowUnsafeDurability and requireSynchronousStandby contradict each other"),
    ("small-clinic", {"database": {"postgres": {"allowUnsafeDurability": True, "readHosts": "standby"}}},
     "database.postgres.readHosts relies on a primary that keeps what it has confirmed"),
    ("small-clinic", {"database": {"postgres": {"pooler": "transaction"}}},
     "migrations can't pass PgBouncer in transaction mode: give the server itself in migration.host and migration.port"),
    ("small-clinic", {"database": {"postgres": {"connectionLimit": None}}},
     "notes: database.postgres.connectionLimit is needed: how many connections the server has for this suite"),
    ("small-clinic", {"defaults": {"replicas": 6}},
     "The services may open 267 connections to postgres.databases.svc.cluster.local:5432, which has 140: "
     "scheduling (6 pods + 1 of surge + 1 that drain) × 11 + 1 to migrate"),
    ("small-clinic", {"tls": {"enabled": True, "existingSecrets": {"notes": "notes-tls"}}},
     "tls.enabled wants a certificate for scheduling: name the Secret with tls.crt, tls.key and ca.crt in "
     "tls.existingSecrets.scheduling, or set tls.certManager.enabled"),
    ("mtls-cert-manager", {"tls": {"clientAuth": "none"}},
     "allowedClients are known by their certificates: set tls.enabled to true and tls.clientAuth to require"),
    ("gateway-api", {"gatewayApi": {"hostnames": []}},
     "gatewayApi.enabled wants to know where notes answers: give gatewayApi.hostnames or services.notes.route.hostnames"),
    ("small-clinic", {"migration": {"existingSecret": ""}},
     "migration.mode hook needs the schema's owner: name the Secret with owner-password in migration.existingSecret"),
    ("small-clinic", {"audit": {"anchors": {"type": "existingClaim"}}}, "audit.anchors.type existingClaim needs its name"),
    ("small-clinic", {"audit": {"anchors": {"type": "csi"}}}, "audit.anchors.type csi needs audit.anchors.csi.driver"),
    ("small-clinic", {"audit": {"anchors": {"type": "dataVolume"}}},
     "dataVolume keeps the heads beside the data that they vouch for: it is for singlePod"),
    ("small-clinic", {"database": {"persistence": {"existingClaim": "data"}}},
     "database.persistence.existingClaim holds the data of a single pod: leave it empty"),
    ("small-clinic", {"redis": {"existingSecret": "redis"}},
     "redis.existingSecret is given without a Redis: give redis.nodes"),
    ("mtls-cert-manager", {"tls": {"certManager": {"issuerRef": {"name": ""}}}},
     "tls.certManager.issuerRef.name is needed: the Issuer that signs"),
    ("small-clinic", {"tls": {"certManager": {"enabled": True}}},
     "tls.certManager.enabled makes certificates that nothing uses: set tls.enabled to true"),
    ("gateway-api", {"gatewayApi": {"parentRefs": []}}, "gatewayApi.parentRefs is needed: the Gateways"),
    ("gateway-api", {"gatewayApi": {"backendTLSPolicy": {"enabled": False}}},
     "The gateway would speak plaintext to services that serve TLS: set gatewayApi.backendTLSPolicy.enabled"),
    ("gateway-api", {"networkPolicy": {"clients": []}},
     "The gateway's calls would stop at the NetworkPolicy: list its pods in networkPolicy.clients"),
    ("small-clinic", {"gatewayApi": {"backendTLSPolicy": {"enabled": True, "caConfigMap": "ca"}}},
     "gatewayApi.backendTLSPolicy.enabled needs services that serve TLS: set tls.enabled to true"),
    ("gateway-api", {"gatewayApi": {"backendTLSPolicy": {"caConfigMap": ""}}},
     "gatewayApi.backendTLSPolicy.caConfigMap is needed: the ConfigMap with the CA"),
    ("small-clinic", {"image": {"tag": "latest"}}, "image.tag latest can't be rolled back to: give a version or a digest"),
]  # fmt: skip

# (values beside small-clinic, where the schema finds the fault, what it says)
UNFIT = [
    ({"replicas": 3}, "", "replicas"),
    ({"defaults": {"replica": 3}}, "/defaults", "replica"),
    ({"services": {"billing": {"enabled": True}}}, "/services", "billing"),
    ({"services": {"notes": {"tls": {}}}}, "/services/notes", "tls"),
    ({"defaults": {"replicas": "three"}}, "/defaults/replicas", "string"),
    ({"defaults": {"replicas": 0}}, "/defaults/replicas", "minimum"),
    ({"database": {"type": "mysql"}}, "/database/type", "sqlite"),
    ({"database": {"postgres": {"port": 70000}}}, "/database/postgres/port", "maximum"),
    ({"database": {"postgres": {"pooler": "session"}}}, "/database/postgres/pooler", "transaction"),
    ({"migration": {"mode": "post-install"}}, "/migration/mode", "initContainer"),
    ({"tls": {"clientAuth": "yes"}}, "/tls/clientAuth", "require"),
    ({"image": {"digest": "sha256:abc"}}, "/image/digest", "pattern"),
    ({"redis": {"nodes": ["redis"]}}, "/redis/nodes", "pattern"),
    ({"tracing": {"sampleRatio": 2}}, "/tracing/sampleRatio", "maximum"),
    ({"tokens": {"audiences": []}}, "/tokens/audiences", "minItems"),
    ({"tokens": {"issuers": ["a,b"]}}, "/tokens/issuers", "pattern"),
    ({"defaults": {"topologySpread": {"zone": "always"}}}, "/defaults/topologySpread/zone", "DoNotSchedule"),
    ({"monitoring": {"serviceMonitor": {"enabled": "yes"}}}, "/monitoring/serviceMonitor/enabled", "auto"),
    ({"networkPolicy": {"enabled": "true"}}, "/networkPolicy/enabled", "boolean"),
    ({"audit": {"anchors": {"type": "emptyDir"}}}, "/audit/anchors/type", "existingClaim"),
]


class Refusals(unittest.TestCase):
    said = ""

    @classmethod
    def setUpClass(cls):
        cls.messages = []
        for example, values, _ in SENTENCES:
            done = template(example, values)
            cls.messages.append((done.returncode, done.stderr, done.stdout))

    def test_values_that_do_not_go_together_are_refused_with_what_is_right(self):
        for (example, values, sentence), (code, error, output) in zip(SENTENCES, self.messages, strict=True):
            with self.subTest(values):
                self.assertNotEqual(code, 0)
                self.assertEqual(output, "")
                self.assertIn(sentence, error)

    def test_nothing_else_is_said_to_be_wrong_with_one_fault(self):
        for (example, values, sentence), (_, error, _) in zip(SENTENCES, self.messages, strict=True):
            faults = {re.sub(r"\b(scheduling|assessment|notes)\b", "SERVICE", line) for line in re.findall(r"^  \* (.*)", error, re.M)}
            with self.subTest(sentence):
                self.assertLessEqual(len(faults), 3, faults)

    def test_every_sentence_of_the_chart_is_tested(self):
        text = (CHART / "templates/_checks.tpl").read_text()
        sentences = re.findall(r'append \$faults (?:\(printf )?"([^"]+)"', text)
        self.assertEqual(len(sentences), text.count("append $faults"))
        said = "\n".join(error for _, error, _ in self.messages)
        for sentence in sentences:
            pattern = ".*".join(re.escape(part) for part in re.split(r"%[sd]", sentence))
            with self.subTest(sentence):
                self.assertRegex(said, pattern)

    def test_several_faults_are_told_at_once(self):
        error = template("small-clinic", {"image": {"tag": "latest"}, "tokens": {"issuers": []}}).stderr
        self.assertIn("image.tag latest", error)
        self.assertIn("tokens.issuers is needed", error)


class Schema(unittest.TestCase):
    def test_values_that_the_schema_does_not_know_are_refused_by_their_place(self):
        for values, place, word in UNFIT:
            with self.subTest(values):
                done = template("small-clinic", values)
                self.assertNotEqual(done.returncode, 0)
                error = done.stderr.replace(".", "/")
                self.assertIn(place.lstrip("/"), error)
                self.assertIn(word, done.stderr)


if __name__ == "__main__":
    unittest.main()
