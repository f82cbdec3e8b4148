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
  ["", "CORRUPT"],
  ["3x", "CORRUPT"],
  ["another program", "CORRUPT"],
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
