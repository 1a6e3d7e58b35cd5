/** Whether the day that a time begins with ("2026-12-01T08:00Z") is one: JavaScript takes 30 February for 2 March. */
export function isDayOfCalendar(text: string): boolean {
  const day = text.slice(0, 10);
  const atMs = Date.parse(day);
  return !Number.isNaN(atMs) && new Date(atMs).toISOString().startsWith(day);
}
