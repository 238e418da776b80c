"""What is rendered, for every example and release of Kubernetes."""

import itertools
import json
import re
import subprocess
import tempfile
import unittest

from rendered import CHART, EXAMPLES, SERVICES, TOOLS, VERSIONS, files, helm, parse, render, template

MONITORING = ("monitoring.coreos.com/v1",)
MODES = ("hook", "job", "argocd", "initContainer", "none")

# Settings beside the examples' that render what they leave out.
VARIANTS = {
    **{f"migrations by {mode}": {"migration": {"mode": mode}} for mode in MODES},
    "dual stack": {"listenAddress": "[::]", "defaults": {"service": {"ipFamilyPolicy": "PreferDualStack"}}},
    "SQLite": {"database": {"type": "sqlite"}, "audit": {"anchors": {"accessModes": ["ReadWriteOnce"]}}},
    "everything extra": {
        "commonLabels": {"team": "ipt"},
        "commonAnnotations": {"owner": "ops"},
        "image": {"digest": "sha256:" + "0" * 64, "pullSecrets": ["registry"]},
        "defaults": {
            "podLabels": {"sidecar": "no"},
            "podAnnotations": {"note": "x"},
            "nodeSelector": {"pool": "clinical"},
            "tolerations": [{"key": "clinical", "operator": "Exists"}],
            "affinity": {"nodeAffinity": {}},
            "runtimeClassName": "gvisor",
            "extraEnv": [{"name": "GRPC_XDS_BOOTSTRAP", "value": "/etc/xds/bootstrap.json"}],
            "extraEnvFrom": [{"configMapRef": {"name": "more"}}],
            "extraVolumes": [{"name": "xds", "configMap": {"name": "xds"}}],
            "extraVolumeMounts": [{"name": "xds", "mountPath": "/etc/xds"}],
            "topologySpread": {"zone": "none", "node": "none"},
        },
        "migration": {"waitInitContainer": True, "activeDeadlineSeconds": 7200},
        "redis": {"nodes": ["redis:6379"], "existingSecret": "redis"},
        "tracing": {"otlpTarget": "collector:4317"},
        "rotation": {"secretRolloutToken": "2", "reloader": True},
        "audit": {"anchors": {"type": "existingClaim", "existingClaim": "anchors"}},
        "networkPolicy": {
            "extraEgress": [{"ports": [{"port": 443}]}],
            "monitoring": [{"podSelector": {}}],
            "stores": [{"ipBlock": {"cidr": "10.0.0.0/8"}}],
        },
        "extraObjects": ["apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}-more'}"],
    },
    "a service of another release": {
        "services": {"notes": {"enabled": False, "target": "dns:///notes.other.svc:7403"}}
    },
}
CASES = {name: (name, None) for name in EXAMPLES} | {
    name: ("small-clinic", values) for name, values in VARIANTS.items()
}


class Lint(unittest.TestCase):
    def test_helm_finds_nothing_to_warn_of(self):
        for example in EXAMPLES:
            with self.subTest(example):
                done = helm("lint", "--strict", "--quiet", "--kube-version", VERSIONS[-1], CHART, *files(example))
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Schemas(unittest.TestCase):
    def test_every_object_is_what_the_release_of_kubernetes_takes(self):
        for version in VERSIONS:
            texts = {}
            for name, (example, values) in CASES.items():
                done = template(example, values, version=version, apis=MONITORING)
                self.assertEqual(done.returncode, 0, f"{name}: {done.stderr}")
                texts[name] = done.stdout
            with self.subTest(version), tempfile.TemporaryDirectory() as folder:
                for name, text in texts.items():
                    with open(f"{folder}/{name}.yaml", "w") as file:
                        file.write(text)
                self.conform(version, folder, sum(len(parse(text)) for text in texts.values()))

    def test_an_unknown_field_and_a_wrong_type_do_not_pass(self):
        for wrong in ({"replica": 1}, {"replicas": "two"}):
            deployment = {"selector": {"matchLabels": {}}, "template": {"spec": {"containers": [{"name": "x"}]}}} | wrong
            document = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}, "spec": deployment}
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                file.write(json.dumps(document))
                file.flush()
                self.assertIn("Invalid: 1", self.kubeconform(VERSIONS[-1], file.name).stdout)

    def conform(self, version, folder, count):
        done = self.kubeconform(version, folder)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, rf"Valid: {count}, Invalid: 0, Errors: 0, Skipped: 0")

    def kubeconform(self, version, path):
        return subprocess.run(
            [TOOLS / "bin/kubeconform", "-strict", "-summary", *(
                word for folder in (f"v{version}", "crds")
                for word in ("-schema-location", f"{TOOLS}/schemas/{folder}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json")
            ), path],
            capture_output=True, text=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip


class EveryObject(unittest.TestCase):
    """What holds of every case."""

    @classmethod
    def setUpClass(cls):
        cls.cases = {
            name: render(example, values, apis=MONITORING) for name, (example, values) in CASES.items()
        }

    def each(self):
        for self.at, objects in self.cases.items():
            yield objects

    def each_pod(self):
        for name, objects in self.cases.items():
            for who, spec in objects.pods():
                self.at = f"{name}, {who}"
                yield objects, who, spec

    def _formatMessage(self, message, standard):
        return f"{self.at}: {super()._formatMessage(message, standard)}"

    def test_no_two_have_a_name(self):
        for objects in self.each():
            names = [(each["apiVersion"], each["kind"], each["metadata"]["name"]) for each in objects]
            self.assertEqual(len(names), len(set(names)), names)

    def test_pods_keep_to_the_restricted_standard(self):
        allowed = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
        for _, _, spec in self.each_pod():
            for field in ("hostNetwork", "hostPID", "hostIPC"):
                self.assertNotIn(field, spec)
            pod = spec["securityContext"]
            self.assertTrue(pod["runAsNonRoot"])
            self.assertEqual(pod["runAsUser"], 65532)
            self.assertEqual(pod["seccompProfile"], {"type": "RuntimeDefault"})
            for volume in spec.get("volumes", []):
                self.assertTrue(set(volume) - {"name"} <= allowed, volume)
            for container in spec["containers"] + spec.get("initContainers", []):
                context = container["securityContext"]
                self.assertIs(context["allowPrivilegeEscalation"], False)
                self.assertIs(context["readOnlyRootFilesystem"], True)
                self.assertEqual(context["capabilities"], {"drop": ["ALL"]})
                for port in container.get("ports", []):
                    self.assertNotIn("hostPort", port)

    def test_pods_get_no_token_and_no_variables_of_services(self):
        for _, _, spec in self.each_pod():
            self.assertIs(spec["automountServiceAccountToken"], False)
            self.assertIs(spec["enableServiceLinks"], False)

    def test_every_container_says_what_it_needs(self):
        for _, _, spec in self.each_pod():
            for container in spec["containers"] + spec.get("initContainers", []):
                self.assertTrue(container["resources"]["requests"]["cpu"])
                self.assertTrue(container["resources"]["limits"]["memory"])

    def test_what_pods_name_is_rendered_or_the_operators(self):
        for objects, _, spec in self.each_pod():
            accounts = {each["metadata"]["name"] for each in objects.kind("ServiceAccount")} | {"default"}
            self.assertIn(spec["serviceAccountName"], accounts)
            claims = {each["metadata"]["name"] for each in objects.kind("PersistentVolumeClaim")} | {"anchors"}
            volumes = {volume["name"] for volume in spec.get("volumes", [])}
            self.assertEqual(len(volumes), len(spec.get("volumes", [])))
            for volume in spec.get("volumes", []):
                if "persistentVolumeClaim" in volume:
                    self.assertIn(volume["persistentVolumeClaim"]["claimName"], claims)
            for container in spec["containers"] + spec.get("initContainers", []):
                mounts = container.get("volumeMounts", [])
                self.assertLessEqual({mount["name"] for mount in mounts}, volumes)
                paths = [mount["mountPath"] for mount in mounts]
                self.assertEqual(len(paths), len(set(paths)))
                for source in container.get("envFrom", []):
                    if source["configMapRef"]["name"] != "more":
                        objects.get("ConfigMap", source["configMapRef"]["name"])

    def test_every_volume_is_mounted(self):
        for _, _, spec in self.each_pod():
            mounted = {
                mount["name"]
                for container in spec["containers"] + spec.get("initContainers", [])
                for mount in container.get("volumeMounts", [])
            }
            self.assertEqual({volume["name"] for volume in spec.get("volumes", [])}, mounted)

    def test_secrets_are_directories_so_that_a_new_one_arrives(self):
        for _, _, spec in self.each_pod():
            for container in spec["containers"]:
                for mount in container.get("volumeMounts", []):
                    self.assertNotIn("subPath", mount)

    def test_no_secret_is_in_a_variable_or_an_object(self):
        for objects in self.each():
            self.assertEqual(objects.kind("Secret"), [])
            for _, spec in objects.pods():
                for container in spec["containers"]:
                    for variable in container.get("env", []):
                        self.assertNotIn("secretKeyRef", str(variable))

    def test_what_pods_read_of_files_is_mounted_there(self):
        for objects in self.each():
            for each in objects.kind("Deployment"):
                for container in each["spec"]["template"]["spec"]["containers"]:
                    mounts = [mount["mountPath"] for mount in container["volumeMounts"]]
                    flags = objects.get("ConfigMap", container["envFrom"][0]["configMapRef"]["name"])["data"]
                    for name, path in flags.items():
                        if name.endswith(("_FILE", "_DIR")):
                            self.assertTrue(any(path.startswith(mount) for mount in mounts), f"{name}={path}")

    def test_selectors_find_the_pods_and_only_them(self):
        for objects in self.each():
            pods = {
                each["metadata"]["name"]: each["spec"]["template"]["metadata"]["labels"]
                for each in objects.kind("Deployment") + objects.kind("Job")
            }
            for each in objects.kind("Deployment"):
                selector = each["spec"]["selector"]["matchLabels"]
                found = [name for name, labels in pods.items() if selector.items() <= labels.items()]
                self.assertEqual(found, [each["metadata"]["name"]])
                for constraint in each["spec"]["template"]["spec"].get("topologySpreadConstraints", []):
                    self.assertEqual(constraint["labelSelector"]["matchLabels"], selector)
            for each in objects.kind("Service") + objects.kind("PodDisruptionBudget") + objects.kind("NetworkPolicy"):
                selector = each["spec"].get("selector") or each["spec"]["podSelector"]
                selector = selector.get("matchLabels", selector)
                found = [name for name, labels in pods.items() if selector.items() <= labels.items()]
                self.assertTrue(found, each["metadata"]["name"])

    def test_the_health_port_is_probed_and_in_no_service(self):
        for objects in self.each():
            for each in objects.kind("Service"):
                for port in each["spec"]["ports"]:
                    self.assertNotIn(port["port"], (7411, 7412, 7413))
                    self.assertNotIn(port["targetPort"], (7411, 7412, 7413))
            for each in objects.kind("Deployment"):
                for container in each["spec"]["template"]["spec"]["containers"]:
                    flags = objects.get("ConfigMap", container["envFrom"][0]["configMapRef"]["name"])["data"]
                    health = int(flags["RAPPORT_HEALTH_LISTEN"].rsplit(":", 1)[1])
                    for probe, name in (("startup", ""), ("liveness", ""), ("readiness", container["name"])):
                        self.assertEqual(container[f"{probe}Probe"]["grpc"], {"port": health, "service": name})

    def test_ports_of_services_are_those_that_the_flags_open(self):
        for objects in self.each():
            for each in objects.kind("Service"):
                service = each["metadata"]["labels"]["app.kubernetes.io/component"]
                flags = objects.flags(service)
                opened = {"grpc": flags["RAPPORT_LISTEN"], "metrics": flags["RAPPORT_METRICS_LISTEN"]}
                for port in each["spec"]["ports"]:
                    self.assertEqual(opened[port["name"]].rsplit(":", 1)[1], str(port["targetPort"]))

    def test_pods_have_the_time_to_drain(self):
        for objects in self.each():
            for each in objects.kind("Deployment"):
                spec = each["spec"]["template"]["spec"]
                for container in spec["containers"]:
                    flags = objects.get("ConfigMap", container["envFrom"][0]["configMapRef"]["name"])["data"]
                    needed = container["lifecycle"]["preStop"]["sleep"]["seconds"] + 5
                    for flag in ("RAPPORT_DRAIN_LINGER", "RAPPORT_DRAIN_GRACE"):
                        needed += int(re.fullmatch(r"(\d+)s", flags[flag])[1])
                    self.assertGreaterEqual(spec["terminationGracePeriodSeconds"], needed)

    def test_addresses_that_are_not_ready_are_published_nowhere(self):
        for objects in self.each():
            for each in objects.kind("Service"):
                self.assertNotIn("publishNotReadyAddresses", each["spec"])

    def test_every_policy_lets_names_be_looked_up(self):
        for objects in self.each():
            policies = objects.kind("NetworkPolicy")
            self.assertTrue(policies)
            for policy in policies:
                dns = {"ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}
                self.assertIn(dns, policy["spec"]["egress"])

    def test_objects_are_in_the_releases_namespace_with_its_labels(self):
        for objects in self.each():
            for each in objects:
                labels = each["metadata"].get("labels", {})
                if labels.get("app.kubernetes.io/part-of") == "rapport":
                    self.assertEqual(each["metadata"]["namespace"], "clinic")
                    self.assertEqual(labels["app.kubernetes.io/instance"], "rapport")

    def test_rendering_twice_gives_the_same(self):
        for example in EXAMPLES:
            self.assertEqual(template(example).stdout, template(example).stdout)


class Scaling(unittest.TestCase):
    def test_replicas_are_left_to_what_scales(self):
        self.assertEqual(render().deployment("notes")["spec"]["replicas"], 2)
        for example in ("large-network", "argocd"):
            for service in SERVICES:
                self.assertNotIn("replicas", render(example).deployment(service)["spec"])

    def test_only_autoscaling_of_ours_makes_an_autoscaler(self):
        self.assertEqual(render("argocd").kind("HorizontalPodAutoscaler"), [])
        objects = render("large-network")
        self.assertEqual(objects.get("HorizontalPodAutoscaler", "rapport-notes")["spec"]["maxReplicas"], 8)
        self.assertEqual(objects.get("HorizontalPodAutoscaler", "rapport-scheduling")["spec"]["maxReplicas"], 12)

    def test_what_can_not_share_its_volume_is_recreated(self):
        objects = render(values=VARIANTS["SQLite"])
        for service in SERVICES:
            spec = objects.deployment(service)["spec"]
            self.assertEqual((spec["strategy"], spec["replicas"]), ({"type": "Recreate"}, 1))
        alone = {"audit": {"anchors": {"accessModes": ["ReadWriteOnce"]}}, "defaults": {"replicas": 1}}
        self.assertEqual(render(values=alone).deployment("notes")["spec"]["strategy"], {"type": "Recreate"})
        self.assertEqual(render().deployment("notes")["spec"]["strategy"]["type"], "RollingUpdate")

    def test_the_next_wave_waits_until_the_last_has_drained(self):
        spec = render().deployment("notes")["spec"]
        self.assertEqual(spec["minReadySeconds"], spec["template"]["spec"]["terminationGracePeriodSeconds"])

    def test_a_service_overrides_the_defaults_also_with_false_and_zero(self):
        objects = render(values={
            "services": {"notes": {"podDisruptionBudget": {"enabled": False}, "drain": {"lingerSeconds": 0}}}
        })  # fmt: skip
        self.assertEqual(
            {each["metadata"]["name"] for each in objects.kind("PodDisruptionBudget")},
            {"rapport-scheduling", "rapport-assessment"},
        )
        self.assertEqual(objects.flags("notes")["RAPPORT_DRAIN_LINGER"], "0s")
        self.assertEqual(objects.flags("scheduling")["RAPPORT_DRAIN_LINGER"], "3s")

    def test_the_budget_is_the_connections_that_can_be_open_at_once(self):
        # (2 pods + 1 of surge + 1 that drains) x (8 + 3), and one to migrate, three times.
        for limit, good in ((135, True), (134, False)):
            done = template("small-clinic", {"database": {"postgres": {"connectionLimit": limit}}})
            self.assertEqual(done.returncode == 0, good, done.stderr)

    def test_servers_of_their_own_have_budgets_of_their_own(self):
        limits = {"database": {"postgres": {"connectionLimit": 45}}, "services": {
            service: {"database": {"postgres": {"host": f"{service}.databases"}}} for service in SERVICES
        }}  # fmt: skip
        self.assertEqual(template("small-clinic", limits).returncode, 0)

    def test_pods_that_drain_slower_than_others_come_are_counted(self):
        hasty = {"defaults": {"rollout": {"minReadySeconds": 5}}, "database": {"postgres": {"connectionLimit": 168}}}
        self.assertEqual(template("small-clinic", hasty).returncode, 0)
        hasty["database"]["postgres"]["connectionLimit"] = 167
        self.assertIn("2 that drain", template("small-clinic", hasty).stderr)


class Addresses(unittest.TestCase):
    def test_services_find_each_other_at_every_address(self):
        objects = render()
        self.assertEqual(
            objects.flags("notes")["RAPPORT_SCHEDULING_TARGET"],
            "dns:///rapport-scheduling-headless.clinic.svc.cluster.local:7401",
        )
        self.assertEqual(objects.get("Service", "rapport-scheduling-headless")["spec"]["clusterIP"], "None")

    def test_a_service_elsewhere_is_asked_there(self):
        objects = render(values=VARIANTS["a service of another release"])
        self.assertEqual(objects.flags("scheduling")["RAPPORT_NOTES_TARGET"], "dns:///notes.other.svc:7403")
        self.assertNotIn("rapport-notes", [each["metadata"]["name"] for each in objects])
        ports = [
            port["port"]
            for rule in objects.get("NetworkPolicy", "rapport-scheduling")["spec"]["egress"]
            for port in rule["ports"]
        ]
        self.assertIn(7403, ports)

    def test_traffic_keeps_near_where_the_cluster_can(self):
        for version, wanted in (("1.30.0", None), ("1.31.0", "PreferClose"), ("1.34.0", "PreferSameZone")):
            spec = render(version=version).get("Service", "rapport-notes")["spec"]
            self.assertEqual(spec.get("trafficDistribution"), wanted)

    def test_the_protocol_is_told_unless_it_is_tls(self):
        port = render().get("Service", "rapport-notes")["spec"]["ports"][0]
        self.assertEqual(port["appProtocol"], "kubernetes.io/h2c")
        port = render("mtls-cert-manager").get("Service", "rapport-notes")["spec"]["ports"][0]
        self.assertNotIn("appProtocol", port)

    def test_a_pod_may_reach_its_peers_and_stores_and_no_more(self):
        objects = render("large-network")
        egress = objects.get("NetworkPolicy", "rapport-assessment")["spec"]["egress"]
        ports = sorted({port["port"] for rule in egress for port in rule["ports"]})
        self.assertEqual(ports, [53, 4317, 6379, 6432, 7401, 7403])
        egress = objects.get("NetworkPolicy", "rapport-migrate")["spec"]["egress"]
        self.assertEqual(sorted({port["port"] for rule in egress for port in rule["ports"]}), [53, 5432])

    def test_a_gateway_tells_the_services_apart_by_their_names(self):
        objects = render("gateway-api")
        rules = objects.get("GRPCRoute", "rapport-notes")["spec"]["rules"]
        for rule in rules:
            self.assertLessEqual(len(rule["matches"]), 8)
            self.assertEqual(rule["backendRefs"], [{"name": "rapport-notes", "port": 7403}])
        named = [match["method"]["service"] for rule in rules for match in rule["matches"]]
        self.assertIn("rapport.notes.v1.NoteService", named)
        own = render("gateway-api", {"services": {"notes": {"route": {"hostnames": ["notes.example.org"]}}}})
        route = own.get("GRPCRoute", "rapport-notes")["spec"]
        self.assertEqual(route["hostnames"], ["notes.example.org"])
        self.assertNotIn("matches", route["rules"][0])


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.objects = render("mtls-cert-manager")

    def test_a_certificate_has_the_names_that_peers_dial(self):
        for service, peer in itertools.permutations(SERVICES, 2):
            target = self.objects.flags(service).get(f"RAPPORT_{peer.upper()}_TARGET")
            if target is not None:
                host = target.removeprefix("dns:///").rsplit(":", 1)[0]
                self.assertIn(host, self.objects.get("Certificate", f"rapport-{peer}")["spec"]["dnsNames"])

    def test_who_calls_is_allowed_by_the_identity_of_its_certificate(self):
        identity = {
            service: self.objects.get("Certificate", f"rapport-{service}")["spec"]["uris"][0] for service in SERVICES
        }
        self.assertEqual(identity["notes"], "spiffe://clinic.example.org/ns/clinic/sa/rapport-notes")
        for service in SERVICES:
            callers = {
                f"{other}={identity[other]}"
                for other in SERVICES
                if f"RAPPORT_{service.upper()}_TARGET" in self.objects.flags(other)
            }
            allowed = set(self.objects.flags(service)["RAPPORT_TLS_ALLOWED_CLIENTS"].split(","))
            self.assertEqual(allowed, callers | {"users=spiffe://clinic.example.org/ns/portal/sa/gateway"})

    def test_each_service_mounts_its_own_certificate(self):
        for service in SERVICES:
            spec = self.objects.deployment(service)["spec"]["template"]["spec"]
            secret = self.objects.get("Certificate", f"rapport-{service}")["spec"]["secretName"]
            mounted = {each["secret"]["secretName"] for each in spec["volumes"] if "secret" in each}
            self.assertIn(secret, mounted)

    def test_certificates_of_your_own_do_as_well(self):
        values = {"tls": {"enabled": True, "clientAuth": "none", "existingSecrets": {each: f"{each}-tls" for each in SERVICES}}}
        objects = render(values=values)
        self.assertEqual(objects.kind("Certificate"), [])
        flags = objects.flags("notes")
        self.assertEqual(flags["RAPPORT_TLS_CLIENT_AUTH"], "none")
        self.assertNotIn("RAPPORT_TLS_ALLOWED_CLIENTS", flags)


class Secrets(unittest.TestCase):
    def names(self, spec):
        found = set()
        for volume in spec["volumes"]:
            for source in [volume, *volume.get("projected", {}).get("sources", [])]:
                secret = source.get("secret", {})
                found.update({secret.get("secretName"), secret.get("name")})
        return found - {None}

    def test_a_pod_sees_only_its_own_keys(self):
        objects = render("large-network")
        seen = {each: self.names(objects.deployment(each)["spec"]["template"]["spec"]) for each in SERVICES}
        self.assertEqual(
            seen["notes"],
            {"rapport-keys-notes", "rapport-encryption-notes", "rapport-database-notes", "rapport-database-ca",
             "rapport-jwks", "rapport-redis"},
        )  # fmt: skip
        self.assertNotIn("rapport-encryption-notes", seen["scheduling"] | seen["assessment"])
        keys = render().deployment("notes")["spec"]["template"]["spec"]["volumes"]
        items = next(each for each in keys if each["name"] == "keys-notes")["projected"]["sources"][0]["secret"]["items"]
        self.assertEqual(
            {item["key"] for item in items},
            {"integrity.key", "audit-jwks.json", "service-notes.pem", "audit-notes.pem"},
        )

    def test_only_migrations_hold_the_owners_password(self):
        for mode in MODES:
            objects = render(values={"migration": {"mode": mode}})
            holders = {who.split()[0] for who, spec in objects.pods() if "rapport-database-owner" in self.names_or_none(spec)}
            wanted = {"hook": {"Job"}, "job": {"Job"}, "argocd": {"Job"}, "initContainer": {"Deployment"}, "none": set()}
            self.assertEqual(holders, wanted[mode], mode)

    def names_or_none(self, spec):
        return self.names(spec) if spec.get("volumes") else set()

    def test_another_token_restarts_the_pods(self):
        before = render().deployment("notes")["spec"]["template"]
        after = render(values={"rotation": {"secretRolloutToken": "2"}}).deployment("notes")["spec"]["template"]
        self.assertNotEqual(before, after)

    def test_another_setting_restarts_only_the_pods_that_read_it(self):
        before = render()
        after = render(values={"services": {"notes": {"threads": {"read": 9}}}})
        changed = {each for each in SERVICES if before.deployment(each) != after.deployment(each)}
        self.assertEqual(changed, {"notes"})


class Migrations(unittest.TestCase):
    def test_a_hook_needs_nothing_that_is_not_there_before_it(self):
        objects = render()
        hooks = {}
        for each in objects:
            annotations = each["metadata"].get("annotations", {})
            if annotations.get("helm.sh/hook") == "pre-install,pre-upgrade":
                hooks[each["kind"], each["metadata"]["name"]] = int(annotations["helm.sh/hook-weight"])
        jobs = {name: weight for (kind, name), weight in hooks.items() if kind == "Job"}
        self.assertEqual(len(jobs), 3)
        for each in objects.kind("Job"):
            account = each["spec"]["template"]["spec"]["serviceAccountName"]
            self.assertLess(hooks["ServiceAccount", account], jobs[each["metadata"]["name"]])
            self.assertLess(hooks["NetworkPolicy", "rapport-migrate"], jobs[each["metadata"]["name"]])
            for container in each["spec"]["template"]["spec"]["containers"]:
                self.assertNotIn("envFrom", container)

    def test_no_pod_waits_for_a_hook_that_waits_for_pods(self):
        for objects in (render(), render("argocd")):
            for each in objects:
                self.assertNotIn("post-", str(each["metadata"].get("annotations", {})))

    def test_a_plain_job_is_another_for_another_pod_and_no_other(self):
        def names(**values):
            objects = render(values={"migration": {"mode": "job"}} | values)
            return {each["metadata"]["name"] for each in objects.kind("Job")}

        first = names()
        self.assertEqual(len(first), 3)
        self.assertEqual(first, names(defaults={"replicas": 1}))
        self.assertTrue(first.isdisjoint(names(image={"tag": "9.9.9"})))
        for name in names():
            self.assertLessEqual(len(name), 63)

    def test_under_argo_cd_they_are_sync_hooks_before_the_pods(self):
        objects = render("argocd")
        for each in objects.kind("Job"):
            annotations = each["metadata"]["annotations"]
            self.assertEqual(annotations["argocd.argoproj.io/hook"], "Sync")
            self.assertLess(int(annotations["argocd.argoproj.io/sync-wave"]), 0)
            self.assertNotIn("helm.sh/hook", annotations)
        wave = objects.get("ServiceAccount", "rapport-migrate")["metadata"]["annotations"]
        self.assertLess(int(wave["argocd.argoproj.io/sync-wave"]), -5)

    def test_they_go_to_the_server_behind_the_pooler(self):
        objects = render("large-network")
        args = objects.get("Job", "rapport-migrate-notes")["spec"]["template"]["spec"]["containers"][0]["args"]
        self.assertEqual(args[:2], ["migrate", "notes"])
        self.assertIn("--postgres_host=postgres-rw.databases.svc.cluster.local", args)
        self.assertIn("--postgres_port=5432", args)
        self.assertIn("--postgres_user=rapport_owner", args)
        self.assertEqual(objects.flags("notes")["RAPPORT_POSTGRES_HOST"], "pgbouncer.databases.svc.cluster.local")

    def test_standbys_are_named_reached_and_counted(self):
        standbys = {"readHosts": "s1,s2:5433", "readLag": "500ms", "connectionLimit": 147}
        objects = render("small-clinic", {"database": {"postgres": standbys}})
        flags = objects.flags("notes")
        self.assertEqual(flags["RAPPORT_POSTGRES_READ_HOSTS"], "s1,s2:5433")
        self.assertEqual(flags["RAPPORT_POSTGRES_READ_LAG"], "500ms")
        egress = objects.get("NetworkPolicy", "rapport-notes")["spec"]["egress"]
        self.assertIn(5433, [port["port"] for rule in egress for port in rule["ports"]])

    def test_what_waits_for_the_schema_passes_the_pooler_too(self):
        objects = render("large-network", {"migration": {"waitInitContainer": True}})
        (wait,) = objects.deployment("notes")["spec"]["template"]["spec"]["initContainers"]
        self.assertEqual(wait["args"][:2], ["wait-for-schema", "notes"])
        self.assertIn("--postgres_port=5432", wait["args"])
        self.assertIn("--postgres_user=rapport_app", wait["args"])
        egress = objects.get("NetworkPolicy", "rapport-notes")["spec"]["egress"]
        self.assertIn(5432, [port["port"] for rule in egress for port in rule["ports"]])

    def test_sqlite_migrates_itself(self):
        objects = render(values=VARIANTS["SQLite"])
        self.assertEqual(objects.kind("Job"), [])


class Evaluation(unittest.TestCase):
    def test_one_pod_holds_all_and_makes_its_keys_first(self):
        objects = render("embedded")
        (deployment,) = objects.kind("Deployment")
        spec = deployment["spec"]["template"]["spec"]
        self.assertEqual([each["name"] for each in spec["containers"]], list(SERVICES))
        self.assertEqual(
            spec["initContainers"][0]["args"], ["keys", "generate", "/var/lib/rapport/keys", "--if_absent"]
        )
        self.assertEqual(objects.flags("notes")["RAPPORT_SCHEDULING_TARGET"], "127.0.0.1:7401")
        self.assertEqual(len(objects.kind("PersistentVolumeClaim")), 1)

    def test_it_needs_no_other_value(self):
        self.assertNotIn("example.org", template("embedded").stdout)


class Monitoring(unittest.TestCase):
    def test_monitors_and_rules_follow_what_the_cluster_knows(self):
        kinds = {each["kind"] for each in render()}
        self.assertTrue(kinds.isdisjoint({"ServiceMonitor", "PrometheusRule"}))
        objects = render(apis=MONITORING)
        self.assertEqual(len(objects.kind("ServiceMonitor")), 3)
        self.assertTrue(objects.kind("PrometheusRule"))

    def test_a_monitor_finds_the_port_with_metrics_once(self):
        objects = render(apis=MONITORING)
        for service in SERVICES:
            monitor = objects.get("ServiceMonitor", f"rapport-{service}")
            selector = monitor["spec"]["selector"]["matchLabels"]
            found = [
                each["metadata"]["name"]
                for each in objects.kind("Service")
                if selector.items() <= each["metadata"]["labels"].items()
                and any(port["name"] == "metrics" for port in each["spec"]["ports"])
            ]
            self.assertEqual(found, [f"rapport-{service}-headless"])

    def test_every_alert_links_to_its_runbook(self):
        objects = render(apis=MONITORING)
        alerts = [
            rule
            for each in objects.kind("PrometheusRule")
            for group in each["spec"]["groups"]
            for rule in group["rules"]
            if "alert" in rule
        ]
        self.assertTrue(alerts)
        for rule in alerts:
            self.assertTrue(rule["annotations"]["runbook_url"].startswith("https://runbooks.example.org/rapport/"), rule)

    def test_grafana_finds_the_dashboards(self):
        dashboards = [
            each for each in render().kind("ConfigMap") if each["metadata"]["labels"].get("grafana_dashboard") == "1"
        ]
        self.assertTrue(dashboards)


if __name__ == "__main__":
    unittest.main()
