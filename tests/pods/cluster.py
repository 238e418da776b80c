"""A node without Kubernetes: takes objects as `helm template` renders them and does with podman what
the Job and Deployment controllers, a kubelet and the cluster's DNS would.

What podman can't take of a pod is done here instead, and nothing is left out in silence: a field
that is not listed below fails the test. Secrets, ConfigMaps and claims become folders (projected
files are replaced as a kubelet does, so that rotation can be tested); probes are asked over gRPC by
`await_ready`; the preStop sleep and the grace period by `stop`; a Service is a name in `Dns` with the
addresses of its ready pods. Not enforced: resources, scheduling, NetworkPolicies, service accounts."""
import base64
import contextlib
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import threading
import time

import grpc
import yaml
from grpc_health.v1 import health_pb2, health_pb2_grpc

NETWORK = "rapport-pods"
SUBNET = "10.89.77"
GATEWAY = f"{SUBNET}.1"
NAMESPACE = "rapport"
PATIENCE = 60  # seconds, for whatever is awaited

DONE_HERE = {"dnsConfig", "terminationGracePeriodSeconds", "securityContext", "volumes",
             "initContainers", "containers", "restartPolicy"}
NOT_ENFORCED = {"serviceAccountName", "automountServiceAccountToken", "enableServiceLinks",
                "topologySpreadConstraints", "affinity", "nodeSelector", "tolerations"}
CONTAINER_DONE_HERE = {"env", "envFrom", "startupProbe", "livenessProbe", "readinessProbe",
                       "lifecycle", "securityContext", "volumeMounts"}
CONTAINER_NOT_ENFORCED = {"resources", "imagePullPolicy", "ports"}
CONTAINER_AS_IT_IS = {"name", "image", "command", "args"}


def run(*words, check=True, timeout=120, **settings):
    ended = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                           timeout=timeout, check=False, **settings)
    if check and ended.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, words))}\n{ended.stdout}\n{ended.stderr}")
    return ended


def until(condition, what, patience=PATIENCE):
    """Asks again and again until it holds, and returns what it gave."""
    give_up = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > give_up:
            raise AssertionError(f"not within {patience} s: {what() if callable(what) else what}")
        time.sleep(0.05)


def is_serving(address, service):
    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(service=service), timeout=2)
        except grpc.RpcError:
            return False
        return answer.status == health_pb2.HealthCheckResponse.SERVING


class Dns(threading.Thread):
    """Answers A for the names it is given, on the gateway of the pods' network."""

    def __init__(self):
        super().__init__(daemon=True)
        self.names = {}
        self._stopped = False
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((GATEWAY, 53))

    def run(self):
        while True:
            query, client = self._socket.recvfrom(1500)
            if self._stopped:
                return
            reply = self._reply(query)
            if reply:
                self._socket.sendto(reply, client)

    def _reply(self, query):
        labels, at = [], 12
        while at < len(query) and query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode(errors="replace").lower())
            at += 1 + query[at]
        question = query[12:at + 5]
        if len(question) < 5:
            return None
        kind = struct.unpack("!H", question[-4:-2])[0]
        addresses = self.names.get(".".join(labels))
        found = addresses if addresses and kind == 1 else []
        flags = 0x8580 | (0 if addresses is not None else 3)
        reply = query[:2] + struct.pack("!HHHHH", flags, 1, len(found), 0, 0) + question
        for address in found:
            reply += struct.pack("!HHHIH", 0xC00C, 1, 1, 1, 4) + socket.inet_aton(address)
        return reply

    def stop(self):
        self._stopped = True
        # Ends the thread's wait, which would keep the address though the socket is closed.
        with contextlib.suppress(OSError):  # it is not connected
            self._socket.shutdown(socket.SHUT_RDWR)
        self.join()
        self._socket.close()


class Pod:
    def __init__(self, name, address, template, folder):
        self.name = name
        self.address = address
        self.template = template
        self.folder = folder
        self.labels = template["metadata"].get("labels", {})
        self.spec = template["spec"]

    def containers(self):
        return [f"{self.name}-{container['name']}" for container in self.spec["containers"]]

    def logs(self):
        return "\n".join(
            f"== {name}\n{ended.stdout[-3000:]}{ended.stderr[-3000:]}"
            for name in self.containers()
            for ended in [run("podman", "logs", name, check=False)])

    def port(self, name):
        return next(port["containerPort"] for container in self.spec["containers"]
                    for port in container["ports"] if port.get("name") == name)

    def probes(self, kind):
        return [(f"{self.address}:{probe['port']}", probe.get("service", ""))
                for container in self.spec["containers"] if kind in container
                for probe in [container[kind]["grpc"]]]

    def is_ready(self):
        return all(is_serving(address, service)
                   for address, service in self.probes("readinessProbe"))

    def is_alive(self):
        return all(is_serving(address, service)
                   for address, service in self.probes("livenessProbe"))

    def await_ready(self):
        until(self.is_ready, lambda: f"{self.name} is ready; {self.logs()}")

    def inspect(self):
        return json.loads(run("podman", "inspect", *self.containers()).stdout)

    def exit_codes(self):
        return [container["State"]["ExitCode"] for container in self.inspect()]


class Cluster:
    def __init__(self, home):
        self.home = pathlib.Path(home)
        self.objects = {}
        self.pods = {}
        self._addresses = iter(range(10, 250))
        self._numbers = {}
        self._lock = threading.Lock()
        run("podman", "pod", "rm", "--all", "--force", check=False)
        run("podman", "network", "rm", "--force", NETWORK, check=False)
        run("podman", "network", "create", "--disable-dns", "--subnet", f"{SUBNET}.0/24",
            "--gateway", GATEWAY, NETWORK)
        # Brings the network up, and keeps it.
        run("podman", "pod", "create", "--name", "node", "--network", NETWORK, "--ip", f"{SUBNET}.2")
        run("podman", "pod", "start", "node")
        self.dns = Dns()
        self.dns.start()

    def close(self):
        run("podman", "pod", "rm", "--all", "--force", "--time", "1", check=False)
        self.dns.stop()
        run("podman", "network", "rm", "--force", NETWORK, check=False)

    # Objects

    def apply(self, objects):
        """Takes note of objects; Secrets and ConfigMaps reach the pods that have them mounted."""
        for item in objects:
            self.objects[(item["kind"], item["metadata"]["name"])] = item
        for pod in list(self.pods.values()):
            self._project(pod)

    def secret(self, name, **files):
        data = {key: base64.b64encode(value if isinstance(value, bytes) else value.encode()).decode()
                for key, value in files.items()}
        self.apply([{"kind": "Secret", "metadata": {"name": name}, "data": data}])

    def of_kind(self, kind):
        return [item for (its, _), item in sorted(self.objects.items()) if its == kind]

    def claim(self, name):
        folder = self.home / "claims" / name
        if not folder.exists():
            folder.mkdir(parents=True)
            os.chown(folder, 0, 65532)
            folder.chmod(0o2775)
        return folder

    # Pods

    def run_job(self, job):
        name = job["metadata"]["name"]
        pod = self._play(f"{name}-{self._number(name)}", job["spec"]["template"])
        (container,) = pod.containers()
        code = int(run("podman", "wait", container, timeout=300).stdout)
        logs = pod.logs()
        self._remove(pod)
        assert code == 0, f"the job {name} exited with {code}: {logs}"
        return logs

    def start(self, deployment, image=None):
        """Starts one more pod of a deployment, and does not wait until it is ready."""
        name = deployment["metadata"]["name"]
        template = json.loads(json.dumps(deployment["spec"]["template"]))
        if image:
            for container in template["spec"]["containers"]:
                container["image"] = image
        return self._play(f"{name}-{self._number(name)}", template)

    def admit(self, pod):
        """Waits until a pod is ready; then its Services know it."""
        pod.await_ready()
        with self._lock:
            pod.admitted = True
        self._publish()

    def stop(self, pod):
        """Ends a pod as a kubelet does: forgotten by its Services, preStop, SIGTERM, grace period."""
        pod.admitted = False
        self._publish()
        sleeps = [container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
                  for container in pod.spec["containers"]]
        time.sleep(max(sleeps))
        grace = pod.spec["terminationGracePeriodSeconds"] - max(sleeps)
        run("podman", "stop", "--time", grace, *pod.containers(), timeout=grace + 60)
        codes = pod.exit_codes()
        logs = pod.logs()
        self._remove(pod)
        assert codes == [0] * len(codes), f"{pod.name} exited with {codes}: {logs}"

    def kill(self, pod):
        """The node is gone: nobody is told."""
        run("podman", "kill", "--signal", "KILL", *pod.containers())

    def forget(self, pod):
        """What the control plane does when it has noticed."""
        pod.admitted = False
        self._publish()
        self._remove(pod)

    def pods_of(self, deployment):
        wanted = deployment["spec"]["selector"]["matchLabels"]
        return [pod for pod in self.pods.values() if wanted.items() <= pod.labels.items()]

    def addresses(self, service):
        """What a Service stands for now."""
        item = self.objects[("Service", service)]
        port = next(port["port"] for port in item["spec"]["ports"] if port["name"] == "grpc")
        return [f"{pod.address}:{port}" for pod in self._endpoints(item)]

    def _number(self, name):
        self._numbers[name] = self._numbers.get(name, 0) + 1
        return self._numbers[name]

    def _endpoints(self, service):
        wanted = service["spec"]["selector"]
        return [pod for pod in list(self.pods.values())
                if getattr(pod, "admitted", False) and wanted.items() <= pod.labels.items()]

    def _publish(self):
        names = {}
        for service in self.of_kind("Service"):
            addresses = [pod.address for pod in self._endpoints(service)]
            names[f"{service['metadata']['name']}.{NAMESPACE}.svc.cluster.local"] = addresses
        names["postgres.stores.svc.cluster.local"] = [GATEWAY]
        names["redis.stores.svc.cluster.local"] = [GATEWAY]
        self.dns.names = names

    def _play(self, name, template):
        pod = Pod(name, f"{SUBNET}.{next(self._addresses)}", template, self.home / "pods" / name)
        pod.folder.mkdir(parents=True)
        manifest = pod.folder / "pod.yaml"
        manifest.write_text(yaml.safe_dump(self._for_podman(pod)))
        with self._lock:
            self.pods[name] = pod
        self._publish()
        run("podman", "kube", "play", "--network", NETWORK, "--ip", pod.address, manifest)
        return pod

    def _remove(self, pod):
        with self._lock:
            del self.pods[pod.name]
        run("podman", "pod", "rm", "--force", "--time", "1", pod.name)
        shutil.rmtree(pod.folder)

    def _for_podman(self, pod):
        unknown = set(pod.spec) - DONE_HERE - NOT_ENFORCED
        assert not unknown, f"{pod.name}: this test does not know what to do with {sorted(unknown)}"
        options = [f"{option['name']}:{option['value']}"
                   for option in pod.spec.get("dnsConfig", {}).get("options", [])]
        (pod.folder / "resolv.conf").write_text(
            f"nameserver {GATEWAY}\nsearch {NAMESPACE}.svc.cluster.local svc.cluster.local "
            f"cluster.local\noptions {' '.join(options) or 'ndots:5'}\n")
        volumes = [{"name": "resolv-conf",
                    "hostPath": {"path": str(pod.folder / "resolv.conf"), "type": "File"}}]
        for volume in pod.spec.get("volumes", []):
            volumes.append({"name": volume["name"], "hostPath": {
                "path": str(self._folder_of(pod, volume)), "type": "Directory"}})
        self._project(pod)
        spec = {"restartPolicy": "Never", "volumes": volumes,
                "containers": [self._container(pod, item) for item in pod.spec["containers"]]}
        if pod.spec.get("initContainers"):
            spec["initContainers"] = [
                self._container(pod, item) for item in pod.spec["initContainers"]]
        return {"apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": pod.name, "labels": pod.labels}, "spec": spec}

    def _container(self, pod, container):
        unknown = (set(container) - CONTAINER_DONE_HERE - CONTAINER_NOT_ENFORCED -
                   CONTAINER_AS_IT_IS)
        assert not unknown, f"{pod.name}: this test does not know what to do with {sorted(unknown)}"
        made = {key: container[key] for key in CONTAINER_AS_IT_IS if key in container}
        above = pod.spec["securityContext"]
        assert above["runAsNonRoot"] and above["seccompProfile"] == {"type": "RuntimeDefault"}
        made["securityContext"] = {"runAsUser": above["runAsUser"], "runAsGroup": above["runAsGroup"],
                                   **container["securityContext"]}
        made["volumeMounts"] = [
            {"name": "resolv-conf", "mountPath": "/etc/resolv.conf", "readOnly": True},
            *container.get("volumeMounts", [])]
        assert not any("subPath" in mount for mount in made["volumeMounts"])
        environment = {}
        for source in container.get("envFrom", []):
            (reference,) = source.values()
            environment.update(self._files(next(iter(source)).removesuffix("Ref"), reference["name"]))
        for variable in container.get("env", []):
            assert "valueFrom" not in variable, f"{pod.name}: {variable}"
            environment[variable["name"]] = variable["value"]
        made["env"] = [{"name": key, "value": value if isinstance(value, str) else value.decode()}
                       for key, value in environment.items()]
        return made

    # Volumes

    def _folder_of(self, pod, volume):
        if "persistentVolumeClaim" in volume:
            return self.claim(volume["persistentVolumeClaim"]["claimName"])
        folder = pod.folder / volume["name"]
        folder.mkdir(exist_ok=True)
        if "emptyDir" in volume:
            os.chown(folder, 0, 65532)
            folder.chmod(0o2777)
        else:
            assert {"secret", "configMap", "projected"} & set(volume), f"{pod.name}: {volume}"
        return folder

    def _files(self, kind, name):
        item = self.objects[("Secret" if kind == "secret" else "ConfigMap", name)]
        if kind == "secret":
            return {key: base64.b64decode(value) for key, value in item["data"].items()}
        return item.get("data", {})

    def _project(self, pod):
        """Lays the files of Secrets and ConfigMaps, replacing all of a volume at once."""
        for volume in pod.spec.get("volumes", []):
            if "projected" in volume:
                mode = volume["projected"].get("defaultMode", 0o644)
                sources = volume["projected"]["sources"]
            elif "secret" in volume or "configMap" in volume:
                kind = "secret" if "secret" in volume else "configMap"
                mode = volume[kind].get("defaultMode", 0o644)
                sources = [{kind: {"name": volume[kind].get("secretName", volume[kind].get("name")),
                                   "items": volume[kind].get("items")}}]
            else:
                continue
            files = {}
            for source in sources:
                ((kind, reference),) = source.items()
                held = self._files(kind, reference["name"])
                for item in reference.get("items") or [{"key": key, "path": key} for key in held]:
                    files[item["path"]] = held[item["key"]]
            folder = pod.folder / volume["name"]
            held = {path.name: path.read_bytes() for path in folder.iterdir()
                    if not path.name.startswith("..")}
            wanted = {path: text if isinstance(text, bytes) else text.encode()
                      for path, text in files.items()}
            if held == wanted:
                continue
            data = folder / f"..{time.time_ns()}"
            data.mkdir(mode=0o755)
            for path, content in wanted.items():
                (data / path).write_bytes(content)
                os.chown(data / path, 0, 65532)
                (data / path).chmod(mode)
            new = folder / "..data_tmp"
            new.symlink_to(data.name)
            before = os.readlink(folder / "..data") if (folder / "..data").exists() else None
            new.rename(folder / "..data")
            for path in wanted:
                if not (folder / path).is_symlink():
                    (folder / path).symlink_to(f"..data/{path}")
            if before:
                shutil.rmtree(folder / before)
