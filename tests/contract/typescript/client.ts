// A client as a web terminal writes it, over types that are generated from the document: each tag's operations in use. It is compiled,
// strictly; what the document allows compiles, and what it forbids must not.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

type Schemas = components["schemas"];
const api = createClient<paths>({ baseUrl: "http://127.0.0.1:8000" });

/** The body of a success, or the problem as the API tells it. */
function said<T>(answer: { data?: T; error?: Schemas["Problem"]; response: Response }): T {
  if (answer.error) throw new Error(`${answer.error.status} ${answer.error.type}: ${answer.error.detail}`);
  if (answer.data === undefined) throw new Error(`${answer.response.status} without a body`);
  return answer.data;
}

// Auth
export async function logIn(email: string, code: () => Promise<string>): Promise<Schemas["User"]> {
  said(await api.POST("/api/v1/auth/request-otp", { body: { email } }));
  const login = said(await api.POST("/api/v1/auth/login", { body: { email, otp: await code() } }));
  api.use({
    onRequest({ request }) {
      request.headers.set("Authorization", `Bearer ${login.access_token}`);
      return request;
    },
  });
  return login.user;
}

/** The same in the query, as clients do that send no body. */
export async function askForCode(email: string): Promise<number> {
  return said(await api.POST("/api/v1/auth/request-otp", { params: { query: { email } } })).expires_in;
}

export async function beCareful(): Promise<Schemas["Profile"]> {
  said(await api.PUT("/api/v1/users/preferences", { body: { auto_trade: false } }));
  return said(await api.PUT("/api/v1/users/me", { body: { risk_tolerance: "low", preferred_sectors: ["Energy"], last_name: null } }));
}

export async function logOut(): Promise<string> {
  return said(await api.POST("/api/v1/auth/logout")).message;
}

// Stocks
export async function closes(symbol: string): Promise<Map<string, number>> {
  const query = { start_date: "2022-01-03", limit: 250, adjusted: true };
  const { prices } = said(await api.GET("/api/v1/stocks/{symbol}/prices", { params: { path: { symbol }, query } }));
  return new Map(prices.map((bar) => [bar.date, bar.close]));
}

export async function overbought(sector: Schemas["SectorName"]): Promise<string[]> {
  const { stocks } = said(await api.GET("/api/v1/stocks", { params: { query: { sector, limit: 10 } } }));
  const hot: string[] = [];
  for (const { symbol } of stocks) {
    const { features } = said(await api.GET("/api/v1/stocks/{symbol}/features", { params: { path: { symbol }, query: { limit: 1 } } }));
    // Null while the indicator warms up: strict mode makes us think of it.
    if ((features[0]?.rsi_14 ?? 0) > 70) hot.push(symbol);
  }
  return hot;
}

// Signals
export async function acceptBest(): Promise<Schemas["Order"] | undefined> {
  const query = { action: "BUY", status: "active", confidence_min: 0.4, limit: 1 } as const;
  const { signals } = said(await api.GET("/api/v1/signals", { params: { query } }));
  const [best] = signals;
  if (!best) return undefined;
  const path = { id: best.id };
  const detail = said(await api.GET("/api/v1/signals/{id}", { params: { path } }));
  if (detail.probabilities.buy < detail.probabilities.sell) return undefined;
  const header = { "Idempotency-Key": best.id };
  const decision = said(await api.POST("/api/v1/signals/{id}/action", { params: { path, header }, body: { action: "accept" } }));
  return decision.order;
}

export async function isReliable(): Promise<boolean> {
  const { brier_score: score } = said(await api.GET("/api/v1/signals/performance/summary"));
  return score !== null && score !== undefined && score < 0.66;
}

// Portfolio
export async function buy(symbol: string, quantity: number, limit?: number): Promise<Schemas["Order"]> {
  const order: Schemas["OrderRequest"] =
    limit === undefined
      ? { symbol, side: "buy", type: "market", quantity }
      : { symbol, side: "buy", type: "limit", quantity, limit_price: limit, time_in_force: "gtc" };
  const preview = said(await api.POST("/api/v1/portfolio/orders/preview", { body: order }));
  if (!preview.accepted) throw new Error(preview.limits.find((limit) => !limit.met)?.detail ?? "refused");
  return said(await api.POST("/api/v1/portfolio/orders", { body: order }));
}

export async function closeLosers(): Promise<string[]> {
  const { positions } = said(await api.GET("/api/v1/portfolio/positions", { params: { query: { status: "open" } } }));
  const losers = positions.filter((position) => (position.unrealized_pnl ?? 0) < 0);
  for (const { id } of losers) said(await api.DELETE("/api/v1/portfolio/positions/{id}", { params: { path: { id } } }));
  return losers.map((position) => position.symbol);
}

export async function wholeLedger(): Promise<Schemas["LedgerEntry"][]> {
  const entries: Schemas["LedgerEntry"][] = [];
  for (let cursor: string | undefined; ; ) {
    const page = said(await api.GET("/api/v1/portfolio/ledger", { params: { query: cursor === undefined ? {} : { cursor } } }));
    entries.push(...page.entries);
    if (!page.next_cursor) return entries;
    cursor = page.next_cursor;
  }
}

export async function isHonest(): Promise<boolean> {
  return said(await api.GET("/api/v1/portfolio/ledger/verify")).valid;
}

// Data
export async function fetchPrices(symbols: string[]): Promise<Schemas["RunStateName"]> {
  const started = said(await api.POST("/api/v1/data/ingest/stocks", { body: symbols, params: { query: { days_back: 30 } } }));
  // 202 names the run to come, 200 is the finished one.
  const run_id = "run_id" in started ? started.run_id : started.id;
  return said(await api.GET("/api/v1/data/runs/{run_id}", { params: { path: { run_id } } })).state;
}

// Charts
export async function chart(symbol: string): Promise<string> {
  const params = { path: { symbol }, query: { limit: 250, theme: "dark" } } as const;
  return said(await api.GET("/api/v1/stocks/{symbol}/chart", { params, parseAs: "text" }));
}

// Admin
export async function retire(id: string): Promise<boolean> {
  const path = { id };
  said(await api.PUT("/api/v1/admin/users/{id}/role", { params: { path }, body: { role: "viewer" } }));
  return said(await api.POST("/api/v1/admin/users/{id}/deactivate", { params: { path } })).is_active;
}

// System
export async function isWell(): Promise<boolean> {
  const { data } = await api.GET("/health");
  return data?.status === "healthy";
}

// Clock
export async function nextSession(): Promise<string> {
  return said(await api.POST("/api/v1/clock/advance", { body: { to: "next_session" } })).now;
}

// What the document forbids.
export const forbidden: Schemas["OrderRequest"][] = [
  // @ts-expect-error A limit order needs its limit.
  { symbol: "KO", side: "buy", type: "limit", quantity: 1 },
  // @ts-expect-error A market order has none.
  { symbol: "KO", side: "buy", type: "market", quantity: 1, limit_price: 60 },
  // @ts-expect-error Shares or dollars: something must be wanted.
  { symbol: "KO", side: "buy", type: "market" },
  // @ts-expect-error There is no such side.
  { symbol: "KO", side: "short", type: "market", quantity: 1 },
];

// @ts-expect-error A quantity belongs to an acceptance.
export const rejection: Schemas["SignalDecision"] = { action: "reject", quantity: 5 };
