import { able, type Fault, storeIsBack } from "./fault.js";

/** How many runs a worker requests in one turn. */
const RUNS = 8;

/** How many such turns may pass without a call that starts several runs. */
const TURNS = 25;

/**
 * Loses the answer of one call of several commits, until its deadline has passed. The server has applied the
 * commits that it did not refuse: each run of the call must learn that its outcome is unknown, and the
 * leftovers of the call must be found.
 */
export const joinedFault: Fault = {
  name: "joined script call times out",
  whyNot: ({ type }) => (type === "redis" || type === "postgres" ? undefined : "n/a: each commit is a call of its own"),
  async inject(scene) {
    const member = await scene.claim();
    const lose = able(scene, "loseJoined")(member.index);
    const over = scene.trouble(member);
    const bursts = (): number => member.all("burst").length;
    for (let turn = 1; lose.call === undefined; turn++) {
      if (turn > TURNS) throw new Error(`in ${TURNS} turns with ${RUNS} runs each, no call started several runs`);
      const before = bursts();
      member.order({ order: "burst", runs: RUNS });
      await scene.until(() => lose.call !== undefined || bursts() > before, `the runs of turn ${turn} are settled`);
    }
    const { commits, tokens } = lose.call;
    scene.note(
      `worker ${member.index}: lost the answer of a call of ${commits} commits, ${tokens.length} of them starts`,
    );
    const told = (token: string): boolean =>
      member.all("unanswered").some((attempt) => attempt.token === token && attempt.unknown);
    await scene.until(() => tokens.every(told), `each of the ${tokens.length} runs has an unknown outcome`);
    await lose.heal();
    over();
    const since = scene.note("answers arrive again");
    return { since, names: scene.names, bound: storeIsBack(scene.ttl) };
  },
};
