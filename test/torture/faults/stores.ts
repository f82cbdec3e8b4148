import { able, type Fault, NO_SERVER, ONE_PROCESS, storeIsBack } from "./fault.js";

function freeze(name: string, share: number): Fault {
  return {
    name,
    whyNot: ({ shared }) => (shared ? undefined : ONE_PROCESS),
    async inject(scene) {
      await scene.hold(4 * scene.ttl);
      scene.note("the store is stopped");
      const over = scene.trouble();
      const heal = await able(scene, "freeze")();
      await scene.sleep(share * scene.ttl);
      await heal();
      over();
      const since = scene.note("the store continues");
      // The holder keeps its lock through a short stop.
      return share < 1 ? undefined : { since, names: scene.names, bound: storeIsBack(scene.ttl) };
    },
  };
}

/** Meanwhile, locks can be taken and kept, but no run begins or ends. */
const freezeRecords: Fault = {
  name: "store of the records stopped, longer",
  whyNot: ({ apart }) => (apart ? undefined : "n/a: one store"),
  async inject(scene) {
    await scene.hold(scene.ttl);
    scene.note("the store of the records is stopped");
    const over = scene.trouble();
    const heal = await able(scene, "freezeRecords")();
    await scene.sleep(2 * scene.ttl);
    await heal();
    over();
    const since = scene.note("the store of the records continues");
    return { since, names: scene.names, bound: storeIsBack(scene.ttl) };
  },
};

function restart(name: string, data: boolean): Fault {
  return {
    name,
    whyNot: ({ networked }) => (networked ? undefined : NO_SERVER),
    async inject(scene) {
      // The holder may keep its lock through the restart.
      await scene.hold(scene.ttl);
      const from = scene.note(`the store is killed${data ? "" : ", and its data removed"}`);
      const over = scene.trouble();
      await able(scene, "restart")({ data });
      over();
      const since = scene.note("the store is back");
      if (!data) {
        scene.dataLost = { from, to: since };
        scene.excuses.push({ from, to: since });
      }
      return { since, names: scene.names, bound: storeIsBack(scene.ttl) };
    },
  };
}

const diskFull: Fault = {
  name: "disk full",
  smallDisk: true,
  whyNot: ({ type }) => {
    if (type === "simple") return "n/a: no disk";
    return type === "etcd" ? "n/a: etcd ends itself on a full disk, see store restarted" : undefined;
  },
  async inject(scene) {
    // In a store of one process silence ends no session, so the holder keeps its lock: hold it for less time.
    await scene.hold((scene.kind.shared ? 6 : 2) * scene.ttl);
    scene.note("the disk is full");
    const over = scene.trouble();
    const heal = await able(scene, "fillDisk")();
    await scene.sleep(1.8 * scene.ttl);
    await heal();
    over();
    const since = scene.note("the disk has room");
    return { since, names: scene.names, bound: storeIsBack(scene.ttl) };
  },
};

/** Faults of the store. */
export const storeFaults: readonly Fault[] = [
  freeze("store stopped, shorter", 0.4),
  freeze("store stopped, longer", 2),
  freezeRecords,
  restart("store restarted, with data", true),
  restart("store restarted, without data", false),
  diskFull,
];
