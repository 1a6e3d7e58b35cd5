/**
 * alerts: what operators are told of money: budgets and wallets that are used up to a threshold or refuse, usage that has become unrated. Owns
 * when that is due, that each is told once, and its delivery by webhook and email, at least once, over restarts. Does not own:
 * how much is used (ledger, books), the tables, who may read alerts (gateway).
 * Invariants: the same (kind, scope, occasion, threshold) is one alert for ever; what waits is bounded, and so are its tries;
 * nothing is sent without a setting, nor within networks of one's own unless a setting allows it.
 */
export { type Alert, crossed, type Due, type Level, refusedDue, unratedDue } from "./due.ts";
export { type AlertChannel, type Alerts, createAlerts } from "./alerts.ts";
export { emailChannel, type EmailOptions } from "./email.ts";
export { webhookChannel, webhookKey, type WebhookOptions } from "./webhook.ts";
