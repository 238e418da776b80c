"""A real Kubernetes API server takes every object; only with tests/chart/run --long."""

import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

import yaml

from rendered import TOOLS, render
from test_manifests import CASES, MONITORING

TOKEN = "test-token"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@unittest.skipUnless(os.environ.get("RAPPORT_KUBERNETES"), "wants tests/chart/run --long, which builds an API server")
class ApiServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        home = pathlib.Path(cls.folder.name)
        etcd, peer, cls.port = free_port(), free_port(), free_port()
        subprocess.run(
            ["openssl", "genpkey", "-algorithm", "RSA", "-out", home / "account.pem"], check=True, capture_output=True
        )
        (home / "tokens.csv").write_text(f'{TOKEN},admin,1,"system:masters"\n')
        at = f"http://127.0.0.1:{etcd}"
        cls.start(home / "etcd.log", "etcd", "--data-dir", home / "etcd", "--listen-client-urls", at,
                  "--advertise-client-urls", at, "--listen-peer-urls", f"http://127.0.0.1:{peer}",
                  "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}",
                  "--initial-cluster", f"default=http://127.0.0.1:{peer}")  # fmt: skip
        cls.start(home / "apiserver.log", "kube-apiserver", "--etcd-servers", at, "--cert-dir", home / "certs",
                  "--bind-address", "127.0.0.1", "--secure-port", cls.port, "--token-auth-file", home / "tokens.csv",
                  "--authorization-mode", "AlwaysAllow", "--service-cluster-ip-range", "10.96.0.0/16",
                  "--service-account-issuer", "https://localhost", "--service-account-key-file", home / "account.pem",
                  "--service-account-signing-key-file", home / "account.pem",
                  "--disable-admission-plugins", "ServiceAccount,Priority,RuntimeClass")  # fmt: skip
        cls.log = home / "apiserver.log"
        cls.until(lambda: cls.ask("GET", "/readyz")[0] == 200, "the API server is ready")
        cls.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "clinic", "labels": {
            "pod-security.kubernetes.io/enforce": "restricted"}}}, dry=False)  # fmt: skip
        cls.crds()

    @classmethod
    def start(cls, log, program, *words):
        with open(log, "w") as file:
            process = subprocess.Popen([TOOLS / "bin" / program, *map(str, words)], stdout=file, stderr=file)
        cls.addClassCleanup(process.wait)
        cls.addClassCleanup(process.send_signal, signal.SIGKILL)

    @classmethod
    def until(cls, condition, what):
        deadline = time.monotonic() + 120
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"not in 120 s: {what}\n{cls.log.read_text()[-3000:]}")
            time.sleep(0.2)

    @classmethod
    def ask(cls, method, path, body=None, kind="application/json"):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        request = urllib.request.Request(
            f"https://127.0.0.1:{cls.port}{path}", method=method, data=body and json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": kind},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request, context=context, timeout=20) as response:
                text = response.read()
                return response.status, json.loads(text) if text.startswith(b"{") else text, response.headers
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(), error.headers
        except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
            return 0, str(error), {}

    @classmethod
    def path(cls, thing):
        version = thing["apiVersion"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        if not hasattr(cls, "kinds"):
            cls.kinds = {}
        if (version, thing["kind"]) not in cls.kinds:
            listed = cls.ask("GET", root)[1]
            assert isinstance(listed, dict), f"{version} is not served"
            for each in listed["resources"]:
                if "/" not in each["name"]:
                    cls.kinds[version, each["kind"]] = (each["name"], each["namespaced"])
        plural, namespaced = cls.kinds[version, thing["kind"]]
        inside = f"/namespaces/{thing['metadata']['namespace']}" if namespaced else ""
        return f"{root}{inside}/{plural}/{thing['metadata']['name']}"

    @classmethod
    def apply(cls, thing, dry=True):
        query = "?fieldManager=test&fieldValidation=Strict" + ("&dryRun=All" if dry else "")
        code, answer, headers = cls.ask("PATCH", cls.path(thing) + query, thing, "application/apply-patch+yaml")
        assert code in (200, 201), f"{thing['kind']} {thing['metadata']['name']}: {code} {answer}"
        return answer, headers.get_all("Warning") or []

    @classmethod
    def crds(cls):
        names = []
        for path in (TOOLS / "schemas/crds").glob("*.yaml"):
            for document in yaml.safe_load_all(path.read_text()):
                if document and document.get("kind") == "CustomResourceDefinition":
                    names.append(document["metadata"]["name"])
                    cls.apply(document, dry=False)
        assert names, "no custom resource definition in build/chart/schemas/crds"

        def established(name):
            answer = cls.ask("GET", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}")[1]
            return {"Established": "True"}.items() <= {
                each["type"]: each["status"] for each in answer.get("status", {}).get("conditions", [])
            }.items()

        for name in names:
            cls.until(lambda name=name: established(name), f"{name} is established")

    def test_it_takes_every_object_without_a_warning(self):
        count = 0
        for name, (example, values) in CASES.items():
            for thing in render(example, values, apis=MONITORING):
                with self.subTest(f"{name}, {thing['kind']} {thing['metadata']['name']}"):
                    thing["metadata"].setdefault("namespace", "clinic")
                    _, warnings = self.apply(thing)
                    self.assertEqual(warnings, [])
                    count += 1
        print(f"{count} objects taken by Kubernetes {os.environ['RAPPORT_KUBERNETES']}")

    def test_its_restricted_standard_admits_every_pod(self):
        for name, (example, values) in CASES.items():
            for who, spec in render(example, values).pods():
                with self.subTest(f"{name}, {who}"):
                    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod", "namespace": "clinic"}, "spec": spec}
                    self.apply(pod)

    def test_it_refuses_what_is_not_restricted(self):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod", "namespace": "clinic"},
               "spec": {"containers": [{"name": "x", "image": "x"}]}}  # fmt: skip
        with self.assertRaisesRegex(AssertionError, "violates PodSecurity"):
            self.apply(pod)


if __name__ == "__main__":
    unittest.main()
