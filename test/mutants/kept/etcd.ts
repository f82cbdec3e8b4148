import type { NamedMutant } from "../types.js";
import { of } from "./rows.js";

const etcdTests = [
  "packages/etcd/src/backend.test.ts",
  "packages/etcd/src/expiry/ttl.test.ts",
  "packages/etcd/src/calls/requests.test.ts",
  "packages/etcd/src/expiry/deadlines.test.ts",
  "packages/etcd/src/expiry/expiry.test.ts",
];

const leaseTests = ["packages/etcd/src/expiry/leases.test.ts"];

/** By hand, over the commit paths of etcd. */
export const etcd: readonly NamedMutant[] = [
  ...of(
    "packages/etcd/src/expiry/expiry.ts",
    etcdTests,
    [
      "E01 a read hides an expired entry",
      "    await Promise.all(expired.map(({ key, version }) => this.#remove(key, version)));\n    return undefined;",
      "    return entries;",
      "another process still sees it",
    ],
    ["E02 shown at its deadline", "return left > 0 ?", "return left > -1_000 ?", "a dead session counts as alive"],
    ["E03 the lease is not asked", "await this.#learn(raw);", "", "a newcomer waits a whole ttl"],
    [
      "E04 a commit passes an expired version",
      "if (due.length > 0) await Promise.all(due);",
      "",
      "a session that is over is renewed",
    ],
    ["E05 a remove that does not note it", "this.deadlines.gone(key, version);\n  }", "}", "each commit deletes again"],
    [
      "E06 no lease is an end",
      "return Number(TTL) < 0 ? Number.POSITIVE_INFINITY : (Number(TTL) + 1) * 1000;",
      "return (Number(TTL) + 1) * 1000;",
      "a new leader ends all sessions",
    ],
    [
      "E07 seconds rounded down",
      "(Number(TTL) + 1) * 1000",
      "Number(TTL) * 1000",
      "an entry ends up to a second too early",
    ],
  ),
  ...of(
    "packages/etcd/src/backend.ts",
    etcdTests,
    [
      "E08 an own write is not remembered",
      "this.#expiry.deadlines.seen(key, version, ttl);",
      "void key;",
      "the writer does not know the end of its own session",
    ],
    [
      "E09 any fault is tried again",
      'if (!isChannelError(error) || !error.message.includes("requested lease not found")) throw error;',
      "",
      "a commit is applied twice",
    ],
    [
      "E10 leases that are gone stay",
      "this.#leases.clear();",
      "",
      "all writes fail for a second after a lease was revoked",
    ],
    [
      "E11 a delete of nothing has an old version",
      "return deleted ? version : await this.#newRevision();",
      "return version;",
      "a version is given out twice",
    ],
    [
      "E13 more than a transaction takes",
      "if (ops > MAX_OPS) {",
      "if (ops > 2 * MAX_OPS) {",
      "the error is etcd's own",
    ],
    ["E14 a failed check is won", "if (response.succeeded) return", "if (true) return", "two hold one lock"],
  ),
  ...of(
    "packages/etcd/src/calls/requests.ts",
    etcdTests,
    [
      "E15 absence is not checked",
      'target: "Create", result: "Equal", create_revision: "0"',
      'target: "Mod", result: "Equal", mod_revision: NO_REVISION',
      "nothing can be created",
    ],
    [
      "E16 any text is a version",
      "VERSION.test(version) ? version : NO_REVISION",
      "version",
      "a check of 0 passes where nothing is",
    ],
    [
      "E17 deletes whatever is there",
      "{ compare: [compare(key, version)], success: [{ request_delete_range: { key } }], failure: [] }",
      "{ compare: [], success: [{ request_delete_range: { key } }], failure: [] }",
      "a fresh lock is deleted",
    ],
    [
      "E18 no lease",
      "lease === undefined ? put : { ...put, lease: lease.id }",
      "put",
      "an entry whose process is gone stays for ever",
    ],
  ),
  ...of(
    "packages/etcd/src/expiry/leases.ts",
    etcdTests,
    [
      "E19 a lease as short as the ttl",
      "this.#slack = WINDOW + deadline;",
      "this.#slack = 0;",
      "an entry ends before its time",
    ],
    [
      "E20 a lease for each entry",
      "return grant !== undefined && performance.now() < grant.asked + WINDOW ? grant : undefined;",
      "return undefined;",
      "etcd's leases do not scale to many",
    ],
    [
      "E21 a lease is shared for ever",
      "performance.now() < grant.asked + WINDOW ? grant",
      "grant !== null ? grant",
      "an entry ends before its time",
    ],
  ),
  ...of(
    "packages/etcd/src/expiry/leases.ts",
    leaseTests,
    [
      "E22 a failed grant is kept",
      "if (this.#grants.get(seconds) === grant) this.#grants.delete(seconds);",
      "",
      "writes fail for a second after a fault",
    ],
    [
      "E23 written after the lease may end",
      "grant.asked + seconds * 1000 - ttl",
      "grant.asked + seconds * 1000 + 1e9",
      "an entry ends before its time",
    ],
  ),
  ...of(
    "packages/etcd/src/expiry/deadlines.ts",
    etcdTests,
    [
      "E24 a deadline starts anew with each look",
      "known.version === version && known.due <= now + ttl) {",
      "known.version === version && known.due < now) {",
      "a dead session never ends where it is looked at",
    ],
    [
      "E25 a late reply displaces a later version",
      "if (known !== undefined && Number(known.version) > Number(version)) return ttl;",
      "",
      "a fresh session is judged by an old one",
    ],
    [
      "E26 what is gone is expired",
      "known !== undefined && !known.gone && known.due",
      "known !== undefined && known.due",
      "each commit deletes again",
    ],
  ),
  ...of(
    "packages/etcd/src/calls/nodes.ts",
    ["packages/etcd/src/faults.test.ts"],
    [
      "E27 what was sent and not answered is sent again",
      'if (kind === "write" && thrown.sent) throw channelErrorOf',
      "if (false) throw channelErrorOf",
      "the winner of a lock is told that another process holds it, and nobody runs",
    ],
  ),
  ...of(
    "packages/etcd/src/errors.ts",
    ["packages/etcd/src/faults.test.ts"],
    [
      "E28 what was sent was not applied",
      "const inDoubt = writing && error.sent &&",
      "const inDoubt = writing && !error.sent &&",
      "a commit that was applied is told as not applied",
    ],
  ),
  ...of(
    "packages/etcd/src/scan/large-ranges.ts",
    ["packages/etcd/src/scan/scan.test.ts"],
    [
      "E29 a part of a large range is all the rest of it",
      "less < bytes; less +=",
      "less < 0; less +=",
      "each page of a million keys has all of them counted",
    ],
  ),
  ...of(
    "packages/etcd/src/scan/scan.ts",
    ["packages/etcd/src/scan/scan.test.ts"],
    [
      "E30 an empty part ends a scan",
      "if (kvs.length === 0 && part.bytes > 0) continue;",
      "",
      "a scan shows a part of the entries as all of them",
    ],
    [
      "E31 what a part does not hold is not told",
      "return { kvs, more: more || part.bytes > 0 };",
      "return { kvs, more };",
      "a scan shows a part of the entries as all of them",
    ],
  ),
  ...of(
    "packages/etcd/src/calls/nodes.ts",
    ["packages/etcd/src/calls/nodes.test.ts"],
    [
      "E32 calls that fail together skip nodes",
      "if (member.node !== node) return;",
      "",
      "a healthy node is passed over, and calls fail though the cluster works",
    ],
  ),
];
