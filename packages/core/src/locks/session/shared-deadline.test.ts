import { expect, test } from "vitest";
import { SharedDeadline } from "./heartbeat-thread.js";

test("each thread reads of a session what the other thread noted", () => {
  const mine = new SharedDeadline();
  const theirs = new SharedDeadline(mine.memory);
  const read = ({ deadline, timeout, nextLook, lost, connected }: SharedDeadline): unknown[] => [
    deadline,
    timeout,
    nextLook,
    lost,
    connected,
  ];
  expect(read(theirs)).toEqual([0, 0, 0, false, false]);
  mine.renewed(1_000, 0);
  expect(read(theirs)).toEqual([1_000, 0, 0, false, false]);
  mine.timeout = Number.POSITIVE_INFINITY;
  expect(read(theirs)).toEqual([1_000, Number.POSITIVE_INFINITY, 0, false, false]);
  theirs.nextLook = 300;
  expect(read(mine)).toEqual([1_000, Number.POSITIVE_INFINITY, 300, false, false]);
  theirs.connect();
  expect(read(mine)).toEqual([1_000, Number.POSITIVE_INFINITY, 300, false, true]);
  theirs.lose();
  expect(read(mine)).toEqual([1_000, Number.POSITIVE_INFINITY, 300, true, true]);
});
