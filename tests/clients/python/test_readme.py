"""The front page and the clients' page do what they say: every command on them is run, one after the other,
against a suite as `deploy/local/run --keep` leaves it, and prints what is shown.

A block of `console` has commands after "$ ", each with what it prints. Ids, instants and versions of tools
may differ; "…" stands for what is left out, in a line or for whole lines. What is set up for the page is
what the two set-up commands leave; they are not run here (tests/run is what runs this)."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from suite import BINARIES, ROOT, SERVICES, Suite

FRONT = ROOT / "README.md"
CLIENTS = ROOT / "deploy/clients/README.md"
SET_UP = ("deploy/local/run", "tests/run")
STORY = ROOT / "tools/rapportctl/story/stories/s1-role-dispute.textproto"
PORTS = {"scheduling": 7401, "assessment": 7402, "notes": 7403}
PATIENCE = 120  # seconds, for a page or the story

MASKS = (
    (re.compile(r"\b[0-9a-hjkmnp-tv-z]{26}\b", re.I), "<id>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?"), "<time>"),
    (re.compile(r"^grpc \S+$", re.M), "grpc <version>"),
)


def blocks(page):
    """Fenced blocks of a page as (language, text)."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(), re.M | re.S)


def steps(page):
    """Commands of a page with what is shown of their output."""
    found = []
    for language, text in blocks(page):
        if language != "console":
            continue
        lines = iter(text.splitlines())
        for line in lines:
            if not line.startswith("$ "):
                found[-1][1].append(line)
                continue
            command = line[2:]
            while command.endswith("\\") or command.count("'") % 2 == 1:
                command += "\n" + next(lines)
            found.append((command, []))
    return [(command, "\n".join(shown)) for command, shown in found]


def mask(text):
    text = "\n".join(line.rstrip() for line in text.strip().splitlines())
    for pattern, mark in MASKS:
        text = pattern.sub(mark, text)
    return text


def is_shown(shown, printed):
    """Whether that is what was printed, where "…" may be anything."""
    pattern = "".join(r"(?:.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*") + "\n"
                      for line in mask(shown).split("\n"))
    return re.fullmatch(pattern, mask(printed) + "\n") is not None


class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.suite = Suite(clock="2026-01-01T00:00:00Z")
        cls.addClassCleanup(cls.stop_cleanly)
        cls.suite.start()
        played = subprocess.run(
            [str(BINARIES / "rapportctl"), "story", "play", str(STORY),
             f"--keys_dir={cls.suite.home / 'keys'}", f"--clock_file={cls.suite.clock_file}",
             *cls.suite.targets], capture_output=True, text=True, timeout=PATIENCE)
        assert played.returncode == 0, played.stderr[-2000:]

    @classmethod
    def stop_cleanly(cls):
        statuses = cls.suite.stop()
        assert statuses == dict.fromkeys(SERVICES, 0), f"the services exited with {statuses}"

    def run_page(self, page):
        """Runs a page's commands in one shell. Yields (command, shown, printed, status)."""
        todo = steps(page)
        with tempfile.TemporaryDirectory(prefix="rapport-page-") as scratch:
            here = pathlib.Path(scratch)
            (here / "build/local").mkdir(parents=True)
            (here / "build/release").mkdir()
            (here / "build/local/keys").symlink_to(self.suite.home / "keys")
            (here / "build/release/bin").symlink_to(BINARIES)
            (here / "quickstart.py").symlink_to(ROOT / "build/clients/python/quickstart.py")
            # The suite of a test has other ports.
            (here / "config.json").write_text(json.dumps({"context": "local", "contexts": {"local": {
                f"{service}_target": address for service, address in self.suite.addresses.items()}}}))
            script = ""
            for number, (command, _) in enumerate(todo):
                for service, port in PORTS.items():
                    command = command.replace(f"127.0.0.1:{port}", self.suite.addresses[service])
                script += f"{command}\nprintf '\\036%d %d\\036' {number} $?\n"
            ended = subprocess.run(
                ["bash", "-c", script], cwd=here, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL, text=True, timeout=PATIENCE,
                env={**os.environ, "RAPPORT_CONFIG": str(here / "config.json"),
                     "PATH": f"{pathlib.Path(sys.executable).parent}:{BINARIES}:{os.environ['PATH']}"})
        parts = ended.stdout.split("\x1e")
        self.assertEqual(len(parts), 2 * len(todo) + 1, ended.stdout[-2000:])
        for (command, shown), printed, told in zip(todo, parts[::2], parts[1::2]):
            yield command, shown, printed, int(told.split()[1])

    def check(self, page):
        for command, shown, printed, status in self.run_page(page):
            with self.subTest(command=command):
                # What fails is shown to fail.
                fails = re.match(r"rapportctl [a-z -]+: [A-Z_]+ ", shown) is not None
                self.assertEqual(status != 0, fails, printed)
                if not is_shown(shown, printed):
                    self.assertMultiLineEqual(mask(shown), mask(printed))

    def test_the_front_pages_commands_print_what_it_shows(self):
        self.assertGreater(len(steps(FRONT)), 10)
        self.check(FRONT)

    def test_the_clients_pages_commands_print_what_it_shows(self):
        self.assertGreater(len(steps(CLIENTS)), 3)
        self.check(CLIENTS)


class Shape(unittest.TestCase):
    def test_two_commands_set_up_and_all_others_are_run_here(self):
        languages = {}
        for language, text in blocks(FRONT):
            languages.setdefault(language, []).append(text)
        self.assertLessEqual(set(languages), {"", "sh", "console"})
        self.assertEqual([line.split()[0] for text in languages["sh"] for line in text.splitlines()],
                         list(SET_UP))
        for command in SET_UP:
            self.assertTrue(os.access(ROOT / command, os.X_OK), command)
        # Pictures and lists are no commands.
        for text in languages[""]:
            self.assertNotRegex(text, r"(?m)^(\$ |rapportctl )")

    def test_links_lead_somewhere(self):
        for page in (FRONT, CLIENTS):
            for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
                if not target.startswith("http"):
                    self.assertTrue((page.parent / target).exists(), f"{page.name}: {target}")

    def test_what_differs_is_found(self):
        self.assertTrue(is_shown("a 01kb2y8v7m3q9c4d5e6f7g8h9j\n…\nz", "a 01kb2y8v7m3q9c4d5e6f7g8h9k\nb\nc\nz"))
        self.assertTrue(is_shown("told … of 3", "told at 2026-01-01T00:00:00Z of 3"))
        self.assertTrue(is_shown("a\n…", "a\nb\nc"))
        self.assertFalse(is_shown("a\n…\nz", "a\nb\nc"))
        self.assertFalse(is_shown("total 11", "total 12"))
        self.assertFalse(is_shown("a\nc", "a\nb\nc"))


if __name__ == "__main__":
    unittest.main()
