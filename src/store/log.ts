/** Where the store says what the operator should see; never a secret, a statement or a value. */
export type Log = (level: "debug" | "info" | "warn" | "error", message: string) => void;
