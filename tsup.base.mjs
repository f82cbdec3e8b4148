/** How every package is built. What goes in is named by its "build" script. Declarations: tsup.types.mjs. */
export default {
  format: "esm",
  target: "node20",
  sourcemap: true,
  clean: true,
};
