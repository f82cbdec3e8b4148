/** A word that programs write when they fail, unless its count is 0 or it is said not to be. */
const ERROR =
  /\b(?<!\b(?:0|no|zero|without)\s+(?:any\s+)?)(?:errors?|fatal|panic|exceptions?|traceback)\b(?!["']?\s*[=:]\s*(?:0\b|(?:null|false)(?=[,}\]]|$)))/i;

/** Whether a line speaks of an error, whatever its level: what a command prints has none. */
export const saysError = (text: string): boolean => ERROR.test(text);
