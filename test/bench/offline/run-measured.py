"""Runs a command with its output on /dev/null and prints what it took: wait4 knows CPU time and peak memory exactly."""
import json, os, sys, time

null = os.open(os.devnull, os.O_RDWR)
begin = time.monotonic()
child = os.posix_spawnp(
    # It ends when we do.
    "setpriv", ["setpriv", "--pdeathsig", "TERM", "--"] + sys.argv[1:], os.environ,
    file_actions=[(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, null, 1)],
)
_, status, usage = os.wait4(child, 0)
seconds = time.monotonic() - begin
print(json.dumps({
    "seconds": seconds,
    "cpu": usage.ru_utime + usage.ru_stime,
    "kilobytes": usage.ru_maxrss,
    "status": os.waitstatus_to_exitcode(status),
}))
