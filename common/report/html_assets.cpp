#include "common/report/html_assets.hpp"

namespace moe {

const char* const kReportStyle = R"css(
:root{--page:#fbfbfa;--card:#fff;--ink:#1c1e21;--soft:#5e646e;--line:#e3e4e8;--accent:#1f5fbf;--heat:24 92 190;
--high:#fff;--note:#fff6df;--note-line:#e3b341}
@media(prefers-color-scheme:dark){:root{--page:#131519;--card:#1b1e24;--ink:#e4e6ea;--soft:#9aa1ad;--line:#2f343d;
--accent:#7db1ff;--heat:112 178 255;--high:#0b0d10;--note:#2d2716;--note-line:#a8842c}}
*{box-sizing:border-box}
html{scroll-behavior:smooth}
body{margin:0 auto;max-width:1120px;padding:2.5rem 1.5rem 3rem;background:var(--page);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif;
font-variant-numeric:tabular-nums}
header h1{margin:0;font-size:2.1rem;line-height:1.2;letter-spacing:-.02em}
header p{margin:.4rem 0 0;color:var(--soft);font-size:1.08rem;max-width:48rem}
nav{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;margin:1.4rem 0 0;padding:.7rem 0;border:solid var(--line);
border-width:1px 0;font-size:.92rem}
a{color:var(--accent);text-decoration:none}
a:hover{text-decoration:underline}
h2{margin:2.8rem 0 .8rem;font-size:1.4rem;letter-spacing:-.01em}
h3{margin:1.8rem 0 .5rem;font-size:1.08rem}
h4{margin:1rem 0 .3rem;font-size:.85rem;color:var(--soft);font-weight:600}
main>p{max-width:46rem;margin:.6rem 0}
.note{max-width:none;padding:.6rem .9rem;background:var(--note);border-left:3px solid var(--note-line);border-radius:4px}
figure{margin:1.1rem 0;padding:1rem;background:var(--card);border:1px solid var(--line);border-radius:8px}
figcaption{margin-top:.6rem;color:var(--soft);font-size:.88rem;line-height:1.45}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:1rem;margin:1.1rem 0}
.figures figure{margin:0}
.plot svg{display:block;width:100%;height:auto;max-height:30rem}
.plot svg [font-family]{font-family:inherit}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(170px,1fr));gap:1rem;margin:1.1rem 0}
.tiles div{display:flex;flex-direction:column;padding:.9rem 1rem;background:var(--card);border:1px solid var(--line);
border-radius:8px}
.tiles b{font-size:1.7rem;line-height:1.2;letter-spacing:-.02em}
.tiles span{font-size:.92rem}
.tiles small{color:var(--soft)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:.92rem}
.scroll table{width:100%}
.scroll th,.scroll td{padding:.38rem .7rem;text-align:left;border-bottom:1px solid var(--line)}
.scroll thead th{color:var(--soft);font-weight:600;border-bottom:2px solid var(--line)}
.scroll .num{text-align:right}
.scroll tbody:last-child tr:last-child td{border-bottom:0}
.scroll tbody+tbody{border-top:2px solid var(--line)}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,320px),1fr));gap:0 2rem;margin:1rem 0}
dl div{display:flex;justify-content:space-between;gap:1rem;padding:.32rem 0;border-bottom:1px solid var(--line);
font-size:.92rem}
dt{color:var(--soft)}
dd{margin:0;text-align:right;overflow-wrap:anywhere}
.maps>div{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,220px),1fr));gap:1rem 1.5rem;overflow-x:auto}
.maps>div:has(.wide){grid-template-columns:1fr}
.heat{width:100%;table-layout:fixed;border-spacing:1px;border-collapse:separate;font-size:.72rem}
.heat caption{text-align:left;font-size:.88rem;font-weight:600;padding-bottom:.2rem}
.heat th{font-weight:400;color:var(--soft);padding:0 .2rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.heat tbody th,.heat thead th:first-child{text-align:right;width:3.2rem;vertical-align:bottom}
.heat:not(.wide) thead span{display:inline-block;writing-mode:vertical-rl;transform:rotate(180deg);max-height:7rem;
padding:.2rem 0}
.heat:not(.wide) thead th{vertical-align:bottom;text-align:center}
.heat td{height:1.35rem;padding:0;text-align:center;border-radius:2px;
background:linear-gradient(rgb(var(--heat)/var(--v)),rgb(var(--heat)/var(--v))),rgb(128 128 128/.07)}
.heat td.hi{color:var(--high)}
.heat.wide th{padding:0;font-size:.68rem;text-align:center;text-overflow:clip}
.heat.wide tbody th,.heat.wide thead th:first-child{width:6.5rem;text-align:right;padding-right:.4rem;
font-size:.75rem}
blockquote{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}
pre{padding:.8rem 1rem;background:var(--card);border:1px solid var(--line);border-radius:8px;overflow-x:auto}
pre,code,blockquote,.tokens{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;
font-size:.86rem;line-height:1.6}
.tokens{margin:0;white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.75}
.tokens i{font-style:normal;color:#15171a;padding:.12em 0;cursor:default}
.tokens i:not([class]){color:inherit}
.tokens i:hover{outline:2px solid var(--ink);border-radius:2px}
.routed.only .tokens i:not(.on){background:none;color:var(--soft)}
.layers{display:flex;flex-wrap:wrap;gap:.4rem;margin-bottom:.6rem}
.layers button{font:inherit;font-size:.86rem;padding:.2rem .8rem;color:var(--ink);background:none;
border:1px solid var(--line);border-radius:99px;cursor:pointer}
.layers button[aria-pressed=true]{color:var(--page);background:var(--ink);border-color:var(--ink)}
.legend{display:flex;flex-wrap:wrap;gap:2px;margin-bottom:.6rem}
.legend span{min-width:1.75rem;padding:.05rem .2rem;text-align:center;font-size:.74rem;color:#15171a;border-radius:3px;
cursor:default}
#tip{position:fixed;z-index:9;max-width:22rem;padding:.45rem .7rem;color:var(--page);background:var(--ink);
border-radius:6px;font-size:.82rem;line-height:1.4;white-space:pre-line;pointer-events:none}
#tip[hidden]{display:none}
footer{margin-top:3rem;padding-top:.8rem;border-top:1px solid var(--line);color:var(--soft);font-size:.85rem}
@media print{body{max-width:none;padding:0}.layers,#tip{display:none}figure,.tiles div{break-inside:avoid}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
)css";

// Layer buttons recolour the tokens; hovering a token lists its experts; hovering an expert in the legend fades the
// tokens of all others.
const char* const kReportScript = R"js(
const tip = document.getElementById('tip');
const layerOf = figure => Number(figure.dataset.layer || 0);
const choices = (token, layer) => (token.split(';')[layer] || '').split(',').filter(Boolean).map(c => c.split(':'));
const firstExpert = (token, layer) => (choices(token.dataset.r.split('/')[0], layer)[0] || [])[0];

function showLayer(figure, layer) {
  figure.dataset.layer = layer;
  for (const b of figure.querySelectorAll('.layers button')) b.setAttribute('aria-pressed', b.dataset.layer == layer);
  for (const token of figure.querySelectorAll('.tokens i')) {
    const e = firstExpert(token, layer);
    if (e === undefined) token.removeAttribute('class'); else token.className = 'e' + e;
  }
}

function describe(token) {
  const layer = layerOf(token.closest('.routed'));
  const tokens = token.dataset.r.split('/');
  const lines = tokens.map((one, i) => {
    const who = choices(one, layer).map(([e, gate]) => `expert ${e} (${gate} %)`).join(', ') || 'no expert';
    return tokens.length > 1 ? `token ${i + 1}: ${who}` : who;
  });
  return `layer ${layer + 1}\n` + lines.join('\n');
}

function place(event) {
  tip.style.left = Math.max(8, Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8)) + 'px';
  const below = event.clientY + 18;
  tip.style.top = (below + tip.offsetHeight > innerHeight ? event.clientY - tip.offsetHeight - 10 : below) + 'px';
}

function only(figure, expert) {
  figure.classList.toggle('only', expert !== null);
  for (const token of figure.querySelectorAll('.tokens i.on')) token.classList.remove('on');
  if (expert !== null)
    for (const token of figure.querySelectorAll('.tokens i.e' + expert)) token.classList.add('on');
}

for (const figure of document.querySelectorAll('.routed')) {
  figure.addEventListener('click', event => {
    if (event.target.matches('.layers button')) showLayer(figure, Number(event.target.dataset.layer));
  });
  figure.addEventListener('mouseover', event => {
    if (event.target.matches('.legend span')) only(figure, event.target.dataset.e);
    if (!event.target.matches('.tokens i')) return;
    tip.textContent = describe(event.target);
    tip.hidden = false;
    place(event);
  });
  figure.addEventListener('mouseout', event => {
    if (event.target.matches('.legend span')) only(figure, null);
    tip.hidden = true;
  });
}
)js";

}  // namespace moe
