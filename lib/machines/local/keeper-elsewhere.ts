import { existsSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { attempt } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { exists, writeAtomic } from '#lib/base/files.ts';
import { whileSeen } from '#lib/base/heartbeat.ts';
import { isAlive, thisProcess } from '#lib/base/processes.ts';
import { say } from '#lib/base/progress.ts';

/*
 * keeper-elsewhere.ts <lab folder>
 * keeper.sh for a lab that has no namespaces of this host, as its machines are elsewhere: the same files, and nothing of
 * Linux. It is such a lab's first and only process, too, so that the lab is gone when it is killed.
 */
const [dir = ''] = process.argv.slice(2);
const at = (file: string): string => join(dir, file);

/** Whether the run that uses the lab is there: its owner, which the next run replaces. */
function owned(): boolean {
  try {
    const [pid, started = ''] = readFileSync(at('owner'), 'utf8').trim().split(' ');
    return isAlive({ pid: Number(pid), started });
  } catch {
    return false;
  }
}

/** Ends what the lab has elsewhere. When that fails its folder stays, so that it can be tried again. */
async function sweep(): Promise<void> {
  if (!exists(dir)) return;
  // who finds this waits for the end, instead of taking over a lab that is going
  await writeFile(at('ending'), '');
  if (exists(at('on-end'))) {
    try {
      const { code, stderr } = await attempt([at('on-end')], { within: ours.onEnd });
      if (stderr.trim() !== '') say(stderr.trim());
      if (code !== 0) return;
    } catch (error) {
      say(String(error));
      return;
    }
  }
  if (!exists(at('failed'))) await rm(dir, { recursive: true, force: true });
}

let asked = false;
process.on('SIGTERM', () => {
  asked = true;
});
const { pid, started } = thisProcess();
for (const file of ['keeper', 'init']) await writeAtomic(at(file), `${String(pid)} ${started}\n`);
// in this order: who takes a kept lab over writes the owner before it removes keep
await whileSeen(200, () => !asked && existsSync(dir) && (exists(at('keep')) || owned()));
await sweep();
process.exit(0);
