import { colours } from '../figures/drawing/theme.ts';
import { type SafeHtml, trusted } from '../html.ts';

/** How a dark page recolours the SVG of a figure, which was drawn for a light one. */
const darkFigures = Object.values(colours)
  .map(
    ({ light, dark }) =>
      `.plot svg [fill="${light}"]{fill:${dark}}.plot svg [stroke="${light}"]{stroke:${dark}}`,
  )
  .join('');

export const style: SafeHtml = trusted(`
:root{color-scheme:light dark;--ground:#f5f7f9;--card:#fff;--ink:#1d2733;--muted:#5b6877;--line:#dfe5eb;--soft:#eef2f6;
--accent:#2c6bd6;--good:#1c7c46;--good-soft:#e2f4e9;--bad:#b42318;--bad-soft:#fdebe9;--warn:#8a5a00;--warn-soft:#fdf3dc;
--mono:ui-monospace,"SF Mono","Cascadia Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
@media (prefers-color-scheme:dark){:root{--ground:#0f141a;--card:#171e26;--ink:#e7ebf0;--muted:#9dabba;--line:#2a343f;--soft:#202933;
--accent:#74a9ff;--good:#62d394;--good-soft:#14301f;--bad:#ff8f85;--bad-soft:#3a1917;--warn:#f0c36a;--warn-soft:#33270d}
${darkFigures}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI","Helvetica Neue",Arial,"DejaVu Sans",sans-serif}
main{max-width:1080px;margin:0 auto;padding:40px 24px 64px}
h1{font-size:28px;line-height:1.25;letter-spacing:-.01em;margin:0 0 6px;text-wrap:balance}
h2{font-size:19px;margin:44px 0 14px;letter-spacing:-.005em}
h3{font-size:16px;margin:0 0 12px}
p{margin:0 0 10px}
a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}
header p{color:var(--muted);max-width:70ch}
.line{display:flex;flex-wrap:wrap;gap:8px 16px;align-items:center;color:var(--muted);font-size:13.5px;margin-top:12px}
.pill{display:inline-block;padding:1px 10px;border-radius:99px;font-size:13px;font-weight:600;background:var(--soft);color:var(--muted)}
.pill.succeeded,.pill.good{background:var(--good-soft);color:var(--good)}
.pill.failed{background:var(--bad-soft);color:var(--bad)}
.pill.running,.pill.cancelled{background:var(--warn-soft);color:var(--warn)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(190px,1fr));gap:12px;margin-top:24px}
.tile{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 16px}
.tile dt{color:var(--muted);font-size:13px}
.tile dd{margin:2px 0 0;font-size:20px;font-weight:600;letter-spacing:-.01em;font-variant-numeric:tabular-nums}
.tile dd.sub{font-size:13px;font-weight:400;color:var(--muted);letter-spacing:0;line-height:1.45}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:18px 20px;margin-bottom:16px}
.notice{border-radius:10px;padding:14px 18px;margin:16px 0;background:var(--warn-soft);border:1px solid color-mix(in srgb,var(--warn) 30%,transparent)}
.notice.bad{background:var(--bad-soft);border-color:color-mix(in srgb,var(--bad) 30%,transparent)}
.notice h2{margin:0 0 8px;font-size:16px;color:var(--warn)}.notice.bad h2{color:var(--bad)}
.notice ul{margin:0;padding-left:18px}.notice li{margin:4px 0;overflow-wrap:anywhere}
.where{color:var(--muted);font-size:13px}
figure{margin:0}
.plot{overflow-x:auto}
.plot svg,.plot img{display:block;margin:0 auto;max-width:100%;min-width:520px;height:auto}
.plot svg text{font-family:inherit}
.plot svg [fill="${colours.surface.light}"]{fill:transparent}
figcaption{color:var(--muted);font-size:13.5px;max-width:86ch;margin:12px auto 0}
.files{display:flex;gap:14px;font-size:13px;max-width:86ch;margin:8px auto 0}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:13.5px;font-variant-numeric:tabular-nums}
th{text-align:left;font-weight:600;color:var(--muted);font-size:12.5px;white-space:nowrap}
th,td{padding:7px 12px 7px 0;border-bottom:1px solid var(--line);vertical-align:top}
tbody tr:last-child>*{border-bottom:0}
tbody th{color:var(--ink);font-size:13.5px;font-weight:500}
.number{text-align:right;white-space:nowrap}
.quiet{color:var(--muted)}
.scroll~.quiet,ul~.quiet{font-size:13px;margin:8px 0 0}
code,pre{font-family:var(--mono);font-size:12.5px}
pre{overflow-x:auto;background:var(--soft);border-radius:8px;padding:14px 16px;margin:10px 0 0;line-height:1.5;tab-size:2}
.hash{white-space:nowrap;cursor:help}
.hash button{font:inherit;font-size:11px;line-height:1.4;margin-left:5px;padding:0 6px;border:1px solid var(--line);border-radius:5px;background:none;color:var(--muted);cursor:pointer}
.hash button:hover{color:var(--ink);border-color:var(--muted)}
summary{cursor:pointer;font-weight:600}
summary .where{font-weight:400;margin-left:8px}
details.card>:nth-child(2){margin-top:12px}
td details summary{font-weight:400;color:var(--muted)}
.outputs{list-style:none;margin:0;padding:0}.outputs li{white-space:nowrap}
footer{color:var(--muted);font-size:13px;margin-top:40px}
@media print{body{background:#fff}main{padding:0}.card,.tile{break-inside:avoid}.hash button{display:none}}
`);

/** Adds the copy buttons; without JavaScript there are none, and the whole digest shows on hovering. */
export const script: SafeHtml = trusted(`
for (const hash of document.querySelectorAll('.hash')) {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = 'copy';
  button.title = 'Copy ' + hash.title;
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(hash.title);
      button.textContent = 'copied';
    } catch {
      hash.firstElementChild.textContent = hash.title;
      getSelection().selectAllChildren(hash.firstElementChild);
      button.textContent = 'selected';
    }
    setTimeout(() => { button.textContent = 'copy'; }, 1500);
  };
  hash.append(button);
}
`);
