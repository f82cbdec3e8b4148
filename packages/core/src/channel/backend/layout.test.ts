import { expect, test } from "vitest";
import { systemClock } from "../../util/clock.js";
import { LayoutMark, refuseNewerLayout } from "./layout.js";

const LAYOUT = { store: "the store S", package: "@ojm/s", known: 3 };
const refused = {
  code: "INVALID_CONFIG",
  retryable: false,
  message:
    "the store S has layout 4, and this version of @ojm/s knows layouts up to 3: upgrade @ojm/s and the other packages of ojm in this program",
};

test("a store of a newer layout is refused, with its layout, the newest known one and what to upgrade", () => {
  refuseNewerLayout(1, LAYOUT);
  refuseNewerLayout(3, LAYOUT);
  expect(() => refuseNewerLayout(4, LAYOUT)).toThrow(expect.objectContaining(refused));
});

test.each([
  [undefined, "accepted"],
  ["1", "accepted"],
  ["3 and more", "accepted"],
  ["4", "INVALID_CONFIG"],
  ["4 and more", "INVALID_CONFIG"],
  // Text that is not a mark counts as none: another program must not be able to stop every process.
  ["", "accepted"],
  ["4x", "accepted"],
  ["another program", "accepted"],
])("the mark %j is %s when a store is opened, and also in later calls", (text, expected) => {
  const mark = new LayoutMark(LAYOUT, systemClock, async () => undefined);
  const codeOf = (call: () => void): unknown => {
    try {
      call();
      return "accepted";
    } catch (error) {
      return (error as { code?: unknown }).code;
    }
  };
  expect(codeOf(() => mark.accept(text))).toBe(expected);
  expect(codeOf(() => mark.assertKnown())).toBe(expected);
});

test("a mark is checked with the first write, and then every 4 s; a failed check changes nothing", async () => {
  let now = 0;
  const claims: string[] = [];
  let answer: () => Promise<string | undefined> = async () => undefined;
  const claim = (text: string): Promise<string | undefined> => {
    claims.push(text);
    return answer();
  };
  const mark = new LayoutMark(LAYOUT, { ...systemClock, monotonic: () => now }, claim);
  mark.check();
  mark.check();
  now += 3_999;
  mark.check();
  expect(claims).toEqual(["3"]);

  answer = () => Promise.reject(new Error("the store is away"));
  now += 1;
  mark.check();
  await new Promise(setImmediate);
  mark.assertKnown();

  answer = async () => "4";
  now += 4_000;
  mark.check();
  await new Promise(setImmediate);
  expect(claims).toEqual(["3", "3", "3"]);
  expect(() => mark.assertKnown()).toThrow(expect.objectContaining(refused));
});

test.each(["3", undefined, "another program"])(
  "a process that was refused checks the mark every 4 s, and continues once it is %j",
  async (corrected) => {
    let now = 0;
    let claims = 0;
    let stored: string | undefined = "4";
    const claim = async (): Promise<string | undefined> => {
      claims += 1;
      return stored;
    };
    const mark = new LayoutMark(LAYOUT, { ...systemClock, monotonic: () => now }, claim);
    mark.check();
    await new Promise(setImmediate);
    const refuse = (): void => expect(() => mark.assertKnown()).toThrow(expect.objectContaining(refused));
    refuse();
    refuse();
    expect(claims).toBe(1);

    now += 4_000;
    refuse();
    await new Promise(setImmediate);
    refuse();
    expect(claims).toBe(2);

    stored = corrected;
    now += 4_000;
    refuse();
    await new Promise(setImmediate);
    mark.assertKnown();
    expect(claims).toBe(3);
  },
);
