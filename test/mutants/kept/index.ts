import type { Kept } from "../types.js";
import { alerts } from "./alerts.js";
import { backends } from "./backends.js";
import { core } from "./core/index.js";
import { exec } from "./exec.js";
import { ojob } from "./ojob.js";
import { otel } from "./otel.js";
import { schedule } from "./schedule.js";
import { ui } from "./ui.js";

const all: readonly Kept[] = [core, backends, ojob, alerts, schedule, otel, exec, ui];

/** What is kept of all packages. */
export const kept: Kept = {
  named: all.flatMap(({ named }) => named),
  equivalent: all.flatMap(({ equivalent }) => equivalent),
  slow: all.flatMap(({ slow }) => slow),
  last: all.flatMap(({ last }) => last),
};
