"""Processor time and memory of processes and their children, as Linux counts them."""

import os
import pathlib

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class Processes:
    """The processes that make up a server, each with its descendants."""

    def __init__(self, pids):
        self.roots = pids

    def cpu_seconds(self):
        """Spent so far, in user and system mode, with children that have ended."""
        return sum(sum(int(ticks) for ticks in fields[11:15]) for fields in map(stat, self._tree()) if fields) / TICKS_A_SECOND

    def memory_mib(self):
        """The share of each in what is resident: what several have in common counts once (PSS)."""
        return sum(proportional_kib(pid) for pid in self._tree()) / 1024

    def _tree(self):
        children = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit() and (fields := stat(int(entry))):
                children.setdefault(int(fields[1]), []).append(int(entry))
        found, waiting = [], list(self.roots)
        while waiting:
            pid = waiting.pop()
            if pid not in found:
                found.append(pid)
                waiting += children.get(pid, [])
        return found


def machine_busy_seconds():
    """What all processes together have used."""
    user, nice, system, _idle, _waiting, interrupts, soft, stolen = map(int, pathlib.Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + interrupts + soft + stolen) / TICKS_A_SECOND


def stat(pid):
    """The fields of `/proc/<pid>/stat` after the name, the state first; nothing if it has ended."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def proportional_kib(pid):
    try:
        rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")), 0)
