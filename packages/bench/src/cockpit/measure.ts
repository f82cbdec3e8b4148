import type { OpenStore, Store } from "../stores.js";
import { Cockpit } from "./cockpit.js";
import { fill } from "./fill.js";
import type { Answered, Folded } from "./messages.js";
import { type ApiDocument, type Question, questionsOf } from "./questions.js";
import { type Filling, SPAN } from "./records.js";
import { type Asked, type Row, rowOf, type SizeRow } from "./rows.js";

/** How many names have runs. */
const NAMES = 500;

/** In how many parts a question is asked, so that other load of the machine affects all stores alike. */
const ROUNDS = 4;

/** How a store is measured. */
export interface Measuring {
  readonly document: ApiDocument;
  /** How many runs the small and the large store have. */
  readonly sizes: readonly [number, number];
  /** How often each question is asked. */
  readonly times: number;
  onSize(row: SizeRow): void;
  onRow(row: Row): void;
}

/** A filled store and its UI. */
interface Side {
  readonly filling: Filling;
  readonly open: OpenStore;
  readonly cockpit: Cockpit;
}

/** Asks the UIs of a small and of a large store the same questions, in turns. */
export async function measureCockpit(store: Store, measuring: Measuring): Promise<void> {
  const { document, sizes, times, onRow } = measuring;
  const sides: Side[] = [];
  try {
    for (const total of sizes) sides.push(await openSide(store, total, measuring));
    const asked = sides.map(({ filling }) => questionsOf(document, filling));
    for (const i of asked[0]?.keys() ?? []) {
      const questions = asked.map((all) => all[i] as Question);
      const [small, large] = await askInTurns(sides, questions, times);
      if (small !== undefined && large !== undefined)
        onRow(rowOf(store.name, questions[0]?.text ?? "", { small, large }));
    }
  } finally {
    for (const { cockpit, open } of sides) {
      await cockpit[Symbol.asyncDispose]();
      await open.close();
    }
  }
}

async function openSide(store: Store, total: number, { onSize }: Measuring): Promise<Side> {
  const open = await store.open();
  try {
    const filling: Filling = { total, names: NAMES, now: Date.now() };
    const began = performance.now();
    await fill(open, filling);
    const filled = performance.now() - began;
    const cockpit = await Cockpit.start(open);
    const folded: Folded = await cockpit.fold(filling.now - SPAN, filling.now);
    onSize({ store: store.name, runs: total, filled, ...folded });
    return { filling, open, cockpit };
  } catch (error) {
    await open.close();
    throw error;
  }
}

async function askInTurns(sides: readonly Side[], questions: readonly Question[], times: number): Promise<Asked[]> {
  const asked: Asked[] = [];
  // The first one is reported separately: the UI learns the names by it, and code is compiled.
  for (const [i, { cockpit }] of sides.entries()) {
    const first = await cockpit.ask(questions[i] as Question, 1);
    await cockpit.ask(questions[i] as Question, 2);
    asked.push({ first: first.ms[0] ?? Number.NaN, all: [] });
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, { cockpit }] of sides.entries()) {
      const answered: Answered = await cockpit.ask(questions[i] as Question, Math.ceil(times / ROUNDS));
      asked[i]?.all.push(answered);
    }
  }
  return asked;
}
