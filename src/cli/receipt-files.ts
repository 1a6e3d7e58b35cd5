// The names under which `receipt get` saves what belongs to a receipt, and `receipt verify` finds it again.

export const logKeyFile = "bailiwick-log-key.txt";

/** The file of a receipt's proof, beside the receipt's own. */
export function proofFileOf(receiptFile: string): string {
  return `${receiptFile.replace(/\.json$/, "")}.tlog-proof`;
}
