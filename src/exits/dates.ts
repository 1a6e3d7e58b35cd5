const dayMs = 86_400_000;

/** The days of an exit, each the end of what it is named for. */
export interface ExitDates {
  readonly noticeUntil: Date;
  readonly transitionUntil: Date;
  readonly retrievalUntil: Date;
}

/** Two months, as the calendar has them (art. 25(2)(d)): of 31 December the last day of February. */
export function twoMonthsAfter(from: Date): Date {
  const later = new Date(from);
  later.setUTCDate(1);
  later.setUTCMonth(later.getUTCMonth() + 2);
  const lastDay = new Date(Date.UTC(later.getUTCFullYear(), later.getUTCMonth() + 1, 0)).getUTCDate();
  later.setUTCDate(Math.min(from.getUTCDate(), lastDay));
  return later;
}

/** Transition: 30 days (art. 25(2)(a)), more only where the tenant asks (25(5)); then 30 days to fetch data (25(2)(g)). */
export function exitDates(noticedAt: Date, days: { readonly notice: number; readonly transition: number }): ExitDates {
  const after = (from: Date, count: number): Date => new Date(from.getTime() + count * dayMs);
  const latest = twoMonthsAfter(noticedAt);
  const wanted = after(noticedAt, days.notice);
  const noticeUntil = wanted < latest ? wanted : latest;
  const transitionUntil = after(noticeUntil, days.transition);
  return { noticeUntil, transitionUntil, retrievalUntil: after(transitionUntil, retrievalDays) };
}

const retrievalDays = 30;
