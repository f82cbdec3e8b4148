interface HasOpenRuns {
  closeOpenRuns(why: string): Promise<boolean>;
}

const managers: Set<HasOpenRuns> = new Set();

function onBeforeExit(): void {
  for (const manager of managers) {
    // This work keeps the process alive. After it Node emits `beforeExit` again, and no run is open then.
    manager.closeOpenRuns("its process ended without closing the run").catch(() => {});
  }
}

/** Closes the open runs of `manager` when the process ends normally. */
export function closeOnExit(manager: HasOpenRuns): void {
  if (managers.size === 0) process.on("beforeExit", onBeforeExit);
  managers.add(manager);
}

export function forgetOnExit(manager: HasOpenRuns): void {
  managers.delete(manager);
  if (managers.size === 0) process.off("beforeExit", onBeforeExit);
}
