import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeValue } from "../../channel/encoding/json.js";
import { holderText, lockText } from "./schema.js";

const text = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.constantFrom("\ud800", '"', "\\", "\u2028", ""));
const number = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant(-0));

test("the text of a lock is that of its value, byte by byte", () => {
  const holder = fc.record({ host: text, pid: number, instance: text });
  const lock = fc.record({ name: text, token: text, since: number, timeout: number, until: number });
  fc.assert(
    fc.property(lock, holder, fc.jsonValue(), ({ name, token, since, timeout, until }, by, note) => {
      const value = { name, holder: by, token, since, timeout, until, note };
      expect(lockText(value, holderText(by), encodeValue(note))).toBe(encodeValue(value));
    }),
  );
});
