import base from "../../tsup.base.mjs";

export default {
  ...base,
  entry: ["src/index.ts"],
  // The driver is fourteen CommonJS files and a search for its native part: 15 ms of each start, as a part of the bundle 5.
  noExternal: ["better-sqlite3"],
  external: ["bindings"],
  // What is bundled asks for Node's modules by `require`.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module";\nconst require = __createRequire(import.meta.url);',
  },
  esbuildPlugins: [
    {
      name: "one-error-class",
      setup(build) {
        // The native part knows one class of errors, that of who came first: a program that uses the driver too must find its own.
        const path = "better-sqlite3/lib/sqlite-error.js";
        build.onResolve({ filter: /sqlite-error$/ }, () => ({ path, external: true }));
      },
    },
  ],
};
