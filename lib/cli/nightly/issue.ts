import type { Run } from '#lib/base/command.ts';
import { worse, type Night, type Worse } from '#lib/report/nights.ts';

const label = 'nightly-regression';

/** An open issue, as `gh` tells of it. */
interface Issue {
  number: number;
  body: string;
  comments: { body: string }[];
}

/** What is to be said of one version. */
export interface Telling {
  version: string;
  title: string;
  body: string;
}

/**
 * Says on GitHub what got worse since the night before, by `gh`: one issue for each version, to which a later night adds
 * what is new. What an open issue says already is not said again, whatever the nights between were like.
 *
 * @returns what was done, a sentence each
 */
export async function tell(nights: readonly Night[], run: Run): Promise<string[]> {
  if (nights.every((night) => worse(night).length === 0))
    return ['Nothing got worse, so there is nothing to tell.'];
  const fields = ['--json', 'number,body,comments', '--limit', '200'];
  const { stdout } = await run(['gh', 'issue', 'list', '--label', label, '--state', 'open', ...fields]);
  const open = JSON.parse(stdout) as Issue[];
  const done: string[] = [];
  for (const night of nights) {
    const { version } = night;
    const told = open.filter((issue) => textOf(issue).includes(startOfMark(version)));
    const known = told.map(textOf).join('\n');
    const telling = tellingOf(night, ({ key }) => !known.includes(mark(version, key)));
    if (!telling) {
      if (worse(night).length > 0)
        done.push(
          `Istio ${version}: all of it stands in issue ${told.map(({ number }) => String(number)).join(', ')}.`,
        );
      continue;
    }
    done.push(await write(telling, told[0], run));
  }
  return done;
}

/** What is new in a version; undefined when nothing is. */
export function tellingOf(night: Night, isNew: (one: Worse) => boolean = () => true): Telling | undefined {
  const { version, since } = night;
  const found = worse(night).filter(isNew);
  const [first] = found;
  if (!first) return undefined;
  const what = found.length === 1 ? first.key : `${String(found.length)} regressions`;
  const lines = fitting(found.map(({ key, text }) => `- ${text} ${mark(version, key)}`));
  const cause = since?.cause == null ? [] : [`Likely cause: ${since.cause}.`];
  const against = since ? [`Against ${since.from.name}.`] : [];
  return {
    version,
    title: `Nightly, Istio ${version}: ${what}`,
    body: [...against, ...cause, lines.join('\n')].join('\n\n'),
  };
}

/** GitHub takes 65 536 characters; the rest is for what stands above the list. */
const room = 60_000;

/** The lines that fit into one text. What does not is not marked as told, so the next night tells it. */
function fitting(lines: readonly string[]): string[] {
  let length = 0;
  const fit = lines.filter((line) => (length += line.length + 1) <= room);
  const more = lines.length - fit.length;
  return more === 0 ? fit : [...fit, `- and ${String(more)} more; the reports of the run have all of them.`];
}

async function write({ version, title, body }: Telling, issue: Issue | undefined, run: Run): Promise<string> {
  const written = { input: `${body}\n` };
  if (issue) {
    const number = String(issue.number);
    await run(['gh', 'issue', 'comment', number, '--body-file', '-'], written);
    return `Istio ${version}: issue ${number} now says what is new.`;
  }
  const about = ['--description', 'Worse than the night before', '--color', 'd73a4a'];
  await run(['gh', 'label', 'create', label, '--force', ...about]);
  const words = ['gh', 'issue', 'create', '--title', title, '--label', label, '--body-file', '-'];
  const { stdout } = await run(words, written);
  return `Istio ${version}: opened ${stdout.trim()}.`;
}

const textOf = ({ body, comments }: Issue): string => [body, ...comments.map((one) => one.body)].join('\n');

/** Nobody sees it, and by it the next night knows what was told. */
const mark = (version: string, key: string): string => `${startOfMark(version)}${key} -->`;
const startOfMark = (version: string): string => `<!-- nightly ${version} `;
