import { expect, test } from "vitest";
import { JobReads, Shared } from "./source.js";

/** A read whose answers the test controls. */
function reads(): { readonly read: () => Promise<number>; readonly answers: ((value: number | Error) => void)[] } {
  const answers: ((value: number | Error) => void)[] = [];
  const read = (): Promise<number> =>
    new Promise((resolve, reject) => {
      answers.push((value) => (typeof value === "number" ? resolve(value) : reject(value)));
    });
  return { read, answers };
}

test("requests at the same time share one read, and an error is not stored", async () => {
  const { read, answers } = reads();
  const shared = new Shared(read, { life: 60_000 });
  const asked = [shared.get(), shared.get()];
  answers[0]?.(1);
  expect([await Promise.all(asked), await shared.get(), answers.length]).toEqual([[1, 1], 1, 1]);
  const failing = new Shared(read, { life: 60_000 });
  const first = failing.get();
  answers[1]?.(new Error("away"));
  await expect(first).rejects.toThrow("away");
  const second = failing.get();
  answers[2]?.(2);
  expect(await second).toBe(2);
});

test("with whileRead, the old answer is used until the new one is there", async () => {
  const { read, answers } = reads();
  const shared = new Shared(read, { life: 0, whileRead: true });
  const first = shared.get();
  answers[0]?.(1);
  expect(await first).toBe(1);
  expect([await shared.get(), await shared.get(), answers.length]).toEqual([1, 1, 2]);
  answers[1]?.(2);
  await expect.poll(() => shared.get()).toBe(2);
});

test("a read of jobs is shared until one of them changes, even while it is in progress; an error is not", async () => {
  const { read, answers } = reads();
  const memory = new JobReads();
  const get = (key: string, ...names: string[]): Promise<number> => memory.get(key, names, read);
  const first = [get("a", "a"), get("a", "a"), get("a b", "a", "b")];
  expect(answers.length).toBe(2);
  memory.changed("b");
  const second = [get("a", "a"), get("a b", "a", "b")];
  expect(answers.length).toBe(3);
  for (const [i, answer] of answers.entries()) answer(i);
  expect([await Promise.all(first), await Promise.all(second)]).toEqual([
    [0, 0, 1],
    [0, 2],
  ]);
  const failing = get("c", "c");
  answers[3]?.(new Error("away"));
  await expect(failing).rejects.toThrow("away");
  const next = get("c", "c");
  answers[4]?.(4);
  expect(await next).toBe(4);
});
