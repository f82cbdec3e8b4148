/** What can have open runs when the process has nothing left to do. */
interface HasOpenRuns {
  closeOpenRuns(why: string): Promise<boolean>;
}

const managers: Set<HasOpenRuns> = new Set();

function onBeforeExit(): void {
  for (const manager of managers) {
    // Its work keeps the process alive until it is done; then this is called again, and there is nothing left to close.
    manager.closeOpenRuns("its process ended without closing the run").catch(() => {});
  }
}

/** From now on, runs that are open when the process ends in good order are closed. */
export function closeOnExit(manager: HasOpenRuns): void {
  if (managers.size === 0) process.on("beforeExit", onBeforeExit);
  managers.add(manager);
}

export function forgetOnExit(manager: HasOpenRuns): void {
  managers.delete(manager);
  if (managers.size === 0) process.off("beforeExit", onBeforeExit);
}
