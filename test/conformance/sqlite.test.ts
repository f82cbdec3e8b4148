import { createRequire } from "node:module";
import { inFolder, register } from "@ojm/conformance";
import { backend } from "@ojm/sqlite";
import { describe, it } from "vitest";

const module = createRequire(import.meta.url).resolve("@ojm/sqlite");
register({ describe, it }, inFolder({ type: backend, module, args: (folder) => ({ file: `${folder}/store.db` }) }));
