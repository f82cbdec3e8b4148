import type { KeyRange, ScanPage, ScanRequest } from "@ojm/core/backend";
import { Client } from "../simulated/client.js";
import { Server } from "../simulated/server.js";
import type { Bug } from "./bug.js";

/** Scans that return too much, too little, or the right entries in the wrong order. */
export const scans: readonly Bug[] = [
  {
    name: "a range has no end",
    killedBy: "SCP-005",
    server: class extends Server {
      protected override keysBetween(from: string): string[] {
        return super.keysBetween(from, "\uffff");
      }
    },
  },
  {
    name: "a range is a prefix of characters",
    killedBy: "KEY-024",
    server: class extends Server {
      protected override keysBetween(from: string, to: string): string[] {
        const prefix = from.replace(/ $/, "");
        const isPrefix = to === `${prefix}!`;
        return isPrefix
          ? [...this.entries.keys()].filter((key) => key.startsWith(prefix)).sort()
          : super.keysBetween(from, to);
      }
    },
  },
  {
    name: "a scan of a channel also lists channels whose names begin alike",
    killedBy: "SCP-001",
    server: class extends Server {
      protected override keysBetween(from: string, to: string): string[] {
        // Change only the range of a whole channel: it begins with the name and a space.
        if (from.indexOf(" ") !== from.length - 1 || to !== `${from.slice(0, -1)}!`) return super.keysBetween(from, to);
        return super.keysBetween(from.slice(0, -1), `${from.slice(0, -1)}\uffff`);
      }
    },
  },
  {
    name: "keys sort by the rules of a language",
    killedBy: "KEY-020",
    server: class extends Server {
      protected override keysBetween(from: string, to: string): string[] {
        return super.keysBetween(from, to).sort((a, b) => a.localeCompare(b, "en"));
      }
    },
  },
  {
    name: "keys sort in the order of writing",
    killedBy: "VRB-004",
    server: class extends Server {
      protected override keysBetween(from: string, to: string): string[] {
        return [...this.entries.keys()].filter((key) => key >= from && key < to);
      }
    },
  },
  {
    name: "a full page is the last one",
    killedBy: "SCN-001",
    server: class extends Server {
      override scan(request: ScanRequest): ScanPage {
        return { ...super.scan(request), more: false };
      }
    },
  },
  {
    name: "a single entry beyond the page is lost",
    killedBy: "SCN-020",
    server: class extends Server {
      override scan(request: ScanRequest): ScanPage {
        const page = super.scan(request);
        const rest = super.scan({ ...request, limit: request.limit + 1 });
        return { entries: page.entries, more: rest.more };
      }
    },
  },
  {
    name: "an entry is sometimes listed twice",
    killedBy: "SCN-020",
    server: class extends Server {
      override scan(request: ScanRequest): ScanPage {
        const page = super.scan(request);
        const [first] = page.entries;
        if (first === undefined || page.entries.length < 3) return page;
        return { ...page, entries: [first, ...page.entries].slice(0, request.limit) };
      }
    },
  },
  {
    name: "a backward scan holds the end of its range",
    killedBy: "SCN-003",
    server: class extends Server {
      override scan(request: ScanRequest): ScanPage {
        return super.scan(request.reverse ? { ...request, to: `${request.to}\x00` } : request);
      }
    },
  },
  {
    name: "a backward scan leaves out the first of its range",
    killedBy: "SCN-001",
    server: class extends Server {
      override scan(request: ScanRequest): ScanPage {
        if (!request.reverse) return super.scan(request);
        const [first] = this.keysBetween(request.from, request.to);
        return super.scan({ ...request, from: `${first ?? request.from}\x00` });
      }
    },
  },
  {
    name: "a page without values has no versions either",
    killedBy: "SCN-023",
    server: class extends Server {
      override scan(request: ScanRequest): ScanPage {
        const page = super.scan(request);
        return request.values ? page : { ...page, entries: page.entries.map((entry) => ({ ...entry, version: "1" })) };
      }
    },
  },
  {
    name: "a page is read entry by entry",
    killedBy: "CNC-021",
    client: class extends Client {
      override async scan(request: ScanRequest): Promise<ScanPage> {
        const page = await super.scan(request);
        const again = await Promise.all(page.entries.map(async ({ key }) => (await this.read([key]))[0]));
        return { ...page, entries: again.filter((entry) => entry !== undefined) };
      }
    },
  },
  {
    name: "a scan continues by position, not by key",
    killedBy: "SCN-032",
    client: class extends Client {
      #seen = 0;

      override async scan(request: ScanRequest): Promise<ScanPage> {
        const goesOn = request.from.endsWith("\x01");
        const range: KeyRange = { from: `${request.from.slice(0, request.from.indexOf(" "))} `, to: request.to };
        const all = await super.scan({ ...request, ...(goesOn ? range : {}), limit: 100_000 });
        const start = goesOn ? this.#seen : 0;
        const entries = all.entries.slice(start, start + request.limit);
        this.#seen = start + entries.length;
        return { entries, more: all.entries.length > this.#seen };
      }
    },
  },
];
