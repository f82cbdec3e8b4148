import "../setup.js";
import { vi } from "vitest";
import { main } from "./harness.js";

const [outcome = "", mostIdle = "", ...files] = process.argv.slice(2);
if (files.length > 1) await import("../setup-sharing.js");
await main({ outcome, files, mostIdle: Number(mostIdle), reset: () => void vi.restoreAllMocks() });
