declare module "virtual:icons" {
  import type { ICONS } from "../build/icon-names.js";

  type Nodes = readonly (readonly [string, Readonly<Record<string, string>>])[];
  const icons: Readonly<Record<keyof typeof ICONS, Nodes>>;
  export default icons;
}
declare module "virtual:palette.css" {}
