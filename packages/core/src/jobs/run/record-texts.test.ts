import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeValue } from "../../channel/encoding/json.js";
import { holderText } from "../../locks/entries/texts.js";
import { type Ending, ended, startedRecord } from "../records/record.js";
import { RecordTexts } from "./record-texts.js";

const text = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.constantFrom("\ud800", '"', "\\", "\u2028", ""));
const time = fc.integer({ min: -8_640_000_000_000_000, max: 8_640_000_000_000_000 });

test("the text of a record is that of its value, byte by byte, when it starts and when it ends", () => {
  const started = fc.record({
    name: text,
    startTime: time,
    holder: fc.record({ host: text, pid: fc.nat(), instance: text }),
    trigger: text,
    tick: fc.option(fc.integer(), { nil: undefined }),
    timeout: fc.double({ min: Number.MIN_VALUE, max: Number.MAX_VALUE, noNaN: true }),
  });
  const ending = fc.oneof(
    fc.constant<Ending>({ status: "completed" }),
    fc.record({ status: fc.constantFrom("failed", "timeout", "cancelled", "lost"), error: text }),
  ) as fc.Arbitrary<Ending>;
  const texts = new RecordTexts();
  fc.assert(
    fc.property(started, text, time, ending, (run, fence, now, how) => {
      const record = startedRecord(run);
      const text = texts.of(record, holderText(run.holder));
      expect(text.started).toBe(encodeValue(record));
      const end = ended(record, fence, now, how);
      expect(text.ended(end)).toBe(encodeValue(end));
    }),
  );
});

test("the text of a record has its own holder, trigger, tick and timeout, whatever the record before it had", () => {
  const holders = ["a", "b"].map((instance) => ({ host: "h", pid: 1, instance }));
  const started = fc.record({
    name: fc.constant("a"),
    startTime: fc.constant(5),
    holder: fc.constantFrom(...holders),
    trigger: fc.constantFrom("manual", "other"),
    tick: fc.constantFrom(undefined, 7),
    timeout: fc.constantFrom(1, 2),
  });
  const texts = new RecordTexts();
  fc.assert(
    fc.property(fc.array(started), (runs) => {
      for (const run of runs) {
        const record = startedRecord(run);
        expect(texts.of(record, holderText(run.holder)).started).toBe(encodeValue(record));
      }
    }),
  );
});
