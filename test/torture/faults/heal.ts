/** Ends a fault. */
export type Heal = () => Promise<void>;
