/**
 * How the declarations of every package are built, beside its programs. Types are not checked here: `npm run
 * check` does that once, for all packages.
 */
export default {
  format: "esm",
  clean: true,
  dts: { only: true, compilerOptions: { noCheck: true } },
};
