import { isChannelError } from "@ojm/core";
import type { Backend, Duration } from "@ojm/core/backend";
import { type Case, capOf } from "../case/case.js";
import { CaseContext, sleep } from "../case/context.js";
import { Neighbours } from "../case/neighbours.js";
import type { Profile } from "../case/profile.js";
import { Random, seedFor } from "../case/random.js";
import { Skip } from "../case/skip.js";
import { refusals } from "../cases/supports/refusals.js";
import { type Harness, isFault, missing, type TestStore, undeclared } from "../harness/harness.js";
import { msOf } from "../support/duration.js";
import { within } from "../support/within.js";
import { againstKnown, type CaseResult, type Outcome } from "./result.js";

/** Options of {@link runCase}. */
export interface RunOptions {
  readonly profile: Profile;
  readonly seed: number;
  /**
   * How long to wait for something that must happen. A case waits that long only if something is wrong.
   * Default: 20 s.
   */
  readonly patience?: Duration;
}

interface Verdict {
  readonly outcome: Outcome;
  readonly reason?: string;
  readonly error?: unknown;
}

// Part of all channel names: two runs on one lasting store, such as a Redis server, must not use the same
// channels.
const RUN: string = `${process.pid.toString(36)}${Date.now().toString(36)}`;
let stores = 0;

/** Runs one case on a new store. Never rejects: an error becomes the result. */
export async function runCase(harness: Harness, it: Case, options: RunOptions): Promise<CaseResult> {
  const begun = performance.now();
  const verdict = await judge(harness, it, options);
  const result = { id: it.id, law: it.law, ...verdict, ms: Math.round(performance.now() - begun) };
  return againstKnown(it, result, harness.knownFailures?.[it.id]);
}

async function judge(harness: Harness, it: Case, options: RunOptions): Promise<Verdict> {
  let store: TestStore;
  try {
    store = await harness.open({ patient: ![...(it.needs ?? []), ...(it.uses ?? [])].some(isFault) });
  } catch (error) {
    return failed(error, "the harness opened no store");
  }
  const verdict = await onFirstClient(harness, it, options, store);
  try {
    await store.close();
  } catch (error) {
    // A store that stays may break the next case. But an error of the case itself says more.
    return verdict.outcome === "fail" ? verdict : failed(error, "the harness could not close its store");
  }
  return verdict;
}

async function onFirstClient(harness: Harness, it: Case, options: RunOptions, store: TestStore): Promise<Verdict> {
  const lacking = missing(it.needs ?? [], store);
  if (lacking !== undefined) return { outcome: "skipped", reason: `the harness has no ${lacking}` };
  try {
    return await onStore(harness, it, options, store, await store.client());
  } catch (error) {
    return failed(error, "the harness opened no client");
  }
}

async function onStore(
  harness: Harness,
  it: Case,
  options: RunOptions,
  store: TestStore,
  first: Backend,
): Promise<Verdict> {
  const { supports } = first;
  const seed = seedFor(it.id, options.seed);
  const name = `suite-${RUN}-${++stores}x`;
  const patience = msOf("patience", options.patience ?? 20_000);
  const profile = it.scales === true ? options.profile : undefined;
  const parts = { harness, store, supports, profile, patience, random: new Random(seed), seed, name };
  const context = new CaseContext(parts, first);
  const lacking = undeclared(it.needs ?? [], supports);
  const cap = capOf(it, options.profile);
  const stray = new StrayErrors();
  let verdict: Verdict = { outcome: lacking === undefined ? "pass" : "refused" };
  try {
    const law = lacking === undefined ? it.run.bind(it) : refusals[lacking];
    await withNeighbours(it, context, first, () => within(cap, law(context), `did not end within ${cap} ms`));
  } catch (error) {
    verdict = error instanceof Skip ? { outcome: "skipped", reason: error.message } : failed(error);
  }
  const errors = await context.cleanUp();
  await stray.settle();
  if (verdict.outcome === "fail") return verdict;
  if (errors.length > 0) return failed(errors[0], "cleaning up failed");
  return stray.first === undefined ? verdict : failed(stray.first, "an error was left unhandled");
}

async function withNeighbours(it: Case, context: CaseContext, first: Backend, run: () => Promise<void>): Promise<void> {
  const neighbours = new Neighbours(context.name);
  await neighbours.settle(first);
  await run();
  if (it.losesData === true) return;
  const by = await context.main();
  // After a fault the client may still be reconnecting, so try again until the deadline.
  const end = performance.now() + context.deadline;
  for (;;) {
    try {
      return await neighbours.check(by);
    } catch (error) {
      if (!isChannelError(error) || !error.retryable || performance.now() > end) throw error;
      await sleep(20);
    }
  }
}

function failed(error: unknown, what?: string): Verdict {
  const message = error instanceof Error ? error.message : String(error);
  return { outcome: "fail", reason: what === undefined ? message : `${what}: ${message}`, error };
}

type Emergency = "unhandledRejection" | "uncaughtException";

/**
 * Collects the rejections and exceptions that are not handled while a case runs: one of them would have ended
 * a program. It replaces all other listeners meanwhile, so that the case fails and not the whole test run.
 */
class StrayErrors {
  first: unknown;
  readonly #onError = (error: unknown): void => {
    this.first ??= error ?? new Error("something without a reason was thrown and not handled");
  };
  readonly #giveBack: readonly (() => void)[] = [
    this.#takeOver("unhandledRejection"),
    this.#takeOver("uncaughtException"),
  ];

  #takeOver(event: Emergency): () => void {
    const others = process.rawListeners(event) as ((...args: unknown[]) => void)[];
    process.removeAllListeners(event);
    process.on(event, this.#onError);
    return () => {
      process.off(event, this.#onError);
      for (const other of others) process.on(event, other);
    };
  }

  async settle(): Promise<void> {
    await sleep(0);
    for (const giveBack of this.#giveBack) giveBack();
  }
}
