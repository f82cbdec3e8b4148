declare module "virtual:icons" {
  import type { ICONS } from "../build/icons.js";

  type Nodes = readonly (readonly [string, Readonly<Record<string, string>>])[];
  const icons: Readonly<Record<keyof typeof ICONS, Nodes>>;
  export default icons;
}
declare module "virtual:palette.css" {}
