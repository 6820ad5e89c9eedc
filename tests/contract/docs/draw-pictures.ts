/** `npm run picture`: draws the pictures of the documents from their sources. */
import { readFileSync, writeFileSync } from 'node:fs';
import { instance } from '@viz-js/viz';

const DOCS = new URL('../../../docs/', import.meta.url);
export const PICTURE = new URL('architecture.svg', DOCS);

/** A reader's page may be light or dark, and the picture has no ground of its own. */
const STYLE = `<style>
text { fill: #1f2328 } .node path, .node polygon { fill: #eef4fb; stroke: #57606a } .edge path, .cluster path { stroke: #57606a; fill: none }
.edge polygon { fill: #57606a; stroke: #57606a }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .node path, .node polygon { fill: #1c2a3a; stroke: #9aa4af } .edge path, .cluster path { stroke: #9aa4af }
  .edge polygon { fill: #9aa4af; stroke: #9aa4af }
}
</style>`;

export const drawArchitecture = async (): Promise<string> => {
  const viz = await instance();
  const svg = viz.renderString(readFileSync(new URL('architecture.dot', DOCS), 'utf8'), { format: 'svg' });
  return svg.slice(svg.indexOf('<svg')).replace(/>/, `>\n${STYLE}`);
};

if (process.argv[1]?.endsWith('draw-pictures.ts') === true) writeFileSync(PICTURE, await drawArchitecture());
