import { type Cluster, type Duty, eventually } from "../cluster/nodes/cluster.js";
import type { ClusterNode } from "../cluster/nodes/node.js";
import type { Scene } from "../scene/scene.js";
import { workerHost } from "../stores/clusters/clustered.js";
import type { StoreKind } from "../stores/store.js";
import { able, type Fault, type Injected, MARGIN, storeIsBack } from "./fault.js";

/**
 * What a lost frame costs while a connection is being made, in ms: it is sent again after a second, and then
 * after two more.
 */
const FRAME_LOST = 3_000;

/** The one-way delay of a slow link in ms, and its loss in percent. */
const DELAY = 20;
const LOSS = 2;

function factsOf({ kind }: Scene): NonNullable<StoreKind["clustered"]> {
  if (kind.clustered === undefined) throw new Error(`${kind.name} is not a cluster`);
  return kind.clustered;
}

/**
 * Within how many ms every name is locked again once the cluster works again: its clients find that out, and
 * then recover as from a store that came back.
 */
function clusterIsBack(scene: Scene): number {
  return factsOf(scene).findsAgain + storeIsBack(scene.ttl);
}

/** Waits until another node leads. Recovery counts from then on: before that, no lock can be taken. */
async function succession(scene: Scene, duty: Duty, { host }: ClusterNode): Promise<number> {
  const next = await eventually("another node leads", () => able(scene, "cluster").main(duty, [host]));
  return scene.note(`${next.name} leads`);
}

/** Waits until all nodes are in sync again. */
async function healed(scene: Scene, cluster: Cluster): Promise<void> {
  await eventually("all nodes are in step", async () => (await cluster.isWhole()) || undefined);
  scene.note("all nodes are in step");
}

/** Waits for a part of the time that the clients need to find the new leader. The seed decides how long. */
function meanwhile(scene: Scene): Promise<void> {
  return scene.sleep(scene.between(0, factsOf(scene).findsAgain));
}

type Strike = (scene: Scene, cluster: Cluster, main: ClusterNode) => Promise<() => Promise<void>>;

const kill: Strike = async (_scene, _cluster, main) => {
  await main.kill();
  return () => main.start();
};

const freeze: Strike = (_scene, _cluster, main) => main.freeze();

const cutOff: Strike = async (_scene, cluster, { host }) => {
  cluster.network.cutOff([host]);
  return async () => cluster.network.join([host]);
};

/** Strikes the leading node until another node leads, and for a while longer. Then heals it. */
async function strikeMain(scene: Scene, duty: Duty, what: string, strike: Strike): Promise<Injected> {
  const cluster = able(scene, "cluster");
  await scene.hold(4 * scene.ttl);
  const main = await eventually("a node leads", () => cluster.main(duty));
  scene.note(`${main.name} ${what}`);
  const over = scene.trouble();
  const heal = await strike(scene, cluster, main);
  const since = await succession(scene, duty, main);
  over(factsOf(scene).findsAgain);
  await meanwhile(scene);
  const comesBack = scene.note(`${main.name} comes back`);
  const stale = strike === freeze && duty === "locks" ? scene.trouble() : undefined;
  await heal();
  if (strike === freeze) await standsDown(scene, cluster, duty, main, comesBack);
  await healed(scene, cluster);
  const { staleFor, findsAgain } = factsOf(scene);
  // What was sent to a node that was cut off arrives with the heal. Before the node stands down it applies
  // that and notifies the watchers, but acknowledges nothing.
  if (staleFor > 0) scene.lateNews = { from: comesBack, to: scene.now() };
  stale?.(staleFor > 0 ? findsAgain : 0);
  return { since, names: scene.names, bound: clusterIsBack(scene) + (strike === freeze ? staleFor : 0) };
}

/**
 * Waits until a resumed leader knows that it no longer leads. Until then it acts on its old state: it
 * notifies holders that their locks are gone, and watchers that records were closed. If it acknowledges
 * writes alone, it also grants locks that others have.
 */
async function standsDown(scene: Scene, cluster: Cluster, duty: Duty, main: ClusterNode, from: number): Promise<void> {
  await eventually(`${main.name} stands down`, async () => !(await cluster.leads(main)) || undefined);
  const to = scene.note(`${main.name} knows that it no longer leads`);
  const { acknowledgesAlone, staleFor } = factsOf(scene);
  if (!acknowledgesAlone && staleFor === 0) return;
  if (duty === "locks") scene.excuses.push({ from, to, ...(!acknowledgesAlone && { newsOnly: true }) });
  if (duty === "records" || !scene.kind.apart) scene.staleRecords = { from, to };
}

function onMain(name: string, duty: Duty, what: string, strike: Strike): Fault {
  return {
    name,
    whyNot: ({ apart }) => (duty === "locks" || apart ? undefined : "n/a: one node decides on locks and records"),
    inject: (scene) => strikeMain(scene, duty, what, strike),
  };
}

/** The holder is cut off together with the old leader, so that everything looks normal to the holder. */
const cutOffWithHolder: Fault = {
  name: "main node cut off with the holder",
  whyNot: () => undefined,
  async inject(scene) {
    const cluster = able(scene, "cluster");
    const { member, run } = await scene.hold(4 * scene.ttl);
    const main = await eventually("a node leads", () => cluster.main("locks"));
    const hosts = [main.host, workerHost(member.index)];
    const cut = scene.note(`${main.name} and worker ${member.index} are cut off`);
    const over = scene.trouble();
    const overForHolder = scene.trouble(member);
    cluster.network.cutOff(hosts);
    const since = await succession(scene, "locks", main);
    over(factsOf(scene).findsAgain);
    await meanwhile(scene);
    scene.note("the network is one again");
    cluster.network.join(hosts);
    await healed(scene, cluster);
    overForHolder(factsOf(scene).findsAgain);
    const { acknowledgesAlone, staleFor } = factsOf(scene);
    if (acknowledgesAlone && scene.kind.apart) scene.strayRecords = { from: cut, to: scene.now() };
    // The old master could not acknowledge the writes of the holder. It notifies the watchers of them as soon
    // as they reach it again.
    if (staleFor > 0) scene.staleRecords = { from: cut, to: scene.now() };
    return { since, names: [run.name], bound: clusterIsBack(scene), struck: member };
  },
};

/** The holder alone is cut off. The cluster continues without it. */
const holderCutOff: Fault = {
  name: "holder cut off",
  whyNot: () => undefined,
  async inject(scene) {
    const { network } = able(scene, "cluster");
    const { member, run } = await scene.hold(4 * scene.ttl);
    const since = scene.note(`worker ${member.index} is cut off`);
    const over = scene.trouble(member);
    network.cutOff([workerHost(member.index)]);
    await scene.sleep(1.8 * scene.ttl);
    network.join([workerHost(member.index)]);
    scene.note(`worker ${member.index} is back`);
    over(factsOf(scene).findsAgain);
    return { since, names: [run.name], bound: scene.ttl + MARGIN, struck: member };
  },
};

/** The other hosts are stopped: meanwhile, no write is acknowledged. */
const noQuorum: Fault = {
  name: "no quorum",
  whyNot: () => undefined,
  async inject(scene) {
    const cluster = able(scene, "cluster");
    await scene.hold(4 * scene.ttl);
    const main = await eventually("a node leads", () => cluster.main("locks"));
    const others = cluster.hosts.filter((host) => host !== main.host);
    scene.note(`all on ${others.join(" and ")} stand still`);
    const over = scene.trouble();
    const heals = await Promise.all(others.flatMap((host) => cluster.on(host)).map((node) => node.freeze()));
    await scene.sleep(1.5 * factsOf(scene).silence + 2 * scene.ttl);
    for (const heal of heals) await heal();
    scene.note("the nodes are resumed");
    await healed(scene, cluster);
    await eventually("a node leads", () => cluster.main("locks"));
    const since = scene.note("the cluster answers");
    over(factsOf(scene).findsAgain);
    return { since, names: scene.names, bound: clusterIsBack(scene) };
  },
};

/** How often the link goes down, and the shortest and longest time that it is down or up, in ms. */
const FLAPS = 6;
const SHORTEST = 150;
const LONGEST = 700;

const flapping: Fault = {
  name: "flapping link of the main node",
  whyNot: () => undefined,
  async inject(scene) {
    const cluster = able(scene, "cluster");
    await scene.hold(4 * scene.ttl);
    const { host, name } = await eventually("a node leads", () => cluster.main("locks"));
    const over = scene.trouble();
    for (let i = 0; i < FLAPS; i++) {
      scene.note(`the link of ${name} is down`);
      cluster.network.cutOff([host]);
      await scene.sleep(scene.between(SHORTEST, LONGEST));
      cluster.network.join([host]);
      scene.note(`the link of ${name} is up`);
      await scene.sleep(scene.between(SHORTEST, LONGEST));
    }
    await healed(scene, cluster);
    await eventually("a node leads", () => cluster.main("locks"));
    const since = scene.note("the cluster answers");
    over(factsOf(scene).findsAgain);
    return { since, names: scene.names, bound: clusterIsBack(scene) };
  },
};

const slow: Fault = {
  name: `network slow by ${2 * DELAY} ms, ${LOSS} % lost`,
  slowNetwork: true,
  whyNot: () => undefined,
  async inject(scene) {
    const over = slowDown(scene);
    await scene.hold(scene.ttl);
    await scene.sleep(3 * scene.ttl);
    over();
    return undefined;
  },
};

const killOnSlow: Fault = {
  name: "main node killed, network slow",
  slowNetwork: true,
  whyNot: () => undefined,
  async inject(scene) {
    const over = slowDown(scene);
    const injected = await strikeMain(scene, "locks", "is killed", kill);
    over();
    return { ...injected, bound: clusterIsBack(scene) + FRAME_LOST };
  },
};

function slowDown(scene: Scene): () => void {
  const { network } = able(scene, "cluster");
  scene.note("the network is slow");
  const over = scene.trouble();
  network.slowDown(DELAY, LOSS);
  return () => {
    network.slowDown(0, 0);
    scene.note("the network is fast");
    over(FRAME_LOST);
  };
}

/** Faults of stores of several nodes, and of the network between them and their clients. */
export const clusterFaults: readonly Fault[] = [
  holderCutOff,
  onMain("main node killed", "locks", "is killed", kill),
  onMain("main node stopped", "locks", "stands still", freeze),
  onMain("main node cut off", "locks", "is cut off", cutOff),
  cutOffWithHolder,
  onMain("main node of the records killed", "records", "is killed", kill),
  onMain("main node of the records stopped", "records", "stands still", freeze),
  noQuorum,
  flapping,
  slow,
  killOnSlow,
];
