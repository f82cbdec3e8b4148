import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeValue } from "../../channel/encoding/json.js";
import { holderText } from "../../locks/entries/schema.js";
import { type Ending, ended, startedRecord } from "../records/record.js";
import { RecordTexts } from "./context.js";

const text = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.constantFrom("\ud800", '"', "\\", "\u2028", ""));
const time = fc.integer({ min: -8_640_000_000_000_000, max: 8_640_000_000_000_000 });

test("the text of a record is that of its value, byte by byte, when it starts and when it ends", () => {
  const started = fc.record({
    name: text,
    startTime: time,
    holder: fc.record({ host: text, pid: fc.nat(), instance: text }),
    trigger: text,
    timeout: fc.double({ min: Number.MIN_VALUE, max: Number.MAX_VALUE, noNaN: true }),
  });
  const extras = fc.option(
    fc.record(
      { schedule: text, tick: time, delay: fc.nat(), meta: fc.dictionary(text, text), args: fc.dictionary(text, text) },
      { requiredKeys: [] },
    ),
    { nil: undefined },
  );
  const ending = fc.oneof(
    fc.constant<Ending>({ status: "completed" }),
    fc.record({ status: fc.constantFrom("failed", "timeout", "cancelled", "lost"), error: text }),
  ) as fc.Arbitrary<Ending>;
  const texts = new RecordTexts();
  fc.assert(
    fc.property(started, extras, text, time, ending, (run, extras, fence, now, how) => {
      const record = startedRecord(run, extras);
      const text = texts.of(record, holderText(run.holder), extras);
      expect(text.started).toBe(encodeValue(record));
      const end = ended(record, fence, now, how, extras);
      expect(text.ended(end)).toBe(encodeValue(end));
    }),
  );
});

test("the text of a record has its own holder, trigger, timeout and tick, whatever the record before it had", () => {
  const holders = ["a", "b"].map((instance) => ({ host: "h", pid: 1, instance }));
  const started = fc.record({
    name: fc.constant("a"),
    startTime: fc.constant(5),
    holder: fc.constantFrom(...holders),
    trigger: fc.constantFrom("manual", "other"),
    timeout: fc.constantFrom(1, 2),
    extras: fc.constantFrom(undefined, { tick: 7 }, { meta: { a: 1 } }),
  });
  const texts = new RecordTexts();
  fc.assert(
    fc.property(fc.array(started), (runs) => {
      for (const run of runs) {
        const record = startedRecord(run, run.extras);
        expect(texts.of(record, holderText(run.holder), run.extras).started).toBe(encodeValue(record));
      }
    }),
  );
});
