import { type CommitOperation, type History, type Operation, seenBy, writerOf } from "./history.js";

/** What is wrong with a history, in one sentence, and the operations that show it. */
export interface Violation {
  readonly law: string;
  readonly ids: readonly number[];
}

/**
 * Which operation has which version. The answer of the operation shows it. Without an answer, another
 * operation that saw its value shows it.
 */
export class Versions {
  readonly #byVersion: Map<string, number> = new Map();
  readonly #byWriter: Map<number, string> = new Map();

  /** The operation that made `version`, -1 if none did. */
  writer(version: string): number {
    return this.#byVersion.get(version) ?? -1;
  }

  version(id: number): string | undefined {
    return this.#byWriter.get(id);
  }

  /**
   * Records that the operation `id` put something at `version`. Returns a violation if that contradicts an
   * earlier record.
   */
  bind(id: number, version: string): Violation | undefined {
    const known = this.#byWriter.get(id);
    if (known !== undefined && known !== version) {
      return {
        law: `what #${id} put was there at two versions, ${known} and ${version}: it was applied twice`,
        ids: [id],
      };
    }
    const other = this.#byVersion.get(version);
    if (other !== undefined && other !== id) {
      return { law: `#${other} and #${id} were given the same version ${version}`, ids: [other, id] };
    }
    this.#byWriter.set(id, version);
    this.#byVersion.set(version, id);
    return undefined;
  }
}

/** Finds the versions of a history, and what is wrong with them. */
export function resolveVersions(history: History): { readonly versions: Versions; readonly violation?: Violation } {
  const versions = new Versions();
  const commits = new Map<number, CommitOperation>();
  for (const operation of history) if (operation.kind === "commit") commits.set(operation.id, operation);
  for (const { id, outcome, writes } of commits.values()) {
    // A commit that puts nothing may change nothing, and may report a version that existed before.
    if (outcome.type !== "applied" || !writes.some(({ put }) => put)) continue;
    const violation = versions.bind(id, outcome.version);
    if (violation !== undefined) return { versions, violation };
  }
  for (const operation of history) {
    const violation = bindSeen(operation, commits, versions);
    if (violation !== undefined) return { versions, violation };
  }
  const violation = outOfOrder(commits, versions);
  return violation === undefined ? { versions } : { versions, violation };
}

function bindSeen(
  operation: Operation,
  commits: ReadonlyMap<number, CommitOperation>,
  versions: Versions,
): Violation | undefined {
  for (const seen of seenBy(operation)) {
    if (seen === undefined) continue;
    const writer = writerOf(seen.value);
    const commit = commits.get(writer);
    if (commit === undefined)
      return { law: `#${operation.id} saw a value that no client wrote: ${seen.value}`, ids: [operation.id] };
    if (commit.outcome.type === "refused" || commit.outcome.type === "not-applied") {
      const law = `#${operation.id} saw what #${writer} put, which got the answer that it was not applied`;
      return { law, ids: [operation.id, writer] };
    }
    const violation = versions.bind(writer, seen.version);
    if (violation !== undefined) return { law: violation.law, ids: [...violation.ids, operation.id] };
  }
  return undefined;
}

/**
 * If one put ended before another one began, the later one must have the higher version, whatever their keys.
 * Returns a violation otherwise.
 */
function outOfOrder(commits: ReadonlyMap<number, CommitOperation>, versions: Versions): Violation | undefined {
  const known = [...commits.values()].flatMap((operation) => {
    const version = versions.version(operation.id);
    return version === undefined ? [] : [{ operation, version: BigInt(version) }];
  });
  const byEnd = known.filter(({ operation }) => operation.returned < Number.POSITIVE_INFINITY);
  byEnd.sort((a, b) => a.operation.returned - b.operation.returned);
  known.sort((a, b) => a.operation.invoked - b.operation.invoked);
  let ended = 0;
  let highest: (typeof known)[number] | undefined;
  for (const { operation, version } of known) {
    for (
      let next = byEnd[ended];
      next !== undefined && next.operation.returned < operation.invoked;
      next = byEnd[++ended]
    ) {
      if (highest === undefined || next.version > highest.version) highest = next;
    }
    if (highest === undefined || highest.version < version) continue;
    const law = `#${operation.id} began after #${highest.operation.id} had ended, but its version is not above that one's`;
    return { law, ids: [highest.operation.id, operation.id] };
  }
  return undefined;
}
