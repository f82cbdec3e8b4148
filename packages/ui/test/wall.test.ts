import { afterEach, describe, expect, test, vi } from "vitest";

const own = process.env["TZ"];

afterEach(() => {
  if (own === undefined) delete process.env["TZ"];
  else process.env["TZ"] = own;
});

/** Times of two years, each at another time of day, and those around the clock changes of 2026. */
const TIMES = [
  ...Array.from({ length: 150 }, (_, i) => Date.UTC(2025, 0, 1) + i * (5 * 86_400_000 + 5_025_007)),
  ...["2026-03-29T00:59:59.999Z", "2026-03-29T01:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z"].map(
    Date.parse,
  ),
  -1,
];

describe.each(["Europe/Berlin", "America/St_Johns", "Australia/Adelaide", "Pacific/Apia", "UTC"])(
  "a reader in %s",
  (zone) => {
    /** The modules as a page opened in that zone loads them. */
    async function opened() {
      process.env["TZ"] = zone;
      vi.resetModules();
      return await import("../web/src/format/wall.js");
    }

    test("sees the wall of the own zone and of UTC as of any other", async () => {
      const { localZone, wallOf } = await opened();
      expect(localZone()).toBe(zone);
      for (const at of TIMES)
        for (const shown of [zone, "UTC", "Asia/Tokyo"]) expect(wallOf(at, shown)).toMatchObject(byFormat(at, shown));
    });

    test("finds the time that a wall shows", async () => {
      const { offsetOf, timeAt } = await opened();
      for (const at of TIMES) {
        // An hour that occurs twice is two times.
        if (/2026-10-25T0[01]/.test(new Date(at).toISOString())) continue;
        expect(timeAt(at + offsetOf(at, zone), zone)).toBe(at);
      }
    });
  },
);

function byFormat(at: number, timeZone: string): object {
  const of = (options: Intl.DateTimeFormatOptions): string =>
    new Intl.DateTimeFormat("en-US", { timeZone, hourCycle: "h23", ...options }).format(at);
  const [hour, minute, second] = of({ hour: "2-digit", minute: "2-digit", second: "2-digit" }).split(":");
  return {
    year: of({ year: "numeric" }),
    month: of({ month: "short" }),
    day: of({ day: "numeric" }),
    weekday: of({ weekday: "short" }),
    ...{ hour, minute, second },
    fractionalSecond: String(((at % 1_000) + 1_000) % 1_000).padStart(3, "0"),
  };
}
