/** The page of charts in the demo's colours and type. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --sans: ui-sans-serif, system-ui, -apple-system, "Segoe UI", "Noto Sans", "Liberation Sans", sans-serif;
  --serif: "Iowan Old Style", "Palatino Linotype", Palatino, P052, "Noto Serif", Georgia, serif;
  --paper: #f8f7f3; --card: #fffefb; --ink: #1d1f23; --muted: #62666d; --line: #e4e1d8;
  --accent: #1f5f6b; --accent-soft: #c9e0e0; --limit: #c2502e; --good: #2c7a4b; --bad: #a8322b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #131519; --card: #1a1d22; --ink: #e9e7e1; --muted: #9da1a9; --line: #2d3138;
    --accent: #63b5be; --accent-soft: #26474d; --limit: #f0825c; --good: #6fc08c; --bad: #ea8074;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1080px; padding: 0 24px 32px; background: var(--paper); color: var(--ink);
  font: 400 14px/1.45 var(--sans); font-variant-numeric: tabular-nums; }
header { display: flex; flex-wrap: wrap; gap: 6px 24px; align-items: baseline; justify-content: space-between;
  padding: 16px 0 14px; }
header p { margin: 0; color: var(--muted); }
h1 { margin: 0; font: 500 23px/1.1 var(--serif); letter-spacing: -0.01em; }
h2 { margin: 0 0 8px; font: 500 17px/1.2 var(--serif); }
h3 { margin: 14px 0 6px; font: 600 13px/1.3 var(--sans); }
h3 small, footer { color: var(--muted); font-weight: 400; }
section { margin: 0 0 14px; padding: 14px 18px 16px; background: var(--card); border: 1px solid var(--line);
  border-radius: 10px; overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: 4px 12px 4px 0; border-bottom: 1px solid var(--line); text-align: left; }
th { color: var(--muted); font-weight: 400; }
td:nth-child(n + 3) { white-space: nowrap; }
tr:last-child td { border-bottom: 0; }
.good { color: var(--good); }
.bad { color: var(--bad); }
.row { display: grid; grid-template-columns: minmax(180px, 34%) 1fr 84px; gap: 14px; align-items: center;
  padding: 3px 0; }
.name small { display: block; color: var(--muted); font-size: 12px; line-height: 1.25; }
.plot { position: relative; display: block; height: 16px; border-left: 1px solid var(--line); }
.bar { position: absolute; top: 2px; bottom: 2px; left: 0; border-radius: 0 3px 3px 0; background: var(--accent-soft); }
.round { position: absolute; top: 50%; width: 6px; height: 6px; margin: -3px; border-radius: 50%;
  background: var(--accent); opacity: 0.8; }
.limit { position: absolute; top: -1px; bottom: -1px; width: 2px; margin-left: -1px; background: var(--limit); }
.value { text-align: right; }
`;
