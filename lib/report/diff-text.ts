import { duration } from '#lib/base/progress.ts';
import { isEmpty, kinds, type Kind, type RunDiff, type RunLabel, type TimingChange } from './diff.ts';
import { oneLine, table } from './markdown.ts';
import { noise } from './noise.ts';

const titles: Readonly<Record<Kind, string>> = {
  'newly-failing': 'Newly failing',
  fixed: 'Fixed',
  'otherwise-red': 'Red in another way',
  'newly-not-applicable': 'No longer applicable',
  'newly-applicable': 'Newly applicable',
  'newly-implemented': 'Newly implemented',
  'no-longer-implemented': 'No longer implemented',
};

/** A diff to read in a terminal. */
export function diffText(diff: RunDiff): string {
  const lines = [`from  ${told(diff.from)}`, `to    ${told(diff.to)}`, ''];
  if (diff.cause !== null && diff.regression) lines.push(`Likely cause: ${oneLine(diff.cause)}.`, '');
  for (const { title, changes } of sections(diff)) {
    lines.push(`${title} (${String(changes.length)})`);
    for (const { id, from, to, reason } of changes) {
      lines.push(`  ${id}  ${from} → ${to}`);
      if (reason !== null) lines.push(`      ${cut(reason)}`);
    }
  }
  const { timings, newErrors } = diff;
  if (timings.length > 0) lines.push(`Other time, by more than noise (${String(timings.length)})`);
  lines.push(...timings.map((timing) => `  ${timing.id}  ${tookText(timing)}`));
  if (newErrors.length > 0) lines.push(`Outside of any claim (${String(newErrors.length)})`);
  lines.push(...newErrors.map((error) => `  ${cut(error)}`));
  return `${[...lines, closing(diff)].join('\n')}\n`;
}

/** A diff as a part of a page, or of a job's summary. @param depth of its heading */
export function diffMarkdown(diff: RunDiff, depth = 1): string {
  const heading = (more: number, text: string): string => `${'#'.repeat(depth + more)} ${text}`;
  const parts = [
    heading(0, `From ${diff.from.name} to ${diff.to.name}`),
    [`- from: ${told(diff.from)}`, `- to: ${told(diff.to)}`].join('\n'),
    `**${closing(diff)}**`,
  ];
  if (diff.cause !== null && diff.regression) parts.push(`Likely cause: ${oneLine(diff.cause)}.`);
  for (const { title, changes } of sections(diff)) {
    parts.push(
      heading(1, `${title} (${String(changes.length)})`),
      table(
        ['claim', 'was', 'is', 'because'],
        changes.map(({ id, from, to, reason }) => [`\`${id}\``, from, to, cut(reason ?? '')]),
      ),
    );
  }
  if (diff.timings.length > 0) {
    parts.push(
      heading(1, `Other time (${String(diff.timings.length)})`),
      `By ${String(noise.ratio)} times and ${duration(noise.floorMs)} at least; less is noise.`,
      table(
        ['claim', 'what', 'took', 'takes'],
        diff.timings.map(({ id, what, fromMs, toMs }) => [
          `\`${id}\``,
          what,
          duration(fromMs),
          duration(toMs),
        ]),
      ),
    );
  }
  if (diff.newErrors.length > 0)
    parts.push(
      heading(1, 'Outside of any claim'),
      diff.newErrors.map((error) => `- ${cut(error)}`).join('\n'),
    );
  return `${parts.join('\n\n')}\n`;
}

const sections = ({ changes }: RunDiff): { title: string; changes: RunDiff['changes'] }[] =>
  kinds.flatMap((kind) => {
    const found = changes.filter((change) => change.kind === kind);
    return found.length === 0 ? [] : [{ title: titles[kind], changes: found }];
  });

/** What it comes to, in a sentence. */
function closing(diff: RunDiff): string {
  const all = diff.compared + diff.notCompared.length;
  const of = `compared ${String(diff.compared)} of ${String(all)} claims`;
  if (isEmpty(diff)) return `No difference: ${of}.`;
  return diff.regression ? `A regression: ${of}.` : `No regression: ${of}.`;
}

const told = ({ name, startedAt, istio, lab, provider, totals }: RunLabel): string => {
  const red = totals.failed + totals.broken + totals.blocked;
  return `${name}: Istio ${istio}, lab ${lab || '(unknown)'} (${provider || '(unknown)'}), started ${startedAt}, ${String(totals.passed)} passed, ${String(red)} red`;
};

const tookText = ({ what, fromMs, toMs }: TimingChange): string =>
  `${what} ${duration(fromMs)} → ${duration(toMs)}`;

const cut = (text: string): string => {
  const line = oneLine(text);
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
};
