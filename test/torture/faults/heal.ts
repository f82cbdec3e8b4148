/** Puts an end to a fault. */
export type Heal = () => Promise<void>;
