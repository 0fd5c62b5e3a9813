import { join } from 'node:path';
import { findLab } from '#lib/machines/local/lab.ts';
import { groups, labNames } from '#lib/machines/local/sweep.ts';
import type { Check } from './finding.ts';
import type { Host } from './host.ts';

/** Other labs of this machine, and what is left of labs that are gone. */
export const labs: Check = {
  what: 'labs',
  look: async (host, { settings }) => {
    const what = 'labs';
    const named = await Promise.all(
      labNames().map(async (name) => ({ name, lab: await findLab(name), works: hasProcesses(host, name) })),
    );
    const running = named.filter(({ lab, works }) => lab ?? works).map(({ name }) => name);
    const left = named.filter(({ lab, works }) => !lab && !works).map(({ name }) => name);
    const others = running.filter((name) => name !== settings.lab.name);
    const found = running.length > 0 ? `running: ${running.join(', ')}` : 'none runs';
    const first = { what, state: others.length > 0 ? ('note' as const) : ('good' as const), found };
    if (left.length === 0) return [first];
    const mend = 'npm run lab -- gc';
    return [first, { what, state: 'note', found: `left over: ${left.join(', ')}`, mend }];
  },
};

/** Whether there are processes in the control groups of a lab, which may be one of another cache. */
const hasProcesses = (host: Host, name: string): boolean =>
  groups().some((group) => populated(host, join(group, name), 4));

function populated(host: Host, group: string, depth: number): boolean {
  if ((host.read(join(group, 'cgroup.procs')) ?? '') !== '') return true;
  // a file has no names in it
  return (
    depth > 0 &&
    host.list(group).some((name) => !name.includes('.') && populated(host, join(group, name), depth - 1))
  );
}
