"""The three services, started from their binaries on loopback ports of their own, with SQLite and
development keys in a scratch directory."""
import itertools
import os
import pathlib
import socket
import subprocess
import tempfile

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

ROOT = pathlib.Path(__file__).resolve().parents[3]
BINARIES = ROOT / "build/release/bin"
SERVICES = ("scheduling", "assessment", "notes")
PATIENCE = 30  # seconds, for whatever is awaited

# Below those that the kernel gives to outgoing connections.
_ports = itertools.cycle(range(10000, 30001))
for _ in range(os.getpid() * 37 % 20000):
    next(_ports)


def free_port():
    for port in _ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def open_channel(address):
    return grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)])


class Suite:
    def __init__(self, clock=None):
        """`clock`: an instant that the services take for now, as their development clock says."""
        self._scratch = tempfile.TemporaryDirectory(prefix="rapport-clients-")
        self.home = pathlib.Path(self._scratch.name)
        self.addresses = {service: f"127.0.0.1:{free_port()}" for service in SERVICES}
        self.health_addresses = {service: f"127.0.0.1:{free_port()}" for service in SERVICES}
        self.channels = {
            service: open_channel(address) for service, address in self.addresses.items()}
        self.targets = [
            f"--{service}_target={address}" for service, address in self.addresses.items()]
        self.clock_file = None
        if clock is not None:
            self.clock_file = self.home / "clock"
            self.clock_file.write_text(f"{clock}\n")
        self._processes = {}

    def start(self):
        self.ctl("keys", "generate", str(self.home / "keys"), connected=False)
        for service in SERVICES:
            # The service dies with this process, however that ends.
            with open(self.home / f"{service}.err", "wb") as errors:
                self._processes[service] = subprocess.Popen(
                    ["setpriv", "--pdeathsig", "KILL", str(BINARIES / f"rapport-{service}"),
                     f"--listen={self.addresses[service]}",
                     f"--health_listen={self.health_addresses[service]}",
                     "--metrics_listen=127.0.0.1:0",
                     f"--log_file={self.home}/{service}.log",
                     "--database=sqlite",
                     f"--data_dir={self.home}/data",
                     f"--jwks_file={self.home}/keys/jwks.json",
                     "--token_issuer=rapport-development",
                     f"--service_key_file={self.home}/keys/service-{service}.pem",
                     f"--integrity_key_file={self.home}/keys/integrity.key",
                     f"--audit_key_file={self.home}/keys/audit-{service}.pem",
                     f"--audit_jwks_file={self.home}/keys/audit-jwks.json",
                     f"--audit_anchor_dir={self.home}/anchors",
                     f"--key_encryption_key_dir={self.home}/keys/encryption-{service}",
                     "--drain_linger=0s",
                     *([f"--development_clock_file={self.clock_file}"] if self.clock_file else []),
                     *self.targets],
                    stdin=subprocess.DEVNULL, stderr=errors)
        for service in SERVICES:
            self._await_ready(service)

    def _await_ready(self, service):
        with open_channel(self.health_addresses[service]) as channel:
            states = health_pb2_grpc.HealthStub(channel).Watch(
                health_pb2.HealthCheckRequest(service=service),
                wait_for_ready=True, timeout=PATIENCE)
            try:
                for state in states:
                    if state.status == health_pb2.HealthCheckResponse.SERVING:
                        break
            except grpc.RpcError as error:
                raise AssertionError(
                    f"{service} is not ready: {self.report(service)}") from error
            states.cancel()

    def stop(self):
        """Ends the services as an orchestrator does, and returns how each exited."""
        for channel in self.channels.values():
            channel.close()
        for process in self._processes.values():
            process.terminate()
        statuses = {}
        for service, process in self._processes.items():
            try:
                statuses[service] = process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                statuses[service] = f"did not end: {process.wait()}"
            if statuses[service] != 0:
                print(self.report(service))
        self._scratch.cleanup()
        return statuses

    def report(self, service):
        """What the service said last."""
        texts = [self.home / f"{service}.err", self.home / f"{service}.log"]
        return "\n".join(text.read_text()[-4000:] for text in texts if text.exists())

    def ctl(self, *words, keys="keys", connected=True):
        """Runs rapportctl and returns what it printed."""
        flags = [f"--keys_dir={self.home / keys}", *self.targets] if connected else []
        ended = subprocess.run([str(BINARIES / "rapportctl"), *words, *flags],
                               capture_output=True, text=True, timeout=PATIENCE)
        if ended.returncode != 0:
            raise AssertionError(f"rapportctl {' '.join(words)}: {ended.stderr}")
        return ended.stdout.strip()

    def bootstrap(self, organization):
        """Creates an organisation and returns its resource name."""
        self.ctl("organization", "bootstrap", organization, f"The {organization} network")
        return f"organizations/{organization}"

    def token(self, organization, roles, subject="developer", keys="keys"):
        return self.ctl("token", f"--subject={subject}", f"--roles={roles}",
                        f"--organization={organization.removeprefix('organizations/')}", keys=keys)
