import { join } from 'node:path';
import { run } from '#lib/base/command.ts';
import { messageOf, RefusedError } from '#lib/base/errors.ts';
import { reportsDir } from '#lib/base/paths.ts';
import { nights, nightsMarkdown, worse } from '#lib/report/nights.ts';
import { outputsIn } from '#lib/report/outputs.ts';
import { tell, tellingOf } from './nightly/issue.ts';

const usage = `npm run nightly -- <command>
  summary            what changed in each version of the last matrix since the run before, as Markdown; status 1 when
                     something got worse
  issue [--dry-run]  open an issue for it with gh, or add to the one that is open what it does not say yet; a dry run
                     only shows what would be said if no issue were open`;

/** Each returns the exit status. */
const commands: Readonly<Record<string, () => number | Promise<number>>> = {
  summary() {
    const all = found();
    process.stdout.write(nightsMarkdown(all));
    return all.some((night) => worse(night).length > 0) ? 1 : 0;
  },

  async issue() {
    for (const done of await tell(found(), run)) process.stdout.write(`${done}\n`);
    return 0;
  },

  'issue --dry-run'() {
    const tellings = found().flatMap((night) => tellingOf(night) ?? []);
    for (const { title, body } of tellings) process.stdout.write(`${title}\n\n${body}\n\n`);
    if (tellings.length === 0) process.stdout.write('Nothing got worse, so there is nothing to tell.\n');
    return 0;
  },
};

const found = () => nights(join(reportsDir(), 'matrix'), outputsIn(reportsDir()).history);

try {
  const wanted = commands[process.argv.slice(2).join(' ')];
  if (!wanted) throw new RefusedError(usage);
  process.exitCode = await wanted();
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = error instanceof RefusedError ? 2 : 1;
}
