import {
  balanceAt,
  expire,
  foreseenAt,
  type Grant,
  ledgerAmount,
  liabilityOf,
  type RatedBook,
} from "../ledger/index.ts";
import type { GrantRow, WalletKey, WalletStanding } from "../store/index.ts";
import { exactly, grantAsOf } from "./grants.ts";

/** A wallet at a moment; all in units of 10^-12. */
export interface WalletNow extends WalletKey {
  /** What its grants have left that hold now, before what was used and is not billed. */
  readonly balance: bigint;
  /** What was used, is in the books, and on no invoice yet. */
  readonly unbilled: bigint;
  /** What more can be used. Below 0: so much more was used than there was. */
  readonly available: bigint;
  /** What was paid for and is not revenue yet. */
  readonly liability: bigint;
  /** What the grants that hold now began with, less what has lapsed of them: that was not used, and is not there to be used. */
  readonly credits: bigint;
  readonly grants: readonly (GrantRow & { readonly left: bigint; readonly holdsUntilMs: number | undefined })[];
}

/** Every wallet that has grants, or usage of a prepaid organisation, in the order of its owners' ids. */
export function walletsNow(
  { grants, unbilled, closedUntilMs }: WalletStanding,
  { calendar }: RatedBook,
  nowMs: number,
): readonly WalletNow[] {
  const nameOf = ({ organisation, currency }: WalletKey): string => `${organisation}\n${currency}`;
  const rowsOf = Map.groupBy(grants, nameOf);
  const openOf = Map.groupBy(unbilled, nameOf);
  return [...new Set([...rowsOf.keys(), ...openOf.keys()])].toSorted().map((name) => {
    const [rows, open] = [rowsOf.get(name) ?? [], openOf.get(name) ?? []];
    const { organisation, currency } = (rows[0] ?? open[0])!;
    const behind = rows.map((row) => grantAsOf(row, closedUntilMs));
    const current = expire(behind, nowMs).grants;
    const periods = open.map(({ period, accrued }) => ({
      endMs: (calendar.periodOf(period) ?? calendar.periodAt(nowMs)).endMs,
      unbilled: exactly(accrued),
    }));
    const foreseen = foreseenAt(behind, periods, nowMs);
    return {
      organisation,
      currency,
      balance: ledgerAmount(balanceAt(current, nowMs)),
      unbilled: open.reduce((sum, { accrued }) => sum + accrued, 0n),
      available: ledgerAmount(foreseen.available),
      liability: liabilityOf(behind),
      credits: rows.reduce(
        (sum, { credits }, at) =>
          isOver(current[at]!, nowMs) ? sum : sum + credits - ledgerAmount(foreseen.grants[at]!.lapsed),
        0n,
      ),
      grants: rows.map((row, at) => ({
        ...row,
        left: ledgerAmount(current[at]!.left),
        holdsUntilMs: current[at]!.expiresMs,
      })),
    };
  });
}

function isOver({ expiresMs, left }: Grant, nowMs: number): boolean {
  return left.numerator === 0n || (expiresMs !== undefined && expiresMs <= nowMs);
}
