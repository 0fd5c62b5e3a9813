import { parseArgs } from 'node:util';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { attempt } from '#lib/base/command.ts';
import { messageOf, RefusedError } from '#lib/base/errors.ts';
import { exists } from '#lib/base/files.ts';
import { reportsDir } from '#lib/base/paths.ts';
import { diff } from '#lib/report/diff.ts';
import { diffMarkdown, diffText } from '#lib/report/diff-text.ts';
import { outputsIn } from '#lib/report/outputs.ts';
import { findRun } from '#lib/report/stored-runs.ts';
import { runList } from '#lib/report/run-list.ts';

const usage = `npm run report -- <command>
  list                               the runs that are kept, by name
  diff <run> <run> [--markdown|--json]
                                     what changed from one to the other, claim by claim; status 1 on a regression
  open                               say where the last report is, and open it where there is a desktop
A run is a conformance.json, a folder of one, or a name of the list: the whole of it, a part (then the newest that has
it, so 1.27.9 is the last run of that version), latest or previous.`;

const { history, allureReport } = outputsIn(reportsDir());

/** Each returns the exit status. */
const commands: Readonly<Record<string, (words: string[]) => number | Promise<number>>> = {
  list(words) {
    if (words.length > 0) throw new RefusedError(usage);
    process.stdout.write(runList(history));
    return 0;
  },

  diff(words) {
    const { values, positionals } = parsed(words);
    const [from, to, ...more] = positionals;
    if (from === undefined || to === undefined || more.length > 0 || (values.json && values.markdown))
      throw new RefusedError(usage);
    const found = diff(findRun(from, history), findRun(to, history));
    const written = values.json
      ? `${JSON.stringify(found, undefined, 2)}\n`
      : values.markdown
        ? diffMarkdown(found)
        : diffText(found);
    process.stdout.write(written);
    return found.regression ? 1 : 0;
  },

  async open(words) {
    if (words.length > 0) throw new RefusedError(usage);
    const page = [join(reportsDir(), 'index.html'), join(allureReport, 'index.html')].find(exists);
    if (page === undefined)
      throw new RefusedError(`There is no report in ${reportsDir()} yet; \`npx vitest run\` writes one.`);
    process.stdout.write(`${pathToFileURL(page).href}\n`);
    const opener = process.platform === 'darwin' ? 'open' : 'xdg-open';
    const desktop = process.platform === 'darwin' || process.env['DISPLAY'] || process.env['WAYLAND_DISPLAY'];
    // where it is has been said, so a desktop without an opener is no error
    if (desktop) await attempt([opener, page]).catch(() => undefined);
    return 0;
  },
};

function parsed(words: string[]) {
  try {
    return parseArgs({
      args: words,
      allowPositionals: true,
      options: { json: { type: 'boolean' }, markdown: { type: 'boolean' } },
    });
  } catch (error) {
    throw new RefusedError(`${messageOf(error)}\n${usage}`);
  }
}

const [command = '', ...words] = process.argv.slice(2);
try {
  const wanted = commands[command];
  if (!wanted) throw new RefusedError(usage);
  process.exitCode = await wanted(words);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = error instanceof RefusedError ? 2 : 1;
}
