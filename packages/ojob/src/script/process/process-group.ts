import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** The processes of a group, as `/proc` shows them. */
export class ProcessGroup {
  readonly #id: number;
  /** Members that were seen alive last. */
  #living: readonly number[] = [];

  /** `id` is the process id of the first process of the group. */
  constructor(id: number) {
    this.#id = id;
  }

  /**
   * Whether every process of the group is a zombie. A zombie does nothing any more, but it keeps its group
   * until its parent reaps it. As the first process of a container ojm is the parent of all orphans, and Node
   * reaps only its own children. False also where the system does not tell.
   */
  get hasOnlyZombies(): boolean {
    // A look at all processes of the machine takes long: look at those that were alive before first.
    if (this.#living.some((pid) => this.#stateOf(pid) === "alive")) return false;
    const members = processes().map((pid) => ({ pid, state: this.#stateOf(pid) }));
    this.#living = members.flatMap(({ pid, state }) => (state === "alive" ? [pid] : []));
    return this.#living.length === 0 && members.some(({ state }) => state === "zombie");
  }

  /** `undefined` if the process is gone, or belongs to another group. */
  #stateOf(pid: number): "alive" | "zombie" | undefined {
    const stat = tryRead(() => readFileSync(`/proc/${pid}/stat`, "utf8")) ?? "";
    // The command name stands in parentheses and may hold anything: count the fields from the last one.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state = "", , group] = fields;
    if (Number(group) !== this.#id) return undefined;
    // The first thread of a process may be a zombie while others go on.
    return "ZX".includes(state) && Number(fields[17]) <= 1 ? "zombie" : "alive";
  }
}

/** All processes of this pid namespace; none if there is no `/proc` of it. */
function processes(): number[] {
  if (tryRead(() => readlinkSync("/proc/self")) !== String(process.pid)) return [];
  return (tryRead(() => readdirSync("/proc")) ?? []).flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
}

function tryRead<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
