/**
 * The sockets and listeners that keep this process alive. A handle takes a turn of the loop to go after its close, so tests poll this.
 * Pipes are left out: the test runner has its own, and timers likewise.
 */
export function openHandles(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => name.startsWith('TCP'))
    .sort();
}
