/** How every package is built. What goes in is named by its "build" script. */
export default {
  format: "esm",
  target: "node20",
  dts: true,
  sourcemap: true,
  clean: true,
};
