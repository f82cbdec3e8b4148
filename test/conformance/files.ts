import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Harness, inFolder, oneClient } from "@ojm/conformance";
import { backend as level } from "@ojm/level";
import { backend as sqlite } from "@ojm/sqlite";

/** A file for each case. */
export const sqliteFile: Harness = inFolder({
  type: sqlite,
  module: fileURLToPath(import.meta.resolve("@ojm/sqlite")),
  args: (folder) => ({ file: join(folder, "ojm.db") }),
});

const inLevel = inFolder({
  type: level,
  module: fileURLToPath(import.meta.resolve("@ojm/level")),
  args: (folder) => ({ path: join(folder, "ojm") }),
});

/** A folder for each case, which only one process may open: clients in others must be refused. */
export const levelFolder: Harness = {
  ...inLevel,
  async open() {
    const store = await inLevel.open();
    return { ...store, client: oneClient(store.client) };
  },
};
