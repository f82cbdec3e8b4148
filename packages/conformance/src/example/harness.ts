import type { Harness } from "@ojm/conformance";
import { systemClock } from "@ojm/core/backend";
import { backend } from "./backend.js";

let stores = 0;

export const harness: Harness = {
  name: "notebook",
  async open() {
    const name = `store ${++stores}`;
    return {
      client: () => backend.open({ name }, { clock: systemClock }),
      close: async () => {},
    };
  },
};
