import type { Equivalent, Kept, NamedMutant } from "../types.js";

const LOCKS = "packages/core/src/locks";
const JOBS = "packages/core/src/jobs";

const named: readonly NamedMutant[] = [
  {
    name: "T04 the heartbeat thread counts its life from the answer",
    file: `${LOCKS}/stand-in.ts`,
    search: "pulse.renewed(sent + ttl, this.#now())",
    replace: "pulse.renewed(this.#now() + ttl, this.#now())",
    why: "the holder believes in its lock when the store has let it go: two run",
  },
  {
    name: "T01 the heartbeat thread renews after its deadline",
    file: `${LOCKS}/stand-in.ts`,
    search: "if (sent >= pulse.deadline) return;",
    replace: "",
    why: "a session that its owner has given up lives on in the store, and keeps the locks for another ttl",
  },
  {
    name: "C03 any ticket ahead blocks, those of the dead too",
    file: `${LOCKS}/acquisition.ts`,
    search: "for (const { session } of ahead) if (!(await this.#isDead(session))) return undefined;",
    replace: "if (ahead.length > 0) return undefined;",
    why: "who does not wait never gets a free lock behind a ticket that a process left when it was killed",
  },
  {
    name: "C03b tickets of the living do not block",
    file: `${LOCKS}/acquisition.ts`,
    search: "for (const { session } of ahead) if (!(await this.#isDead(session))) return undefined;",
    replace: "for (const { session } of ahead) if (!session) return undefined;",
    why: "who comes later passes those who wait",
  },
  {
    name: "L02 held ignores the timeout",
    file: `${LOCKS}/lease.ts`,
    search: "this.#stop.reason === undefined && !this.#overdue && this.session.alive",
    replace: "this.#stop.reason === undefined && this.session.alive",
    why: "a program that was busy beyond its timeout goes on writing while the next one runs",
  },
  {
    name: "L02b assertHeld ignores the timeout",
    file: `${LOCKS}/lease.ts`,
    search: `if (this.#overdue) throw this.#error("TIMEOUT", this.#timeoutPassed);`,
    replace: "",
    why: "as L02",
  },
  {
    name: "J09 an end after the timeout is no timeout",
    file: `${JOBS}/open-run.ts`,
    search: "    this.#lease.expireTimeout();\n",
    replace: "",
    why: "the record says that a run completed whose lock was free by then",
  },
  {
    name: "L18 the heartbeat thread is not told of a timeout",
    file: `${LOCKS}/locks.ts`,
    search: "    session.holds(until);\n",
    replace: "",
    why: "a busy program keeps its lock for longer than it may",
    tests: [`${LOCKS}/busy.test.ts`],
  },
  {
    name: "L18b the heartbeat thread does not look sooner than it meant to",
    file: `${LOCKS}/heartbeat-thread.ts`,
    search: `if (until < this.pulse.nextLook) this.#tell("look");`,
    replace: "",
    why: "as L18",
    tests: [`${LOCKS}/busy.test.ts`],
  },
  {
    name: "X01 a gap is ignored where calls are heard",
    file: `${LOCKS}/calls.ts`,
    search: "gap: () => this.#all((wake) => wake.wake()),",
    replace: "gap: () => {},",
    why: "who was called while the connection was broken lets a free lock lie",
  },
  {
    name: "L06 the callback of a lease stays with its session",
    file: `${LOCKS}/lease.ts`,
    search: "    this.session.offOver(this.#onSessionOver);\n",
    replace: "",
    why: "a process that makes runs for weeks grows by each of them",
    tests: [`${JOBS}/leaks.test.ts`],
  },
  {
    name: "L19 a lease that is over is watched on",
    file: `${LOCKS}/loss-watch.ts`,
    search: "      this.#leases.delete(lease);\n",
    replace: "",
    why: "as L06",
    tests: [`${JOBS}/leaks.test.ts`],
  },
  {
    name: "L19b the timer of a timeout stays when the lease is over",
    file: `${LOCKS}/lease.ts`,
    search: "    this.#cancelTimeout();\n",
    replace: "",
    why: "as L06",
    tests: [`${JOBS}/leaks.test.ts`],
  },
  {
    name: "J33 a run that is over stays open for its manager",
    file: `${JOBS}/open-run.ts`,
    search: "      this.#home.onOver(this);\n",
    replace: "",
    why: "as L06",
    tests: [`${JOBS}/leaks.test.ts`],
  },
  {
    name: "J33b a run that is over follows its signal on",
    file: `${JOBS}/open-run.ts`,
    search: "      this.#unfollow?.();\n",
    replace: "",
    why: "as L06, where all runs of a program are given one signal",
    tests: [`${JOBS}/leaks.test.ts`],
  },
  {
    name: "U05 the last lease of a name stays",
    file: `${LOCKS}/upkeep.ts`,
    search: "    if (this.#lastOf.get(name)?.token === token) this.#lastOf.delete(name);\n",
    replace: "",
    why: "as L06, where names are made up anew for each run",
    tests: [`${JOBS}/leaks.test.ts`],
  },
  {
    name: "U08 what was cleared away is asked for for ever",
    file: `${LOCKS}/upkeep.ts`,
    search: "    this.#abandoned.delete(token);\n",
    replace: "",
    why: "each call without an answer costs each heartbeat two reads from then on",
    tests: [`${JOBS}/leaks.test.ts`],
  },
  {
    name: "U10 a wait that is over stays among those to be ended",
    file: `${LOCKS}/locks.ts`,
    search: "      this.#waits.delete(over);\n",
    replace: "",
    why: "as L06, for each try in vain",
    tests: [`${JOBS}/leaks.test.ts`],
  },
  {
    name: "U11 a wait that is over follows its signal on",
    file: `${LOCKS}/locks.ts`,
    search: "      unfollow?.();\n",
    replace: "",
    why: "as U10",
    tests: [`${JOBS}/leaks.test.ts`],
  },
  {
    name: "U12 who waits no more is expected to be called",
    file: `${LOCKS}/acquisition.ts`,
    search: "      unexpect();\n",
    replace: "",
    why: "as U10",
    tests: [`${JOBS}/leaks.test.ts`],
  },
];

const equivalent: readonly Equivalent[] = [];

export const core: Kept = {
  named,
  equivalent,
  slow: [
    // They start processes or threads, or go through all that is in memory.
    `${LOCKS}/busy.test.ts`,
    `${JOBS}/exit.test.ts`,
    `${JOBS}/leaks.test.ts`,
    `${JOBS}/planted-bugs.test.ts`,
  ],
  last: [`${JOBS}/simulation.test.ts`],
};
