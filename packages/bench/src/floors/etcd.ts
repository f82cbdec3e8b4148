import { Etcd3, type IKeyValue } from "etcd3";
import type { RawStore } from "../run/contestant.js";
import { ended, type Floor, SESSION, session, started, startTimes, TTL } from "./floor.js";

const SESSION_KEY = `floor/session/${SESSION}`;

/** Two transactions. All locks share the lease of the session, which the driver renews. */
export async function etcdFloor(hosts: string): Promise<Floor> {
  const etcd = new Etcd3({ hosts });
  const lease = etcd.lease(TTL / 1_000);
  const leaseId = await lease.grant();
  await etcd.put(SESSION_KEY).value(JSON.stringify(session)).lease(leaseId);
  const next = startTimes();
  return {
    async run(job) {
      const { record, lock } = started(job, next(job));
      const [lockKey, recordKey] = [`floor/lock/${job}`, `floor/record/${job}/${record.startTime}`];
      const got = await etcd
        .if(SESSION_KEY, "Create", "!=", 0)
        .and(lockKey, "Create", "==", 0)
        .and(`floor/queue/${job}`, "Create", "==", 0)
        .then(
          etcd.put(lockKey).value(JSON.stringify(lock)).lease(leaseId),
          etcd.put(recordKey).value(JSON.stringify(record)),
          etcd.put(`floor/time/${record.startTime}/${job}`).value(""),
        )
        .commit();
      if (!got.succeeded) throw new Error(`${job} is locked, or the session is over`);
      const fence = got.header.revision;
      const text = JSON.stringify(ended(record, fence, Date.now()));
      const done = await etcd
        .if(SESSION_KEY, "Create", "!=", 0)
        .and(lockKey, "Mod", "==", Number(fence))
        .then(etcd.put(recordKey).value(text), etcd.delete().key(lockKey))
        .commit();
      // The waiters watch the key of the lock, so etcd notifies them.
      if (!done.succeeded) throw new Error(`${job} was lost`);
    },
    async records() {
      const count = (kind: string): Promise<number> => etcd.getAll().prefix(`floor/${kind}/`).count();
      return Math.min(await count("record"), await count("time"));
    },
    async close() {
      await lease.revoke();
      etcd.close();
    },
    verbs: rawStore(etcd),
  };
}

function rawStore(etcd: Etcd3): RawStore {
  return {
    async get(key) {
      const found: IKeyValue | undefined = (await etcd.get(`raw/${key}`).exec()).kvs[0];
      return found === undefined ? undefined : JSON.parse(found.value.toString());
    },
    async set(key, value) {
      await etcd.put(`raw/${key}`).value(JSON.stringify(value));
    },
    async compareAndSet(key, version, value) {
      const at = `cas/${key}`;
      const { succeeded, header } = await etcd
        .if(at, "Mod", "==", Number(version ?? 0))
        .then(etcd.put(at).value(JSON.stringify(value)))
        .commit();
      return succeeded ? header.revision : undefined;
    },
  };
}
