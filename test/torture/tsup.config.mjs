import { builtinModules } from "node:module";

/** What a neighbour starts its servers with. */
const HELPERS = /\/testing\/|\/conformance\/src\/proxy\/free-port\.ts$/;

/**
 * A neighbour's test helpers are bundled. Anything else of its source would be there a second time, beside
 * the built package.
 */
const onlyHelpers = {
  name: "only helpers",
  setup(build) {
    build.onLoad({ filter: /\/packages\/[^/]+\/src\// }, ({ path }) => {
      if (HELPERS.test(path)) return undefined;
      const text = `${path} would be bundled, though the workers run the built packages: import it by its package`;
      return { errors: [{ text }] };
    });
  },
};

/**
 * The harness without its types, for processes that start in a tenth of the time that tsx takes. Where it
 * goes, scripts/torture.mjs says.
 */
export default {
  entry: {
    main: "test/torture/main.ts",
    lane: "test/torture/run/lane.child.ts",
    worker: "test/torture/traffic/worker.child.ts",
  },
  format: "esm",
  target: "node20",
  external: [/^@ojm\//, ...builtinModules],
  // The clients that the helpers use can be found from their own packages only.
  noExternal: [/^(?!@ojm\/)/],
  // CommonJS that became a part of the bundle asks for Node's modules.
  banner: {
    js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);',
  },
  esbuildPlugins: [onlyHelpers],
};
