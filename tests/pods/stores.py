"""PostgreSQL and Redis from Debian's packages; for the pods, on the gateway of their network."""
import os
import pathlib
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile

from cluster import GATEWAY, SUBNET, run, until

POSTGRES = pathlib.Path(os.environ.get("RAPPORT_POSTGRES_BIN", "/usr/lib/postgresql/15/bin"))
SERVICES = ("scheduling", "assessment", "notes")
ROLES = ("rapport_owner", "rapport_app", "rapport_feed")


def free_port(host):
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


class Postgres:
    """Confirms only what is on disk, as production does."""

    def __init__(self, host=GATEWAY, clients=f"{SUBNET}.0/24"):
        self.host = host
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rapport-pods-postgres-"))
        user = pwd.getpwnam("postgres")
        os.chown(self.folder, user.pw_uid, user.pw_gid)
        self.port = free_port(host)
        self.passwords = {role: secrets.token_hex(12) for role in ROLES}
        self._as_postgres(POSTGRES / "initdb", "-D", self.folder / "data", "-U", "postgres",
                          "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        (self.folder / "data/pg_hba.conf").write_text(
            f"local all postgres trust\nhost all all {clients} scram-sha-256\n")
        self._as_postgres(
            POSTGRES / "pg_ctl", "-D", self.folder / "data", "-l", self.folder / "log", "-w", "-s",
            "start", "-o", f"-h {host} -p {self.port} -k {self.folder} -c max_connections=200",
            stdin=subprocess.DEVNULL)
        for role in ROLES:
            rights = " CREATEROLE" if role == "rapport_owner" else ""
            self.execute(f"CREATE ROLE {role} LOGIN{rights} PASSWORD '{self.passwords[role]}'")
        for service in SERVICES:
            self.execute(f"CREATE DATABASE rapport_{service} OWNER rapport_owner")

    def execute(self, statement, database="postgres"):
        return self._as_postgres("psql", "-X", "-q", "-A", "-t", "-h", self.folder, "-p", self.port,
                                 "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement).stdout.strip()

    def rotate(self, role):
        self.passwords[role] = secrets.token_hex(12)
        self.execute(f"ALTER ROLE {role} PASSWORD '{self.passwords[role]}'")

    def hang_up(self):
        """Ends every connection of the services."""
        return int(self.execute("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                                "WHERE usename IN ('rapport_app', 'rapport_feed')"))

    def close(self):
        self._as_postgres(POSTGRES / "pg_ctl", "-D", self.folder / "data", "-m", "immediate", "-w",
                          "-s", "stop", check=False)
        shutil.rmtree(self.folder)

    def _as_postgres(self, *words, **settings):
        return run("runuser", "-u", "postgres", "--", *words, cwd="/", **settings)


class Redis:
    def __init__(self, host=GATEWAY):
        self.host = host
        self.port = free_port(host)
        self.password = secrets.token_hex(12)
        self._process = subprocess.Popen(
            ["redis-server", "--bind", host, "--port", str(self.port), "--save", "",
             "--appendonly", "no", "--requirepass", self.password],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        until(self._answers, "redis answers")

    def _answers(self):
        return "PONG" in self.ask("ping")

    def ask(self, *words):
        return run("redis-cli", "-h", self.host, "-p", self.port, "--no-auth-warning", "-a",
                   self.password, *words, check=False).stdout

    def close(self):
        self._process.terminate()
        self._process.wait(30)
