/** How thorough a run is: it takes seconds, a minute or two, or as long as it takes to be sure. */
export type Profile = "smoke" | "full" | "soak";

/** All profiles, the smallest first. */
export const profiles: readonly Profile[] = ["smoke", "full", "soak"];

/** Whether `text` names a profile. */
export function isProfile(text: string): text is Profile {
  return (profiles as readonly string[]).includes(text);
}
