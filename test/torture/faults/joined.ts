import { able, type Fault, storeIsBack } from "./fault.js";

/** How many runs a worker asks for in one turn. */
const RUNS = 8;

/**
 * Loses the answer of one call of several commits, until its deadline has passed. The server has applied what
 * it did not refuse: each run of the call must be told that its outcome is unknown, and what the call left
 * behind must be found.
 */
export const joinedFault: Fault = {
  name: "joined script call times out",
  whyNot: ({ type }) => (type === "redis" ? undefined : "n/a: each commit is a call of its own"),
  async inject(scene) {
    const member = scene.pick(scene.living);
    const told = (): number => member.all("unanswered").filter(({ unknown }) => unknown).length;
    const lost = able(scene, "loseJoined")(member.index);
    const over = scene.trouble(member);
    const before = told();
    member.order({ order: "burst", runs: RUNS });
    const { commits, starts, heal } = await lost;
    scene.note(`worker ${member.index}: the answer of a call of ${commits} commits, ${starts} of them starts, is lost`);
    await scene.until(() => told() >= before + starts, `each of the ${starts} runs is told that it is unknown`);
    await heal();
    over();
    const since = scene.note("answers arrive again");
    return { since, names: scene.names, bound: storeIsBack(scene.ttl) };
  },
};
