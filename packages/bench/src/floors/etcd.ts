import { Etcd3, type IKeyValue } from "etcd3";
import { ended, type FloorStore, type RawStore, started, startTimes } from "./floor.js";

/** Two transactions. All locks share one lease. */
export async function etcdFloor(hosts: string): Promise<FloorStore> {
  const etcd = new Etcd3({ hosts });
  const lease = etcd.lease(60);
  const leaseId = await lease.grant();
  const next = startTimes();
  const floor = {
    async run(job: string) {
      const { record, lock } = started(job, next(job));
      const [lockKey, recordKey] = [`floor/lock/${job}`, `floor/record/${job}/${record.startTime}`];
      const got = await etcd
        .if(lockKey, "Create", "==", 0)
        .then(
          etcd.put(lockKey).value(JSON.stringify(lock)).lease(leaseId),
          etcd.put(recordKey).value(JSON.stringify(record)),
        )
        .commit();
      if (!got.succeeded) throw new Error(`${job} is locked`);
      const fence = got.header.revision;
      const text = JSON.stringify(ended(record, fence, Date.now()));
      const done = await etcd
        .if(lockKey, "Mod", "==", Number(fence))
        .then(etcd.put(recordKey).value(text), etcd.delete().key(lockKey))
        .commit();
      if (!done.succeeded) throw new Error(`${job} was lost`);
    },
    async records() {
      return etcd.getAll().prefix("floor/record/").count();
    },
    async close() {
      await lease.revoke();
      etcd.close();
    },
  };
  return { floor, raw: rawStore(etcd) };
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
