/** Whether a spreadsheet that opens a file of CSV takes a cell that begins so for a formula, quoted or not. */
export function beginsAsFormula(text: string): boolean {
  return /^[=+\-@\t\r]/.test(text);
}

/** Whether one would compute it: names and ids may begin with a plus or a hyphen, and then call nothing. */
export function isFormula(text: string): boolean {
  return /^[=\t\r]|^[+\-@].*(\w\(|[|!])/s.test(text);
}

/** A row of CSV with its line break; a cell is quoted where it has to be (RFC 4180, section 2). */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(",")}\r\n`;
}
