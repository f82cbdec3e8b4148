import { createRequire } from "node:module";
import { inFolder, register } from "@ojm/conformance";
import { backend } from "@ojm/level";
import { describe, it } from "vitest";

const module = createRequire(import.meta.url).resolve("@ojm/level");
register({ describe, it }, inFolder({ type: backend, module, args: (folder) => ({ path: `${folder}/store` }) }));
