import { builtinModules } from "node:module";

/**
 * The helpers by which the tests of other packages start and stop servers, and the form of a fence and of
 * durations: functions without state, which may be bundled twice.
 */
const HELPERS =
  /\/testing(-kit)?\/|\/conformance\/src\/(proxy\/(free-port|process-tree|server-process)|support\/duration)\.ts$|\/core\/src\/(channel\/encoding\/version|util\/duration)\.ts$/;

/**
 * Bundles the test helpers of other packages. Their other sources would be loaded a second time, beside the
 * built package.
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
 * Builds the harness as JavaScript, whose processes start in a tenth of the time that tsx takes.
 * scripts/lib/programs.mjs sets the output folder.
 */
export default {
  entry: {
    main: "test/torture/main.ts",
    lane: "test/torture/run/lane.child.ts",
    worker: "test/torture/traffic/worker.child.ts",
    stock: "test/torture/validate/stock.child.ts",
    contents: "test/torture/validate/contents.child.ts",
    replica: "test/torture/kill-run/replica.child.ts",
  },
  format: "esm",
  target: "node20",
  external: [/^@ojm\/(?!testing\/)/, ...builtinModules],
  // Bundle the clients that the helpers use: they can be found from their own packages only.
  noExternal: [/^(?!@ojm\/(?!testing\/))/],
  // Bundled CommonJS calls `require` for Node's modules.
  banner: {
    js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);',
  },
  esbuildPlugins: [onlyHelpers],
};
