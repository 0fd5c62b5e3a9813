import type { Result } from '#lib/report/results.ts';
import { html, type Html } from './html.ts';
import { standing, type LabPaths, type Path, type Standing, type State } from './lab-paths.ts';
import { tall, wide, type Box, type Layout, type Route } from './picture-layout.ts';
import { claimLink } from './parts.ts';

const marks: Readonly<Record<State, string>> = {
  proven: '✓',
  failed: '✗',
  broken: '!',
  blocked: '■',
  unseen: '–',
};

/** The lab as a picture, and below it the list of its paths with the claims that they rest on. */
export function picture(lab: LabPaths, results: readonly Result[]): Html {
  const paths = Object.entries(lab.paths).map(([name, path], place) => ({
    name,
    path,
    number: place + 1,
    stands: standing(path.claims, results),
  }));
  return html`<figure class="picture">
      ${drawing('wide', wide, lab, paths, results)} ${drawing('tall', tall, lab, paths, results)}
      <figcaption>
        ✓ proven &ensp; ✗ broke &ensp; ! could not be told &ensp; ■ blocked &ensp; – not looked at. A line
        that ends in a bar is one on which nothing may pass.
      </figcaption>
    </figure>
    <ol class="paths">
      ${paths.map(({ name, path, stands }) => item(name, path, stands))}
    </ol>`;
}

interface Walk {
  name: string;
  path: Path;
  number: number;
  stands: Standing;
}

function drawing(
  kind: string,
  layout: Layout,
  lab: LabPaths,
  paths: readonly Walk[],
  results: readonly Result[],
): Html {
  const { width, height, cluster, vm, parts, routes } = layout;
  const proven = paths.filter(({ stands }) => stands.state === 'proven').length;
  const label = `The lab: ${String(proven)} of its ${String(paths.length)} paths are proven; the list below has each.`;
  return html`<svg class="${kind}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">
    ${frame(cluster, 'cluster')} ${frame(vm, 'VM')}
    ${paths.map((walk) => {
      const route = routes[walk.name];
      return route && line(walk, route);
    })}
    ${Object.entries(lab.parts).map(([name, { title, note, claims }]) => {
      const box = parts[name];
      return box && part(box, title, layout.notes ? note : undefined, standing(claims, results));
    })}
    ${paths.map((walk) => {
      const route = routes[walk.name];
      return route && badge(walk, route);
    })}
  </svg>`;
}

const frame = ([x, y, width, height]: Box, title: string): Html =>
  html`<g class="frame">
    <rect x="${x}" y="${y}" width="${width}" height="${height}" rx="6" />
    <text x="${x + 12}" y="${y + 20}">${title}</text>
  </g>`;

function part([x, y, width, height]: Box, title: string, note: string | undefined, stands: Standing): Html {
  const middle = y + height / 2;
  return html`<g class="part ${stands.state}">
    <title>${title}: ${summed(stands)}</title>
    <rect x="${x}" y="${y}" width="${width}" height="${height}" rx="4" />
    <text x="${x + width / 2}" y="${note === undefined ? middle + 4 : middle - 3}">${title}</text>
    ${note !== undefined && html`<text class="note" x="${x + width / 2}" y="${middle + 14}">${note}</text>`}
    ${
      stands.state !== 'unseen' &&
      html`<text class="mark" x="${x + width - 6}" y="${y + 13}">${marks[stands.state]}</text>`
    }
  </g>`;
}

function line({ path, stands }: Walk, { corners }: Route): Html {
  const points = corners.map((point) => point.join(',')).join(' ');
  const [[fromX, fromY], [x, y]] = corners.slice(-2) as [
    readonly [number, number],
    readonly [number, number],
  ];
  const angle = (Math.atan2(y - fromY, x - fromX) * 180) / Math.PI;
  const head = path.refuses ? 'M0,-9 V9' : 'M-8,-5 L0,0 L-8,5 Z';
  return html`<g class="path ${stands.state}${path.refuses ? ' refuses' : ''}">
    <polyline points="${points}" />
    <path d="${head}" transform="translate(${x} ${y}) rotate(${angle})" />
  </g>`;
}

function badge({ name, path, number, stands }: Walk, { badge: [x, y], port }: Route): Html {
  const at = port === 'right' ? { x: x + 24, y: y + 4 } : { x, y: y - 15 };
  return html`<a class="badge ${stands.state}" href="#path-${name}" tabindex="-1">
    <title>${path.title}: ${said(path, stands)}</title>
    <rect x="${x - 18}" y="${y - 11}" width="36" height="22" rx="11" />
    <text x="${x}" y="${y + 4}">${number} ${marks[stands.state]}</text>
    ${port && path.port && html`<text class="port ${port}" x="${at.x}" y="${at.y}">${path.port}</text>`}
  </a>`;
}

function item(name: string, path: Path, stands: Standing): Html {
  return html`<li id="path-${name}" class="${stands.state}">
    <span class="state"
      ><span class="mark" aria-hidden="true">${marks[stands.state]}</span> ${said(path, stands)}</span
    >
    <strong>${path.title}</strong>
    ${path.port !== undefined && html`<span class="quiet">port ${path.port}</span>`}
    ${
      stands.looked.length > 0 &&
      html`<span class="rests"
        >${summed(stands)}: ${stands.looked.map((result) => html`${claimLink(result)} `)}</span
      >`
    }
  </li>`;
}

/** What the run says about a path, in a word or two. */
function said({ refuses }: Path, { state }: Standing): string {
  const words: Readonly<Record<State, string>> = {
    proven: refuses ? 'rightly refused' : 'proven',
    failed: refuses ? 'not refused' : 'broke',
    broken: 'could not be told',
    blocked: 'blocked',
    unseen: 'not looked at',
  };
  return words[state];
}

function summed({ looked, passed }: Standing): string {
  if (looked.length === 0) return 'not looked at';
  if (looked.length === 1) return passed === 1 ? 'its claim holds' : 'its claim was not seen to hold';
  return `${String(passed)} of ${String(looked.length)} claims hold`;
}
