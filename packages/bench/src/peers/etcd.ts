import { Etcd3 } from "etcd3";
import { ended, started, startTimes, TTL } from "../floors/floor.js";
import type { Contestant } from "../run/contestant.js";

/** The driver's own lock, which takes a lease for each turn, and two puts. */
export function etcdLockPeer(hosts: string): Contestant {
  const etcd = new Etcd3({ hosts });
  const next = startTimes();
  return {
    async run(job) {
      const lock = await etcd
        .lock(`peer/lock/${job}`)
        .ttl(TTL / 1_000)
        .acquire();
      const { record } = started(job, next(job));
      const put = etcd.put(`peer/record/${job}/${record.startTime}`);
      await put.value(JSON.stringify(record));
      await etcd.put(`peer/record/${job}/${record.startTime}`).value(JSON.stringify(ended(record, "", Date.now())));
      await lock.release();
    },
    records: () => etcd.getAll().prefix("peer/record/").count(),
    async close() {
      etcd.close();
    },
  };
}
